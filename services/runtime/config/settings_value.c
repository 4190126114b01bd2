/* settings_value.c: parsing is strict. A value that could be misread ("5" minutes? "0x10"? "1 h"?) is refused
 * at start rather than guessed at. */
#include "settings_value.h"

#include <string.h>
#include <unistd.h>

enum { DIGITS_MAX = 12 }; /* no overflow, in hours of microseconds either */

static const struct unit {
    const char *name;
    int64_t us;
} units[] = {{"ms", 1000}, {"s", 1000000}, {"m", 60 * INT64_C(1000000)}, {"h", 3600 * INT64_C(1000000)}};

/* The digits at the start of `text`. Returns what follows them, or NULL when there are none or too many. */
static const char *digits_parse(const char *text, int64_t *ret_number)
{
    size_t length = strspn(text, "0123456789");
    int64_t number = 0;
    if (length == 0 || length > DIGITS_MAX)
        return NULL;
    for (size_t i = 0; i < length; i++)
        number = number * 10 + (text[i] - '0');
    *ret_number = number;
    return text + length;
}

static bool duration_parse(const char *text, int64_t *ret_us)
{
    int64_t number;
    const char *unit = digits_parse(text, &number);
    for (size_t i = 0; unit && i < ARRAY_SIZE(units); i++)
        if (strcmp(unit, units[i].name) == 0)
            return !__builtin_mul_overflow(number, units[i].us, ret_us);
    return false;
}

static bool bool_parse(const char *text, int64_t *ret_number)
{
    static const char *const names[][2] = {{"false", "true"}, {"no", "yes"}, {"off", "on"}, {"0", "1"}};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        for (int value = 0; value <= 1; value++)
            if (strcmp(text, names[i][value]) == 0) {
                *ret_number = value;
                return true;
            }
    return false;
}

static bool choice_is_valid(const char *choices, const char *text)
{
    size_t length = strlen(text);
    for (const char *choice = choices; choice; choice = strchr(choice, '|')) {
        choice += *choice == '|';
        if (length > 0 && strcspn(choice, "|") == length && strncmp(choice, text, length) == 0)
            return true;
    }
    return false;
}

/* "host:port"; an IPv6 address stands in brackets. Whether the host exists shows when it is used. */
static bool address_is_valid(const char *text)
{
    const char *colon = strrchr(text, ':');
    int64_t port;
    if (!colon || colon == text || text[strcspn(text, " \t/@")])
        return false;
    const char *end = digits_parse(colon + 1, &port);
    if (!end || *end || port > 65535)
        return false;
    if (text[0] == '[')
        return colon - text > 2 && colon[-1] == ']';
    return memchr(text, ':', (size_t)(colon - text)) == NULL;
}

bool setting_value_parse(const struct setting_type *type, const char *text, int64_t *ret_number)
{
    int64_t number = 0;
    const char *end;
    switch (type->kind) {
    case SETTING_STRING:
        return *text;
    case SETTING_PATH:
        return access(text, R_OK) == 0;
    case SETTING_ADDRESS:
        return address_is_valid(text);
    case SETTING_CHOICE:
        return choice_is_valid(type->choices, text);
    case SETTING_BOOL:
        return bool_parse(text, ret_number);
    case SETTING_INT:
        end = digits_parse(text, &number);
        if (!end || *end)
            return false;
        break;
    case SETTING_DURATION:
        if (!duration_parse(text, &number))
            return false;
        break;
    }
    if (number < type->least || number > type->most)
        return false;
    *ret_number = number;
    return true;
}

static void duration_append(struct buf *buf, int64_t us)
{
    size_t i = us ? ARRAY_SIZE(units) - 1 : 1;
    while (i > 0 && us % units[i].us)
        i--;
    buf_printf(buf, "%lld%s", (long long)(us / units[i].us), units[i].name);
}

void setting_type_describe(const struct setting_type *type, struct buf *buf)
{
    switch (type->kind) {
    case SETTING_STRING:
        buf_text(buf, "text");
        break;
    case SETTING_PATH:
        buf_text(buf, "a readable file");
        break;
    case SETTING_ADDRESS:
        buf_text(buf, "host:port");
        break;
    case SETTING_CHOICE:
        buf_text(buf, type->choices);
        break;
    case SETTING_BOOL:
        buf_text(buf, "true or false");
        break;
    case SETTING_INT:
        buf_printf(buf, "%lld to %lld", (long long)type->least, (long long)type->most);
        break;
    case SETTING_DURATION:
        duration_append(buf, type->least);
        buf_text(buf, " to ");
        duration_append(buf, type->most);
        break;
    }
}
