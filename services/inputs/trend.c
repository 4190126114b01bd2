/* trend.c: all pairs of at most 400 points are 79,800 slopes, sorted for their median: a few milliseconds,
 * and no cleverness to be wrong in. */
#include "trend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <isms/base/clock.h>

#include "span.h"

enum { SCRATCH_MAX = 1024 * 1024 };

static const double us_per_30_days = 30 * 86400e6;
static const double stable_share = 0.05; /* of the level */
static const double tau_least = 1.0 / 3;

static int double_compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Every field takes part, so that equal points are interchangeable. */
static int point_compare(const void *a, const void *b)
{
    const struct trend_point *left = a;
    const struct trend_point *right = b;
    if (left->time_us != right->time_us)
        return left->time_us > right->time_us ? 1 : -1;
    if (left->recorded_us != right->recorded_us)
        return left->recorded_us > right->recorded_us ? 1 : -1;
    return double_compare(&left->value, &right->value);
}

double median_of(double *values, size_t count)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof(*values), double_compare);
    double upper = values[count / 2];
    return count % 2 ? upper : values[count / 2 - 1] / 2 + upper / 2;
}

static int64_t day_of(int64_t time_us)
{
    return date_to_days(date_of(time_us));
}

/* --- data quality --------------------------------------------------------------------------------------- */

/* The spans from `next` to `last` have no point: those that should have one by now. */
static int spans_missed(const struct trend_question *question, int64_t next, int64_t last)
{
    int missed = 0;
    for (; next <= last; next++) {
        int64_t last_day = span_last_day(question->frequency, next);
        if (last_day > question->end_day || last_day + question->grace_days >= question->as_of_day)
            break;
        missed++;
    }
    return missed;
}

static void quality_judge(const struct trend_question *question, struct trend_point *points, size_t count,
                          struct trend *trend)
{
    if (question->frequency == ISMS__INPUTS__V1__FREQUENCY__FREQUENCY_IRREGULAR) {
        trend->present_points = trend->expected_points = (int)count;
        return;
    }
    int64_t next = span_of_day(question->frequency, question->start_day); /* the first not looked at yet */
    bool span_is_late = false;
    for (size_t i = 0; i < count; i++) {
        int64_t span = span_of_day(question->frequency, day_of(points[i].time_us));
        int64_t due_day = span_last_day(question->frequency, span) + question->grace_days;
        points[i].late = day_of(points[i].recorded_us) > due_day;
        if (span < next) { /* another point of the last span, which is late if none of its points is in time */
            trend->late_points -= span_is_late && !points[i].late;
            span_is_late = span_is_late && points[i].late;
            continue;
        }
        span_is_late = points[i].late;
        trend->late_points += span_is_late;
        trend->present_points++;
        trend->expected_points += 1 + spans_missed(question, next, span - 1);
        next = span + 1;
    }
    trend->expected_points += spans_missed(question, next, span_of_day(question->frequency, question->end_day));
}

/* --- slope and direction -------------------------------------------------------------------------------- */

static struct trend_point *points_thin(struct arena *arena, struct trend_point *points, size_t count,
                                       size_t *ret_count)
{
    if (count <= TREND_POINTS_MAX) {
        *ret_count = count;
        return points;
    }
    struct trend_point *thinned = ARENA_ARRAY(arena, TREND_POINTS_MAX, struct trend_point);
    for (size_t i = 0; thinned && i < TREND_POINTS_MAX; i++)
        thinned[i] = points[i * (count - 1) / (TREND_POINTS_MAX - 1)];
    *ret_count = TREND_POINTS_MAX;
    return thinned;
}

/* How far the value is from where it is good. */
static double range_distance(const Isms__Inputs__V1__Target *target, double value)
{
    bool has_lower = target->operator_ != ISMS__INPUTS__V1__TARGET__OPERATOR__OPERATOR_AT_MOST;
    bool has_upper = target->operator_ != ISMS__INPUTS__V1__TARGET__OPERATOR__OPERATOR_AT_LEAST;
    double upper = has_lower ? target->upper : target->value;
    if (has_lower && value < target->value)
        return target->value - value;
    return has_upper && value > upper ? value - upper : 0;
}

/* Median slope of all pairs, per µs, and Kendall's tau; points at one time make no pair. */
static double slopes_median(const struct trend_point *points, const double *values, size_t count,
                            double *slopes, double *ret_tau)
{
    size_t pairs = 0;
    long score = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++) {
            if (points[j].time_us == points[i].time_us)
                continue;
            double rise = values[j] - values[i];
            score += (rise > 0) - (rise < 0);
            slopes[pairs++] = rise / (double)(points[j].time_us - points[i].time_us);
        }
    *ret_tau = pairs ? (double)score / (double)pairs : 0;
    return median_of(slopes, pairs);
}

/* `values` are such that `sign` (1 or -1) says which way is better; `level` is the metric's usual one. */
static Isms__Inputs__V1__Direction direction_judge(double change, double tau, double level, int sign)
{
    if (fabs(tau) < tau_least || change == 0 || fabs(change) < stable_share * level)
        return ISMS__INPUTS__V1__DIRECTION__DIRECTION_STABLE;
    return (change > 0) == (sign > 0) ? ISMS__INPUTS__V1__DIRECTION__DIRECTION_IMPROVING
                                      : ISMS__INPUTS__V1__DIRECTION__DIRECTION_WORSENING;
}

static double level_median(const struct trend_question *question, const struct trend_point *points,
                           double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        values[i] = fabs(points[i].value);
        if (question->percentage)
            values[i] = fmin(values[i], fabs(100 - points[i].value));
    }
    return median_of(values, count);
}

static int heading_compute(const struct trend_question *question, struct trend *trend, struct err *err)
{
    size_t count = trend->point_count;
    const struct trend_point *points = trend->points;
    struct arena scratch CLEANUP(arena_release);
    arena_init(&scratch, SCRATCH_MAX); /* given back for each of many metrics */
    double *values = ARENA_ARRAY(&scratch, count, double);
    double *slopes = ARENA_ARRAY(&scratch, count * (count - 1) / 2, double);
    if (!values || !slopes)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    double level = level_median(question, points, values, count);

    double tau;
    for (size_t i = 0; i < count; i++)
        values[i] = points[i].value;
    double slope = slopes_median(points, values, count, slopes, &tau);
    trend->slope_per_30_days = slope * us_per_30_days;

    int sign = question->polarity == ISMS__INPUTS__V1__POLARITY__POLARITY_HIGHER_IS_BETTER ? 1 : -1;
    if (question->polarity == ISMS__INPUTS__V1__POLARITY__POLARITY_IN_RANGE_IS_BETTER) {
        if (!question->target)
            return 0; /* no range to be near to: nothing can be said */
        for (size_t i = 0; i < count; i++)
            values[i] = range_distance(question->target, points[i].value);
        slope = slopes_median(points, values, count, slopes, &tau);
    }
    double span_us = (double)(points[count - 1].time_us - points[0].time_us);
    trend->direction = direction_judge(slope * span_us, tau, level, sign);
    return 0;
}

static void values_state(const struct trend_question *question, struct trend *trend)
{
    double first = trend->first_value = trend->points[0].value;
    double last = trend->last_value = trend->points[trend->point_count - 1].value;
    trend->change_percent = first == 0 ? 0 : (last - first) / fabs(first) * 100;
    if (question->target)
        trend->target_attainment = range_distance(question->target, last) == 0
                                       ? ISMS__INPUTS__V1__TARGET_ATTAINMENT__TARGET_ATTAINMENT_MET
                                       : ISMS__INPUTS__V1__TARGET_ATTAINMENT__TARGET_ATTAINMENT_MISSED;
}

int trend_compute(const struct trend_question *question, struct trend_point *points, size_t count,
                  struct arena *arena, struct trend *ret_trend, struct err *err)
{
    struct trend trend = {
        .direction = ISMS__INPUTS__V1__DIRECTION__DIRECTION_INSUFFICIENT_DATA,
        .minimum_points = question->minimum_points > 0 ? question->minimum_points : TREND_MINIMUM_POINTS,
    };
    if (count > 0)
        qsort(points, count, sizeof(*points), point_compare);
    quality_judge(question, points, count, &trend);
    trend.points = points_thin(arena, points, count, &trend.point_count);
    if (count > 0 && !trend.points)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    if (count > 0)
        values_state(question, &trend);
    if (count >= 2 && count >= (size_t)trend.minimum_points && points[0].time_us != points[count - 1].time_us &&
        heading_compute(question, &trend, err) < 0)
        return -1;
    *ret_trend = trend;
    return 0;
}
