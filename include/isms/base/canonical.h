/* canonical.h: JSON in the one byte form that is hashed and signed.
 *
 * RFC 8785 (JSON Canonicalization Scheme): members sorted by their UTF-16 code units, no white space,
 * shortest escapes, numbers as ECMAScript prints them. What was canonicalised once is stored and verified
 * as those bytes; it is never rendered a second time to check a signature. To read it again, decode with
 * JSON_DECODE_INT_AS_REAL: all numbers are doubles there, and one of 1e20 is written like an integer. */
#ifndef ISMS_BASE_CANONICAL_H
#define ISMS_BASE_CANONICAL_H

#include <jansson.h>

#include <isms/base/attributes.h>
#include <isms/base/buf.h>
#include <isms/base/err.h>

/* Appends the canonical form of `value`. Fails on numbers that JSON cannot hold (NaN, infinities) and
 * integers beyond 2^53, which RFC 8785 cannot keep exact. */
int canonical_append(struct buf *buf, const json_t *value, struct err *err) MUST_CHECK;

#endif
