/* fuzz_json.c: the JSON reader. What it takes it writes, and takes again as the same message, in every style. */
#include <string.h>

#include <isms/base/arena.h>
#include <isms/base/buf.h>
#include <isms/proto/json.h>
#include <isms/proto/message.h>

#include "fuzz.h"
#include "fuzz_types.h"

enum { MEMORY_MAX = 32 << 20, JSON_MAX = 64 << 20 };

static void roundtrip(const struct message_type *type, const ProtobufCMessage *message, struct json_style style,
                      struct arena *arena)
{
    struct buf text CLEANUP(buf_release);
    struct err err = {0};
    ProtobufCMessage *copy;
    struct slice before, after;
    buf_init(&text, JSON_MAX);
    BUG_IF(json_write(type, message, style, &text, &err) < 0);
    if (json_read(type, text.data, text.length, false, arena, &copy, &err) < 0) {
        BUG_IF(!arena_exhausted(arena));
        return;
    }
    if (message_pack(message, arena, &before, &err) == 0 && message_pack(copy, arena, &after, &err) == 0)
        BUG_IF(before.length != after.length || memcmp(before.data, after.data, before.length) != 0);
}

static void read_one(const struct message_type *type, const char *text, size_t length)
{
    struct arena arena CLEANUP(arena_release);
    struct err err = {0};
    ProtobufCMessage *message, *lenient;
    arena_init(&arena, MEMORY_MAX);
    bool read = json_read(type, text, length, false, &arena, &message, &err) == 0;
    bool read_leniently = json_read(type, text, length, true, &arena, &lenient, &err) == 0;
    BUG_IF(read && !read_leniently && !arena_exhausted(&arena));
    if (!read)
        return;
    roundtrip(type, message, (struct json_style){0}, &arena);
    roundtrip(type, message, json_style_stored, &arena);
    roundtrip(type, message, (struct json_style){.emit_defaults = true}, &arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int response = 0; response < 2 && size >= FUZZ_PICK_SIZE; response++)
        read_one(fuzz_type(data, size, response), (const char *)data + FUZZ_PICK_SIZE, size - FUZZ_PICK_SIZE);
    return 0;
}
