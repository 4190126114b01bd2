#include "fixture.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <isms/base/clock.h>

/* A machine that others use as well may stand still for seconds; what a test limits on purpose it says itself. */
#define PATIENT "connect_timeout=60"
enum { PATIENCE_US = 60 * 1000 * 1000 };

static char admin_url[512];
static char authority[512]; /* taken apart in place */
static const char *credentials = "";
static const char *host = authority;
static int port = 5432;
static char name[64];

int fixture_free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
                getsockname(fd, (struct sockaddr *)&address, &length) == 0);
    close(fd);
    return ntohs(address.sin_port);
}

static void url_split(const char *url)
{
    const char *start = strstr(url, "://");
    assert_non_null(start);
    snprintf(authority, sizeof(authority), "%.*s", (int)strcspn(start + 3, "/?"), start + 3);
    char *at = strrchr(authority, '@');
    if (at) {
        *at = '\0';
        credentials = authority;
        host = at + 1;
    }
    char *colon = strrchr(host, ':');
    if (colon) {
        port = (int)strtol(colon + 1, NULL, 10);
        *colon = '\0';
    }
}

const char *fixture_url(const char *host_port)
{
    static _Thread_local char url[1024];
    if (!name[0])
        skip();
    if (host_port)
        snprintf(url, sizeof(url), "postgresql://%s@%s/%s?sslmode=disable&gssencmode=disable&" PATIENT,
                 credentials, host_port, name);
    else
        snprintf(url, sizeof(url), "postgresql://%s@%s:%d/%s?" PATIENT, credentials, host, port, name);
    return url;
}

const char *fixture_host(void)
{
    return host;
}

int fixture_port(void)
{
    return port;
}

struct db_connection *fixture_connect_to(const char *url, const struct db_statement *statements, unsigned count)
{
    struct db_connection *connection = db_connection_new(&(struct db_options){
        .url = url,
        .application_name = "isms-test",
        .statements = statements,
        .statement_count = count,
        .io_timeout_us = PATIENCE_US,
    });
    assert_non_null(connection);
    return connection;
}

struct db_connection *fixture_connect(const struct db_statement *statements, unsigned count)
{
    return fixture_connect_to(fixture_url(NULL), statements, count);
}

void fixture_ensure(struct db_connection *connection)
{
    struct err err = {0};
    int64_t until_us = clock_monotonic_us() + PATIENCE_US;
    while (db_connection_ensure(connection, &err) < 0) {
        if (clock_monotonic_us() > until_us)
            fail_msg("%s", db_connection_problem(connection));
        usleep(10 * 1000);
    }
}

void fixture_run(struct db_connection *connection, const char *sql)
{
    struct db_failure failure = {0};
    struct err err = {0};
    if (db_execute_script(connection, sql, &failure, &err))
        fail_msg("%s: %s %s %s", sql, err.message, failure.message, db_connection_problem(connection));
}

int64_t fixture_int(struct db_connection *connection, const char *sql)
{
    struct db_failure failure = {0};
    struct err err = {0};
    struct db_statement statement = {.sql = sql};
    struct db_query query = {.statement = &statement};
    if (db_query(connection, &query, 1, &failure, &err))
        fail_msg("%s: %s %s %s", sql, err.message, failure.message, db_connection_problem(connection));
    assert_int_equal(db_result_rows(query.result), 1);
    int64_t value = db_result_int(query.result, 0, 0);
    db_results_clear(connection);
    return value;
}

void fixture_wait(struct db_connection *connection, const char *sql)
{
    int64_t until_us = clock_monotonic_us() + PATIENCE_US;
    while (!fixture_int(connection, sql)) {
        if (clock_monotonic_us() > until_us)
            fail_msg("never true: %s", sql);
        fixture_int(connection, "select 1 from pg_sleep(0.005)");
    }
}

static int admin_run(const char *command, const char *options)
{
    CONNECTION admin = db_connection_new(&(struct db_options){.url = admin_url,
                                                              .application_name = "isms-test"});
    char sql[256];
    struct err err = {0};
    snprintf(sql, sizeof(sql), "%s %s %s", command, name, options);
    if (!admin || db_execute_script(admin, sql, NULL, &err)) {
        fprintf(stderr, "%s: %s %s\n", sql, err.message, admin ? db_connection_problem(admin) : "");
        return -1;
    }
    return 0;
}

int fixture_create(void **state UNUSED)
{
    const char *url = getenv("ISMS_TEST_DATABASE_URL");
    if (!url || !*url) {
        puts("ISMS_TEST_DATABASE_URL is not set: skipped");
        return 0;
    }
    snprintf(admin_url, sizeof(admin_url), "%s", url);
    url_split(url);
    snprintf(name, sizeof(name), "isms_test_db_%d", (int)getpid());
    return admin_run("create database", "");
}

int fixture_destroy(void **state UNUSED)
{
    return name[0] ? admin_run("drop database", "with (force)") : 0;
}
