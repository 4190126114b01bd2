/* json_write.c: messages straight into a buffer, without a tree in between: it runs for every jsonb parameter.
 */
#include <isms/proto/json.h>

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <isms/base/clock.h>
#include <isms/base/json_text.h>

#include "internal.h"

const struct json_style json_style_stored = {.snake_names = true, .short_enums = true, .emit_defaults = false};

struct writer {
    struct json_style style;
    struct buf *buf;
    unsigned depth;
    struct err *err;
};

static int message_write(struct writer *writer, const struct message_type *type,
                         const ProtobufCMessage *message);

static void base64_write(struct buf *buf, const ProtobufCBinaryData *bytes)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    buf_char(buf, '"');
    for (size_t i = 0; i < bytes->len; i += 3) {
        size_t left = bytes->len - i;
        uint32_t bits = (uint32_t)bytes->data[i] << 16;
        if (left > 1)
            bits |= (uint32_t)bytes->data[i + 1] << 8;
        if (left > 2)
            bits |= bytes->data[i + 2];
        char group[4] = {alphabet[bits >> 18], alphabet[bits >> 12 & 63],
                         left > 1 ? alphabet[bits >> 6 & 63] : '=', left > 2 ? alphabet[bits & 63] : '='};
        buf_append(buf, group, sizeof(group));
    }
    buf_char(buf, '"');
}

void real_append(struct buf *buf, double number, bool single)
{
    if (__builtin_isnan(number)) {
        buf_text(buf, "NaN");
        return;
    }
    if (__builtin_isinf(number)) {
        buf_text(buf, number > 0 ? "Infinity" : "-Infinity");
        return;
    }
    char text[40];
    for (int digits = single ? 6 : 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, number);
        double back = strtod(text, NULL);
        if (single ? (float)back == (float)number : back == number) /* NOLINT: exact on purpose */
            break;
    }
    buf_text(buf, text);
}

/* JSON has no numbers for these three; the mapping makes texts of them. */
static void real_write(struct buf *buf, double number, bool single)
{
    const char *quote = __builtin_isfinite(number) ? "" : "\"";
    buf_text(buf, quote);
    real_append(buf, number, single);
    buf_text(buf, quote);
}

/* Fractions of a second in groups of three digits, as the mapping has it. */
static void nanos_write(struct buf *buf, int32_t nanos)
{
    if (nanos == 0)
        return;
    if (nanos % 1000000 == 0)
        buf_printf(buf, ".%03d", nanos / 1000000);
    else if (nanos % 1000 == 0)
        buf_printf(buf, ".%06d", nanos / 1000);
    else
        buf_printf(buf, ".%09d", nanos);
}

static int timestamp_write(struct writer *writer, int64_t seconds, int32_t nanos)
{
    if (seconds < INT64_C(-62135596800) || seconds > INT64_C(253402300799) || nanos < 0 || nanos > 999999999)
        return err_setf(writer->err, ERR_INTERNAL, "a Timestamp is out of range");
    char text[CLOCK_TEXT_SIZE];
    clock_format(seconds * 1000000, text);
    buf_char(writer->buf, '"');
    buf_append(writer->buf, text, strlen("2026-03-01T12:00:00"));
    nanos_write(writer->buf, nanos);
    buf_text(writer->buf, "Z\"");
    return 0;
}

static int duration_write(struct writer *writer, int64_t seconds, int32_t nanos)
{
    struct buf *buf = writer->buf;
    if (seconds < -INT64_C(315576000000) || seconds > INT64_C(315576000000) || nanos < -999999999 ||
        nanos > 999999999 || (seconds < 0 && nanos > 0) || (seconds > 0 && nanos < 0))
        return err_setf(writer->err, ERR_INTERNAL, "a Duration is out of range");
    bool negative = seconds < 0 || nanos < 0;
    uint64_t magnitude = seconds < 0 ? 0 - (uint64_t)seconds : (uint64_t)seconds;
    buf_printf(buf, "\"%s%" PRIu64, negative ? "-" : "", magnitude);
    nanos_write(buf, nanos < 0 ? -nanos : nanos);
    buf_text(buf, "s\"");
    return 0;
}

/* owner.due_date → owner.dueDate, unless names stay as they are in the proto file. What is no name would not be read
 * as the same. */
static int mask_write(struct writer *writer, const struct field_type *paths, const ProtobufCMessage *message)
{
    size_t count = *QUANTIFIER(message, paths, size_t);
    char *const *items = *MEMBER(message, paths, char **);
    struct buf *buf = writer->buf;
    buf_char(buf, '"');
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(items[i]);
        if (length == 0 || strspn(items[i], "abcdefghijklmnopqrstuvwxyz0123456789_.*") != length)
            return err_setf(writer->err, ERR_INTERNAL, "a FieldMask has a path that is no name of a field");
        if (i)
            buf_char(buf, ',');
        for (const char *c = items[i]; *c; c++) {
            bool fold = !writer->style.snake_names && *c == '_' && islower((unsigned char)c[1]);
            if (fold)
                c++;
            buf_char(buf, (char)(fold ? toupper((unsigned char)*c) : *c));
        }
    }
    buf_char(buf, '"');
    return 0;
}

static int value_write(struct writer *writer, const struct field_type *field, const void *value)
{
    struct buf *buf = writer->buf;
    switch (field->descriptor->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        buf_printf(buf, "%" PRId32, *(const int32_t *)value);
        return 0;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        buf_printf(buf, "%" PRIu32, *(const uint32_t *)value);
        return 0;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        buf_printf(buf, "\"%" PRId64 "\"", *(const int64_t *)value);
        return 0;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        buf_printf(buf, "\"%" PRIu64 "\"", *(const uint64_t *)value);
        return 0;
    case PROTOBUF_C_TYPE_FLOAT:
        real_write(buf, (double)*(const float *)value, true);
        return 0;
    case PROTOBUF_C_TYPE_DOUBLE:
        real_write(buf, *(const double *)value, false);
        return 0;
    case PROTOBUF_C_TYPE_BOOL:
        buf_text(buf, *(const protobuf_c_boolean *)value ? "true" : "false");
        return 0;
    case PROTOBUF_C_TYPE_ENUM: {
        int number = *(const int *)value;
        const char *name = writer->style.short_enums ? enum_short_name(field->enumeration, number)
                                                     : enum_long_name(field->enumeration, number);
        if (name)
            buf_printf(buf, "\"%s\"", name);
        else
            buf_printf(buf, "%d", number);
        return 0;
    }
    case PROTOBUF_C_TYPE_STRING: {
        const char *text = *(char *const *)value;
        json_text_append(buf, text ? text : "", text ? strlen(text) : 0);
        return 0;
    }
    case PROTOBUF_C_TYPE_BYTES:
        base64_write(buf, value);
        return 0;
    case PROTOBUF_C_TYPE_MESSAGE: {
        const ProtobufCMessage *message = *(ProtobufCMessage *const *)value;
        if (message)
            return message_write(writer, field->message, message);
        buf_text(buf, "null");
        return 0;
    }
    default:
        return err_set(writer->err, ERR_INTERNAL);
    }
}

static int map_write(struct writer *writer, const struct field_type *field, const ProtobufCMessage *message)
{
    const struct field_type *key = &field->message->fields[0];
    const struct field_type *value = &field->message->fields[1];
    size_t count = *QUANTIFIER(message, field, size_t);
    ProtobufCMessage *const *entries = *MEMBER(message, field, ProtobufCMessage **);
    buf_char(writer->buf, '{');
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_char(writer->buf, ',');
        bool quoted = key->descriptor->type == PROTOBUF_C_TYPE_STRING || field_size(key) == 8;
        if (!quoted)
            buf_char(writer->buf, '"');
        if (value_write(writer, key, MEMBER(entries[i], key, char)) < 0)
            return -1;
        buf_text(writer->buf, quoted ? ":" : "\":");
        if (value_write(writer, value, MEMBER(entries[i], value, char)) < 0)
            return -1;
    }
    buf_char(writer->buf, '}');
    return 0;
}

static int field_write(struct writer *writer, const struct field_type *field, const ProtobufCMessage *message)
{
    if (field->is_map)
        return map_write(writer, field, message);
    if (!field_is_repeated(field))
        return value_write(writer, field, MEMBER(message, field, char));
    size_t count = *QUANTIFIER(message, field, size_t);
    const char *items = *MEMBER(message, field, char *);
    buf_char(writer->buf, '[');
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_char(writer->buf, ',');
        if (value_write(writer, field, items + i * field_size(field)) < 0)
            return -1;
    }
    buf_char(writer->buf, ']');
    return 0;
}

static int object_write(struct writer *writer, const struct message_type *type, const ProtobufCMessage *message)
{
    bool first = true;
    buf_char(writer->buf, '{');
    for (unsigned i = 0; i < type->field_count; i++) {
        const struct field_type *field = &type->fields[i];
        bool may_default = writer->style.emit_defaults && !field_is_in_oneof(field) &&
                           (field_is_repeated(field) || !field->message);
        if (!field_is_set(field, message) && !may_default)
            continue;
        if (!first)
            buf_char(writer->buf, ',');
        first = false;
        buf_printf(writer->buf, "\"%s\":", writer->style.snake_names ? field->name : field->json_name);
        if (field_write(writer, field, message) < 0)
            return -1;
    }
    buf_char(writer->buf, '}');
    return 0;
}

static int message_write(struct writer *writer, const struct message_type *type,
                         const ProtobufCMessage *message)
{
    if (writer->depth == MESSAGE_DEPTH_MAX)
        return err_setf(writer->err, ERR_INTERNAL, "a message is nested too deep");
    writer->depth++;
    int result = 0;
    switch (type->kind) {
    case MESSAGE_TIMESTAMP:
        result = timestamp_write(writer, *MEMBER(message, &type->fields[0], int64_t),
                                 *MEMBER(message, &type->fields[1], int32_t));
        break;
    case MESSAGE_DURATION:
        result = duration_write(writer, *MEMBER(message, &type->fields[0], int64_t),
                                *MEMBER(message, &type->fields[1], int32_t));
        break;
    case MESSAGE_FIELD_MASK:
        result = mask_write(writer, &type->fields[0], message);
        break;
    case MESSAGE_WRAPPER:
        result = value_write(writer, &type->fields[0], MEMBER(message, &type->fields[0], char));
        break;
    case MESSAGE_PLAIN:
        result = object_write(writer, type, message);
        break;
    }
    writer->depth--;
    return result;
}

int json_write(const struct message_type *type, const ProtobufCMessage *message, struct json_style style,
               struct buf *buf, struct err *err)
{
    struct writer writer = {.style = style, .buf = buf, .err = err};
    if (message_write(&writer, type, message) < 0)
        return -1;
    return buf->failed ? err_set(err, ERR_MESSAGE_TOO_LARGE) : 0;
}

int json_write_field(const struct field_type *field, const ProtobufCMessage *message, struct json_style style,
                     struct buf *buf, struct err *err)
{
    struct writer writer = {.style = style, .buf = buf, .err = err};
    if (field_write(&writer, field, message) < 0)
        return -1;
    return buf->failed ? err_set(err, ERR_MESSAGE_TOO_LARGE) : 0;
}
