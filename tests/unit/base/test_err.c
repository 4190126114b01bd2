/* What a caller of the API reads when something is wrong: whole, cut between characters, never overrun. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <isms/base/err.h>
#include <isms/base/utf8.h>

static void test_standing_text(void **state UNUSED)
{
    struct err err = {0};
    assert_int_equal(err_set(&err, ERR_NOT_FOUND), -1);
    assert_int_equal(err.reason, ERR_NOT_FOUND);
    assert_string_equal(err.message, "There is no such resource.");
}

static void test_a_new_error_forgets_the_old_one(void **state UNUSED)
{
    struct err err = {0};
    err_field(&err, "action.title", "is required");
    err_fact(&err, "limit", "%d", 7);
    err.retry_after_ms = 5;
    err_setf(&err, ERR_CONFLICT, "row %d", 3);
    assert_string_equal(err.message, "row 3");
    assert_int_equal(err.violation_count, 0);
    assert_int_equal(err.metadata_count, 0);
    assert_int_equal(err.retry_after_ms, 0);
}

static void test_an_error_can_wrap_its_own_text(void **state UNUSED)
{
    struct err err = {0};
    err_setf(&err, ERR_INTERNAL, "inner");
    err_setf(&err, ERR_INTERNAL, "outer: %s", err.message);
    assert_string_equal(err.message, "outer: inner");
}

static void test_long_text_is_cut_between_characters(void **state UNUSED)
{
    for (size_t prefix = 0; prefix < 4; prefix++) {
        char text[2000] = "xxx";
        struct err err = {0};
        for (size_t i = prefix; i + 4 < sizeof(text); i += 4)
            memcpy(text + i, "\U0001f600", 5);
        err_setf(&err, ERR_INTERNAL, "%s", text);
        err_field(&err, text, "%s", text);
        err_fact(&err, "key", "%s", text);
        assert_true(utf8_is_valid(err.message, strlen(err.message)));
        assert_true(utf8_is_valid(err.violations[0].field, strlen(err.violations[0].field)));
        assert_true(utf8_is_valid(err.violations[0].description, strlen(err.violations[0].description)));
        assert_true(utf8_is_valid(err.metadata[0].value, strlen(err.metadata[0].value)));
        assert_true(strlen(err.violations[0].field) >= sizeof(err.violations[0].field) - 4);
        assert_memory_equal(err.violations[0].field, text, 100);
    }
}

static void test_wrong_fields_add_up(void **state UNUSED)
{
    struct err err = {0};
    for (int i = 0; i < 20; i++) {
        char field[32];
        snprintf(field, sizeof(field), "inputs[%d].title", i);
        assert_int_equal(err_field(&err, field, "is %d characters too long", i), -1);
    }
    assert_int_equal(err.reason, ERR_FIELD_INVALID);
    assert_int_equal(err_grpc_code(err.reason), 3);
    assert_int_equal(err.violation_count, 20);
    assert_string_equal(err.violations[7].field, "inputs[7].title");
    assert_string_equal(err.violations[7].description, "is 7 characters too long");
}

static void test_facts_beyond_the_last_are_dropped(void **state UNUSED)
{
    struct err err = {0};
    err_set(&err, ERR_WRONG_STATE);
    for (int i = 0; i < 10; i++)
        err_fact(&err, "a key that is far longer than any key should ever be", "%d", i);
    assert_int_equal(err.metadata_count, ERR_METADATA_MAX);
    assert_string_equal(err.metadata[5].value, "5");
    assert_int_equal(strlen(err.metadata[0].key), sizeof(err.metadata[0].key) - 1);
}

static void test_every_row_of_the_table(void **state UNUSED)
{
    for (enum err_reason reason = ERR_OK + 1; reason < ERR_REASON_COUNT; reason++) {
        const char *name = err_reason_name(reason);
        assert_int_equal(err_reason_from_name(name), reason); /* also: no name twice */
        assert_int_equal(strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"), strlen(name));
        assert_in_range(err_grpc_code(reason), 1, 16);
        assert_true(strlen(err_reason_text(reason)) > 10 && strlen(err_reason_text(reason)) < ERR_MESSAGE_MAX);
        assert_true(strlen(err_reason_advice(reason)) > 10);
    }
    assert_string_equal(err_reason_name(ERR_OK), "OK");
    assert_int_equal(err_grpc_code(ERR_OK), 0);
    assert_int_equal(err_reason_from_name("NO_SUCH_REASON"), ERR_OK);
    assert_int_equal(err_reason_from_name(""), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_standing_text),
        cmocka_unit_test(test_a_new_error_forgets_the_old_one),
        cmocka_unit_test(test_an_error_can_wrap_its_own_text),
        cmocka_unit_test(test_long_text_is_cut_between_characters),
        cmocka_unit_test(test_wrong_fields_add_up),
        cmocka_unit_test(test_facts_beyond_the_last_are_dropped),
        cmocka_unit_test(test_every_row_of_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
