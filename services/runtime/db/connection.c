/* connection.c: the life of a connection: coming up, staying honest about being up, going down.
 *
 * A connection that a server or a firewall closed while nobody looked would turn the next eight calls into
 * UNKNOWN. So an idle connection is looked at, with one poll(2), before it is used; what is dead is replaced
 * before anything is sent. Keepalive and TCP user timeout find the peers that vanish without a word. */
#include <errno.h>
#include <poll.h>

#include <isms/base/clock.h>
#include <isms/base/crypto.h>
#include <isms/obs/metrics.h>

#include "internal.h"

enum { CONNECT_TIMEOUT_US = 5 * 1000 * 1000, IO_TIMEOUT_US = 60 * 1000 * 1000, TEXTS_MAX = 16 * 1024 };

/* Statements are planned once: left to itself PostgreSQL plans a list anew at every call, which costs more than the
 * list, since its estimate for a plan with the values in always looks better. */
static const char SESSION_SQL[] = "select set_config('TimeZone', 'UTC', false),"
                                  " set_config('DateStyle', 'ISO, YMD', false),"
                                  " set_config('IntervalStyle', 'iso_8601', false),"
                                  " set_config('plan_cache_mode', 'force_generic_plan', false)";

struct db_connection *db_connection_new(const struct db_options *options)
{
    struct db_connection *connection = calloc(1, sizeof(*connection));
    if (!connection)
        return NULL;
    struct arena *arena = &connection->arena;
    arena_init(arena, TEXTS_MAX);
    connection->options = *options;
    const char **texts[] = {&connection->options.url, &connection->options.application_name,
                            &connection->options.session_sql};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        *texts[i] = *texts[i] ? arena_strdup(arena, *texts[i]) : NULL;
    if (!connection->options.connect_timeout_us)
        connection->options.connect_timeout_us = CONNECT_TIMEOUT_US;
    if (!connection->options.io_timeout_us)
        connection->options.io_timeout_us = IO_TIMEOUT_US;
    connection->wake_fd = -1;
    if (arena_exhausted(arena))
        db_connection_freep(&connection);
    return connection;
}

void db_connection_free(struct db_connection *connection)
{
    if (!connection)
        return;
    db_results_clear(connection);
    free(connection->results);
    db_connection_drop(connection);
    arena_release(&connection->arena);
    free(connection);
}

void db_connection_freep(struct db_connection **connection)
{
    db_connection_free(*connection);
    *connection = NULL;
}

void db_connection_drop(struct db_connection *connection)
{
    PQfinish(connection->pq);
    connection->pq = NULL;
}

bool db_connection_is_up(const struct db_connection *connection)
{
    return connection->pq;
}

void connection_problem(struct db_connection *connection, const char *what, const char *detail)
{
    size_t length = strcspn(detail, "\n"); /* libpq ends its texts with one; more may follow */
    snprintf(connection->problem, sizeof(connection->problem), "%s: %.*s", what, (int)length, detail);
    connection->problem_told = false;
}

const char *db_connection_problem(struct db_connection *connection)
{
    if (connection->problem_told)
        return "";
    connection->problem_told = true;
    return connection->problem;
}

int connection_unavailable(const struct db_connection *connection, struct err *err)
{
    int64_t wait_us = backoff_remaining(&connection->backoff, clock_monotonic_us());
    err_set(err, ERR_DATABASE_UNAVAILABLE);
    err->retry_after_ms = wait_us > BACKOFF_FIRST_US ? wait_us / 1000 : BACKOFF_FIRST_US / 1000;
    return -1;
}

bool connection_keep(struct db_connection *connection, PGresult *result)
{
    if (connection->result_count == connection->result_capacity) {
        unsigned capacity = connection->result_capacity ? 2 * connection->result_capacity : DB_PIPELINE_DEPTH;
        PGresult **results = reallocarray(connection->results, capacity, sizeof(PGresult *));
        if (!results) {
            PQclear(result);
            return false;
        }
        connection->results = results;
        connection->result_capacity = capacity;
    }
    connection->results[connection->result_count++] = result;
    return true;
}

void db_results_clear(struct db_connection *connection)
{
    while (connection->result_count)
        PQclear(connection->results[--connection->result_count]);
}

/* Nobody reads notices; but two matter. One says that a commit was acknowledged without its synchronous
 * standby (cancelled or terminated while waiting); it has no SQLSTATE of its own, so it is known by where it
 * is raised. The other is a server's farewell to an idle connection, which arrives before the connection
 * ends. */
static void notice_receive(void *context, const PGresult *notice)
{
    struct db_connection *connection = context;
    const char *function = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);
    const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (function && strcmp(function, "SyncRepWaitForLSN") == 0)
        connection->unreplicated = true;
    if (severity && strcmp(severity, "FATAL") == 0)
        connection->ending = true;
}

/* Later keywords win, and "dbname" stands for all the URL says: ours before it are defaults. */
static PGconn *connect_start(const struct db_options *options)
{
    const char *keywords[] = {"keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
                              "client_encoding", "application_name", "dbname", NULL};
    const char *values[] = {"10", "5", "3", "20000", "UTF8", options->application_name, options->url, NULL};
    return PQconnectStartParams(keywords, values, 1);
}

static bool connect_wait(PGconn *pq, int64_t timeout_us)
{
    int64_t until_us = clock_monotonic_us() + timeout_us;
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    while (status == PGRES_POLLING_WRITING || status == PGRES_POLLING_READING) {
        short events = status == PGRES_POLLING_WRITING ? POLLOUT : POLLIN;
        if (PQstatus(pq) == CONNECTION_BAD || !wait_socket(PQsocket(pq), events, until_us))
            return false;
        status = PQconnectPoll(pq);
    }
    return status == PGRES_POLLING_OK;
}

/* Session settings, then the statements. A failing setting fails the connection, a failing statement only its
 * users. */
static bool session_start(struct db_connection *connection)
{
    const char *settings[] = {SESSION_SQL, connection->options.session_sql};
    for (size_t i = 0; i < ARRAY_SIZE(settings) && settings[i]; i++) {
        struct db_segment segment = run_sql(connection, settings[i]);
        if (segment.state == DB_SEGMENT_FAILED)
            connection_problem(connection, "starting the session", segment.failure.message);
        if (segment.state != DB_SEGMENT_DONE)
            return false;
    }
    return statements_prepare(connection, connection->options.statements, connection->options.statement_count);
}

static bool connection_open(struct db_connection *connection)
{
    PGconn *pq = connect_start(&connection->options);
    connection->pq = pq;
    connection->ending = false;
    if (!pq)
        return false;
    PQsetNoticeReceiver(pq, notice_receive, connection);
    bool up = connect_wait(pq, connection->options.connect_timeout_us);
    if (!up || PQsetnonblocking(pq, 1) || !PQenterPipelineMode(pq)) {
        const char *text = PQerrorMessage(pq);
        connection_problem(connection, "connecting", *text ? text : "no answer within the time allowed");
        return false;
    }
    return session_start(connection);
}

/* An idle connection has something to read when the server closed it or, rarely, tells a changed setting. */
static bool connection_is_alive(struct db_connection *connection)
{
    struct pollfd poll_fd = {.fd = PQsocket(connection->pq), .events = POLLIN};
    for (int i = 0; i < 8 && poll(&poll_fd, 1, 0) != 0; i++) {
        if (!PQconsumeInput(connection->pq)) {
            connection_problem(connection, "connection lost", PQerrorMessage(connection->pq));
            return false;
        }
        (void)PQisBusy(connection->pq); /* parses what came */
    }
    if (connection->ending)
        connection_problem(connection, "connection lost", "the server ended it");
    return !connection->ending;
}

int db_connection_ensure(struct db_connection *connection, struct err *err)
{
    if (connection->pq && connection_is_alive(connection))
        return 0;
    db_connection_drop(connection);
    if (connection->in_transaction || backoff_remaining(&connection->backoff, clock_monotonic_us()) > 0)
        return connection_unavailable(connection, err);
    if (!connection_open(connection)) {
        uint32_t random;
        random_bytes(&random, sizeof(random));
        db_connection_drop(connection);
        backoff_failed(&connection->backoff, clock_monotonic_us(), random);
        return connection_unavailable(connection, err);
    }
    backoff_succeeded(&connection->backoff);
    if (connection->connected_before)
        metric_add(METRIC_SERIES(isms_db_reconnects_total), 1);
    connection->connected_before = true;
    return 0;
}
