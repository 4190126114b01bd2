/* A token is accepted when everything about it is right, and every known attack is named as what it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <isms/auth/jwt.h>
#include <isms/base/crypto.h>
#include <isms/base/slice.h>

#include "token_maker.h"

#define ISSUER "https://login.example.test/"
#define TENANT "0190a5d4-7f3e-7c12-8a4b-1c2d3e4f5a6b"
#define COMMON "\"iss\":\"" ISSUER "\",\"aud\":\"isms\",\"sub\":\"u1\""
#define TIMES ",\"iat\":999,\"exp\":2000"
#define GOOD "{" COMMON TIMES "}"

static const int64_t SECOND_US = 1000000, NOW_US = 1000 * 1000000;

static EVP_PKEY *rsa, *ec, *ed, *stranger;
static struct jwks_slot *slot;
static struct jwt_verifier *verifier;
static char token[TOKEN_SIZE];

static int setup(void **state UNUSED)
{
    struct buf json CLEANUP(buf_release);
    struct jwks *keys;
    struct err err = {0};
    rsa = key_new(JWT_RS256);
    ec = key_new(JWT_ES256);
    ed = key_new(JWT_EDDSA);
    stranger = key_new(JWT_EDDSA);
    buf_init(&json, JWKS_TEXT_MAX);
    buf_text(&json, "{\"keys\":[");
    jwk_append(&json, rsa, JWT_RS256, "r", "");
    buf_char(&json, ',');
    jwk_append(&json, ec, JWT_ES256, "e", "");
    buf_char(&json, ',');
    jwk_append(&json, ed, JWT_EDDSA, "d", "");
    buf_text(&json, "]}");
    if (jwks_parse(json.data, json.length, &keys, &err) < 0)
        return -1;
    slot = jwks_slot_new(keys);
    struct jwt_issuer issuers[] = {
        {.issuer = ISSUER, .audience = "isms", .algorithms = JWT_RS256 | JWT_PS256 | JWT_ES256 | JWT_EDDSA,
         .tenant_claim = "tenant_id", .keys = slot},
        {.issuer = "https://pinned.example.test/", .audience = "isms", .algorithms = JWT_ES256,
         .tenant_claim = "tenant_id", .keys = slot},
    };
    return jwt_verifier_new(issuers, ARRAY_SIZE(issuers), 30 * SECOND_US, &verifier, &err);
}

static int teardown(void **state UNUSED)
{
    jwt_verifier_free(verifier);
    jwks_slot_free(slot);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(ed);
    EVP_PKEY_free(stranger);
    return 0;
}

/* The cause a text is refused for at a time, or "" when it is accepted. */
static const char *cause_at(const char *text, size_t length, int64_t now_us)
{
    static char cause[sizeof(((struct err_metadata *)0)->value)];
    struct jwt_claims claims = {.subject = "untouched"};
    struct err err = {0};
    if (jwt_verify(verifier, text, length, now_us, &claims, &err) == 0) {
        assert_string_equal(claims.subject, "u1");
        return "";
    }
    assert_string_equal(claims.subject, "untouched");
    assert_string_equal(err.metadata[0].key, "cause");
    snprintf(cause, sizeof(cause), "%s", err.metadata[0].value);
    assert_int_equal(err.reason, strcmp(cause, "EXPIRED") ==
                     0 ? ERR_CREDENTIAL_EXPIRED : ERR_CREDENTIAL_INVALID);
    return cause;
}

static const char *cause_of(const char *text)
{
    return cause_at(text, strlen(text), NOW_US);
}

/* The same of a token signed by the issuer's Ed25519 key. */
static const char *cause_signed(const char *header, const char *payload)
{
    token_sign(token, ed, JWT_EDDSA, header, payload);
    return cause_of(token);
}

static const char *cause_claims(const char *payload)
{
    return cause_signed("{\"alg\":\"EdDSA\",\"kid\":\"d\"}", payload);
}

static void test_every_algorithm(void **state UNUSED)
{
    token_sign(token, rsa, JWT_RS256, "{\"alg\":\"RS256\",\"kid\":\"r\",\"typ\":\"JWT\"}", GOOD);
    assert_string_equal(cause_of(token), "");
    token_sign(token, rsa, JWT_PS256, "{\"alg\":\"PS256\",\"kid\":\"r\",\"typ\":\"JWT\"}", GOOD);
    assert_string_equal(cause_of(token), "");
    token_sign(token, ec, JWT_ES256, "{\"alg\":\"ES256\",\"kid\":\"e\",\"typ\":\"at+jwt\"}", GOOD);
    assert_string_equal(cause_of(token), "");
    token_sign(token, ed, JWT_EDDSA, "{\"alg\":\"EdDSA\",\"kid\":\"d\",\"typ\":\"application/at+JWT\"}", GOOD);
    assert_string_equal(cause_of(token), "");
    assert_string_equal(cause_signed("{\"alg\":\"EdDSA\"}", GOOD), ""); /* the only Ed25519 key */
}

/* RFC 7518 section 3.5 leaves PS256 one salt length; and neither padding passes for the other. */
static void test_ps256_is_exact(void **state UNUSED)
{
    static const int salts[] = {0, 20, 64, 222};
    for (size_t i = 0; i < ARRAY_SIZE(salts); i++) {
        token_sign_salted(token, rsa, JWT_PS256, salts[i], "{\"alg\":\"PS256\",\"kid\":\"r\"}", GOOD);
        assert_string_equal(cause_of(token), "SIGNATURE");
    }
    token_sign(token, rsa, JWT_RS256, "{\"alg\":\"PS256\",\"kid\":\"r\"}", GOOD);
    assert_string_equal(cause_of(token), "SIGNATURE");
    token_sign(token, rsa, JWT_PS256, "{\"alg\":\"RS256\",\"kid\":\"r\"}", GOOD);
    assert_string_equal(cause_of(token), "SIGNATURE");
}

/* A key that says what it is for is for nothing else. */
static void test_an_rsa_key_may_be_for_one_algorithm(void **state UNUSED)
{
    struct jwks *before = jwks_slot_get(slot), *keys;
    struct buf json CLEANUP(buf_release);
    struct err err = {0};
    buf_init(&json, JWKS_TEXT_MAX);
    buf_text(&json, "{\"keys\":[");
    jwk_append(&json, rsa, JWT_PS256, "r", ",\"alg\":\"PS256\"");
    buf_text(&json, "]}");
    assert_int_equal(jwks_parse(json.data, json.length, &keys, &err), 0);
    jwks_slot_set(slot, keys);
    token_sign(token, rsa, JWT_PS256, "{\"alg\":\"PS256\",\"kid\":\"r\"}", GOOD);
    assert_string_equal(cause_of(token), "");
    token_sign(token, rsa, JWT_RS256, "{\"alg\":\"RS256\",\"kid\":\"r\"}", GOOD);
    assert_string_equal(cause_of(token), "KEY");
    jwks_slot_set(slot, before);
}

/* An enterprise's own issuer: whatever its tokens say, they are of its organisation. */
static void test_an_issuer_speaks_for_whom_it_may(void **state UNUSED)
{
    struct uuid tenants[2];
    struct jwt_claims claims;
    struct err err = {0};
    struct jwt_verifier *all = verifier;
    assert_true(uuid_parse(TENANT, &tenants[0]));
    assert_true(uuid_parse("0190a5d4-7f3e-7c12-8a4b-000000000001", &tenants[1]));
    struct jwt_issuer issuer = {.issuer = ISSUER, .audience = "isms", .algorithms = JWT_EDDSA, .keys = slot,
                                .tenants = tenants, .tenant_count = 1};
    assert_int_equal(jwt_verifier_new(&issuer, 1, 0, &verifier, &err), 0);
    token_sign(token, ed, JWT_EDDSA, "{\"alg\":\"EdDSA\",\"kid\":\"d\"}",
               "{" COMMON TIMES ",\"tenant_id\":\"0190a5d4-7f3e-7c12-8a4b-000000000001\"}");
    assert_int_equal(jwt_verify(verifier, token, strlen(token), NOW_US, &claims, &err), 0);
    assert_true(uuid_equals(claims.tenant, tenants[0]));

    uint64_t generation = jwt_verifier_generation(verifier);
    issuer.tenant_claim = "tenant_id";
    assert_int_equal(jwt_verifier_replace(verifier, &issuer, 1, &err), 0);
    assert_true(jwt_verifier_generation(verifier) != generation);
    assert_string_equal(cause_of(token), "TENANT");
    assert_string_equal(cause_claims(GOOD), "TENANT"); /* names none */
    assert_string_equal(cause_claims("{" COMMON TIMES ",\"tenant_id\":\"" TENANT "\"}"), "");
    issuer.tenant_count = 2;
    assert_int_equal(jwt_verifier_replace(verifier, &issuer, 1, &err), 0);
    token_sign(token, ed, JWT_EDDSA, "{\"alg\":\"EdDSA\",\"kid\":\"d\"}",
               "{" COMMON TIMES ",\"tenant_id\":\"0190a5d4-7f3e-7c12-8a4b-000000000001\"}");
    assert_string_equal(cause_of(token), "");
    assert_int_equal(jwt_verifier_replace(verifier, NULL, 0, &err), 0);
    assert_string_equal(cause_of(token), "ISSUER");
    jwt_verifier_free(verifier);
    verifier = all;
}

static void test_claims_are_handed_on(void **state UNUSED)
{
    struct jwt_claims claims;
    struct err err = {0};
    token_sign(token, ed, JWT_EDDSA, "{\"alg\":\"EdDSA\",\"kid\":\"d\"}",
               "{\"iss\":\"" ISSUER "\",\"aud\":[\"other\",\"isms\"],\"sub\":\"u1\",\"exp\":2000.5,\"nbf\":900,"
               "\"auth_time\":950,\"acr\":\"urn:mfa\",\"amr\":[\"pwd\",\"otp\"],\"email\":\"a@example.test\","
               "\"name\":\"Ana \\u017dagar\",\"tenant_id\":\"" TENANT "\"}");
    assert_int_equal(jwt_verify(verifier, token, strlen(token), NOW_US, &claims, &err), 0);
    assert_string_equal(claims.issuer, ISSUER);
    assert_string_equal(claims.audience, "isms");
    assert_string_equal(claims.subject, "u1");
    assert_string_equal(claims.acr, "urn:mfa");
    assert_string_equal(claims.amr, "pwd otp");
    assert_string_equal(claims.email, "a@example.test");
    assert_string_equal(claims.name, "Ana \xC5\xBD" "agar");
    assert_string_equal(claims.tenant_text, TENANT);
    struct uuid tenant;
    assert_true(uuid_parse(TENANT, &tenant));
    assert_true(uuid_equals(claims.tenant, tenant));
    assert_int_equal(claims.expire_time_us, 2000500000);
    assert_int_equal(claims.auth_time_us, 950 * SECOND_US);
    assert_int_equal(claims.issue_time_us, 0);
}

static void test_unfitting_conveniences_are_left_out(void **state UNUSED)
{
    struct jwt_claims claims;
    struct err err = {0};
    token_sign(token, ed, JWT_EDDSA, "{\"alg\":\"EdDSA\",\"kid\":\"d\"}",
               "{" COMMON TIMES ",\"acr\":1,\"amr\":[\"pwd\",2],\"email\":[],\"name\":null}");
    assert_int_equal(jwt_verify(verifier, token, strlen(token), NOW_US, &claims, &err), 0);
    assert_string_equal(claims.acr, "");
    assert_string_equal(claims.amr, "");
    assert_string_equal(claims.email, "");
    assert_true(uuid_is_nil(claims.tenant));
}

static void test_none_is_no_algorithm(void **state UNUSED)
{
    static const char *const names[] = {"none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "RS512",
                                        "PS384", "PS512", "ES384", "ES256K", "EDDSA", "Ed448", "RS256 "};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char header[64];
        snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", names[i]);
        token_assemble(token, header, GOOD, "", 0);
        assert_string_equal(cause_of(token), "ALGORITHM");
        token_sign(token, rsa, JWT_RS256, header, GOOD);
        assert_string_equal(cause_of(token), "ALGORITHM");
    }
    assert_string_equal(cause_signed("{\"kid\":\"d\"}", GOOD), "ALGORITHM");
    assert_string_equal(cause_signed("{\"alg\":null,\"kid\":\"d\"}", GOOD), "MALFORMED");
    assert_string_equal(cause_signed("{\"alg\":[\"EdDSA\"],\"kid\":\"d\"}", GOOD), "MALFORMED");
}

/* The classic: the RSA public key, which everybody has, as an HMAC secret. */
static void test_hmac_with_the_public_key(void **state UNUSED)
{
    uint8_t *der = NULL;
    char *pem;
    int der_length = i2d_PUBKEY(rsa, &der);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PUBKEY(bio, rsa), 1);
    long pem_length = BIO_get_mem_data(bio, &pem);
    const struct slice secrets[] = {{(char *)der, (size_t)der_length}, {pem, (size_t)pem_length}};
    static const char *const headers[] = {"{\"alg\":\"HS256\",\"kid\":\"r\"}",
                                          "{\"alg\":\"RS256\",\"kid\":\"r\"}"};
    for (size_t i = 0; i < 4; i++) {
        token_assemble(token, headers[i / 2], GOOD, "", 0);
        size_t length = strlen(token) - 1; /* without the last dot */
        struct sha256 code = hmac_sha256(secrets[i % 2].data, secrets[i % 2].length, token, length);
        token_assemble(token, headers[i / 2], GOOD, &code, sizeof(code));
        assert_string_equal(cause_of(token), i / 2 ? "SIGNATURE" : "ALGORITHM");
    }
    OPENSSL_free(der);
    BIO_free(bio);
}

static void test_algorithm_and_key_must_fit(void **state UNUSED)
{
    assert_string_equal(cause_signed("{\"alg\":\"RS256\",\"kid\":\"d\"}", GOOD), "KEY");
    assert_string_equal(cause_signed("{\"alg\":\"EdDSA\",\"kid\":\"r\"}", GOOD), "KEY");
    assert_string_equal(cause_signed("{\"alg\":\"EdDSA\",\"kid\":\"x\"}", GOOD), "KEY");
    assert_string_equal(cause_signed("{\"alg\":\"EdDSA\",\"kid\":\"../../d\"}", GOOD), "KEY");
    assert_string_equal(cause_signed("{\"alg\":\"EdDSA\",\"kid\":7}", GOOD), "MALFORMED");
    assert_string_equal(cause_signed("{\"alg\":\"ES256\",\"kid\":\"e\"}", GOOD), "SIGNATURE");
    assert_string_equal(cause_signed("{\"alg\":\"RS256\",\"kid\":\"r\"}", GOOD), "SIGNATURE");
}

static void test_an_issuer_signs_only_as_it_may(void **state UNUSED)
{
    static const char payload[] =
        "{\"iss\":\"https://pinned.example.test/\",\"aud\":\"isms\",\"sub\":\"u1\"" TIMES "}";
    token_sign(token, ec, JWT_ES256, "{\"alg\":\"ES256\",\"kid\":\"e\"}", payload);
    assert_string_equal(cause_of(token), "");
    token_sign(token, ed, JWT_EDDSA, "{\"alg\":\"EdDSA\",\"kid\":\"d\"}", payload);
    assert_string_equal(cause_of(token), "ALGORITHM");
}

static void test_keys_in_the_token_are_not_believed(void **state UNUSED)
{
    struct buf header CLEANUP(buf_release);
    buf_init(&header, 4096);
    buf_text(&header,
             "{\"alg\":\"EdDSA\",\"jku\":\"http://127.0.0.1:1/\",\"x5u\":\"http://127.0.0.1:1/\",\"jwk\":");
    jwk_append(&header, stranger, JWT_EDDSA, NULL, "");
    buf_char(&header, '}');
    token_sign(token, stranger, JWT_EDDSA, header.data, GOOD);
    assert_string_equal(cause_of(token), "SIGNATURE");
    assert_string_equal(cause_signed(header.data, GOOD), ""); /* ignored, not fatal */
}

static void test_signatures(void **state UNUSED)
{
    token_sign(token, stranger, JWT_EDDSA, "{\"alg\":\"EdDSA\",\"kid\":\"d\"}", GOOD);
    assert_string_equal(cause_of(token), "SIGNATURE");
    token_assemble(token, "{\"alg\":\"EdDSA\",\"kid\":\"d\"}", GOOD, "", 0);
    assert_string_equal(cause_of(token), "SIGNATURE");
    static const uint8_t zeros[257];
    static const size_t lengths[] = {1, 63, 64, 65, 72, 255, 256, 257};
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) { /* all zeros: "psychic signatures" */
        token_assemble(token, "{\"alg\":\"ES256\",\"kid\":\"e\"}", GOOD, zeros, lengths[i]);
        assert_string_equal(cause_of(token), "SIGNATURE");
        token_assemble(token, "{\"alg\":\"RS256\",\"kid\":\"r\"}", GOOD, zeros, lengths[i]);
        assert_string_equal(cause_of(token), "SIGNATURE");
        token_assemble(token, "{\"alg\":\"EdDSA\",\"kid\":\"d\"}", GOOD, zeros, lengths[i]);
        assert_string_equal(cause_of(token), "SIGNATURE");
    }
}

/* OpenSSL would read the first 64 bytes and be content. */
static void test_bytes_behind_a_good_signature(void **state UNUSED)
{
    static const char header[] = "{\"alg\":\"ES256\",\"kid\":\"e\"}";
    char bytes[128] = {0};
    struct buf signature;
    struct err err = {0};
    token_sign(token, ec, JWT_ES256, header, GOOD);
    const char *text = strrchr(token, '.') + 1;
    buf_init_fixed(&signature, bytes, sizeof(bytes));
    assert_int_equal(base64url_decode(&signature, text, strlen(text), &err), 0);
    assert_int_equal(signature.length, 64);
    token_assemble(token, header, GOOD, bytes, 64);
    assert_string_equal(cause_of(token), "");
    token_assemble(token, header, GOOD, bytes, 65);
    assert_string_equal(cause_of(token), "SIGNATURE");
    token_assemble(token, header, GOOD, bytes, 63);
    assert_string_equal(cause_of(token), "SIGNATURE");
}

/* A good token changed in any one place is a bad one. The last digit, which has bits to spare, included. */
static void test_one_text_per_token(void **state UNUSED)
{
    static const char bytes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/. \n";
    assert_string_equal(cause_claims(GOOD), "");
    size_t length = strlen(token);
    for (size_t i = 0; i < length; i++) {
        char original = token[i];
        size_t step = i + 1 < length ? 7 : 1; /* some of them in each place, all in the last */
        for (size_t byte = i % step; byte < sizeof(bytes); byte += step) {
            token[i] = bytes[byte];
            if (token[i] != original)
                assert_string_not_equal(cause_at(token, length, NOW_US), "");
        }
        token[i] = original;
    }
    static const char *const tails[] = {"=", "==", "\n", " ", ".", ".e30", "A", "%00"};
    for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
        snprintf(token + length, sizeof(token) - length, "%s", tails[i]);
        assert_string_not_equal(cause_of(token), "");
    }
    token[length] = '\0';
    assert_string_equal(cause_at(token, length + 1, NOW_US), "MALFORMED"); /* a NUL behind it */
    for (size_t cut = 0; cut < length; cut++)
        assert_string_not_equal(cause_at(token, cut, NOW_US), "");
    assert_string_equal(cause_of(token), "");
}

static void test_malformed_parts(void **state UNUSED)
{
    static const char *const texts[] = {"", ".", "..", "...", "a.b.c", "e30.e30.", "e30..e30",
                                        "e30.e30.e30.e30.e30",
                                        "bnVsbA.bnVsbA.AA", "W10.W10.AA", "\xff.\xff.\xff"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        assert_true(strcmp(cause_of(texts[i]), "MALFORMED") == 0 || strcmp(cause_of(texts[i]), "ALGORITHM") ==
                    0);
    assert_string_equal(cause_claims(GOOD "x"), "MALFORMED");
    assert_string_equal(cause_claims("[" GOOD "]"), "MALFORMED");
    assert_string_equal(cause_claims("{" COMMON TIMES ",\"x\":\"\\u0000\"}"), "MALFORMED");
    assert_string_equal(cause_claims("{" COMMON TIMES ",\"x\":\"\xff\"}"), "MALFORMED");
    assert_string_equal(cause_claims("{" COMMON TIMES ",\"x\":1e999}"), "MALFORMED");
}

static void test_duplicate_members(void **state UNUSED)
{
    assert_string_equal(cause_claims("{" COMMON TIMES ",\"sub\":\"admin\"}"), "MALFORMED");
    assert_string_equal(cause_claims("{" COMMON TIMES ",\"x\":{\"a\":1,\"\\u0061\":2}}"), "MALFORMED");
    assert_string_equal(cause_signed("{\"alg\":\"ES256\",\"kid\":\"d\",\"alg\":\"EdDSA\"}", GOOD), "MALFORMED");
}

static void test_header_rules(void **state UNUSED)
{
    assert_string_equal(cause_signed("{\"alg\":\"EdDSA\",\"crit\":[\"exp\"],\"exp\":1}", GOOD), "CRITICAL");
    assert_string_equal(cause_signed("{\"alg\":\"EdDSA\",\"crit\":[]}", GOOD), "CRITICAL");
    assert_string_equal(cause_signed("{\"alg\":\"EdDSA\",\"crit\":null}", GOOD), "CRITICAL");
    assert_string_equal(cause_signed("{\"alg\":\"EdDSA\",\"typ\":\"isms-assertion+jwt\"}", GOOD), "TYPE");
    assert_string_equal(cause_signed("{\"alg\":\"EdDSA\",\"typ\":\"logout+jwt\"}", GOOD), "TYPE");
    assert_string_equal(cause_signed("{\"alg\":\"EdDSA\",\"typ\":\"\"}", GOOD), "TYPE");
    assert_string_equal(cause_signed("{\"alg\":\"EdDSA\",\"typ\":1}", GOOD), "MALFORMED");
}

static void test_size_and_depth(void **state UNUSED)
{
    char payload[8000];
    static const int depths[] = {15, 16, 2500}; /* of arrays in the object */
    for (size_t i = 0; i < ARRAY_SIZE(depths); i++) {
        char open[2501], close[2501];
        memset(open, '[', sizeof(open));
        memset(close, ']', sizeof(close));
        snprintf(payload, sizeof(payload), "{" COMMON TIMES ",\"deep\":%.*s%.*s}", depths[i], open,
                 depths[i], close);
        assert_string_equal(cause_claims(payload), depths[i] > 15 ? "MALFORMED" : "");
    }
    snprintf(payload, sizeof(payload), "{" COMMON TIMES ",\"brackets\":\"%060d[[[[[[[[[[[[[[[[[[[[[[\\\"{\"}",
             0);
    assert_string_equal(cause_claims(payload), ""); /* in a text they are only characters */
    snprintf(payload, sizeof(payload), "{" COMMON TIMES ",\"pad\":\"%07000d\"}", 0);
    assert_string_equal(cause_claims(payload), "TOO_LARGE");
    snprintf(payload, sizeof(payload), "{" COMMON TIMES ",\"pad\":\"%05500d\"}", 0);
    assert_string_equal(cause_claims(payload), "");
}

static void test_issuer_and_audience(void **state UNUSED)
{
    assert_string_equal(cause_claims("{\"aud\":\"isms\",\"sub\":\"u1\"" TIMES "}"), "ISSUER");
    assert_string_equal(cause_claims("{\"iss\":\"https://login.example.test\",\"aud\":\"isms\"," /* no slash */
                                     "\"sub\":\"u1\"" TIMES "}"), "ISSUER");
    assert_string_equal(cause_claims("{\"iss\":[\"" ISSUER "\"],\"aud\":\"isms\",\"sub\":\"u1\"" TIMES "}"),
                        "ISSUER");
    static const char *const audiences[] = {"\"ismss\"", "\"\"", "[]", "[\"x\",\"ISMS\"]", "[[\"isms\"]]",
                                            "null",
                                            "{\"isms\":1}", "\"isms other\""};
    for (size_t i = 0; i < ARRAY_SIZE(audiences); i++) {
        char payload[256];
        snprintf(payload, sizeof(payload), "{\"iss\":\"" ISSUER "\",\"aud\":%s,\"sub\":\"u1\"" TIMES "}",
                 audiences[i]);
        assert_string_equal(cause_claims(payload), "AUDIENCE");
    }
    assert_string_equal(cause_claims("{\"iss\":\"" ISSUER "\",\"sub\":\"u1\"" TIMES "}"), "AUDIENCE");
}

static void test_claims_of_the_wrong_form(void **state UNUSED)
{
    static const char *const members[] = {
        ",\"iat\":999",                                  /* no exp */
        ",\"exp\":\"2000\"", ",\"exp\":null", ",\"exp\":-1", ",\"exp\":1e300", ",\"exp\":9223372036854775807",
        TIMES ",\"nbf\":\"1\"", TIMES ",\"auth_time\":[]", TIMES ",\"auth_time\":-5",
        TIMES ",\"tenant_id\":\"acme\"", TIMES ",\"tenant_id\":7", TIMES ",\"tenant_id\":\"\"",
    };
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        char payload[256];
        snprintf(payload, sizeof(payload), "{" COMMON "%s}", members[i]);
        assert_string_equal(cause_claims(payload), "CLAIM");
    }
    static const char *const subjects[] = {"", ",\"sub\":\"\"", ",\"sub\":1"};
    for (size_t i = 0; i < ARRAY_SIZE(subjects); i++) {
        char payload[256];
        snprintf(payload, sizeof(payload), "{\"iss\":\"" ISSUER "\",\"aud\":\"isms\"" TIMES "%s}", subjects[i]);
        assert_string_equal(cause_claims(payload), "CLAIM");
    }
    char payload[512];
    snprintf(payload, sizeof(payload), "{\"iss\":\"" ISSUER "\",\"aud\":\"isms\"" TIMES ",\"sub\":\"%0256d\"}",
             0);
    assert_string_equal(cause_claims(payload), "CLAIM");
}

static void test_times_with_leeway(void **state UNUSED)
{
    assert_string_equal(cause_claims("{" COMMON ",\"exp\":1100,\"nbf\":1000,\"iat\":1000}"), "");
    size_t length = strlen(token);
    assert_string_equal(cause_at(token, length, 970 * SECOND_US), "");
    assert_string_equal(cause_at(token, length, 970 * SECOND_US - 1), "NOT_YET_VALID");
    assert_string_equal(cause_at(token, length, 1130 * SECOND_US - 1), "");
    assert_string_equal(cause_at(token, length, 1130 * SECOND_US), "EXPIRED");
    static const char *const names[] = {"nbf", "iat", "auth_time"}; /* each on its own, a second too far */
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char payload[256];
        snprintf(payload, sizeof(payload), "{" COMMON ",\"exp\":1100,\"%s\":1031}", names[i]);
        assert_string_equal(cause_claims(payload), "NOT_YET_VALID");
    }
    token_sign(token, stranger, JWT_EDDSA, "{\"alg\":\"EdDSA\",\"kid\":\"d\"}", "{" COMMON ",\"exp\":1}");
    assert_string_equal(cause_of(token), "SIGNATURE"); /* expiry is told of genuine tokens only */
}

static void test_keys_rotate(void **state UNUSED)
{
    struct jwks *before = jwks_slot_get(slot);
    jwks_slot_set(slot, jwks_of(stranger, JWT_EDDSA, "new"));
    assert_string_equal(cause_claims(GOOD), "KEY");
    token_sign(token, stranger, JWT_EDDSA, "{\"alg\":\"EdDSA\",\"kid\":\"new\"}", GOOD);
    assert_string_equal(cause_of(token), "");
    jwks_slot_set(slot, NULL);
    assert_string_equal(cause_of(token), "KEY");
    jwks_slot_set(slot, before);
    assert_string_equal(cause_claims(GOOD), "");
}

static void test_verifier_refuses_half_an_issuer(void **state UNUSED)
{
    const struct jwt_issuer good = {
        .issuer = "i", .audience = "isms", .algorithms = JWT_RS256, .tenant_claim = "t", .keys = slot};
    struct jwt_issuer wrong[6], twice[] = {good, good};
    struct jwt_verifier *other = NULL;
    struct err err = {0};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        wrong[i] = good;
    wrong[0].issuer = "";
    wrong[1].audience = NULL;
    wrong[2].algorithms = 0;
    wrong[3].tenant_claim = "";
    wrong[4].keys = NULL;
    wrong[5].tenant_claim = NULL; /* and no tenant */
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_int_equal(jwt_verifier_new(&wrong[i], 1, 0, &other, &err), -1);
    assert_int_equal(jwt_verifier_new(twice, 2, 0, &other, &err), -1);
    assert_null(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_algorithm),
        cmocka_unit_test(test_ps256_is_exact),
        cmocka_unit_test(test_an_rsa_key_may_be_for_one_algorithm),
        cmocka_unit_test(test_an_issuer_speaks_for_whom_it_may),
        cmocka_unit_test(test_claims_are_handed_on),
        cmocka_unit_test(test_unfitting_conveniences_are_left_out),
        cmocka_unit_test(test_none_is_no_algorithm),
        cmocka_unit_test(test_hmac_with_the_public_key),
        cmocka_unit_test(test_algorithm_and_key_must_fit),
        cmocka_unit_test(test_an_issuer_signs_only_as_it_may),
        cmocka_unit_test(test_keys_in_the_token_are_not_believed),
        cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_bytes_behind_a_good_signature),
        cmocka_unit_test(test_one_text_per_token),
        cmocka_unit_test(test_malformed_parts),
        cmocka_unit_test(test_duplicate_members),
        cmocka_unit_test(test_header_rules),
        cmocka_unit_test(test_size_and_depth),
        cmocka_unit_test(test_issuer_and_audience),
        cmocka_unit_test(test_claims_of_the_wrong_form),
        cmocka_unit_test(test_times_with_leeway),
        cmocka_unit_test(test_keys_rotate),
        cmocka_unit_test(test_verifier_refuses_half_an_issuer),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
