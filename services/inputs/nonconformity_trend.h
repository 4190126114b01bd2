/* nonconformity_trend.h: nonconformities opened, closed and open month by month, and where their number is
 * heading.
 *
 * Pure, like trend.h. Days are days since 1970-01-01. One is open from the day it came up until the day
 * before it was closed; the direction is that of the number open at the ends of the months, fewer being
 * better. */
#ifndef ISMS_INPUTS_NONCONFORMITY_TREND_H
#define ISMS_INPUTS_NONCONFORMITY_TREND_H

#include <stddef.h>
#include <stdint.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/inputs/v1/inputs.pb-c.h>

#define NO_DAY INT32_MIN

enum { PERIOD_YEARS_MAX = 20 };

struct nonconformity_days {
    int32_t opened;
    int32_t closed; /* NO_DAY: it is not */
    int32_t due;    /* NO_DAY: none */
};

struct nonconformity_month {
    int64_t first_day; /* of the calendar month */
    int opened;
    int closed;
    int open; /* at its end, or at the period's */
};

struct nonconformity_trend {
    struct nonconformity_month *months;
    size_t month_count;
    int opened;
    int closed;
    int open_at_start;
    int open_at_end;
    int overdue_at_end;
    double median_days_to_close;
    Isms__Inputs__V1__Direction direction;
    double slope_per_30_days;
};

/* The period has at most PERIOD_YEARS_MAX years. Fails only for want of memory. */
int nonconformity_trend_compute(const struct nonconformity_days *all, size_t count, int64_t start_day,
                                int64_t end_day, struct arena *arena, struct nonconformity_trend *ret_trend,
                                struct err *err) MUST_CHECK;

#endif
