/* handler.c: C handlers and jobs, and the transactions they open.
 *
 * A handler's transaction is explicit, since it may take several round trips; the connection is its own
 * while it runs, so a statement is cancelled at the server when the caller goes. What has to hold when a
 * handler returns, is done here and not left to it: ending the transaction, storing the answer, deciding on
 * a repeat. */
#include "internal.h"

#include <stdio.h>
#include <string.h>

#include <isms/base/bell.h>
#include <isms/base/clock.h>
#include <isms/proto/message.h>
#include <isms/rpc/job_call.h>

static bool watched_is_over(void *context)
{
    return call_is_over(context);
}

/* --- transactions --------------------------------------------------------------------------------------- */

static void transaction_drop(struct call *call)
{
    if (!call->connection)
        return; /* a stream's, between its transactions */
    db_connection_watch(call->connection, -1, NULL, NULL);
    if (call->transaction != TRANSACTION_NONE)
        db_rollback(call->connection);
    call->transaction = TRANSACTION_NONE;
    if (call->stream)
        stream_connection_give(call);
}

/* One statement; its result is valid until the next. */
static int query_run(struct call *call, struct db_query *query, struct db_failure *ret_failure, struct err *err)
{
    *ret_failure = (struct db_failure){0};
    db_results_clear(call->connection);
    return db_query(call->connection, query, 1, ret_failure, err);
}

static int query_failed(const struct call *call, const struct db_failure *failure, const struct err *err)
{
    failure_log(call, failure, err);
    return -1;
}

static int transaction_open(struct call *call, const char *isolation, enum transaction kind,
                            struct db_failure *ret_failure, struct err *err)
{
    bool write = kind == TRANSACTION_WRITE;
    *ret_failure = (struct db_failure){0};
    if (call->transaction != TRANSACTION_NONE) {
        LOG(ERROR, "a handler began a transaction inside another");
        return err_set(err, ERR_INTERNAL);
    }
    if (call_is_over(call))
        return call_over_err(call, err);
    if (call->stream && stream_connection_take(call, err) < 0)
        return -1;
    if (db_begin(call->connection, isolation, kind == TRANSACTION_READ, err) < 0) {
        transaction_drop(call);
        return -1;
    }
    db_connection_watch(call->connection, call->wake_fd, watched_is_over, call);
    call->transaction = kind;
    if (call->across_tenants)
        return 0;
    struct db_query query = {
        .statement = &context_statements[write ? STATEMENT_BEGIN_WRITE : STATEMENT_BEGIN_READ],
        .values = begin_values(call, write),
        .value_count = write ? BEGIN_WRITE_VALUES : BEGIN_READ_VALUES,
    };
    if (!query.values)
        err_setf(err, ERR_MESSAGE_TOO_LARGE, "The request needs more memory than a call may use.");
    else if (query_run(call, &query, ret_failure, err) == 0)
        return 0;
    else if (failure_is(ret_failure, "CREDENTIAL_STALE"))
        call->credential_stale = true;
    transaction_drop(call);
    return -1;
}

/* A stream cannot be run again: who its caller is now is found out here, before each of its transactions. */
static int stream_refresh(struct call *call, struct err *err)
{
    if (clock_now_us() >= call->principal->expire_time_us)
        return err_set(err, ERR_CREDENTIAL_EXPIRED);
    call->now_us = clock_now_us();
    if (!call->credential_stale)
        return 0;
    call->credential_stale = false;
    authenticator_forget(call->context->authenticator, &call->principal->credential);
    if (stream_connection_take(call, err) < 0)
        return -1;
    int result = call_authorize(call, call->connection, err);
    stream_connection_give(call);
    return result;
}

static int transaction_begin(struct call *call, const char *isolation, enum transaction kind,
                             struct db_failure *ret_failure, struct err *err)
{
    *ret_failure = (struct db_failure){0};
    if (!call->stream)
        return transaction_open(call, isolation, kind, ret_failure, err);
    if (stream_refresh(call, err) < 0)
        return -1;
    if (transaction_open(call, isolation, kind, ret_failure, err) == 0)
        return 0;
    if (!call->credential_stale)
        return -1;
    *ret_failure = (struct db_failure){0};
    if (stream_refresh(call, err) < 0)
        return -1;
    if (transaction_open(call, isolation, kind, ret_failure, err) == 0)
        return 0;
    if (call->credential_stale) /* between the look-up and the transaction */
        err_set(err, ERR_CREDENTIAL_INVALID);
    return -1;
}

static int read_open(struct call *call, const char *isolation, struct err *err)
{
    struct db_failure failure;
    int result = transaction_begin(call, isolation, TRANSACTION_READ, &failure, err);
    return result == 0 ? 0 : query_failed(call, &failure, err);
}

int call_begin_read(struct call *call, struct err *err)
{
    return read_open(call, "read committed", err);
}

int call_begin_snapshot(struct call *call, struct err *err)
{
    return read_open(call, "repeatable read", err);
}

/* A commit is never cancelled: while it waits for a standby, PostgreSQL would report success all the same. */
static int commit_run(struct call *call, struct err *err)
{
    struct db_failure failure;
    db_connection_watch(call->connection, -1, NULL, NULL);
    call->transaction = TRANSACTION_NONE;
    int result = db_commit(call->connection, &failure, err);
    if (call->stream)
        stream_connection_give(call);
    return result == 0 ? 0 : query_failed(call, &failure, err);
}

/* The request was done before: what it was answered is in core.request. */
static int replay_read(struct call *call, struct err *err)
{
    struct db_failure failure;
    if (transaction_open(call, "read committed", TRANSACTION_APPEND, &failure, err) < 0)
        return query_failed(call, &failure, err);
    struct db_value values[] = {
        {.data = (const char *)call->principal->tenant.bytes, .length = sizeof(struct uuid), .format = 1},
        {.data = call->principal->service},
        {.data = call->request_id},
    };
    struct db_query query = {.statement = &context_statements[STATEMENT_ANSWER],
                             .values = values,
                             .value_count = ARRAY_SIZE(values)};
    if (query_run(call, &query, &failure, err) < 0)
        return query_failed(call, &failure, err);
    if (db_result_rows(query.result) == 1 && !db_result_is_null(query.result, 0, 0)) {
        size_t length;
        const char *data = db_result_data(query.result, 0, 0, &length);
        call->replay = (struct slice){.data = arena_memdup(&call->arena, data, length), .length = length};
    }
    query = (struct db_query){.statement = &context_statements[STATEMENT_CONFIRM]};
    if (query_run(call, &query, &failure, err) < 0)
        return query_failed(call, &failure, err);
    if (commit_run(call, err) < 0)
        return -1;
    call->replayed = call->replay.data != NULL;
    if (call->replayed)
        return 0;
    return err_set(err, arena_exhausted(&call->arena) ? ERR_MESSAGE_TOO_LARGE : ERR_INTERNAL);
}

int call_begin_write(struct call *call, struct err *err)
{
    struct db_failure failure;
    if (call->across_tenants) {
        LOG(ERROR, "a job tried to write without a tenant");
        return err_set(err, ERR_INTERNAL);
    }
    if (transaction_begin(call, "read committed", TRANSACTION_WRITE, &failure, err) == 0) {
        call->claimed = true;
        return 0;
    }
    if (failure_is(&failure, "REPLAY")) {
        if (replay_read(call, err) == 0)
            err_set(err, ERR_ALREADY_EXISTS); /* so that the handler stops; the caller gets the stored answer */
        return -1;
    }
    return query_failed(call, &failure, err);
}

int call_begin_append(struct call *call, struct err *err)
{
    struct db_failure failure;
    if (!call->job || call->across_tenants) {
        LOG(ERROR, "appending is for jobs on one tenant");
        return err_set(err, ERR_INTERNAL);
    }
    int result = transaction_open(call, "read committed", TRANSACTION_APPEND, &failure, err);
    return result == 0 ? 0 : query_failed(call, &failure, err);
}

void call_end(struct call *call)
{
    if (call->transaction == TRANSACTION_READ)
        transaction_drop(call);
}

/* end_write() and commit. A transaction that wrote nothing is taken back, which is as good. */
static int transaction_commit(struct call *call, const ProtobufCMessage *response, struct err *err)
{
    struct db_failure failure;
    struct db_value answer = {0};
    if (response) {
        struct slice bytes;
        if (message_pack(response, &call->arena, &bytes, err) < 0) {
            transaction_drop(call);
            return -1;
        }
        answer.data = bytes.data ? bytes.data : "";
        answer.length = (int)bytes.length;
        answer.format = 1;
    }
    struct db_query query = {
        .statement = &context_statements[STATEMENT_END_WRITE], .values = &answer, .value_count = 1};
    if (query_run(call, &query, &failure, err) < 0) {
        bool unchanged = failure_is(&failure, "UNCHANGED");
        if (!unchanged)
            query_failed(call, &failure, err);
        transaction_drop(call);
        return unchanged ? 0 : -1;
    }
    return commit_run(call, err);
}

int call_commit(struct call *call, const ProtobufCMessage *response, struct err *err)
{
    if (call->transaction == TRANSACTION_APPEND)
        return commit_run(call, err);
    return call->transaction == TRANSACTION_WRITE ? transaction_commit(call, response, err) : 0;
}

int transaction_finish(struct call *call, const ProtobufCMessage *response, int result, struct err *err)
{
    if (result == 0)
        result = call_commit(call, response, err);
    transaction_drop(call);
    if (call->connection)
        db_results_clear(call->connection);
    return result;
}

/* --- statements ----------------------------------------------------------------------------------------- */

static const struct binding *statement_find(const struct call *call, const char *name,
                                            const ProtobufCMessage *request, const ProtobufCMessage *response)
{
    const struct binding *binding = rpc_methods_binding(call->context->methods, name);
    const char *problem = NULL;
    if (!binding)
        problem = "there is no such file";
    else if (binding_request(binding)->descriptor != request->descriptor)
        problem = "the request is of another type";
    else if (binding_response(binding)->descriptor != response->descriptor)
        problem = "the response is of another type";
    else if (call->transaction == TRANSACTION_NONE)
        problem = "no transaction is open";
    if (!problem)
        return binding;
    LOG(ERROR, "a handler misused a statement", LOG_STR("statement", name), LOG_STR("problem", problem));
    return NULL;
}

int call_statement(struct call *call, const char *name, const ProtobufCMessage *request,
                   ProtobufCMessage *response, struct err *err)
{
    const struct binding *binding = statement_find(call, name, request, response);
    if (!binding)
        return err_set(err, ERR_INTERNAL);
    if (call_is_over(call))
        return call_over_err(call, err);
    struct binding_call binding_call = binding_call_of(call);
    struct db_value *values;
    struct db_query query = {0};
    struct db_failure failure;
    if (binding_select(binding, request, &binding_call, &call->arena, err) < 0 ||
        binding_encode(binding, false, request, &binding_call, &call->arena, &values, &query.value_count,
                       err) < 0)
        return -1;
    query.statement = binding_statement(binding, &binding_call);
    query.values = values;
    if (query_run(call, &query, &failure, err) < 0)
        return query_failed(call, &failure, err);
    ProtobufCMessage *decoded;
    if (binding_decode(binding, false, request, &binding_call, query.result, &call->arena, &decoded, err) < 0)
        return -1;
    memcpy(response, decoded, response->descriptor->sizeof_message);
    return 0;
}

void call_wake_jobs(const struct call *call)
{
    if (call->context->jobs_bell)
        bell_ring(call->context->jobs_bell);
}

/* --- running -------------------------------------------------------------------------------------------- */

/* What a handler may be run a second time for; each holds once. */
struct retries {
    bool authenticated; /* the remembered credential was stale */
    bool reconnected;   /* the connection broke */
    bool unsettled;     /* and did so while a commit was under way */
};

/* Whether a failed try is worth another, and makes it ready. */
static bool try_again(struct call *call, struct retries *retries, struct err *err)
{
    if (call->replayed)
        return false;
    if (call->credential_stale) {
        authenticator_forget(call->context->authenticator, &call->principal->credential);
        err_set(err, ERR_CREDENTIAL_INVALID);
        bool again = !retries->authenticated;
        retries->authenticated = true;
        return again && call_authorize(call, call->connection, err) == 0;
    }
    bool unknown = err->reason == ERR_OUTCOME_UNKNOWN;
    if (retries->reconnected || (!unknown && err->reason != ERR_DATABASE_UNAVAILABLE))
        return false;
    retries->reconnected = true;
    retries->unsettled = unknown;
    return !unknown || call->request_id[0]; /* the claim tells whether it was committed */
}

/* -1 with err, 0 with the response, or with call->replayed. */
static int handler_run(struct call *call, ProtobufCMessage **ret_response, struct err *err)
{
    const struct rpc_method *rpc = call->served->rpc;
    struct retries retries = {0};
    int result;
    do {
        call->credential_stale = false;
        call->claimed = false;
        *err = (struct err){0};
        *ret_response = message_new(rpc->method->response->descriptor, &call->arena);
        result = *ret_response ? rpc->run(call, call->request, *ret_response, err)
                               : err_set(err, ERR_MESSAGE_TOO_LARGE);
        result = transaction_finish(call, *ret_response, result, err);
    } while (result < 0 && try_again(call, &retries, err));
    if (result < 0 && retries.unsettled && !call->claimed && !call->replayed)
        err_set(err, ERR_OUTCOME_UNKNOWN); /* the claim could not be asked for */
    return result;
}

void handler_execute(struct call *call, struct db_connection *connection)
{
    struct err err = {0};
    ProtobufCMessage *response = NULL;
    call->connection = connection;
    db_connection_deadline(connection, call_answer_by(call));
    int result = call_prepare(call, &err);
    if (result == 0)
        result = handler_run(call, &response, &err);
    db_connection_deadline(connection, 0);
    call->connection = NULL;
    if (result < 0 && err.reason == ERR_CANCELLED && call_is_over(call))
        call_over_err(call, &err); /* a cancelled statement does not know why */
    if (call->replayed)
        call_answer_bytes(call, call->replay);
    else if (result == 0)
        call_answer(call, response);
    else {
        if (err.reason == ERR_OK)
            err_set(&err, ERR_INTERNAL); /* a handler that failed without saying why */
        call_fail(call, &err);
    }
}

/* --- jobs ----------------------------------------------------------------------------------------------- */

static void call_freep(struct call **call)
{
    call_free(*call);
}

int rpc_job_call(const struct rpc_context *context, const struct rpc_job *job, struct db_connection *connection,
                 struct uuid tenant, rpc_job_run *run, void *run_context, struct err *err)
{
    struct call *call CLEANUP(call_freep) = call_new(context);
    struct principal principal = {
        .kind = uuid_is_nil(job->actor) ? PRINCIPAL_JOB : PRINCIPAL_SERVICE,
        .id = job->actor,
        .tenant = tenant,
        .scope = SCOPE_ALL,
    };
    if (!call)
        return err_set(err, ERR_OVERLOADED);
    snprintf(principal.service, sizeof(principal.service), "%s", context->service);
    call->principal = &principal;
    call->across_tenants = job->across_tenants;
    call->trace = trace_new();
    call->job = job->name;
    call->job_is_stopping = job->is_stopping;
    call->job_context = job->stopping_context;
    call->deadline_us = call->arrived_us + job->timeout_us;
    call->connection = connection;
    db_connection_deadline(connection, call_answer_by(call));
    *err = (struct err){0};
    int result = run(call, run_context, err);
    result = transaction_finish(call, NULL, result, err);
    db_connection_deadline(connection, 0);
    if (result < 0 && err->reason == ERR_OK)
        err_set(err, ERR_INTERNAL);
    return result;
}
