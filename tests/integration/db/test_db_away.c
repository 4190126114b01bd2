/* A database that does not answer, that is another one now, or that only reads: nobody waits longer than has to be, and
 * all of it ends by itself. Time-outs that must not be what ends a wait are an hour long. */
#include "fixture.h"
#include "proxy.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include <isms/base/clock.h>
#include <isms/db/health.h>

#define PROXY CLEANUP(proxy_freep) struct proxy *

enum { HOUR_US = 3600 * 1000 * 1000LL };

static const struct db_statement INSERT = {.name = "insert", .sql = "insert into item (id) values ($1)"};

static struct db_connection *start(void)
{
    struct db_connection *direct = fixture_connect(NULL, 0);
    fixture_run(direct, "drop table if exists item; create table item (id int primary key)");
    return direct;
}

static struct db_connection *connect_by(const char *url, int64_t io_timeout_us, struct db_health *health)
{
    struct db_connection *connection = db_connection_new(&(struct db_options){
        .url = url, .application_name = "isms-test", .statements = &INSERT, .statement_count = 1,
        .io_timeout_us = io_timeout_us, .health = health});
    assert_non_null(connection);
    return connection;
}

static void ensure(struct db_connection *connection)
{
    struct err err = {0};
    if (db_connection_ensure(connection, &err) < 0)
        fail_msg("%s", db_connection_problem(connection));
}

static bool is_away(const struct db_health *health)
{
    struct err err = {0};
    if (db_health_check(health, &err) == 0)
        return false;
    assert_int_equal(err.reason, ERR_DATABASE_UNAVAILABLE);
    assert_true(err.retry_after_ms > 0);
    return true;
}

static void test_an_answer_is_not_waited_for_beyond_the_deadline(void **state UNUSED)
{
    CONNECTION direct = start();
    PROXY proxy = proxy_new(fixture_host(), fixture_port());
    CONNECTION connection = connect_by(fixture_url(proxy_address(proxy)), HOUR_US, NULL);
    struct db_segment segment = SEGMENT(QUERY(&INSERT, TEXT("1")));
    struct err err = {0};
    ensure(connection);
    proxy_silence(proxy);
    db_connection_deadline(connection, clock_monotonic_us() + 50 * 1000);
    assert_int_equal(db_pipeline(connection, &segment, 1, &err), -1);
    assert_int_equal(segment.state, DB_SEGMENT_UNKNOWN);
    assert_int_equal(err.reason, ERR_DATABASE_UNAVAILABLE);
    assert_false(db_connection_is_up(connection));
    db_connection_deadline(connection, 0);
    assert_int_equal(db_pipeline(connection, &segment, 1, &err), 0);
    assert_string_equal(segment.failure.sqlstate, "23505"); /* it had been done */
}

static bool gone(void *context UNUSED)
{
    return true;
}

static void test_a_caller_may_leave_while_the_database_is_silent(void **state UNUSED)
{
    CONNECTION direct = start();
    PROXY proxy = proxy_new(fixture_host(), fixture_port());
    CONNECTION connection = connect_by(fixture_url(proxy_address(proxy)), HOUR_US, NULL);
    struct db_query query = QUERY(&INSERT, TEXT("1"));
    struct err err = {0};
    assert_int_equal(db_begin(connection, "read committed", false, &err), 0);
    proxy_silence(proxy);
    db_connection_watch(connection, -1, gone, NULL);
    assert_int_equal(db_query(connection, &query, 1, NULL, &err), -1);
    assert_int_equal(err.reason, ERR_CANCELLED);
    db_rollback(connection);
    db_connection_watch(connection, -1, NULL, NULL);
    ensure(connection);
    fixture_wait(direct, "select count(*) = 0 from pg_locks where relation = 'item'::regclass");
    assert_int_equal(fixture_int(direct, "select count(*) from item"), 0);
}

/* --- what the process knows ------------------------------------------------------------------------------- */

struct waiter {
    struct db_connection *connection;
    struct db_segment segment;
    struct err err;
    atomic_bool over;
};

static void *waiter_main(void *argument)
{
    struct waiter *waiter = argument;
    int result = db_pipeline(waiter->connection, &waiter->segment, 1, &waiter->err);
    assert_int_equal(result, -1);
    atomic_store(&waiter->over, true);
    return NULL;
}

static void test_who_waits_gives_up_when_another_found_the_database_silent(void **state UNUSED)
{
    struct db_health health = {0};
    CONNECTION direct = start();
    struct proxy *proxies[] = {proxy_new(fixture_host(), fixture_port()), proxy_new(fixture_host(), fixture_port())};
    char url[1024];
    snprintf(url, sizeof(url), "%s", fixture_url(proxy_address(proxies[0])));
    CONNECTION patient = connect_by(url, HOUR_US, &health);
    CONNECTION canary = connect_by(fixture_url(proxy_address(proxies[1])), 1600 * 1000, &health);
    struct waiter waiter = {.connection = patient, .segment = SEGMENT(QUERY(&INSERT, TEXT("1")))};
    struct db_segment segment = SEGMENT(QUERY(&INSERT, TEXT("2")));
    struct err err = {0};
    pthread_t thread;
    ensure(patient);
    fixture_ensure(canary);
    assert_false(is_away(&health));
    proxy_silence(proxies[0]);
    proxy_silence(proxies[1]);
    pthread_create(&thread, NULL, waiter_main, &waiter);
    fixture_wait(direct, "select count(*) = 1 from item");
    assert_false(is_away(&health));
    assert_int_equal(db_pipeline(canary, &segment, 1, &err), -1);
    assert_true(is_away(&health));
    pthread_join(thread, NULL);
    assert_int_equal(waiter.segment.state, DB_SEGMENT_UNKNOWN);
    fixture_ensure(canary); /* a new connection, which the proxy lets pass */
    assert_false(is_away(&health));
    proxy_freep(&proxies[0]);
    proxy_freep(&proxies[1]);
}

static void test_a_database_that_nobody_can_connect_to_is_away(void **state UNUSED)
{
    struct db_health health = {0};
    struct err err = {0};
    fixture_url(NULL);
    struct proxy *nowhere = proxy_new("127.0.0.1", 1);
    CONNECTION good = connect_by(fixture_url(NULL), HOUR_US, &health);
    CONNECTION bad = connect_by(fixture_url(proxy_address(nowhere)), HOUR_US, &health);
    assert_false(is_away(&health)); /* nobody has tried */
    assert_int_equal(db_connection_ensure(bad, &err), -1);
    assert_true(*db_connection_problem(bad));
    assert_true(is_away(&health));
    ensure(good);
    assert_false(is_away(&health));
    while (!*db_connection_problem(bad)) /* until another attempt was made */
        assert_int_equal(db_connection_ensure(bad, &err), -1);
    assert_false(is_away(&health)); /* one connection is up */
    db_connection_drop(good);
    assert_true(is_away(&health));
    proxy_freep(&nowhere);
}

/* --- another server ------------------------------------------------------------------------------------- */

/* A port that takes connections and says nothing, as a stopped server's does. */
static int deaf_port(int *ret_fd)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(name);
    *ret_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_true(bind(*ret_fd, (struct sockaddr *)&name, sizeof(name)) == 0 && listen(*ret_fd, 8) == 0 &&
                getsockname(*ret_fd, (struct sockaddr *)&name, &length) == 0);
    return ntohs(name.sin_port);
}

/* Whether somebody has connected to it since that was asked last. */
static bool deaf_port_tried(int fd)
{
    bool tried = false;
    for (int peer; (peer = accept(fd, NULL, NULL)) >= 0; tried = true)
        close(peer);
    return tried;
}

static void test_a_server_that_says_nothing_does_not_hide_the_next_one(void **state UNUSED)
{
    char hosts[128];
    int fd;
    fixture_url(NULL);
    snprintf(hosts, sizeof(hosts), "127.0.0.1:%d,%s:%d", deaf_port(&fd), fixture_host(), fixture_port());
    CONNECTION connection = db_connection_new(&(struct db_options){
        .url = fixture_url(hosts), .connect_timeout_us = 300 * 1000});
    fixture_ensure(connection);
    assert_true(deaf_port_tried(fd));
    assert_int_equal(fixture_int(connection, "select inet_server_port()"), fixture_port());
    bool good_first = false;
    for (int round = 0; round < 10 && !good_first; round++) { /* the good one may be too slow for once */
        db_connection_drop(connection);
        fixture_ensure(connection);
        good_first = !deaf_port_tried(fd);
    }
    assert_true(good_first);
    close(fd);
}

static void test_a_server_that_only_reads_is_not_taken(void **state UNUSED)
{
    CONNECTION direct = start();
    CONNECTION connection = connect_by(fixture_url(NULL), HOUR_US, NULL);
    struct err err = {0};
    fixture_run(direct, "do $$ begin execute format('alter database %I set default_transaction_read_only = on',"
                        " current_database()); end $$");
    assert_int_equal(db_connection_ensure(connection, &err), -1);
    assert_non_null(strstr(db_connection_problem(connection), "read-only"));
    fixture_run(direct, "do $$ begin execute format('alter database %I reset default_transaction_read_only',"
                        " current_database()); end $$");
    fixture_ensure(connection);
}

static void test_a_connection_whose_server_has_come_to_only_read_is_replaced(void **state UNUSED)
{
    CONNECTION direct = start();
    CONNECTION connection = connect_by(fixture_url(NULL), HOUR_US, NULL);
    struct db_segment segment = SEGMENT(QUERY(&INSERT, TEXT("1")));
    struct err err = {0};
    ensure(connection);
    fixture_run(connection, "set default_transaction_read_only = on");
    assert_int_equal(db_pipeline(connection, &segment, 1, &err), 0);
    assert_int_equal(segment.state, DB_SEGMENT_FAILED);
    assert_int_equal(db_failure_to_err(&segment.failure, &err), -1);
    assert_int_equal(err.reason, ERR_DATABASE_UNAVAILABLE);
    assert_int_equal(db_pipeline(connection, &segment, 1, &err), 0);
    assert_int_equal(segment.state, DB_SEGMENT_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_is_not_waited_for_beyond_the_deadline),
        cmocka_unit_test(test_a_caller_may_leave_while_the_database_is_silent),
        cmocka_unit_test(test_who_waits_gives_up_when_another_found_the_database_silent),
        cmocka_unit_test(test_a_database_that_nobody_can_connect_to_is_away),
        cmocka_unit_test(test_a_server_that_says_nothing_does_not_hide_the_next_one),
        cmocka_unit_test(test_a_server_that_only_reads_is_not_taken),
        cmocka_unit_test(test_a_connection_whose_server_has_come_to_only_read_is_replaced),
    };
    return cmocka_run_group_tests_name("db away", tests, fixture_create, fixture_destroy);
}
