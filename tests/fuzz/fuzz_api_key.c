/* fuzz_api_key.c: one key has exactly one text. */
#include <string.h>

#include <isms/auth/api_key.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct api_key key CLEANUP(api_key_clear);
    char text[API_KEY_TEXT_SIZE];
    memset(&key, 0, sizeof(key));
    if (!api_key_parse((const char *)data, size, &key))
        return 0;
    BUG_IF(!api_key_has_prefix((const char *)data, size));
    api_key_format(&key, text);
    BUG_IF(size != strlen(text) || memcmp(data, text, size) != 0);
    return 0;
}
