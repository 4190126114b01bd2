/* crypto.h: the few cryptographic operations the product needs, over OpenSSL's EVP.
 *
 * SHA-256 for content, HMAC-SHA-256 for tokens that only we read back, Ed25519 (RFC 8032) for what others
 * must be able to verify. Keys are opaque; secrets are compared in constant time and wiped on free. All
 * functions may be called from any thread; a key may be used by several threads at once. */
#ifndef ISMS_BASE_CRYPTO_H
#define ISMS_BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isms/base/attributes.h>
#include <isms/base/buf.h>
#include <isms/base/err.h>

enum { SHA256_SIZE = 32, ED25519_SIGNATURE_SIZE = 64, ED25519_PUBLIC_SIZE = 32, SHA256_HEX_SIZE = 65 };

struct sha256 {
    uint8_t bytes[SHA256_SIZE];
};

struct sha256 sha256_of(const void *data, size_t length);

/* Of bytes that come in pieces. One thread at a time. */
struct sha256_sum;
struct sha256_sum *sha256_sum_new(void); /* NULL: no memory */
void sha256_sum_freep(struct sha256_sum **sum);
void sha256_sum_add(struct sha256_sum *sum, const void *data, size_t length);
struct sha256 sha256_sum_value(const struct sha256_sum *sum); /* so far: it can go on */

struct sha256 hmac_sha256(const void *key, size_t key_length, const void *data, size_t length);

/* Fills from the system's generator. Aborts if there is none: nothing here is safe without it. */
void random_bytes(void *data, size_t length);

bool equal_constant_time(const void *a, const void *b, size_t length);

void hex_encode(const void *data, size_t length, char *ret_text); /* 2 * length + 1 bytes, lower case */
bool hex_decode(const char *text, size_t text_length, uint8_t *ret_data); /* text_length / 2 bytes */

/* RFC 4648 section 5, without padding. */
void base64url_encode(struct buf *buf, const void *data, size_t length);
/* Refuses padding, other alphabets and non-zero trailing bits. */
int base64url_decode(struct buf *buf, const char *text, size_t length, struct err *err) MUST_CHECK;

struct signing_key;
struct verifying_key;

/* An Ed25519 key pair from PKCS#8 PEM text (what `openssl genpkey -algorithm ed25519` writes). */
int signing_key_parse(const char *pem, struct signing_key **ret_key, struct err *err) MUST_CHECK;
/* The same from a file; the message names it. */
int signing_key_load(const char *path, struct signing_key **ret_key, struct err *err) MUST_CHECK;
int signing_key_generate(struct signing_key **ret_key, struct err *err) MUST_CHECK;
void signing_key_pem(const struct signing_key *key, struct buf *ret_pem);
void signing_key_free(struct signing_key *key);
void signing_key_freep(struct signing_key **key);
void signing_key_public(const struct signing_key *key, uint8_t ret_public[static ED25519_PUBLIC_SIZE]);

/* 32 bytes derived from the private key for one named purpose (HKDF-SHA-256, `purpose` as info). */
struct sha256 signing_key_derive(const struct signing_key *key, const char *purpose);

int ed25519_sign(const struct signing_key *key, const void *data, size_t length,
                 uint8_t ret_signature[static ED25519_SIGNATURE_SIZE], struct err *err) MUST_CHECK;
bool ed25519_verify(const uint8_t public_key[static ED25519_PUBLIC_SIZE], const void *data, size_t length,
                    const uint8_t signature[static ED25519_SIGNATURE_SIZE]);

#endif
