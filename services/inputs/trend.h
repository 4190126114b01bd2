/* trend.h: where a metric is heading, and how good the data behind that is. Pure: no clock, no database; the
 * result depends on what is given and not on the order it is given in.
 *
 * Slope: Theil-Sen, the median of the slopes between all pairs of points (Sen 1968), which a third of wild
 * values does not move. Direction: IMPROVING or WORSENING where both hold, else STABLE:
 *   - the change that the slope makes over the time between first and last point is at least 5 % of the
 *     metric's usual level: the median of the absolute values or, of a percentage, of the distances to 0 or
 *     100, whichever is nearer (from 99 % to 99.9 % available is a long way), and
 *   - Kendall's tau is at least 1/3 either way: of three pairs of points, two at least go the same way. (A
 *     test of significance would keep silent below five points, which is all that a quarterly metric has in
 *     a year.)
 * Where a range is good, both look at the distance from it.
 *
 * Above TREND_POINTS_MAX points, that many are taken evenly, the first and the last among them; what is said
 * about data quality rests on all. */
#ifndef ISMS_INPUTS_TREND_H
#define ISMS_INPUTS_TREND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/inputs/v1/inputs.pb-c.h>

enum { TREND_POINTS_MAX = 400, TREND_MINIMUM_POINTS = 3 };

struct trend_point {
    int64_t time_us;
    double value; /* finite */
    int64_t recorded_us;
    bool late; /* out: trend_compute() sets it */
};

struct trend_question {
    Isms__Inputs__V1__Polarity polarity;
    Isms__Inputs__V1__Frequency frequency;
    const Isms__Inputs__V1__Target *target; /* may be NULL */
    bool percentage; /* the unit is % */
    int grace_days;
    int minimum_points; /* 0: TREND_MINIMUM_POINTS */
    int64_t start_day;  /* of the period, both included; points lie within it */
    int64_t end_day;
    int64_t as_of_day;  /* what is due later is not missed yet */
};

struct trend {
    Isms__Inputs__V1__Direction direction;
    double slope_per_30_days;
    int expected_points;
    int present_points;
    int late_points;
    int minimum_points;
    double first_value;
    double last_value;
    double change_percent;
    Isms__Inputs__V1__TargetAttainment target_attainment;
    const struct trend_point *points; /* oldest first, thinned */
    size_t point_count;
};

/* Sorts `points` in place; the result's lie in the arena. Fails only for want of memory (MESSAGE_TOO_LARGE). */
int trend_compute(const struct trend_question *question, struct trend_point *points, size_t count,
                  struct arena *arena, struct trend *ret_trend, struct err *err) MUST_CHECK;

/* The median, sorting `values`; 0 of none. */
double median_of(double *values, size_t count);

#endif
