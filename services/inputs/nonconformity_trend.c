/* nonconformity_trend.c: one pass over the nonconformities counts what happens in each month; what is open
 * follows by summing up. */
#include "nonconformity_trend.h"

#include <isms/base/clock.h>

#include "span.h"
#include "trend.h"

#define MONTHLY ISMS__INPUTS__V1__FREQUENCY__FREQUENCY_MONTHLY

static int64_t min_day(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void months_name(struct nonconformity_trend *trend, int64_t first)
{
    for (size_t i = 0; i < trend->month_count; i++)
        trend->months[i].first_day = span_last_day(MONTHLY, first + (int64_t)i - 1) + 1;
}

/* The number open at each month's end is a measured value like any other. */
static int heading_compute(struct nonconformity_trend *trend, int64_t start_day, int64_t end_day,
                           struct arena *arena, struct err *err)
{
    struct trend_point *points = ARENA_ARRAY(arena, trend->month_count, struct trend_point);
    if (!points)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    for (size_t i = 0; i < trend->month_count; i++) {
        int64_t last_day = span_last_day(MONTHLY, span_of_day(MONTHLY, trend->months[i].first_day));
        int64_t time_us = min_day(last_day, end_day) * INT64_C(86400000000);
        points[i].time_us = points[i].recorded_us = time_us;
        points[i].value = trend->months[i].open;
    }
    struct trend_question question = {
        .polarity = ISMS__INPUTS__V1__POLARITY__POLARITY_LOWER_IS_BETTER,
        .frequency = MONTHLY,
        .start_day = start_day,
        .end_day = end_day,
        .as_of_day = end_day,
    };
    struct trend heading;
    if (trend_compute(&question, points, trend->month_count, arena, &heading, err) < 0)
        return -1;
    trend->direction = heading.direction;
    trend->slope_per_30_days = heading.slope_per_30_days;
    return 0;
}

int nonconformity_trend_compute(const struct nonconformity_days *all, size_t count, int64_t start_day,
                                int64_t end_day, struct arena *arena, struct nonconformity_trend *ret_trend,
                                struct err *err)
{
    int64_t first = span_of_day(MONTHLY, start_day);
    struct nonconformity_trend trend = {.month_count = (size_t)(span_of_day(MONTHLY, end_day) - first + 1)};
    trend.months = ARENA_ARRAY(arena, trend.month_count, struct nonconformity_month);
    double *days_to_close = ARENA_ARRAY(arena, count, double);
    if (!trend.months || !days_to_close)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    months_name(&trend, first);

    for (size_t i = 0; i < count; i++) {
        int64_t opened = all[i].opened;
        if (opened > end_day)
            continue;
        int64_t closed = all[i].closed == NO_DAY ? INT64_MAX : all[i].closed > opened ? all[i].closed : opened;
        if (opened >= start_day)
            trend.months[span_of_day(MONTHLY, opened) - first].opened++;
        else
            trend.open_at_start += closed >= start_day;
        if (closed >= start_day && closed <= end_day) {
            trend.months[span_of_day(MONTHLY, closed) - first].closed++;
            days_to_close[trend.closed++] = (double)(closed - opened);
        }
        trend.overdue_at_end += closed > end_day && all[i].due != NO_DAY && all[i].due < end_day;
    }
    trend.open_at_end = trend.open_at_start;
    for (size_t i = 0; i < trend.month_count; i++) {
        trend.opened += trend.months[i].opened;
        trend.open_at_end += trend.months[i].opened - trend.months[i].closed;
        trend.months[i].open = trend.open_at_end;
    }
    trend.median_days_to_close = median_of(days_to_close, (size_t)trend.closed);
    if (heading_compute(&trend, start_day, end_day, arena, err) < 0)
        return -1;
    *ret_trend = trend;
    return 0;
}
