/* canonical.c: RFC 8785 over jansson's tree.
 *
 * The two places where a plain serialiser differs are the order of members (UTF-16 code units, which is not the
 * order of the UTF-8 bytes once supplementary characters meet U+E000 to U+FFFF) and the text of numbers
 * (ECMA-262, Number::toString: the shortest decimal that reads back as the same double). */
#include <isms/base/canonical.h>

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <isms/base/bug.h>
#include <isms/base/json_text.h>
#include <isms/base/utf8.h>

enum { DEPTH_MAX = 256, DIGITS_MAX = 17 };

static const json_int_t INTEGER_MAX = INT64_C(1) << 53;

struct member {
    const char *key;
    size_t length;
    const json_t *value;
};

/* A finite number other than zero: 0.d1d2d3... * 10^point. */
struct decimal {
    char digits[DIGITS_MAX + 1];
    int count;
    int point;
    bool negative;
};

static int value_append(struct buf *buf, const json_t *value, unsigned depth, struct err *err);

static bool decimal_reads_back(const struct decimal *decimal, double magnitude)
{
    char text[DIGITS_MAX + 16];
    snprintf(text, sizeof(text), "%se%d", decimal->digits, decimal->point - decimal->count);
    return strtod(text, NULL) == magnitude;
}

/* The next larger decimal of as many digits. */
static void decimal_increment(struct decimal *decimal)
{
    int i = decimal->count;
    while (i > 0 && decimal->digits[i - 1] == '9')
        decimal->digits[--i] = '0';
    if (i > 0) {
        decimal->digits[i - 1]++;
    } else {
        decimal->digits[0] = '1';
        decimal->point++;
    }
}

/* For each count of digits the nearest decimal is tried, then the one above it: right below a power of two
 * doubles lie twice as dense, and there the nearest may be another number while the one above still reads back
 * (2^-44 is 5.684341886080802e-14, not ...801e-14). */
static struct decimal decimal_of(double value)
{
    double magnitude = fabs(value);
    struct decimal decimal = {.negative = value < 0};
    for (decimal.count = 1; decimal.count <= DIGITS_MAX; decimal.count++) {
        char text[DIGITS_MAX + 16];
        snprintf(text, sizeof(text), "%.*e", decimal.count - 1, magnitude);
        const char *exponent = strchr(text, 'e') + 1;
        decimal.digits[0] = text[0];
        memcpy(decimal.digits + 1, text + 2, (size_t)decimal.count - 1); /* behind the locale's decimal point */
        decimal.digits[decimal.count] = '\0';
        decimal.point = (int)strtol(exponent, NULL, 10) + 1;
        if (decimal_reads_back(&decimal, magnitude))
            return decimal;
        if (decimal.count == DIGITS_MAX)
            break;
        decimal_increment(&decimal);
        if (decimal_reads_back(&decimal, magnitude))
            return decimal;
    }
    bug(__FILE__, __LINE__, "17 digits do not read back");
}

/* ECMA-262, Number::toString, steps 6 to 12; `point` is its n, `count` its k. */
static void decimal_append(struct buf *buf, const struct decimal *decimal)
{
    const char *digits = decimal->digits;
    int count = decimal->count;
    int point = decimal->point;
    if (decimal->negative)
        buf_char(buf, '-');
    if (count <= point && point <= 21)
        buf_printf(buf, "%s%.*s", digits, point - count, "00000000000000000000");
    else if (0 < point && point <= 21)
        buf_printf(buf, "%.*s.%s", point, digits, digits + point);
    else if (-6 < point && point <= 0)
        buf_printf(buf, "0.%.*s%s", -point, "00000", digits);
    else
        buf_printf(buf, "%c%s%se%+d", digits[0], count > 1 ? "." : "", digits + 1, point - 1);
}

static int real_append(struct buf *buf, double value, struct err *err)
{
    if (!isfinite(value))
        return err_setf(err, ERR_FIELD_INVALID, "a number is not finite, which JSON cannot hold");
    if (value == 0) { /* also -0 */
        buf_char(buf, '0');
        return 0;
    }
    struct decimal decimal = decimal_of(value);
    decimal_append(buf, &decimal);
    return 0;
}

static int integer_append(struct buf *buf, json_int_t value, struct err *err)
{
    if (value > INTEGER_MAX || value < -INTEGER_MAX)
        return err_setf(err, ERR_FIELD_INVALID, "an integer is beyond 2^53, where JSON numbers are not exact");
    buf_printf(buf, "%" JSON_INTEGER_FORMAT, value);
    return 0;
}

static int text_append(struct buf *buf, const char *text, size_t length, struct err *err)
{
    if (!utf8_is_valid(text, length))
        return err_setf(err, ERR_FIELD_INVALID, "a text is not valid UTF-8");
    json_text_append(buf, text, length);
    return 0;
}

static int array_append(struct buf *buf, const json_t *array, unsigned depth, struct err *err)
{
    size_t i;
    json_t *value;
    buf_char(buf, '[');
    json_array_foreach(array, i, value) {
        if (i > 0)
            buf_char(buf, ',');
        if (value_append(buf, value, depth, err) != 0)
            return -1;
    }
    buf_char(buf, ']');
    return 0;
}

/* Where a byte sorts so that UTF-8 gets the order of UTF-16: U+E000 to U+FFFF (lead bytes EE and EF) come after
 * the supplementary characters (F0 to F4), whose surrogates are smaller. */
static int byte_rank(char byte)
{
    unsigned char value = (unsigned char)byte;
    return value == 0xEE || value == 0xEF ? value + 0x10 : value;
}

static int member_compare(const void *left, const void *right)
{
    const struct member *a = left;
    const struct member *b = right;
    size_t shared = a->length < b->length ? a->length : b->length;
    for (size_t i = 0; i < shared; i++)
        if (a->key[i] != b->key[i])
            return byte_rank(a->key[i]) - byte_rank(b->key[i]);
    return (a->length > b->length) - (a->length < b->length);
}

static void member_freep(struct member **members)
{
    free(*members);
}

static int object_append(struct buf *buf, json_t *object, unsigned depth, struct err *err)
{
    size_t count = 0;
    struct member *members CLEANUP(member_freep) = calloc(json_object_size(object) + 1, sizeof(*members));
    if (!members)
        return err_setf(err, ERR_INTERNAL, "out of memory");
    for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i))
        members[count++] = (struct member){
            .key = json_object_iter_key(i),
            .length = json_object_iter_key_len(i),
            .value = json_object_iter_value(i),
        };
    qsort(members, count, sizeof(*members), member_compare);

    buf_char(buf, '{');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(buf, ',');
        if (text_append(buf, members[i].key, members[i].length, err) != 0)
            return -1;
        buf_char(buf, ':');
        if (value_append(buf, members[i].value, depth, err) != 0)
            return -1;
    }
    buf_char(buf, '}');
    return 0;
}

static int value_append(struct buf *buf, const json_t *value, unsigned depth, struct err *err)
{
    if (depth >= DEPTH_MAX)
        return err_setf(err, ERR_FIELD_INVALID, "a JSON value is nested more than %d levels deep", DEPTH_MAX);
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return object_append(buf, (json_t *)value, depth + 1, err); /* jansson's iterators take no const */
    case JSON_ARRAY:
        return array_append(buf, value, depth + 1, err);
    case JSON_STRING:
        return text_append(buf, json_string_value(value), json_string_length(value), err);
    case JSON_INTEGER:
        return integer_append(buf, json_integer_value(value), err);
    case JSON_REAL:
        return real_append(buf, json_real_value(value), err);
    case JSON_TRUE:
        buf_text(buf, "true");
        return 0;
    case JSON_FALSE:
        buf_text(buf, "false");
        return 0;
    case JSON_NULL:
        buf_text(buf, "null");
        return 0;
    }
    bug(__FILE__, __LINE__, "a JSON value of no type");
}

int canonical_append(struct buf *buf, const json_t *value, struct err *err)
{
    if (value_append(buf, value, 0, err) != 0)
        return -1;
    return buf->failed ? err_set(err, ERR_MESSAGE_TOO_LARGE) : 0;
}
