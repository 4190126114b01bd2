/* binding_encode.c: from places in the request to values.
 *
 * Values go as text (bytea apart): PostgreSQL reads text into whatever type it inferred for the parameter, so
 * the same encoding serves a uuid column and a text one. Only "'' is NULL" needs the type, which the server
 * tells when the statement is described. */
#include "binding_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <isms/base/clock.h>
#include <isms/proto/json.h>
#include <isms/proto/mask.h>

enum { VALUE_TEXT_MAX = 64 * 1024 * 1024 };

static const struct db_value null_value = {0};

struct encoder {
    struct arena *arena;
    struct err *err;
};

static struct db_value text_value(const char *text)
{
    return (struct db_value){.data = text, .length = text ? (int)strlen(text) : 0};
}

static int value_printf(struct encoder *encoder, struct db_value *value, const char *format, ...)
    PRINTF_LIKE(3, 4);

static int value_printf(struct encoder *encoder, struct db_value *value, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *text = arena_vprintf(encoder->arena, format, arguments);
    va_end(arguments);
    if (!text)
        return err_set(encoder->err, ERR_MESSAGE_TOO_LARGE);
    *value = text_value(text);
    return 0;
}

static int uuid_encode(struct encoder *encoder, struct uuid uuid, struct db_value *value)
{
    char *text = arena_alloc(encoder->arena, UUID_TEXT_SIZE);
    if (!text)
        return err_set(encoder->err, ERR_MESSAGE_TOO_LARGE);
    uuid_format(uuid, text);
    *value = (struct db_value){.data = text, .length = UUID_TEXT_SIZE - 1};
    return 0;
}

static int time_encode(struct encoder *encoder, int64_t time_us, struct db_value *value)
{
    char *text = arena_alloc(encoder->arena, CLOCK_TEXT_SIZE);
    if (!text)
        return err_set(encoder->err, ERR_MESSAGE_TOO_LARGE);
    clock_format(time_us, text);
    *value = text_value(text);
    return 0;
}

/* A text appended to the buffer as PostgreSQL reads it; what stands for UNSPECIFIED and unset is ''. */
static void scalar_append(struct buf *buf, const struct field_type *field, const void *slot)
{
    switch (field->descriptor->type) {
    case PROTOBUF_C_TYPE_STRING: {
        const char *text = *(char *const *)slot;
        buf_text(buf, text ? text : "");
        return;
    }
    case PROTOBUF_C_TYPE_ENUM: {
        int number = *(const int *)slot;
        const char *name = number ? enum_short_name(field->enumeration, number) : "";
        buf_text(buf, name ? name : "");
        return;
    }
    case PROTOBUF_C_TYPE_BOOL:
        buf_char(buf, *(const protobuf_c_boolean *)slot ? 't' : 'f');
        return;
    case PROTOBUF_C_TYPE_FLOAT:
        real_append(buf, (double)*(const float *)slot, true);
        return;
    case PROTOBUF_C_TYPE_DOUBLE:
        real_append(buf, *(const double *)slot, false);
        return;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        buf_printf(buf, "%" PRIu32, *(const uint32_t *)slot);
        return;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        buf_printf(buf, "%" PRIu64, *(const uint64_t *)slot);
        return;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        buf_printf(buf, "%" PRId64, *(const int64_t *)slot);
        return;
    case PROTOBUF_C_TYPE_BYTES: {
        const ProtobufCBinaryData *bytes = slot;
        buf_text(buf, "\\x");
        for (size_t i = 0; i < bytes->len; i++)
            buf_printf(buf, "%02x", bytes->data[i]);
        return;
    }
    default:
        buf_printf(buf, "%" PRId32, *(const int32_t *)slot);
        return;
    }
}

static bool empty_is_null(uint32_t type)
{
    return type != 0 && type != DB_TEXT && type != DB_VARCHAR && type != DB_TEXT_ARRAY &&
           type != TYPE_VARCHAR_ARRAY;
}

static int scalar_encode(struct encoder *encoder, const struct field_type *field, const void *slot,
                         uint32_t type, struct db_value *value)
{
    if (field->descriptor->type == PROTOBUF_C_TYPE_STRING) { /* as it stands: the request outlives the call */
        const char *text = *(char *const *)slot;
        bool empty = !text || !*text;
        *value = empty && empty_is_null(type) ? null_value : text_value(empty ? "" : text);
        return 0;
    }
    if (field->descriptor->type == PROTOBUF_C_TYPE_BYTES) {
        const ProtobufCBinaryData *bytes = slot;
        *value = (struct db_value){
            .data = bytes->len ? (const char *)bytes->data : "", .length = (int)bytes->len, .format = 1};
        return 0;
    }
    struct buf buf;
    buf_init_arena(&buf, encoder->arena, 512);
    scalar_append(&buf, field, slot);
    if (buf.failed)
        return err_set(encoder->err, ERR_MESSAGE_TOO_LARGE);
    *value = (struct db_value){.data = buf.data, .length = (int)buf.length};
    return 0;
}

static int timestamp_us(struct encoder *encoder, const struct message_type *type,
                        const ProtobufCMessage *message, int64_t *ret_time_us)
{
    int64_t seconds = *MEMBER(message, &type->fields[0], int64_t);
    if (seconds < INT64_C(-62135596800) || seconds > INT64_C(253402300799))
        return err_setf(encoder->err, ERR_FIELD_INVALID, "A time is out of range.");
    *ret_time_us = seconds * 1000000 + *MEMBER(message, &type->fields[1], int32_t) / 1000;
    return 0;
}

/* {"a","b"}: every element quoted, which an array of any type accepts. */
static int array_encode(struct encoder *encoder, const struct field_type *field, const char *items,
                        size_t count, uint32_t type, struct db_value *value)
{
    struct buf buf;
    struct buf element;
    buf_init_arena(&buf, encoder->arena, VALUE_TEXT_MAX);
    buf_init_arena(&element, encoder->arena, VALUE_TEXT_MAX);
    buf_char(&buf, '{');
    for (size_t i = 0; i < count; i++) {
        const char *item = items + i * field_size(field);
        buf_clear(&element);
        if (field->message) {
            int64_t time_us;
            char text[CLOCK_TEXT_SIZE];
            if (timestamp_us(encoder, field->message, *(ProtobufCMessage *const *)item, &time_us) < 0)
                return -1;
            clock_format(time_us, text);
            buf_text(&element, text);
        } else {
            scalar_append(&element, field, item);
        }
        if (i)
            buf_char(&buf, ',');
        if (element.length == 0 && empty_is_null(type)) {
            buf_text(&buf, "NULL");
            continue;
        }
        buf_char(&buf, '"');
        for (size_t j = 0; j < element.length; j++) {
            if (element.data[j] == '"' || element.data[j] == '\\')
                buf_char(&buf, '\\');
            buf_char(&buf, element.data[j]);
        }
        buf_char(&buf, '"');
    }
    buf_char(&buf, '}');
    if (buf.failed || element.failed)
        return err_set(encoder->err, ERR_MESSAGE_TOO_LARGE);
    *value = (struct db_value){.data = buf.data, .length = (int)buf.length};
    return 0;
}

static int json_encode(struct encoder *encoder, const struct field_type *field, const ProtobufCMessage *parent,
                       struct db_value *value)
{
    struct buf buf;
    buf_init_arena(&buf, encoder->arena, VALUE_TEXT_MAX);
    if (json_write_field(field, parent, json_style_stored, &buf, encoder->err) < 0)
        return -1;
    *value = (struct db_value){.data = buf.data, .length = (int)buf.length};
    return 0;
}

static int message_encode(struct encoder *encoder, const struct field_type *field,
                          const ProtobufCMessage *parent, uint32_t type, struct db_value *value)
{
    const struct message_type *inner = field->message;
    if (!parent || !field_is_set(field, parent)) {
        *value = null_value;
        return 0;
    }
    const ProtobufCMessage *message = *MEMBER(parent, field, ProtobufCMessage *);
    switch (inner->kind) {
    case MESSAGE_TIMESTAMP: {
        int64_t time_us;
        return timestamp_us(encoder, inner, message, &time_us) < 0 ? -1 : time_encode(encoder, time_us, value);
    }
    case MESSAGE_DURATION: {
        int64_t seconds = *MEMBER(message, &inner->fields[0], int64_t);
        int32_t nanos = *MEMBER(message, &inner->fields[1], int32_t);
        return value_printf(encoder, value, "%" PRId64 " seconds %d microseconds", seconds, nanos / 1000);
    }
    case MESSAGE_FIELD_MASK:
        return array_encode(encoder, &inner->fields[0], *MEMBER(message, &inner->fields[0], char *),
                            *QUANTIFIER(message, &inner->fields[0], size_t), type, value);
    case MESSAGE_WRAPPER:
        return scalar_encode(encoder, &inner->fields[0], MEMBER(message, &inner->fields[0], char), type, value);
    case MESSAGE_PLAIN:
    default:
        return json_encode(encoder, field, parent, value);
    }
}

static int field_encode(struct encoder *encoder, const struct field_type *field, const ProtobufCMessage *parent,
                        uint32_t type, struct db_value *value)
{
    static const char zero[sizeof(ProtobufCBinaryData)];
    if (field_is_repeated(field)) {
        size_t count = parent ? *QUANTIFIER(parent, field, size_t) : 0;
        bool scalars = !field->message || field->message->kind == MESSAGE_TIMESTAMP;
        if (scalars)
            return array_encode(encoder, field, count ? *MEMBER(parent, field, char *) : NULL, count, type,
                                value);
        if (parent)
            return json_encode(encoder, field, parent, value);
        *value = text_value(field->is_map ? "{}" : "[]");
        return 0;
    }
    if (field->message)
        return message_encode(encoder, field, parent, type, value);
    if (parent && field_is_in_oneof(field) && !field_is_set(field, parent)) {
        *value = null_value;
        return 0;
    }
    bool present = parent && (!field_is_in_oneof(field) || field_is_set(field, parent));
    return scalar_encode(encoder, field, present ? MEMBER(parent, field, char) : zero, type, value);
}

/* The member of the oneof that is set, or NULL. */
static const struct field_type *oneof_member(const struct location *location, const ProtobufCMessage *parent)
{
    for (unsigned i = 0; parent && i < location->parent->field_count; i++) {
        const struct field_type *field = &location->parent->fields[i];
        if (field->oneof && strcmp(field->oneof, location->oneof) == 0 && field_is_set(field, parent))
            return field;
    }
    return NULL;
}

static int oneof_encode(struct encoder *encoder, const struct location *location,
                        const ProtobufCMessage *parent, struct db_value *value)
{
    const struct field_type *member = oneof_member(location, parent);
    if (!member) {
        *value = null_value;
        return 0;
    }
    struct buf buf;
    buf_init_arena(&buf, encoder->arena, VALUE_TEXT_MAX);
    buf_printf(&buf, "{\"%s\":", member->name);
    if (json_write_field(member, parent, json_style_stored, &buf, encoder->err) < 0)
        return -1;
    buf_char(&buf, '}');
    if (buf.failed)
        return err_set(encoder->err, ERR_MESSAGE_TOO_LARGE);
    *value = (struct db_value){.data = buf.data, .length = (int)buf.length};
    return 0;
}

/* The path of a member below the parameter's, for the mask. */
static const char *member_path(const struct parameter *parameter, const struct field_type *member,
                               char text[static PATH_TEXT_SIZE])
{
    snprintf(text, PATH_TEXT_SIZE, "%s%s%s", parameter->path, *parameter->path ? "." : "", member->name);
    return text;
}

static bool is_member(const struct location *location, const struct field_type *field)
{
    return !location->oneof || (field->oneof && strcmp(field->oneof, location->oneof) == 0);
}

static bool mask_encode(const struct parameter *parameter, const Google__Protobuf__FieldMask *mask)
{
    char path[PATH_TEXT_SIZE];
    if (parameter->location.field)
        return mask_touches(mask, parameter->path);
    for (unsigned i = 0; i < parameter->location.parent->field_count; i++) {
        const struct field_type *field = &parameter->location.parent->fields[i];
        if (is_member(&parameter->location, field) && mask_touches(mask, member_path(parameter, field, path)))
            return true;
    }
    return false;
}

/* The masked members with their values, null where they are unset. Setting one member of a oneof unsets the
 * others. */
static int patch_encode(struct encoder *encoder, const struct parameter *parameter,
                        const ProtobufCMessage *resource, const Google__Protobuf__FieldMask *mask,
                        struct db_value *value)
{
    const struct location *location = &parameter->location;
    const ProtobufCMessage *parent = resource ? location_find(location, resource) : NULL;
    const struct message_type *type = location->parent;
    if (location->field) { /* a message: its own fields are what is patched */
        parent = parent && field_is_set(location->field, parent)
                     ? *MEMBER(parent, location->field, ProtobufCMessage *)
                     : NULL;
        type = location->field->message;
    }
    char path[PATH_TEXT_SIZE];
    const struct field_type *chosen = location->oneof ? oneof_member(location, parent) : NULL;
    bool replaces = chosen && mask_covers(mask, member_path(parameter, chosen, path));
    struct buf buf;
    buf_init_arena(&buf, encoder->arena, VALUE_TEXT_MAX);
    buf_char(&buf, '{');
    for (unsigned i = 0; i < type->field_count; i++) {
        const struct field_type *field = &type->fields[i];
        if (!is_member(location, field) || field->rules->output_only || field->rules->immutable ||
            (!replaces && !mask_covers(mask, member_path(parameter, field, path))))
            continue;
        buf_printf(&buf, "%s\"%s\":", buf.length > 1 ? "," : "", field->name);
        if (!parent || !field_is_set(field, parent))
            buf_text(&buf, "null");
        else if (json_write_field(field, parent, json_style_stored, &buf, encoder->err) < 0)
            return -1;
    }
    buf_char(&buf, '}');
    if (buf.failed)
        return err_set(encoder->err, ERR_MESSAGE_TOO_LARGE);
    *value = (struct db_value){.data = buf.data, .length = (int)buf.length};
    return 0;
}

static int parameter_encode(struct encoder *encoder, const struct binding *binding,
                            const struct parameter *parameter, const ProtobufCMessage *request,
                            struct binding_call *call, struct db_value *value)
{
    const Google__Protobuf__FieldMask *mask =
        binding->mask ? *MEMBER(request, binding->mask, Google__Protobuf__FieldMask *) : NULL;
    uint32_t type = __atomic_load_n(&parameter->type, __ATOMIC_RELAXED);
    switch (parameter->kind) {
    case PARAMETER_FIELD:
        return field_encode(encoder, parameter->location.field, location_find(&parameter->location, request),
                            type, value);
    case PARAMETER_ONEOF:
        return oneof_encode(encoder, &parameter->location, location_find(&parameter->location, request), value);
    case PARAMETER_ONEOF_CASE: {
        const struct field_type *member =
            oneof_member(&parameter->location, location_find(&parameter->location, request));
        *value = text_value(member ? member->name : "");
        return 0;
    }
    case PARAMETER_TENANT:
        return uuid_encode(encoder, call->tenant, value);
    case PARAMETER_ACTOR:
        *value = null_value;
        return call->has_actor ? uuid_encode(encoder, call->actor, value) : 0;
    case PARAMETER_NOW:
        return time_encode(encoder, call->now_us, value);
    case PARAMETER_NEW_ID:
        while (call->new_id_count <= parameter->index)
            call->new_ids[call->new_id_count++] = uuid_v7();
        return uuid_encode(encoder, call->new_ids[parameter->index], value);
    case PARAMETER_MASK:
        *value = text_value(mask_encode(parameter, mask) ? "t" : "f");
        return 0;
    case PARAMETER_PATCH:
        return patch_encode(encoder, parameter, *MEMBER(request, binding->resource, ProtobufCMessage *), mask,
                            value);
    case PARAMETER_PAGE_LIMIT:
        return value_printf(encoder, value, "%d", call->page_limit + 1);
    case PARAMETER_PAGE_KEY:
        if (call->page.count == 0) { /* the first page */
            *value = (struct db_value){0};
            return 0;
        }
        if (parameter->index >= call->page.count)
            return err_set(encoder->err, ERR_PAGE_TOKEN_INVALID);
        *value = text_value(call->page.values[parameter->index]);
        return 0;
    case PARAMETER_REPLAY_SEQUENCE:
        return value_printf(encoder, value, "%" PRId64, call->replay_sequence);
    default:
        return err_set(encoder->err, ERR_INTERNAL);
    }
}

int parameters_encode(const struct binding *binding, const struct bound_statement *bound,
                      const ProtobufCMessage *request, struct binding_call *call, struct arena *arena,
                      struct db_value *values, struct err *err)
{
    struct encoder encoder = {.arena = arena, .err = err};
    for (unsigned i = 0; i < bound->sql->parameter_count; i++)
        if (parameter_encode(&encoder, binding, &bound->parameters[i], request, call, &values[i]) < 0)
            return -1;
    return 0;
}
