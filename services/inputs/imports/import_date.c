/* import_date.c: a small reader of tokens instead of strptime(), whose month names follow the process's
 * locale. */
#include "import_date.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <isms/base/clock.h>

/* Reads 1 to `most` digits. */
static bool number_read(const char **text, int most, int *ret_number)
{
    int number = 0;
    int digits = 0;
    for (; digits < most && isdigit((unsigned char)**text); digits++, (*text)++)
        number = number * 10 + (**text - '0');
    *ret_number = number;
    return digits > 0 && !isdigit((unsigned char)**text);
}

static bool character_read(const char **text, const char *accepted)
{
    if (!**text || !strchr(accepted, **text))
        return false;
    (*text)++;
    return true;
}

static bool month_read(const char **text, int *ret_month)
{
    static const char *const names[] = {"January", "February", "March", "April", "May", "June", "July",
                                        "August", "September", "October", "November", "December"};
    size_t length = 0;
    while (isalpha((unsigned char)(*text)[length]))
        length++;
    for (int i = 0; i < 12; i++)
        if ((length == 3 || length == strlen(names[i])) && strncasecmp(*text, names[i], length) == 0) {
            *text += length;
            *ret_month = i + 1;
            return true;
        }
    return false;
}

static bool year_read(const char **text, int *ret_year)
{
    const char *start = *text;
    if (!number_read(text, 4, ret_year))
        return false;
    if (*text - start == 2)
        *ret_year += 2000;
    return *text - start == 2 || *text - start == 4;
}

/* "15:22", "15:22:07", "3:22 PM", to the end of the text. */
static bool clock_read(const char *text, int64_t *ret_seconds)
{
    int hour;
    int minute;
    int second = 0;
    if (!number_read(&text, 2, &hour) || !character_read(&text, ":") || !number_read(&text, 2, &minute))
        return false;
    if (character_read(&text, ":") && !number_read(&text, 2, &second))
        return false;
    bool is_half = strcasecmp(text, " AM") == 0 || strcasecmp(text, " PM") == 0;
    if ((!is_half && *text) || minute > 59 || second > 59 || hour > (is_half ? 12 : 23))
        return false;
    if (is_half && hour == 0)
        return false;
    if (is_half)
        hour = hour % 12 + (toupper((unsigned char)text[1]) == 'P' ? 12 : 0);
    *ret_seconds = hour * 3600 + minute * 60 + second;
    return true;
}

static bool date_read(const char **text, struct date *ret_date)
{
    const char *start = *text;
    if (number_read(text, 4, &ret_date->year) && *text - start == 4)
        return character_read(text, "-") && number_read(text, 2, &ret_date->month) &&
               character_read(text, "-") && number_read(text, 2, &ret_date->day);
    *text = start;
    return number_read(text, 2, &ret_date->day) && character_read(text, "/- ") &&
           month_read(text, &ret_date->month) && character_read(text, "/- ") &&
           year_read(text, &ret_date->year);
}

/* "Oct 2024": the first of the month. */
static bool month_date_read(const char *text, struct date *ret_date)
{
    ret_date->day = 1;
    return month_read(&text, &ret_date->month) && character_read(&text, "- ") &&
           number_read(&text, 4, &ret_date->year) && ret_date->year >= 1900 && !*text;
}

static bool is_ambiguous(const char *text)
{
    int number;
    return number_read(&text, 2, &number) && character_read(&text, "/.-") && number_read(&text, 2, &number) &&
           character_read(&text, "/.-") && number_read(&text, 4, &number);
}

const char *import_time_parse(const char *text, int64_t *ret_time_us, bool *ret_is_local)
{
    struct date date;
    int64_t seconds = 0;
    if (clock_parse(text, ret_time_us)) {
        *ret_is_local = false;
        return NULL;
    }
    if (is_ambiguous(text))
        return "may be read as day/month or as month/day: write it as YYYY-MM-DD";
    if (!month_date_read(text, &date) &&
        (!date_read(&text, &date) || !date_is_valid(date) ||
         (*text && !(character_read(&text, " T") && clock_read(text, &seconds)))))
        return "is not a date such as 2026-01-31, 2026-01-31T15:22:00Z or 31/Jan/26 3:22 PM";
    *ret_time_us = (date_to_days(date) * 86400 + seconds) * 1000000;
    *ret_is_local = true;
    return NULL;
}
