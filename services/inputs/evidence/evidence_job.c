/* evidence_job.c: the job that takes away what nobody finishes and what was given up.
 *
 * A file's row says REMOVED in the transaction in which its bytes go. In a file system they go just before it commits:
 * where that fails, the next round finds the row as it was, and removing what is not there is no error. */
#include "evidence.h"

#include <isms/inputs/v1/evidence_statements.pb-c.h>
#include <isms/obs/log.h>

#include "service.h"

enum { LEFTOVERS_PAGE = 100, INTERVAL_MAX_US = 10 * 60 * 1000000 }; /* a page: ListEvidenceLeftovers.sql's limit */

struct leftovers {
    int64_t before_us;
    size_t count;
    struct stored_file items[LEFTOVERS_PAGE];
};

/* A file to remove, and until when it must have been given up. */
struct removal {
    struct stored_file *file;
    int64_t before_us;
};

static Google__Protobuf__Timestamp timestamp_of(int64_t us)
{
    Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    time.seconds = us / 1000000;
    time.nanos = (int32_t)(us % 1000000) * 1000;
    return time;
}

/* An rpc_job_run across tenants: the page of files after the page it is given. */
static int leftovers_list(struct call *call, void *context, struct err *err)
{
    struct leftovers *page = context;
    const struct inputs *inputs = call_service_data(call);
    Isms__Inputs__V1__ListEvidenceLeftoversRequest list = ISMS__INPUTS__V1__LIST_EVIDENCE_LEFTOVERS_REQUEST__INIT;
    Isms__Inputs__V1__ListEvidenceLeftoversResponse found = ISMS__INPUTS__V1__LIST_EVIDENCE_LEFTOVERS_RESPONSE__INIT;
    struct stored_file last = page->count > 0 ? page->items[page->count - 1] : (struct stored_file){0};
    char after_tenant[UUID_TEXT_SIZE];
    char after_id[UUID_TEXT_SIZE];
    uuid_format(last.tenant, after_tenant);
    uuid_format(last.id, after_id);
    page->before_us = call_now_us(call) - inputs->evidence_keep_us;
    Google__Protobuf__Timestamp before = timestamp_of(page->before_us);
    list.before = &before;
    list.after_tenant_id = after_tenant;
    list.after_id = after_id;
    if (call_begin_read(call, err) < 0 ||
        call_statement(call, "ListEvidenceLeftovers", &list.base, &found.base, err) < 0)
        return -1;
    page->count = 0;
    for (size_t i = 0; i < found.n_files && page->count < LEFTOVERS_PAGE; i++) {
        struct stored_file *file = &page->items[page->count++];
        if (!uuid_parse(found.files[i]->tenant_id, &file->tenant) || !uuid_parse(found.files[i]->id, &file->id))
            return err_set(err, ERR_INTERNAL);
    }
    return 0;
}

/* An rpc_job_run for one tenant. */
static int file_remove(struct call *call, void *context, struct err *err)
{
    const struct removal *removal = context;
    const struct inputs *inputs = call_service_data(call);
    Isms__Inputs__V1__RemoveEvidenceRequest request = ISMS__INPUTS__V1__REMOVE_EVIDENCE_REQUEST__INIT;
    Isms__Inputs__V1__EvidenceContent removed = ISMS__INPUTS__V1__EVIDENCE_CONTENT__INIT;
    Google__Protobuf__Timestamp before = timestamp_of(removal->before_us);
    char id[UUID_TEXT_SIZE];
    uuid_format(removal->file->id, id);
    request.id = id;
    request.before = &before;
    if (call_begin_write(call, err) < 0 ||
        call_statement(call, "RemoveEvidenceFile", &request.base, &removed.base, err) < 0)
        return -1;
    removal->file->back_end = removed.storage;
    return storage_remove(&inputs->storage, call, removal->file, err);
}

static void page_remove(struct job_run *run, struct leftovers *page, struct err *first)
{
    for (size_t i = 0; i < page->count && !job_is_stopping(run); i++) {
        struct removal removal = {.file = &page->items[i], .before_us = page->before_us};
        struct err failure;
        char id[UUID_TEXT_SIZE];
        uuid_format(page->items[i].id, id);
        if (job_for_tenant(run, page->items[i].tenant, file_remove, &removal, &failure) == 0) {
            LOG(INFO, "an evidence file was removed", LOG_STR("file", id));
        } else if (failure.reason != ERR_NOT_FOUND) { /* finished meanwhile, or somebody else was first */
            LOG(WARNING, "an evidence file could not be removed yet", LOG_STR("file", id), LOG_ERR(&failure));
            if (first->reason == ERR_OK)
                *first = failure;
        }
    }
}

int64_t evidence_clean_interval(const struct settings *settings)
{
    return settings->evidence_keep < INTERVAL_MAX_US ? settings->evidence_keep : INTERVAL_MAX_US;
}

/* One file's trouble is not the others': the first failure is reported when all had their turn. */
int evidence_clean(struct job_run *run, struct err *err)
{
    struct leftovers page = {0};
    struct err first = {0};
    do {
        if (job_across_tenants(run, leftovers_list, &page, err) < 0)
            return -1;
        page_remove(run, &page, &first);
    } while (page.count == LEFTOVERS_PAGE && !job_is_stopping(run));
    if (first.reason == ERR_OK)
        return 0;
    *err = first;
    return -1;
}
