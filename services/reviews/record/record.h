/* record.h: the signed record of a management review, made and verified.
 *
 * A record is one JSON document in canonical form (docs/record.md): what was reviewed, decided and concluded,
 * by whom, on which frozen inputs, and how the signer was authenticated. Its SHA-256 is signed with the
 * installation's Ed25519 key. The bytes are stored and verified as they were signed; nobody renders them again.
 * Names are not in it, only their salted hashes, so that a person's data can be erased and it still holds.
 *
 * This is the whole of it, without database or network: the service signs with it, and `ismsctl verify` checks
 * with it on a machine that has never seen the service. All functions are pure and for any thread. */
#ifndef ISMS_REVIEWS_RECORD_H
#define ISMS_REVIEWS_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <isms/base/attributes.h>
#include <isms/base/buf.h>
#include <isms/base/crypto.h>
#include <isms/base/err.h>

enum { RECORD_VERSION = 1, RECORD_KEY_ID_SIZE = 17, RECORD_SALT_SIZE = SHA256_SIZE };

/* A member whose name the record holds as a hash. */
struct record_person {
    const char *member_id;
    const char *name;
    const void *salt; /* RECORD_SALT_SIZE bytes: another length could move letters between salt and name */
    size_t salt_length;
};

struct record_signer {
    const char *member_id;
    const json_t *roles;  /* of texts */
    int64_t sign_time_us;
    const char *issuer;   /* of the access token; this and what follows: "" and 0 where the token did not say */
    const char *acr;      /* the class of authentication */
    const char *amr;      /* its methods, separated by spaces */
    int64_t auth_time_us;
};

/* What a record is made of; all borrowed. The JSON is that of the API's messages, as message_canonical() has
 * it. */
struct record_parts {
    const json_t *organisation;
    const json_t *programme;
    const json_t *review;
    const json_t *decisions; /* array */
    int64_t seal_number;     /* the newest seal of the change log; 0: there is none yet */
    const char *seal_sha256;
    struct record_signer signer;
    const struct record_person *people;
    size_t person_count;
};

/* A record as it is kept and handed out (isms.reviews.v1.SignedRecord). */
struct record_evidence {
    const char *review_id;
    const char *number;
    const void *content;
    size_t content_length;
    const char *sha256; /* hexadecimal */
    const void *signature;
    size_t signature_length;
    const void *public_key;
    size_t public_key_length;
    const char *key_id;
    int64_t sign_time_us;
    const struct record_person *people; /* those whose names are still known */
    size_t person_count;
};

/* Appends the canonical content. */
int record_build(const struct record_parts *parts, struct buf *content, struct err *err) MUST_CHECK;

int record_sign(const struct signing_key *key, const struct sha256 *content_hash,
                uint8_t ret_signature[static ED25519_SIGNATURE_SIZE], struct err *err) MUST_CHECK;

/* The key's short name: the first 16 hexadecimal digits of the SHA-256 of the public key. */
void record_key_id(const uint8_t public_key[static ED25519_PUBLIC_SIZE], char text[static RECORD_KEY_ID_SIZE]);

/* Does everything in the evidence belong together, down to each name? DATA_CORRUPT says what does not. That the
 * public key is the installation's is for the caller to know from elsewhere. */
int record_verify(const struct record_evidence *evidence, struct err *err) MUST_CHECK;

#endif
