/* period.h: the periods that a period is compared with, and the spans that it is cut into. Days are days since
 * 1970-01-01, both ends included. Pure functions. */
#ifndef ISMS_INPUTS_PERIOD_H
#define ISMS_INPUTS_PERIOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isms/inputs/v1/trends.pb-c.h>

#define NO_DAY INT32_MIN

enum { PERIOD_YEARS_MAX = 20 };

struct period {
    int64_t start;
    int64_t end;
};

/* A period of whole calendar months: as many months before it. Else as many days. */
struct period period_before(struct period period);

/* The same days a year before: an end of a month stays one, as 28 February does before 29 February. */
struct period period_last_year(struct period period);

/* UNSPECIFIED is MONTH. */
Isms__Inputs__V1__Frequency frequency_of(Isms__Inputs__V1__Granularity granularity);

/* The spans of the granularity that the period touches, and the days of one (from 0) that lie within the period. */
size_t period_span_count(struct period period, Isms__Inputs__V1__Frequency frequency);
struct period period_span(struct period period, Isms__Inputs__V1__Frequency frequency, size_t index);

/* Whether the period has all days of that span. */
bool period_span_is_whole(struct period period, Isms__Inputs__V1__Frequency frequency, size_t index);

/* Which of them the day is in, which must be within the period. */
size_t period_span_of(struct period period, Isms__Inputs__V1__Frequency frequency, int64_t day);

#endif
