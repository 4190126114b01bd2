/* The issuers file: what it may say, and by what name each mistake is called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "issuer_file.h"
#include "provisioning.h"

#define TENANT "0190a5d4-7f3e-7c12-8a4b-1c2d3e4f5a6b"
#define HEAD "\"issuer\":\"https://i.test\",\"audience\":\"isms\""
#define RS ",\"algorithms\":[\"RS256\"]"
#define WHOLE HEAD RS ",\"tenant\":\"" TENANT "\""
#define PROVISIONING(members) "[{" WHOLE ",\"provisioning\":{" members "}}]"

static int read_text(const char *text, struct arena *arena, struct issuer *ret_issuers, struct err *ret_err)
{
    size_t count = 0;
    *ret_err = (struct err){0};
    if (issuer_file_read(text, strlen(text), false, arena, ret_issuers, JWT_ISSUERS_MAX, &count, ret_err) < 0)
        return -1;
    return (int)count;
}

static void test_all_it_can_say(void **state UNUSED)
{
    struct arena arena CLEANUP(arena_release);
    struct issuer issuers[JWT_ISSUERS_MAX];
    struct err err;
    arena_init(&arena, 1 << 20);
    assert_int_equal(read_text(
        "[{" WHOLE "},"
        " {\"issuer\":\"https://j.test/\",\"audience\":\"api\",\"algorithms\":[\"PS256\",\"ES256\",\"EdDSA\"],"
        "  \"tenant_claim\":\"org\",\"tenants\":[\"" TENANT "\",\"0190a5d4-7f3e-7c12-8a4b-000000000001\"],"
        "  \"jwks_file\":\"/etc/isms/j.jwks\"},"
        " {\"issuer\":\"k\",\"audience\":\"api\",\"algorithms\":[\"ES256\"],\"tenant_claim\":\"org\","
        "  \"discovery\":\"https://k.test/x\",\"provisioning\":{\"roles_claim\":\"groups\","
        "  \"roles\":{\"a\":\"TENANT_ADMIN\",\"m\":\"ISMS_MANAGER\"},\"default_roles\":[\"CONTRIBUTOR\"],"
        "  \"update\":\"always\"}}]", &arena, issuers, &err), 3);
    assert_string_equal(issuers[0].discovery, "https://i.test/.well-known/openid-configuration");
    assert_int_equal(issuers[0].algorithms, JWT_RS256);
    assert_null(issuers[0].tenant_claim);
    assert_int_equal(issuers[0].tenant_count, 1);
    assert_null(issuers[0].provisioning);
    assert_int_equal(issuers[1].algorithms, JWT_PS256 | JWT_ES256 | JWT_EDDSA);
    assert_string_equal(issuers[1].tenant_claim, "org");
    assert_int_equal(issuers[1].tenant_count, 2);
    assert_string_equal(issuers[1].jwks_file, "/etc/isms/j.jwks");
    assert_null(issuers[1].discovery);
    assert_string_equal(issuers[2].discovery, "https://k.test/x");
    assert_int_equal(issuers[2].tenant_count, 0);
    assert_int_equal(issuers[2].provisioning->when, JWT_PROVISION_ALWAYS);
    assert_int_equal(issuers[2].provisioning->managed.bits,
                     1u << ROLE_TENANT_ADMIN | 1u << ROLE_ISMS_MANAGER | 1u << ROLE_CONTRIBUTOR);
    assert_int_equal(read_text("[]", &arena, issuers, &err), 0);
}

static void test_every_mistake_has_its_name(void **state UNUSED)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "Line 1, column 0: "},
        {"[{\"issuer\":\"a\",\n\"issuer\":\"b\"}]", "Line 2"},
        {"{}", "not a JSON list"},
        {"[7]", "Issuer 1: it must be an object"},
        {"[{" WHOLE "},{}]", "Issuer 2: \"issuer\" is missing"},
        {"[{" WHOLE ",\"jwks\":1}]", "no member \"jwks\""},
        {"[{\"issuer\":\"https://i.test\"" RS ",\"tenant\":\"" TENANT "\"}]", "\"audience\" is missing"},
        {"[{\"issuer\":7,\"audience\":\"a\"}]", "\"issuer\" must be a text"},
        {"[{\"issuer\":\"\",\"audience\":\"a\"}]", "\"issuer\" must be a text"},
        {"[{" HEAD ",\"tenant\":\"" TENANT "\"}]", "\"algorithms\" must list"},
        {"[{" HEAD ",\"algorithms\":\"RS256\",\"tenant\":\"" TENANT "\"}]", "\"algorithms\" must list"},
        {"[{" HEAD ",\"algorithms\":[],\"tenant\":\"" TENANT "\"}]", "\"algorithms\" must list"},
        {"[{" HEAD ",\"algorithms\":[\"HS256\"],\"tenant\":\"" TENANT "\"}]", "\"HS256\" is none of"},
        {"[{" HEAD ",\"algorithms\":[\"none\"],\"tenant\":\"" TENANT "\"}]", "\"none\" is none of"},
        {"[{" HEAD RS "}]", "either \"tenant\" or \"tenant_claim\""},
        {"[{" WHOLE ",\"tenant_claim\":\"t\"}]", "either \"tenant\" or \"tenant_claim\""},
        {"[{" HEAD RS ",\"tenant\":\"acme\"}]", "\"acme\" is not the id"},
        {"[{" HEAD RS ",\"tenant\":\"00000000-0000-0000-0000-000000000000\"}]", "is not the id"},
        {"[{" HEAD RS ",\"tenant\":7}]", "(not a text)"},
        {"[{" WHOLE ",\"tenants\":[\"" TENANT "\"]}]", "goes with \"tenant_claim\""},
        {"[{" HEAD RS ",\"tenant_claim\":\"t\",\"tenants\":[]}]", "\"tenants\" is a list"},
        {"[{" HEAD RS ",\"tenant_claim\":\"t\",\"tenants\":[\"x\"]}]", "\"x\" is not the id"},
        {"[{" WHOLE ",\"jwks_file\":\"f\",\"discovery\":\"https://d\"}]", "exclude each other"},
        {"[{" WHOLE ",\"discovery\":\"http://i.test/d\"}]", "http://i.test/d is not https"},
        {"[{\"issuer\":\"i\",\"audience\":\"a\"" RS ",\"tenant\":\"" TENANT "\"}]", "is not an address"},
        {"[{" WHOLE ",\"provisioning\":[]}]", "\"provisioning\": it must be an object"},
        {PROVISIONING(""), "there must be \"roles\""},
        {PROVISIONING("\"role\":1"), "no member \"role\""},
        {PROVISIONING("\"roles_claim\":\"g\""), "go together"},
        {PROVISIONING("\"roles\":{\"a\":\"AUDITOR\"}"), "go together"},
        {PROVISIONING("\"roles_claim\":\"g\",\"roles\":{\"a\":\"KING\"}"), "\"KING\" is not a role"},
        {PROVISIONING("\"roles_claim\":\"g\",\"roles\":{\"a\":[\"AUDITOR\"]}"), "is not a role"},
        {PROVISIONING("\"roles_claim\":\"g\",\"roles\":{\"a\":\"PLATFORM_ADMIN\"}"), "cannot be given"},
        {PROVISIONING("\"roles_claim\":\"g\",\"roles\":{\"a\":\"PLATFORM_AGENT\"}"), "cannot be given"},
        {PROVISIONING("\"default_roles\":[\"TENANT_ADMIN\"]"), "cannot hold TENANT_ADMIN"},
        {PROVISIONING("\"default_roles\":[\"PLATFORM_ADMIN\"]"), "cannot be given"},
        {PROVISIONING("\"default_roles\":\"AUDITOR\""), "must be a list"},
        {PROVISIONING("\"default_roles\":[\"AUDITOR\"],\"update\":\"never\""), "\"first\" or \"always\""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena arena CLEANUP(arena_release);
        struct issuer issuers[JWT_ISSUERS_MAX];
        struct err err;
        arena_init(&arena, 1 << 20);
        assert_int_equal(read_text(cases[i].text, &arena, issuers, &err), -1);
        if (!strstr(err.message, cases[i].says))
            fail_msg("%s: says %s", cases[i].text, err.message);
    }
}

static struct jwt_claims roles_of(const struct provisioning *provisioning, const char *payload)
{
    struct jwt_claims claims = {0};
    json_t *object = json_loads(payload, 0, NULL);
    assert_non_null(object);
    provisioning_apply(provisioning, object, &claims);
    json_decref(object);
    return claims;
}

static void test_claims_to_roles(void **state UNUSED)
{
    struct arena arena CLEANUP(arena_release);
    struct issuer issuers[JWT_ISSUERS_MAX];
    struct err err;
    arena_init(&arena, 1 << 20);
    const unsigned manager = 1u << ROLE_ISMS_MANAGER, auditor = 1u << ROLE_AUDITOR;
    assert_int_equal(read_text(PROVISIONING("\"roles_claim\":\"groups\",\"roles\":{\"m\":\"ISMS_MANAGER\","
                                            "\"also-m\":\"ISMS_MANAGER\",\"a\":\"AUDITOR\"}"),
                               &arena, issuers, &err), 1);
    const struct provisioning *mapped = issuers[0].provisioning;
    assert_int_equal(roles_of(mapped, "{\"groups\":[\"x\",\"m\",\"a\"]}").roles.bits, manager | auditor);
    assert_int_equal(roles_of(mapped, "{\"groups\":[\"also-m\",7,null]}").roles.bits, manager);
    assert_int_equal(roles_of(mapped, "{\"groups\":\"a\"}").roles.bits, auditor);
    assert_int_equal(roles_of(mapped, "{\"groups\":[\"M\",\"m \"]}").roles.bits, 0);
    assert_int_equal(roles_of(mapped, "{\"groups\":{\"m\":\"m\"}}").roles.bits, 0);
    assert_int_equal(roles_of(mapped, "{}").provision, JWT_PROVISION_FIRST);
    assert_int_equal(roles_of(NULL, "{\"groups\":[\"m\"]}").roles.bits, 0);
    assert_int_equal(roles_of(NULL, "{}").provision, JWT_PROVISION_NEVER);
    assert_int_equal(read_text(PROVISIONING("\"default_roles\":[\"AUDITOR\"]"), &arena, issuers, &err), 1);
    assert_int_equal(roles_of(issuers[0].provisioning, "{\"groups\":[\"m\"]}").roles.bits, auditor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_it_can_say),
        cmocka_unit_test(test_every_mistake_has_its_name),
        cmocka_unit_test(test_claims_to_roles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
