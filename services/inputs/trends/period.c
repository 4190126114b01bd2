/* period.c: months are counted as months where the period is made of them, so that the quarter before a quarter is a
 * quarter. */
#include "period.h"

#include <isms/base/clock.h>

#include "span.h"

static bool is_first(int64_t day)
{
    return date_from_days(day).day == 1;
}

static bool is_last(int64_t day)
{
    return is_first(day + 1);
}

static int64_t months_later(int64_t day, int months)
{
    return date_to_days(date_add_months(date_from_days(day), months));
}

struct period period_before(struct period period)
{
    int64_t start = period.start;
    if (!is_first(start) || !is_last(period.end))
        return (struct period){2 * start - period.end - 1, start - 1};
    int64_t months = span_of_day(ISMS__INPUTS__V1__FREQUENCY__FREQUENCY_MONTHLY, period.end) -
                     span_of_day(ISMS__INPUTS__V1__FREQUENCY__FREQUENCY_MONTHLY, start) + 1;
    return (struct period){months_later(start, -(int)months), start - 1};
}

struct period period_last_year(struct period period)
{
    int64_t end = is_last(period.end) ? months_later(period.end + 1, -12) - 1 : months_later(period.end, -12);
    return (struct period){months_later(period.start, -12), end};
}

Isms__Inputs__V1__Frequency frequency_of(Isms__Inputs__V1__Granularity granularity)
{
    switch (granularity) {
    case ISMS__INPUTS__V1__GRANULARITY__GRANULARITY_QUARTER:
        return ISMS__INPUTS__V1__FREQUENCY__FREQUENCY_QUARTERLY;
    case ISMS__INPUTS__V1__GRANULARITY__GRANULARITY_YEAR:
        return ISMS__INPUTS__V1__FREQUENCY__FREQUENCY_YEARLY;
    default:
        return ISMS__INPUTS__V1__FREQUENCY__FREQUENCY_MONTHLY;
    }
}

size_t period_span_count(struct period period, Isms__Inputs__V1__Frequency frequency)
{
    return period_span_of(period, frequency, period.end) + 1;
}

/* The calendar's, whether or not all of it lies within the period. */
static struct period span_days(struct period period, Isms__Inputs__V1__Frequency frequency, size_t index)
{
    int64_t span = span_of_day(frequency, period.start) + (int64_t)index;
    return (struct period){span_last_day(frequency, span - 1) + 1, span_last_day(frequency, span)};
}

struct period period_span(struct period period, Isms__Inputs__V1__Frequency frequency, size_t index)
{
    struct period days = span_days(period, frequency, index);
    return (struct period){days.start > period.start ? days.start : period.start,
                           days.end < period.end ? days.end : period.end};
}

bool period_span_is_whole(struct period period, Isms__Inputs__V1__Frequency frequency, size_t index)
{
    struct period days = span_days(period, frequency, index);
    return days.start >= period.start && days.end <= period.end;
}

size_t period_span_of(struct period period, Isms__Inputs__V1__Frequency frequency, int64_t day)
{
    return (size_t)(span_of_day(frequency, day) - span_of_day(frequency, period.start));
}
