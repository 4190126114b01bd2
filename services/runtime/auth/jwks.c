/* jwks.c: JSON Web Keys into OpenSSL keys.
 *
 * All checking of key material happens here, once, when a set is loaded, so that verifying has nothing left
 * to ask but "is this the signature". Which algorithms a key serves is decided by its type (RS256 and PS256 share
 * one, unless the key says which it is for); a token's header only picks among keys that already fit. That is what
 * makes algorithm confusion impossible.
 *
 * The slot takes a mutex for the few instructions between reading the pointer and counting the reference up;
 * without it the set could be freed in between. It is taken once per token that is not remembered. */
#include <isms/auth/jwks.h>

#include "json_members.h"
#include "jws.h"

#include <pthread.h>
#include <stdatomic.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <isms/base/buf.h>
#include <isms/base/bug.h>
#include <isms/base/crypto.h>

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 8192, RSA_EXPONENT_MAX = 4, P256_SIZE = 32, ES256_SIZE = 64 };

struct jwk {
    unsigned algorithms;     /* those it may verify */
    char kid[JWKS_KID_SIZE]; /* "" when it has none */
    EVP_PKEY *key;
};

struct jwks {
    atomic_uint references;
    struct sha256 text_hash;
    int64_t fetch_time_us;
    size_t count;
    struct jwk keys[JWKS_KEYS_MAX];
};

struct jwks_slot {
    pthread_mutex_t mutex;
    struct jwks *keys;
};

static const struct {
    const char *name;
    enum jwt_algorithm algorithm;
    const char *kty;
    const char *crv; /* NULL: the type has no curves */
} algorithms[] = {
    {"RS256", JWT_RS256, "RSA", NULL},
    {"PS256", JWT_PS256, "RSA", NULL},
    {"ES256", JWT_ES256, "EC", "P-256"},
    {"EdDSA", JWT_EDDSA, "OKP", "Ed25519"},
};

bool jwt_algorithm_from_name(const char *name, enum jwt_algorithm *ret_algorithm)
{
    for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
        if (strcmp(algorithms[i].name, name) == 0) {
            *ret_algorithm = algorithms[i].algorithm;
            return true;
        }
    }
    return false;
}

int jwt_algorithms_parse(const char *list, unsigned *ret_algorithms, struct err *err)
{
    unsigned set = 0;
    for (const char *name = list;; name++) {
        size_t length = strcspn(name, ",");
        unsigned found = 0;
        for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
            if (slice_equals((struct slice){name, length}, algorithms[i].name))
                found = algorithms[i].algorithm;
        if (!found)
            return err_setf(err, ERR_FIELD_INVALID,
                            "\"%.*s\" is not a signature algorithm accepted here: RS256, PS256, ES256 and EdDSA are.",
                            (int)(length < 64 ? length : 64), name);
        set |= found;
        name += length;
        if (*name == '\0')
            break;
    }
    *ret_algorithms = set;
    return 0;
}

static const char *member_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static bool member_is(const json_t *object, const char *name, const char *expected)
{
    const char *text = member_text(object, name);
    return text && strcmp(text, expected) == 0;
}

/* A base64url member of at most `size` - 1 bytes; its length, or 0. */
static size_t member_bytes(const json_t *object, const char *name, uint8_t *ret_bytes, size_t size)
{
    const char *text = member_text(object, name);
    struct buf bytes;
    struct err err;
    buf_init_fixed(&bytes, (char *)ret_bytes, size);
    if (!text || base64url_decode(&bytes, text, strlen(text), &err) < 0 || bytes.failed)
        return 0;
    return bytes.length;
}

static EVP_PKEY *key_from_params(const char *type, OSSL_PARAM_BLD *builder)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;
    if (params && context && EVP_PKEY_fromdata_init(context) == 1)
        (void)EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    return key;
}

static const char *rsa_read(const json_t *object, struct jwk *jwk)
{
    uint8_t modulus[RSA_BITS_MAX / 8 + 2], exponent[RSA_EXPONENT_MAX + 1];
    size_t modulus_length = member_bytes(object, "n", modulus, sizeof(modulus));
    size_t exponent_length = member_bytes(object, "e", exponent, sizeof(exponent));
    if (modulus_length == 0 || exponent_length == 0)
        return "has no well-formed modulus and exponent";
    BIGNUM *n = BN_bin2bn(modulus, (int)modulus_length, NULL);
    BIGNUM *e = BN_bin2bn(exponent, (int)exponent_length, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    const char *problem = "cannot be used";
    if (n && e && (BN_num_bits(n) < RSA_BITS_MIN || BN_num_bits(n) > RSA_BITS_MAX))
        problem = "is not of 2048 to 8192 bits";
    else if (n && e && builder && BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e) &&
             OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) &&
             OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e))
        jwk->key = key_from_params("RSA", builder);
    OSSL_PARAM_BLD_free(builder);
    BN_free(n);
    BN_free(e);
    return jwk->key ? NULL : problem;
}

static const char *p256_read(const json_t *object, struct jwk *jwk)
{
    uint8_t point[1 + 2 * P256_SIZE + 1] = {POINT_CONVERSION_UNCOMPRESSED}, y[P256_SIZE + 1];
    if (member_bytes(object, "x", point + 1, P256_SIZE + 1) != P256_SIZE ||
        member_bytes(object, "y", y, sizeof(y)) != P256_SIZE)
        return "has no well-formed coordinates";
    memcpy(point + 1 + P256_SIZE, y, P256_SIZE);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (builder && OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * P256_SIZE))
        jwk->key = key_from_params("EC", builder); /* refuses a point off the curve */
    OSSL_PARAM_BLD_free(builder);
    return jwk->key ? NULL : "is not a point of its curve";
}

static const char *ed25519_read(const json_t *object, struct jwk *jwk)
{
    uint8_t public_key[ED25519_PUBLIC_SIZE + 1];
    if (member_bytes(object, "x", public_key, sizeof(public_key)) != ED25519_PUBLIC_SIZE)
        return "has no well-formed public key";
    jwk->key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, ED25519_PUBLIC_SIZE);
    return jwk->key ? NULL : "cannot be used";
}

/* Whether `use`, `key_ops` and `alg` let the key verify what its type can (RFC 7517 sections 4.2 to 4.4). */
static bool may_verify(const json_t *object, const char *algorithm)
{
    if (json_object_get(object, "use") && !member_is(object, "use", "sig"))
        return false;
    if (json_object_get(object, "alg") && !member_is(object, "alg", algorithm))
        return false;
    const json_t *operations = json_object_get(object, "key_ops");
    bool verify = !operations;
    for (size_t i = 0; i < json_array_size(operations); i++) {
        const char *operation = json_string_value(json_array_get(operations, i));
        verify |= operation && strcmp(operation, "verify") == 0;
    }
    return verify;
}

static const char *material_read(const json_t *object, struct jwk *jwk)
{
    if (jwk->algorithms & (JWT_RS256 | JWT_PS256))
        return rsa_read(object, jwk);
    return jwk->algorithms & JWT_ES256 ? p256_read(object, jwk) : ed25519_read(object, jwk);
}

/* Reads one key into *ret_jwk, without algorithms where it is none of ours. NULL, or what is wrong with it. */
static const char *jwk_read(const json_t *object, struct jwk *ret_jwk)
{
    if (!json_is_object(object))
        return "is not an object";
    if (json_object_get(object, "d") || json_object_get(object, "k") || member_is(object, "kty", "oct"))
        return "is a secret key: the file must hold public keys only";
    for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
        if (member_is(object, "kty", algorithms[i].kty) &&
            (!algorithms[i].crv || member_is(object, "crv", algorithms[i].crv)) &&
            may_verify(object, algorithms[i].name))
            ret_jwk->algorithms |= algorithms[i].algorithm;
    const json_t *kid = json_object_get(object, "kid");
    if (!ret_jwk->algorithms)
        return NULL;
    if (kid && !json_text_copy(kid, ret_jwk->kid, sizeof(ret_jwk->kid)))
        return "has a kid that is not a text of at most 127 bytes";
    return material_read(object, ret_jwk);
}

static bool jwks_has(const struct jwks *keys, const struct jwk *jwk)
{
    for (size_t i = 0; i < keys->count; i++)
        if ((keys->keys[i].algorithms & jwk->algorithms) && strcmp(keys->keys[i].kid, jwk->kid) == 0)
            return true;
    return false;
}

static int jwks_fill(struct jwks *keys, const json_t *list, struct err *err)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct jwk *jwk = &keys->keys[keys->count];
        *jwk = (struct jwk){0};
        const char *problem = jwk_read(json_array_get(list, i), jwk);
        if (!problem && jwk->algorithms && jwks_has(keys, jwk))
            problem = "has the same kid as another one";
        if (problem) {
            EVP_PKEY_free(jwk->key);
            ERR_clear_error(); /* TLS on this thread must not find our errors in the queue */
            return err_setf(err, ERR_FIELD_INVALID, "Key %zu of the JWK set %s.", i + 1, problem);
        }
        keys->count += jwk->algorithms != 0;
    }
    if (keys->count == 0)
        return err_setf(err, ERR_FIELD_INVALID, "The JWK set holds no key for RS256, PS256, ES256 or EdDSA.");
    return 0;
}

int jwks_parse(const char *text, size_t length, struct jwks **ret_keys, struct err *err)
{
    bool no_memory = false; /* is as good as a set that is none: it is loaded again */
    json_t *set = length <= JWKS_TEXT_MAX ? json_object_read(text, length, &no_memory) : NULL;
    const json_t *list = json_object_get(set, "keys");
    struct jwks *keys CLEANUP(jwks_unrefp) = calloc(1, sizeof(*keys));
    int result = -1;
    if (!keys)
        err_set(err, ERR_INTERNAL);
    else if (!json_is_array(list) || json_array_size(list) > JWKS_KEYS_MAX)
        err_setf(err, ERR_FIELD_INVALID, "This is not a JWK set of at most %d keys.", JWKS_KEYS_MAX);
    else {
        atomic_init(&keys->references, 1);
        keys->text_hash = sha256_of(text, length);
        result = jwks_fill(keys, list, err);
    }
    json_decref(set);
    if (result == 0) {
        *ret_keys = keys;
        keys = NULL;
    }
    return result;
}

int jwks_load(const char *path, struct jwks **ret_keys, struct err *err)
{
    struct buf text CLEANUP(buf_release);
    struct err cause = {0};
    buf_init(&text, JWKS_TEXT_MAX);
    if (buf_append_file(&text, path, &cause) < 0)
        return err_setf(err, cause.reason, "The JWK set %s", cause.message);
    if (jwks_parse(text.data, text.length, ret_keys, &cause) < 0)
        return err_setf(err, cause.reason, "%s: %s", path, cause.message);
    return 0;
}

struct jwks *jwks_ref(struct jwks *keys)
{
    if (keys)
        atomic_fetch_add_explicit(&keys->references, 1, memory_order_relaxed);
    return keys;
}

void jwks_unref(struct jwks *keys)
{
    if (!keys || atomic_fetch_sub_explicit(&keys->references, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < keys->count; i++)
        EVP_PKEY_free(keys->keys[i].key);
    free(keys);
}

void jwks_unrefp(struct jwks **keys)
{
    jwks_unref(*keys);
}

size_t jwks_count(const struct jwks *keys)
{
    return keys->count;
}

bool jwks_same(const struct jwks *one, const struct jwks *other)
{
    return one && other && memcmp(&one->text_hash, &other->text_hash, sizeof(one->text_hash)) == 0;
}

int64_t jwks_fetch_time(const struct jwks *keys)
{
    return keys->fetch_time_us;
}

void jwks_set_fetch_time(struct jwks *keys, int64_t time_us)
{
    keys->fetch_time_us = time_us;
}

const struct jwk *jwks_find(const struct jwks *keys, enum jwt_algorithm algorithm, const char *kid)
{
    const struct jwk *found = NULL;
    for (size_t i = 0; i < keys->count; i++) {
        const struct jwk *key = &keys->keys[i];
        if (!(key->algorithms & algorithm) || (kid && strcmp(key->kid, kid) != 0))
            continue;
        if (found)
            return NULL;
        found = key;
    }
    return found;
}

/* JOSE writes an ECDSA signature as R and S of 32 bytes each, OpenSSL reads it as DER. */
static int es256_to_der(const uint8_t *signature, uint8_t **ret_der)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, P256_SIZE, NULL);
    BIGNUM *s = BN_bin2bn(signature + P256_SIZE, P256_SIZE, NULL);
    int length = -1;
    if (pair && r && s && ECDSA_SIG_set0(pair, r, s)) {
        r = s = NULL; /* the pair's now */
        length = i2d_ECDSA_SIG(pair, ret_der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return length;
}

/* RFC 7518 section 3.5: MGF1 with the same hash, which is OpenSSL's default, and a salt as long as it. */
static bool pss_set(EVP_PKEY_CTX *context)
{
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

/* Empties this thread's queue of errors, where TLS must not find ours, and says whether it was memory that failed. */
static bool memory_failed(void)
{
    bool failed = false;
    for (unsigned long code; (code = ERR_get_error()) != 0;)
        failed |= ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
    return failed;
}

/* A key that was loaded can be used: what fails before the signature is looked at is memory. */
static enum signature digest_verify(EVP_PKEY *key, enum jwt_algorithm algorithm, struct slice data,
                                    const uint8_t *signature, size_t length)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters; /* the context's own */
    const EVP_MD *digest = algorithm == JWT_EDDSA ? NULL : EVP_sha256();
    enum signature result = SIGNATURE_UNCHECKED;
    if (context && EVP_DigestVerifyInit(context, &parameters, digest, NULL, key) == 1 &&
        (algorithm != JWT_PS256 || pss_set(parameters)))
        result = EVP_DigestVerify(context, signature, length, (const uint8_t *)data.data, data.length) == 1
                     ? SIGNATURE_GOOD : SIGNATURE_BAD;
    EVP_MD_CTX_free(context);
    return memory_failed() && result == SIGNATURE_BAD ? SIGNATURE_UNCHECKED : result;
}

static enum signature es256_verify(EVP_PKEY *key, struct slice data, const uint8_t *signature, size_t signature_length)
{
    uint8_t *der = NULL;
    if (signature_length != ES256_SIZE)
        return SIGNATURE_BAD;
    int length = es256_to_der(signature, &der);
    enum signature result =
        length > 0 ? digest_verify(key, JWT_ES256, data, der, (size_t)length) : SIGNATURE_UNCHECKED;
    OPENSSL_free(der);
    return result;
}

enum signature jwk_verify(const struct jwk *key, enum jwt_algorithm algorithm, struct slice data,
                          const uint8_t *signature, size_t signature_length)
{
    BUG_IF(!(key->algorithms & algorithm));
    return algorithm == JWT_ES256 ? es256_verify(key->key, data, signature, signature_length)
                                  : digest_verify(key->key, algorithm, data, signature, signature_length);
}

struct jwks_slot *jwks_slot_new(struct jwks *keys)
{
    struct jwks_slot *slot = calloc(1, sizeof(*slot));
    if (!slot)
        return NULL;
    BUG_IF(pthread_mutex_init(&slot->mutex, NULL) != 0);
    slot->keys = keys;
    return slot;
}

void jwks_slot_free(struct jwks_slot *slot)
{
    if (!slot)
        return;
    jwks_unref(slot->keys);
    pthread_mutex_destroy(&slot->mutex);
    free(slot);
}

void jwks_slot_freep(struct jwks_slot **slot)
{
    jwks_slot_free(*slot);
}

struct jwks *jwks_slot_get(struct jwks_slot *slot)
{
    pthread_mutex_lock(&slot->mutex);
    struct jwks *keys = jwks_ref(slot->keys);
    pthread_mutex_unlock(&slot->mutex);
    return keys;
}

void jwks_slot_set(struct jwks_slot *slot, struct jwks *keys)
{
    pthread_mutex_lock(&slot->mutex);
    struct jwks *older = slot->keys;
    slot->keys = keys;
    pthread_mutex_unlock(&slot->mutex);
    jwks_unref(older);
}
