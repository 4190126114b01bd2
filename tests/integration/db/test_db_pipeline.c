/* Many segments in a round trip: each its own transaction, in order, whatever their size or fate. */
#include "fixture.h"

static const struct db_statement ECHO = {.name = "echo", .sql = "select $1::text as said"};
static const struct db_statement INSERT = {
    .name = "insert",
    .sql = "insert into item (id) values ($1) returning id",
};

/* The statements' table is made before they are prepared. */
static struct db_connection *connect_with_table(const struct db_statement *statements, unsigned count)
{
    CONNECTION first = fixture_connect(NULL, 0);
    fixture_run(first, "drop table if exists item; create table item (id int primary key,"
                       " buddy int references item (id) deferrable initially deferred)");
    return fixture_connect(statements, count);
}

static void test_each_segment_has_its_own_answer_in_order(void **state UNUSED)
{
    enum { COUNT = 3 * DB_PIPELINE_DEPTH };
    static char texts[COUNT][8];
    static struct db_value values[COUNT];
    static struct db_query queries[COUNT];
    static struct db_segment segments[COUNT];
    CONNECTION connection = fixture_connect(&ECHO, 1);
    for (int i = 0; i < COUNT; i++) {
        snprintf(texts[i], sizeof(texts[i]), "%d", i);
        values[i] = (struct db_value)TEXT(texts[i]);
        queries[i] = (struct db_query){.statement = &ECHO, .values = &values[i], .value_count = 1};
        segments[i] = (struct db_segment){.queries = &queries[i], .query_count = 1};
    }
    struct err err = {0};
    assert_int_equal(db_pipeline(connection, segments, COUNT, &err), 0);
    for (int i = 0; i < COUNT; i++) {
        size_t length;
        assert_int_equal(segments[i].state, DB_SEGMENT_DONE);
        assert_string_equal(db_result_data(queries[i].result, 0, 0, &length), texts[i]);
    }
}

static void test_an_error_rolls_back_its_segment_and_no_other(void **state UNUSED)
{
    const struct db_statement statements[] = {ECHO, INSERT};
    CONNECTION connection = connect_with_table(statements, 2);
    struct db_segment segments[] = {
        SEGMENT(QUERY(&INSERT, TEXT("1"))),
        SEGMENT(QUERY(&INSERT, TEXT("2")), QUERY(&INSERT, TEXT("1")), QUERY(&INSERT, TEXT("3"))),
        SEGMENT(QUERY(&INSERT, TEXT("4"))),
    };
    struct err err = {0};
    assert_int_equal(db_pipeline(connection, segments, 3, &err), 0);
    assert_int_equal(segments[0].state, DB_SEGMENT_DONE);
    assert_int_equal(segments[1].state, DB_SEGMENT_FAILED);
    assert_int_equal(segments[2].state, DB_SEGMENT_DONE);
    assert_string_equal(segments[1].failure.sqlstate, "23505");
    assert_string_equal(segments[1].failure.constraint, "item_pkey");
    assert_int_equal(db_result_int(segments[1].queries[0].result, 0, 0), 2); /* read before it failed */
    assert_null(segments[1].queries[1].result);
    assert_null(segments[1].queries[2].result);
    assert_int_equal(fixture_int(connection, "select sum(id) from item"), 5);
}

/* A deferred constraint fails at the sync, where there is no query to blame. */
static void test_an_error_at_commit_fails_the_segment(void **state UNUSED)
{
    const struct db_statement orphan = {.name = "orphan",
                                        .sql = "insert into item (id, buddy) values ($1, 99)"};
    const struct db_statement statements[] = {orphan, INSERT};
    CONNECTION connection = connect_with_table(statements, 2);
    struct db_segment segments[] = {
        SEGMENT(QUERY(&INSERT, TEXT("1"))),
        SEGMENT(QUERY(&orphan, TEXT("2"))),
        SEGMENT(QUERY(&INSERT, TEXT("3"))),
    };
    struct err err = {0};
    assert_int_equal(db_pipeline(connection, segments, 3, &err), 0);
    assert_int_equal(segments[0].state, DB_SEGMENT_DONE);
    assert_int_equal(segments[1].state, DB_SEGMENT_FAILED);
    assert_string_equal(segments[1].failure.sqlstate, "23503");
    assert_int_equal(segments[2].state, DB_SEGMENT_DONE);
    assert_int_equal(fixture_int(connection, "select sum(id) from item"), 4);
}

/* 80 MB out and 80 MB in at once: more than all socket buffers, in both directions. */
static void test_large_values_both_ways_do_not_deadlock(void **state UNUSED)
{
    enum { COUNT = 8, SIZE = 10 * 1024 * 1024 };
    CONNECTION connection = fixture_connect(&ECHO, 1);
    char *text = malloc(SIZE + 1);
    assert_non_null(text);
    memset(text, 'x', SIZE);
    text[SIZE] = '\0';
    struct db_value value = TEXT(text);
    struct db_query queries[COUNT];
    struct db_segment segments[COUNT];
    for (int i = 0; i < COUNT; i++) {
        queries[i] = (struct db_query){.statement = &ECHO, .values = &value, .value_count = 1};
        segments[i] = (struct db_segment){.queries = &queries[i], .query_count = 1};
    }
    struct err err = {0};
    assert_int_equal(db_pipeline(connection, segments, COUNT, &err), 0);
    for (int i = 0; i < COUNT; i++) {
        size_t length;
        assert_int_equal(segments[i].state, DB_SEGMENT_DONE);
        assert_memory_equal(db_result_data(queries[i].result, 0, 0, &length), text, SIZE);
        assert_int_equal(length, SIZE);
    }
    free(text);
}

static void test_a_statement_the_schema_refuses_fails_only_its_users(void **state UNUSED)
{
    const struct db_statement wrong = {.name = "wrong", .sql = "select no_such_column from pg_class"};
    const struct db_statement statements[] = {wrong, ECHO};
    CONNECTION connection = fixture_connect(statements, 2);
    struct db_segment segments[] = {SEGMENT(QUERY(&ECHO, TEXT("a"))), SEGMENT({.statement = &wrong}),
                                    SEGMENT(QUERY(&ECHO, TEXT("b")))};
    struct err err = {0};
    assert_int_equal(db_connection_ensure(connection, &err), 0);
    assert_non_null(strstr(db_connection_problem(connection), "no_such_column"));
    assert_string_equal(db_connection_problem(connection), "");
    assert_int_equal(db_pipeline(connection, segments, 3, &err), 0);
    assert_int_equal(segments[0].state, DB_SEGMENT_DONE);
    assert_int_equal(segments[1].state, DB_SEGMENT_FAILED);
    assert_int_equal(segments[2].state, DB_SEGMENT_DONE);
    assert_int_equal(db_failure_to_err(&segments[1].failure, &err), -1);
    assert_null(strstr(err.message, "no_such_column")); /* never to a caller */
}

static void test_values_read_as_text(void **state UNUSED)
{
    static const struct {
        const char *sql;
        const char *text;
    } cases[] = {
        {"0::numeric", "0"}, {"0.00::numeric", "0.00"}, {"-1.5::numeric", "-1.5"},
        {"0.0001::numeric", "0.0001"},
        {"0.000000001::numeric", "0.000000001"}, {"10000::numeric", "10000"},
        {"100000000.10::numeric", "100000000.10"},
        {"12345678901234567890.123456789::numeric", "12345678901234567890.123456789"},
        {"-0.05::numeric(5,3)", "-0.050"}, {"'NaN'::numeric", "NaN"}, {"'-infinity'::numeric", "-Infinity"},
        {"1e20::numeric", "100000000000000000000"}, {"true", "true"}, {"(-7)::int2", "-7"},
        {"(-2147483648)::int4", "-2147483648"}, {"9223372036854775807::int8", "9223372036854775807"},
        {"0.1::float8", "0.1"}, {"0.1::float4", "0.1"}, {"1e300::float8", "1e+300"}, {"'NaN'::float8", "nan"},
        {"'2026-03-01T12:00:00.5+02'::timestamptz", "2026-03-01T10:00:00.500000Z"},
        {"'1969-12-31T23:59:59Z'::timestamptz", "1969-12-31T23:59:59.000000Z"},
        {"'infinity'::timestamptz", "infinity"}, {"'1999-12-31'::date", "1999-12-31"},
        {"'-infinity'::date", "-infinity"},
        {"'2026-03-01T22:30:00-05'::timestamptz::date", "2026-03-02"}, /* the session is in UTC */
        {"'0190163D-8694-739B-AEA5-966C26F8AD91'::uuid", "0190163d-8694-739b-aea5-966c26f8ad91"},
        {"'{\"a\":[1]}'::jsonb", "{\"a\": [1]}"}, {"'{\"a\":[1]}'::json", "{\"a\":[1]}"}, {"'é'::text", "é"},
        {"''::varchar", ""},
    };
    CONNECTION connection = fixture_connect(NULL, 0);
    CLEANUP(arena_release) struct arena arena;
    arena_init(&arena, 64 * 1024);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char sql[128];
        char *text = NULL;
        struct err err = {0};
        snprintf(sql, sizeof(sql), "select %s, null::text", cases[i].sql);
        struct db_statement statement = {.sql = sql};
        struct db_query query = {.statement = &statement};
        assert_int_equal(db_query(connection, &query, 1, NULL, &err), 0);
        assert_true(db_result_text(query.result, 0, 0, &arena, &text));
        assert_string_equal(text, cases[i].text);
        assert_true(db_result_text(query.result, 0, 1, &arena, &text));
        assert_null(text);
    }
}

static void test_values_read_as_numbers(void **state UNUSED)
{
    const struct db_statement statement = {
        .sql = "select '1970-01-02'::date, '1970-01-01T00:00:01Z'::timestamptz, '-infinity'::timestamptz,"
               " null::int4, 2.5::numeric, (-0.25)::float4, 42::int2, 4294967295::oid, $1::int8, $2::bytea",
    };
    const struct db_value values[] = {{.data = "\0\0\0\0\0\0\1\0", .length = 8, .format = 1},
                                      {.data = "a\0b", .length = 3, .format = 1}};
    CONNECTION connection = fixture_connect(NULL, 0);
    struct db_query query = {.statement = &statement, .values = values, .value_count = 2};
    struct err err = {0};
    size_t length;
    assert_int_equal(db_query(connection, &query, 1, NULL, &err), 0);
    const struct db_result *result = query.result;
    assert_int_equal(db_result_int(result, 0, 0), 1);
    assert_int_equal(db_result_int(result, 0, 1), 1000000);
    assert_true(db_result_int(result, 0, 2) == INT64_MIN);
    assert_true(db_result_is_null(result, 0, 3));
    assert_int_equal(db_result_int(result, 0, 3), 0);
    assert_true(db_result_double(result, 0, 4) == 2.5);
    assert_true(db_result_double(result, 0, 5) == -0.25);
    assert_true(db_result_double(result, 0, 6) == 42);
    assert_int_equal(db_result_int(result, 0, 7), 4294967295);
    assert_int_equal(db_result_int(result, 0, 8), 256);
    assert_memory_equal(db_result_data(result, 0, 9, &length), "a\0b", 3);
    assert_int_equal(length, 3);
}

static void test_a_description_names_parameters_and_columns(void **state UNUSED)
{
    const struct db_statement statement = {.name = "d",
                                           .sql = "select $1::uuid as id, 1::int8 as n where $2::date is null"};
    const struct db_statement wrong = {.name = "w", .sql = "select nonsense"};
    CONNECTION connection = fixture_connect(&statement, 1);
    CLEANUP(arena_release) struct arena arena;
    struct db_description description;
    struct err err = {0};
    arena_init(&arena, 4096);
    assert_int_equal(db_describe(connection, &statement, &arena, &description, &err), 0);
    assert_int_equal(description.parameter_count, 2);
    assert_int_equal(description.parameter_types[1], DB_DATE);
    assert_int_equal(description.column_count, 2);
    assert_string_equal(description.column_names[1], "n");
    assert_int_equal(description.column_types[0], DB_UUID);
    assert_int_equal(db_describe(connection, &wrong, &arena, &description, &err), -1);
    assert_int_equal(err.reason, ERR_INTERNAL);
    assert_non_null(strstr(db_connection_problem(connection), "nonsense"));
}

static void test_session_sql_holds_for_the_session(void **state UNUSED)
{
    CONNECTION connection = db_connection_new(&(struct db_options){
        .url = fixture_url(NULL),
        .application_name = "isms-test",
        .session_sql = "set default_transaction_read_only = on",
    });
    struct db_failure failure;
    struct err err = {0};
    struct db_statement write = {.sql = "create table forbidden ()"};
    struct db_query query = {.statement = &write};
    assert_int_equal(db_query(connection, &query, 1, &failure, &err), -1);
    assert_string_equal(failure.sqlstate, "25006");
    assert_int_equal(fixture_int(connection, "select current_setting('application_name') = 'isms-test'"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_segment_has_its_own_answer_in_order),
        cmocka_unit_test(test_an_error_rolls_back_its_segment_and_no_other),
        cmocka_unit_test(test_an_error_at_commit_fails_the_segment),
        cmocka_unit_test(test_large_values_both_ways_do_not_deadlock),
        cmocka_unit_test(test_a_statement_the_schema_refuses_fails_only_its_users),
        cmocka_unit_test(test_values_read_as_text),
        cmocka_unit_test(test_values_read_as_numbers),
        cmocka_unit_test(test_a_description_names_parameters_and_columns),
        cmocka_unit_test(test_session_sql_holds_for_the_session),
    };
    return cmocka_run_group_tests_name("db pipeline", tests, fixture_create, fixture_destroy);
}
