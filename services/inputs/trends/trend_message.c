/* trend_message.c: from plain structs to messages. */
#include "trend_message.h"

#include <isms/base/bug.h>
#include <isms/base/clock.h>

static int64_t days_of(const char *text)
{
    struct date date;
    BUG_IF(!date_parse(text, &date)); /* the validator has seen it */
    return date_to_days(date);
}

struct period period_of(const Isms__Type__V1__DateRange *range)
{
    return (struct period){days_of(range->start_date), days_of(range->end_date)};
}

static char *day_text(struct arena *arena, int64_t day)
{
    char text[CLOCK_DATE_SIZE];
    date_format(date_from_days(day), text);
    return arena_strdup(arena, text);
}

Isms__Type__V1__DateRange *date_range_new(struct arena *arena, struct period period)
{
    Isms__Type__V1__DateRange *range = ARENA_NEW(arena, Isms__Type__V1__DateRange);
    if (!range)
        return NULL;
    isms__type__v1__date_range__init(range);
    range->start_date = day_text(arena, period.start);
    range->end_date = day_text(arena, period.end);
    return range->start_date && range->end_date ? range : NULL;
}

Isms__Inputs__V1__DataQuality *data_quality_new(struct arena *arena, const struct trend_quality *quality)
{
    Isms__Inputs__V1__DataQuality *message = ARENA_NEW(arena, Isms__Inputs__V1__DataQuality);
    if (!message)
        return NULL;
    isms__inputs__v1__data_quality__init(message);
    message->expected_points = quality->expected;
    message->present_points = quality->present;
    message->late_points = quality->late;
    message->corrected_points = quality->corrected;
    message->minimum_points = quality->minimum;
    return message;
}

Isms__Inputs__V1__Granularity granularity_stated(Isms__Inputs__V1__Granularity granularity)
{
    return granularity == ISMS__INPUTS__V1__GRANULARITY__GRANULARITY_UNSPECIFIED
               ? ISMS__INPUTS__V1__GRANULARITY__GRANULARITY_MONTH
               : granularity;
}
