/* seal.c: making seals. Every text form here is frozen with SEAL_VERSION: what was sealed must hash the same in
 * twenty years. */
#include "seal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <isms/base/clock.h>
#include <isms/base/json_text.h>

#include "signed_seal.h"

static void text_add(struct buf *line, const char *text)
{
    buf_char(line, ',');
    json_text_append(line, text, strlen(text));
}

/* A JSON array of texts, numbers too: no two changes have one line. */
void seal_change_line(const struct seal_change *change, struct buf *line)
{
    char time[CLOCK_TEXT_SIZE];
    clock_format(change->change_time_us, time);
    buf_printf(line, "[\"%" PRId64 "\",\"%" PRId64 "\"", change->sequence, change->ordinal);
    text_add(line, change->service);
    text_add(line, change->method);
    text_add(line, change->table);
    text_add(line, change->row_id);
    buf_printf(line, ",\"%" PRId64 "\"", change->revision);
    text_add(line, change->operation);
    text_add(line, change->actor_id);
    text_add(line, change->actor_kind);
    text_add(line, change->on_behalf_of);
    text_add(line, change->request_id);
    text_add(line, time);
    text_add(line, change->content_sha256);
    text_add(line, change->previous_sha256);
    buf_char(line, ']');
}

static int change_check(const struct seal_batch *batch, const struct seal_change *change, struct err *err)
{
    char hex[SHA256_HEX_SIZE];
    if (change->sequence < batch->sequence ||
        (change->sequence == batch->sequence && change->ordinal <= batch->ordinal))
        return seal_corrupt(err, "its changes are not in the order of the log");
    if (!change->content)
        return 0;
    struct sha256 hash = sha256_of(change->content, strlen(change->content));
    hex_encode(&hash, sizeof(hash), hex);
    return strcmp(hex, change->content_sha256) == 0
               ? 0
               : seal_corrupt(err, "a change's content has another SHA-256");
}

int seal_batch_add(struct seal_batch *batch, const struct seal_change *change, struct err *err)
{
    char storage[MERKLE_LEAF_MAX];
    struct buf line;
    if (change_check(batch, change, err) < 0)
        return -1;
    buf_init_fixed(&line, storage, sizeof(storage));
    seal_change_line(change, &line);
    if (line.failed)
        return seal_corrupt(err, "a change is described by more text than the log can hold");
    merkle_add(&batch->tree, merkle_leaf(line.data, line.length));
    batch->sequence = change->sequence;
    batch->ordinal = change->ordinal;
    return 0;
}

void seal_cover(struct seal *seal, const struct seal_batch *batch)
{
    struct sha256 root = merkle_root(&batch->tree);
    seal->change_count = (int64_t)batch->tree.count;
    hex_encode(&root, sizeof(root), seal->merkle_root);
}

/* RFC 8785: members sorted; all values are plain ASCII or integers far below 2^53. */
void seal_write(const struct seal *seal, struct buf *content)
{
    char time[CLOCK_TEXT_SIZE];
    clock_format(seal->time_us, time);
    buf_printf(content,
               "{\"change_count\":%" PRId64 ",\"first_sequence\":%" PRId64 ",\"format\":\"" SEAL_FORMAT
               "\",\"last_sequence\":%" PRId64 ",\"merkle_root\":\"%s\",\"number\":%" PRId64
               ",\"previous_sha256\":\"%s\",\"tenant\":\"%s\",\"time\":\"%s\",\"version\":%d}",
               seal->change_count, seal->first_sequence, seal->last_sequence, seal->merkle_root, seal->number,
               seal->previous_sha256, seal->tenant, time, SEAL_VERSION);
}

void seal_signed_bytes(const struct sha256 *content_hash, uint8_t ret_bytes[static SEAL_SIGNED_SIZE])
{
    memcpy(ret_bytes, SEAL_SIGNED_PREFIX, sizeof(SEAL_SIGNED_PREFIX));
    memcpy(ret_bytes + sizeof(SEAL_SIGNED_PREFIX), content_hash->bytes, SHA256_SIZE);
}

int seal_sign(const struct signing_key *key, const struct sha256 *content_hash,
              uint8_t ret_signature[static ED25519_SIGNATURE_SIZE], struct err *err)
{
    uint8_t bytes[SEAL_SIGNED_SIZE];
    seal_signed_bytes(content_hash, bytes);
    return ed25519_sign(key, bytes, sizeof(bytes), ret_signature, err);
}
