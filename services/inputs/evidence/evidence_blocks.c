/* evidence_blocks.c: block arithmetic and hashes. */
#include "evidence_blocks.h"

#include <string.h>

#include <isms/base/bug.h>

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

struct evidence_range evidence_range(int64_t size, int64_t offset, size_t wanted)
{
    if (offset >= size || wanted == 0)
        return (struct evidence_range){0};
    int64_t end = least(size, offset + (int64_t)wanted);
    int64_t first = offset / EVIDENCE_BLOCK;
    int64_t count = (end - 1) / EVIDENCE_BLOCK - first + 1;
    int64_t start = first * EVIDENCE_BLOCK;
    return (struct evidence_range){
        .first = first,
        .count = count,
        .start = start,
        .length = (size_t)(least(size, start + count * EVIDENCE_BLOCK) - start),
        .skip = (size_t)(offset - start),
        .wanted = (size_t)(end - offset),
    };
}

bool evidence_blocks_match(struct slice bytes, struct slice hashes)
{
    size_t count = (bytes.length + EVIDENCE_BLOCK - 1) / EVIDENCE_BLOCK;
    if (hashes.length != count * SHA256_SIZE)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t start = i * EVIDENCE_BLOCK;
        struct sha256 hash =
            sha256_of(bytes.data + start, (size_t)least(EVIDENCE_BLOCK, (int64_t)(bytes.length - start)));
        if (memcmp(hash.bytes, hashes.data + i * SHA256_SIZE, SHA256_SIZE) != 0)
            return false;
    }
    return true;
}

enum evidence_chunk evidence_chunk_place(int64_t size, int64_t received, int64_t offset, size_t length)
{
    int64_t end = offset + (int64_t)length;
    if (end > size)
        return EVIDENCE_CHUNK_BEYOND;
    if (offset == received)
        return EVIDENCE_CHUNK_NEXT;
    return end <= received ? EVIDENCE_CHUNK_AGAIN : EVIDENCE_CHUNK_ASTRAY;
}

int evidence_digest_init(struct evidence_digest *digest, int64_t size, struct arena *arena, struct err *err)
{
    size_t room = (size_t)((size + EVIDENCE_BLOCK - 1) / EVIDENCE_BLOCK) * SHA256_SIZE;
    *digest = (struct evidence_digest){.whole = sha256_sum_new(), .blocks = arena_alloc(arena, room), .room = room};
    return digest->whole && digest->blocks ? 0 : err_set(err, ERR_MESSAGE_TOO_LARGE);
}

void evidence_digest_release(struct evidence_digest *digest)
{
    sha256_sum_freep(&digest->whole);
}

void evidence_digest_add(struct evidence_digest *digest, struct slice piece)
{
    sha256_sum_add(digest->whole, piece.data, piece.length);
    for (size_t start = 0; start < piece.length; start += EVIDENCE_BLOCK) {
        size_t length = (size_t)least(EVIDENCE_BLOCK, (int64_t)(piece.length - start));
        struct sha256 hash = sha256_of(piece.data + start, length);
        BUG_IF(digest->used == digest->room);
        memcpy(digest->blocks + digest->used, hash.bytes, SHA256_SIZE);
        digest->used += SHA256_SIZE;
    }
}
