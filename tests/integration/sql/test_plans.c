/* test_plans.c: every statement of the inputs service that only reads, on a database with enough rows of enough
 * organisations that the planner has a choice: each table that grows is reached by its tenant and by an index that
 * leads with it (tests/lib/plan_check.sql). tests/bench/run.sh large looks at the same on a database of full size. */
#include "database.h"

#include <stdio.h>
#include <string.h>

#include <isms/proto/sql_file.h>

enum { MEMORY_MAX = 32 * 1024 * 1024, TEXT_MAX = 64 * 1024, FAULTS_MAX = 4096 };

static void script_run(struct db_connection *connection, const char *text)
{
    struct db_failure failure = {0};
    struct err err = {0};
    if (db_execute_script(connection, text, &failure, &err) < 0)
        fail_msg("%s %s", err.message, failure.message);
}

static void file_run(struct db_connection *connection, const char *path, struct arena *arena)
{
    char full[512];
    snprintf(full, sizeof(full), "%s/%s", ISMS_SOURCE_DIR, path);
    FILE *file = fopen(full, "r");
    assert_non_null(file);
    char *text = arena_alloc(arena, TEXT_MAX);
    size_t length = fread(text, 1, TEXT_MAX - 1, file);
    fclose(file);
    assert_in_range(length, 1, TEXT_MAX - 2);
    script_run(connection, text);
}

static void database_fill(struct db_connection *connection)
{
    script_run(connection,
               "set session_replication_role = replica;"
               "select pg_temp.large_tenants(1, 30);"
               "select pg_temp.large_inputs(array(select tenant_id from core.sequence), 200, 60, false);"
               "insert into inputs.party (tenant_id, id, number, name)"
               " select tenant_id, gen_random_uuid(), 'IP-' || n, 'Party ' || n"
               " from core.sequence, generate_series(1, 100) n;"
               "select pg_temp.large_snapshots(array(select tenant_id from core.sequence), 20);"
               "insert into core.member (tenant_id, id, name)"
               " select tenant_id, gen_random_uuid(), 'Member ' || n from core.sequence, generate_series(1, 100) n;"
               "analyze");
}

/* Whatever is wrong with the statement's plan, one thing a line. */
static void plan_check(struct db_connection *connection, const struct sql_statement *statement, char *ret_faults)
{
    static const struct db_statement query_text = {
        .sql = "select coalesce(string_agg(f, E'\\n'), '') from pg_temp.plan_faults($1, $2, 'inputs') f"};
    char count[16];
    struct db_failure failure = {0};
    struct err err = {0};
    snprintf(count, sizeof(count), "%u", statement->parameter_count);
    struct db_query query = QUERY(&query_text, TEXT(statement->sql), TEXT(count));
    if (db_query(connection, &query, 1, &failure, &err) < 0) {
        snprintf(ret_faults, FAULTS_MAX, "%s", failure.message);
        return;
    }
    size_t length;
    const char *text = db_result_data(query.result, 0, 0, &length);
    snprintf(ret_faults, FAULTS_MAX, "%.*s", (int)length, text);
    db_results_clear(connection);
}

static unsigned file_faults(struct db_connection *connection, const struct sql_text *texts, const char *name)
{
    CLEANUP(sql_file_freep) struct sql_file *file = NULL;
    struct err err = {0};
    unsigned count = 0;
    if (sql_file_compile(texts, name, &file, &err) < 0)
        fail_msg("%s", err.message);
    if (file->answer_table)
        return 0; /* what changes data is about single rows, and tested where it is */
    for (unsigned i = 0; i < file->variant_count; i++) {
        char faults[FAULTS_MAX];
        plan_check(connection, &file->variants[i].statement, faults);
        if (faults[0]) {
            fprintf(stderr, "%s, variant %u: %s\n", name, i, faults);
            count++;
        }
    }
    return count;
}

static void an_organisation_s_questions_cost_the_same_beside_many_others(void **state UNUSED)
{
    struct arena arena CLEANUP(arena_release);
    struct sql_text *texts;
    struct err err = {0};
    unsigned faults = 0;
    arena_init(&arena, MEMORY_MAX);
    database_migrate();
    CONNECTION connection = fixture_connect(NULL, 0);
    file_run(connection, "tests/lib/large_inputs.sql", &arena);
    file_run(connection, "tests/lib/plan_check.sql", &arena);
    database_fill(connection);
    if (sql_folder_read(ISMS_SOURCE_DIR "/services/inputs/sql", &arena, &texts, &err) < 0)
        fail_msg("%s", err.message);
    for (const struct sql_text *text = texts; text->name; text++)
        if (!strchr(text->name, '.'))
            faults += file_faults(connection, texts, text->name);
    assert_int_equal(faults, 0);
}

/* The check itself: what it is there to find is found. */
static void a_plan_without_the_tenant_is_found(void **state UNUSED)
{
    struct arena arena CLEANUP(arena_release);
    char faults[FAULTS_MAX];
    arena_init(&arena, MEMORY_MAX);
    CONNECTION connection = fixture_connect(NULL, 0);
    file_run(connection, "tests/lib/plan_check.sql", &arena);
    script_run(connection, "set enable_indexscan = off; set enable_indexonlyscan = off; set enable_bitmapscan = off");
    plan_check(connection, &(struct sql_statement){.sql = "select count(*) from inputs.input"}, faults);
    assert_string_equal(faults, "reads all of input");
    script_run(connection, "reset enable_indexscan; set enable_seqscan = off; drop policy tenant on inputs.measurement;"
                           "create policy tenant on inputs.measurement using (true)");
    plan_check(connection,
               &(struct sql_statement){
                   .sql = "select from inputs.measurement where id > $1 order by tenant_id limit 1",
                   .parameter_count = 1},
               faults);
    assert_non_null(strstr(faults, "without the tenant"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_organisation_s_questions_cost_the_same_beside_many_others),
        cmocka_unit_test(a_plan_without_the_tenant_is_found),
    };
    return cmocka_run_group_tests(tests, fixture_create, fixture_destroy);
}
