/* key_source.h: keeps the keys of one issuer fresh; private to the auth layer.
 *
 * A thread of its own fetches them, so that one issuer that is slow or away holds up no other, and no call. What it has
 * fetched goes into the issuer's slot, and stays in force while the issuer is away, up to a limit. */
#ifndef ISMS_AUTH_KEY_SOURCE_H
#define ISMS_AUTH_KEY_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isms/auth/jwks.h>
#include <isms/auth/jwt.h>
#include <isms/base/attributes.h>
#include <isms/base/crypto.h>
#include <isms/base/err.h>

struct key_source_options {
    const char *issuer;
    const char *discovery;   /* address of its discovery document */
    struct jwks_slot *slot;  /* where the keys go */
    struct jwt_verifier *verifier; /* told when they change */
    const char *ca_file;     /* "": the system's certificates */
    bool allow_http;
    int64_t stale_max_us;
};

struct key_source;

/* Starts fetching. Everything the options point at outlives the source. */
int key_source_new(const struct key_source_options *options, struct key_source **ret_source,
                   struct err *err) MUST_CHECK;
/* Stops; waits for what is under way, about a second at most. Accepts NULL. */
void key_source_free(struct key_source *source);

/* Any thread. Whether `keys` (NULL: none yet) may be relied on; ISSUER_UNAVAILABLE if not. */
int key_source_check(struct key_source *source, const struct jwks *keys, int64_t now_us, struct err *err) MUST_CHECK;

/* Any thread. What a token is told whose key is not in `keys`: CREDENTIAL_INVALID, or ISSUER_UNAVAILABLE while the set
 * is being fetched again. Always -1. */
int key_source_ask(struct key_source *source, const struct jwks *keys, const struct sha256 *token, int64_t now_us,
                   struct err *err) MUST_CHECK;

/* When the fetch of the keys in force began, 0 without any. `problem` is what went wrong with the last one, "" if
 * nothing did; for operators. */
int64_t key_source_state(struct key_source *source, char *problem, size_t size);

#endif
