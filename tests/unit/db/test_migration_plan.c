/* Which migrations isms-migrate would apply, and which histories it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "plan.h"

#define FILE_OF(path, sql) {path, sql, sizeof(sql) - 1}
#define FILES_END {NULL, NULL, 0}

static const struct embedded_file files[] = {
    FILE_OF("core/migrations/001_core.sql", "select 1"),
    FILE_OF("core/migrations/002_more.sql", "-- isms: no transaction\nselect 2"),
    FILE_OF("inputs/migrations/001_inputs.sql", "select 3"),
    FILES_END,
};

static void plan_make(struct arena *arena, struct plan *ret_plan)
{
    struct err err = {0};
    arena_init(arena, 64 * 1024);
    assert_int_equal(plan_read(files, arena, ret_plan, &err), 0);
}

static struct migration_applied applied_of(const struct plan *plan, unsigned index)
{
    const struct migration *migration = &plan->migrations[index];
    return (struct migration_applied){migration->schema, migration->number, migration->name, migration->sha256};
}

static void test_files_become_migrations_in_their_order(void **state UNUSED)
{
    CLEANUP(arena_release) struct arena arena;
    struct plan plan;
    plan_make(&arena, &plan);
    assert_int_equal(plan.count, 3);
    assert_string_equal(plan.migrations[1].schema, "core");
    assert_int_equal(plan.migrations[1].number, 2);
    assert_string_equal(plan.migrations[1].name, "002_more.sql");
    assert_true(plan.migrations[0].in_transaction);
    assert_false(plan.migrations[1].in_transaction);
    /* printf 'select 1' | sha256sum */
    assert_string_equal(plan.migrations[0].sha256,
                        "822ae07d4783158bc1912bb623e5107cc9002d519e1143a9c200ed6ee18b6d0f");
    assert_int_equal(plan_pending(&plan), 3);
}

static void test_names_and_numbers_that_do_not_fit_are_refused(void **state UNUSED)
{
    static const char *const tables[][2] = {
        {"core/migrations/002_late.sql", NULL}, /* no 001 */
        {"core/migrations/001_a.sql", "core/migrations/003_c.sql"},
        {"core/migrations/001_a.sql", "core/migrations/001_b.sql"},
        {"core/migrations/1_a.sql", NULL},
        {"core/migrations/0001_a.sql", NULL},
        {"core/migrations/001-a.sql", NULL},
        {"core/migrations/001_a.txt", NULL},
        {"core/migrations/001_.sql", NULL},
        {"core/migrations/-01_a.sql", NULL},
        {"core/001_a.sql", NULL},
        {"001_a.sql", NULL},
        {"Core/migrations/001_a.sql", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        const struct embedded_file table[] = {{tables[i][0], "", 0}, {tables[i][1], "", 0}, FILES_END};
        CLEANUP(arena_release) struct arena arena;
        struct plan plan;
        struct err err = {0};
        arena_init(&arena, 64 * 1024);
        if (plan_read(table, &arena, &plan, &err) == 0)
            fail_msg("accepted: %s %s", tables[i][0], tables[i][1] ? tables[i][1] : "");
        assert_non_null(strstr(err.message, tables[i][1] ? tables[i][1] : tables[i][0]));
    }
}

static void test_what_was_applied_is_not_pending(void **state UNUSED)
{
    CLEANUP(arena_release) struct arena arena;
    struct plan plan;
    struct err err = {0};
    plan_make(&arena, &plan);
    const struct migration_applied applied[] = {applied_of(&plan, 0), applied_of(&plan, 2)};
    assert_int_equal(plan_compare(&plan, applied, 2, &err), 0);
    assert_int_equal(plan_pending(&plan), 1);
    assert_false(plan.migrations[1].applied);
}

static void test_a_changed_file_is_refused(void **state UNUSED)
{
    CLEANUP(arena_release) struct arena arena;
    struct plan plan;
    struct err err = {0};
    plan_make(&arena, &plan);
    struct migration_applied applied = applied_of(&plan, 0);
    applied.sha256 = plan.migrations[1].sha256;
    assert_int_equal(plan_compare(&plan, &applied, 1, &err), -1);
    assert_string_equal(err.message, "core/migrations/001_core.sql was changed after it was applied");
}

static void test_a_file_older_than_an_applied_one_is_refused(void **state UNUSED)
{
    CLEANUP(arena_release) struct arena arena;
    struct plan plan;
    struct err err = {0};
    plan_make(&arena, &plan);
    const struct migration_applied applied = applied_of(&plan, 1);
    assert_int_equal(plan_compare(&plan, &applied, 1, &err), -1);
    assert_string_equal(err.message, "core/migrations/001_core.sql is older than one that was applied");
}

static void test_a_database_ahead_of_the_files_is_refused(void **state UNUSED)
{
    CLEANUP(arena_release) struct arena arena;
    struct plan plan;
    struct err err = {0};
    plan_make(&arena, &plan);
    const struct migration_applied applied = {"core", 3, "003_future.sql", plan.migrations[0].sha256};
    assert_int_equal(plan_compare(&plan, &applied, 1, &err), -1);
    assert_non_null(strstr(err.message, "core/migrations/003_future.sql"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_become_migrations_in_their_order),
        cmocka_unit_test(test_names_and_numbers_that_do_not_fit_are_refused),
        cmocka_unit_test(test_what_was_applied_is_not_pending),
        cmocka_unit_test(test_a_changed_file_is_refused),
        cmocka_unit_test(test_a_file_older_than_an_applied_one_is_refused),
        cmocka_unit_test(test_a_database_ahead_of_the_files_is_refused),
    };
    return cmocka_run_group_tests_name("db migration plan", tests, NULL, NULL);
}
