/* test_span.c: spans follow the calendar. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <isms/base/clock.h>

#include "span.h"

#define FREQUENCY(name) ISMS__INPUTS__V1__FREQUENCY__FREQUENCY_##name

static int64_t day(int year, int month, int number)
{
    return date_to_days((struct date){.year = year, .month = month, .day = number});
}

static void assert_span_ends(Isms__Inputs__V1__Frequency frequency, int64_t within, int64_t last)
{
    assert_int_equal(span_last_day(frequency, span_of_day(frequency, within)), last);
}

static void a_span_ends_with_the_calendar_unit(void **state)
{
    (void)state;
    assert_span_ends(FREQUENCY(DAILY), day(2024, 2, 28), day(2024, 2, 28));
    assert_span_ends(FREQUENCY(WEEKLY), day(2026, 11, 16), day(2026, 11, 22)); /* a Monday */
    assert_span_ends(FREQUENCY(WEEKLY), day(2026, 11, 22), day(2026, 11, 22)); /* a Sunday */
    assert_span_ends(FREQUENCY(WEEKLY), day(1969, 12, 31), day(1970, 1, 4));
    assert_span_ends(FREQUENCY(MONTHLY), day(2024, 2, 1), day(2024, 2, 29));
    assert_span_ends(FREQUENCY(MONTHLY), day(2025, 12, 31), day(2025, 12, 31));
    assert_span_ends(FREQUENCY(QUARTERLY), day(2025, 4, 1), day(2025, 6, 30));
    assert_span_ends(FREQUENCY(HALF_YEARLY), day(2025, 7, 1), day(2025, 12, 31));
    assert_span_ends(FREQUENCY(YEARLY), day(2025, 7, 1), day(2025, 12, 31));
}

/* No date lies behind it for a span to end before. */
static void the_calendar_ends_with_its_last_day(void **state)
{
    (void)state;
    for (Isms__Inputs__V1__Frequency frequency = FREQUENCY(MONTHLY); frequency <= FREQUENCY(YEARLY); frequency++)
        assert_span_ends(frequency, day(9999, 12, 31), day(9999, 12, 31));
    assert_span_ends(FREQUENCY(MONTHLY), day(9999, 11, 30), day(9999, 11, 30));
    assert_span_ends(FREQUENCY(QUARTERLY), day(9999, 9, 30), day(9999, 9, 30));
    /* one further, which a trend asks for too */
    assert_int_equal(span_last_day(FREQUENCY(YEARLY), span_of_day(FREQUENCY(YEARLY), day(9999, 12, 31)) + 1),
                     day(9999, 12, 31));
}

static void spans_follow_each_other_without_gaps(void **state)
{
    (void)state;
    for (Isms__Inputs__V1__Frequency frequency = FREQUENCY(DAILY); frequency <= FREQUENCY(YEARLY); frequency++) {
        int64_t span = span_of_day(frequency, day(1999, 12, 20));
        for (; span_last_day(frequency, span) < day(2001, 3, 1); span++)
            assert_int_equal(span_of_day(frequency, span_last_day(frequency, span) + 1), span + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_span_ends_with_the_calendar_unit),
        cmocka_unit_test(the_calendar_ends_with_its_last_day),
        cmocka_unit_test(spans_follow_each_other_without_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
