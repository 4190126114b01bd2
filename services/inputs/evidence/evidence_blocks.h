/* evidence_blocks.h: an evidence file as blocks with a hash each.
 *
 * The hash of a whole file says nothing until all of it was read. So each block has one of its own beside it, and a
 * part is compared before a byte of it is answered. Plain arithmetic, no database. */
#ifndef ISMS_INPUTS_EVIDENCE_BLOCKS_H
#define ISMS_INPUTS_EVIDENCE_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/crypto.h>
#include <isms/base/err.h>
#include <isms/base/slice.h>

/* Bytes of a block; the last one of a file may have fewer. What a stream keeps in memory while its caller stalls. */
enum { EVIDENCE_BLOCK = 128 * 1024 };

/* The blocks that a part of a file lies in. */
struct evidence_range {
    int64_t first;  /* block, from 0 */
    int64_t count;
    int64_t start;  /* where the first block begins in the file */
    size_t length;  /* of all the blocks */
    size_t skip;    /* bytes of them before the part */
    size_t wanted;  /* bytes of the part: fewer than were asked for at the file's end, none behind it */
};

struct evidence_range evidence_range(int64_t size, int64_t offset, size_t wanted);

/* Is each block of `bytes` what its hash says? There must be as many hashes as blocks. */
bool evidence_blocks_match(struct slice bytes, struct slice hashes);

/* Where a chunk goes. */
enum evidence_chunk {
    EVIDENCE_CHUNK_NEXT,   /* behind what was received */
    EVIDENCE_CHUNK_AGAIN,  /* was received already: to be compared */
    EVIDENCE_CHUNK_BEYOND, /* past the announced size */
    EVIDENCE_CHUNK_ASTRAY  /* anywhere else */
};

enum evidence_chunk evidence_chunk_place(int64_t size, int64_t received, int64_t offset, size_t length);

/* The hashes of a file that is read from its beginning, piece by piece; each piece but the last is whole blocks. */
struct evidence_digest {
    struct sha256_sum *whole;
    uint8_t *blocks; /* in the arena */
    size_t used;
    size_t room;
};

int evidence_digest_init(struct evidence_digest *digest, int64_t size, struct arena *arena,
                         struct err *err) MUST_CHECK;
void evidence_digest_release(struct evidence_digest *digest); /* accepts zeroed ones */
void evidence_digest_add(struct evidence_digest *digest, struct slice piece);

#endif
