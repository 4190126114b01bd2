/* json_read.c: JSON text straight into messages, with memory from the arena alone.
 *
 * A reader of its own rather than a JSON library's tree: it runs for every jsonb column, the descriptor says
 * at every point what may come, and errors can name the path. Once it has failed it stays failed: functions
 * answer -1 and the error holds the first cause. */
#include <isms/proto/json.h>

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <isms/base/clock.h>
#include <isms/proto/message.h>

#include "json_token.h"

enum { SKIP_DEPTH_MAX = 64 };

static int message_read(struct json_reader *reader, const struct message_type *type, ProtobufCMessage *message,
                        const struct path *path);

static int real_read(struct json_reader *reader, const struct path *path, double *ret_number)
{
    char text[JSON_NUMBER_MAX];
    if (json_number(reader, path, text) < 0)
        return -1;
    char *end;
    double number = strtod(text, &end);
    if (*end || (__builtin_isinf(number) && !strchr(text, 'I')))
        return json_fail(reader, path, "is not a number that fits");
    *ret_number = number;
    return 0;
}

/* An integer between the bounds; 1.0 and 1e3 are integers too. */
static int integer_read(struct json_reader *reader, const struct path *path, int64_t min, uint64_t max,
                        uint64_t *ret_bits)
{
    char text[JSON_NUMBER_MAX];
    if (json_number(reader, path, text) < 0)
        return -1;
    bool negative = text[0] == '-';
    char *end;
    errno = 0;
    uint64_t bits;
    bool fits;
    if (negative) {
        long long number = strtoll(text, &end, 10);
        fits = errno == 0 && number >= min;
        bits = (uint64_t)number;
    } else {
        bits = strtoull(text, &end, 10);
        fits = errno == 0 && bits <= max;
    }
    if (*end) {
        double number = strtod(text, &end);
        fits = !*end && number >= -9007199254740992.0 && number <= 9007199254740992.0 &&
               number == (double)(int64_t)number && (int64_t)number >= min &&
               (number < 0 || (uint64_t)number <= max);
        bits = fits ? (uint64_t)(int64_t)number : 0;
    }
    if (!fits)
        return json_fail(reader, path, "is not an integer that fits");
    *ret_bits = bits;
    return 0;
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

static int bytes_read(struct json_reader *reader, const struct path *path, ProtobufCBinaryData *ret_bytes)
{
    char *text;
    if (json_take_string(reader, path, &text) < 0)
        return -1;
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == '=')
        length--;
    uint8_t *bytes = (uint8_t *)text; /* decoded in place: it only shrinks */
    size_t count = 0;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < length; i++) {
        int value = base64_value(text[i]);
        if (value < 0)
            return json_fail(reader, path, "is not base64");
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            bytes[count++] = (uint8_t)(bits >> held);
        }
    }
    if (held >= 6)
        return json_fail(reader, path, "is not base64");
    *ret_bytes = (ProtobufCBinaryData){.data = bytes, .len = count};
    return 0;
}

static int enum_read(struct json_reader *reader, const struct field_type *field, const struct path *path,
                     int *ret_value)
{
    if (json_peek(reader) != '"') {
        uint64_t bits;
        if (integer_read(reader, path, INT32_MIN, INT32_MAX, &bits) < 0)
            return -1;
        if (!enum_long_name(field->enumeration, (int)bits))
            return json_fail(reader, path, "is not a value of %s", field->enumeration->descriptor->short_name);
        *ret_value = (int)bits;
        return 0;
    }
    char *name;
    if (json_take_string(reader, path, &name) < 0)
        return -1;
    if (!enum_value_of(field->enumeration, name, strlen(name), ret_value))
        return json_fail(reader, path, "is not a value of %s", field->enumeration->descriptor->short_name);
    return 0;
}

/* One value into `slot`: a member of a message, or an item of a repeated field. */
static int value_read(struct json_reader *reader, const struct field_type *field, void *slot,
                      const struct path *path)
{
    uint64_t bits;
    switch (field->descriptor->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        if (integer_read(reader, path, INT32_MIN, INT32_MAX, &bits) < 0)
            return -1;
        *(int32_t *)slot = (int32_t)bits;
        return 0;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        if (integer_read(reader, path, 0, UINT32_MAX, &bits) < 0)
            return -1;
        *(uint32_t *)slot = (uint32_t)bits;
        return 0;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return integer_read(reader, path, INT64_MIN, INT64_MAX, slot);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return integer_read(reader, path, 0, UINT64_MAX, slot);
    case PROTOBUF_C_TYPE_FLOAT: {
        double number;
        if (real_read(reader, path, &number) < 0)
            return -1;
        if (__builtin_isfinite(number) && (number > 3.4028235677973366e38 || number < -3.4028235677973366e38))
            return json_fail(reader, path, "is not a number that fits");
        *(float *)slot = (float)number;
        return 0;
    }
    case PROTOBUF_C_TYPE_DOUBLE:
        return real_read(reader, path, slot);
    case PROTOBUF_C_TYPE_BOOL: {
        bool yes = json_take_word(reader, "true");
        if (!yes && !json_take_word(reader, "false"))
            return json_fail(reader, path, "is neither true nor false");
        *(protobuf_c_boolean *)slot = yes;
        return 0;
    }
    case PROTOBUF_C_TYPE_ENUM:
        return enum_read(reader, field, path, slot);
    case PROTOBUF_C_TYPE_STRING:
        return json_take_string(reader, path, slot);
    case PROTOBUF_C_TYPE_BYTES:
        return bytes_read(reader, path, slot);
    case PROTOBUF_C_TYPE_MESSAGE:
    default: {
        ProtobufCMessage *message = message_new(field->message->descriptor, reader->arena);
        if (!message)
            return json_exhausted(reader);
        if (message_read(reader, field->message, message, path) < 0)
            return -1;
        *(ProtobufCMessage **)slot = message;
        return 0;
    }
    }
}

/* Room for one more item; the array doubles, and what it leaves behind goes with the arena. */
static void *item_add(struct json_reader *reader, const struct field_type *field, char **items, size_t *count,
                      size_t *capacity)
{
    size_t size = field_size(field);
    if (*count == *capacity) {
        size_t more = *capacity ? *capacity * 2 : 4;
        char *larger = arena_alloc_array(reader->arena, more, size);
        if (!larger)
            return NULL;
        if (*count)
            memcpy(larger, *items, *count * size);
        *items = larger;
        *capacity = more;
    }
    return *items + size * (*count)++;
}

static int array_read(struct json_reader *reader, const struct field_type *field, ProtobufCMessage *message,
                      struct path *path)
{
    char *items = NULL;
    size_t count = 0;
    size_t capacity = 0;
    if (!json_take(reader, '['))
        return json_fail(reader, path, "is not a JSON array");
    if (!json_take(reader, ']'))
        do {
            path->index = (long)count;
            void *slot = item_add(reader, field, &items, &count, &capacity);
            if (!slot)
                return json_exhausted(reader);
            if (value_read(reader, field, slot, path) < 0)
                return -1;
        } while (json_take(reader, ','));
    if (count && !json_take(reader, ']'))
        return json_fail(reader, path, "has an array without end");
    *MEMBER(message, field, void *) = items;
    *QUANTIFIER(message, field, size_t) = count;
    return 0;
}

/* A map's key is always a string in JSON: the text inside is read as a value of the key's type. */
static int key_read(struct json_reader *reader, const struct field_type *key, void *slot,
                    const struct path *path)
{
    if (key->descriptor->type != PROTOBUF_C_TYPE_BOOL)
        return json_peek(reader) == '"' ? value_read(reader, key, slot, path)
                                        : json_fail(reader, path, "is not a JSON object");
    bool fine = json_take(reader, '"') && value_read(reader, key, slot, path) == 0 && json_take(reader, '"');
    return fine ? 0 : json_fail(reader, path, "has a key that is neither \"true\" nor \"false\"");
}

static int map_read(struct json_reader *reader, const struct field_type *field, ProtobufCMessage *message,
                    struct path *path)
{
    const struct field_type *key = &field->message->fields[0];
    const struct field_type *value = &field->message->fields[1];
    char *items = NULL;
    size_t count = 0;
    size_t capacity = 0;
    if (!json_take(reader, '{'))
        return json_fail(reader, path, "is not a JSON object");
    if (!json_take(reader, '}'))
        do {
            path->index = (long)count;
            ProtobufCMessage *entry = message_new(field->message->descriptor, reader->arena);
            ProtobufCMessage **slot = (ProtobufCMessage **)item_add(reader, field, &items, &count, &capacity);
            if (!entry || !slot)
                return json_exhausted(reader);
            *slot = entry;
            if (key_read(reader, key, MEMBER(entry, key, char), path) < 0)
                return -1;
            if (!json_take(reader, ':'))
                return json_fail(reader, path, "has no ':' after its key");
            if (value_read(reader, value, MEMBER(entry, value, char), path) < 0)
                return -1;
        } while (json_take(reader, ','));
    if (count && !json_take(reader, '}'))
        return json_fail(reader, path, "has an object without end");
    *MEMBER(message, field, void *) = items;
    *QUANTIFIER(message, field, size_t) = count;
    return 0;
}

static int field_read(struct json_reader *reader, const struct field_type *field, ProtobufCMessage *message,
                      struct path *path)
{
    if (json_take_word(reader, "null")) {
        field_clear(field, message);
        return 0;
    }
    if (field->is_map)
        return map_read(reader, field, message, path);
    if (field_is_repeated(field))
        return array_read(reader, field, message, path);
    if (field_is_in_oneof(field)) {
        uint64_t value[2] = {0}; /* the union may hold another member: read beside it */
        if (value_read(reader, field, value, path) < 0)
            return -1;
        memcpy(MEMBER(message, field, char), value, field_size(field));
        field_choose(field, message);
        return 0;
    }
    return value_read(reader, field, MEMBER(message, field, char), path);
}

/* Any JSON value, of a member nobody knows. */
static int skip(struct json_reader *reader, unsigned depth, const struct path *path)
{
    char text[JSON_NUMBER_MAX];
    char *ignored;
    char first = json_peek(reader);
    if (depth == SKIP_DEPTH_MAX)
        return json_fail(reader, path, "is nested too deep");
    if (first == '"')
        return json_take_string(reader, path, &ignored);
    if (json_take_word(reader, "null") || json_take_word(reader, "true") || json_take_word(reader, "false"))
        return 0;
    if (first != '{' && first != '[')
        return json_number(reader, path, text);
    char last = first == '{' ? '}' : ']';
    reader->at++;
    if (json_take(reader, last))
        return 0;
    do {
        if (first == '{' && (json_take_string(reader, path, &ignored) < 0 || !json_take(reader, ':')))
            return json_fail(reader, path, "is not a JSON object");
        if (skip(reader, depth + 1, path) < 0)
            return -1;
    } while (json_take(reader, ','));
    return json_take(reader, last) ? 0 : json_fail(reader, path, "is not valid JSON");
}

static const struct field_type *member_find(const struct message_type *type, const char *name)
{
    for (unsigned i = 0; i < type->field_count; i++)
        if (strcmp(type->fields[i].name, name) == 0 || strcmp(type->fields[i].json_name, name) == 0)
            return &type->fields[i];
    return NULL;
}

/* Told apart by the fields met: a member twice, or a second member of the same oneof. */
static bool member_is_repetition(const struct message_type *type, const struct field_type *field,
                                 uint64_t *seen)
{
    bool again = false;
    for (unsigned i = 0; i < type->field_count; i++) {
        const struct field_type *other = &type->fields[i];
        if (seen[i / 64] & (UINT64_C(1) << i % 64))
            again |= other == field || (other->oneof && other->oneof == field->oneof);
    }
    size_t index = (size_t)(field - type->fields);
    seen[index / 64] |= UINT64_C(1) << index % 64;
    return again;
}

static int object_read(struct json_reader *reader, const struct message_type *type, ProtobufCMessage *message,
                       const struct path *path)
{
    uint64_t seen[MESSAGE_FIELDS_MAX / 64] = {0};
    if (!json_take(reader, '{'))
        return json_fail(reader, path, "is not a JSON object");
    if (json_take(reader, '}'))
        return 0;
    do {
        char *name;
        if (json_take_string(reader, path, &name) < 0)
            return -1;
        const struct field_type *field = member_find(type, name);
        struct path here = {.parent = path, .name = field ? field->name : name, .index = -1};
        if (!json_take(reader, ':'))
            return json_fail(reader, &here, "has no ':' after its name");
        if (!field) {
            if (!reader->ignore_unknown)
                return json_fail(reader, &here, "is not a field of %s", type->descriptor->short_name);
            if (skip(reader, 0, &here) < 0)
                return -1;
            continue;
        }
        bool is_null = json_peek(reader) == 'n';
        if (!is_null && member_is_repetition(type, field, seen))
            return json_fail(reader, &here, "is given twice, or beside another member of its oneof");
        if (field_read(reader, field, message, &here) < 0)
            return -1;
    } while (json_take(reader, ','));
    return json_take(reader, '}') ? 0 : json_fail(reader, path, "has an object without end");
}

static int timestamp_read(struct json_reader *reader, const struct message_type *type,
                          ProtobufCMessage *message, const struct path *path)
{
    char *text;
    int64_t time_us;
    if (json_take_string(reader, path, &text) < 0)
        return -1;
    if (!clock_parse(text, &time_us))
        return json_fail(reader, path, "is not an RFC 3339 time such as 2026-03-01T12:00:00Z");
    int64_t rest = (time_us % 1000000 + 1000000) % 1000000;
    *MEMBER(message, &type->fields[0], int64_t) = (time_us - rest) / 1000000;
    *MEMBER(message, &type->fields[1], int32_t) = (int32_t)rest * 1000;
    return 0;
}

/* "-1.5s": seconds and up to nine digits of a fraction, both with the sign. */
static int duration_read(struct json_reader *reader, const struct message_type *type, ProtobufCMessage *message,
                         const struct path *path)
{
    char *text;
    if (json_take_string(reader, path, &text) < 0)
        return -1;
    const char *c = text + (*text == '-');
    int64_t seconds = 0;
    int32_t nanos = 0;
    size_t digits = strspn(c, "0123456789");
    bool valid = digits > 0 && digits <= 12;
    for (size_t i = 0; valid && i < digits; i++)
        seconds = seconds * 10 + (*c++ - '0');
    if (valid && *c == '.') {
        size_t fraction = strspn(++c, "0123456789");
        valid = fraction > 0 && fraction <= 9;
        for (size_t i = 0; valid && i < 9; i++)
            nanos = nanos * 10 + (i < fraction ? *c++ - '0' : 0);
    }
    if (!valid || strcmp(c, "s") != 0 || seconds > INT64_C(315576000000))
        return json_fail(reader, path, "is not a duration such as 1.5s");
    *MEMBER(message, &type->fields[0], int64_t) = *text == '-' ? -seconds : seconds;
    *MEMBER(message, &type->fields[1], int32_t) = *text == '-' ? -nanos : nanos;
    return 0;
}

/* "owner.dueDate,title" → the proto files' names. */
static int mask_read(struct json_reader *reader, const struct message_type *type, ProtobufCMessage *message,
                     const struct path *path)
{
    char *text;
    if (json_take_string(reader, path, &text) < 0)
        return -1;
    const struct field_type *paths = &type->fields[0];
    char *items = NULL;
    size_t count = 0;
    size_t capacity = 0;
    while (*text) {
        size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.*");
        if (length == 0 || (text[length] && text[length] != ','))
            return json_fail(reader, path, "is not a list of field names");
        char **slot = (char **)item_add(reader, paths, &items, &count, &capacity);
        char *name = arena_alloc(reader->arena, 2 * length + 1);
        if (!slot || !name)
            return json_exhausted(reader);
        *slot = name;
        for (size_t i = 0; i < length; i++) {
            if (isupper((unsigned char)text[i]))
                *name++ = '_';
            *name++ = (char)tolower((unsigned char)text[i]);
        }
        text += length + (text[length] == ',');
    }
    *MEMBER(message, paths, void *) = items;
    *QUANTIFIER(message, paths, size_t) = count;
    return 0;
}

static int message_read(struct json_reader *reader, const struct message_type *type, ProtobufCMessage *message,
                        const struct path *path)
{
    if (reader->depth == MESSAGE_DEPTH_MAX)
        return json_fail(reader, path, "is nested too deep");
    reader->depth++;
    int result = -1;
    switch (type->kind) {
    case MESSAGE_TIMESTAMP:
        result = timestamp_read(reader, type, message, path);
        break;
    case MESSAGE_DURATION:
        result = duration_read(reader, type, message, path);
        break;
    case MESSAGE_FIELD_MASK:
        result = mask_read(reader, type, message, path);
        break;
    case MESSAGE_WRAPPER:
        result = value_read(reader, &type->fields[0], MEMBER(message, &type->fields[0], char), path);
        break;
    case MESSAGE_PLAIN:
        result = object_read(reader, type, message, path);
        break;
    }
    reader->depth--;
    return result;
}

static int end_check(struct json_reader *reader)
{
    (void)json_peek(reader);
    return reader->at == reader->end ? 0 : json_fail(reader, NULL, "there is text after the JSON value");
}

int json_read_into(const struct message_type *type, ProtobufCMessage *message, const char *text, size_t length,
                   bool ignore_unknown, struct arena *arena, struct err *err)
{
    struct err found = {0};
    struct json_reader reader = {
        .at = text, .end = text + length, .arena = arena, .ignore_unknown = ignore_unknown, .err = &found};
    if (message_read(&reader, type, message, NULL) == 0 && end_check(&reader) == 0)
        return 0;
    *err = found;
    return -1;
}

int json_read(const struct message_type *type, const char *text, size_t length, bool ignore_unknown,
              struct arena *arena, ProtobufCMessage **ret_message, struct err *err)
{
    ProtobufCMessage *message = message_new(type->descriptor, arena);
    if (!message)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    if (json_read_into(type, message, text, length, ignore_unknown, arena, err) < 0)
        return -1;
    *ret_message = message;
    return 0;
}

int json_read_field(const struct field_type *field, ProtobufCMessage *message, const char *text, size_t length,
                    bool ignore_unknown, struct arena *arena, struct err *err)
{
    struct err found = {0};
    struct json_reader reader = {
        .at = text, .end = text + length, .arena = arena, .ignore_unknown = ignore_unknown, .err = &found};
    struct path path = {.name = field->name, .index = -1};
    if (field_read(&reader, field, message, &path) == 0 && end_check(&reader) == 0)
        return 0;
    *err = found;
    return -1;
}
