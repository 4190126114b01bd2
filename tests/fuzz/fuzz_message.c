/* fuzz_message.c: a request's bytes, as they come off the wire: wire_check(), unpacking, the field rules, hash.
 *
 * What is accepted must be the same message after packing and unpacking it, and after writing it as JSON and
 * reading that; what the rules accepted they accept again, and an unpacked copy hashes alike. */
#include <string.h>

#include <isms/base/arena.h>
#include <isms/base/buf.h>
#include <isms/proto/json.h>
#include <isms/proto/message.h>
#include <isms/proto/validate.h>
#include <isms/proto/wire.h>

#include "fuzz.h"
#include "fuzz_types.h"

enum { MEMORY_MAX = 32 << 20, JSON_MAX = 64 << 20 };

static void slice_same(struct slice a, struct slice b)
{
    BUG_IF(a.length != b.length || memcmp(a.data, b.data, a.length) != 0);
}

/* The message out of its own bytes; memory may run out, nothing else may go wrong. */
static ProtobufCMessage *again(const struct message_type *type, const ProtobufCMessage *message, struct arena *arena,
                               struct slice *ret_bytes)
{
    struct err err = {0};
    ProtobufCMessage *copy = NULL;
    struct slice copied;
    if (message_pack(message, arena, ret_bytes, &err) < 0 ||
        message_unpack(type->descriptor, ret_bytes->data, ret_bytes->length, arena, &copy, &err) < 0) {
        BUG_IF(err.reason != ERR_MESSAGE_TOO_LARGE);
        return NULL;
    }
    if (message_pack(copy, arena, &copied, &err) < 0)
        return NULL;
    slice_same(*ret_bytes, copied);
    return copy;
}

static void json_roundtrip(const struct message_type *type, const ProtobufCMessage *message, struct json_style style,
                           struct arena *arena)
{
    struct err err = {0};
    struct buf first CLEANUP(buf_release), second CLEANUP(buf_release);
    ProtobufCMessage *copy;
    buf_init(&first, JSON_MAX);
    buf_init(&second, JSON_MAX);
    if (json_write(type, message, style, &first, &err) < 0)
        return; /* a Timestamp out of range, in a field that no rule restrains */
    if (json_read(type, first.data, first.length, false, arena, &copy, &err) < 0) {
        BUG_IF(!arena_exhausted(arena));
        return;
    }
    BUG_IF(json_write(type, copy, style, &second, &err) < 0);
    slice_same((struct slice){first.data, first.length}, (struct slice){second.data, second.length});
}

static void valid_message(const struct message_type *type, ProtobufCMessage *message, struct arena *arena)
{
    struct err err = {0};
    struct slice bytes;
    struct sha256 hash, copied;
    BUG_IF(message_validate(type, message, &err) < 0);
    ProtobufCMessage *copy = again(type, message, arena, &bytes);
    if (!copy || message_hash(type, message, arena, &hash, &err) < 0 ||
        message_hash(type, copy, arena, &copied, &err) < 0)
        return;
    BUG_IF(memcmp(&hash, &copied, sizeof(hash)) != 0);
    json_roundtrip(type, message, (struct json_style){0}, arena);
    json_roundtrip(type, message, json_style_stored, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct message_type *type = fuzz_type(data, size, false);
    if (!type)
        return 0;
    struct arena arena CLEANUP(arena_release);
    struct err err = {0};
    ProtobufCMessage *message;
    struct slice bytes;
    arena_init(&arena, MEMORY_MAX);
    bool well_formed = wire_check(type->descriptor, data + FUZZ_PICK_SIZE, size - FUZZ_PICK_SIZE, WIRE_ELEMENTS_MAX,
                                  &err) == 0;
    if (message_unpack(type->descriptor, data + FUZZ_PICK_SIZE, size - FUZZ_PICK_SIZE, &arena, &message, &err) < 0) {
        BUG_IF(well_formed && err.reason != ERR_MESSAGE_TOO_LARGE);
        return 0;
    }
    BUG_IF(!well_formed);
    if (again(type, message, &arena, &bytes) && message_validate(type, message, &err) == 0)
        valid_message(type, message, &arena);
    return 0;
}
