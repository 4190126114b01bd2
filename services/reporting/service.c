/* service.c: the table of the reporting service. */
#include "service.h"

#include <stdlib.h>
#include <string.h>

extern const struct sql_text isms_sql[];

static void service_stop(void *data)
{
    struct reporting *reporting = data;
    if (reporting)
        signing_key_free(reporting->installation_key);
    free(reporting);
}

static int service_start(const struct app_parts *parts, void **ret_data, struct err *err)
{
    struct reporting *reporting = calloc(1, sizeof(*reporting));
    if (!reporting)
        return err_setf(err, ERR_INTERNAL, "out of memory");
    reporting->descriptors = parts->descriptors;
    reporting->cache = parts->cache;
    if (signing_key_load(parts->settings->installation_key_file, &reporting->installation_key, err) < 0) {
        service_stop(reporting);
        return -1;
    }
    signing_key_public(reporting->installation_key, reporting->public_key);
    record_key_id(reporting->public_key, reporting->key_id);
    *ret_data = reporting;
    return 0;
}

static int64_t seal_interval(const struct settings *settings)
{
    return settings->seal_interval;
}

static const struct rpc_handler handlers[] = {
    {"RenderReport", report_render},
    {"GetDashboard", dashboard_get},
    {0},
};

static const struct job jobs[] = {
    {.name = "seal", .interval = seal_interval, .timeout_us = 30 * 1000 * 1000, .run = seal_run},
    {0},
};

static const struct schema_version schemas[] = {
    {"core", ISMS_SCHEMA_CORE},
    {0},
};

const struct app_service reporting_service = {
    .name = "reporting",
    .purpose = "The management review report, the dashboard, the audit trail and the seals over it.",
    .version = ISMS_VERSION,
    .package = "isms.reporting.v1",
    .required_settings = "installation_key_file",
    .sql = isms_sql,
    .handlers = handlers,
    .jobs = jobs,
    .schemas = schemas,
    .start = service_start,
    .stop = service_stop,
};
