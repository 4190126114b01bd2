/* service.h: grpc.testing.TestService (https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md). */
#ifndef ISMS_TEST_INTEROP_SERVICE_H
#define ISMS_TEST_INTEROP_SERVICE_H

#include "internal.h"

extern const struct descriptors_source interop_descriptors_source;
extern const struct rpc_built_in interop_built_ins[];

#endif
