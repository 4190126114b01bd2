/* import_clean.c: the job that takes away what importing leaves behind: uploads that nobody goes on with, and files of
 * imports whose end was not the importing job's, or that it did not live to see. */
#include "import_job.h"

#include <stdio.h>

#include <isms/inputs/v1/import_statements.pb-c.h>
#include <isms/obs/log.h>

#include "import_work.h"
#include "service.h"

enum { LEFTOVERS_PAGE = 100, INTERVAL_MAX_US = 10 * 60 * 1000000 }; /* a page: ListImportLeftovers.sql's limit */

struct leftover {
    struct uuid tenant;
    char id[UUID_TEXT_SIZE];
    bool abandoned;
};

struct leftovers {
    Google__Protobuf__Timestamp before;
    size_t count;
    struct leftover items[LEFTOVERS_PAGE];
};

/* An upload to give up, where nobody has touched it since. */
struct abandoning {
    char *id;
    Google__Protobuf__Timestamp *before;
};

static Google__Protobuf__Timestamp timestamp_of(int64_t us)
{
    Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    time.seconds = us / 1000000;
    time.nanos = (int32_t)(us % 1000000) * 1000;
    return time;
}

/* An rpc_job_run across tenants: the page after the page it is given. */
static int leftovers_list(struct call *call, void *context, struct err *err)
{
    struct leftovers *page = context;
    const struct inputs *inputs = call_service_data(call);
    const struct leftover *last = page->count > 0 ? &page->items[page->count - 1] : NULL;
    Isms__Inputs__V1__ListImportLeftoversRequest list = ISMS__INPUTS__V1__LIST_IMPORT_LEFTOVERS_REQUEST__INIT;
    Isms__Inputs__V1__ListImportLeftoversResponse found = ISMS__INPUTS__V1__LIST_IMPORT_LEFTOVERS_RESPONSE__INIT;
    char after_tenant[UUID_TEXT_SIZE];
    char nil[UUID_TEXT_SIZE];
    uuid_format((struct uuid){0}, nil);
    uuid_format(last ? last->tenant : (struct uuid){0}, after_tenant);
    page->before = timestamp_of(call_now_us(call) - inputs->evidence_keep_us);
    list.before = &page->before;
    list.after_tenant_id = after_tenant;
    list.after_id = last ? page->items[page->count - 1].id : nil;
    if (call_begin_read(call, err) < 0 ||
        call_statement(call, "ListImportLeftovers", &list.base, &found.base, err) < 0)
        return -1;
    page->count = 0;
    for (size_t i = 0; i < found.n_imports && page->count < LEFTOVERS_PAGE; i++) {
        struct leftover *item = &page->items[page->count++];
        if (!uuid_parse(found.imports[i]->tenant_id, &item->tenant))
            return err_set(err, ERR_INTERNAL);
        snprintf(item->id, sizeof(item->id), "%s", found.imports[i]->import_id);
        item->abandoned = found.imports[i]->abandoned;
    }
    return 0;
}

/* An rpc_job_run for one tenant. */
static int import_abandon(struct call *call, void *context, struct err *err)
{
    const struct abandoning *abandoning = context;
    Isms__Inputs__V1__AbandonImportRequest request = ISMS__INPUTS__V1__ABANDON_IMPORT_REQUEST__INIT;
    Isms__Inputs__V1__ImportCount count = ISMS__INPUTS__V1__IMPORT_COUNT__INIT;
    request.id = abandoning->id;
    request.before = abandoning->before;
    if (call_begin_write(call, err) < 0)
        return -1;
    return call_statement(call, "AbandonImport", &request.base, &count.base, err);
}

static int leftover_remove(struct job_run *run, struct leftovers *page, struct leftover *item, struct err *err)
{
    struct abandoning abandoning = {.id = item->id, .before = &page->before};
    if (item->abandoned && job_for_tenant(run, item->tenant, import_abandon, &abandoning, err) < 0)
        return err->reason == ERR_NOT_FOUND ? 0 : -1; /* touched meanwhile, or another replica was first */
    return job_for_tenant(run, item->tenant, import_clear, item->id, err);
}

static void page_remove(struct job_run *run, struct leftovers *page, struct err *first)
{
    for (size_t i = 0; i < page->count && !job_is_stopping(run); i++) {
        struct err failure = {0};
        if (leftover_remove(run, page, &page->items[i], &failure) == 0) {
            LOG(INFO, "the file of an import was removed", LOG_STR("import_id", page->items[i].id));
        } else {
            LOG(WARNING, "the file of an import could not be removed yet", LOG_STR("import_id", page->items[i].id),
                LOG_ERR(&failure));
            if (first->reason == ERR_OK)
                *first = failure;
        }
    }
}

int64_t import_clean_interval(const struct settings *settings)
{
    return settings->evidence_keep < INTERVAL_MAX_US ? settings->evidence_keep : INTERVAL_MAX_US;
}

/* One import's trouble is not the others': the first failure is reported when all had their turn. */
int import_clean_run(struct job_run *run, struct err *err)
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
