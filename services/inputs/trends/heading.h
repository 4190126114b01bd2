/* heading.h: where a series of values is heading. Pure: the result depends on what is given and not on the order it is
 * given in.
 *
 * Slope: the median of the slopes between all pairs of points, which a quarter of wild values does not move (Theil
 * 1950, Sen 1968). Direction: IMPROVING or WORSENING where both hold, else STABLE:
 *   - the change that the slope makes over the time between first and last point is at least 5 % of the series' usual
 *     level: the median of the absolute values or, of a percentage, of the distances to 0 or 100, whichever is nearer
 *     (from 99 % to 99.9 % available is a long way), and
 *   - Kendall's tau (1938) is at least 1/3 either way: of three pairs of points, two at least go the same way. (A test
 *     of significance would keep silent below five points, which is all that a quarterly metric has in a year.)
 * Where a range is good, both look at the distance from it. Without a polarity neither way is good: then there is a
 * slope, and the direction is UNSPECIFIED. */
#ifndef ISMS_INPUTS_HEADING_H
#define ISMS_INPUTS_HEADING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/inputs/v1/trends.pb-c.h>

enum { HEADING_POINTS_MAX = 400, HEADING_MINIMUM_POINTS = 3 };

struct heading_point {
    int64_t time_us;
    double value; /* finite */
};

struct heading_question {
    Isms__Inputs__V1__Polarity polarity;
    const Isms__Inputs__V1__Target *target; /* where a range is good; may be NULL */
    bool percentage;
};

struct heading {
    Isms__Inputs__V1__Direction direction;
    double slope_per_30_days;
};

/* Of at least two points at more than one time, and HEADING_POINTS_MAX at most; else INSUFFICIENT_DATA. -1 only for
 * want of memory (MESSAGE_TOO_LARGE). */
int heading_compute(const struct heading_question *question, const struct heading_point *points, size_t count,
                    struct heading *ret_heading, struct err *err) MUST_CHECK;

/* The median, sorting `values`; 0 of none. */
double median_of(double *values, size_t count);

/* The value that nine of ten do not exceed (nearest rank) of values in order; 0 of none. */
double p90_of_sorted(const double *values, size_t count);

#endif
