/* api_key.h: API keys, "isms_<tenant>_<key id>_<secret>".
 *
 * Tenant and key id are the 32 lower-case hexadecimal digits of their UUIDs: a key can be looked up only with
 * its tenant known, and a leaked one is recognised by scanners. The secret is 32 random bytes in base64url.
 * With 256 bits of entropy it cannot be guessed from its hash, so a plain SHA-256 is stored; slow password
 * hashes protect weak secrets, and would only cost time here. One key has exactly one text. */
#ifndef ISMS_AUTH_API_KEY_H
#define ISMS_AUTH_API_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isms/base/crypto.h>
#include <isms/base/uuid.h>

enum { API_KEY_SECRET_SIZE = 32, API_KEY_TEXT_SIZE = 5 + 32 + 1 + 32 + 1 + 43 + 1 };

struct api_key {
    struct uuid tenant;
    struct uuid id;
    uint8_t secret[API_KEY_SECRET_SIZE];
};

struct api_key api_key_make(struct uuid tenant, struct uuid id); /* with a new random secret */
void api_key_format(const struct api_key *key, char text[static API_KEY_TEXT_SIZE]);

bool api_key_has_prefix(const char *text, size_t length); /* meant to be an API key, right or wrong */
bool api_key_parse(const char *text, size_t length, struct api_key *ret_key);

struct sha256 api_key_hash(const struct api_key *key); /* what is stored */
bool api_key_matches(const struct api_key *key, const struct sha256 *stored); /* in constant time */

/* Wipes the secret; fits CLEANUP(). */
void api_key_clear(struct api_key *key);

#endif
