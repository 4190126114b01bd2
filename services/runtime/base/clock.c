/* clock.c: dates by Howard Hinnant's days-from-civil arithmetic
 * (https://howardhinnant.github.io/date_algorithms.html).
 *
 * libc's calendar functions depend on the process's time zone and locale; these depend on nothing. Dates and
 * formatted times are held within the years 1 to 9999, the range that RFC 3339 can write. */
#include <isms/base/clock.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <isms/base/bug.h>

enum { YEAR_MIN = 1, YEAR_MAX = 9999, MINUTES_OF_DAY = 24 * 60 };

static const int64_t SECOND_US = 1000000;
static const int64_t DAY_US = 24 * 60 * 60 * INT64_C(1000000);
static const int64_t DAYS_MIN = -719162; /* 0001-01-01 */
static const int64_t DAYS_MAX = 2932896; /* 9999-12-31 */

static int64_t clock_read(clockid_t id)
{
    struct timespec now;
    BUG_IF(clock_gettime(id, &now) != 0);
    return (int64_t)now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

int64_t clock_now_us(void)
{
    return clock_read(CLOCK_REALTIME);
}

int64_t clock_monotonic_us(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* Division that rounds towards minus infinity, as days before 1970 need it. */
static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

void clock_format(int64_t time_us, char text[static CLOCK_TEXT_SIZE])
{
    time_us = clamp(time_us, DAYS_MIN * DAY_US, (DAYS_MAX + 1) * DAY_US - 1);
    int64_t days = floor_divide(time_us, DAY_US);
    uint64_t rest = (uint64_t)(time_us - days * DAY_US);
    unsigned second = (unsigned)(rest / 1000000);
    date_format(date_from_days(days), text);
    snprintf(text + 10, CLOCK_TEXT_SIZE - 10, "T%02u:%02u:%02u.%06uZ", second / 3600 % 24, second / 60 % 60,
             second % 60, (unsigned)(rest % 1000000));
}

/* Exactly `count` digits. Moves *text behind them. */
static bool digits_parse(const char **text, int count, int *ret_value)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        char digit = (*text)[i];
        if (digit < '0' || digit > '9')
            return false;
        value = value * 10 + (digit - '0');
    }
    *text += count;
    *ret_value = value;
    return true;
}

static bool character_parse(const char **text, const char *accepted)
{
    if (!**text || !strchr(accepted, **text))
        return false;
    (*text)++;
    return true;
}

static bool date_parse_prefix(const char **text, struct date *ret_date)
{
    struct date date;
    if (!digits_parse(text, 4, &date.year) || !character_parse(text, "-") ||
        !digits_parse(text, 2, &date.month) || !character_parse(text, "-") ||
        !digits_parse(text, 2, &date.day) || !date_is_valid(date))
        return false;
    *ret_date = date;
    return true;
}

/* ".123" as 123000; nothing as 0. More than nine digits are refused, digits beyond six cut. */
static bool fraction_parse(const char **text, int *ret_us)
{
    int us = 0;
    int count = 0;
    if (character_parse(text, ".")) {
        for (int digit; digits_parse(text, 1, &digit); count++)
            if (count < 6)
                us = us * 10 + digit;
            else if (count >= 9)
                return false;
        if (count == 0)
            return false;
    }
    for (; count < 6; count++)
        us *= 10;
    *ret_us = us;
    return true;
}

static bool offset_parse(const char **text, int *ret_minutes)
{
    if (character_parse(text, "Zz")) {
        *ret_minutes = 0;
        return true;
    }
    int hours, minutes;
    bool west = **text == '-';
    if (!character_parse(text, "+-") || !digits_parse(text, 2, &hours) || !character_parse(text, ":") ||
        !digits_parse(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    minutes += hours * 60;
    *ret_minutes = west ? -minutes : minutes;
    return true;
}

bool clock_parse(const char *text, int64_t *ret_time_us)
{
    struct date date;
    int hour, minute, second, fraction_us, offset;
    if (!date_parse_prefix(&text, &date) || !character_parse(&text, "Tt") ||
        !digits_parse(&text, 2, &hour) || !character_parse(&text, ":") ||
        !digits_parse(&text, 2, &minute) || !character_parse(&text, ":") ||
        !digits_parse(&text, 2, &second) || !fraction_parse(&text, &fraction_us) ||
        !offset_parse(&text, &offset) || *text)
        return false;
    if (hour > 23 || minute > 59 || second > 60)
        return false;

    int minute_utc = hour * 60 + minute - offset;
    /* A leap second is the last of a UTC day; we count it as the first of the next, as POSIX time does. */
    if (second == 60 && (minute_utc + MINUTES_OF_DAY) % MINUTES_OF_DAY != MINUTES_OF_DAY - 1)
        return false;
    int64_t time_us = date_to_days(date) * DAY_US + fraction_us;
    time_us += ((int64_t)minute_utc * 60 + second) * SECOND_US;
    if (time_us < DAYS_MIN * DAY_US || time_us >= (DAYS_MAX + 1) * DAY_US)
        return false;
    *ret_time_us = time_us;
    return true;
}

static bool year_is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int month_length(int year, int month)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return lengths[month - 1] + (month == 2 && year_is_leap(year));
}

bool date_is_valid(struct date date)
{
    return date.year >= YEAR_MIN && date.year <= YEAR_MAX && date.month >= 1 && date.month <= 12 &&
           date.day >= 1 && date.day <= month_length(date.year, date.month);
}

bool date_parse(const char *text, struct date *ret_date)
{
    struct date date;
    if (!date_parse_prefix(&text, &date) || *text)
        return false;
    *ret_date = date;
    return true;
}

void date_format(struct date date, char text[static CLOCK_DATE_SIZE])
{
    BUG_IF(!date_is_valid(date));
    snprintf(text, CLOCK_DATE_SIZE, "%04d-%02d-%02d", date.year, date.month, date.day);
}

/* Both ways count in years that begin in March, so that the leap day is a year's last, and in eras of 400
 * years, after which the calendar repeats. */
int64_t date_to_days(struct date date)
{
    BUG_IF(!date_is_valid(date));
    int year = date.year - (date.month <= 2);
    int era = year / 400;
    int year_of_era = year % 400;
    int month = (date.month + 9) % 12; /* March is 0 */
    int day_of_year = (153 * month + 2) / 5 + date.day - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (int64_t)era * 146097 + day_of_era - 719468;
}

struct date date_from_days(int64_t days)
{
    int day = (int)clamp(days, DAYS_MIN, DAYS_MAX) + 719468;
    int era = day / 146097;
    int day_of_era = day % 146097;
    int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month = (5 * day_of_year + 2) / 153; /* March is 0 */
    return (struct date){
        .year = era * 400 + year_of_era + (month >= 10),
        .month = month < 10 ? month + 3 : month - 9,
        .day = day_of_year - (153 * month + 2) / 5 + 1,
    };
}

struct date date_of(int64_t time_us)
{
    return date_from_days(floor_divide(time_us, DAY_US));
}

struct date date_add_months(struct date date, int months)
{
    BUG_IF(!date_is_valid(date));
    int64_t month = (int64_t)date.year * 12 + date.month - 1 + months;
    if (month < YEAR_MIN * 12)
        return date_from_days(DAYS_MIN);
    if (month >= (YEAR_MAX + 1) * 12)
        return date_from_days(DAYS_MAX);
    date.year = (int)(month / 12);
    date.month = (int)(month % 12) + 1;
    int last = month_length(date.year, date.month);
    if (date.day > last)
        date.day = last;
    return date;
}
