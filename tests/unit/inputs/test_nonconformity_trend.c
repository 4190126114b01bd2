/* test_nonconformity_trend.c: the months of a small register, counted by hand. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <isms/base/clock.h>

#include "nonconformity_trend.h"

#define DIRECTION(name) ISMS__INPUTS__V1__DIRECTION__DIRECTION_##name

static int32_t day(int year, int month, int number)
{
    return (int32_t)date_to_days((struct date){.year = year, .month = month, .day = number});
}

static struct nonconformity_trend compute(const struct nonconformity_days *all, size_t count, int64_t start,
                                          int64_t end, struct arena *arena)
{
    struct nonconformity_trend trend;
    struct err err = {0};
    assert_int_equal(nonconformity_trend_compute(all, count, start, end, arena, &trend, &err), 0);
    return trend;
}

static void months_are_counted(void **state)
{
    (void)state;
    struct arena arena CLEANUP(arena_release);
    arena_init(&arena, 1024 * 1024);
    const struct nonconformity_days all[] = {
        {day(2024, 11, 5), day(2024, 12, 1), NO_DAY},             /* over before the period */
        {day(2024, 12, 5), day(2025, 1, 15), NO_DAY},             /* open at its start, 41 days */
        {day(2024, 12, 24), NO_DAY, day(2025, 2, 1)},             /* open throughout, overdue */
        {day(2025, 1, 10), day(2025, 2, 9), day(2025, 2, 9)},     /* 30 days */
        {day(2025, 2, 1), day(2025, 2, 11), day(2025, 3, 1)},     /* 10 days */
        {day(2025, 3, 31), day(2025, 4, 1), day(2025, 3, 15)},    /* overdue at the end, closed after it */
        {day(2025, 4, 1), NO_DAY, NO_DAY},                        /* after the period */
    };
    struct nonconformity_trend trend =
        compute(all, ARRAY_SIZE(all), day(2025, 1, 1), day(2025, 3, 31), &arena);
    assert_int_equal(trend.month_count, 3);
    assert_int_equal(trend.open_at_start, 2);
    assert_int_equal(trend.opened, 3);
    assert_int_equal(trend.closed, 3);
    assert_int_equal(trend.open_at_end, 2);
    assert_int_equal(trend.overdue_at_end, 2);
    assert_true(trend.median_days_to_close == 30);
    static const int expected[][3] = {{1, 1, 2}, {1, 2, 1}, {1, 0, 2}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(trend.months[i].first_day, day(2025, (int)i + 1, 1));
        assert_int_equal(trend.months[i].opened, expected[i][0]);
        assert_int_equal(trend.months[i].closed, expected[i][1]);
        assert_int_equal(trend.months[i].open, expected[i][2]);
    }
}

static void a_growing_pile_is_worsening(void **state)
{
    (void)state;
    struct arena arena CLEANUP(arena_release);
    arena_init(&arena, 1024 * 1024);
    struct nonconformity_days all[12];
    for (int i = 0; i < 12; i++)
        all[i] = (struct nonconformity_days){day(2025, i + 1, 10), NO_DAY, NO_DAY};
    struct nonconformity_trend trend = compute(all, 12, day(2025, 1, 1), day(2025, 12, 31), &arena);
    assert_int_equal(trend.direction, DIRECTION(WORSENING));
    assert_true(trend.slope_per_30_days > 0.9);
    for (int i = 0; i < 12; i++)
        all[i] = (struct nonconformity_days){day(2024, 12, 10), day(2025, i + 1, 10), NO_DAY};
    trend = compute(all, 12, day(2025, 1, 1), day(2025, 12, 31), &arena);
    assert_int_equal(trend.direction, DIRECTION(IMPROVING));
}

static void two_months_are_too_few(void **state)
{
    (void)state;
    struct arena arena CLEANUP(arena_release);
    arena_init(&arena, 1024 * 1024);
    struct nonconformity_trend trend = compute(NULL, 0, day(2025, 1, 15), day(2025, 2, 15), &arena);
    assert_int_equal(trend.month_count, 2);
    assert_int_equal(trend.direction, DIRECTION(INSUFFICIENT_DATA));
    assert_true(trend.median_days_to_close == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(months_are_counted),
        cmocka_unit_test(a_growing_pile_is_worsening),
        cmocka_unit_test(two_months_are_too_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
