/* import_job.c: which import is next: one of each organisation in turn, small files and large ones apart. */
#include "import_job.h"

#include <stdio.h>
#include <stdlib.h>

#include <isms/inputs/v1/import_statements.pb-c.h>
#include <isms/obs/log.h>

#include "import_work.h"

enum {
    PAGE_MAX = 100,    /* ListRunningImports.sql's limit */
    ROUNDS_MAX = 1000, /* of one run: then the lease is asked for again */
    SMALL_BYTES = 256 * 1024
};

struct page {
    int64_t above_bytes; /* size of the files */
    int64_t through_bytes;
    struct running_import items[PAGE_MAX];
    size_t count;
};

/* An rpc_job_run across tenants: the page after the page it is given. */
static int page_list(struct call *call, void *context, struct err *err)
{
    struct page *page = context;
    Isms__Inputs__V1__ListRunningImportsRequest list = ISMS__INPUTS__V1__LIST_RUNNING_IMPORTS_REQUEST__INIT;
    Isms__Inputs__V1__ListRunningImportsResponse found = ISMS__INPUTS__V1__LIST_RUNNING_IMPORTS_RESPONSE__INIT;
    char after[UUID_TEXT_SIZE];
    uuid_format(page->count > 0 ? page->items[page->count - 1].tenant : (struct uuid){0}, after);
    list.after_tenant_id = after;
    list.above_bytes = page->above_bytes;
    list.through_bytes = page->through_bytes;
    if (call_begin_read(call, err) < 0 ||
        call_statement(call, "ListRunningImports", &list.base, &found.base, err) < 0)
        return -1;
    page->count = 0;
    for (size_t i = 0; i < found.n_imports && page->count < PAGE_MAX; i++) {
        struct running_import *item = &page->items[page->count++];
        if (!uuid_parse(found.imports[i]->tenant_id, &item->tenant) ||
            !uuid_parse(found.imports[i]->actor_id, &item->actor))
            return err_set(err, ERR_INTERNAL);
        snprintf(item->id, sizeof(item->id), "%s", found.imports[i]->import_id);
    }
    return 0;
}

/* Tries all of one page. `first` keeps the first failure of the run. */
static void page_run(struct job_run *run, const struct page *page, struct err *first)
{
    for (size_t i = 0; i < page->count && !job_is_stopping(run); i++) {
        struct err failure = {0};
        if (import_work(run, &page->items[i], &failure) == 0)
            continue;
        LOG(WARNING, "an import has to wait", LOG_STR("import_id", page->items[i].id),
            LOG_STR("reason", err_reason_name(failure.reason)));
        if (first->reason == ERR_OK)
            *first = failure;
    }
}

/* One import of each organisation a round, until there is none; one organisation's trouble is not the others'. */
static int files_run(struct job_run *run, int64_t above_bytes, int64_t through_bytes, struct err *err)
{
    struct page *page = calloc(1, sizeof(*page));
    struct err first = {0};
    if (!page)
        return err_set(err, ERR_OVERLOADED);
    page->above_bytes = above_bytes;
    page->through_bytes = through_bytes;
    int result = 0;
    size_t count = 0;
    for (int round = 0; result == 0 && round < ROUNDS_MAX && first.reason == ERR_OK && !job_is_stopping(run); round++) {
        page->count = count;
        result = job_across_tenants(run, page_list, page, err);
        if (result < 0 || (page->count == 0 && count == 0))
            break;
        page_run(run, page, &first);
        count = page->count == PAGE_MAX ? PAGE_MAX : 0; /* the next page, or from the beginning */
    }
    free(page);
    if (result == 0 && first.reason != ERR_OK) {
        *err = first;
        result = -1;
    }
    return result;
}

int import_small_run(struct job_run *run, struct err *err)
{
    return files_run(run, -1, SMALL_BYTES, err);
}

int import_large_run(struct job_run *run, struct err *err)
{
    return files_run(run, SMALL_BYTES, INT64_MAX, err);
}
