#include "token_maker.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include <isms/base/bug.h>
#include <isms/base/crypto.h>

EVP_PKEY *key_new(enum jwt_algorithm algorithm)
{
    EVP_PKEY *key = algorithm == JWT_RS256 || algorithm == JWT_PS256 ? EVP_RSA_gen(2048)
                    : algorithm == JWT_ES256 ? EVP_EC_gen("P-256")
                                             : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    BUG_IF(!key);
    return key;
}

static void number_append(struct buf *json, const char *name, EVP_PKEY *key, const char *parameter, int size)
{
    BIGNUM *number = NULL;
    uint8_t bytes[1024];
    BUG_IF(!EVP_PKEY_get_bn_param(key, parameter, &number));
    int length = size ? BN_bn2binpad(number, bytes, size) : BN_bn2bin(number, bytes);
    BN_free(number);
    buf_printf(json, ",\"%s\":\"", name);
    base64url_encode(json, bytes, (size_t)length);
    buf_char(json, '"');
}

void jwk_append(struct buf *json, EVP_PKEY *key, enum jwt_algorithm algorithm, const char *kid,
                const char *more)
{
    if (algorithm == JWT_RS256 || algorithm == JWT_PS256) {
        buf_text(json, "{\"kty\":\"RSA\"");
        number_append(json, "n", key, OSSL_PKEY_PARAM_RSA_N, 0);
        number_append(json, "e", key, OSSL_PKEY_PARAM_RSA_E, 0);
    } else if (algorithm == JWT_ES256) {
        buf_text(json, "{\"kty\":\"EC\",\"crv\":\"P-256\"");
        number_append(json, "x", key, OSSL_PKEY_PARAM_EC_PUB_X, 32);
        number_append(json, "y", key, OSSL_PKEY_PARAM_EC_PUB_Y, 32);
    } else {
        uint8_t bytes[32];
        size_t length = sizeof(bytes);
        BUG_IF(!EVP_PKEY_get_raw_public_key(key, bytes, &length));
        buf_text(json, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"");
        base64url_encode(json, bytes, length);
        buf_char(json, '"');
    }
    if (kid)
        buf_printf(json, ",\"kid\":\"%s\"", kid);
    buf_printf(json, "%s}", more);
}

struct jwks *jwks_of(EVP_PKEY *key, enum jwt_algorithm algorithm, const char *kid)
{
    struct buf json CLEANUP(buf_release);
    struct jwks *keys = NULL;
    struct err err = {0};
    buf_init(&json, JWKS_TEXT_MAX);
    buf_text(&json, "{\"keys\":[");
    jwk_append(&json, key, algorithm, kid, "");
    buf_text(&json, "]}");
    BUG_IF(jwks_parse(json.data, json.length, &keys, &err) < 0);
    return keys;
}

static void parts_append(struct buf *text, const char *header, const char *payload)
{
    base64url_encode(text, header, strlen(header));
    buf_char(text, '.');
    base64url_encode(text, payload, strlen(payload));
}

void token_assemble(char text[static TOKEN_SIZE], const char *header, const char *payload,
                    const void *signature,
                    size_t length)
{
    struct buf token;
    buf_init_fixed(&token, text, TOKEN_SIZE);
    parts_append(&token, header, payload);
    buf_char(&token, '.');
    base64url_encode(&token, signature, length);
    BUG_IF(token.failed);
}

/* DER to the 64 bytes of JOSE. */
static size_t es256_from_der(uint8_t *signature, size_t length)
{
    const uint8_t *at = signature;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)length);
    BUG_IF(!pair || BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, 32) != 32 ||
           BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + 32, 32) != 32);
    ECDSA_SIG_free(pair);
    return 64;
}

void token_sign_salted(char text[static TOKEN_SIZE], EVP_PKEY *key, enum jwt_algorithm algorithm, int salt,
                       const char *header, const char *payload)
{
    char storage[TOKEN_SIZE];
    struct buf data;
    buf_init_fixed(&data, storage, sizeof(storage));
    parts_append(&data, header, payload);

    uint8_t signature[1024];
    size_t length = sizeof(signature);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const EVP_MD *digest = algorithm == JWT_EDDSA ? NULL : EVP_sha256();
    EVP_PKEY_CTX *parameters;
    BUG_IF(!EVP_DigestSignInit(context, &parameters, digest, NULL, key));
    if (algorithm == JWT_PS256)
        BUG_IF(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) != 1 ||
               EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, salt) != 1);
    BUG_IF(EVP_DigestSign(context, signature, &length, (const uint8_t *)data.data, data.length) != 1);
    EVP_MD_CTX_free(context);
    if (algorithm == JWT_ES256)
        length = es256_from_der(signature, length);
    token_assemble(text, header, payload, signature, length);
}

void token_sign(char text[static TOKEN_SIZE], EVP_PKEY *key, enum jwt_algorithm algorithm, const char *header,
                const char *payload)
{
    token_sign_salted(text, key, algorithm, RSA_PSS_SALTLEN_DIGEST, header, payload);
}
