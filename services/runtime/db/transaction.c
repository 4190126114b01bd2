/* transaction.c: one explicit transaction over several round trips, for the lane that serves one call at a
 * time.
 *
 * BEGIN is held back and travels in the first query's segment, which also means that a transaction whose
 * first queries hit a stale statement can be repeated here unseen; later ones cannot, since what the handler
 * concluded from earlier answers may no longer hold. Only here is anything ever cancelled, by hanging up. */
#include <isms/base/bug.h>

#include "internal.h"

int db_begin(struct db_connection *connection, const char *isolation, bool read_only, struct err *err)
{
    BUG_IF(connection->in_transaction);
    if (db_connection_ensure(connection, err))
        return -1;
    int length = snprintf(connection->begin, sizeof(connection->begin), "begin isolation level %s %s",
                          isolation,
                          read_only ? "read only" : "read write");
    BUG_IF(length >= (int)sizeof(connection->begin));
    connection->in_transaction = true;
    connection->begin_pending = true;
    connection->stale = false;
    connection->failure = (struct db_failure){0};
    return 0;
}

void db_connection_watch(struct db_connection *connection, int wake_fd, bool (*is_cancelled)(void *context),
                         void *context)
{
    connection->wake_fd = wake_fd;
    connection->is_cancelled = is_cancelled;
    connection->context = context;
}

/* Runs the queries as one segment, after BEGIN where that is due. Returns whether the watch cancelled it. */
static bool queries_run(struct db_connection *connection, struct db_segment *segment)
{
    struct run run = {
        .wait.watched = true,
        .prefix = connection->begin_pending ? connection->begin : NULL,
        .segments = segment,
        .count = 1,
    };
    bool first = connection->begin_pending || !connection->in_transaction;
    bool alive = run_segments(connection, &run);
    if (alive && first && segment->state == DB_SEGMENT_FAILED && failure_is_stale(&segment->failure)) {
        alive = !connection->begin_pending || run_sql(connection, "rollback").state == DB_SEGMENT_DONE;
        if (alive && segment_prepare_again(connection, segment))
            run_segments(connection, &run);
    }
    connection->begin_pending = false;
    return run.wait.cancelled;
}

/* What a finished segment means to the caller: `commits` if a lost answer leaves the outcome open. */
static int segment_judge(const struct db_connection *connection, const struct db_segment *segment,
                         bool cancelled, bool commits, struct err *err)
{
    switch (segment->state) {
    case DB_SEGMENT_DONE: return 0;
    case DB_SEGMENT_FAILED: return db_failure_to_err(&segment->failure, err);
    case DB_SEGMENT_UNKNOWN:
        if (commits)
            return err_set(err, ERR_OUTCOME_UNKNOWN);
        break;
    case DB_SEGMENT_LOST: break;
    }
    return cancelled ? err_set(err, ERR_CANCELLED) : connection_unavailable(connection, err);
}

int db_query(struct db_connection *connection, struct db_query *queries, unsigned count,
             struct db_failure *ret_failure, struct err *err)
{
    struct db_segment segment = {.queries = queries, .query_count = count, .state = DB_SEGMENT_LOST};
    bool cancelled = false;
    if (ret_failure)
        *ret_failure = segment.failure;
    if (!connection->in_transaction && db_connection_ensure(connection, err))
        return -1;
    if (connection->pq)
        cancelled = queries_run(connection, &segment);
    if (ret_failure)
        *ret_failure = segment.failure;
    if (connection->in_transaction && segment.state == DB_SEGMENT_FAILED && !connection->failure.sqlstate[0]) {
        connection->failure = segment.failure;
        connection->stale = failure_is_stale(&segment.failure);
    }
    return segment_judge(connection, &segment, cancelled, !connection->in_transaction, err);
}

static void transaction_end(struct db_connection *connection)
{
    connection->in_transaction = false;
    connection->begin_pending = false;
}

int db_commit(struct db_connection *connection, struct db_failure *ret_failure, struct err *err)
{
    BUG_IF(!connection->in_transaction);
    struct db_failure failure = connection->failure;
    if (ret_failure)
        *ret_failure = failure;
    if (failure.sqlstate[0]) {
        db_rollback(connection);
        return db_failure_to_err(&failure, err);
    }
    if (!connection->pq || connection->begin_pending) {
        transaction_end(connection);
        return connection->pq ? 0 : connection_unavailable(connection, err);
    }
    struct db_statement statement = {.sql = "commit"};
    struct db_query query = {.statement = &statement};
    struct db_segment segment = {.queries = &query, .query_count = 1};
    bool cancelled = queries_run(connection, &segment);
    transaction_end(connection);
    if (ret_failure)
        *ret_failure = segment.failure;
    /* A transaction that failed unnoticed answers COMMIT with ROLLBACK, and no error. */
    if (segment.state == DB_SEGMENT_DONE && strcmp(PQcmdStatus((PGresult *)query.result), "COMMIT") != 0)
        return err_set(err, ERR_INTERNAL);
    return segment_judge(connection, &segment, cancelled, true, err);
}

void db_rollback(struct db_connection *connection)
{
    bool begun = connection->in_transaction && !connection->begin_pending;
    transaction_end(connection);
    if (!begun || !connection->pq)
        return;
    if (run_sql(connection, "rollback").state != DB_SEGMENT_DONE)
        db_connection_drop(connection);
    else if (connection->stale)
        connection->stale = !statements_prepare_again(connection, connection->options.statements,
                                                      connection->options.statement_count);
}
