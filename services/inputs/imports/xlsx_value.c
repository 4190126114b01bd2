/* xlsx_value.c: the two systems of dates, and which formats mean them. */
#include "xlsx_value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <isms/base/clock.h>

enum { DAY_SECONDS = 86400, SERIAL_MAX = 2958466 /* 10000-01-01 */ };

bool xlsx_format_is_date(int number_format)
{
    return (number_format >= 14 && number_format <= 22) || (number_format >= 27 && number_format <= 36) ||
           (number_format >= 45 && number_format <= 47) || (number_format >= 50 && number_format <= 58);
}

/* What a bracket holds: a colour or a condition, or the unit of a duration. */
static bool is_duration(const char *bracket)
{
    size_t length = strspn(bracket, "hHmMsS");
    return length > 0 && bracket[length] == ']';
}

bool xlsx_code_is_date(const char *code)
{
    if (strncasecmp(code, "General", 7) == 0)
        return false;
    for (const char *c = code; *c && *c != ';'; c++) {
        if (*c == '[') {
            if (is_duration(c + 1))
                return false;
            c += strcspn(c, "]");
        } else if (*c == '"') {
            c++;
            c += strcspn(c, "\"");
        } else if (*c == '\\' || *c == '_' || *c == '*') {
            c++;
        } else if (strchr("yYmMdDhHsS", *c)) {
            return true;
        }
        if (!*c)
            break;
    }
    return false;
}

static bool number_read(const char *number, double *ret_value)
{
    char *end;
    *ret_value = strtod(number, &end);
    return *number && !*end && isfinite(*ret_value) && !strpbrk(number, "xX");
}

void xlsx_number_text(const char *number, char *ret_text, size_t size)
{
    double value;
    if (!number_read(number, &value)) {
        snprintf(ret_text, size, "%s", number);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(ret_text, size, "%.*g", digits, value);
        if (strtod(ret_text, NULL) == value)
            break;
    }
    if (strchr(ret_text, 'e') && fabs(value) < 1e15 && value == floor(value))
        snprintf(ret_text, size, "%.0f", value);
}

bool xlsx_date_text(const char *number, bool is_1904, char *ret_text, size_t size)
{
    double value;
    if (!number_read(number, &value) || value < 0 || value >= SERIAL_MAX)
        return false;
    int64_t seconds = (int64_t)llround(value * DAY_SECONDS);
    int64_t day = seconds / DAY_SECONDS;
    int rest = (int)(seconds % DAY_SECONDS);
    if (day == 0 && !is_1904) {
        snprintf(ret_text, size, "%02d:%02d:%02d", rest / 3600, rest / 60 % 60, rest % 60);
        return true;
    }
    if (!is_1904 && day == 60)
        return false; /* 29 February 1900, which there was not */
    struct date first = is_1904 ? (struct date){1904, 1, 1} : (struct date){1899, 12, day < 60 ? 31 : 30};
    char date[CLOCK_TEXT_SIZE];
    date_format(date_of((date_to_days(first) + day) * DAY_SECONDS * 1000000), date);
    if (rest == 0)
        snprintf(ret_text, size, "%s", date);
    else
        snprintf(ret_text, size, "%sT%02d:%02d:%02d", date, rest / 3600, rest / 60 % 60, rest % 60);
    return true;
}
