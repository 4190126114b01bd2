/* merkle.h: the hash of a list as RFC 6962 (section 2.1) builds it: leaves and inner nodes are hashed apart, so
 * that neither can pass for the other, and every item and its place counts. Items are added one by one; what is
 * kept are the roots of the complete subtrees, one a bit of the count. */
#ifndef ISMS_REPORTING_MERKLE_H
#define ISMS_REPORTING_MERKLE_H

#include <stddef.h>
#include <stdint.h>

#include <isms/base/crypto.h>

enum { MERKLE_LEAF_MAX = 4096 };

struct merkle {
    uint64_t count;
    struct sha256 roots[64]; /* of the subtree of 2^i leaves where bit i of `count` is set */
};

/* SHA-256 of a zero byte and the data; at most MERKLE_LEAF_MAX bytes of it. */
struct sha256 merkle_leaf(const void *data, size_t length);

/* To a tree that began zeroed. */
void merkle_add(struct merkle *tree, struct sha256 leaf);

/* The root over what was added; of nothing, the SHA-256 of nothing. */
struct sha256 merkle_root(const struct merkle *tree);

#endif
