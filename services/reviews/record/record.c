/* record.c: makes and signs a record. */
#include "record.h"

#include <string.h>

#include <isms/base/canonical.h>
#include <isms/base/clock.h>

#include "signed.h"

/* The hash that core.canonical() makes in the change log too: one salted hash of a name everywhere. */
int person_hash(const struct record_person *person, char text[static PERSON_HASH_SIZE], struct err *err)
{
    struct buf salted CLEANUP(buf_release);
    buf_init(&salted, PERSON_BYTES_MAX);
    buf_append(&salted, person->salt, person->salt_length);
    buf_text(&salted, person->name);
    if (salted.failed)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    struct sha256 hash = sha256_of(salted.data, salted.length);
    memcpy(text, PERSON_HASH_PREFIX, strlen(PERSON_HASH_PREFIX));
    hex_encode(&hash, sizeof(hash), text + strlen(PERSON_HASH_PREFIX));
    return 0;
}

static json_t *time_json(int64_t time_us)
{
    char text[CLOCK_TEXT_SIZE];
    clock_format(time_us, text);
    return json_string(text);
}

static void member_set_text(json_t *object, const char *name, const char *text)
{
    if (text && text[0])
        json_object_set_new(object, name, json_string(text));
}

/* Who signed, when, and how they had been authenticated. */
static json_t *signer_json(const struct record_signer *signer)
{
    json_t *authentication = json_object();
    member_set_text(authentication, "issuer", signer->issuer);
    member_set_text(authentication, "acr", signer->acr);
    member_set_text(authentication, "amr", signer->amr);
    if (signer->auth_time_us != 0)
        json_object_set_new(authentication, "auth_time", time_json(signer->auth_time_us));
    return json_pack("{s:s, s:O, s:o, s:o}", "member_id", signer->member_id, "roles", signer->roles, "time",
                     time_json(signer->sign_time_us), "authentication", authentication);
}

static int people_json(const struct record_parts *parts, json_t *ret_people, struct err *err)
{
    for (size_t i = 0; i < parts->person_count; i++) {
        char hash[PERSON_HASH_SIZE];
        if (person_hash(&parts->people[i], hash, err) < 0)
            return -1;
        json_object_set_new(ret_people, parts->people[i].member_id, json_string(hash));
    }
    return 0;
}

int record_build(const struct record_parts *parts, struct buf *content, struct err *err)
{
    json_auto_t *people = json_object();
    if (people_json(parts, people, err) < 0)
        return -1;
    json_auto_t *record = json_pack(
        "{s:s, s:i, s:O, s:O, s:O, s:O, s:O, s:o}", "format", RECORD_FORMAT, "version", RECORD_VERSION,
        "organisation", parts->organisation, "programme", parts->programme, "review", parts->review,
        "decisions", parts->decisions, "people", people, "signer", signer_json(&parts->signer));
    if (!record)
        return err_setf(err, ERR_INTERNAL, "out of memory");
    if (parts->seal_number > 0)
        json_object_set_new(record, "seal", json_pack("{s:I, s:s}", "number", (json_int_t)parts->seal_number,
                                                      "sha256", parts->seal_sha256));
    return canonical_append(content, record, err);
}

void signed_bytes(const struct sha256 *content_hash, uint8_t ret_bytes[static SIGNED_SIZE])
{
    memcpy(ret_bytes, SIGNED_PREFIX, sizeof(SIGNED_PREFIX));
    memcpy(ret_bytes + sizeof(SIGNED_PREFIX), content_hash->bytes, SHA256_SIZE);
}

int record_sign(const struct signing_key *key, const struct sha256 *content_hash,
                uint8_t ret_signature[static ED25519_SIGNATURE_SIZE], struct err *err)
{
    uint8_t bytes[SIGNED_SIZE];
    signed_bytes(content_hash, bytes);
    return ed25519_sign(key, bytes, sizeof(bytes), ret_signature, err);
}

void record_key_id(const uint8_t public_key[static ED25519_PUBLIC_SIZE], char text[static RECORD_KEY_ID_SIZE])
{
    struct sha256 hash = sha256_of(public_key, ED25519_PUBLIC_SIZE);
    hex_encode(hash.bytes, (RECORD_KEY_ID_SIZE - 1) / 2, text);
}
