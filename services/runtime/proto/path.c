/* path.c: field paths for messages, and the few places that know how protobuf-c lays a struct out. */
#include "internal.h"

#include <stdio.h>
#include <string.h>

#include <isms/base/buf.h>
#include <isms/proto/message.h>

static void path_append(const struct path *path, const struct path *end, struct buf *buf)
{
    if (!path || path == end)
        return;
    path_append(path->parent, end, buf);
    if (buf->length)
        buf_char(buf, '.');
    buf_text(buf, path->name);
    if (path->index >= 0)
        buf_printf(buf, "[%ld]", path->index);
}

void path_format(const struct path *path, const struct path *end, char text[static PATH_TEXT_SIZE])
{
    struct buf buf;
    buf_init_fixed(&buf, text, PATH_TEXT_SIZE);
    path_append(path, end, &buf);
}

size_t field_size(const struct field_type *field)
{
    switch (field->descriptor->type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_ENUM:
    default:
        return 4;
    }
}

static bool scalar_is_set(const struct field_type *field, const ProtobufCMessage *message)
{
    switch (field->descriptor->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return *MEMBER(message, field, void *) != NULL;
    case PROTOBUF_C_TYPE_STRING: {
        const char *text = *MEMBER(message, field, char *);
        return text && *text;
    }
    case PROTOBUF_C_TYPE_BYTES:
        return MEMBER(message, field, ProtobufCBinaryData)->len > 0;
    default: {
        static const char zero[8];
        return memcmp(MEMBER(message, field, char), zero, field_size(field)) != 0;
    }
    }
}

bool field_is_set(const struct field_type *field, const ProtobufCMessage *message)
{
    if (field_is_repeated(field))
        return *QUANTIFIER(message, field, size_t) > 0;
    if (field_is_in_oneof(field))
        return *QUANTIFIER(message, field, uint32_t) == field->descriptor->id &&
               (field->descriptor->type != PROTOBUF_C_TYPE_MESSAGE || *MEMBER(message, field, void *));
    return scalar_is_set(field, message);
}

void field_clear(const struct field_type *field, ProtobufCMessage *message)
{
    if (field_is_repeated(field)) {
        *QUANTIFIER(message, field, size_t) = 0;
        *MEMBER(message, field, void *) = NULL;
        return;
    }
    if (field_is_in_oneof(field)) {
        if (*QUANTIFIER(message, field, uint32_t) != field->descriptor->id)
            return;
        *QUANTIFIER(message, field, uint32_t) = 0;
    }
    memset(MEMBER(message, field, char), 0, field_size(field));
    if (field->descriptor->type == PROTOBUF_C_TYPE_STRING && !field_is_in_oneof(field))
        *MEMBER(message, field, const char *) = protobuf_c_empty_string;
}

ProtobufCMessage *field_submessage(const struct field_type *field, ProtobufCMessage *message,
                                   struct arena *arena)
{
    bool chosen = !field_is_in_oneof(field) || *QUANTIFIER(message, field, uint32_t) == field->descriptor->id;
    ProtobufCMessage **member = MEMBER(message, field, ProtobufCMessage *);
    if (chosen && *member)
        return *member;
    ProtobufCMessage *made = message_new(field->message->descriptor, arena);
    if (!made)
        return NULL;
    *member = made;
    field_choose(field, message);
    return made;
}

const struct field_type *request_resource(const struct message_type *request)
{
    const struct field_type *found = NULL;
    for (unsigned i = 0; i < request->field_count; i++) {
        const struct field_type *field = &request->fields[i];
        if (!field->message || field_is_repeated(field) || field->message->kind != MESSAGE_PLAIN)
            continue;
        if (found)
            return NULL;
        found = field;
    }
    return found;
}

const struct field_type *request_mask(const struct message_type *request)
{
    const struct field_type *field = message_type_field(request, "update_mask");
    bool is_mask =
        field && field->message && field->message->kind == MESSAGE_FIELD_MASK && !field_is_repeated(field);
    return is_mask ? field : NULL;
}
