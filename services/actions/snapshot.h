/* snapshot.h: freezes the previous actions of a review. */
#ifndef ISMS_ACTIONS_SNAPSHOT_H
#define ISMS_ACTIONS_SNAPSHOT_H

#include <isms/rpc/call.h>

/* CreateActionSnapshot. The service's data is its `struct descriptors`. */
rpc_run snapshot_create;

#endif
