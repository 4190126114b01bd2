/* service.h: the inputs service, as main() and the tests of its completeness see it. */
#ifndef ISMS_INPUTS_SERVICE_H
#define ISMS_INPUTS_SERVICE_H

#include <isms/app/app.h>
#include <isms/rpc/call.h>

extern const struct app_service inputs_service;

/* Handlers; call_service_data() is the descriptors. */
rpc_run get_metric_trend;       /* trends.c */
rpc_run list_metric_trends;
rpc_run get_nonconformity_trend;
rpc_run run_import;             /* import.c */
rpc_run create_snapshot;        /* snapshot.c */

#endif
