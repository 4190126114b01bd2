/* clock.h: points in time as int64_t microseconds since 1970-01-01T00:00:00Z, and calendar dates.
 *
 * Wall-clock times are for what is recorded, monotonic ones for deadlines and durations: the two never
 * mix. Text forms are RFC 3339; a date is a day of the proleptic Gregorian calendar with no time zone. What
 * would fall outside the years 1 to 9999, which RFC 3339 can write, is held at their first or last moment. */
#ifndef ISMS_BASE_CLOCK_H
#define ISMS_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include <isms/base/attributes.h>

enum { CLOCK_TEXT_SIZE = 32, CLOCK_DATE_SIZE = 12 };

struct date {
    int year;  /* 1 to 9999 */
    int month; /* 1 to 12 */
    int day;   /* 1 to 31 */
};

int64_t clock_now_us(void);
int64_t clock_monotonic_us(void);

/* "2026-03-01T12:00:00.000000Z"; microseconds always six digits. */
void clock_format(int64_t time_us, char text[static CLOCK_TEXT_SIZE]);

/* RFC 3339 with any offset and up to nine fraction digits (cut to six). false: not one. */
bool clock_parse(const char *text, int64_t *ret_time_us);

bool date_is_valid(struct date date);
bool date_parse(const char *text, struct date *ret_date); /* exactly YYYY-MM-DD */
void date_format(struct date date, char text[static CLOCK_DATE_SIZE]);

/* Days since 1970-01-01, and back. */
int64_t date_to_days(struct date date);
struct date date_from_days(int64_t days);
struct date date_of(int64_t time_us); /* the UTC day */

/* The same day `months` later, or the month's last day where it has no such day. */
struct date date_add_months(struct date date, int months);

#endif
