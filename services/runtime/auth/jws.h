/* jws.h: compact JWS (RFC 7515), taken apart and verified; private to the auth layer. */
#ifndef ISMS_AUTH_JWS_H
#define ISMS_AUTH_JWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <isms/auth/jwks.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/base/slice.h>

enum token_cause {
#define X(name, reason, text) TOKEN_##name,
#include <isms/auth/token_causes.def>
#undef X
};

/* Always -1. OVERLOADED where memory was what lacked since jws_parse() began. */
int token_refuse(struct err *err, enum token_cause cause);

/* RSA of 8192 bits signs with 1024 bytes; one more for buf's terminator. */
enum { JWS_SIGNATURE_MAX = 1024 };

struct jws {
    json_t *header;
    json_t *payload; /* an object; not to be believed before jws_verify() */
    enum jwt_algorithm algorithm;
    const char *type; /* of the header; NULL when it has none */
    const char *kid;  /* the same */
    struct slice signed_part;
    size_t signature_length;
    uint8_t signature[JWS_SIGNATURE_MAX + 1];
};

/* `text` must outlive the jws. On failure there is nothing to release. */
int jws_parse(const char *text, size_t length, size_t max, struct jws *ret_jws, struct err *err) MUST_CHECK;
void jws_release(struct jws *jws);

/* Whether the key of `keys` that the header picks has signed this. */
int jws_verify(const struct jws *jws, const struct jwks *keys, struct err *err) MUST_CHECK;

/* The key of that kid and algorithm. Without kid: the only key of that algorithm, if there is only one. */
struct jwk;
const struct jwk *jwks_find(const struct jwks *keys, enum jwt_algorithm algorithm, const char *kid);
enum signature { SIGNATURE_GOOD, SIGNATURE_BAD, SIGNATURE_UNCHECKED /* no memory */ };
enum signature jwk_verify(const struct jwk *key, enum jwt_algorithm algorithm, struct slice data,
                          const uint8_t *signature, size_t signature_length);

#endif
