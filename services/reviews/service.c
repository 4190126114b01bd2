/* service.c: the table of the reviews service. */
#include "service.h"

#include <stdlib.h>

#include "export.h"
#include "issue.h"

extern const struct sql_text isms_sql[];

enum { SECOND_US = 1000 * 1000 };

static void service_stop(void *data)
{
    struct reviews *reviews = data;
    if (reviews)
        signing_key_free(reviews->installation_key);
    free(reviews);
}

static int service_start(const struct app_parts *parts, void **ret_data, struct err *err)
{
    struct reviews *reviews = calloc(1, sizeof(*reviews));
    if (!reviews)
        return err_setf(err, ERR_INTERNAL, "out of memory");
    reviews->descriptors = parts->descriptors;
    if (signing_key_load(parts->settings->installation_key_file, &reviews->installation_key, err) < 0) {
        service_stop(reviews);
        return -1;
    }
    signing_key_public(reviews->installation_key, reviews->public_key);
    record_key_id(reviews->public_key, reviews->key_id);
    *ret_data = reviews;
    return 0;
}

static const struct rpc_handler handlers[] = {
    {"CreateOrganisation", organisation_create},
    {"SuspendOrganisation", organisation_suspend},
    {"ResumeOrganisation", organisation_resume},
    {"EraseOrganisation", organisation_erase},
    {"SetOrganisationLimits", organisation_limit},
    {"CreateKey", key_create},
    {"UpdateKey", key_update},
    {"RotateKey", key_rotate},
    {"GetSelf", self_get},
    {"OpenReview", review_open},
    {"CheckConformity", conformity_get},
    {"WaiveGap", gap_waive},
    {"SignReview", review_sign},
    {0},
};

static const struct job jobs[] = {
    {.name = "issue_actions", .interval_us = 10 * SECOND_US, .timeout_us = 30 * SECOND_US, .run = issue_run},
    {0},
};

static const struct rpc_stream_handler streams[] = {{"ExportOrganisation", export_run}, {0}};

static const struct schema_version schemas[] = {
    {"core", ISMS_SCHEMA_CORE},
    {"reviews", ISMS_SCHEMA_REVIEWS},
    {0},
};

const struct app_service reviews_service = {
    .name = "reviews",
    .purpose = "Organisations and people, the review programme, the reviews, decisions and signed records.",
    .version = ISMS_VERSION,
    .package = "isms.reviews.v1",
    .required_settings = "installation_key_file",
    .sql = isms_sql,
    .handlers = handlers,
    .streams = streams,
    .jobs = jobs,
    .schemas = schemas,
    .start = service_start,
    .stop = service_stop,
};
