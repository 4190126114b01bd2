/* verify.c: checks a seal from the outside in: the hash of its bytes, the signature over the hash, and then
 * what the bytes state against the seal before it and against the log. */
#include <string.h>

#include <jansson.h>

#include <isms/base/clock.h>

#include "signed_seal.h"

static void json_freep(json_t **json)
{
    json_decref(*json);
}

static bool text_read(const json_t *content, const char *name, char *ret_text, size_t size)
{
    const json_t *value = json_object_get(content, name);
    size_t length = json_string_length(value);
    if (!json_is_string(value) || length >= size)
        return false;
    memcpy(ret_text, json_string_value(value), length + 1);
    return true;
}

static bool integer_read(const json_t *content, const char *name, int64_t *ret_value)
{
    const json_t *value = json_object_get(content, name);
    *ret_value = json_integer_value(value);
    return json_is_integer(value) && *ret_value >= 0;
}

static bool content_parse(const json_t *content, struct seal *seal)
{
    char format[sizeof(SEAL_FORMAT)];
    char time[CLOCK_TEXT_SIZE];
    int64_t version;
    return text_read(content, "format", format, sizeof(format)) && strcmp(format, SEAL_FORMAT) == 0 &&
           integer_read(content, "version", &version) && version == SEAL_VERSION &&
           text_read(content, "tenant", seal->tenant, sizeof(seal->tenant)) &&
           integer_read(content, "number", &seal->number) &&
           integer_read(content, "first_sequence", &seal->first_sequence) &&
           integer_read(content, "last_sequence", &seal->last_sequence) &&
           integer_read(content, "change_count", &seal->change_count) &&
           text_read(content, "merkle_root", seal->merkle_root, sizeof(seal->merkle_root)) &&
           text_read(content, "previous_sha256", seal->previous_sha256, sizeof(seal->previous_sha256)) &&
           text_read(content, "time", time, sizeof(time)) && clock_parse(time, &seal->time_us);
}

int seal_read(const void *content, size_t length, const char *sha256, struct seal *ret_seal, struct err *err)
{
    struct sha256 hash = sha256_of(content, length);
    char hex[SHA256_HEX_SIZE];
    struct seal seal;
    hex_encode(&hash, sizeof(hash), hex);
    if (strcmp(hex, sha256) != 0)
        return seal_corrupt(err, "its content has another SHA-256");
    json_t *json CLEANUP(json_freep) = json_loadb(content, length, JSON_REJECT_DUPLICATES, NULL);
    if (!content_parse(json, &seal))
        return seal_corrupt(err, "its content is not a seal of a version that is known here");
    *ret_seal = seal;
    return 0;
}

int seal_verify_signature(const uint8_t public_key[static ED25519_PUBLIC_SIZE], const char *sha256,
                          const void *signature, size_t signature_length, struct err *err)
{
    struct sha256 hash;
    uint8_t bytes[SEAL_SIGNED_SIZE];
    if (strlen(sha256) != SHA256_HEX_SIZE - 1 || !hex_decode(sha256, SHA256_HEX_SIZE - 1, hash.bytes) ||
        signature_length != ED25519_SIGNATURE_SIZE)
        return seal_corrupt(err, "hash or signature have a wrong length");
    seal_signed_bytes(&hash, bytes);
    return ed25519_verify(public_key, bytes, sizeof(bytes), signature)
               ? 0
               : seal_corrupt(err, "the signature is not of that key over that content");
}

int seal_verify_link(const struct seal *previous, const char *previous_sha256, const struct seal *next,
                     struct err *err)
{
    static const struct seal none;
    const struct seal *before = previous ? previous : &none;
    if (next->number != before->number + 1)
        return seal_corrupt(err, "its number does not follow that of the seal before");
    if (next->first_sequence != before->last_sequence + 1 || next->last_sequence < next->first_sequence)
        return seal_corrupt(err, "it does not begin where the seal before ends");
    if (strcmp(next->previous_sha256, previous ? previous_sha256 : "") != 0)
        return seal_corrupt(err, "it follows another seal");
    if (previous && strcmp(next->tenant, previous->tenant) != 0)
        return seal_corrupt(err, "it is of another organisation than the seal before");
    return 0;
}

int seal_verify_changes(const struct seal *seal, const struct seal_batch *batch, struct err *err)
{
    struct seal found = {0};
    seal_cover(&found, batch);
    if (found.change_count != seal->change_count)
        return seal_corrupt(err, "it covers another number of changes");
    return strcmp(found.merkle_root, seal->merkle_root) == 0
               ? 0
               : seal_corrupt(err, "a change is not as it was sealed");
}
