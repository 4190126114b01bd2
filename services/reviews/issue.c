/* issue.c: signing commits first and issues afterwards, so the issuing may get lost. reviews.issuance, written
 * with the signature, remembers it; the job repeats it until the actions service has all, and notes that. */
#include "issue.h"

#include <string.h>

#include <isms/actions/v1/actions.pb-c.h>
#include <isms/obs/log.h>
#include <isms/proto/descriptors.h>

enum {
    ISSUE_MAX = 500,  /* of one IssueActions call */
    PENDING_MAX = 100 /* a page: ListIssuances.sql's limit */
};

/* The actions of one call. */
struct chunk {
    const Isms__Reviews__V1__Review *review;
    struct uuid review_id;
    Isms__Actions__V1__ProposedAction *actions;
    Isms__Actions__V1__ProposedAction **pointers;
    size_t count;
    unsigned numbered; /* actions of the review so far */
    unsigned sent;     /* calls made */
};

static char *derived_id(struct call *call, const struct chunk *chunk, const char *name)
{
    char *text = arena_alloc(call_arena(call), UUID_TEXT_SIZE);
    if (text && name)
        uuid_format(uuid_v5(chunk->review_id, name, strlen(name)), text);
    return name ? text : NULL;
}

static int chunk_send(struct call *call, struct chunk *chunk, struct err *err)
{
    Isms__Actions__V1__IssueActionsRequest issue = ISMS__ACTIONS__V1__ISSUE_ACTIONS_REQUEST__INIT;
    Isms__Actions__V1__IssueActionsResponse issued = ISMS__ACTIONS__V1__ISSUE_ACTIONS_RESPONSE__INIT;
    if (chunk->count == 0)
        return 0;
    issue.review_id = chunk->review->id;
    issue.actions = chunk->pointers;
    issue.n_actions = chunk->count;
    issue.request_id = derived_id(call, chunk, arena_printf(call_arena(call), "issue %u", ++chunk->sent));
    if (!issue.request_id)
        return err_setf(err, ERR_MESSAGE_TOO_LARGE, "The actions need more memory than a call may use.");
    chunk->count = 0;
    return call_peer(call, PEER_ACTIONS, "/isms.actions.v1.ActionService/IssueActions", &issue.base,
                     &issued.base, err);
}

/* `place` counts from 1 within the decision. */
static int action_add(struct call *call, struct chunk *chunk, const Isms__Reviews__V1__Decision *decision,
                      size_t place, struct err *err)
{
    const Isms__Reviews__V1__DecisionAction *proposed = decision->actions[place - 1];
    Isms__Actions__V1__ProposedAction *action = &chunk->actions[chunk->count];
    isms__actions__v1__proposed_action__init(action);
    action->id = derived_id(call, chunk, arena_printf(call_arena(call), "%s/%zu", decision->id, place));
    action->number = arena_printf(call_arena(call), "%s-A%02u", chunk->review->number, ++chunk->numbered);
    if (!action->id || !action->number)
        return err_setf(err, ERR_MESSAGE_TOO_LARGE, "The actions need more memory than a call may use.");
    action->decision_id = decision->id;
    action->title = proposed->title;
    action->description = proposed->description;
    action->owner_id = proposed->owner_id;
    action->due_date = proposed->due_date;
    action->priority = (Isms__Actions__V1__Priority)proposed->priority; /* the same numbers */
    chunk->pointers[chunk->count++] = action;
    return chunk->count == ISSUE_MAX ? chunk_send(call, chunk, err) : 0;
}

int review_issue(struct call *call, const Isms__Reviews__V1__Review *review,
                 Isms__Reviews__V1__Decision *const *decisions, size_t decision_count, struct err *err)
{
    struct chunk chunk = {
        .review = review,
        .actions = ARENA_ARRAY(call_arena(call), ISSUE_MAX, Isms__Actions__V1__ProposedAction),
        .pointers = ARENA_ARRAY(call_arena(call), ISSUE_MAX, Isms__Actions__V1__ProposedAction *),
    };
    if (!chunk.actions || !chunk.pointers || !uuid_parse(review->id, &chunk.review_id))
        return err_set(err, ERR_INTERNAL);
    for (size_t i = 0; i < decision_count; i++)
        for (size_t place = 1; !decisions[i]->withdrawn && place <= decisions[i]->n_actions; place++)
            if (action_add(call, &chunk, decisions[i], place, err) < 0)
                return -1;
    return chunk_send(call, &chunk, err);
}

/* --- the job -------------------------------------------------------------------------------------------- */

struct issuance {
    struct uuid tenant;
    struct uuid review;
};

struct pending {
    struct issuance items[PENDING_MAX];
    size_t count;
};

/* An rpc_job_run across tenants: the page of what is pending, anywhere, after the page it is given. */
static int pending_list(struct call *call, void *context, struct err *err)
{
    struct pending *pending = context;
    Isms__Reviews__V1__ListIssuancesRequest list = ISMS__REVIEWS__V1__LIST_ISSUANCES_REQUEST__INIT;
    Isms__Reviews__V1__ListIssuancesResponse found = ISMS__REVIEWS__V1__LIST_ISSUANCES_RESPONSE__INIT;
    const struct issuance *last = pending->count > 0 ? &pending->items[pending->count - 1] : NULL;
    char after_tenant[UUID_TEXT_SIZE];
    char after_review[UUID_TEXT_SIZE];
    uuid_format(last ? last->tenant : (struct uuid){0}, after_tenant);
    uuid_format(last ? last->review : (struct uuid){0}, after_review);
    list.after_tenant_id = after_tenant;
    list.after_review_id = after_review;
    if (call_begin_read(call, err) < 0 ||
        call_statement(call, "ListIssuances", &list.base, &found.base, err) < 0)
        return -1;
    pending->count = 0;
    for (size_t i = 0; i < found.n_issuances && pending->count < PENDING_MAX; i++) {
        struct issuance *item = &pending->items[pending->count];
        if (!uuid_parse(found.issuances[i]->tenant_id, &item->tenant) ||
            !uuid_parse(found.issuances[i]->review_id, &item->review))
            return err_set(err, ERR_INTERNAL);
        pending->count++;
    }
    return 0;
}

/* An rpc_job_run for one tenant. */
static int issuance_finish(struct call *call, void *context, struct err *err)
{
    const struct issuance *item = context;
    struct review_facts facts;
    Isms__Reviews__V1__GetReviewRequest finish = ISMS__REVIEWS__V1__GET_REVIEW_REQUEST__INIT;
    Isms__Reviews__V1__Issuance finished = ISMS__REVIEWS__V1__ISSUANCE__INIT;
    char review_id[UUID_TEXT_SIZE];
    uuid_format(item->review, review_id);
    finish.id = review_id;
    if (call_begin_read(call, err) < 0 || review_facts_read(call, review_id, &facts, err) < 0)
        return -1;
    call_end(call);
    if (review_issue(call, &facts.review, facts.decisions.decisions, facts.decisions.n_decisions, err) < 0 ||
        call_begin_write(call, err) < 0)
        return -1;
    return call_statement(call, "FinishIssuance", &finish.base, &finished.base, err);
}

/* Tries all of one page. `first` keeps the first failure of the run. */
static void page_issue(struct job_run *run, struct pending *pending, struct err *first)
{
    for (size_t i = 0; i < pending->count && !job_is_stopping(run); i++) {
        struct issuance *item = &pending->items[i];
        struct err failure;
        if (job_for_tenant(run, item->tenant, issuance_finish, item, &failure) == 0)
            continue;
        char review_id[UUID_TEXT_SIZE];
        uuid_format(item->review, review_id);
        LOG(WARNING, "the actions of a signed review could not be issued yet", LOG_STR("review_id", review_id),
            LOG_STR("reason", err_reason_name(failure.reason)));
        if (first->reason == ERR_OK)
            *first = failure;
    }
}

/* One organisation's trouble is not the others': all that is pending has its turn, page by page, before the
 * first failure is reported. A page begins after the last one of the page before, done or not: so the run ends. */
int issue_run(struct job_run *run, struct err *err)
{
    struct pending pending = {0};
    struct err first = {0};
    do {
        if (job_across_tenants(run, pending_list, &pending, err) < 0)
            return -1;
        page_issue(run, &pending, &first);
    } while (pending.count == PENDING_MAX && !job_is_stopping(run));
    if (first.reason == ERR_OK)
        return 0;
    *err = first;
    return -1;
}
