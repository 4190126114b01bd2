/* trend.h: what a metric's points say of a period, and how good the data behind that is. Pure: no clock, no database;
 * the result depends on what is given and not on the order it is given in. heading.h says how slope and direction come
 * about.
 *
 * Above HEADING_POINTS_MAX points, that many are taken evenly, the first and the last among them, for slope, direction
 * and display; everything else rests on all of them. */
#ifndef ISMS_INPUTS_TREND_H
#define ISMS_INPUTS_TREND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/inputs/v1/trends.pb-c.h>

#include "period.h"

struct trend_point {
    int64_t time_us;
    int64_t day;          /* of the organisation, days since 1970-01-01 */
    int64_t recorded_day; /* on which a value for it was first recorded */
    double value;         /* finite */
    double minimum;       /* where the point stands for several values; else the value */
    double maximum;
    bool corrected;       /* another value was recorded first */
    bool late;            /* out: trend_compute() sets it */
};

struct trend_question {
    Isms__Inputs__V1__Polarity polarity;
    Isms__Inputs__V1__Frequency frequency;
    const Isms__Inputs__V1__Target *target; /* may be NULL */
    bool percentage;                        /* the unit is % */
    int grace_days;
    int minimum_points; /* 0: HEADING_MINIMUM_POINTS */
    int64_t as_of_day;  /* what is due later is not missed yet */
};

struct trend_quality {
    int expected;
    int present;
    int late;
    int corrected;
    int minimum;
};

struct trend {
    struct trend_quality quality;
    Isms__Inputs__V1__Direction direction;
    double slope_per_30_days;
    size_t count; /* of all points; 0: what follows means nothing */
    double first_value;
    double last_value;
    double mean_value;
    double change_percent;
    const struct trend_point *points; /* oldest first, thinned to HEADING_POINTS_MAX */
    size_t point_count;
};

/* The points of one span of a period. */
struct value_span {
    size_t count; /* 0: what follows means nothing */
    double mean;
    double minimum;
    double maximum;
    double last;
};

/* Oldest first; points that are the same in all are interchangeable. */
void trend_points_sort(struct trend_point *points, size_t count);

/* Of sorted points, all within the period. Sets `late` of each; the result's lie in the arena. Fails only for want of
 * memory (MESSAGE_TOO_LARGE). */
int trend_compute(const struct trend_question *question, struct period period, struct trend_point *points, size_t count,
                  struct arena *arena, struct trend *ret_trend, struct err *err) MUST_CHECK;

/* Of more than `max` points, which is at least 2, that many taken evenly, the first and the last among them; else those
 * that are given. NULL for want of memory. */
const struct trend_point *trend_points_thin(const struct trend_point *points, size_t count, size_t max,
                                            struct arena *arena, size_t *ret_count);

/* Of sorted points within the period: one for each of its spans. NULL for want of memory. */
struct value_span *trend_spans(struct period period, Isms__Inputs__V1__Frequency frequency,
                               const struct trend_point *points, size_t count, struct arena *arena);

#endif
