/* result_text.c: binary values as the text that goes into messages. */
#include <isms/base/clock.h>
#include <isms/base/uuid.h>

#include "internal.h"

enum { NUMERIC_NEGATIVE = 0x4000, NUMERIC_INFINITY = 0xD000, NUMERIC_MINUS_INFINITY = 0xF000 };

static unsigned short_read(const char *data, size_t index)
{
    const unsigned char *bytes = (const unsigned char *)data + 2 * index;
    return (unsigned)bytes[0] << 8 | bytes[1];
}

/* numeric_send(): digit count, weight of the first digit, sign, decimals shown, then base-10000 digits. */
static char *numeric_text(struct arena *arena, const char *data, size_t length)
{
    if (length < 8 || length < 8 + 2 * (size_t)short_read(data, 0))
        return arena_strdup(arena, "");
    int count = (int)short_read(data, 0);
    int weight = (int16_t)short_read(data, 1);
    unsigned sign = short_read(data, 2);
    int scale = (int)short_read(data, 3);
    if (sign != 0 && sign != NUMERIC_NEGATIVE) {
        const char *special = sign == NUMERIC_INFINITY         ? "Infinity"
                              : sign == NUMERIC_MINUS_INFINITY ? "-Infinity"
                                                               : "NaN";
        return arena_strdup(arena, special);
    }
    int fraction = (scale + 3) / 4; /* base-10000 digits after the point */
    int whole = weight >= 0 ? weight + 1 : 1;
    size_t size = 4 * ((size_t)whole + (size_t)fraction) + 3;
    char *text = arena_alloc(arena, size);
    if (!text)
        return NULL;
    char *end = text;
    if (sign)
        *end++ = '-';
    for (int i = 0; i < whole + fraction; i++) {
        int index = weight >= 0 ? i : i + weight; /* a weight of -1 starts right behind the point */
        unsigned digit = index >= 0 && index < count ? short_read(data, 4 + (size_t)index) : 0;
        if (i == whole)
            *end++ = '.';
        end += snprintf(end, size - (size_t)(end - text), i == 0 ? "%u" : "%04u", digit % 10000);
    }
    if (fraction)
        end -= 4 * fraction - scale;
    *end = '\0';
    return text;
}

/* The shortest digits that read back as the same number. */
static char *double_text(struct arena *arena, double number, bool narrow)
{
    char text[40];
    for (int digits = narrow ? 6 : 15; digits <= (narrow ? 9 : 17); digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, number);
        if (narrow ? strtof(text, NULL) == (float)number : strtod(text, NULL) == number)
            break;
    }
    return arena_strdup(arena, text);
}

static char *time_text(struct arena *arena, int64_t value, bool day)
{
    char text[CLOCK_TEXT_SIZE];
    if (value == INT64_MIN || value == INT64_MAX)
        return arena_strdup(arena, value == INT64_MIN ? "-infinity" : "infinity");
    if (day)
        date_format(date_from_days(value), text);
    else
        clock_format(value, text);
    return arena_strdup(arena, text);
}

static char *value_text(const struct db_result *result, unsigned row, unsigned column, struct arena *arena)
{
    size_t length;
    const char *data = db_result_data(result, row, column, &length);
    uint32_t type = db_result_type(result, column);
    struct uuid uuid;
    char text[UUID_TEXT_SIZE];
    switch (type) {
    case DB_BOOL:
        return arena_strdup(arena, db_result_int(result, row, column) ? "true" : "false");
    case DB_INT2:
    case DB_INT4:
    case DB_INT8:
        return arena_printf(arena, "%lld", (long long)db_result_int(result, row, column));
    case DB_FLOAT4:
    case DB_FLOAT8:
        return double_text(arena, db_result_double(result, row, column), type == DB_FLOAT4);
    case DB_NUMERIC:
        return numeric_text(arena, data, length);
    case DB_DATE:
    case DB_TIMESTAMPTZ:
        return time_text(arena, db_result_int(result, row, column), type == DB_DATE);
    case DB_UUID:
        if (length != sizeof(uuid.bytes))
            return arena_strdup(arena, "");
        memcpy(uuid.bytes, data, sizeof(uuid.bytes));
        uuid_format(uuid, text);
        return arena_strdup(arena, text);
    case DB_JSONB: /* a version byte, 1, then text */
        return length ? arena_strndup(arena, data + 1, length - 1) : arena_strdup(arena, "");
    default:
        return arena_strndup(arena, data, length);
    }
}

bool db_result_text(const struct db_result *result, unsigned row, unsigned column, struct arena *arena,
                    char **ret_text)
{
    char *text = NULL;
    if (!db_result_is_null(result, row, column)) {
        text = value_text(result, row, column, arena);
        if (!text)
            return false;
    }
    *ret_text = text;
    return true;
}
