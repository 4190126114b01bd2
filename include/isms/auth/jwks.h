/* jwks.h: a set of public keys (RFC 7517), and the place the current set is kept.
 *
 * A set never changes once it is made, and is shared by reference counting. A slot holds the set in force:
 * readers take a reference, whoever loads a newer set replaces it, and the older one goes with its last
 * reader.
 *
 * Of a set, only what can verify RS256 or PS256 (RSA of 2048 to 8192 bits), ES256 (P-256) or EdDSA (Ed25519) is
 * taken; keys for other uses and algorithms are passed over, as RFC 7517 section 5 asks. An RSA key that does not say
 * which of its two algorithms it is for serves both. A set that holds private or symmetric key material, two keys of
 * the same kid and algorithm, or no usable key at all is refused whole. */
#ifndef ISMS_AUTH_JWKS_H
#define ISMS_AUTH_JWKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>

enum { JWKS_TEXT_MAX = 1 << 20, JWKS_KEYS_MAX = 64, JWKS_KID_SIZE = 128 };

/* JOSE's names of what we accept (RFC 7518, RFC 8037); usable as bits of a set. */
enum jwt_algorithm { JWT_RS256 = 1, JWT_ES256 = 2, JWT_EDDSA = 4, JWT_PS256 = 8 };

/* false for everything else, "none" and the HS family first of all. */
bool jwt_algorithm_from_name(const char *name, enum jwt_algorithm *ret_algorithm);

/* A list as a setting has it, "RS256,ES256". FIELD_INVALID names what is not one of ours. */
int jwt_algorithms_parse(const char *list, unsigned *ret_algorithms, struct err *err) MUST_CHECK;

struct jwks;

/* Parses a JWK set; errors (FIELD_INVALID) say which key is wrong, never key material. */
int jwks_parse(const char *text, size_t length, struct jwks **ret_keys, struct err *err) MUST_CHECK;
int jwks_load(const char *path, struct jwks **ret_keys, struct err *err) MUST_CHECK;

struct jwks *jwks_ref(struct jwks *keys);
void jwks_unref(struct jwks *keys); /* accepts NULL */
void jwks_unrefp(struct jwks **keys);

size_t jwks_count(const struct jwks *keys);

/* Whether both were parsed from the same bytes; NULL is like nothing. */
bool jwks_same(const struct jwks *one, const struct jwks *other);

/* When the fetch began that the set came by; 0: it was not fetched. Set before the set is shared. */
int64_t jwks_fetch_time(const struct jwks *keys);
void jwks_set_fetch_time(struct jwks *keys, int64_t time_us);

struct jwks_slot;

/* Takes over the caller's reference to `keys`, which may be NULL: an empty slot verifies nothing. NULL when
 * out of memory, the reference then stays with the caller. */
struct jwks_slot *jwks_slot_new(struct jwks *keys);
void jwks_slot_free(struct jwks_slot *slot);
void jwks_slot_freep(struct jwks_slot **slot);

/* Any thread. get: a new reference, or NULL of an empty slot. set: takes over the caller's reference. */
struct jwks *jwks_slot_get(struct jwks_slot *slot);
void jwks_slot_set(struct jwks_slot *slot, struct jwks *keys);

#endif
