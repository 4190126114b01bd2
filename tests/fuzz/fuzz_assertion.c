/* fuzz_assertion.c: what a service says it acts for. A text that no service signed is refused; of what one signed,
 * only what is for this service and method and still good, and says so in bounded text.
 *
 * An input that begins with a brace is "header LF payload", signed here by the service "reviews". */
#include <string.h>

#include <isms/auth/assertion.h>

#include "fuzz.h"
#include "fuzz_sign.h"

static const int64_t SECOND_US = 1000000, NOW_US = 1000 * 1000000;
static const char METHOD[] = "/isms.actions.v1.ActionService/GetAction";

static const struct jwks *service_keys(void)
{
    static struct jwks *keys;
    if (!keys) {
        struct buf json CLEANUP(buf_release);
        struct err err = {0};
        buf_init(&json, JWKS_TEXT_MAX);
        fuzz_jwks(&json, "reviews");
        BUG_IF(jwks_parse(json.data, json.length, &keys, &err) < 0);
    }
    return keys;
}

static bool verify(const char *text, size_t length, struct assertion *ret_assertion)
{
    struct err err = {0};
    if (assertion_verify(service_keys(), text, length, "actions", METHOD, NOW_US, ret_assertion, &err) == 0)
        return true;
    BUG_IF(err.reason != ERR_CREDENTIAL_INVALID && err.reason != ERR_CREDENTIAL_EXPIRED);
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct assertion assertion;
    if (size == 0 || data[0] != '{') {
        BUG_IF(verify((const char *)data, size, &assertion));
        return 0;
    }
    struct buf token CLEANUP(buf_release);
    buf_init(&token, 2 * ASSERTION_TEXT_MAX);
    if (!fuzz_sign(data, size, &token) || !verify(token.data, token.length, &assertion))
        return 0;
    BUG_IF(strcmp(assertion.service, "reviews") != 0 || strcmp(assertion.audience, "actions") != 0);
    BUG_IF(strcmp(assertion.method, METHOD) != 0 || assertion.job != uuid_is_nil(assertion.actor));
    BUG_IF(assertion.expire_time_us <= NOW_US - ASSERTION_SKEW_S * SECOND_US ||
           assertion.expire_time_us > NOW_US + (ASSERTION_LIFETIME_S + ASSERTION_SKEW_S) * SECOND_US);
    BUG_IF(memchr(assertion.request_id, '\0', sizeof(assertion.request_id)) == NULL);
    return 0;
}
