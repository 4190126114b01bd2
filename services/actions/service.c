/* service.c: what the actions service consists of. */
#include "service.h"

#include <stddef.h>

#include "export.h"
#include "snapshot.h"

extern const struct sql_text isms_sql[];

static int service_start(const struct app_parts *parts, void **ret_data, struct err *err UNUSED)
{
    *ret_data = (void *)parts->descriptors;
    return 0;
}

static const struct rpc_handler handlers[] = {
    {"CreateActionSnapshot", snapshot_create},
    {0},
};

static const struct rpc_stream_handler streams[] = {{"ExportActions", export_run}, {0}};

static const struct schema_version schemas[] = {
    {"core", ISMS_SCHEMA_CORE},
    {"actions", ISMS_SCHEMA_ACTIONS},
    {0},
};

const struct app_service actions_service = {
    .name = "actions",
    .purpose = "Actions, their progress and effectiveness, and how they stood when a review froze them.",
    .version = ISMS_VERSION,
    .package = "isms.actions.v1",
    .sql = isms_sql,
    .handlers = handlers,
    .streams = streams,
    .schemas = schemas,
    .start = service_start,
};
