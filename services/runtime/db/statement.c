/* statement.c: what is done with a statement besides running it: preparing, describing; and scripts.
 *
 * Statements are prepared one sync each, so that one that the schema refuses costs only itself. libpq 15 cannot
 * send Close, so a stale statement is replaced by SQL DEALLOCATE, in segments of their own since it fails where
 * there is nothing to deallocate. */
#include <isms/base/bug.h>
#include <isms/obs/metrics.h>

#include "internal.h"

static bool prepare_send(const struct run *run, unsigned index)
{
    const struct db_statement *statement = &run->statements[index];
    return PQsendPrepare(run->wait.connection->pq, statement->name, statement->sql, 0, NULL);
}

static bool deallocate_send(const struct run *run, unsigned index)
{
    PGconn *pq = run->wait.connection->pq;
    const char *name = run->statements[index].name;
    char *identifier = PQescapeIdentifier(pq, name, strlen(name));
    char sql[256];
    int length = identifier ? snprintf(sql, sizeof(sql), "deallocate %s", identifier) : -1;
    PQfreemem(identifier);
    BUG_IF(length >= (int)sizeof(sql));
    return length > 0 && PQsendQueryParams(pq, sql, 0, NULL, NULL, NULL, NULL, 1);
}

static bool statements_run(struct db_connection *connection, const struct db_statement *statements,
                           unsigned count, bool (*send)(const struct run *run, unsigned index), bool report)
{
    if (count == 0)
        return true;
    struct db_segment *segments = calloc(count, sizeof(*segments));
    if (!segments)
        return false;
    struct run run = {.segments = segments, .count = count, .send = send, .statements = statements};
    bool alive = run_segments(connection, &run);
    for (unsigned i = 0; report && i < count; i++) {
        if (segments[i].state == DB_SEGMENT_FAILED) {
            char what[128];
            snprintf(what, sizeof(what), "preparing %s", statements[i].name);
            connection_problem(connection, what, segments[i].failure.message);
        }
    }
    free(segments);
    return alive;
}

bool statements_prepare(struct db_connection *connection, const struct db_statement *statements, unsigned count)
{
    return statements_run(connection, statements, count, prepare_send, true);
}

bool statements_prepare_again(struct db_connection *connection, const struct db_statement *statements,
                              unsigned count)
{
    metric_add(METRIC_SERIES(isms_db_reprepares_total), count);
    return statements_run(connection, statements, count, deallocate_send, false)
           && statements_prepare(connection, statements, count);
}

static bool describe_send(const struct run *run, unsigned index)
{
    return PQsendDescribePrepared(run->wait.connection->pq, run->statements[index].name);
}

static int description_read(const PGresult *result, struct arena *arena, struct db_description *ret_description,
                            struct err *err)
{
    struct db_description description = {
        .parameter_count = (unsigned)PQnparams(result),
        .column_count = (unsigned)PQnfields(result),
    };
    description.parameter_types = ARENA_ARRAY(arena, description.parameter_count, uint32_t);
    description.column_names = ARENA_ARRAY(arena, description.column_count, char *);
    description.column_types = ARENA_ARRAY(arena, description.column_count, uint32_t);
    if (arena_exhausted(arena))
        return err_set(err, ERR_INTERNAL);
    for (unsigned i = 0; i < description.parameter_count; i++)
        description.parameter_types[i] = PQparamtype(result, (int)i);
    for (unsigned i = 0; i < description.column_count; i++) {
        description.column_names[i] = arena_strdup(arena, PQfname(result, (int)i));
        description.column_types[i] = PQftype(result, (int)i);
    }
    if (arena_exhausted(arena))
        return err_set(err, ERR_INTERNAL);
    *ret_description = description;
    return 0;
}

int db_describe(struct db_connection *connection, const struct db_statement *statement, struct arena *arena,
                struct db_description *ret_description, struct err *err)
{
    if (db_connection_ensure(connection, err))
        return -1;
    struct db_query query = {.statement = statement};
    struct db_segment segment = {.queries = &query, .query_count = 1};
    struct run run = {.segments = &segment, .count = 1, .send = describe_send, .statements = statement};
    bool alive = run_segments(connection, &run);
    if (alive && segment.state == DB_SEGMENT_FAILED && failure_is_stale(&segment.failure))
        alive = statements_prepare_again(connection, statement, 1) && run_segments(connection, &run);
    if (!alive)
        return connection_unavailable(connection, err);
    if (segment.state != DB_SEGMENT_DONE)
        return err_set(err, ERR_INTERNAL);
    return description_read((const PGresult *)query.result, arena, ret_description, err);
}

/* Reads a simple query's results to their end. false: the connection broke. */
static bool script_finish(struct db_connection *connection, struct db_failure *failure)
{
    struct wait wait = {.connection = connection};
    for (;;) {
        while (PQisBusy(connection->pq)) {
            if (!wait_io(&wait))
                return false;
        }
        PGresult *result = PQgetResult(connection->pq);
        if (!result)
            return true;
        ExecStatusType status = PQresultStatus(result);
        bool answer = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
        if (!answer && !failure->sqlstate[0])
            failure_read(failure, result);
        PQclear(result);
        if (!answer && !failure->sqlstate[0])
            return false; /* libpq's own trouble, or a COPY, which has no place here */
    }
}

static bool script_run(struct db_connection *connection, const char *sql, struct db_failure *failure)
{
    PGconn *pq = connection->pq;
    bool alive = PQexitPipelineMode(pq) && PQsendQuery(pq, sql) && script_finish(connection, failure)
                 && PQenterPipelineMode(pq);
    if (!alive) {
        connection_problem(connection, "running a script", PQerrorMessage(pq));
        db_connection_drop(connection);
    }
    return alive;
}

int db_execute_script(struct db_connection *connection, const char *sql, struct db_failure *ret_failure,
                      struct err *err)
{
    struct db_failure failure = {0};
    if (connection->in_transaction ? db_query(connection, NULL, 0, &failure, err)
                                   : db_connection_ensure(connection, err)) {
        if (ret_failure)
            *ret_failure = failure;
        return -1;
    }
    bool alive = script_run(connection, sql, &failure);
    bool open = alive && PQtransactionStatus(connection->pq) != PQTRANS_IDLE;
    if (alive && !failure.sqlstate[0] && connection->in_transaction && !open)
        failure = (struct db_failure){.sqlstate = "25P01", .message = "the script ended its transaction"};
    else if (open && !connection->in_transaction && run_sql(connection, "rollback").state != DB_SEGMENT_DONE)
        db_connection_drop(connection);
    if (ret_failure)
        *ret_failure = failure;
    if (failure.sqlstate[0]) {
        connection->failure = failure;
        return db_failure_to_err(&failure, err);
    }
    return alive ? 0 : connection_unavailable(connection, err);
}
