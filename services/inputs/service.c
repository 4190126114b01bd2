/* service.c: the inputs service as a table. Every rpc without a handler here is a file in sql/. */
#include "service.h"

#include <stdlib.h>
#include <string.h>

#include "evidence.h"
#include "export.h"
#include "import_job.h"

extern const struct sql_text isms_sql[];

enum { SECOND_US = 1000 * 1000, MEBIBYTE = 1024 * 1024 };

static const struct rpc_handler handlers[] = {
    {"GetMetricTrend", get_metric_trend},
    {"ListMetricTrends", list_metric_trends},
    {"GetInputTrend", get_input_trend},
    {"BatchGetInputs", batch_get_inputs},
    {"BatchUpsertInputs", batch_upsert_inputs},
    {"ListInputChanges", list_input_changes},
    {"RunImport", run_import},
    {"CreateSnapshot", create_snapshot},
    {"CheckQuality", check_quality},
    {"GetQualityFigures", get_quality_figures},
    {"DiffSnapshots", diff_snapshots},
    {"CreateEvidenceFile", create_evidence_file},
    {"UploadEvidenceFile", upload_evidence_file},
    {"FinishEvidenceFile", finish_evidence_file},
    {"ReadEvidenceFile", read_evidence_file},
    {"IssueIntakeToken", issue_intake_token},
    {"SubmitIntake", submit_intake},
    {"DeliverContribution", deliver_contribution},
    {"HandOver", hand_over},
    {0},
};

static const struct job jobs[] = {
    {.name = "import_small", .interval_us = SECOND_US, .timeout_us = 60 * SECOND_US, .run = import_small_run},
    {.name = "import_large", .interval_us = SECOND_US, .timeout_us = 60 * SECOND_US, .run = import_large_run},
    {.name = "clean_imports", .interval = import_clean_interval, .timeout_us = 30 * SECOND_US, .run = import_clean_run},
    {.name = "clean_evidence", .interval = evidence_clean_interval, .timeout_us = 30 * SECOND_US,
     .run = evidence_clean},
    {0},
};

static const struct rpc_stream_handler streams[] = {
    {"ExportInputs", export_run},
    {"DownloadEvidenceFile", download_evidence_file},
    {0},
};

static const struct schema_version schemas[] = {
    {"core", ISMS_SCHEMA_CORE},
    {"inputs", ISMS_SCHEMA_INPUTS},
    {0},
};

static void service_stop(void *data)
{
    struct inputs *inputs = data;
    if (inputs)
        directory_close(inputs->storage.directory);
    free(inputs);
}

static int service_start(const struct app_parts *parts, void **ret_data, struct err *err)
{
    const struct settings *settings = parts->settings;
    if (strcmp(settings->evidence_storage, "filesystem") == 0 && !settings->evidence_directory[0])
        return err_setf(err, ERR_STORAGE_UNAVAILABLE, "evidence_storage is filesystem: evidence_directory must be set");
    struct inputs *inputs = calloc(1, sizeof(*inputs));
    if (!inputs)
        return err_setf(err, ERR_INTERNAL, "out of memory");
    inputs->descriptors = parts->descriptors;
    inputs->storage.preferred = settings->evidence_storage;
    inputs->evidence_size_max = (int64_t)settings->evidence_size_max * MEBIBYTE;
    inputs->evidence_total_max = (int64_t)settings->evidence_total_max * MEBIBYTE;
    inputs->evidence_keep_us = settings->evidence_keep;
    if (settings->evidence_directory[0] &&
        directory_open(settings->evidence_directory, &inputs->storage.directory, err) < 0) {
        service_stop(inputs);
        return -1;
    }
    *ret_data = inputs;
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
    .jobs = jobs,
    .schemas = schemas,
    .start = service_start,
    .stop = service_stop,
};
