/* binding_readers.c: one function for every pair of a SQL type (in its binary form) and a field's type. */
#include "binding_plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <isms/base/clock.h>
#include <isms/proto/message.h>

/* Binary timestamps and dates count from 2000-01-01. */
static const int64_t epoch_us = INT64_C(946684800000000);
static const int64_t epoch_days = 10957;

uint64_t number_of(const char *data, size_t length)
{
    uint64_t number = 0;
    for (size_t i = 0; i < length; i++)
        number = number << 8 | (unsigned char)data[i];
    return number;
}

int64_t integer_of(const char *data, size_t length)
{
    unsigned spare = (unsigned)(64 - 8 * length);
    return length == 0 ? 0 : (int64_t)(number_of(data, length) << spare) >> spare;
}

static bool is_integer(size_t length)
{
    return length == 2 || length == 4 || length == 8;
}

static int text_store(struct arena *arena, const char *text, size_t length, void *slot)
{
    char *copy = arena_strndup(arena, text, length);
    if (!copy)
        return -1;
    *(char **)slot = copy;
    return 0;
}

static int text_to_string(const struct field_type *field, const char *data, size_t length, struct arena *arena,
                          void *slot)
{
    (void)field;
    return text_store(arena, data, length, slot);
}

static int uuid_to_string(const struct field_type *field, const char *data, size_t length, struct arena *arena,
                          void *slot)
{
    struct uuid uuid;
    char text[UUID_TEXT_SIZE];
    (void)field;
    if (length != sizeof(uuid.bytes))
        return -1;
    memcpy(uuid.bytes, data, sizeof(uuid.bytes));
    uuid_format(uuid, text);
    return text_store(arena, text, strlen(text), slot);
}

static int date_to_string(const struct field_type *field, const char *data, size_t length, struct arena *arena,
                          void *slot)
{
    char text[CLOCK_DATE_SIZE];
    (void)field;
    if (length != 4)
        return -1;
    int64_t days = integer_of(data, length);
    if (days == INT32_MAX || days == INT32_MIN) /* infinity has no date */
        return -1;
    struct date date = date_from_days(days + epoch_days);
    if (!date_is_valid(date))
        return -1;
    date_format(date, text);
    return text_store(arena, text, strlen(text), slot);
}

static int integer_to_string(const struct field_type *field, const char *data, size_t length,
                             struct arena *arena, void *slot)
{
    char text[24];
    (void)field;
    if (!is_integer(length))
        return -1;
    int size = snprintf(text, sizeof(text), "%" PRId64, integer_of(data, length));
    return text_store(arena, text, (size_t)size, slot);
}

static int integer_to_int32(const struct field_type *field, const char *data, size_t length,
                            struct arena *arena, void *slot)
{
    (void)field;
    (void)arena;
    if (length != 2 && length != 4)
        return -1;
    *(int32_t *)slot = (int32_t)integer_of(data, length);
    return 0;
}

static int integer_to_int64(const struct field_type *field, const char *data, size_t length,
                            struct arena *arena, void *slot)
{
    (void)field;
    (void)arena;
    if (!is_integer(length))
        return -1;
    *(int64_t *)slot = integer_of(data, length);
    return 0;
}

static int to_bool(const struct field_type *field, const char *data, size_t length, struct arena *arena,
                   void *slot)
{
    (void)field;
    (void)arena;
    if (length != 1)
        return -1;
    *(protobuf_c_boolean *)slot = *data != 0;
    return 0;
}

static void real_store(const struct field_type *field, double number, void *slot)
{
    if (field->descriptor->type == PROTOBUF_C_TYPE_FLOAT)
        *(float *)slot = (float)number;
    else
        *(double *)slot = number;
}

static int real_to_real(const struct field_type *field, const char *data, size_t length, struct arena *arena,
                        void *slot)
{
    (void)arena;
    if (length == 4) {
        uint32_t bits = (uint32_t)number_of(data, length);
        float number;
        memcpy(&number, &bits, sizeof(number));
        real_store(field, (double)number, slot);
        return 0;
    }
    if (length != 8)
        return -1;
    uint64_t bits = number_of(data, length);
    double number;
    memcpy(&number, &bits, sizeof(number));
    real_store(field, number, slot);
    return 0;
}

static int integer_to_real(const struct field_type *field, const char *data, size_t length, struct arena *arena,
                           void *slot)
{
    (void)arena;
    if (!is_integer(length))
        return -1;
    real_store(field, (double)integer_of(data, length), slot);
    return 0;
}

static int text_to_real(const struct field_type *field, const char *data, size_t length, struct arena *arena,
                        void *slot)
{
    (void)arena;
    char *end;
    double number = strtod(data, &end); /* what db_result_text() made of a numeric: NUL-terminated */
    if (length == 0 || *end)
        return -1;
    real_store(field, number, slot);
    return 0;
}

static int text_to_enum(const struct field_type *field, const char *data, size_t length, struct arena *arena,
                        void *slot)
{
    (void)arena;
    if (length == 0) {
        *(int *)slot = 0;
        return 0;
    }
    return enum_value_of(field->enumeration, data, length, slot) ? 0 : -1;
}

static int to_bytes(const struct field_type *field, const char *data, size_t length, struct arena *arena,
                    void *slot)
{
    (void)field;
    uint8_t *copy = arena_memdup(arena, data, length);
    if (!copy)
        return -1;
    *(ProtobufCBinaryData *)slot = (ProtobufCBinaryData){.data = copy, .len = length};
    return 0;
}

/* Makes the Timestamp itself: slot is where the pointer to it goes. */
static int to_timestamp(const struct field_type *field, const char *data, size_t length, struct arena *arena,
                        void *slot)
{
    if (length != 8)
        return -1;
    int64_t time_us = integer_of(data, length);
    if (time_us == INT64_MAX || time_us == INT64_MIN || __builtin_add_overflow(time_us, epoch_us, &time_us))
        return -1;
    const struct message_type *type = field->message;
    ProtobufCMessage *message = message_new(type->descriptor, arena);
    if (!message)
        return -1;
    int64_t rest = (time_us % 1000000 + 1000000) % 1000000;
    *MEMBER(message, &type->fields[0], int64_t) = (time_us - rest) / 1000000;
    *MEMBER(message, &type->fields[1], int32_t) = (int32_t)rest * 1000;
    *(ProtobufCMessage **)slot = message;
    return 0;
}

bool is_text_type(uint32_t type)
{
    return type == DB_TEXT || type == DB_VARCHAR || type == TYPE_BPCHAR || type == TYPE_NAME;
}

static bool is_integer_type(uint32_t type)
{
    return type == DB_INT2 || type == DB_INT4 || type == DB_INT8;
}

reader *reader_for(const struct field_type *field, uint32_t type)
{
    switch (field->descriptor->type) {
    case PROTOBUF_C_TYPE_STRING:
        if (is_text_type(type) || type == DB_NUMERIC)
            return text_to_string;
        if (type == DB_UUID)
            return uuid_to_string;
        if (type == DB_DATE)
            return date_to_string;
        return is_integer_type(type) ? integer_to_string : NULL;
    case PROTOBUF_C_TYPE_ENUM:
        return is_text_type(type) ? text_to_enum : NULL;
    case PROTOBUF_C_TYPE_BOOL:
        return type == DB_BOOL ? to_bool : NULL;
    case PROTOBUF_C_TYPE_BYTES:
        return type == DB_BYTEA ? to_bytes : NULL;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        if (type == DB_FLOAT4 || type == DB_FLOAT8)
            return real_to_real;
        if (type == DB_NUMERIC)
            return text_to_real;
        return is_integer_type(type) ? integer_to_real : NULL;
    case PROTOBUF_C_TYPE_MESSAGE:
        return field->message->kind == MESSAGE_TIMESTAMP && type == DB_TIMESTAMPTZ ? to_timestamp : NULL;
    default:
        if (field_size(field) == 8)
            return is_integer_type(type) ? integer_to_int64 : NULL;
        return type == DB_INT2 || type == DB_INT4 ? integer_to_int32 : NULL;
    }
}

uint32_t element_type(uint32_t array)
{
    static const uint32_t pairs[][2] = {
        {DB_TEXT_ARRAY, DB_TEXT}, {TYPE_VARCHAR_ARRAY, DB_VARCHAR}, {DB_INT4_ARRAY, DB_INT4},
        {TYPE_INT2_ARRAY, DB_INT2}, {DB_INT8_ARRAY, DB_INT8}, {DB_FLOAT8_ARRAY, DB_FLOAT8},
        {TYPE_FLOAT4_ARRAY, DB_FLOAT4}, {DB_BOOL_ARRAY, DB_BOOL}, {DB_UUID_ARRAY, DB_UUID},
        {DB_DATE_ARRAY, DB_DATE}, {DB_TIMESTAMPTZ_ARRAY, DB_TIMESTAMPTZ}, {TYPE_BYTEA_ARRAY, DB_BYTEA}};
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
        if (pairs[i][0] == array)
            return pairs[i][1];
    return 0;
}
