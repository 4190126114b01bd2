/* message.c: protobuf-c on the call's arena. Its free function does nothing: the arena frees it all. */
#include <isms/proto/message.h>

#include <stdint.h>
#include <string.h>

#include <isms/base/canonical.h>
#include <isms/proto/json.h>
#include <isms/proto/wire.h>

#include "internal.h"

enum { CANONICAL_MAX = 64 * 1024 * 1024 };

static void *allocator_alloc(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void allocator_free(void *arena, void *memory)
{
    (void)arena;
    (void)memory;
}

ProtobufCAllocator message_allocator(struct arena *arena)
{
    return (ProtobufCAllocator){.alloc = allocator_alloc, .free = allocator_free, .allocator_data = arena};
}

static int checked_unpack(const ProtobufCMessageDescriptor *type, const void *data, size_t length, size_t elements_max,
                          struct arena *arena, ProtobufCMessage **ret_message, struct err *err)
{
    static const uint8_t nothing[1];
    if (wire_check(type, data, length, elements_max, err) < 0)
        return -1;
    ProtobufCAllocator allocator = message_allocator(arena);
    ProtobufCMessage *message = protobuf_c_message_unpack(type, &allocator, length, length ? data : nothing);
    if (!message)
        return err_set(err, arena_exhausted(arena) ? ERR_MESSAGE_TOO_LARGE : ERR_MESSAGE_MALFORMED);
    *ret_message = message;
    return 0;
}

int message_unpack(const ProtobufCMessageDescriptor *type, const void *data, size_t length, struct arena *arena,
                   ProtobufCMessage **ret_message, struct err *err)
{
    return checked_unpack(type, data, length, WIRE_ELEMENTS_MAX, arena, ret_message, err);
}

int message_unpack_answer(const ProtobufCMessageDescriptor *type, const void *data, size_t length, struct arena *arena,
                          ProtobufCMessage **ret_message, struct err *err)
{
    return checked_unpack(type, data, length, SIZE_MAX, arena, ret_message, err);
}

int message_pack(const ProtobufCMessage *message, struct arena *arena, struct slice *ret_bytes, struct err *err)
{
    size_t length = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = arena_alloc(arena, length);
    if (!bytes)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    protobuf_c_message_pack(message, bytes);
    *ret_bytes = (struct slice){.data = (const char *)bytes, .length = length};
    return 0;
}

int message_keep(ProtobufCMessage **message, struct arena *arena, const struct arena_mark *mark, struct err *err)
{
    struct arena aside CLEANUP(arena_release);
    struct slice bytes;
    arena_init(&aside, arena->max);
    const ProtobufCMessageDescriptor *type = (*message)->descriptor;
    if (message_pack(*message, &aside, &bytes, err) < 0)
        return -1;
    arena_rewind(arena, mark);
    ProtobufCAllocator allocator = message_allocator(arena);
    *message = protobuf_c_message_unpack(type, &allocator, bytes.length, (const uint8_t *)bytes.data);
    return *message ? 0 : err_set(err, ERR_MESSAGE_TOO_LARGE);
}

ProtobufCMessage *message_new(const ProtobufCMessageDescriptor *type, struct arena *arena)
{
    ProtobufCMessage *message = arena_alloc(arena, type->sizeof_message);
    if (message)
        protobuf_c_message_init(type, message);
    return message;
}

int message_hash(const struct message_type *type, const ProtobufCMessage *request, struct arena *arena,
                 struct sha256 *ret_hash, struct err *err)
{
    static const char *const left_out[] = {"request_id", "page_token", "page_size"};
    ProtobufCMessage *copy = arena_memdup(arena, request, type->descriptor->sizeof_message);
    if (!copy)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    for (size_t i = 0; i < ARRAY_SIZE(left_out); i++) {
        const struct field_type *field = message_type_field(type, left_out[i]);
        if (field)
            field_clear(field, copy);
    }
    struct slice bytes;
    if (message_pack(copy, arena, &bytes, err) < 0)
        return -1;
    *ret_hash = sha256_of(bytes.data, bytes.length);
    return 0;
}

static void json_freep(json_t **value)
{
    json_decref(*value);
}

int message_canonical(const struct message_type *type, const ProtobufCMessage *message, struct buf *buf,
                      struct err *err)
{
    struct buf text CLEANUP(buf_release);
    buf_init(&text, CANONICAL_MAX);
    if (json_write(type, message, json_style_stored, &text, err) < 0)
        return -1;
    json_t *value CLEANUP(json_freep) =
        json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
    if (!value)
        return err_set(err, ERR_INTERNAL);
    return canonical_append(buf, value, err);
}
