/* fuzz_jwks.c: key sets as issuers publish them: taken with 1 to 64 keys, or refused with a reason. */
#include <string.h>

#include <isms/auth/jwks.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jwks *keys CLEANUP(jwks_unrefp) = NULL;
    struct err err = {0};
    if (jwks_parse((const char *)data, size, &keys, &err) < 0) {
        BUG_IF(keys || err.message[0] == '\0');
        return 0;
    }
    BUG_IF(jwks_count(keys) < 1 || jwks_count(keys) > JWKS_KEYS_MAX);
    return 0;
}
