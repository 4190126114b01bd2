/* What a caller is told about a failed statement: a reason to act on, and nothing of the database's own
 * words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <isms/db/connection.h>

static void test_sqlstates_map_to_reasons(void **state UNUSED)
{
    static const struct {
        const char *sqlstate;
        enum err_reason reason;
        bool retry;
    } cases[] = {
        {"40001", ERR_CONFLICT, true}, {"40P01", ERR_CONFLICT, true}, {"55P03", ERR_CONFLICT, true},
        {"26000", ERR_CONFLICT, true}, {"0A000", ERR_CONFLICT, true}, {"57014", ERR_DEADLINE_EXCEEDED, false},
        {"23505", ERR_ALREADY_EXISTS, false}, {"23503", ERR_REFERENCE_INVALID, false},
        {"57P01", ERR_DATABASE_UNAVAILABLE, true}, {"57P03", ERR_DATABASE_UNAVAILABLE, true},
        {"08006", ERR_DATABASE_UNAVAILABLE, true}, {"53300", ERR_OVERLOADED, true},
        {"53100", ERR_OVERLOADED, true},
        {"42P01", ERR_INTERNAL, false}, {"23514", ERR_INTERNAL, false}, {"XX000", ERR_INTERNAL, false},
        {"", ERR_INTERNAL, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct db_failure failure = {.message = "secret", .detail = "Key (email)=(a@b.example)",
                                     .constraint = "secret"};
        struct err err = {0};
        memcpy(failure.sqlstate, cases[i].sqlstate, strlen(cases[i].sqlstate));
        assert_int_equal(db_failure_to_err(&failure, &err), -1);
        assert_int_equal(err.reason, cases[i].reason);
        assert_int_equal(err.retry_after_ms > 0, cases[i].retry);
        assert_string_equal(err.message, err_reason_text(cases[i].reason));
        assert_int_equal(err.metadata_count, 0);
    }
}

static void test_our_own_raise_names_reason_and_facts(void **state UNUSED)
{
    struct db_failure failure = {
        .sqlstate = "IS000", .message = "WRONG_STATE", .detail = "state=OPEN\n allowed=DONE;VERIFIED\nempty="};
    struct err err = {0};
    assert_int_equal(db_failure_to_err(&failure, &err), -1);
    assert_int_equal(err.reason, ERR_WRONG_STATE);
    assert_string_equal(err.message, err_reason_text(ERR_WRONG_STATE));
    assert_int_equal(err.metadata_count, 3);
    assert_string_equal(err.metadata[0].key, "state");
    assert_string_equal(err.metadata[0].value, "OPEN");
    assert_string_equal(err.metadata[1].key, "allowed");
    assert_string_equal(err.metadata[1].value, "DONE;VERIFIED");
    assert_string_equal(err.metadata[2].value, "");
}

static void test_a_field_with_a_description_is_a_violation(void **state UNUSED)
{
    struct db_failure failure = {.sqlstate = "IS000", .message = "REFERENCE_INVALID",
                                 .detail = "field=input.risk_id\ndescription=names no risk: a = b"};
    struct err err = {0};
    assert_int_equal(db_failure_to_err(&failure, &err), -1);
    assert_int_equal(err.reason, ERR_REFERENCE_INVALID);
    assert_int_equal(err.violation_count, 1);
    assert_string_equal(err.violations[0].field, "input.risk_id");
    assert_string_equal(err.violations[0].description, "names no risk: a = b");
    assert_int_equal(err.metadata_count, 1); /* the field: what a program looks at */
    assert_string_equal(err.metadata[0].value, "input.risk_id");
}

static void test_a_raise_without_a_known_reason_is_internal(void **state UNUSED)
{
    static const char *const messages[] = {"", "NO_SUCH_REASON", "OK", "wrong_state"};
    for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
        struct db_failure failure = {.sqlstate = "IS000", .detail = "state=OPEN"};
        struct err err = {0};
        memcpy(failure.message, messages[i], strlen(messages[i]));
        assert_int_equal(db_failure_to_err(&failure, &err), -1);
        assert_int_equal(err.reason, ERR_INTERNAL);
        assert_int_equal(err.metadata_count, 0);
    }
}

static void test_facts_without_an_equals_sign_are_no_facts(void **state UNUSED)
{
    static const char *const details[] = {"", "no facts", "\n\n \n", "   "};
    for (size_t i = 0; i < ARRAY_SIZE(details); i++) {
        struct db_failure failure = {.sqlstate = "IS000", .message = "NOT_FOUND"};
        struct err err = {0};
        memcpy(failure.detail, details[i], strlen(details[i]));
        assert_int_equal(db_failure_to_err(&failure, &err), -1);
        assert_int_equal(err.reason, ERR_NOT_FOUND);
        assert_int_equal(err.metadata_count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sqlstates_map_to_reasons),
        cmocka_unit_test(test_our_own_raise_names_reason_and_facts),
        cmocka_unit_test(test_a_field_with_a_description_is_a_violation),
        cmocka_unit_test(test_a_raise_without_a_known_reason_is_internal),
        cmocka_unit_test(test_facts_without_an_equals_sign_are_no_facts),
    };
    return cmocka_run_group_tests_name("db failure", tests, NULL, NULL);
}
