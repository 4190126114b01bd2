/* fuzz_canonical.c: canonical JSON is JSON, and is its own canonical form. */
#include <string.h>

#include <jansson.h>

#include <isms/base/canonical.h>

#include "fuzz.h"

enum { TEXT_MAX = 16 << 20 };

static void json_freep(json_t **value)
{
    json_decref(*value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_t *value CLEANUP(json_freep) = json_loadb((const char *)data, size, flags, NULL);
    struct buf first CLEANUP(buf_release), second CLEANUP(buf_release);
    struct err err = {0};
    buf_init(&first, TEXT_MAX);
    buf_init(&second, TEXT_MAX);
    if (!value || canonical_append(&first, value, &err) < 0)
        return 0;
    json_t *same CLEANUP(json_freep) = json_loadb(first.data, first.length, flags | JSON_DECODE_INT_AS_REAL, NULL);
    BUG_IF(!same || canonical_append(&second, same, &err) < 0);
    BUG_IF(first.length != second.length || memcmp(first.data, second.data, first.length) != 0);
    return 0;
}
