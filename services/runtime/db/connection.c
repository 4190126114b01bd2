/* connection.c: the life of a connection: coming up, staying honest about being up, going down.
 *
 * A connection that a server or a firewall closed while nobody looked would turn the next eight calls into
 * UNKNOWN. So an idle connection is looked at, with one poll(2), before it is used; what is dead is replaced
 * before anything is sent. Peers that vanish without a word are found by keepalive and TCP user timeout where the
 * network says nothing, and by the answer that does not come (health.h) where their kernel still acknowledges. */
#include <errno.h>
#include <poll.h>

#include <isms/base/clock.h>
#include <isms/base/crypto.h>
#include <isms/obs/metrics.h>

#include "internal.h"

enum { CONNECT_TIMEOUT_US = 2 * 1000 * 1000, IO_TIMEOUT_US = 60 * 1000 * 1000, TEXTS_MAX = 16 * 1024 };

/* A backend whose client has gone stops within 200 ms, whatever it is doing, and lets its locks go. Statements are
 * planned once: left to itself PostgreSQL plans a list anew at every call, which costs more than the list, since its
 * estimate for a plan with the values in always looks better. They are not compiled to machine code: a statement with
 * hundreds of expressions takes seconds of that, for each execution, and a tenth of it to run. */
static const char SESSION_SQL[] = "select set_config('TimeZone', 'UTC', false),"
                                  " set_config('DateStyle', 'ISO, YMD', false),"
                                  " set_config('IntervalStyle', 'iso_8601', false),"
                                  " set_config('client_connection_check_interval', '200ms', false),"
                                  " set_config('plan_cache_mode', 'force_generic_plan', false),"
                                  " set_config('jit', 'off', false)";

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
    if (!connection->options.io_timeout_us)
        connection->options.io_timeout_us = IO_TIMEOUT_US;
    connection->wake_fd = -1;
    int64_t timeout_us;
    connection->host_count = hosts_parse(options->url, arena, connection->hosts, &timeout_us);
    if (!connection->options.connect_timeout_us)
        connection->options.connect_timeout_us = timeout_us ? timeout_us : CONNECT_TIMEOUT_US;
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
    if (connection->counted)
        db_health_down(connection->options.health);
    connection->counted = false;
}

void db_connection_deadline(struct db_connection *connection, int64_t until_us)
{
    connection->deadline_us = until_us;
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

/* Later keywords win, and "dbname" stands for all the URL says: ours before it are defaults, those after it narrow its
 * list of servers to one. A NULL value is as if the keyword were not there. */
static PGconn *connect_start(const struct db_connection *connection)
{
    const struct host *host = &connection->hosts[connection->host];
    const char *keywords[] = {"keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
                              "client_encoding", "target_session_attrs", "application_name", "dbname",
                              "host", "hostaddr", "port", NULL};
    const char *values[] = {"5", "2", "3", "5000",
                            "UTF8", "read-write", connection->options.application_name, connection->options.url,
                            host->name, host->address, host->port, NULL};
    return PQconnectStartParams(keywords, values, 1);
}

static bool connect_wait(struct db_connection *connection)
{
    PGconn *pq = connection->pq;
    int64_t since_us = clock_monotonic_us();
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    while (status == PGRES_POLLING_WRITING || status == PGRES_POLLING_READING) {
        short events = status == PGRES_POLLING_WRITING ? POLLOUT : POLLIN;
        if (PQstatus(pq) == CONNECTION_BAD)
            return false;
        if (!wait_socket(PQsocket(pq), events, since_us + connection->options.connect_timeout_us)) {
            db_health_waited(connection->options.health, since_us);
            return false;
        }
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
    PGconn *pq = connect_start(connection);
    connection->pq = pq;
    connection->ending = false;
    if (!pq)
        return false;
    PQsetNoticeReceiver(pq, notice_receive, connection);
    bool up = connect_wait(connection);
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
        connection_problem(connection, "connection lost", "the server ended it, or has become one that only reads");
    return !connection->ending;
}

/* One server after the other, the one that was good last time first. */
static bool servers_try(struct db_connection *connection)
{
    unsigned tries = connection->host_count ? connection->host_count : 1;
    for (unsigned i = 0; i < tries; i++) {
        if (connection_open(connection))
            return true;
        db_connection_drop(connection);
        connection->host = (connection->host + 1) % tries;
    }
    return false;
}

int db_connection_ensure(struct db_connection *connection, struct err *err)
{
    if (connection->pq && connection_is_alive(connection))
        return 0;
    db_connection_drop(connection);
    bool resting = backoff_remaining(&connection->backoff, clock_monotonic_us()) > 0 &&
                   !db_health_came_up(connection->options.health, connection->failed_us);
    if (connection->in_transaction || resting)
        return connection_unavailable(connection, err);
    if (!servers_try(connection)) {
        uint32_t random;
        random_bytes(&random, sizeof(random));
        db_health_refused(connection->options.health);
        connection->failed_us = clock_monotonic_us();
        backoff_failed(&connection->backoff, connection->failed_us, random);
        return connection_unavailable(connection, err);
    }
    backoff_succeeded(&connection->backoff);
    db_health_up(connection->options.health);
    connection->counted = true;
    if (connection->connected_before)
        metric_add(METRIC_SERIES(isms_db_reconnects_total), 1);
    connection->connected_before = true;
    return 0;
}
