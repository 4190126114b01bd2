/* verify.c: checks a record, from the outside in: the hash of the bytes, the signature over the hash, and only
 * then what the bytes say about everything that is told beside them. */
#include "record.h"

#include <string.h>

#include <isms/base/clock.h>

#include "signed.h"

static int corrupt(struct err *err, const char *what)
{
    return err_setf(err, ERR_DATA_CORRUPT, "The record does not hold: %s.", what);
}

static int signature_check(const struct record_evidence *evidence, struct err *err)
{
    struct sha256 hash = sha256_of(evidence->content, evidence->content_length);
    char hex[SHA256_HEX_SIZE];
    char key_id[RECORD_KEY_ID_SIZE];
    uint8_t bytes[SIGNED_SIZE];
    hex_encode(&hash, sizeof(hash), hex);
    if (strcmp(hex, evidence->sha256) != 0)
        return corrupt(err, "the content has another SHA-256");
    if (evidence->signature_length != ED25519_SIGNATURE_SIZE ||
        evidence->public_key_length != ED25519_PUBLIC_SIZE)
        return corrupt(err, "signature or public key have a wrong length");
    record_key_id(evidence->public_key, key_id);
    if (strcmp(key_id, evidence->key_id) != 0)
        return corrupt(err, "the public key is not the one of that key id");
    signed_bytes(&hash, bytes);
    if (!ed25519_verify(evidence->public_key, bytes, sizeof(bytes), evidence->signature))
        return corrupt(err, "the signature is not of that key over that content");
    return 0;
}

/* Is the object's member that text? */
static bool member_is(const json_t *object, const char *name, const char *text)
{
    const char *value = json_string_value(json_object_get(object, name));
    return value && strcmp(value, text) == 0;
}

static int header_check(const struct record_evidence *evidence, const json_t *content, struct err *err)
{
    const json_t *review = json_object_get(content, "review");
    char time[CLOCK_TEXT_SIZE];
    clock_format(evidence->sign_time_us, time);
    if (!member_is(content, "format", RECORD_FORMAT) ||
        json_number_value(json_object_get(content, "version")) != RECORD_VERSION)
        return corrupt(err, "the content is not a record of a version that is known here");
    if (!member_is(review, "id", evidence->review_id) || !member_is(review, "number", evidence->number))
        return corrupt(err, "the content is of another review");
    if (!member_is(json_object_get(content, "signer"), "time", time))
        return corrupt(err, "the content was signed at another time");
    return 0;
}

static int people_check(const struct record_evidence *evidence, const json_t *content, struct err *err)
{
    const json_t *people = json_object_get(content, "people");
    for (size_t i = 0; i < evidence->person_count; i++) {
        char hash[PERSON_HASH_SIZE];
        if (evidence->people[i].salt_length != RECORD_SALT_SIZE)
            return corrupt(err, "a person's salt has another length than the signed one");
        if (person_hash(&evidence->people[i], hash, err) < 0)
            return -1;
        if (!member_is(people, evidence->people[i].member_id, hash))
            return err_setf(err, ERR_DATA_CORRUPT,
                            "The record does not hold: the name given for the member %s is not the signed one.",
                            evidence->people[i].member_id);
    }
    return 0;
}

int record_verify(const struct record_evidence *evidence, struct err *err)
{
    if (signature_check(evidence, err) < 0)
        return -1;
    json_auto_t *content =
        json_loadb(evidence->content, evidence->content_length, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
    if (!content)
        return corrupt(err, "the content is not JSON");
    if (header_check(evidence, content, err) < 0)
        return -1;
    return people_check(evidence, content, err);
}
