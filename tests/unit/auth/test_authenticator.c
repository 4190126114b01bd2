/* The right credential gives the right principal; wrong ones tell nothing about what exists; what is remembered
 * is bounded, short-lived and can be forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <isms/auth/api_key.h>
#include <isms/auth/assertion.h>
#include <isms/auth/authenticator.h>

#include "token_maker.h"

#define METHOD "/isms.actions.v1.ActionService/GetAction"
#define TENANT "0190a5d4-7f3e-7c12-8a4b-1c2d3e4f5a6b"

static const int64_t SECOND_US = 1000000, NOW_US = 1000 * 1000000;

/* A directory with one key and one member, which counts what it is asked. */
struct world {
    struct authenticator *authenticator;
    struct jwt_verifier *verifier;
    struct jwks_slot *issuer_keys, *service_keys;
    EVP_PKEY *issuer;
    struct signing_key *service;

    struct api_key key;
    struct auth_record key_record;
    struct uuid tenant;
    struct auth_record member_record;
    struct auth_query last;
    unsigned lookups;
    bool broken;
};

static int lookup(void *context, const struct auth_query *query, struct auth_record *ret_record,
                  struct err *err)
{
    struct world *world = context;
    world->lookups++;
    world->last = *query;
    if (world->broken)
        return err_set(err, ERR_DATABASE_UNAVAILABLE);
    if (query->kind == AUTH_BY_KEY && uuid_equals(query->tenant, world->key.tenant) &&
        uuid_equals(query->key, world->key.id))
        *ret_record = world->key_record;
    if (query->kind == AUTH_BY_SUBJECT && uuid_equals(query->tenant, world->tenant) &&
        strcmp(query->subject, "u1") == 0)
        *ret_record = world->member_record;
    return 0;
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct err err = {0};
    uint8_t public_key[ED25519_PUBLIC_SIZE];
    world->issuer = key_new(JWT_EDDSA);
    world->issuer_keys = jwks_slot_new(jwks_of(world->issuer, JWT_EDDSA, "k"));
    struct jwt_issuer issuer = {.issuer = "https://i.test", .audience = "isms", .algorithms = JWT_EDDSA,
                                .tenant_claim = "tenant_id", .keys = world->issuer_keys};
    assert_int_equal(jwt_verifier_new(&issuer, 1, 30 * SECOND_US, &world->verifier, &err), 0);
    assert_int_equal(signing_key_generate(&world->service, &err), 0);
    signing_key_public(world->service, public_key);
    EVP_PKEY *service = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, sizeof(public_key));
    world->service_keys = jwks_slot_new(jwks_of(service, JWT_EDDSA, "reviews"));
    EVP_PKEY_free(service);
    struct authenticator_options options = {
        .service = "actions", .tokens = world->verifier, .service_keys = world->service_keys,
        .remembered_max = 128,
    };
    world->authenticator = authenticator_new(&options);

    assert_true(uuid_parse(TENANT, &world->tenant));
    world->key = api_key_make(world->tenant, uuid_v7());
    world->key_record = (struct auth_record){
        .found = true, .active = true, .secret_hash = api_key_hash(&world->key), .revision = 4,
        .permissions = {.bits = UINT64_MAX},
        .roles = role_set_add((struct role_set){0}, ROLE_CONTRIBUTOR),
    };
    world->member_record = (struct auth_record){
        .found = true, .active = true, .id = uuid_v7(), .revision = 9,
        .roles = role_set_add((struct role_set){0}, ROLE_TOP_MANAGEMENT),
    };
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    authenticator_free(world->authenticator);
    jwt_verifier_free(world->verifier);
    jwks_slot_free(world->issuer_keys);
    jwks_slot_free(world->service_keys);
    EVP_PKEY_free(world->issuer);
    signing_key_free(world->service);
    free(world);
    return 0;
}

static enum err_reason check(struct world *world, const struct auth_credentials *credentials, int64_t now_us,
                             struct principal *ret_principal, struct err *ret_err)
{
    struct auth_directory directory = {lookup, world};
    *ret_err = (struct err){0};
    return authenticator_check(world->authenticator, credentials, &directory, now_us, ret_principal,
                               ret_err) == 0
               ? ERR_OK
               : ret_err->reason;
}

static enum err_reason check_header(struct world *world, const char *header, int64_t now_us,
                                    struct principal *ret_principal)
{
    struct auth_credentials credentials = {.authorization = slice_of(header), .method = METHOD};
    struct err err;
    return check(world, &credentials, now_us, ret_principal, &err);
}

static enum err_reason check_key(struct world *world, const struct api_key *key, int64_t now_us,
                                 struct principal *ret_principal)
{
    char header[API_KEY_TEXT_SIZE + 8], text[API_KEY_TEXT_SIZE];
    api_key_format(key, text);
    snprintf(header, sizeof(header), "Bearer %s", text);
    return check_header(world, header, now_us, ret_principal);
}

static enum err_reason check_token(struct world *world, const char *claims, int64_t now_us,
                                   struct principal *ret_principal)
{
    char token[TOKEN_SIZE], header[TOKEN_SIZE + 8], payload[1024];
    snprintf(payload, sizeof(payload), "{\"iss\":\"https://i.test\",\"aud\":\"isms\",%s}", claims);
    token_sign(token, world->issuer, JWT_EDDSA, "{\"alg\":\"EdDSA\",\"kid\":\"k\"}", payload);
    snprintf(header, sizeof(header), "bearer %s", token);
    return check_header(world, header, now_us, ret_principal);
}

static void test_a_key(void **state)
{
    struct world *world = *state;
    struct principal principal;
    assert_int_equal(check_key(world, &world->key, NOW_US, &principal), ERR_OK);
    assert_int_equal(principal.kind, PRINCIPAL_KEY);
    assert_true(uuid_equals(principal.tenant, world->tenant));
    assert_true(uuid_equals(principal.id, world->key.id));
    assert_int_equal(principal.revision, 4);
    assert_int_equal(principal.scope, SCOPE_ALL);
    assert_true(permission_set_has(principal.permissions, PERMISSION_INPUTS_WRITE));
    assert_false(permission_set_has(principal.permissions, PERMISSION_REVIEWS_READ));
    assert_int_equal(principal.expire_time_us, INT64_MAX);
}

static void test_a_person(void **state)
{
    struct world *world = *state;
    struct principal principal;
    assert_int_equal(check_token(world,
                                 "\"sub\":\"u1\",\"exp\":1200,\"tenant_id\":\"" TENANT "\",\"acr\":\"mfa\","
                                        "\"amr\":[\"otp\"],\"auth_time\":990,\"email\":\"a@b.test\"",
                                 NOW_US, &principal), ERR_OK);
    assert_int_equal(principal.kind, PRINCIPAL_PERSON);
    assert_true(uuid_equals(principal.id, world->member_record.id));
    assert_string_equal(principal.issuer, "https://i.test");
    assert_string_equal(principal.subject, "u1");
    assert_string_equal(principal.acr, "mfa");
    assert_string_equal(principal.amr, "otp");
    assert_int_equal(principal.auth_time_us, 990 * SECOND_US);
    assert_int_equal(principal.expire_time_us, 1200 * SECOND_US);
    assert_true(permission_set_has(principal.permissions, PERMISSION_REVIEWS_SIGN));
}

/* Unknown key, other tenant, wrong secret, revoked key: same reason, text and facts, one look-up each. */
static void test_wrong_keys_are_all_alike(void **state)
{
    struct world *world = *state;
    struct api_key wrong[4] = {world->key, world->key, world->key, world->key};
    struct err errs[ARRAY_SIZE(wrong)];
    wrong[0].id = uuid_v7();
    wrong[1].tenant = uuid_v7();
    wrong[2].secret[0] ^= 1;
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        char header[API_KEY_TEXT_SIZE + 8] = "Bearer ";
        struct principal principal;
        api_key_format(&wrong[i], header + 7);
        struct auth_credentials credentials = {.authorization = slice_of(header), .method = METHOD};
        world->lookups = 0;
        world->key_record.active = i != 3;
        world->key_record.expire_time_us = 1; /* is not told either */
        assert_int_equal(check(world, &credentials, NOW_US, &principal, &errs[i]), ERR_CREDENTIAL_INVALID);
        assert_int_equal(world->lookups, 1);
        assert_memory_equal(&errs[i], &errs[0], sizeof(errs[0]));
    }
    struct principal principal;
    world->key_record.active = true;
    assert_int_equal(check_key(world, &world->key, NOW_US, &principal), ERR_CREDENTIAL_EXPIRED);
}

static void test_a_subject_that_is_no_member(void **state)
{
    struct world *world = *state;
    struct principal principal;
    const char *stranger = "\"sub\":\"u2\",\"exp\":1200,\"tenant_id\":\"" TENANT "\"";
    const char *nowhere = "\"sub\":\"u1\",\"exp\":1200";
    const char *member = "\"sub\":\"u1\",\"exp\":1200,\"tenant_id\":\"" TENANT "\"";
    assert_int_equal(check_token(world, stranger, NOW_US, &principal), ERR_PERMISSION_DENIED);
    assert_int_equal(check_token(world, nowhere, NOW_US, &principal), ERR_PERMISSION_DENIED);
    assert_true(uuid_is_nil(world->last.tenant));
    world->member_record.active = false;
    assert_int_equal(check_token(world, member, NOW_US, &principal), ERR_PERMISSION_DENIED);
    world->member_record.active = true;
    world->member_record.expire_time_us = NOW_US; /* an auditor's time is up */
    assert_int_equal(check_token(world, member, NOW_US, &principal), ERR_PERMISSION_DENIED);
    world->member_record.expire_time_us = NOW_US + 1;
    assert_int_equal(check_token(world, member, NOW_US, &principal), ERR_OK);
    assert_int_equal(principal.expire_time_us, NOW_US + 1);
    assert_int_equal(check_token(world, member, NOW_US + 1, &principal), ERR_PERMISSION_DENIED);
}

static void test_no_credential_or_a_strange_one(void **state)
{
    struct world *world = *state;
    struct principal principal;
    struct err err;
    struct auth_credentials none = {.method = METHOD};
    assert_int_equal(check(world, &none, NOW_US, &principal, &err), ERR_CREDENTIAL_MISSING);
    struct auth_credentials both = {
        .authorization = slice_of("Bearer x"), .assertion = slice_of("x"), .method = METHOD};
    assert_int_equal(check(world, &both, NOW_US, &principal, &err), ERR_CREDENTIAL_INVALID);
    static const char *const headers[] = {"", "Bearer", "Bearer ", "Bearer    ", "Basic dTpw", "Bearerx",
                                          "isms_x",
                                          "Bearer isms_", "Bearer isms_x_y_z", "Bearer x", "Bearer e30.e30.AA"};
    for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
        assert_int_equal(check_header(world, headers[i], NOW_US, &principal), ERR_CREDENTIAL_INVALID);
    char huge[JWT_TEXT_MAX + 20];
    memset(huge, 'A', sizeof(huge));
    memcpy(huge, "Bearer ", 7);
    huge[sizeof(huge) - 1] = '\0';
    assert_int_equal(check_header(world, huge, NOW_US, &principal), ERR_CREDENTIAL_INVALID);
    assert_int_equal(world->lookups, 0);
}

static void test_remembered_for_a_minute_at_most(void **state)
{
    struct world *world = *state;
    struct principal principal;
    for (int i = 0; i < 3; i++)
        assert_int_equal(check_key(world, &world->key, NOW_US + 59 * SECOND_US * (i > 0), &principal), ERR_OK);
    assert_int_equal(world->lookups, 1);
    assert_int_equal(check_key(world, &world->key, NOW_US + 60 * SECOND_US, &principal), ERR_OK);
    assert_int_equal(world->lookups, 2);

    authenticator_forget(world->authenticator, &principal.credential);
    world->key_record.active = false;
    assert_int_equal(check_key(world, &world->key, NOW_US + 61 * SECOND_US, &principal),
                     ERR_CREDENTIAL_INVALID);
    assert_int_equal(world->lookups, 3);
}

static void test_not_remembered_beyond_its_expiry(void **state)
{
    struct world *world = *state;
    struct principal principal;
    world->key_record.expire_time_us = NOW_US + 5;
    assert_int_equal(check_key(world, &world->key, NOW_US, &principal), ERR_OK);
    assert_int_equal(check_key(world, &world->key, NOW_US + 4, &principal), ERR_OK);
    assert_int_equal(world->lookups, 1);
    assert_int_equal(check_key(world, &world->key, NOW_US + 5, &principal), ERR_CREDENTIAL_EXPIRED);
}

/* Far more good credentials than there is room for: all are served, and those that are remembered are whose
 * they are. */
static void test_remembering_is_bounded(void **state)
{
    struct world *world = *state;
    struct principal principal;
    enum { KEYS = 600 };
    static struct api_key keys[KEYS];
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < KEYS; i++) {
            if (round == 0)
                keys[i] = api_key_make(world->tenant, uuid_v7());
            world->key = keys[i];
            world->key_record.secret_hash = api_key_hash(&keys[i]);
            assert_int_equal(check_key(world, &keys[i], NOW_US, &principal), ERR_OK);
            assert_true(uuid_equals(principal.id, keys[i].id));
        }
    }
    assert_true(world->lookups > KEYS); /* some had to go */
}

static void test_a_broken_directory_is_not_a_verdict(void **state)
{
    struct world *world = *state;
    struct principal principal;
    world->broken = true;
    assert_int_equal(check_key(world, &world->key, NOW_US, &principal), ERR_DATABASE_UNAVAILABLE);
    world->broken = false;
    assert_int_equal(check_key(world, &world->key, NOW_US, &principal), ERR_OK);
}

/* A tenant's administrator writes PLATFORM_ADMIN into its own directory: it counts for nothing there. */
static void test_platform_admin_counts_at_the_platform_only(void **state)
{
    struct world *world = *state;
    struct principal principal;
    world->key_record.roles = role_set_add(world->key_record.roles, ROLE_PLATFORM_ADMIN);
    assert_int_equal(check_key(world, &world->key, NOW_US, &principal), ERR_OK);
    assert_false(permission_set_has(principal.permissions, PERMISSION_PLATFORM_MANAGE));
    assert_true(permission_set_has(principal.permissions, PERMISSION_INPUTS_WRITE));

    world->key = api_key_make((struct uuid){{0}}, uuid_v7());
    world->key_record.secret_hash = api_key_hash(&world->key);
    assert_int_equal(check_key(world, &world->key, NOW_US, &principal), ERR_OK);
    assert_int_equal(principal.permissions.bits,
                     UINT64_C(1) << PERMISSION_PLATFORM_MANAGE | UINT64_C(1) << PERMISSION_KEYS_MANAGE);
    assert_int_equal(principal.scope, SCOPE_PLATFORM);
}

/* --- acting for an organisation -------------------------------------------------------------------------- */

static enum err_reason check_acting(struct world *world, const char *authorization, const char *organisation,
                                    struct principal *ret_principal, struct err *ret_err)
{
    struct auth_credentials credentials = {
        .authorization = slice_of(authorization), .method = METHOD, .acting = slice_of(organisation)};
    return check(world, &credentials, NOW_US, ret_principal, ret_err);
}

/* A key of the platform's with these roles. */
static void agent_make(struct world *world, char header[static API_KEY_TEXT_SIZE + 8], struct role_set roles)
{
    world->key = api_key_make((struct uuid){{0}}, uuid_v7());
    world->key_record.secret_hash = api_key_hash(&world->key);
    world->key_record.roles = roles;
    world->key_record.acting_active = true;
    world->key_record.limits = (struct limits){.calls_per_second = 7};
    memcpy(header, "Bearer ", 8);
    api_key_format(&world->key, header + 7);
}

static void test_the_platform_acts_for_an_organisation(void **state)
{
    struct world *world = *state;
    struct principal principal;
    struct err err;
    char header[API_KEY_TEXT_SIZE + 8];
    struct role_set roles = role_set_add(role_set_add((struct role_set){0}, ROLE_PLATFORM_AGENT), ROLE_AUDITOR);
    agent_make(world, header, roles);
    assert_int_equal(check_acting(world, header, TENANT, &principal, &err), ERR_OK);
    assert_int_equal(principal.kind, PRINCIPAL_PLATFORM);
    assert_true(uuid_equals(principal.tenant, world->tenant));
    assert_true(uuid_equals(principal.id, world->key.id));
    assert_int_equal(principal.revision, 4);
    assert_int_equal(principal.limits.calls_per_second, 7);
    assert_int_equal(principal.scope, SCOPE_AUDITOR);
    assert_true(permission_set_has(principal.permissions, PERMISSION_REVIEWS_READ));
    assert_false(permission_set_has(principal.permissions, PERMISSION_PLATFORM_ACT));
    assert_int_equal(principal_require_person(&principal, &err), -1);

    /* Remembered apart: by organisation, and from the key by itself, which has none of those roles there. */
    world->lookups = 0;
    assert_int_equal(check_header(world, header, NOW_US, &principal), ERR_OK);
    assert_int_equal(principal.kind, PRINCIPAL_KEY);
    assert_int_equal(principal.permissions.bits, UINT64_C(1) << PERMISSION_PLATFORM_ACT);
    assert_int_equal(check_acting(world, header, "0190a5d4-7f3e-7c12-8a4b-000000000001", &principal, &err), ERR_OK);
    assert_false(uuid_equals(principal.tenant, world->tenant));
    assert_int_equal(check_acting(world, header, TENANT, &principal, &err), ERR_OK);
    assert_true(uuid_equals(principal.tenant, world->tenant));
    assert_int_equal(world->lookups, 2);
}

static void test_the_mask_narrows_what_the_platform_does(void **state)
{
    struct world *world = *state;
    struct principal principal;
    struct err err;
    char header[API_KEY_TEXT_SIZE + 8];
    agent_make(world, header, role_set_add(role_set_add((struct role_set){0}, ROLE_PLATFORM_AGENT), ROLE_ISMS_MANAGER));
    world->key_record.permissions.bits =
        UINT64_C(1) << PERMISSION_PLATFORM_ACT | UINT64_C(1) << PERMISSION_INPUTS_READ;
    assert_int_equal(check_acting(world, header, TENANT, &principal, &err), ERR_OK);
    assert_int_equal(principal.permissions.bits, UINT64_C(1) << PERMISSION_INPUTS_READ);
    agent_make(world, header, role_set_add(role_set_add((struct role_set){0}, ROLE_PLATFORM_AGENT), ROLE_ISMS_MANAGER));
    world->key_record.permissions.bits = UINT64_C(1) << PERMISSION_INPUTS_READ;
    assert_int_equal(check_acting(world, header, TENANT, &principal, &err), ERR_PERMISSION_DENIED);
    assert_string_equal(err.metadata[0].value, "platform.act");
}

static void test_who_may_not_act(void **state)
{
    struct world *world = *state;
    struct principal principal;
    struct err err;
    char header[API_KEY_TEXT_SIZE + 8] = "Bearer ", token[TOKEN_SIZE + 8] = "Bearer ";
    api_key_format(&world->key, header + 7);
    token_sign(token + 7, world->issuer, JWT_EDDSA, "{\"alg\":\"EdDSA\",\"kid\":\"k\"}",
               "{\"iss\":\"https://i.test\",\"aud\":\"isms\",\"sub\":\"u1\",\"exp\":1200,"
               "\"tenant_id\":\"" TENANT "\"}");
    const char *const others[] = {header, token};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        assert_int_equal(check_header(world, others[i], NOW_US, &principal), ERR_OK); /* and is remembered */
        assert_int_equal(check_acting(world, others[i], TENANT, &principal, &err), ERR_CREDENTIAL_INVALID);
        assert_non_null(strstr(err.message, ACTING_METADATA));
    }
    struct auth_credentials asserted = {.assertion = slice_of("x"), .acting = slice_of(TENANT), .method = METHOD};
    assert_int_equal(check(world, &asserted, NOW_US, &principal, &err), ERR_CREDENTIAL_INVALID);
    assert_non_null(strstr(err.message, ACTING_METADATA));

    agent_make(world, header, role_set_add((struct role_set){0}, ROLE_PLATFORM_ADMIN));
    assert_int_equal(check_acting(world, header, TENANT, &principal, &err), ERR_PERMISSION_DENIED);
    agent_make(world, header, role_set_add((struct role_set){0}, ROLE_PLATFORM_AGENT));
    static const char *const malformed[] = {
        "", "x", "00000000-0000-0000-0000-000000000000", TENANT "0", TENANT "," TENANT,
        "0190a5d4-7f3e-7c12-8a4b-1c2d3e4f5a6", "0190a5d47f3e7c128a4b1c2d3e4f5a6b!"};
    for (size_t i = 0; i < ARRAY_SIZE(malformed); i++)
        assert_int_equal(check_acting(world, header, malformed[i], &principal, &err), ERR_CREDENTIAL_INVALID);
    world->key_record.acting_active = false;
    assert_int_equal(check_acting(world, header, TENANT, &principal, &err), ERR_PERMISSION_DENIED);
}

/* --- provisioning, and keys that change ------------------------------------------------------------------ */

/* A set that has changed may lack the key that a remembered token was signed with. */
static void test_tokens_are_forgotten_when_keys_change(void **state)
{
    struct world *world = *state;
    struct principal principal;
    const char *member = "\"sub\":\"u1\",\"exp\":1200,\"tenant_id\":\"" TENANT "\"";
    assert_int_equal(check_token(world, member, NOW_US, &principal), ERR_OK);
    assert_int_equal(check_key(world, &world->key, NOW_US, &principal), ERR_OK);
    world->lookups = 0;
    jwks_slot_set(world->issuer_keys, NULL);
    jwt_verifier_renewed(world->verifier);
    assert_int_equal(check_token(world, member, NOW_US, &principal), ERR_CREDENTIAL_INVALID);
    assert_int_equal(check_key(world, &world->key, NOW_US, &principal), ERR_OK); /* not an issuer's */
    assert_int_equal(world->lookups, 0);
}

static enum err_reason check_assertion(struct world *world, const struct assertion *assertion,
                                       const char *method, struct principal *ret_principal)
{
    struct buf text CLEANUP(buf_release);
    struct err err = {0};
    buf_init(&text, ASSERTION_TEXT_MAX);
    assert_int_equal(assertion_issue(world->service, assertion, NOW_US, &text, &err), 0);
    struct auth_credentials credentials = {.assertion = {text.data, text.length}, .method = method};
    return check(world, &credentials, NOW_US, ret_principal, &err);
}

static void test_a_service_on_behalf(void **state)
{
    struct world *world = *state;
    struct principal principal;
    struct assertion assertion = {
        .service = "reviews", .audience = "actions", .method = METHOD, .tenant = world->tenant,
        .actor = uuid_v7(), .actor_revision = 2, .roles = role_set_add((struct role_set){0}, ROLE_AUDITOR),
        .scope = SCOPE_AUDITOR, .request_id = "r1",
    };
    assert_int_equal(check_assertion(world, &assertion, METHOD, &principal), ERR_OK);
    assert_int_equal(principal.kind, PRINCIPAL_SERVICE);
    assert_string_equal(principal.service, "reviews");
    assert_string_equal(principal.request_id, "r1");
    assert_true(uuid_equals(principal.id, assertion.actor));
    assert_int_equal(principal.scope, SCOPE_AUDITOR);
    assert_true(permission_set_has(principal.permissions, PERMISSION_AUDIT_READ));
    assert_int_equal(world->lookups, 0);
    assert_int_equal(check_assertion(world, &assertion, METHOD "s", &principal), ERR_CREDENTIAL_INVALID);

    assertion.job = true;
    assertion.actor = (struct uuid){{0}};
    assertion.roles.bits = 0;
    assertion.scope = SCOPE_ALL;
    assert_int_equal(check_assertion(world, &assertion, METHOD, &principal), ERR_OK);
    assert_int_equal(principal.kind, PRINCIPAL_JOB);
    assert_int_equal(principal.permissions.bits, 0);
    assert_int_equal(principal.scope, SCOPE_ALL);

    struct authenticator_options options = {.service = "actions", .tokens = world->verifier};
    authenticator_free(world->authenticator);
    world->authenticator = authenticator_new(&options);
    assert_int_equal(check_assertion(world, &assertion, METHOD, &principal), ERR_CREDENTIAL_INVALID);
}

/* What a service may say as an assertion it may not say as a bearer token, and the other way round. */
static void test_credentials_do_not_swap_places(void **state)
{
    struct world *world = *state;
    struct principal principal;
    struct err err = {0};
    struct assertion assertion = {.service = "reviews", .audience = "actions", .method = METHOD,
                                  .tenant = world->tenant, .actor = uuid_v7()};
    struct buf text CLEANUP(buf_release);
    buf_init(&text, ASSERTION_TEXT_MAX);
    buf_text(&text, "Bearer ");
    assert_int_equal(assertion_issue(world->service, &assertion, NOW_US, &text, &err), 0);
    assert_int_equal(check_header(world, text.data, NOW_US, &principal), ERR_CREDENTIAL_INVALID);

    char token[TOKEN_SIZE], key[API_KEY_TEXT_SIZE];
    token_sign(token, world->issuer, JWT_EDDSA, "{\"alg\":\"EdDSA\",\"kid\":\"k\"}",
               "{\"iss\":\"https://i.test\",\"aud\":\"isms\",\"sub\":\"u1\",\"exp\":1200}");
    struct auth_credentials credentials = {.assertion = slice_of(token), .method = METHOD};
    assert_int_equal(check(world, &credentials, NOW_US, &principal, &err), ERR_CREDENTIAL_INVALID);
    api_key_format(&world->key, key);
    credentials.assertion = slice_of(key);
    assert_int_equal(check(world, &credentials, NOW_US, &principal, &err), ERR_CREDENTIAL_INVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_key),
        TEST(test_a_person),
        TEST(test_wrong_keys_are_all_alike),
        TEST(test_a_subject_that_is_no_member),
        TEST(test_no_credential_or_a_strange_one),
        TEST(test_remembered_for_a_minute_at_most),
        TEST(test_not_remembered_beyond_its_expiry),
        TEST(test_remembering_is_bounded),
        TEST(test_a_broken_directory_is_not_a_verdict),
        TEST(test_platform_admin_counts_at_the_platform_only),
        TEST(test_the_platform_acts_for_an_organisation),
        TEST(test_the_mask_narrows_what_the_platform_does),
        TEST(test_who_may_not_act),
        TEST(test_tokens_are_forgotten_when_keys_change),
        TEST(test_a_service_on_behalf),
        TEST(test_credentials_do_not_swap_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
