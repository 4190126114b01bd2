/* The table of checks: that it, the API's names and what a person is told are one. */
#include "quality.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { MEMORY_MAX = 64 * 1024 };

#define CHECK(name) ISMS__INPUTS__V1__QUALITY_CHECK__QUALITY_CHECK_##name
#define SEVERITY(name) ISMS__INPUTS__V1__QUALITY_SEVERITY__QUALITY_SEVERITY_##name

static const char *const names[] = {
#define X(name, severity, kinds, text, hint) #name,
#include "quality.def"
#undef X
};

static const char *const texts[] = {
#define X(name, severity, kinds, text, hint) text, hint, kinds,
#include "quality.def"
#undef X
};

static struct arena arena;

static int arena_begin(void **state)
{
    (void)state;
    arena_init(&arena, MEMORY_MAX);
    return 0;
}

static int arena_end(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static Isms__Inputs__V1__QualityQuestion choose(Isms__Inputs__V1__QualityCheck check,
                                                Isms__Inputs__V1__QualitySeverity severity)
{
    Isms__Inputs__V1__QualityQuestion question = ISMS__INPUTS__V1__QUALITY_QUESTION__INIT;
    struct err err = {0};
    assert_int_equal(quality_choose(check, severity, &arena, &question, &err), 0);
    assert_int_equal(question.n_checks, question.n_severities);
    return question;
}

static void every_check_is_a_value_of_the_api_in_the_order_of_the_table(void **state)
{
    (void)state;
    const ProtobufCEnumDescriptor *values = &isms__inputs__v1__quality_check__descriptor;
    assert_int_equal(values->n_values, ARRAY_SIZE(names) + 1);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(values, (int)i + 1);
        assert_non_null(value);
        assert_string_equal(value->name + strlen("QUALITY_CHECK_"), names[i]);
    }
}

static void a_sentence_has_no_full_stop_of_its_own_and_an_advice_has_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i += 3) {
        assert_true(texts[i][0] && texts[i][strlen(texts[i]) - 1] != '.');
        assert_int_equal(texts[i + 1][strlen(texts[i + 1]) - 1], '.');
        assert_true(texts[i + 2][0]);
    }
}

static void all_checks_are_asked_for_unless_some_are_named(void **state)
{
    (void)state;
    Isms__Inputs__V1__QualityQuestion all = choose(CHECK(UNSPECIFIED), SEVERITY(UNSPECIFIED));
    assert_int_equal(all.n_checks, ARRAY_SIZE(names));
    size_t found = 0;
    for (int severity = SEVERITY(HINT); severity <= SEVERITY(BLOCKING); severity++) {
        Isms__Inputs__V1__QualityQuestion some =
            choose(CHECK(UNSPECIFIED), (Isms__Inputs__V1__QualitySeverity)severity);
        assert_true(some.n_checks > 0);
        for (size_t i = 0; i < some.n_checks; i++)
            assert_int_equal(some.severities[i], severity);
        found += some.n_checks;
    }
    assert_int_equal(found, ARRAY_SIZE(names));
    Isms__Inputs__V1__QualityQuestion one = choose(CHECK(OVERDUE), SEVERITY(UNSPECIFIED));
    assert_int_equal(one.n_checks, 1);
    assert_string_equal(one.checks[0], "OVERDUE");
    assert_int_equal(choose(CHECK(OVERDUE), SEVERITY(BLOCKING)).n_checks, 0);
}

static void a_person_reads_what_is_wrong_and_what_to_do(void **state)
{
    (void)state;
    struct err err = {0};
    Isms__Inputs__V1__QualityIssue issue = ISMS__INPUTS__V1__QUALITY_ISSUE__INIT;
    issue.check = CHECK(OVERDUE);
    issue.problem = "since 2026-03-01";
    assert_int_equal(quality_explain(&arena, &issue, &err), 0);
    assert_string_equal(issue.problem, "It is overdue and open: since 2026-03-01.");
    assert_string_equal(issue.advice, "Close it, or agree on a new date with its owner.");
    assert_int_equal(issue.severity, SEVERITY(WARNING));
    issue.problem = "";
    assert_int_equal(quality_explain(&arena, &issue, &err), 0);
    assert_string_equal(issue.problem, "It is overdue and open.");
}

static void without_memory_nothing_is_half_said(void **state)
{
    (void)state;
    struct arena none CLEANUP(arena_release);
    arena_init(&none, 16);
    struct err err = {0};
    Isms__Inputs__V1__QualityQuestion question = ISMS__INPUTS__V1__QUALITY_QUESTION__INIT;
    Isms__Inputs__V1__QualityIssue issue = ISMS__INPUTS__V1__QUALITY_ISSUE__INIT;
    issue.check = CHECK(OVERDUE);
    assert_int_equal(quality_choose(CHECK(UNSPECIFIED), SEVERITY(UNSPECIFIED), &none, &question, &err), -1);
    assert_int_equal(err.reason, ERR_MESSAGE_TOO_LARGE);
    assert_int_equal(quality_explain(&none, &issue, &err), -1);
    assert_int_equal(err.reason, ERR_MESSAGE_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_check_is_a_value_of_the_api_in_the_order_of_the_table),
        cmocka_unit_test(a_sentence_has_no_full_stop_of_its_own_and_an_advice_has_one),
        cmocka_unit_test(all_checks_are_asked_for_unless_some_are_named),
        cmocka_unit_test(a_person_reads_what_is_wrong_and_what_to_do),
        cmocka_unit_test(without_memory_nothing_is_half_said),
    };
    return cmocka_run_group_tests_name("quality", tests, arena_begin, arena_end);
}
