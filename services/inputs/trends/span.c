/* span.c: days and weeks are counted, everything longer is a number of whole months. */
#include "span.h"

#include <isms/base/clock.h>

enum {
    MONDAY = 3,      /* 1970-01-01 was a Thursday, the fourth day of its week */
    YEAR_LAST = 9999 /* that a date can have */
};

static int64_t floor_divide(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

/* 0: not a number of months. */
static int months_of(Isms__Inputs__V1__Frequency frequency)
{
    switch (frequency) {
    case ISMS__INPUTS__V1__FREQUENCY__FREQUENCY_MONTHLY:
        return 1;
    case ISMS__INPUTS__V1__FREQUENCY__FREQUENCY_QUARTERLY:
        return 3;
    case ISMS__INPUTS__V1__FREQUENCY__FREQUENCY_HALF_YEARLY:
        return 6;
    case ISMS__INPUTS__V1__FREQUENCY__FREQUENCY_YEARLY:
        return 12;
    default:
        return 0;
    }
}

int64_t span_of_day(Isms__Inputs__V1__Frequency frequency, int64_t day)
{
    int months = months_of(frequency);
    if (months) {
        struct date date = date_from_days(day);
        return (12 * date.year + date.month - 1) / months;
    }
    return frequency == ISMS__INPUTS__V1__FREQUENCY__FREQUENCY_WEEKLY ? floor_divide(day + MONDAY, 7) : day;
}

int64_t span_last_day(Isms__Inputs__V1__Frequency frequency, int64_t span)
{
    int months = months_of(frequency);
    if (months) {
        int64_t next = (span + 1) * months; /* the month behind it */
        if (next >= 12 * (YEAR_LAST + 1))
            return date_to_days((struct date){.year = YEAR_LAST, .month = 12, .day = 31});
        struct date first = {.year = (int)(next / 12), .month = (int)(next % 12) + 1, .day = 1};
        return date_to_days(first) - 1;
    }
    return frequency == ISMS__INPUTS__V1__FREQUENCY__FREQUENCY_WEEKLY ? span * 7 - MONDAY + 6 : span;
}
