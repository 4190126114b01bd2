/* Explicit transactions, cancelling, scripts, and the check of the schema's version. */
#include "fixture.h"
#include "proxy.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <isms/db/schema.h>

#define PROXY CLEANUP(proxy_freep) struct proxy *

static const struct db_statement INSERT = {.name = "insert", .sql = "insert into item (id) values ($1)"};
static const struct db_statement READ = {.name = "read", .sql = "select * from item"};
static const struct db_statement SLEEP = {.name = "sleep", .sql = "select pg_sleep(60)"};
static struct db_statement statements[3];

static struct db_connection *start(void)
{
    struct db_connection *direct = fixture_connect(NULL, 0);
    fixture_run(direct, "drop table if exists item; create table item (id int primary key,"
                       " buddy int references item (id) deferrable initially deferred)");
    statements[0] = INSERT;
    statements[1] = READ;
    statements[2] = SLEEP;
    return direct;
}

static int64_t rows(struct db_connection *direct)
{
    return fixture_int(direct, "select count(*) from item");
}

static void insert(struct db_connection *connection, const char *id)
{
    struct db_query query = QUERY(&INSERT, TEXT(id));
    struct err err = {0};
    assert_int_equal(db_query(connection, &query, 1, NULL, &err), 0);
}

static void begin(struct db_connection *connection)
{
    struct err err = {0};
    assert_int_equal(db_begin(connection, "read committed", false, &err), 0);
}

static void test_a_commit_makes_all_of_it_visible_at_once(void **state UNUSED)
{
    CONNECTION direct = start();
    CONNECTION connection = fixture_connect(statements, 3);
    struct err err = {0};
    begin(connection);
    insert(connection, "1");
    insert(connection, "2");
    assert_int_equal(rows(direct), 0);
    assert_int_equal(db_commit(connection, NULL, &err), 0);
    assert_int_equal(rows(direct), 2);
}

static void test_a_rollback_leaves_nothing(void **state UNUSED)
{
    CONNECTION direct = start();
    CONNECTION connection = fixture_connect(statements, 3);
    begin(connection);
    insert(connection, "1");
    db_rollback(connection);
    assert_int_equal(rows(direct), 0);
    insert(connection, "1"); /* without db_begin() it is a transaction of its own */
    assert_int_equal(rows(direct), 1);
}

static void test_an_empty_transaction_is_none(void **state UNUSED)
{
    CONNECTION direct = start();
    CONNECTION connection = fixture_connect(statements, 3);
    struct err err = {0};
    begin(connection);
    assert_int_equal(db_commit(connection, NULL, &err), 0);
    begin(connection);
    db_rollback(connection);
    insert(connection, "1");
    assert_int_equal(rows(direct), 1);
}

static void test_isolation_is_what_was_asked_for(void **state UNUSED)
{
    CONNECTION direct = start();
    CONNECTION connection = fixture_connect(statements, 3);
    struct err err = {0};
    struct db_failure failure;
    assert_int_equal(db_begin(connection, "repeatable read", true, &err), 0);
    assert_int_equal(rows(connection), 0);
    fixture_run(direct, "insert into item values (1)");
    assert_int_equal(rows(connection), 0);
    struct db_query query = QUERY(&INSERT, TEXT("2"));
    assert_int_equal(db_query(connection, &query, 1, &failure, &err), -1);
    assert_string_equal(failure.sqlstate, "25006");
    db_rollback(connection);
    assert_int_equal(rows(connection), 1);
}

static void test_a_failed_query_fails_the_commit(void **state UNUSED)
{
    CONNECTION direct = start();
    CONNECTION connection = fixture_connect(statements, 3);
    struct db_query twice[] = {QUERY(&INSERT, TEXT("2")), QUERY(&INSERT, TEXT("1"))};
    struct db_failure failure = {0};
    struct err err = {0};
    begin(connection);
    insert(connection, "1");
    assert_int_equal(db_query(connection, twice, 2, &failure, &err), -1);
    assert_string_equal(failure.constraint, "item_pkey");
    assert_int_equal(err.reason, ERR_ALREADY_EXISTS);
    assert_int_equal(db_commit(connection, &failure, &err), -1);
    assert_string_equal(failure.sqlstate, "23505");
    assert_int_equal(rows(direct), 0);
    insert(connection, "1");
}

static void test_a_constraint_that_fails_at_commit_is_reported(void **state UNUSED)
{
    CONNECTION direct = start();
    CONNECTION connection = fixture_connect(statements, 3);
    struct db_failure failure = {0};
    struct err err = {0};
    begin(connection);
    fixture_run(connection, "insert into item values (1, 99)");
    assert_int_equal(db_commit(connection, &failure, &err), -1);
    assert_string_equal(failure.sqlstate, "23503");
    assert_int_equal(err.reason, ERR_REFERENCE_INVALID);
    assert_int_equal(rows(direct), 0);
}

static void test_a_lost_commit_is_unknown_and_a_lost_query_is_not(void **state UNUSED)
{
    CONNECTION direct = start();
    PROXY proxy = proxy_new(fixture_host(), fixture_port());
    CONNECTION connection = fixture_connect_to(fixture_url(proxy_address(proxy)), statements, 3);
    struct db_query query = QUERY(&INSERT, TEXT("2"));
    struct err err = {0};
    begin(connection);
    insert(connection, "1");
    proxy_cut(proxy, PROXY_TO_CLIENT, 0);
    assert_int_equal(db_commit(connection, NULL, &err), -1);
    assert_int_equal(err.reason, ERR_OUTCOME_UNKNOWN);
    fixture_wait(direct, "select count(*) = 1 from item");

    begin(connection);
    proxy_cut(proxy, PROXY_TO_CLIENT, 0);
    assert_int_equal(db_query(connection, &query, 1, NULL, &err), -1);
    assert_int_equal(err.reason, ERR_DATABASE_UNAVAILABLE);
    assert_int_equal(db_query(connection, &query, 1, NULL, &err), -1); /* not on a new connection, unnoticed */
    assert_int_equal(db_connection_ensure(connection, &err), -1);
    assert_int_equal(db_commit(connection, NULL, &err), -1);
    assert_int_equal(err.reason, ERR_DATABASE_UNAVAILABLE);

    proxy_cut(proxy, PROXY_TO_CLIENT, 1 << 20);
    assert_int_equal(db_connection_ensure(connection, &err), 0);
    proxy_cut(proxy, PROXY_TO_CLIENT, 0);
    assert_int_equal(db_query(connection, &query, 1, NULL, &err), -1); /* alone it is a commit as well */
    assert_int_equal(err.reason, ERR_OUTCOME_UNKNOWN);
}

static void test_stale_statements_are_repeated_where_that_is_safe(void **state UNUSED)
{
    CONNECTION direct = start();
    CONNECTION connection = fixture_connect(statements, 3);
    struct db_query queries[] = {QUERY(&INSERT, TEXT("1")), {.statement = &READ}};
    struct err err = {0};
    assert_int_equal(db_connection_ensure(connection, &err), 0);
    fixture_run(direct, "alter table item add column extra int");
    begin(connection);
    assert_int_equal(db_query(connection, queries, 2, NULL, &err), 0);
    assert_int_equal(db_result_rows(queries[1].result), 1);
    assert_int_equal(db_commit(connection, NULL, &err), 0);
    assert_int_equal(rows(direct), 1);

    fixture_run(direct, "alter table item add column more int");
    begin(connection);
    insert(connection, "2");
    assert_int_equal(db_query(connection, &queries[1], 1, NULL, &err), -1);
    assert_int_equal(err.reason, ERR_CONFLICT);
    db_rollback(connection);
    begin(connection);
    insert(connection, "2");
    assert_int_equal(db_query(connection, &queries[1], 1, NULL, &err), 0);
    assert_int_equal(db_commit(connection, NULL, &err), 0);
    assert_int_equal(rows(direct), 2);
}

struct caller {
    struct db_connection *direct;
    int wake_fd;
    atomic_bool gone;
    atomic_int asked;
};

static bool caller_is_gone(void *context)
{
    struct caller *caller = context;
    atomic_fetch_add(&caller->asked, 1);
    return atomic_load(&caller->gone);
}

/* Leaves once the statement is seen to run. */
static void *caller_main(void *context)
{
    struct caller *caller = context;
    fixture_wait(caller->direct, "select count(*) = 1 from pg_stat_activity where query = 'select pg_sleep(60)'"
                                 " and state = 'active' and datname = current_database()");
    atomic_store(&caller->gone, true);
    if (caller->wake_fd >= 0)
        eventfd_write(caller->wake_fd, 1);
    return NULL;
}

static void cancel(int wake_fd)
{
    CONNECTION direct = start();
    CONNECTION connection = fixture_connect(statements, 3);
    struct caller caller = {.direct = direct, .wake_fd = wake_fd};
    struct db_query query = {.statement = &SLEEP};
    struct err err = {0};
    pthread_t thread;
    begin(connection);
    insert(connection, "1");
    db_connection_watch(connection, wake_fd, caller_is_gone, &caller);
    pthread_create(&thread, NULL, caller_main, &caller);
    assert_int_equal(db_query(connection, &query, 1, NULL, &err), -1);
    pthread_join(thread, NULL);
    assert_int_equal(err.reason, ERR_CANCELLED);
    db_connection_watch(connection, -1, NULL, NULL);
    db_rollback(connection);
    assert_int_equal(rows(direct), 0);
    fixture_wait(direct, "select count(*) = 0 from pg_stat_activity where wait_event = 'PgSleep' and"
                         " application_name = 'isms-test' and datname = current_database()");
    insert(connection, "1");
}

static void test_a_caller_that_leaves_cancels_its_statement(void **state UNUSED)
{
    fixture_url(NULL);
    int wake_fd = eventfd(0, EFD_CLOEXEC);
    cancel(wake_fd);
    close(wake_fd);
}

static void test_a_caller_without_a_descriptor_is_asked_now_and_then(void **state UNUSED)
{
    cancel(-1);
}

/* A descriptor that stays readable although nobody left must not become a busy loop. */
static void test_a_noisy_descriptor_is_not_asked_all_the_time(void **state UNUSED)
{
    CONNECTION connection = fixture_connect(NULL, 0);
    struct caller caller = {.wake_fd = eventfd(1, EFD_CLOEXEC)};
    db_connection_watch(connection, caller.wake_fd, caller_is_gone, &caller);
    assert_int_equal(fixture_int(connection, "select 1 from pg_sleep(0.3)"), 1);
    assert_true(atomic_load(&caller.asked) > 0);
    assert_true(atomic_load(&caller.asked) < 100);
    close(caller.wake_fd);
}

static void test_statement_timeout_is_the_deadline(void **state UNUSED)
{
    CONNECTION direct = start();
    CONNECTION connection = fixture_connect(statements, 3);
    const struct db_statement limit = {.sql = "select set_config('statement_timeout', '50', true)"};
    struct db_query queries[] = {{.statement = &limit}, {.statement = &SLEEP}};
    struct err err = {0};
    assert_int_equal(db_query(connection, queries, 2, NULL, &err), -1);
    assert_int_equal(err.reason, ERR_DEADLINE_EXCEEDED);
}

static void test_a_script_is_all_or_nothing(void **state UNUSED)
{
    CONNECTION direct = start();
    struct db_failure failure = {0};
    struct err err = {0};
    assert_int_equal(db_execute_script(direct, "insert into item values (1); insert into item values (1)",
                                       &failure,
                                       &err), -1);
    assert_string_equal(failure.sqlstate, "23505");
    assert_int_equal(db_execute_script(direct, "begin; insert into item values (1); select 1/0", &failure,
                                       &err), -1);
    assert_int_equal(rows(direct), 0);
    begin(direct);
    assert_int_equal(db_execute_script(direct, "insert into item values (1); commit", &failure, &err), -1);
    assert_string_equal(failure.sqlstate, "25P01");
    db_rollback(direct);
    assert_int_equal(fixture_int(direct, "select 1"), 1);
}

static void test_the_schema_must_be_the_one_known(void **state UNUSED)
{
    CONNECTION direct = start();
    const struct schema_version expected[] = {{"core", 2}, {"reviews", 1}};
    struct err err = {0};
    assert_int_equal(schema_check(direct, expected, 2, &err), -1);
    assert_int_equal(err.reason, ERR_DATABASE_UNAVAILABLE);
    assert_non_null(strstr(err.message, "core is at migration 0"));
    fixture_run(direct, "create schema migration; create table migration.applied (schema text, number int);"
                        "insert into migration.applied values ('core', 1), ('core', 2), ('reviews', 1)");
    assert_int_equal(schema_check(direct, expected, 2, &err), 0);
    fixture_run(direct, "insert into migration.applied values ('reviews', 2)");
    assert_int_equal(schema_check(direct, expected, 2, &err), -1);
    assert_non_null(strstr(err.message, "reviews is at migration 2"));
    fixture_run(direct, "drop schema migration cascade");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_commit_makes_all_of_it_visible_at_once),
        cmocka_unit_test(test_a_rollback_leaves_nothing),
        cmocka_unit_test(test_an_empty_transaction_is_none),
        cmocka_unit_test(test_isolation_is_what_was_asked_for),
        cmocka_unit_test(test_a_failed_query_fails_the_commit),
        cmocka_unit_test(test_a_constraint_that_fails_at_commit_is_reported),
        cmocka_unit_test(test_a_lost_commit_is_unknown_and_a_lost_query_is_not),
        cmocka_unit_test(test_stale_statements_are_repeated_where_that_is_safe),
        cmocka_unit_test(test_a_caller_that_leaves_cancels_its_statement),
        cmocka_unit_test(test_a_caller_without_a_descriptor_is_asked_now_and_then),
        cmocka_unit_test(test_a_noisy_descriptor_is_not_asked_all_the_time),
        cmocka_unit_test(test_statement_timeout_is_the_deadline),
        cmocka_unit_test(test_a_script_is_all_or_nothing),
        cmocka_unit_test(test_the_schema_must_be_the_one_known),
    };
    return cmocka_run_group_tests_name("db transaction", tests, fixture_create, fixture_destroy);
}
