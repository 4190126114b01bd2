/* An assertion says what was signed, to whom it was made for, for 30 seconds, and nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <isms/auth/assertion.h>

#include "token_maker.h"

#define METHOD "/isms.actions.v1.ActionService/GetAction"
#define TYPE "\"alg\":\"EdDSA\",\"typ\":\"isms-assertion+jwt\""
#define UUID "0190a5d4-7f3e-7c12-8a4b-1c2d3e4f5a6b"
#define NIL "00000000-0000-0000-0000-000000000000"
#define REST \
    "\"method\":\"" METHOD "\",\"tenant\":\"" UUID "\",\"rev\":3,\"job\":false,\"actor\":\"" UUID "\"," \
    "\"scope\":\"all\",\"request_id\":\"\",\"jti\":\"x\""
#define TIMES ",\"iat\":1000,\"exp\":1030"
#define CLAIMS "{\"iss\":\"reviews\",\"aud\":\"actions\"," REST ",\"roles\":[\"AUDITOR\"]" TIMES "}"

static const int64_t SECOND_US = 1000000, NOW_US = 1000 * 1000000;

static EVP_PKEY *reviews, *inputs;
static struct jwks *keys;

static int setup(void **state UNUSED)
{
    struct buf json CLEANUP(buf_release);
    struct err err = {0};
    reviews = key_new(JWT_EDDSA);
    inputs = key_new(JWT_EDDSA);
    buf_init(&json, JWKS_TEXT_MAX);
    buf_text(&json, "{\"keys\":[");
    jwk_append(&json, reviews, JWT_EDDSA, "reviews", "");
    buf_char(&json, ',');
    jwk_append(&json, inputs, JWT_EDDSA, "inputs", "");
    buf_text(&json, "]}");
    return jwks_parse(json.data, json.length, &keys, &err);
}

static int teardown(void **state UNUSED)
{
    jwks_unref(keys);
    EVP_PKEY_free(reviews);
    EVP_PKEY_free(inputs);
    return 0;
}

static const char *cause_at(const char *text, int64_t now_us)
{
    static char cause[sizeof(((struct err_metadata *)0)->value)];
    struct assertion assertion = {.service = "untouched"};
    struct err err = {0};
    if (assertion_verify(keys, text, strlen(text), "actions", METHOD, now_us, &assertion, &err) == 0)
        return "";
    assert_string_equal(assertion.service, "untouched");
    snprintf(cause, sizeof(cause), "%s", err.metadata[0].value);
    return cause;
}

static const char *cause_signed(EVP_PKEY *key, const char *header, const char *payload)
{
    char text[TOKEN_SIZE];
    token_sign(text, key, JWT_EDDSA, header, payload);
    return cause_at(text, NOW_US);
}

static const char *cause_claims(const char *payload)
{
    return cause_signed(reviews, "{" TYPE ",\"kid\":\"reviews\"}", payload);
}

static struct signing_key *signing_key_of(EVP_PKEY **ret_public)
{
    struct signing_key *key = NULL;
    struct err err = {0};
    uint8_t public_key[ED25519_PUBLIC_SIZE];
    assert_int_equal(signing_key_generate(&key, &err), 0);
    signing_key_public(key, public_key);
    *ret_public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, sizeof(public_key));
    return key;
}

static void test_there_and_back(void **state UNUSED)
{
    EVP_PKEY *public_key;
    struct signing_key *key CLEANUP(signing_key_freep) = signing_key_of(&public_key);
    struct jwks *set CLEANUP(jwks_unrefp) = jwks_of(public_key, JWT_EDDSA, "reviews");
    EVP_PKEY_free(public_key);
    struct assertion from = {
        .service = "reviews", .audience = "actions", .method = METHOD, .tenant = uuid_v7(), .actor = uuid_v7(),
        .actor_revision = 41, .scope = SCOPE_OWN, .request_id = "req \"1\" \xC3\xA4",
    }, to;
    from.roles = role_set_add(role_set_add((struct role_set){0}, ROLE_AUDITOR), ROLE_ACTION_OWNER);
    struct buf text CLEANUP(buf_release);
    struct err err = {0};
    buf_init(&text, ASSERTION_TEXT_MAX);
    assert_int_equal(assertion_issue(key, &from, NOW_US + 999999, &text, &err), 0);
    assert_int_equal(assertion_verify(set, text.data, text.length, "actions", METHOD, NOW_US, &to, &err), 0);
    assert_string_equal(to.service, from.service);
    assert_string_equal(to.audience, from.audience);
    assert_string_equal(to.method, from.method);
    assert_string_equal(to.request_id, from.request_id);
    assert_true(uuid_equals(to.tenant, from.tenant) && uuid_equals(to.actor, from.actor));
    assert_int_equal(to.actor_revision, 41);
    assert_int_equal(to.roles.bits, from.roles.bits);
    assert_int_equal(to.scope, SCOPE_OWN);
    assert_false(to.job);
    assert_int_equal(to.expire_time_us, 1030 * SECOND_US);

    assert_int_equal(assertion_verify(set, text.data, text.length, "inputs", METHOD, NOW_US, &to, &err), -1);
    assert_string_equal(err.metadata[0].value, "AUDIENCE");
    assert_int_equal(assertion_verify(set, text.data, text.length, "actions", METHOD "s", NOW_US, &to, &err),
                     -1);
    assert_string_equal(err.metadata[0].value, "METHOD");
    assert_int_equal(assertion_verify(NULL, text.data, text.length, "actions", METHOD, NOW_US, &to, &err), -1);
    assert_string_equal(err.metadata[0].value, "KEY");
}

static void test_the_longest_assertion_fits(void **state UNUSED)
{
    EVP_PKEY *public_key;
    struct signing_key *key CLEANUP(signing_key_freep) = signing_key_of(&public_key);
    struct assertion from = {.tenant = uuid_v7(), .actor = uuid_v7(), .actor_revision = INT64_MAX,
                             .roles = {(1U << ROLE_COUNT) - 1}, .scope = SCOPE_PLATFORM}, to;
    memset(from.service, 'x', sizeof(from.service) - 1);
    memset(from.audience, 'x', sizeof(from.audience) - 1);
    memset(from.method, 'x', sizeof(from.method) - 1);
    memset(from.request_id, 'x', sizeof(from.request_id) - 1);
    struct jwks *set CLEANUP(jwks_unrefp) = jwks_of(public_key, JWT_EDDSA, from.service);
    EVP_PKEY_free(public_key);
    struct buf text CLEANUP(buf_release);
    struct err err = {0};
    buf_init(&text, ASSERTION_TEXT_MAX);
    assert_int_equal(assertion_issue(key, &from, NOW_US, &text, &err), 0);
    assert_int_equal(assertion_verify(set, text.data, text.length, from.audience, from.method, NOW_US, &to,
                                      &err), 0);
    assert_int_equal(to.actor_revision, INT64_MAX);
}

static void test_only_its_own_kind_of_token(void **state UNUSED)
{
    assert_string_equal(cause_claims(CLAIMS), "");
    assert_string_equal(cause_signed(reviews, "{\"alg\":\"EdDSA\",\"kid\":\"reviews\"}", CLAIMS), "TYPE");
    assert_string_equal(cause_signed(reviews, "{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"reviews\"}",
                                     CLAIMS),
                        "TYPE");
    assert_string_equal(cause_signed(reviews, "{\"alg\":\"none\",\"typ\":\"isms-assertion+jwt\"}", CLAIMS),
                        "ALGORITHM");
    assert_string_equal(cause_signed(reviews, "{\"alg\":\"ES256\",\"typ\":\"isms-assertion+jwt\"}", CLAIMS),
                        "ALGORITHM");
}

static void test_a_service_speaks_for_itself_only(void **state UNUSED)
{
    assert_string_equal(cause_signed(inputs, "{" TYPE ",\"kid\":\"reviews\"}", CLAIMS), "SIGNATURE");
    assert_string_equal(cause_signed(inputs, "{" TYPE ",\"kid\":\"inputs\"}", CLAIMS), "ISSUER");
    assert_string_equal(cause_signed(inputs, "{" TYPE ",\"kid\":\"evil\"}", CLAIMS), "KEY");
    assert_string_equal(cause_signed(reviews, "{" TYPE "}", CLAIMS), "KEY");
}

static void test_every_claim_counts(void **state UNUSED)
{
    static const char *const names[] = {"iss", "aud", "method", "tenant", "rev", "job", "actor", "scope",
                                        "request_id", "jti", "roles", "iat", "exp"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) { /* each under another name, that is: missing */
        char payload[1024] = CLAIMS, quoted[32];
        snprintf(quoted, sizeof(quoted), "\"%s\":", names[i]);
        char *at = strstr(payload, quoted);
        assert_non_null(at);
        at[1] = '_';
        assert_string_equal(cause_claims(payload), "CLAIM");
    }
    static const char *const roles[] = {"\"roles\":\"AUDITOR\"", "\"roles\":[\"ROOT\"]", "\"roles\":[1]"};
    for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
        char payload[1024];
        snprintf(payload, sizeof(payload), "{\"iss\":\"reviews\",\"aud\":\"actions\"," REST ",%s" TIMES "}",
                 roles[i]);
        assert_string_equal(cause_claims(payload), "CLAIM");
    }
}

static void test_a_job_is_nobody(void **state UNUSED)
{
    static const char format[] = "{\"iss\":\"reviews\",\"aud\":\"actions\",\"method\":\"" METHOD "\",\"rev\":0,"
                                 "\"tenant\":\"" UUID "\",\"job\":%s,\"actor\":\"%s\",\"scope\":\"all\","
                                 "\"request_id\":\"r\",\"jti\":\"x\",\"roles\":[]" TIMES "}";
    char payload[1024];
    snprintf(payload, sizeof(payload), format, "true", NIL);
    assert_string_equal(cause_claims(payload), "");
    snprintf(payload, sizeof(payload), format, "true", UUID);
    assert_string_equal(cause_claims(payload), "CLAIM");
    snprintf(payload, sizeof(payload), format, "false", NIL);
    assert_string_equal(cause_claims(payload), "CLAIM");
}

static void test_thirty_seconds(void **state UNUSED)
{
    char text[TOKEN_SIZE];
    token_sign(text, reviews, JWT_EDDSA, "{" TYPE ",\"kid\":\"reviews\"}", CLAIMS);
    assert_string_equal(cause_at(text, 1035 * SECOND_US - 1), "");
    assert_string_equal(cause_at(text, 1035 * SECOND_US), "EXPIRED");
    assert_string_equal(cause_at(text, 995 * SECOND_US), "");
    assert_string_equal(cause_at(text, 995 * SECOND_US - 1), "NOT_YET_VALID");
    assert_string_equal(cause_claims("{\"iss\":\"reviews\",\"aud\":\"actions\"," REST
                                     ",\"roles\":[],\"iat\":1000,\"exp\":1031}"),
                        "CLAIM"); /* longer than ours */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_the_longest_assertion_fits),
        cmocka_unit_test(test_only_its_own_kind_of_token),
        cmocka_unit_test(test_a_service_speaks_for_itself_only),
        cmocka_unit_test(test_every_claim_counts),
        cmocka_unit_test(test_a_job_is_nobody),
        cmocka_unit_test(test_thirty_seconds),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
