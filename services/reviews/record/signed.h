/* signed.h: what making and verifying a record must do alike. Inside this folder only. */
#ifndef ISMS_REVIEWS_RECORD_SIGNED_H
#define ISMS_REVIEWS_RECORD_SIGNED_H

#include "record.h"

#define RECORD_FORMAT "isms-review record"
#define SIGNED_PREFIX "isms-review record v1" /* its NUL is part of what is signed */
#define PERSON_HASH_PREFIX "sha256:"

enum {
    SIGNED_SIZE = sizeof(SIGNED_PREFIX) + SHA256_SIZE,
    PERSON_HASH_SIZE = sizeof(PERSON_HASH_PREFIX) - 1 + SHA256_HEX_SIZE,
    PERSON_BYTES_MAX = 64 * 1024
};

/* What the signature is over. */
void signed_bytes(const struct sha256 *content_hash, uint8_t ret_bytes[static SIGNED_SIZE]);

/* "sha256:" and the hexadecimal SHA-256 of salt and name. */
int person_hash(const struct record_person *person, char text[static PERSON_HASH_SIZE],
                struct err *err) MUST_CHECK;

#endif
