/* import_value.c: one function a type. */
#include "import_value.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <isms/base/clock.h>
#include <isms/base/json_text.h>

#include "import_date.h"

enum { SHORT_TEXT = 64 }; /* no number, date or name of an enum is longer */

static bool is_list(const struct field_type *field)
{
    return field->descriptor->label == PROTOBUF_C_LABEL_REPEATED;
}

bool import_value_accepts(const struct field_type *field)
{
    switch (field->descriptor->type) {
    case PROTOBUF_C_TYPE_STRING:
        return true;
    case PROTOBUF_C_TYPE_ENUM:
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_DOUBLE:
        return !is_list(field);
    case PROTOBUF_C_TYPE_MESSAGE:
        return !is_list(field) && field->message->kind == MESSAGE_TIMESTAMP;
    default:
        return false;
    }
}

static const char *time_append(const struct field_type *field, const char *text, struct buf *json)
{
    int64_t time_us;
    const char *fault = import_time_parse(text, &time_us);
    if (fault)
        return fault;
    char out[CLOCK_TEXT_SIZE];
    if (field->message)
        clock_format(time_us, out);
    else
        date_format(date_of(time_us), out);
    buf_printf(json, "\"%s\"", out);
    return NULL;
}

static const char *number_append(const struct field_type *field, const char *text, struct buf *json)
{
    char *end;
    errno = 0;
    if (field->descriptor->type == PROTOBUF_C_TYPE_INT32) {
        long long number = strtoll(text, &end, 10);
        if (*end || errno || number < INT32_MIN || number > INT32_MAX)
            return "is not a whole number";
        buf_printf(json, "%lld", number);
        return NULL;
    }
    double number = strtod(text, &end);
    if (*end || errno || !isfinite(number) || strpbrk(text, "xX"))
        return "is not a number such as 12 or 12.5";
    buf_printf(json, "%.17g", number);
    return NULL;
}

static const char *bool_append(const char *text, struct buf *json)
{
    static const char *const yes[] = {"true", "yes", "y", "1"};
    static const char *const no[] = {"false", "no", "n", "0"};
    for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            buf_text(json, strcasecmp(text, yes[i]) == 0 ? "true" : "false");
            return NULL;
        }
    }
    return "is neither yes nor no";
}

static const char *enum_append(const struct field_type *field, char *text, struct buf *json,
                               struct arena *arena)
{
    const struct enum_type *type = field->enumeration;
    int value;
    for (char *c = text; *c; c++)
        *c = *c == ' ' || *c == '-' ? '_' : (char)toupper((unsigned char)*c);
    if (enum_value_of(type, text, strlen(text), &value) && value != 0) {
        buf_printf(json, "\"%s\"", enum_short_name(type, value));
        return NULL;
    }
    struct buf fault;
    buf_init_arena(&fault, arena, 1000);
    const char *separator = "is not one of ";
    for (unsigned i = 0; i < type->descriptor->n_values; i++) {
        if (type->descriptor->values[i].value == 0)
            continue;
        buf_printf(&fault, "%s%s", separator, enum_short_name(type, type->descriptor->values[i].value));
        separator = ", ";
    }
    return fault.data;
}

static void list_append(struct slice text, struct buf *json)
{
    const char *end = text.data + text.length;
    const char *separator = "";
    buf_char(json, '[');
    for (const char *item = text.data; item < end;) {
        size_t length = 0;
        while (item + length < end && !memchr(",;\r\n", item[length], 4))
            length++;
        size_t shown = length;
        while (shown > 0 && isspace((unsigned char)item[shown - 1]))
            shown--;
        if (shown > 0) {
            buf_text(json, separator);
            json_text_append(json, item, shown);
            separator = ",";
        }
        item += length;
        while (item < end && (memchr(",;\r\n", *item, 4) || isspace((unsigned char)*item)))
            item++;
    }
    buf_char(json, ']');
}

static const char *short_append(const struct field_type *field, struct slice text, struct buf *json,
                                struct arena *arena)
{
    char copy[SHORT_TEXT];
    if (text.length >= sizeof(copy))
        return "is too long for what belongs here";
    memcpy(copy, text.data, text.length);
    copy[text.length] = '\0';
    switch (field->descriptor->type) {
    case PROTOBUF_C_TYPE_ENUM:
        return enum_append(field, copy, json, arena);
    case PROTOBUF_C_TYPE_BOOL:
        return bool_append(copy, json);
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_DOUBLE:
        return number_append(field, copy, json);
    default:
        return time_append(field, copy, json);
    }
}

const char *import_value_append(const struct field_type *field, struct slice text, struct buf *json,
                                struct arena *arena)
{
    bool is_text = field->descriptor->type == PROTOBUF_C_TYPE_STRING &&
                   field->rules->format != ISMS__OPTIONS__V1__FORMAT__FORMAT_DATE;
    if (is_text && is_list(field))
        list_append(text, json);
    else if (is_text)
        json_text_append(json, text.data, text.length);
    else {
        const char *fault = short_append(field, text, json, arena);
        if (fault)
            buf_text(json, "null");
        return fault;
    }
    return NULL;
}
