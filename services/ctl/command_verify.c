/* command_verify.c: `ismsctl verify RECORD [--key FILE]`: checks a signed record with nothing but the file.
 *
 * RECORD is what `ismsctl call GetRecord --json` printed. The record brings the installation's public key along; that
 * it is the right one only --key can say, with a key that came another way. */

#include <stdio.h>
#include <string.h>

#include <isms/base/buf.h>
#include <isms/proto/json.h>
#include <isms/reviews/v1/reviews.pb-c.h>

#include "ctl.h"
#include "record.h"

enum { RECORD_MAX = 64 << 20, PEM_MAX = 4 << 10 };

/* DER of an Ed25519 SubjectPublicKeyInfo up to the key itself (RFC 8410, section 4). */
static const uint8_t ed25519_header[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

/* The key out of a PEM file, as `openssl pkey -pubout` writes it. */
static int public_key_read(const char *path, struct arena *arena, uint8_t ret_key[static ED25519_PUBLIC_SIZE],
                           struct err *err)
{
    static const char begin[] = "-----BEGIN PUBLIC KEY-----";
    struct slice file;
    struct buf text, der;

    if (file_read(path, PEM_MAX, arena, &file, err) < 0)
        return -1;
    const char *body = strstr(file.data, begin);
    buf_init_arena(&text, arena, PEM_MAX);
    buf_init_arena(&der, arena, PEM_MAX);
    for (body = body ? body + strlen(begin) : ""; *body && *body != '-' && *body != '='; body++)
        if (!strchr("\r\n", *body))
            buf_char(&text, *body == '+' ? '-' : *body == '/' ? '_' : *body);
    if (base64url_decode(&der, text.data, text.length, err) < 0 ||
        der.length != sizeof ed25519_header + ED25519_PUBLIC_SIZE ||
        memcmp(der.data, ed25519_header, sizeof ed25519_header) != 0)
        return err_setf(err, ERR_FIELD_INVALID, "%s holds no Ed25519 public key in PEM form.", path);
    memcpy(ret_key, der.data + sizeof ed25519_header, ED25519_PUBLIC_SIZE);
    return 0;
}

static int key_check(const struct session *session, const Isms__Reviews__V1__SignedRecord *record, struct err *err)
{
    uint8_t known[ED25519_PUBLIC_SIZE];

    if (!session->options->key_file)
        return 0;
    if (public_key_read(session->options->key_file, session->arena, known, err) < 0)
        return -1;
    if (record->public_key.len != sizeof known || memcmp(record->public_key.data, known, sizeof known) != 0)
        return err_setf(err, ERR_DATA_CORRUPT, "The record was signed with another key than that of %s.",
                        session->options->key_file);
    return 0;
}

static int record_check(const Isms__Reviews__V1__SignedRecord *record, struct arena *arena, struct err *err)
{
    struct record_person *people = ARENA_ARRAY(arena, record->n_people, struct record_person);

    if (!people)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    for (size_t i = 0; i < record->n_people; i++)
        people[i] = (struct record_person){record->people[i]->member_id, record->people[i]->name,
                                           record->people[i]->salt.data, record->people[i]->salt.len};
    struct record_evidence evidence = {
        .review_id = record->review_id,
        .number = record->number,
        .content = record->content.data,
        .content_length = record->content.len,
        .sha256 = record->sha256,
        .signature = record->signature.data,
        .signature_length = record->signature.len,
        .public_key = record->public_key.data,
        .public_key_length = record->public_key.len,
        .key_id = record->key_id,
        .sign_time_us = record->sign_time ? record->sign_time->seconds * 1000000 + record->sign_time->nanos / 1000 : 0,
        .people = people,
        .person_count = record->n_people,
    };
    return record_verify(&evidence, err);
}

int command_verify(const struct session *session, struct err *err)
{
    const char *path = session->options->arguments[1];
    const struct message_type *type = descriptors_message(session->descriptors, "isms.reviews.v1.SignedRecord");
    ProtobufCMessage *message;
    struct slice file;

    if (file_read(path, RECORD_MAX, session->arena, &file, err) < 0 ||
        json_read(type, file.data, file.length, false, session->arena, &message, err) < 0)
        return -1;
    const Isms__Reviews__V1__SignedRecord *record = (const void *)message;
    if (key_check(session, record, err) < 0 || record_check(record, session->arena, err) < 0)
        return -1;
    if (session->options->json)
        printf("{\"valid\": true, \"number\": \"%s\", \"sha256\": \"%s\", \"key_id\": \"%s\", \"key_known\": %s}\n",
               record->number, record->sha256, record->key_id, session->options->key_file ? "true" : "false");
    else
        printf("%s is as it was signed.\nSHA-256 %s\nkey     %s%s\n", record->number, record->sha256, record->key_id,
               session->options->key_file ? "" : " (compare it with the installation's, or give --key)");
    return 0;
}
