/* seal.h: seals over the change log, made and verified (docs/seals.md).
 *
 * A seal covers all changes of one organisation from one sequence to another: their number and Merkle root, and
 * the hash of the seal before. Its content is JSON in canonical form; what is signed is the SHA-256 of those
 * bytes, with the installation's Ed25519 key. Whoever holds one seal can prove any change of what it and its
 * predecessors cover: another byte, another order, one more or one less.
 *
 * Pure: the service seals with it, and whoever has the log and the public key verifies with it. Of the runtime
 * it uses base only. All functions are for any thread. Hashes are hexadecimal texts. */
#ifndef ISMS_REPORTING_SEAL_H
#define ISMS_REPORTING_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isms/base/attributes.h>
#include <isms/base/buf.h>
#include <isms/base/crypto.h>
#include <isms/base/err.h>
#include <isms/base/uuid.h>

#include "merkle.h"

enum { SEAL_VERSION = 1, SEAL_CONTENT_MAX = 1024 };

/* One change of the log, all texts as the API has them; "" for what it has not. */
struct seal_change {
    int64_t sequence;
    int64_t ordinal;
    const char *service;
    const char *method;
    const char *table;
    const char *row_id;
    int64_t revision;
    const char *operation;
    const char *actor_id;
    const char *actor_kind;
    const char *on_behalf_of;
    const char *request_id;
    int64_t change_time_us;
    const char *content; /* NULL where it is not at hand; else content_sha256 must be its hash */
    const char *content_sha256;
    const char *previous_sha256;
};

/* Changes as they are added, in the order of the log. Begins zeroed. */
struct seal_batch {
    struct merkle tree;
    int64_t sequence; /* of the last one */
    int64_t ordinal;
};

struct seal {
    char tenant[UUID_TEXT_SIZE];
    int64_t number; /* from 1 */
    int64_t first_sequence;
    int64_t last_sequence;
    int64_t change_count;
    char merkle_root[SHA256_HEX_SIZE];
    char previous_sha256[SHA256_HEX_SIZE]; /* "" of the first */
    int64_t time_us;
};

/* --- making --------------------------------------------------------------------------------------------- */

/* DATA_CORRUPT where the change is not after the last one, or its content has another hash. */
int seal_batch_add(struct seal_batch *batch, const struct seal_change *change, struct err *err) MUST_CHECK;

/* Fills change_count and merkle_root. */
void seal_cover(struct seal *seal, const struct seal_batch *batch);

/* Appends the canonical content. */
void seal_write(const struct seal *seal, struct buf *content);

int seal_sign(const struct signing_key *key, const struct sha256 *content_hash,
              uint8_t ret_signature[static ED25519_SIGNATURE_SIZE], struct err *err) MUST_CHECK;

/* --- verifying: DATA_CORRUPT says what does not hold ---------------------------------------------------- */

/* What the content states, if that is its hash. */
int seal_read(const void *content, size_t length, const char *sha256, struct seal *ret_seal,
              struct err *err) MUST_CHECK;

/* Is the signature that key's over that hash? Whose key it is, the caller knows from elsewhere. */
int seal_verify_signature(const uint8_t public_key[static ED25519_PUBLIC_SIZE], const char *sha256,
                          const void *signature, size_t signature_length, struct err *err) MUST_CHECK;

/* Does `next` follow `previous`, whose content has that hash? `previous` is NULL before the first one. */
int seal_verify_link(const struct seal *previous, const char *previous_sha256, const struct seal *next,
                     struct err *err) MUST_CHECK;

/* Are the batch's changes those that the seal covers? */
int seal_verify_changes(const struct seal *seal, const struct seal_batch *batch, struct err *err) MUST_CHECK;

/* What both sides must do alike: the line of a change, which is a leaf of the tree. */
void seal_change_line(const struct seal_change *change, struct buf *line);

#endif
