/* execute.c: calls that are one SQL file, in as few round trips as can be.
 *
 * Each call becomes a segment, an implicit transaction of its own, and all segments of a batch go out together.
 * What comes back settles most calls. The rest goes round again, each for a reason that can hold only once: the
 * remembered credential was stale, the connection broke, or the request was done before and its answer has to
 * be read. A change whose commit is uncertain is settled by its request_id: begin_write() finds the claim,
 * or it was not committed. */
#include "internal.h"

#include <string.h>

#include <isms/base/bug.h>
#include <isms/proto/message.h>
#include <isms/proto/validate.h>

enum { LOCK_TIMEOUT_FIRST_MS = 100, LOCK_TIMEOUT_NEXT_MS = 25 };

enum { QUERY_BEGIN, QUERY_STATEMENT, QUERY_END, QUERY_COUNT };

int64_t call_answer_by(const struct call *call)
{
    return call->deadline_us + DATABASE_MARGIN_US;
}

struct work {
    struct call *call;
    const struct rpc_method *rpc;
    bool write;
    struct binding_call binding;
    struct db_query queries[QUERY_COUNT];
    bool replaying;     /* reads what a repeated request was answered */
    bool repeated;      /* after the connection broke */
    bool unsettled;     /* the first try may have been committed */
    bool stale;         /* to be authenticated again before it goes round */
    bool authenticated_again;
};

static int call_read_request(struct call *call, struct err *err)
{
    const struct method *method = call->served->method;
    struct slice bytes;
    if (body_read(call->body, call->server->options.message_max, &call->arena, &bytes, err) < 0 ||
        message_unpack(method->request->descriptor, bytes.data, bytes.length, &call->arena, &call->request,
                       err) < 0 ||
        message_validate(method->request, call->request, err) < 0)
        return -1;
    if (method->request_id) {
        const char *field = (const char *)call->request + method->request_id->descriptor->offset;
        memcpy(&call->request_id, field, sizeof(call->request_id));
        return message_hash(method->request, call->request, &call->arena, &call->request_hash, err);
    }
    return 0;
}

int methods_check(const struct call *call, struct err *err)
{
    if (rpc_methods_are_ready(call->context->methods))
        return db_health_check(call->context->database, err);
    err_set(err, ERR_DATABASE_UNAVAILABLE);
    err->retry_after_ms = 1000;
    return -1;
}

int call_prepare(struct call *call, struct err *err)
{
    if (call_is_over(call))
        return call_over_err(call, err);
    if (methods_check(call, err) < 0)
        return -1;
    return call->request ? 0 : call_read_request(call, err);
}

static int work_prepare(struct work *work, struct call *call, struct err *err)
{
    *work = (struct work){.call = call, .rpc = call->served->rpc};
    if (call_prepare(call, err) < 0)
        return -1;
    work->write = work->rpc->method->rules->write;
    work->binding = binding_call_of(call);
    return binding_select(work->rpc->binding, call->request, &work->binding, &call->arena, err);
}

/* The segment of the next round. */
static int work_encode(struct work *work, struct db_segment *ret_segment, struct err *err)
{
    struct call *call = work->call;
    const struct binding *binding = work->rpc->binding;
    bool write = work->write && !work->replaying;
    struct db_query *statement = &work->queries[QUERY_STATEMENT];
    memset(work->queries, 0, sizeof(work->queries));
    statement->statement = work->replaying ? binding_replay(binding, &work->binding)
                                           : binding_statement(binding, &work->binding);
    if (!statement->statement) /* repeated, and its answer has no content */
        statement->statement = &context_statements[STATEMENT_CONFIRM];
    else if (binding_encode(binding, work->replaying, call->request, &work->binding, &call->arena,
                            (struct db_value **)(uintptr_t)&statement->values, &statement->value_count, err) < 0)
        return -1;
    struct db_query *begin = &work->queries[QUERY_BEGIN];
    begin->statement = &context_statements[write ? STATEMENT_BEGIN_WRITE : STATEMENT_BEGIN_READ];
    begin->values = begin_values(call, write);
    begin->value_count = write ? BEGIN_WRITE_VALUES : BEGIN_READ_VALUES;
    if (!begin->values)
        return err_setf(err, ERR_MESSAGE_TOO_LARGE, "The request needs more memory than a call may use.");
    static const struct db_value null_answer;
    work->queries[QUERY_END] = work->replaying
                                   ? (struct db_query){.statement = &context_statements[STATEMENT_CONFIRM]}
                                   : (struct db_query){.statement = &context_statements[STATEMENT_END_WRITE],
                                                       .values = &null_answer, .value_count = 1};
    *ret_segment =
        (struct db_segment){.queries = work->queries, .query_count = work->write ? QUERY_COUNT : QUERY_END};
    return 0;
}

static bool work_fail(struct work *work, const struct err *err)
{
    call_fail(work->call, err);
    return false;
}

static bool work_answer(struct work *work)
{
    struct err err;
    ProtobufCMessage *response;
    if (work->queries[QUERY_STATEMENT].statement == &context_statements[STATEMENT_CONFIRM]) {
        err_set(&err, ERR_MESSAGE_TOO_LARGE);
        response = message_new(work->rpc->method->response->descriptor, &work->call->arena);
        if (!response)
            return work_fail(work, &err);
    } else if (binding_decode(work->rpc->binding, work->replaying, work->call->request, &work->binding,
                       work->queries[QUERY_STATEMENT].result, &work->call->arena, &response, &err) < 0)
        return work_fail(work, &err);
    call_answer(work->call, response);
    return false;
}

/* The request was done before: its answer is read. */
static bool work_replay(struct work *work, const struct db_failure *failure)
{
    work->replaying = true;
    work->binding.replay_sequence = failure_sequence(failure);
    return true;
}

static bool work_broken(struct work *work, bool uncertain, const struct err *cause)
{
    struct err err = *cause;
    bool over = call_is_over(work->call);
    work->unsettled = work->unsettled || (work->write && uncertain);
    if (!work->repeated && !over && (!work->unsettled || work->call->request_id[0])) {
        work->repeated = true;
        return true;
    }
    if (work->unsettled)
        err_set(&err, ERR_OUTCOME_UNKNOWN);
    else if (over)
        err_set(&err, ERR_DEADLINE_EXCEEDED);
    return work_fail(work, &err);
}

/* The server ended the connection before this segment could commit, or has become one that only reads: as good as
 * lost. */
static bool is_disconnect(const struct db_failure *failure)
{
    return strncmp(failure->sqlstate, "57P", 3) == 0 || strcmp(failure->sqlstate, "25006") == 0;
}

/* Somebody else holds the sequence: the call goes on where it can wait alone. */
static bool work_hand_over(const struct work *work, const struct db_failure *failure)
{
    struct call *call = work->call;
    if (strcmp(failure->sqlstate, "55P03") != 0 || call->ticket.lane != RPC_WRITE || work->unsettled ||
        !call_hold_up(call))
        return false;
    admission_held_up(&call->ticket);
    lane_push(call);
    return true;
}

static bool work_failed(struct work *work, const struct db_failure *failure)
{
    struct err err = {0};
    if (failure_is(failure, "CREDENTIAL_STALE")) {
        authenticator_forget(work->call->context->authenticator, &work->call->principal->credential);
        work->stale = !work->authenticated_again;
        err_set(&err, ERR_CREDENTIAL_INVALID);
        return work->stale || work_fail(work, &err);
    }
    if (failure_is(failure, "REPLAY") && !work->replaying)
        return work_replay(work, failure);
    if (work_hand_over(work, failure))
        return false;
    if (is_disconnect(failure)) {
        db_failure_to_err(failure, &err);
        return work_broken(work, false, &err);
    }
    if (failure_is(failure, "UNCHANGED") && work->queries[QUERY_STATEMENT].result)
        return work_answer(work); /* its outcome, or a row that says that all is as asked already */
    if (work->unsettled && !work->queries[QUERY_BEGIN].result)
        err_set(&err, ERR_OUTCOME_UNKNOWN); /* the claim could not be asked for */
    else
        db_failure_to_err(failure, &err);
    failure_log(work->call, failure, &err);
    return work_fail(work, &err);
}

/* true: the call goes round once more. */
static bool work_settle(struct work *work, const struct db_segment *segment, const struct err *cause)
{
    switch (segment->state) {
    case DB_SEGMENT_DONE: return work_answer(work);
    case DB_SEGMENT_FAILED: return work_failed(work, &segment->failure);
    case DB_SEGMENT_LOST: return work_broken(work, false, cause);
    case DB_SEGMENT_UNKNOWN: return work_broken(work, true, cause);
    }
    BUG_IF(true);
    return false;
}

/* How long a write may keep its neighbours waiting for its organisation's sequence. The next of the same organisation
 * would wait for the same, and is given little more. */
static int lock_timeout_of(const struct work *works, unsigned before, const struct call *call)
{
    if (call->ticket.lane != RPC_WRITE)
        return LOCK_TIMEOUT_MS;
    for (unsigned i = 0; i < before; i++)
        if (uuid_equals(works[i].call->principal->tenant, call->principal->tenant))
            return LOCK_TIMEOUT_NEXT_MS;
    return LOCK_TIMEOUT_FIRST_MS;
}

/* Makes ready what goes round; answers how many are left. */
static unsigned round_prepare(struct work *works, unsigned count, struct db_connection *connection,
                              struct db_segment *segments)
{
    unsigned left = 0;
    for (unsigned i = 0; i < count; i++) {
        struct work *work = &works[left];
        struct err err = {0};
        if (left != i)
            *work = works[i];
        if (work->stale) {
            work->stale = false;
            work->authenticated_again = true;
            if (call_authorize(work->call, connection, &err) < 0) {
                call_fail(work->call, &err);
                continue;
            }
        }
        work->call->lock_timeout_ms = lock_timeout_of(works, left, work->call);
        if (work_encode(work, &segments[left], &err) < 0)
            call_fail(work->call, &err);
        else
            left++;
    }
    return left;
}

void calls_execute(struct call *const *calls, unsigned call_count, struct db_connection *connection)
{
    struct work works[RPC_BATCH_MAX];
    struct db_segment segments[RPC_BATCH_MAX];
    unsigned count = 0;
    int64_t until_us = 0;
    BUG_IF(call_count > RPC_BATCH_MAX);
    for (unsigned i = 0; i < call_count; i++)
        if (call_answer_by(calls[i]) > until_us)
            until_us = call_answer_by(calls[i]);
    db_connection_deadline(connection, until_us);
    for (unsigned i = 0; i < call_count; i++) {
        struct err err = {0};
        if (work_prepare(&works[count], calls[i], &err) < 0)
            call_fail(calls[i], &err);
        else
            count++;
    }
    while ((count = round_prepare(works, count, connection, segments)) > 0) {
        struct err cause = {0};
        if (db_pipeline(connection, segments, count, &cause) == 0)
            err_set(&cause, ERR_DATABASE_UNAVAILABLE); /* not looked at: no segment is broken */
        unsigned left = 0;
        for (unsigned i = 0; i < count; i++)
            if (work_settle(&works[i], &segments[i], &cause)) {
                if (left != i)
                    works[left] = works[i];
                left++;
            }
        db_results_clear(connection);
        count = left;
    }
    db_connection_deadline(connection, 0);
}
