/* test_trend.c: what a reader of a trend would object to. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include <isms/base/clock.h>

#include "heading.h"
#include "target.h"
#include "trend.h"

#define DIRECTION(name) ISMS__INPUTS__V1__DIRECTION__DIRECTION_##name
#define POLARITY(name) ISMS__INPUTS__V1__POLARITY__POLARITY_##name##_IS_BETTER
#define FREQUENCY(name) ISMS__INPUTS__V1__FREQUENCY__FREQUENCY_##name
#define ATTAINMENT(name) ISMS__INPUTS__V1__TARGET_ATTAINMENT__TARGET_ATTAINMENT_##name
#define OPERATOR(name) ISMS__INPUTS__V1__TARGET__OPERATOR__OPERATOR_##name

enum { POINTS_MAX = 1000 };

static struct arena arena;
static struct trend trend;
static struct period period;

static int64_t day(int year, int month, int number)
{
    return date_to_days((struct date){.year = year, .month = month, .day = number});
}

static struct trend_point point(int64_t on, double value, int64_t recorded)
{
    return (struct trend_point){.time_us = on * INT64_C(86400000000), .day = on, .recorded_day = recorded,
                                .value = value, .minimum = value, .maximum = value};
}

static struct trend_question question_of(Isms__Inputs__V1__Polarity polarity)
{
    period = (struct period){day(2024, 1, 1), day(2026, 12, 31)};
    return (struct trend_question){
        .polarity = polarity, .frequency = FREQUENCY(IRREGULAR), .as_of_day = day(2026, 12, 31)};
}

static void compute(const struct trend_question *question, struct trend_point *points, size_t count)
{
    struct err err = {0};
    trend_points_sort(points, count);
    assert_int_equal(trend_compute(question, period, points, count, &arena, &trend, &err), 0);
}

/* One value every 30 days. */
static void compute_values(const struct trend_question *question, const double *values, size_t count)
{
    struct trend_point points[POINTS_MAX];
    for (size_t i = 0; i < count; i++) {
        int64_t on = period.start + 30 * (int64_t)i;
        points[i] = point(on, values[i], on);
    }
    compute(question, points, count);
}

static void times_that_fall_are_improving(void **state)
{
    (void)state;
    static const double series[][6] = {{81, 62, 29, 12, 9, 7}, {82, 72, 41, 16, 14, 11}, {21, 17, 12, 9, 8, 6},
                                       {51, 43, 29, 17, 12, 9}};
    static const int months[][2] = {{2024, 10}, {2025, 1}, {2025, 7}, {2025, 11}, {2026, 1}, {2026, 3}};
    for (size_t i = 0; i < ARRAY_SIZE(series); i++) {
        struct trend_question question = question_of(POLARITY(LOWER));
        struct trend_point points[6];
        for (size_t j = 0; j < 6; j++) {
            int64_t on = day(months[j][0], months[j][1], 1);
            points[j] = point(on, series[i][j], on);
        }
        compute(&question, points, 6);
        assert_int_equal(trend.direction, DIRECTION(IMPROVING));
        assert_true(trend.slope_per_30_days < 0);
        assert_true(trend.first_value == series[i][0] && trend.last_value == series[i][5]);
        assert_true(trend.change_percent < -70);
    }
}

static void polarity_decides_what_a_rise_means(void **state)
{
    (void)state;
    static const double rising[] = {10, 12, 15, 17};
    struct trend_question question = question_of(POLARITY(LOWER));
    compute_values(&question, rising, 4);
    assert_int_equal(trend.direction, DIRECTION(WORSENING));
    question.polarity = POLARITY(HIGHER);
    compute_values(&question, rising, 4);
    assert_int_equal(trend.direction, DIRECTION(IMPROVING));
    assert_true(trend.slope_per_30_days > 2 && trend.slope_per_30_days < 2.6);
}

static void a_change_that_is_no_number_is_none(void **state)
{
    (void)state;
    static const double firsts[] = {0, 1e-300, -5e-324};
    struct trend_question question = question_of(POLARITY(LOWER));
    for (size_t i = 0; i < ARRAY_SIZE(firsts); i++) {
        const double values[] = {firsts[i], 2, 1e15};
        compute_values(&question, values, 3);
        assert_true(trend.change_percent == 0);
    }
}

static void one_wild_value_changes_nothing(void **state)
{
    (void)state;
    static const double values[] = {10, 11, 12, 900, 14, 15, 16};
    struct trend_question question = question_of(POLARITY(HIGHER));
    compute_values(&question, values, 7);
    assert_int_equal(trend.direction, DIRECTION(IMPROVING));
    assert_true(trend.slope_per_30_days > 0.9 && trend.slope_per_30_days < 1.1);
}

static void small_or_wavering_changes_are_stable(void **state)
{
    (void)state;
    static const double small[] = {1000, 1005, 1010, 1012};
    static const double wavering[] = {10, 20, 9, 21, 12, 19};
    static const double constant[] = {5, 5, 5, 5};
    static const double zero[] = {0, 0, 0};
    struct trend_question question = question_of(POLARITY(HIGHER));
    compute_values(&question, small, 4);
    assert_int_equal(trend.direction, DIRECTION(STABLE));
    compute_values(&question, wavering, 6);
    assert_int_equal(trend.direction, DIRECTION(STABLE));
    compute_values(&question, constant, 4);
    assert_int_equal(trend.direction, DIRECTION(STABLE));
    compute_values(&question, zero, 3);
    assert_int_equal(trend.direction, DIRECTION(STABLE));
}

static void a_percentage_near_its_end_counts_from_there(void **state)
{
    (void)state;
    static const double availability[] = {99.1, 99.4, 99.7, 99.9};
    struct trend_question question = question_of(POLARITY(HIGHER));
    compute_values(&question, availability, 4);
    assert_int_equal(trend.direction, DIRECTION(STABLE));
    question.percentage = true;
    compute_values(&question, availability, 4);
    assert_int_equal(trend.direction, DIRECTION(IMPROVING));
}

static void nearer_to_the_range_is_better(void **state)
{
    (void)state;
    Isms__Inputs__V1__Target target = ISMS__INPUTS__V1__TARGET__INIT;
    target.operator_ = OPERATOR(BETWEEN);
    target.value = 40;
    target.upper = 60;
    struct trend_question question = question_of(POLARITY(IN_RANGE));
    static const double falling[] = {90, 80, 65};
    static const double leaving[] = {55, 50, 30, 20};
    static const double inside[] = {41, 50, 59};
    compute_values(&question, falling, 3);
    assert_int_equal(trend.direction, DIRECTION(INSUFFICIENT_DATA)); /* no range, nothing to say */
    question.target = &target;
    compute_values(&question, falling, 3);
    assert_int_equal(trend.direction, DIRECTION(IMPROVING));
    assert_int_equal(target_judge(&target, trend.last_value), ATTAINMENT(MISSED));
    compute_values(&question, leaving, 4);
    assert_int_equal(trend.direction, DIRECTION(WORSENING));
    compute_values(&question, inside, 3);
    assert_int_equal(trend.direction, DIRECTION(STABLE));
    assert_int_equal(target_judge(&target, trend.last_value), ATTAINMENT(MET));
}

static void too_little_says_so(void **state)
{
    (void)state;
    static const double values[] = {9, 5, 1, 0.5};
    struct trend_question question = question_of(POLARITY(LOWER));
    compute_values(&question, values, 0);
    assert_int_equal(trend.direction, DIRECTION(INSUFFICIENT_DATA));
    assert_int_equal(trend.quality.present, 0);
    assert_int_equal(trend.count, 0);
    compute_values(&question, values, 2);
    assert_int_equal(trend.direction, DIRECTION(INSUFFICIENT_DATA));
    assert_int_equal(trend.quality.minimum, 3);
    question.minimum_points = 5;
    compute_values(&question, values, 4);
    assert_int_equal(trend.direction, DIRECTION(INSUFFICIENT_DATA));
    question.minimum_points = 1;
    compute_values(&question, values, 1);
    assert_int_equal(trend.direction, DIRECTION(INSUFFICIENT_DATA));

    struct trend_point same_time[] = {point(20000, 1, 0), point(20000, 2, 0), point(20000, 3, 0)};
    question.minimum_points = 0;
    compute(&question, same_time, 3);
    assert_int_equal(trend.direction, DIRECTION(INSUFFICIENT_DATA));

    struct trend_point one_month[] = {point(day(2026, 3, 2), 9, 0), point(day(2026, 3, 3), 5, 0),
                                      point(day(2026, 3, 4), 1, 0)};
    question.frequency = FREQUENCY(MONTHLY);
    compute(&question, one_month, 3);
    assert_int_equal(trend.quality.present, 1);
    assert_int_equal(trend.direction, DIRECTION(INSUFFICIENT_DATA));
}

static void the_order_of_the_points_means_nothing(void **state)
{
    (void)state;
    struct trend_point forward[] = {point(20000, 4, 1), point(20000, 3, 1), point(20040, 9, 2),
                                    point(20080, 2, 3), point(20120, 8, 4), point(20160, 7, 5)};
    struct trend_point backward[6];
    for (size_t i = 0; i < 6; i++)
        backward[i] = forward[5 - i];
    struct trend_question question = question_of(POLARITY(HIGHER));
    compute(&question, forward, 6);
    struct trend first = trend;
    compute(&question, backward, 6);
    assert_memory_equal(first.points, trend.points, 6 * sizeof(*forward));
    assert_memory_equal(&first.slope_per_30_days, &trend.slope_per_30_days, sizeof(double));
    assert_int_equal(first.direction, trend.direction);
}

static void quality_counts_spans(void **state)
{
    (void)state;
    struct trend_question question = question_of(POLARITY(LOWER));
    question.frequency = FREQUENCY(MONTHLY);
    question.grace_days = 5;
    period.start = day(2025, 1, 1);
    period.end = day(2025, 12, 31);
    question.as_of_day = day(2025, 9, 3); /* August is not overdue yet */
    struct trend_point points[] = {
        point(day(2025, 1, 31), 5, day(2025, 2, 5)),   /* on the last day of grace */
        point(day(2025, 2, 28), 5, day(2025, 3, 6)),   /* a day late */
        point(day(2025, 4, 10), 5, day(2025, 9, 1)),   /* late, but another of April */
        point(day(2025, 4, 20), 5, day(2025, 4, 20)),  /* was in time */
        point(day(2025, 9, 1), 5, day(2025, 9, 1)),    /* early */
    };
    compute(&question, points, 5);
    assert_int_equal(trend.quality.present, 4);  /* January, February, April, September */
    assert_int_equal(trend.quality.expected, 8); /* and March, May, June, July */
    assert_int_equal(trend.quality.late, 1);
    assert_true(trend.points[1].late && trend.points[2].late && !trend.points[0].late && !trend.points[3].late);

    question.as_of_day = day(2026, 6, 1);
    compute(&question, points, 5);
    assert_int_equal(trend.quality.expected, 12);
    compute(&question, points, 0);
    assert_int_equal(trend.quality.expected, 12);
    question.frequency = FREQUENCY(QUARTERLY);
    period.end = day(2025, 12, 30); /* the last quarter ends after the period */
    compute(&question, points, 0);
    assert_int_equal(trend.quality.expected, 3);
}

static void many_points_are_thinned_and_all_counted(void **state)
{
    (void)state;
    static struct trend_point points[POINTS_MAX];
    struct trend_question question = question_of(POLARITY(HIGHER));
    question.frequency = FREQUENCY(DAILY);
    for (int i = 0; i < POINTS_MAX; i++)
        points[i] = point(period.start + i, i, period.start + i);
    compute(&question, points, POINTS_MAX);
    assert_int_equal(trend.point_count, HEADING_POINTS_MAX);
    assert_int_equal(trend.quality.present, POINTS_MAX);
    assert_true(trend.points[0].value == 0 && trend.points[HEADING_POINTS_MAX - 1].value == POINTS_MAX - 1);
    assert_int_equal(trend.direction, DIRECTION(IMPROVING));
    assert_true(trend.slope_per_30_days > 29.9 && trend.slope_per_30_days < 30.1);
}

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 16 * 1024 * 1024);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static void a_point_of_many_values_hides_no_extreme(void **state)
{
    (void)state;
    struct trend_point points[3] = {point(period.start, 5, period.start), point(period.start + 1, 6, period.start + 1),
                                    point(period.start + 2, 5, period.start + 2)};
    points[1].minimum = -20;
    points[1].maximum = 40;
    struct value_span *spans = trend_spans(period, FREQUENCY(MONTHLY), points, 3, &arena);
    assert_int_equal(spans[0].count, 3);
    assert_true(spans[0].minimum == -20 && spans[0].maximum == 40);
    assert_true(spans[0].last == 5 && fabs(spans[0].mean - 16.0 / 3) < 1e-9);
}

static void fewer_points_are_shown_evenly_with_both_ends(void **state)
{
    (void)state;
    struct trend_point points[11];
    size_t count;
    for (size_t i = 0; i < ARRAY_SIZE(points); i++)
        points[i] = point(period.start + (int64_t)i, (double)i, period.start);
    const struct trend_point *shown = trend_points_thin(points, ARRAY_SIZE(points), 3, &arena, &count);
    assert_int_equal(count, 3);
    assert_true(shown[0].value == 0 && shown[1].value == 5 && shown[2].value == 10);
    assert_ptr_equal(trend_points_thin(points, 3, 3, &arena, &count), points);
    assert_int_equal(count, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(times_that_fall_are_improving, setup, teardown),
        cmocka_unit_test_setup_teardown(polarity_decides_what_a_rise_means, setup, teardown),
        cmocka_unit_test_setup_teardown(a_change_that_is_no_number_is_none, setup, teardown),
        cmocka_unit_test_setup_teardown(one_wild_value_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(small_or_wavering_changes_are_stable, setup, teardown),
        cmocka_unit_test_setup_teardown(a_percentage_near_its_end_counts_from_there, setup, teardown),
        cmocka_unit_test_setup_teardown(nearer_to_the_range_is_better, setup, teardown),
        cmocka_unit_test_setup_teardown(too_little_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(the_order_of_the_points_means_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(quality_counts_spans, setup, teardown),
        cmocka_unit_test_setup_teardown(many_points_are_thinned_and_all_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(a_point_of_many_values_hides_no_extreme, setup, teardown),
        cmocka_unit_test_setup_teardown(fewer_points_are_shown_evenly_with_both_ends, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
