/* span.h: the spans of time that a metric's frequency cuts the calendar into.
 *
 * Spans of one frequency are numbered in order, without gaps: days, ISO weeks (Monday to Sunday), calendar
 * months, quarters, half-years, years. Days are days since 1970-01-01. Pure functions. */
#ifndef ISMS_INPUTS_SPAN_H
#define ISMS_INPUTS_SPAN_H

#include <stdint.h>

#include <isms/inputs/v1/details.pb-c.h>

/* The span that the day lies in. Not for IRREGULAR, which has none. */
int64_t span_of_day(Isms__Inputs__V1__Frequency frequency, int64_t day);

int64_t span_last_day(Isms__Inputs__V1__Frequency frequency, int64_t span);

#endif
