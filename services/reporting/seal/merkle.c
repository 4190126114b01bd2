/* merkle.c: adding a leaf is adding one in binary: each carry joins two subtrees of the same size. RFC 6962
 * cuts a list at the largest power of two below its length, which is where the bits of the length cut it. */
#include "merkle.h"

#include <string.h>

#include <isms/base/bug.h>

struct sha256 merkle_leaf(const void *data, size_t length)
{
    uint8_t bytes[1 + MERKLE_LEAF_MAX] = {0x00};
    BUG_IF(length > MERKLE_LEAF_MAX);
    memcpy(bytes + 1, data, length);
    return sha256_of(bytes, 1 + length);
}

static struct sha256 node_of(const struct sha256 *left, const struct sha256 *right)
{
    uint8_t bytes[1 + 2 * SHA256_SIZE] = {0x01};
    memcpy(bytes + 1, left->bytes, SHA256_SIZE);
    memcpy(bytes + 1 + SHA256_SIZE, right->bytes, SHA256_SIZE);
    return sha256_of(bytes, sizeof(bytes));
}

void merkle_add(struct merkle *tree, struct sha256 leaf)
{
    unsigned level = 0;
    for (; tree->count >> level & 1; level++)
        leaf = node_of(&tree->roots[level], &leaf);
    tree->roots[level] = leaf;
    tree->count++;
}

struct sha256 merkle_root(const struct merkle *tree)
{
    struct sha256 root;
    unsigned level = 0;
    if (tree->count == 0)
        return sha256_of("", 0);
    while (!(tree->count >> level & 1))
        level++;
    root = tree->roots[level];
    for (level++; level < 64; level++)
        if (tree->count >> level & 1)
            root = node_of(&tree->roots[level], &root);
    return root;
}
