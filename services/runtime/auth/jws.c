/* jws.c: compact JWS over OpenSSL and jansson, and not over a JOSE library.
 *
 * librhonabwy 1.1.11, the strictest of those that Debian has, was tried with Ed25519 tokens (the test suite
 * keeps them): it accepts duplicate claims and a second `alg`, a `crit` header it does not understand, a
 * `kid` that names another key, padded signatures and non-zero trailing bits (one token with many texts), and
 * when no key is passed it trusts the one in the token's own `jwk` header. Each would need a check of ours
 * around it, and it brings GnuTLS and 30 more libraries into the process. What is left to do by hand is
 * little: three base64url parts, one object each, four signature algorithms. */
#include "jws.h"

#include <errno.h>

#include <isms/auth/jwt.h>
#include <isms/base/buf.h>
#include <isms/base/bug.h>
#include <isms/base/crypto.h>

#include "json_members.h"

int token_refuse(struct err *err, enum token_cause cause)
{
    static const struct {
        enum err_reason reason;
        const char *name;
        const char *text;
    } causes[] = {
#define X(name, reason, text) {ERR_##reason, #name, text},
#include <isms/auth/token_causes.def>
#undef X
    };
    /* OpenSSL does not always say that it had no memory, and then a good token looks like a bad one, which its owner
     * would throw away. malloc() has said so; jws_parse() has cleared what was said before. */
    if (errno == ENOMEM)
        return err_set(err, ERR_OVERLOADED);
    err_setf(err, causes[cause].reason, "%s", causes[cause].text);
    err_fact(err, "cause", "%s", causes[cause].name);
    return -1;
}

/* One base64url part that is a JSON object; NULL when it is not. */
static json_t *part_decode(struct slice part, bool *ret_no_memory)
{
    char storage[JWT_TEXT_MAX];
    struct buf text;
    struct err err;
    *ret_no_memory = false;
    buf_init_fixed(&text, storage, sizeof(storage));
    if (base64url_decode(&text, part.data, part.length, &err) < 0 || text.failed)
        return NULL;
    return json_object_read(text.data, text.length, ret_no_memory);
}

static bool signature_decode(struct slice part, struct jws *jws)
{
    struct buf signature;
    struct err err;
    buf_init_fixed(&signature, (char *)jws->signature, sizeof(jws->signature));
    if (base64url_decode(&signature, part.data, part.length, &err) < 0 || signature.failed)
        return false;
    jws->signature_length = signature.length;
    return true;
}

/* A header member that may be absent but must otherwise be text. */
static bool header_text(const json_t *header, const char *name, const char **ret_text)
{
    const json_t *value = json_object_get(header, name);
    if (value && !json_is_string(value))
        return false;
    *ret_text = value ? json_string_value(value) : NULL;
    return true;
}

static int header_read(struct jws *jws, struct err *err)
{
    const char *algorithm;
    if (!header_text(jws->header, "alg", &algorithm) || !header_text(jws->header, "typ", &jws->type) ||
        !header_text(jws->header, "kid", &jws->kid))
        return token_refuse(err, TOKEN_MALFORMED);
    if (json_object_get(jws->header, "crit"))
        return token_refuse(err, TOKEN_CRITICAL); /* we understand no extension */
    if (!algorithm || !jwt_algorithm_from_name(algorithm, &jws->algorithm))
        return token_refuse(err, TOKEN_ALGORITHM);
    return 0;
}

int jws_parse(const char *text, size_t length, size_t max, struct jws *ret_jws, struct err *err)
{
    BUG_IF(max > JWT_TEXT_MAX);
    errno = 0; /* for token_refuse() */
    if (length > max)
        return token_refuse(err, TOKEN_TOO_LARGE);
    const char *first = memchr(text, '.', length);
    const char *second = first ? memchr(first + 1, '.', length - (size_t)(first + 1 - text)) : NULL;
    if (!second)
        return token_refuse(err, TOKEN_MALFORMED);

    struct slice header = {text, (size_t)(first - text)};
    struct slice payload = {first + 1, (size_t)(second - first - 1)};
    struct slice signature = {second + 1, length - (size_t)(second + 1 - text)};
    struct jws jws CLEANUP(jws_release) = {.signed_part = {text, (size_t)(second - text)}};
    bool no_memory;
    jws.header = part_decode(header, &no_memory);
    if (!jws.header)
        return no_memory ? err_set(err, ERR_OVERLOADED) : token_refuse(err, TOKEN_MALFORMED);
    if (header_read(&jws, err) < 0)
        return -1;
    jws.payload = part_decode(payload, &no_memory);
    if (no_memory)
        return err_set(err, ERR_OVERLOADED);
    if (!jws.payload || !signature_decode(signature, &jws))
        return token_refuse(err, TOKEN_MALFORMED);
    *ret_jws = jws;
    jws.header = jws.payload = NULL;
    return 0;
}

void jws_release(struct jws *jws)
{
    json_decref(jws->header);
    json_decref(jws->payload);
}

int jws_verify(const struct jws *jws, const struct jwks *keys, struct err *err)
{
    const struct jwk *key = keys ? jwks_find(keys, jws->algorithm, jws->kid) : NULL;
    if (!key)
        return token_refuse(err, TOKEN_KEY);
    switch (jwk_verify(key, jws->algorithm, jws->signed_part, jws->signature, jws->signature_length)) {
    case SIGNATURE_GOOD:
        return 0;
    case SIGNATURE_BAD:
        return token_refuse(err, TOKEN_SIGNATURE);
    case SIGNATURE_UNCHECKED:
        break;
    }
    return err_set(err, ERR_OVERLOADED);
}
