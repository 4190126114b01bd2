/* test_period.c: the periods that a period is compared with, by the calendar. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <isms/base/attributes.h>
#include <isms/base/clock.h>

#include "period.h"
#include "target.h"

static int64_t day(const char *text)
{
    struct date date;
    assert_true(date_parse(text, &date));
    return date_to_days(date);
}

static struct period period(const char *start, const char *end)
{
    return (struct period){day(start), day(end)};
}

static void assert_period(struct period got, const char *start, const char *end)
{
    char text[CLOCK_DATE_SIZE];
    date_format(date_from_days(got.start), text);
    assert_string_equal(text, start);
    date_format(date_from_days(got.end), text);
    assert_string_equal(text, end);
}

static void the_quarter_before_is_a_quarter(void **state)
{
    (void)state;
    assert_period(period_before(period("2026-04-01", "2026-06-30")), "2026-01-01", "2026-03-31");
    assert_period(period_before(period("2026-01-01", "2026-12-31")), "2025-01-01", "2025-12-31");
    assert_period(period_before(period("2024-03-01", "2024-03-31")), "2024-02-01", "2024-02-29");
    assert_period(period_before(period("2025-07-01", "2026-06-30")), "2024-07-01", "2025-06-30");
    assert_period(period_before(period("2026-03-10", "2026-03-19")), "2026-02-28", "2026-03-09");
    assert_period(period_before(period("2026-03-01", "2026-03-01")), "2026-02-28", "2026-02-28");
}

static void a_year_before_ends_of_months_stay_ends(void **state)
{
    (void)state;
    assert_period(period_last_year(period("2026-04-01", "2026-06-30")), "2025-04-01", "2025-06-30");
    assert_period(period_last_year(period("2025-02-01", "2025-02-28")), "2024-02-01", "2024-02-29");
    assert_period(period_last_year(period("2024-02-01", "2024-02-29")), "2023-02-01", "2023-02-28");
    assert_period(period_last_year(period("2024-02-29", "2024-03-14")), "2023-02-28", "2023-03-14");
}

static void spans_are_cut_to_the_period(void **state)
{
    (void)state;
    struct period leap = period("2024-01-15", "2024-04-02");
    Isms__Inputs__V1__Frequency months = frequency_of(ISMS__INPUTS__V1__GRANULARITY__GRANULARITY_UNSPECIFIED);
    assert_int_equal(period_span_count(leap, months), 4);
    assert_period(period_span(leap, months, 0), "2024-01-15", "2024-01-31");
    assert_period(period_span(leap, months, 1), "2024-02-01", "2024-02-29");
    assert_period(period_span(leap, months, 3), "2024-04-01", "2024-04-02");
    Isms__Inputs__V1__Frequency years = frequency_of(ISMS__INPUTS__V1__GRANULARITY__GRANULARITY_YEAR);
    assert_int_equal(period_span_count(leap, years), 1);
    assert_period(period_span(leap, years, 0), "2024-01-15", "2024-04-02");
}

#define OPERATOR(name) ISMS__INPUTS__V1__TARGET__OPERATOR__OPERATOR_##name
#define POLARITY(name) ISMS__INPUTS__V1__POLARITY__POLARITY_##name##_IS_BETTER

static void every_operator_knows_its_bound(void **state)
{
    (void)state;
    static const struct {
        Isms__Inputs__V1__Target__Operator operator_;
        int below, at, above; /* 10: 0 nothing is said, 1 met, 2 missed */
    } rows[] = {{OPERATOR(AT_MOST), 1, 1, 2}, {OPERATOR(AT_LEAST), 2, 1, 1}, {OPERATOR(BELOW), 1, 2, 2},
                {OPERATOR(ABOVE), 2, 2, 1},   {OPERATOR(EQUAL), 2, 1, 2},    {OPERATOR(TEXT), 0, 0, 0},
                {OPERATOR(BETWEEN), 2, 1, 1}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Isms__Inputs__V1__Target target = ISMS__INPUTS__V1__TARGET__INIT;
        target.operator_ = rows[i].operator_;
        target.value = 10;
        target.upper = 12;
        assert_int_equal(target_judge(&target, 9), rows[i].below);
        assert_int_equal(target_judge(&target, 10), rows[i].at);
        assert_int_equal(target_judge(&target, 11), rows[i].above);
    }
    assert_int_equal(target_judge(NULL, 1), 0);
}

static void thresholds_lie_on_the_bad_side(void **state)
{
    (void)state;
    Isms__Inputs__V1__Thresholds thresholds = ISMS__INPUTS__V1__THRESHOLDS__INIT;
    thresholds.warning = 10;
    thresholds.critical = 20;
    assert_int_equal(thresholds_judge(&thresholds, POLARITY(LOWER), NULL, 9.9), 1);
    assert_int_equal(thresholds_judge(&thresholds, POLARITY(LOWER), NULL, 10), 2);
    assert_int_equal(thresholds_judge(&thresholds, POLARITY(LOWER), NULL, 20), 3);
    thresholds.warning = 95;
    thresholds.critical = 90;
    assert_int_equal(thresholds_judge(&thresholds, POLARITY(HIGHER), NULL, 96), 1);
    assert_int_equal(thresholds_judge(&thresholds, POLARITY(HIGHER), NULL, 95), 2);
    assert_int_equal(thresholds_judge(&thresholds, POLARITY(HIGHER), NULL, 89), 3);
    assert_int_equal(thresholds_judge(&thresholds, POLARITY(IN_RANGE), NULL, 89), 0);
    assert_int_equal(thresholds_judge(NULL, POLARITY(LOWER), NULL, 89), 0);
    Isms__Inputs__V1__Target range = ISMS__INPUTS__V1__TARGET__INIT;
    range.operator_ = OPERATOR(BETWEEN);
    range.value = 40;
    range.upper = 60;
    thresholds.warning = 5;
    thresholds.critical = 10;
    assert_int_equal(thresholds_judge(&thresholds, POLARITY(IN_RANGE), &range, 50), 1);
    assert_int_equal(thresholds_judge(&thresholds, POLARITY(IN_RANGE), &range, 35), 2);
    assert_int_equal(thresholds_judge(&thresholds, POLARITY(IN_RANGE), &range, 71), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_quarter_before_is_a_quarter),   cmocka_unit_test(a_year_before_ends_of_months_stay_ends),
        cmocka_unit_test(spans_are_cut_to_the_period),       cmocka_unit_test(every_operator_knows_its_bound),
        cmocka_unit_test(thresholds_lie_on_the_bad_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
