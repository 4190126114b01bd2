/* test_input_diff.c: what the history of an input says of a write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <isms/base/buf.h>

#include <input_diff.h>

enum { MEMORY_MAX = 1024 * 1024 };

#define CREATED ISMS__INPUTS__V1__INPUT_CHANGE__OPERATION__OPERATION_CREATED
#define UPDATED ISMS__INPUTS__V1__INPUT_CHANGE__OPERATION__OPERATION_UPDATED
#define DELETED ISMS__INPUTS__V1__INPUT_CHANGE__OPERATION__OPERATION_DELETED
#define UNDELETED ISMS__INPUTS__V1__INPUT_CHANGE__OPERATION__OPERATION_UNDELETED

/* `expected` is one line a field: "path: from -> to\n". */
static void expect_diff(const char *before, const char *after, Isms__Inputs__V1__InputChange__Operation operation,
                        const char *expected)
{
    struct arena arena;
    struct err err = {0};
    struct input_diff diff;
    char text[4096];
    struct buf buf;
    arena_init(&arena, MEMORY_MAX);
    buf_init_fixed(&buf, text, sizeof(text));
    assert_int_equal(input_diff(before, after, &arena, &diff, &err), 0);
    for (size_t i = 0; i < diff.count; i++)
        buf_printf(&buf, "%s: %s -> %s\n", diff.fields[i]->path, diff.fields[i]->from, diff.fields[i]->to);
    assert_string_equal(buf.length ? buf.data : "", expected);
    assert_int_equal(diff.operation, operation);
    arena_release(&arena);
}

static void creation_tells_everything_there_is(void **state)
{
    (void)state;
    expect_diff("",
                "{\"id\": \"1\", \"kind\": \"RISK\", \"title\": \"T\", \"summary\": \"\", \"labels\": [\"a\", \"b\"],"
                " \"detail\": {\"risk\": {\"current\": {\"level\": 6}, \"novelty\": \"NEW\"}}, \"revision\": 1,"
                " \"tenant_id\": \"9\", \"create_time\": \"x\", \"update_time\": \"x\", \"delete_time\": null}",
                CREATED,
                "id:  -> 1\nkind:  -> RISK\ntitle:  -> T\nlabels[0]:  -> a\nlabels[1]:  -> b\n"
                "risk.current.level:  -> 6\nrisk.novelty:  -> NEW\n");
}

static void a_single_value_deep_inside_is_told_alone(void **state)
{
    (void)state;
    expect_diff("{\"revision\": 1, \"detail\": {\"risk\": {\"current\": {\"level\": 6, \"impact\": 2}}}}",
                "{\"revision\": 2, \"detail\": {\"risk\": {\"current\": {\"level\": 9, \"impact\": 2}}}}",
                UPDATED, "risk.current.level: 6 -> 9\n");
}

static void an_item_added_in_front_is_one_change(void **state)
{
    (void)state;
    expect_diff("{\"labels\": [\"a\", \"b\"]}", "{\"labels\": [\"new\", \"a\", \"b\"]}", UPDATED,
                "labels[0]:  -> new\n");
    expect_diff("{\"labels\": [\"a\", \"b\", \"c\"]}", "{\"labels\": [\"a\", \"c\"]}", UPDATED, "labels[1]: b -> \n");
    expect_diff("{\"labels\": [\"a\", \"a\"]}", "{\"labels\": [\"a\"]}", UPDATED, "labels[1]: a -> \n");
    expect_diff("{\"labels\": [\"a\", \"b\"]}", "{\"labels\": [\"b\", \"a\"]}", UPDATED,
                "labels[0]: a -> b\nlabels[1]: b -> a\n");
}

static void items_that_are_messages_are_compared_field_by_field(void **state)
{
    (void)state;
    expect_diff("{\"evidence\": [{\"uri\": \"u\", \"title\": \"A\"}, {\"title\": \"C\"}]}",
                "{\"evidence\": [{\"uri\": \"u\", \"title\": \"B\"}, {\"title\": \"C\"}, {\"title\": \"D\"}]}", UPDATED,
                "evidence[0].title: A -> B\nevidence[2].title:  -> D\n");
}

static void what_is_gone_is_told_with_what_it_was(void **state)
{
    (void)state;
    expect_diff("{\"owner_id\": \"1\", \"risk_impact\": {\"note\": \"n\", \"risk_ids\": [\"2\"]}}",
                "{\"owner_id\": null, \"risk_impact\": null}", UPDATED,
                "owner_id: 1 -> \nrisk_impact.note: n -> \nrisk_impact.risk_ids[0]: 2 -> \n");
    expect_diff("{\"detail\": {\"incident\": {\"personal_data_affected\": true, \"impact\": \"\"}}}",
                "{\"detail\": {\"incident\": {}}}", UPDATED, "incident.personal_data_affected: true -> \n");
}

static void deletion_and_its_undoing_are_operations(void **state)
{
    (void)state;
    expect_diff("{\"title\": \"T\", \"delete_time\": null}", "{\"title\": \"T\", \"delete_time\": \"2026\"}",
                DELETED, "");
    expect_diff("{\"title\": \"T\", \"delete_time\": \"2026\"}", "{\"title\": \"U\", \"delete_time\": null}", UNDELETED,
                "title: T -> U\n");
}

static void numbers_are_told_as_they_were_written(void **state)
{
    (void)state;
    expect_diff("{\"detail\": {\"metric\": {\"target\": {\"value\": 0.1}}}}",
                "{\"detail\": {\"metric\": {\"target\": {\"value\": 12.5, \"upper\": -3}}}}", UPDATED,
                "metric.target.value: 0.1 -> 12.5\nmetric.target.upper:  -> -3\n");
}

static void texts_of_other_scripts_and_lines_survive(void **state)
{
    (void)state;
    expect_diff("{\"title\": \"a\\nb\"}", "{\"title\": \"\xe5\xae\x89\xe5\x85\xa8 \xc3\xa9\"}", UPDATED,
                "title: a\nb -> \xe5\xae\x89\xe5\x85\xa8 \xc3\xa9\n");
}

static void what_is_no_row_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "[]", "{", "null", "{}x"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct arena arena;
        struct err err = {0};
        struct input_diff diff;
        arena_init(&arena, MEMORY_MAX);
        assert_int_equal(input_diff("", wrong[i], &arena, &diff, &err), -1);
        assert_int_equal(err.reason, ERR_DATA_CORRUPT);
        arena_release(&arena);
    }
}

/* However little memory there is: the whole difference, or an error. */
static void memory_that_runs_out_is_an_error(void **state)
{
    (void)state;
    char row[8192];
    struct buf buf;
    buf_init_fixed(&buf, row, sizeof(row));
    for (int i = 0; i < 200; i++)
        buf_printf(&buf, "%s\"label %d\"", i ? ", " : "{\"labels\": [", i);
    buf_text(&buf, "]}");
    bool was_enough = false;
    for (size_t memory = 1024; !was_enough; memory += 1024) {
        struct arena arena;
        struct err err = {0};
        struct input_diff diff;
        arena_init(&arena, memory);
        was_enough = input_diff("", row, &arena, &diff, &err) == 0;
        if (was_enough)
            assert_int_equal(diff.count, 200);
        else
            assert_int_equal(err.reason, ERR_MESSAGE_TOO_LARGE);
        arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creation_tells_everything_there_is),
        cmocka_unit_test(a_single_value_deep_inside_is_told_alone),
        cmocka_unit_test(an_item_added_in_front_is_one_change),
        cmocka_unit_test(items_that_are_messages_are_compared_field_by_field),
        cmocka_unit_test(what_is_gone_is_told_with_what_it_was),
        cmocka_unit_test(deletion_and_its_undoing_are_operations),
        cmocka_unit_test(numbers_are_told_as_they_were_written),
        cmocka_unit_test(texts_of_other_scripts_and_lines_survive),
        cmocka_unit_test(what_is_no_row_is_refused),
        cmocka_unit_test(memory_that_runs_out_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
