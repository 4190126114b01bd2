/* page_token.h: where the next page of a list starts, in a form that only we can make.
 *
 * A token is base64url(version, time, HMAC-SHA-256 cut to 16 bytes, keyset values). The MAC binds it to tenant,
 * method and query: a token of another tenant, method or filter, an old one, a changed one and plain garbage
 * are all answered alike. The values inside are readable to the client; they are values it has just been shown.
 */
#ifndef ISMS_PROTO_PAGE_TOKEN_H
#define ISMS_PROTO_PAGE_TOKEN_H

#include <stdint.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/crypto.h>
#include <isms/base/err.h>
#include <isms/base/uuid.h>

enum { PAGE_KEYS_MAX = 4, PAGE_KEY_LENGTH_MAX = 4096 };

/* Derived from the service's own key (signing_key_derive(key, "page-token")), which all its replicas share. */
struct page_secret {
    uint8_t bytes[SHA256_SIZE];
    int64_t lifetime_us; /* 0: tokens do not age */
};

/* What a token is bound to. */
struct page_scope {
    struct uuid tenant;
    const char *method;
    struct sha256 query; /* message_hash() of the request */
    int64_t now_us;
};

/* The keyset values of the last row shown. NULL stands for SQL NULL. */
struct page_keys {
    unsigned count;
    const char *values[PAGE_KEYS_MAX];
};

/* Fails only for want of memory, or on a key beyond PAGE_KEY_LENGTH_MAX. */
int page_token_make(const struct page_secret *secret, const struct page_scope *scope,
                    const struct page_keys *keys, struct arena *arena, char **ret_token,
                    struct err *err) MUST_CHECK;

/* PAGE_TOKEN_INVALID, always with the same text. */
int page_token_check(const struct page_secret *secret, const struct page_scope *scope, const char *token,
                     struct arena *arena, struct page_keys *ret_keys, struct err *err) MUST_CHECK;

#endif
