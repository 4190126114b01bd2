/* heading.c: all pairs of at most 400 points are 79,800 slopes, sorted for their median: a few milliseconds, and no
 * cleverness to be wrong in. */
#include "heading.h"

#include <math.h>
#include <stdlib.h>

#include <isms/base/arena.h>
#include <isms/base/bug.h>

#include "target.h"

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

double median_of(double *values, size_t count)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof(*values), double_compare);
    double upper = values[count / 2];
    return count % 2 ? upper : values[count / 2 - 1] / 2 + upper / 2;
}

double p90_of_sorted(const double *values, size_t count)
{
    return count == 0 ? 0 : values[(9 * count + 9) / 10 - 1];
}

/* Median slope of all pairs, per µs, and Kendall's tau; points at one time make no pair. */
static double slopes_median(const struct heading_point *points, const double *values, size_t count, double *slopes,
                            double *ret_tau)
{
    size_t pairs = 0;
    long score = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++) {
            if (points[j].time_us == points[i].time_us)
                continue;
            double slope = (values[j] - values[i]) / (double)(points[j].time_us - points[i].time_us);
            score += (slope > 0) - (slope < 0);
            slopes[pairs++] = slope;
        }
    *ret_tau = pairs ? (double)score / (double)pairs : 0;
    return median_of(slopes, pairs);
}

/* `change` is of values of which more (sign 1) or less (-1) is better; `level` is the series' usual one. */
static Isms__Inputs__V1__Direction direction_judge(double change, double tau, double level, int sign)
{
    if (fabs(tau) < tau_least || change == 0 || fabs(change) < stable_share * level)
        return ISMS__INPUTS__V1__DIRECTION__DIRECTION_STABLE;
    return (change > 0) == (sign > 0) ? ISMS__INPUTS__V1__DIRECTION__DIRECTION_IMPROVING
                                      : ISMS__INPUTS__V1__DIRECTION__DIRECTION_WORSENING;
}

static double level_median(const struct heading_question *question, const struct heading_point *points, double *values,
                           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        values[i] = fabs(points[i].value);
        if (question->percentage)
            values[i] = fmin(values[i], fabs(100 - points[i].value));
    }
    return median_of(values, count);
}

static double time_between(const struct heading_point *points, size_t count)
{
    int64_t first = points[0].time_us;
    int64_t last = first;
    for (size_t i = 1; i < count; i++) {
        first = points[i].time_us < first ? points[i].time_us : first;
        last = points[i].time_us > last ? points[i].time_us : last;
    }
    return (double)(last - first);
}

int heading_compute(const struct heading_question *question, const struct heading_point *points, size_t count,
                    struct heading *ret_heading, struct err *err)
{
    *ret_heading = (struct heading){.direction = ISMS__INPUTS__V1__DIRECTION__DIRECTION_INSUFFICIENT_DATA};
    BUG_IF(count > HEADING_POINTS_MAX);
    double time_us = count < 2 ? 0 : time_between(points, count);
    if (time_us == 0)
        return 0;
    struct arena scratch CLEANUP(arena_release);
    arena_init(&scratch, SCRATCH_MAX); /* given back for each of many series */
    double *values = ARENA_ARRAY(&scratch, count, double);
    double *slopes = ARENA_ARRAY(&scratch, count * (count - 1) / 2, double);
    if (!values || !slopes)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    double level = level_median(question, points, values, count);

    double tau;
    for (size_t i = 0; i < count; i++)
        values[i] = points[i].value;
    double slope = slopes_median(points, values, count, slopes, &tau);
    ret_heading->slope_per_30_days = slope * us_per_30_days;

    if (question->polarity == ISMS__INPUTS__V1__POLARITY__POLARITY_UNSPECIFIED) {
        ret_heading->direction = ISMS__INPUTS__V1__DIRECTION__DIRECTION_UNSPECIFIED;
        return 0;
    }
    int sign = question->polarity == ISMS__INPUTS__V1__POLARITY__POLARITY_HIGHER_IS_BETTER ? 1 : -1;
    if (question->polarity == ISMS__INPUTS__V1__POLARITY__POLARITY_IN_RANGE_IS_BETTER) {
        if (!target_has_number(question->target))
            return 0; /* no range to be near to: nothing can be said */
        for (size_t i = 0; i < count; i++)
            values[i] = target_distance(question->target, points[i].value);
        slope = slopes_median(points, values, count, slopes, &tau);
    }
    ret_heading->direction = direction_judge(slope * time_us, tau, level, sign);
    return 0;
}
