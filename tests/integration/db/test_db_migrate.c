/* isms-migrate against a real server: once, twice, at once, and against a history that does not fit. */
#include "fixture.h"

#include <pthread.h>
#include <stdio.h>

#include "migrate.h"

#define FILE_OF(path, sql) {path, sql, sizeof(sql) - 1}
#define FILES_END {NULL, NULL, 0}

static const struct embedded_file files[] = {
    FILE_OF("core/migrations/001_first.sql", "create schema first; create table first.item (id int);"),
    FILE_OF("core/migrations/002_second.sql",
            "insert into first.item values (1); insert into first.item values (2)"),
    FILE_OF("inputs/migrations/001_index.sql",
            "-- isms: no transaction\ncreate index concurrently on first.item (id)"),
    FILES_END,
};

static struct db_connection *start(void)
{
    struct db_connection *direct = fixture_connect(NULL, 0);
    fixture_run(direct, "drop schema if exists migration cascade; drop schema if exists first cascade");
    return direct;
}

static int run(const struct embedded_file *table, enum migrate_command command, char *ret_text, size_t size,
               struct err *err)
{
    memset(ret_text, 0, size);
    FILE *out = fmemopen(ret_text, size, "w");
    int result = migrate(fixture_url(NULL), table, command, out, err);
    fclose(out);
    return result;
}

static void test_up_applies_each_file_once(void **state UNUSED)
{
    CONNECTION direct = start();
    char text[1024];
    struct err err = {0};
    assert_int_equal(run(files, MIGRATE_CHECK, text, sizeof(text), &err), -1);
    assert_string_equal(err.message, "3 of 3 migrations are pending");
    assert_int_equal(run(files, MIGRATE_DRY_RUN, text, sizeof(text), &err), 0);
    assert_non_null(strstr(text, "would apply core/migrations/002_second.sql\n"));
    assert_int_equal(fixture_int(direct, "select (to_regnamespace('migration') is null)::int"), 1);

    assert_int_equal(run(files, MIGRATE_UP, text, sizeof(text), &err), 0);
    assert_string_equal(text, "applied core/migrations/001_first.sql\napplied core/migrations/002_second.sql\n"
                              "applied inputs/migrations/001_index.sql\nup to date: 3 applied now, 3 in all\n");
    assert_int_equal(run(files, MIGRATE_UP, text, sizeof(text), &err), 0);
    assert_string_equal(text, "up to date: 0 applied now, 3 in all\n");
    assert_int_equal(run(files, MIGRATE_CHECK, text, sizeof(text), &err), 0);
    assert_int_equal(run(files, MIGRATE_STATUS, text, sizeof(text), &err), 0);
    assert_non_null(strstr(text, "applied inputs/migrations/001_index.sql\n"));
    assert_int_equal(fixture_int(direct, "select count(*) from first.item"), 2);
    fixture_wait(direct, "select has_table_privilege('pg_monitor', 'migration.applied', 'select')");
}

static void test_a_failing_file_leaves_nothing_and_is_continued_from(void **state UNUSED)
{
    static const struct embedded_file broken[] = {
        FILE_OF("core/migrations/001_first.sql", "create schema first; create table first.item (id int);"),
        FILE_OF("core/migrations/002_second.sql",
                "insert into first.item values (1);\ninsert into nonsense values (2)"),
        FILES_END,
    };
    CONNECTION direct = start();
    char text[1024];
    struct err err = {0};
    assert_int_equal(run(broken, MIGRATE_UP, text, sizeof(text), &err), -1);
    assert_string_equal(err.message,
                        "core/migrations/002_second.sql, line 2: relation \"nonsense\" does not exist"
                                     " (SQLSTATE 42P01)");
    assert_int_equal(fixture_int(direct, "select count(*) from first.item"), 0);
    assert_int_equal(run(files, MIGRATE_UP, text, sizeof(text), &err), 0);
    assert_non_null(strstr(text, "up to date: 2 applied now, 3 in all\n"));
}

static void test_a_file_that_commits_by_itself_is_refused(void **state UNUSED)
{
    static const struct embedded_file committing[] = {
        FILE_OF("core/migrations/001_first.sql", "create schema first; commit"),
        FILES_END,
    };
    CONNECTION direct = start();
    char text[1024];
    struct err err = {0};
    assert_int_equal(run(committing, MIGRATE_UP, text, sizeof(text), &err), -1);
    assert_non_null(strstr(err.message, "ended its transaction"));
}

static void test_history_that_does_not_fit_is_refused(void **state UNUSED)
{
    static const struct embedded_file changed[] = {
        FILE_OF("core/migrations/001_first.sql", "create schema first; create table first.item (id int); "),
        FILES_END,
    };
    static const struct embedded_file behind[] = {
        FILE_OF("core/migrations/001_first.sql", "create schema first; create table first.item (id int);"),
        FILES_END,
    };
    CONNECTION direct = start();
    char text[1024];
    struct err err = {0};
    assert_int_equal(run(files, MIGRATE_UP, text, sizeof(text), &err), 0);
    assert_int_equal(run(changed, MIGRATE_UP, text, sizeof(text), &err), -1);
    assert_string_equal(err.message, "core/migrations/001_first.sql was changed after it was applied");
    assert_int_equal(run(behind, MIGRATE_UP, text, sizeof(text), &err), -1);
    assert_non_null(strstr(err.message, "ahead of this program: it has core/migrations/002_second.sql"));
    fixture_run(direct, "delete from migration.applied where schema = 'core' and number = 1");
    assert_int_equal(run(files, MIGRATE_UP, text, sizeof(text), &err), -1);
    assert_string_equal(err.message, "core/migrations/001_first.sql is older than one that was applied");
    assert_int_equal(fixture_int(direct, "select count(*) from first.item"), 2);
}

static void *runner_main(void *context)
{
    char text[1024];
    struct err err = {0};
    *(int *)context = run(files, MIGRATE_UP, text, sizeof(text), &err);
    if (*(int *)context)
        fprintf(stderr, "%s\n", err.message);
    return NULL;
}

static void test_several_at_once_do_the_work_once(void **state UNUSED)
{
    enum { RUNNERS = 4 };
    CONNECTION direct = start();
    pthread_t threads[RUNNERS];
    int results[RUNNERS];
    for (int i = 0; i < RUNNERS; i++)
        pthread_create(&threads[i], NULL, runner_main, &results[i]);
    for (int i = 0; i < RUNNERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(results[i], 0);
    }
    assert_int_equal(fixture_int(direct, "select count(*) from first.item"), 2);
    assert_int_equal(fixture_int(direct, "select count(*) from migration.applied"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_up_applies_each_file_once),
        cmocka_unit_test(test_a_failing_file_leaves_nothing_and_is_continued_from),
        cmocka_unit_test(test_a_file_that_commits_by_itself_is_refused),
        cmocka_unit_test(test_history_that_does_not_fit_is_refused),
        cmocka_unit_test(test_several_at_once_do_the_work_once),
    };
    return cmocka_run_group_tests_name("db migrate", tests, fixture_create, fixture_destroy);
}
