/* import_value.c: one function a type. */
#include "import_value.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

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
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return !is_list(field);
    case PROTOBUF_C_TYPE_MESSAGE:
        return is_list(field) ? field->message->kind == MESSAGE_PLAIN && !field->is_map
                              : field->message->kind == MESSAGE_TIMESTAMP;
    default:
        return false;
    }
}

/* A date is the day that the text says, in whatever zone. */
static const char *time_append(const struct field_type *field, const char *text, struct buf *json,
                               bool *ret_is_local)
{
    int64_t time_us;
    bool is_local;
    const char *fault = import_time_parse(text, &time_us, &is_local);
    if (fault)
        return fault;
    *ret_is_local = is_local && field->message;
    char out[CLOCK_TEXT_SIZE];
    if (field->message)
        clock_format(time_us, out);
    else if (is_local)
        date_format(date_of(time_us), out);
    else /* RFC 3339 begins with it */
        snprintf(out, sizeof(out), "%.*s", CLOCK_DATE_SIZE - 2, text);
    buf_printf(json, "\"%s\"", out);
    return NULL;
}

static const char *number_append(const struct field_type *field, const char *text, struct buf *json)
{
    char *end;
    errno = 0;
    if (field->descriptor->type != PROTOBUF_C_TYPE_DOUBLE) {
        bool is_short = field->descriptor->type == PROTOBUF_C_TYPE_INT32;
        long long number = strtoll(text, &end, 10);
        if (*end || errno || (is_short && (number < INT32_MIN || number > INT32_MAX)))
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

/* A label may begin with a bracket, too. */
static bool are_texts(const json_t *list)
{
    size_t index;
    json_t *item;
    json_array_foreach((json_t *)list, index, item)
        if (!json_is_string(item))
            return false;
    return true;
}

/* A list in JSON, as ismsctl writes what a plain list cannot say. It is parsed and written anew, so that no text of
 * the file's becomes a part of the row's JSON. False: it is none, and nothing was appended. */
static bool json_list_append(const struct field_type *field, struct slice text, struct buf *json)
{
    json_t *list = *text.data == '[' ? json_loadb(text.data, text.length, 0, NULL) : NULL;
    char *written = list && (field->message || are_texts(list)) ? json_dumps(list, JSON_COMPACT) : NULL;
    if (written)
        buf_text(json, written);
    free(written);
    json_decref(list);
    return written != NULL;
}

static const char *short_append(const struct field_type *field, struct slice text, struct buf *json,
                                struct arena *arena, bool *ret_is_local)
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
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return number_append(field, copy, json);
    default:
        return time_append(field, copy, json, ret_is_local);
    }
}

const char *import_value_append(const struct field_type *field, struct slice text, struct buf *json,
                                struct arena *arena, bool *ret_is_local)
{
    *ret_is_local = false;
    bool is_text = field->descriptor->type == PROTOBUF_C_TYPE_STRING &&
                   field->rules->format != ISMS__OPTIONS__V1__FORMAT__FORMAT_DATE;
    if (is_list(field) && json_list_append(field, text, json))
        return NULL;
    if (is_text) {
        if (is_list(field))
            list_append(text, json);
        else
            json_text_append(json, text.data, text.length);
        return NULL;
    }
    const char *fault = is_list(field) ? "is not a list in JSON"
                                       : short_append(field, text, json, arena, ret_is_local);
    if (fault)
        buf_text(json, "null");
    return fault;
}
