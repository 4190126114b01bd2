/* fuzz_sign.h: compact JWS over an input's own header and payload, by a key made for this run (EdDSA). */
#ifndef ISMS_TESTS_FUZZ_SIGN_H
#define ISMS_TESTS_FUZZ_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isms/base/buf.h>

/* Appends the key's public half as a set of one. */
void fuzz_jwks(struct buf *json, const char *kid);

/* Appends the signed text of "header LF payload"; false where it does not fit. */
bool fuzz_sign(const uint8_t *data, size_t size, struct buf *token);

#endif
