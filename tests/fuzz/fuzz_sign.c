/* fuzz_sign.c: a fresh key a run: what is accepted does not depend on which, and none lies about. */
#include "fuzz_sign.h"

#include <string.h>

#include <isms/base/bug.h>
#include <isms/base/crypto.h>

static const struct signing_key *run_key(void)
{
    static struct signing_key *key;
    struct err err = {0};
    BUG_IF(!key && signing_key_generate(&key, &err) < 0);
    return key;
}

void fuzz_jwks(struct buf *json, const char *kid)
{
    uint8_t public[ED25519_PUBLIC_SIZE];
    signing_key_public(run_key(), public);
    buf_printf(json, "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"%s\",\"x\":\"", kid);
    base64url_encode(json, public, sizeof(public));
    buf_text(json, "\"}]}");
}

bool fuzz_sign(const uint8_t *data, size_t size, struct buf *token)
{
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    struct err err = {0};
    const uint8_t *end = memchr(data, '\n', size);
    size_t header = end ? (size_t)(end - data) : size;
    base64url_encode(token, data, header);
    buf_char(token, '.');
    base64url_encode(token, data + (end ? header + 1 : size), end ? size - header - 1 : 0);
    BUG_IF(ed25519_sign(run_key(), token->data, token->length, signature, &err) < 0);
    buf_char(token, '.');
    base64url_encode(token, signature, sizeof(signature));
    return !token->failed;
}
