/* What a caller is told when servers restart, statements go stale and connections break: never "done" for
 * what did not happen, never "nothing happened" for what did. */
#include "fixture.h"
#include "proxy.h"

#include <isms/base/buf.h>
#include <isms/obs/metrics.h>

#define PROXY CLEANUP(proxy_freep) struct proxy *

enum {
    ROWS = 3,
    BIG = 4 * 1024 * 1024,
};

static const struct db_statement INSERT = {.name = "insert", .sql = "insert into item (id) values ($1)"};
static const struct db_statement LOAD = {.name = "load", .sql = "insert into item (id, note) values ($1, $2)"};
static const struct db_statement READ = {.name = "read", .sql = "select * from item order by id"};
static const struct db_statement SUICIDE = {
    .name = "suicide",
    .sql = "select pg_terminate_backend(pg_backend_pid())",
};
static struct db_statement statements[4];

static struct db_connection *start(void)
{
    struct db_connection *direct = fixture_connect(NULL, 0);
    fixture_run(direct, "drop table if exists item; create table item (id int primary key, note text)");
    statements[0] = INSERT;
    statements[1] = LOAD;
    statements[2] = READ;
    statements[3] = SUICIDE;
    return direct;
}

/* The other side of a cut connection may live on for a moment. */
static void wait_until_alone(struct db_connection *direct)
{
    fixture_wait(direct, "select count(*) = 1 from pg_stat_activity where application_name = 'isms-test' and"
                         " datname = current_database()");
}

static void test_a_connection_closed_while_idle_is_replaced_unnoticed(void **state UNUSED)
{
    CONNECTION direct = start();
    CONNECTION connection = fixture_connect(statements, 4);
    struct db_segment segment = SEGMENT(QUERY(&INSERT, TEXT("1")));
    struct err err = {0};
    int64_t reconnects = metric_value(METRIC_SERIES(isms_db_reconnects_total));
    assert_int_equal(db_connection_ensure(connection, &err), 0);
    fixture_int(direct, "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name ="
                        " 'isms-test' and datname = current_database() and pid <> pg_backend_pid()");
    wait_until_alone(direct);
    assert_int_equal(db_pipeline(connection, &segment, 1, &err), 0);
    assert_int_equal(segment.state, DB_SEGMENT_DONE);
    assert_int_equal(metric_value(METRIC_SERIES(isms_db_reconnects_total)), reconnects + 1);
}

static void test_a_backend_that_dies_at_work(void **state UNUSED)
{
    CONNECTION direct = start();
    CONNECTION connection = fixture_connect(statements, 4);
    struct db_segment segments[] = {
        SEGMENT(QUERY(&INSERT, TEXT("1"))),
        SEGMENT(QUERY(&INSERT, TEXT("2")), {.statement = &SUICIDE}, QUERY(&INSERT, TEXT("3"))),
        SEGMENT(QUERY(&INSERT, TEXT("4"))),
    };
    struct err err = {0};
    assert_int_equal(db_pipeline(connection, segments, 3, &err), -1);
    assert_int_equal(err.reason, ERR_DATABASE_UNAVAILABLE);
    assert_int_equal(segments[0].state, DB_SEGMENT_DONE); /* its answer came before the end */
    assert_int_equal(segments[1].state, DB_SEGMENT_FAILED);
    assert_string_equal(segments[1].failure.sqlstate, "57P01");
    assert_int_equal(segments[2].state, DB_SEGMENT_UNKNOWN);
    assert_false(db_connection_is_up(connection));
    assert_int_equal(fixture_int(direct, "select sum(id) from item"), 1);
    assert_int_equal(db_pipeline(connection, &segments[2], 1, &err), 0);
    assert_int_equal(segments[2].state, DB_SEGMENT_DONE);
}

/* 0A000 after the table changed, 26000 after the statements are gone: both repeated, once, alone. */
static void stale_statements(const char *spoil)
{
    CONNECTION direct = start();
    CONNECTION connection = fixture_connect(statements, 4);
    struct err err = {0};
    int64_t reprepares = metric_value(METRIC_SERIES(isms_db_reprepares_total));
    assert_int_equal(db_connection_ensure(connection, &err), 0);
    fixture_run(connection, spoil);
    struct db_segment segments[] = {
        SEGMENT(QUERY(&INSERT, TEXT("1"))),
        SEGMENT(QUERY(&INSERT, TEXT("2")), {.statement = &READ}),
        SEGMENT(QUERY(&INSERT, TEXT("3"))),
    };
    assert_int_equal(db_pipeline(connection, segments, 3, &err), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(segments[i].state, DB_SEGMENT_DONE);
    assert_true(db_result_columns(segments[1].queries[1].result) >= 2);
    assert_int_equal(fixture_int(direct, "select count(*) from item"), 3);
    assert_true(metric_value(METRIC_SERIES(isms_db_reprepares_total)) > reprepares);

    struct db_segment again = SEGMENT({.statement = &READ});
    reprepares = metric_value(METRIC_SERIES(isms_db_reprepares_total));
    assert_int_equal(db_pipeline(connection, &again, 1, &err), 0);
    assert_int_equal(again.state, DB_SEGMENT_DONE);
    assert_int_equal(metric_value(METRIC_SERIES(isms_db_reprepares_total)), reprepares);
}

static void test_a_changed_table_makes_statements_anew(void **state UNUSED)
{
    stale_statements("alter table item add column extra int");
}

static void test_lost_statements_are_made_anew(void **state UNUSED)
{
    stale_statements("deallocate all");
}

static void test_a_dropped_table_fails_its_users_until_it_is_back(void **state UNUSED)
{
    CONNECTION direct = start();
    CONNECTION connection = fixture_connect(statements, 4);
    struct err err = {0};
    struct db_segment segment = SEGMENT({.statement = &READ});
    assert_int_equal(db_connection_ensure(connection, &err), 0);
    fixture_run(direct, "drop table item");
    assert_int_equal(db_pipeline(connection, &segment, 1, &err), 0);
    assert_int_equal(segment.state, DB_SEGMENT_FAILED);
    assert_string_equal(segment.failure.sqlstate, "42P01");
    fixture_run(direct, "create table item (id int primary key, note text)");
    assert_int_equal(db_pipeline(connection, &segment, 1, &err), 0);
    assert_int_equal(segment.state, DB_SEGMENT_DONE);
}

static void test_an_answer_lost_after_the_commit_is_unknown(void **state UNUSED)
{
    CONNECTION direct = start();
    PROXY proxy = proxy_new(fixture_host(), fixture_port());
    CONNECTION connection = fixture_connect_to(fixture_url(proxy_address(proxy)), statements, 4);
    struct db_segment segment = SEGMENT(QUERY(&INSERT, TEXT("1")));
    struct err err = {0};
    assert_int_equal(db_connection_ensure(connection, &err), 0);
    proxy_cut(proxy, PROXY_TO_CLIENT, 0);
    assert_int_equal(db_pipeline(connection, &segment, 1, &err), -1);
    assert_int_equal(segment.state, DB_SEGMENT_UNKNOWN);
    wait_until_alone(direct);
    assert_int_equal(fixture_int(direct, "select count(*) from item"), 1); /* and yet it was committed */
}

/* Cuts the stream at every byte of an exchange and compares each segment's state with the table. */
static void cut_everywhere(enum proxy_direction direction, long last)
{
    CONNECTION direct = start();
    PROXY proxy = proxy_new(fixture_host(), fixture_port());
    int seen[DB_SEGMENT_UNKNOWN + 1] = {0};
    int whole = 0;
    for (long bytes = 0; bytes <= last; bytes++) {
        CONNECTION connection = fixture_connect_to(fixture_url(proxy_address(proxy)), statements, 4);
        struct db_segment segments[ROWS] = {
            SEGMENT(QUERY(&INSERT, TEXT("1"))),
            SEGMENT(QUERY(&INSERT, TEXT("2")), QUERY(&INSERT, TEXT("1"))), /* fails */
            SEGMENT(QUERY(&INSERT, TEXT("3"))),
        };
        static const char *const present[] = {"select count(*) from item where id = 1",
                                              "select count(*) from item where id = 2",
                                              "select count(*) from item where id = 3"};
        struct err err = {0};
        fixture_run(direct, "delete from item");
        assert_int_equal(db_connection_ensure(connection, &err), 0);
        proxy_cut(proxy, direction, bytes);
        whole += db_pipeline(connection, segments, ROWS, &err) == 0;
        db_connection_drop(connection);
        wait_until_alone(direct);
        for (int i = 0; i < ROWS; i++) {
            int64_t count = fixture_int(direct, present[i]);
            seen[segments[i].state]++;
            if (segments[i].state == DB_SEGMENT_DONE)
                assert_int_equal(count, 1);
            else if (segments[i].state != DB_SEGMENT_UNKNOWN)
                assert_int_equal(count, 0);
        }
    }
    assert_true(seen[DB_SEGMENT_DONE] > 0);
    assert_true(seen[DB_SEGMENT_FAILED] > 0);
    assert_true(seen[DB_SEGMENT_UNKNOWN] > 0);
    assert_true(whole > 0); /* the last cut is behind the end, or the sweep fell short */
}

static void test_a_cut_anywhere_towards_the_client_is_told_truly(void **state UNUSED)
{
    cut_everywhere(PROXY_TO_CLIENT, 350);
}

static void test_a_cut_anywhere_towards_the_server_is_told_truly(void **state UNUSED)
{
    cut_everywhere(PROXY_TO_SERVER, 250);
}

/* What never left, because the connection broke under the segments before it, is known not to have happened. */
static void test_segments_behind_the_break_are_lost(void **state UNUSED)
{
    CONNECTION direct = start();
    PROXY proxy = proxy_new(fixture_host(), fixture_port());
    CONNECTION connection = fixture_connect_to(fixture_url(proxy_address(proxy)), statements, 4);
    CLEANUP(buf_release) struct buf note;
    buf_init(&note, BIG + 1);
    for (int i = 0; i < BIG / 8; i++)
        buf_text(&note, "12345678");
    struct db_segment segments[] = {
        SEGMENT(QUERY(&LOAD, TEXT("1"), TEXT(note.data))), SEGMENT(QUERY(&LOAD, TEXT("2"), TEXT(note.data))),
        SEGMENT(QUERY(&LOAD, TEXT("3"), TEXT(note.data))), SEGMENT(QUERY(&LOAD, TEXT("4"), TEXT(note.data))),
    };
    struct err err = {0};
    assert_int_equal(db_connection_ensure(connection, &err), 0);
    proxy_cut(proxy, PROXY_TO_SERVER, 1000);
    assert_int_equal(db_pipeline(connection, segments, 4, &err), -1);
    assert_int_equal(segments[3].state, DB_SEGMENT_LOST);
    assert_int_not_equal(segments[0].state, DB_SEGMENT_DONE);
    wait_until_alone(direct);
    assert_int_equal(fixture_int(direct, "select count(*) from item"), 0);
}

static void test_a_silent_server_counts_as_dead(void **state UNUSED)
{
    CONNECTION direct = start();
    PROXY proxy = proxy_new(fixture_host(), fixture_port());
    CONNECTION connection = db_connection_new(&(struct db_options){
        .url = fixture_url(proxy_address(proxy)),
        .statements = statements,
        .statement_count = 4,
        .io_timeout_us = 300 * 1000,
    });
    struct db_segment segment = SEGMENT(QUERY(&INSERT, TEXT("1")));
    struct err err = {0};
    fixture_ensure(connection);
    proxy_silence(proxy);
    assert_int_equal(db_pipeline(connection, &segment, 1, &err), -1);
    assert_int_equal(segment.state, DB_SEGMENT_UNKNOWN);
    fixture_ensure(connection);
    assert_int_equal(db_pipeline(connection, &segment, 1, &err), 0); /* the new connection found it done */
    assert_string_equal(segment.failure.sqlstate, "23505");
}

/* A cancelled wait for the synchronous standby answers a commit with success and a warning. */
static void test_a_commit_without_its_standby_is_unknown(void **state UNUSED)
{
    static const char warning[] = "N\0\0\0\x5d"
                                  "SWARNING\0VWARNING\0C01000\0"
                                  "Mcanceling wait for synchronous replication\0RSyncRepWaitForLSN\0";
    _Static_assert(sizeof(warning) == 1 + 0x5d + 0, "message length");
    CONNECTION direct = start();
    PROXY proxy = proxy_new(fixture_host(), fixture_port());
    CONNECTION connection = fixture_connect_to(fixture_url(proxy_address(proxy)), statements, 4);
    struct db_segment segments[] = {SEGMENT(QUERY(&INSERT, TEXT("1"))), SEGMENT(QUERY(&INSERT, TEXT("2")))};
    struct err err = {0};
    assert_int_equal(db_connection_ensure(connection, &err), 0);
    proxy_inject(proxy, warning, sizeof(warning));
    assert_int_equal(db_pipeline(connection, segments, 2, &err), 0);
    assert_int_equal(segments[0].state, DB_SEGMENT_UNKNOWN);
    assert_int_equal(segments[1].state, DB_SEGMENT_DONE);

    struct db_query query = QUERY(&INSERT, TEXT("3"));
    assert_int_equal(db_begin(connection, "read committed", false, &err), 0);
    assert_int_equal(db_query(connection, &query, 1, NULL, &err), 0);
    proxy_inject(proxy, warning, sizeof(warning));
    assert_int_equal(db_commit(connection, NULL, &err), -1);
    assert_int_equal(err.reason, ERR_OUTCOME_UNKNOWN);
}

static void test_attempts_wait_for_the_back_off(void **state UNUSED)
{
    fixture_url(NULL);
    struct proxy *proxy = proxy_new("127.0.0.1", 1); /* nothing listens there */
    CONNECTION connection = fixture_connect_to(fixture_url(proxy_address(proxy)), NULL, 0);
    struct db_segment segment = SEGMENT(QUERY(&INSERT, TEXT("1")));
    struct err err = {0};
    int refused = 0;
    for (int i = 0; i < 50; i++) {
        assert_int_equal(db_pipeline(connection, &segment, 1, &err), -1);
        assert_int_equal(segment.state, DB_SEGMENT_LOST);
        assert_int_equal(err.reason, ERR_DATABASE_UNAVAILABLE);
        assert_true(err.retry_after_ms > 0 && err.retry_after_ms <= 5000);
        refused += !*db_connection_problem(connection); /* nothing new: it was not tried */
    }
    assert_true(refused > 0);
    assert_int_equal(proxy_accepted(proxy), 50 - refused);
    proxy_freep(&proxy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_connection_closed_while_idle_is_replaced_unnoticed),
        cmocka_unit_test(test_a_backend_that_dies_at_work),
        cmocka_unit_test(test_a_changed_table_makes_statements_anew),
        cmocka_unit_test(test_lost_statements_are_made_anew),
        cmocka_unit_test(test_a_dropped_table_fails_its_users_until_it_is_back),
        cmocka_unit_test(test_an_answer_lost_after_the_commit_is_unknown),
        cmocka_unit_test(test_a_cut_anywhere_towards_the_client_is_told_truly),
        cmocka_unit_test(test_a_cut_anywhere_towards_the_server_is_told_truly),
        cmocka_unit_test(test_segments_behind_the_break_are_lost),
        cmocka_unit_test(test_a_silent_server_counts_as_dead),
        cmocka_unit_test(test_a_commit_without_its_standby_is_unknown),
        cmocka_unit_test(test_attempts_wait_for_the_back_off),
    };
    return cmocka_run_group_tests_name("db recover", tests, fixture_create, fixture_destroy);
}
