/* pipeline.c: segments out, answers in, and for every segment the truth about what became of it.
 *
 * Sending and reading overlap: a segment is handed to libpq only while all output before it is with the kernel,
 * so at most one segment is buffered here, and answers are read all the while. PQpipelineSync() may send, so
 * from the moment it is called a segment without an answer is UNKNOWN, whatever else is known about the socket;
 * the server commits nothing without a sync, so before that it is LOST. An error in a query's place proves a
 * rollback even if the connection ends there. What had arrived before a connection broke still counts. */
#include <isms/base/bug.h>

#include "internal.h"

static bool query_send(PGconn *pq, const struct db_query *query)
{
    const char *data[DB_VALUES_MAX];
    int lengths[DB_VALUES_MAX];
    int formats[DB_VALUES_MAX];
    BUG_IF(query->value_count < 0 || query->value_count > DB_VALUES_MAX);
    for (int i = 0; i < query->value_count; i++) {
        data[i] = query->values[i].data;
        lengths[i] = query->values[i].length;
        formats[i] = query->values[i].format;
    }
    const struct db_statement *statement = query->statement;
    if (!statement->name)
        return PQsendQueryParams(pq, statement->sql, query->value_count, NULL, data, lengths, formats, 1);
    return PQsendQueryPrepared(pq, statement->name, query->value_count, data, lengths, formats, 1);
}

static bool segment_send(struct run *run)
{
    PGconn *pq = run->wait.connection->pq;
    const struct db_segment *segment = &run->segments[run->sent];
    if (run->sent == 0 && run->prefix && !PQsendQueryParams(pq, run->prefix, 0, NULL, NULL, NULL, NULL, 1))
        return false;
    if (run->send) {
        if (!run->send(run, run->sent))
            return false;
    } else {
        for (unsigned i = 0; i < segment->query_count; i++) {
            if (!query_send(pq, &segment->queries[i]))
                return false;
        }
    }
    run->sent++;
    return PQpipelineSync(pq);
}

static bool segments_send(struct run *run)
{
    while (run->sent < run->count && run->sent - run->answered < DB_PIPELINE_DEPTH
           && PQflush(run->wait.connection->pq) == 0) {
        if (!segment_send(run))
            return false;
    }
    return true;
}

static void segment_finish(struct run *run)
{
    struct db_connection *connection = run->wait.connection;
    struct db_segment *segment = &run->segments[run->answered++];
    if (segment->failure.sqlstate[0])
        segment->state = DB_SEGMENT_FAILED;
    else
        segment->state = connection->unreplicated ? DB_SEGMENT_UNKNOWN : DB_SEGMENT_DONE;
    connection->unreplicated = false;
    run->query = 0;
}

/* false: what libpq reports is its own trouble, not an answer; the connection is broken. */
static bool failure_take(struct run *run, PGresult *result)
{
    struct db_segment *segment = &run->segments[run->answered];
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    bool committing = run->query >= (int)segment->query_count;
    bool proof = sqlstate && sqlstate[0] && (!committing || (severity && strcmp(severity, "ERROR") == 0));
    if (proof && !segment->failure.sqlstate[0])
        failure_read(&segment->failure, result);
    if (proof && strcmp(sqlstate, "25006") == 0)
        run->wait.connection->ending = true; /* it only reads: another server is what is looked for */
    PQclear(result);
    return proof;
}

/* Takes one answer; the sequence is result, NULL for each query, then the sync. false: broken. */
static bool answer_take(struct run *run, PGresult *result)
{
    struct db_segment *segment = &run->segments[run->answered];
    if (!result) {
        run->query++;
        return true;
    }
    switch (PQresultStatus(result)) {
    case PGRES_PIPELINE_SYNC:
        PQclear(result);
        segment_finish(run);
        return true;
    case PGRES_PIPELINE_ABORTED:
        PQclear(result);
        return true;
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        if (run->query < 0 || run->query >= (int)segment->query_count) {
            PQclear(result);
            return true;
        }
        if (!connection_keep(run->wait.connection, result))
            return false;
        segment->queries[run->query].result = (struct db_result *)result;
        return true;
    default:
        return failure_take(run, result);
    }
}

static bool answers_take(struct run *run)
{
    PGconn *pq = run->wait.connection->pq;
    while (run->answered < run->sent && !PQisBusy(pq)) {
        if (!answer_take(run, PQgetResult(pq)))
            return false;
    }
    return true;
}

static void segments_start(struct run *run)
{
    for (unsigned i = 0; i < run->count; i++) {
        struct db_segment *segment = &run->segments[i];
        segment->state = DB_SEGMENT_LOST;
        segment->failure = (struct db_failure){0};
        for (unsigned k = 0; k < segment->query_count; k++)
            segment->queries[k].result = NULL;
    }
}

bool run_segments(struct db_connection *connection, struct run *run)
{
    run->wait.connection = connection;
    run->sent = 0;
    run->answered = 0;
    run->query = run->prefix ? -1 : 0;
    connection->unreplicated = false;
    segments_start(run);
    bool alive = true;
    while (alive && run->answered < run->count) {
        alive = segments_send(run);
        if (!alive)
            break;
        alive = wait_io(&run->wait);
        alive = answers_take(run) && alive; /* also what came before it broke */
    }
    if (run->answered == run->count)
        return true;
    for (unsigned i = run->answered; i < run->count; i++) {
        if (run->segments[i].failure.sqlstate[0])
            run->segments[i].state = DB_SEGMENT_FAILED;
        else if (i < run->sent)
            run->segments[i].state = DB_SEGMENT_UNKNOWN;
    }
    if (!run->wait.cancelled)
        connection_problem(connection, "connection lost",
                           run->wait.gave_up ? "no answer within the time allowed" : PQerrorMessage(connection->pq));
    db_connection_drop(connection);
    return false;
}

struct db_segment run_sql(struct db_connection *connection, const char *sql)
{
    struct db_statement statement = {.sql = sql};
    struct db_query query = {.statement = &statement};
    struct db_segment segment = {.queries = &query, .query_count = 1};
    struct run run = {.segments = &segment, .count = 1};
    run_segments(connection, &run);
    segment.queries = NULL;
    return segment;
}

bool failure_is_stale(const struct db_failure *failure)
{
    return strcmp(failure->sqlstate, "26000") == 0 || strcmp(failure->sqlstate, "0A000") == 0;
}

bool segment_prepare_again(struct db_connection *connection, const struct db_segment *segment)
{
    for (unsigned i = 0; i < segment->query_count; i++) {
        const struct db_statement *statement = segment->queries[i].statement;
        if (statement->name && !statements_prepare_again(connection, statement, 1))
            return false;
    }
    return true;
}

int db_pipeline(struct db_connection *connection, struct db_segment *segments, unsigned count, struct err *err)
{
    BUG_IF(connection->in_transaction);
    struct run run = {.segments = segments, .count = count};
    if (db_connection_ensure(connection, err)) {
        segments_start(&run);
        return -1;
    }
    bool alive = run_segments(connection, &run);
    for (unsigned i = 0; alive && i < count; i++) {
        if (segments[i].state != DB_SEGMENT_FAILED || !failure_is_stale(&segments[i].failure))
            continue;
        struct run again = {.segments = &segments[i], .count = 1};
        alive = segment_prepare_again(connection, &segments[i]) && run_segments(connection, &again);
    }
    return alive ? 0 : connection_unavailable(connection, err);
}
