/* fuzz_page_token.c: page tokens. What was made for a query gives its keys back; the input itself, and every token
 * that it changes in one place, is refused.
 *
 * An input of the form "keys NUL place xor" makes the token: keys are split at line ends, "-" being NULL. */
#include <string.h>

#include <isms/base/arena.h>
#include <isms/proto/page_token.h>

#include "fuzz.h"

enum { MEMORY_MAX = 1 << 20, KEYS_LENGTH_MAX = PAGE_KEYS_MAX * PAGE_KEY_LENGTH_MAX, CHANGE_SIZE = 3 };

static const struct page_secret secret = {.bytes = {1, 2, 3}, .lifetime_us = 1000};
static const struct page_scope scope = {.tenant = {{7}}, .method = "/a/B", .query = {{9}}, .now_us = 5000};

static bool accepted(const char *token, struct arena *arena, struct page_keys *ret_keys)
{
    struct err err = {0};
    if (page_token_check(&secret, &scope, token, arena, ret_keys, &err) == 0)
        return true;
    BUG_IF(err.reason != ERR_PAGE_TOKEN_INVALID);
    return false;
}

static struct page_keys keys_split(char *text)
{
    struct page_keys keys = {0};
    while (text && keys.count < PAGE_KEYS_MAX) {
        char *part = strsep(&text, "\n");
        keys.values[keys.count++] = strcmp(part, "-") == 0 ? NULL : part;
    }
    return keys;
}

static void keys_same(const struct page_keys *a, const struct page_keys *b)
{
    BUG_IF(a->count != b->count);
    for (unsigned i = 0; i < a->count; i++)
        BUG_IF(!a->values[i] != !b->values[i] || (a->values[i] && strcmp(a->values[i], b->values[i]) != 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > KEYS_LENGTH_MAX)
        return 0;
    struct arena arena CLEANUP(arena_release);
    struct page_keys read;
    struct err err = {0};
    char *token;
    arena_init(&arena, MEMORY_MAX);
    char *text = arena_strndup(&arena, (const char *)data, size);
    BUG_IF(accepted(text, &arena, &read));

    const uint8_t *change = data + strlen(text) + 1;
    struct page_keys keys = keys_split(text);
    if (page_token_make(&secret, &scope, &keys, &arena, &token, &err) < 0)
        return 0;
    BUG_IF(!accepted(token, &arena, &read));
    keys_same(&keys, &read);
    if (change + CHANGE_SIZE > data + size || change[2] == 0)
        return 0;
    token[(size_t)(change[0] << 8 | change[1]) % strlen(token)] ^= (char)change[2];
    BUG_IF(accepted(token, &arena, &read));
    return 0;
}
