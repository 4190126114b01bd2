/* service.c: the inputs service as a table. Every rpc without a handler here is a file in sql/. */
#include "service.h"

#include "export.h"

extern const struct sql_text isms_sql[];

static const struct rpc_handler handlers[] = {
    {"GetMetricTrend", get_metric_trend},
    {"ListMetricTrends", list_metric_trends},
    {"GetNonconformityTrend", get_nonconformity_trend},
    {"RunImport", run_import},
    {"CreateSnapshot", create_snapshot},
    {0},
};

static const struct rpc_stream_handler streams[] = {{"ExportInputs", export_run}, {0}};

static const struct schema_version schemas[] = {
    {"core", ISMS_SCHEMA_CORE},
    {"inputs", ISMS_SCHEMA_INPUTS},
    {0},
};

static int service_start(const struct app_parts *parts, void **ret_data, struct err *err)
{
    (void)err;
    *ret_data = (void *)(uintptr_t)parts->descriptors; /* read only, and not ours to free */
    return 0;
}

const struct app_service inputs_service = {
    .name = "inputs",
    .purpose = "what clause 9.3.2 wants considered: inputs, measurements, trends, imports, snapshots",
    .version = ISMS_VERSION,
    .package = "isms.inputs.v1",
    .sql = isms_sql,
    .handlers = handlers,
    .streams = streams,
    .schemas = schemas,
    .start = service_start,
};
