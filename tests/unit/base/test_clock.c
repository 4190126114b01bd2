/* Dates and times: the calendar day by day, RFC 3339 and its edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <isms/base/attributes.h>
#include <isms/base/clock.h>

static const int64_t DAY_US = 86400 * INT64_C(1000000);

static void test_every_day_of_ten_thousand_years(void **state UNUSED)
{
    struct date expected = {1, 1, 1};
    int64_t days = date_to_days(expected);
    assert_int_equal(days, -719162);
    for (; expected.year <= 9999; days++) {
        struct date date = date_from_days(days);
        if (date.year != expected.year || date.month != expected.month || date.day != expected.day ||
            date_to_days(date) != days)
            fail_msg("wrong around day %lld, %04d-%02d-%02d", (long long)days, expected.year, expected.month,
                     expected.day);
        expected.day++;
        if (!date_is_valid(expected)) {
            expected.day = 1;
            if (++expected.month == 13) {
                expected.month = 1;
                expected.year++;
            }
        }
    }
    assert_int_equal(date_to_days((struct date){1970, 1, 1}), 0);
    assert_int_equal(days - 1, date_to_days((struct date){9999, 12, 31}));
}

static void test_leap_years(void **state UNUSED)
{
    assert_true(date_is_valid((struct date){2024, 2, 29}));
    assert_true(date_is_valid((struct date){2000, 2, 29}));
    assert_false(date_is_valid((struct date){1900, 2, 29}));
    assert_false(date_is_valid((struct date){2025, 2, 29}));
    assert_false(date_is_valid((struct date){2025, 4, 31}));
    assert_false(date_is_valid((struct date){0, 1, 1}));
    assert_false(date_is_valid((struct date){10000, 1, 1}));
    assert_false(date_is_valid((struct date){2025, 13, 1}));
    assert_false(date_is_valid((struct date){2025, 0, 1}));
    assert_false(date_is_valid((struct date){2025, 1, 0}));
}

static void test_date_texts(void **state UNUSED)
{
    struct date date = {0};
    char text[CLOCK_DATE_SIZE];
    assert_true(date_parse("2024-02-29", &date));
    date_format(date, text);
    assert_string_equal(text, "2024-02-29");
    static const char *const wrong[] = {"",           "2024-2-29",  "2024-02-30", "2024-02-29 ", " 2024-02-29",
                                        "2024/02/29", "24-02-29",   "2024-02-2",  "0000-01-01",  "2024-00-10",
                                        "20240229",   "+024-02-29", "2024-02-29T"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_false(date_parse(wrong[i], &date));
    assert_int_equal(date.year, 2024); /* untouched by the failures */
}

static void assert_date(struct date date, int year, int month, int day)
{
    assert_int_equal(date.year, year);
    assert_int_equal(date.month, month);
    assert_int_equal(date.day, day);
}

static void test_add_months(void **state UNUSED)
{
    assert_date(date_add_months((struct date){2024, 1, 31}, 1), 2024, 2, 29);
    assert_date(date_add_months((struct date){2025, 1, 31}, 1), 2025, 2, 28);
    assert_date(date_add_months((struct date){2024, 2, 29}, 12), 2025, 2, 28);
    assert_date(date_add_months((struct date){2024, 11, 30}, 3), 2025, 2, 28);
    assert_date(date_add_months((struct date){2024, 3, 31}, -1), 2024, 2, 29);
    assert_date(date_add_months((struct date){2024, 1, 15}, -1), 2023, 12, 15);
    assert_date(date_add_months((struct date){2024, 5, 5}, 0), 2024, 5, 5);
    assert_date(date_add_months((struct date){9999, 12, 1}, 1), 9999, 12, 31);
    assert_date(date_add_months((struct date){1, 1, 9}, -1), 1, 1, 1);
    assert_date(date_add_months((struct date){2024, 1, 1}, INT32_MAX), 9999, 12, 31);
    assert_date(date_add_months((struct date){2024, 1, 1}, INT32_MIN), 1, 1, 1);
}

static void test_times_read_and_written(void **state UNUSED)
{
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"},
        /* the examples of RFC 3339 section 5.8 */
        {"1985-04-12T23:20:50.52Z", "1985-04-12T23:20:50.520000Z"},
        {"1996-12-19T16:39:57-08:00", "1996-12-20T00:39:57.000000Z"},
        {"1990-12-31T15:59:60-08:00", "1991-01-01T00:00:00.000000Z"},
        {"1937-01-01T12:00:27.87+00:20", "1937-01-01T11:40:27.870000Z"},
        /* others */
        {"1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"},
        {"2024-02-29t12:00:00.123456789z", "2024-02-29T12:00:00.123456Z"},
        {"2024-03-01T00:30:00+01:00", "2024-02-29T23:30:00.000000Z"},
        {"2024-12-31T23:59:59-23:59", "2025-01-01T23:58:59.000000Z"},
        {"2024-01-01T00:00:00-00:00", "2024-01-01T00:00:00.000000Z"},
        {"2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00.500000Z"},
        {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"},
        {"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t time_us, again_us;
        char text[CLOCK_TEXT_SIZE];
        if (!clock_parse(cases[i].text, &time_us))
            fail_msg("%s is refused", cases[i].text);
        clock_format(time_us, text);
        assert_string_equal(text, cases[i].expected);
        assert_true(clock_parse(text, &again_us));
        assert_int_equal(again_us, time_us);
    }
}

static void test_what_is_not_a_time(void **state UNUSED)
{
    static const char *const wrong[] = {
        "", "2024-01-01", "2024-01-01T00:00:00", "2024-01-01 00:00:00Z", "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z", "2024-01-01T00:00:61Z", "2024-01-01T12:00:60Z", "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00.1234567890Z", "2024-01-01T00:00:00,5Z", "2024-01-01T00:00:00+24:00",
        "2024-01-01T00:00:00+00:60", "2024-01-01T00:00:00+0100", "2024-01-01T00:00:00+01",
        "2024-02-30T00:00:00Z",
        "2024-01-01T00:00:00Zx", "2024-01-01T0:00:00Z", "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "9999-12-31T23:59:60Z", "-024-01-01T00:00:00Z", "2024-01-01T00:00:00 Z",
    };
    int64_t time_us = 42;
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        if (clock_parse(wrong[i], &time_us))
            fail_msg("%s is accepted", wrong[i]);
    assert_int_equal(time_us, 42);
}

static void test_days_of_times(void **state UNUSED)
{
    assert_date(date_of(0), 1970, 1, 1);
    assert_date(date_of(-1), 1969, 12, 31);
    assert_date(date_of(DAY_US - 1), 1970, 1, 1);
    assert_date(date_of(-DAY_US), 1969, 12, 31);
}

static void test_extreme_times_are_held_in_range(void **state UNUSED)
{
    char text[CLOCK_TEXT_SIZE];
    clock_format(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999999Z");
    clock_format(INT64_MIN, text);
    assert_string_equal(text, "0001-01-01T00:00:00.000000Z");
    assert_date(date_from_days(INT64_MAX), 9999, 12, 31);
    assert_date(date_from_days(INT64_MIN), 1, 1, 1);
}

static void test_clocks(void **state UNUSED)
{
    int64_t before = clock_monotonic_us();
    assert_true(clock_monotonic_us() >= before);
    assert_true(date_of(clock_now_us()).year >= 2024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_day_of_ten_thousand_years),
        cmocka_unit_test(test_leap_years),
        cmocka_unit_test(test_date_texts),
        cmocka_unit_test(test_add_months),
        cmocka_unit_test(test_times_read_and_written),
        cmocka_unit_test(test_what_is_not_a_time),
        cmocka_unit_test(test_days_of_times),
        cmocka_unit_test(test_extreme_times_are_held_in_range),
        cmocka_unit_test(test_clocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
