/* token_maker.h: keys, JWK sets and signed tokens for tests, good ones and bad ones: nothing is checked. */
#ifndef ISMS_TESTS_TOKEN_MAKER_H
#define ISMS_TESTS_TOKEN_MAKER_H

#include <stddef.h>

#include <openssl/evp.h>

#include <isms/auth/jwks.h>
#include <isms/base/buf.h>

EVP_PKEY *key_new(enum jwt_algorithm algorithm);

/* Appends {"kty":...,"kid":...,<more>}; kid NULL and more "" leave them out. */
void jwk_append(struct buf *json, EVP_PKEY *key, enum jwt_algorithm algorithm, const char *kid,
                const char *more);

/* A set of one key. */
struct jwks *jwks_of(EVP_PKEY *key, enum jwt_algorithm algorithm, const char *kid);

/* Puts header.payload.signature into `text` (at least 16 kB). */
enum { TOKEN_SIZE = 16384 };
void token_sign(char text[static TOKEN_SIZE], EVP_PKEY *key, enum jwt_algorithm algorithm, const char *header,
                const char *payload);
/* The same; with PS256, of a salt of so many bytes. */
void token_sign_salted(char text[static TOKEN_SIZE], EVP_PKEY *key, enum jwt_algorithm algorithm, int salt,
                       const char *header, const char *payload);

/* header.payload. with the given bytes as signature. */
void token_assemble(char text[static TOKEN_SIZE], const char *header, const char *payload,
                    const void *signature,
                    size_t length);

#endif
