/* A key set takes what it can verify with, passes over the rest, and refuses what should not be in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include <openssl/rsa.h>

#include "token_maker.h"

static EVP_PKEY *rsa, *ec, *ed;

static int keys_make(void **state UNUSED)
{
    rsa = key_new(JWT_RS256);
    ec = key_new(JWT_ES256);
    ed = key_new(JWT_EDDSA);
    return 0;
}

static int keys_free(void **state UNUSED)
{
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(ed);
    return 0;
}

/* How many keys are taken of the set with these members; -1 when it is refused with `expected` in the text. */
static int count_of(const char *members, const char *expected)
{
    struct buf json CLEANUP(buf_release);
    struct err err = {0};
    struct jwks *keys CLEANUP(jwks_unrefp) = NULL;
    buf_init(&json, JWKS_TEXT_MAX);
    buf_printf(&json, "{\"keys\":[%s]}", members);
    if (jwks_parse(json.data, json.length, &keys, &err) == 0)
        return (int)jwks_count(keys);
    assert_null(keys);
    assert_int_equal(err.reason, ERR_FIELD_INVALID);
    if (!expected || !strstr(err.message, expected))
        fail_msg("unexpected: %s", err.message);
    return -1;
}

static int count_of_key(EVP_PKEY *key, enum jwt_algorithm algorithm, const char *more, const char *expected)
{
    struct buf json CLEANUP(buf_release);
    buf_init(&json, JWKS_TEXT_MAX);
    jwk_append(&json, ed, JWT_EDDSA, "other", "");
    buf_char(&json, ',');
    jwk_append(&json, key, algorithm, "a", more);
    int count = count_of(json.data, expected);
    return count < 0 ? count : count - 1;
}

static void test_takes_keys_that_fit(void **state UNUSED)
{
    assert_int_equal(count_of_key(rsa, JWT_RS256, "", NULL), 1);
    assert_int_equal(count_of_key(rsa, JWT_RS256, ",\"alg\":\"RS256\",\"use\":\"sig\"", NULL), 1);
    assert_int_equal(count_of_key(rsa, JWT_PS256, ",\"alg\":\"PS256\"", NULL), 1);
    assert_int_equal(count_of_key(ec, JWT_ES256, ",\"key_ops\":[\"verify\"]", NULL), 1);
    assert_int_equal(count_of_key(ed, JWT_EDDSA, ",\"alg\":\"EdDSA\",\"unknown\":{\"a\":[1]}", NULL), 1);
}

static void test_passes_over_other_uses_and_algorithms(void **state UNUSED)
{
    assert_int_equal(count_of_key(rsa, JWT_RS256, ",\"use\":\"enc\"", NULL), 0);
    assert_int_equal(count_of_key(rsa, JWT_RS256, ",\"alg\":\"RS512\"", NULL), 0);
    assert_int_equal(count_of_key(rsa, JWT_RS256, ",\"alg\":\"HS256\"", NULL), 0);
    assert_int_equal(count_of_key(rsa, JWT_RS256, ",\"alg\":\"ES256\"", NULL), 0);
    assert_int_equal(count_of_key(ec, JWT_ES256, ",\"alg\":\"RS256\"", NULL), 0);
    assert_int_equal(count_of_key(ec, JWT_ES256, ",\"key_ops\":[\"deriveKey\"]", NULL), 0);
    assert_int_equal(count_of_key(ed, JWT_EDDSA, ",\"alg\":1", NULL), 0);
    assert_int_equal(count_of("{\"kty\":\"future\"}", "no key"), -1);
}

static void test_refuses_secrets(void **state UNUSED)
{
    assert_int_equal(count_of_key(ed, JWT_EDDSA, ",\"d\":\"AAAA\"", "public keys only"), -1);
    assert_int_equal(count_of_key(ed, JWT_EDDSA, ",\"k\":\"AAAA\"", "public keys only"), -1);
    assert_int_equal(count_of("{\"kty\":\"oct\"}", "public keys only"), -1);
}

static void test_refuses_what_is_broken(void **state UNUSED)
{
    EVP_PKEY *small = EVP_RSA_gen(1024);
    assert_int_equal(count_of_key(small, JWT_RS256, "", "2048"), -1);
    EVP_PKEY_free(small);
    assert_int_equal(count_of_key(ed, JWT_EDDSA, "},{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"",
                                  "well-formed"), -1);
    assert_int_equal(count_of_key(ed, JWT_EDDSA, "},{\"kty\":\"RSA\",\"n\":\"AQAB\"", "modulus"), -1);
    assert_int_equal(count_of("{\"kty\":\"EC\",\"crv\":\"P-256\","
                              "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\","
                              "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}", "curve"), -1);
    assert_int_equal(count_of("", "no key"), -1);
    assert_int_equal(count_of("7", "not an object"), -1);
    assert_int_equal(count_of("{\"kty\":\"OKP\",\"kty\":\"RSA\"}", "not a JWK set"), -1);
    assert_int_equal(count_of("]}, garbage", "not a JWK set"), -1);
}

static void test_one_key_per_kid(void **state UNUSED)
{
    struct buf json CLEANUP(buf_release);
    buf_init(&json, JWKS_TEXT_MAX);
    jwk_append(&json, ed, JWT_EDDSA, "a", "");
    buf_char(&json, ',');
    jwk_append(&json, ec, JWT_ES256, "a", "");
    assert_int_equal(count_of(json.data, NULL), 2);
    buf_char(&json, ',');
    jwk_append(&json, ed, JWT_EDDSA, "a", "");
    assert_int_equal(count_of(json.data, "same kid"), -1);
}

static void test_a_file(void **state UNUSED)
{
    struct err err = {0};
    struct jwks *keys CLEANUP(jwks_unrefp) = NULL;
    assert_int_equal(jwks_load("/nonexistent/keys.json", &keys, &err), -1);
    assert_non_null(strstr(err.message, "/nonexistent/keys.json"));

    char path[] = "/tmp/isms-jwks-XXXXXX";
    int descriptor = mkstemp(path);
    struct buf json CLEANUP(buf_release);
    buf_init(&json, JWKS_TEXT_MAX);
    buf_text(&json, "{\"keys\":[");
    jwk_append(&json, ed, JWT_EDDSA, "a", "");
    buf_text(&json, "]}\n");
    assert_int_equal(write(descriptor, json.data, json.length), (ssize_t)json.length);
    close(descriptor);
    assert_int_equal(jwks_load(path, &keys, &err), 0);
    assert_int_equal(jwks_count(keys), 1);
    unlink(path);
}

static void test_algorithm_lists(void **state UNUSED)
{
    struct err err = {0};
    unsigned set = 0;
    assert_int_equal(jwt_algorithms_parse("RS256,ES256,EdDSA", &set, &err), 0);
    assert_int_equal(set, JWT_RS256 | JWT_ES256 | JWT_EDDSA);
    assert_int_equal(jwt_algorithms_parse("PS256", &set, &err), 0);
    assert_int_equal(set, JWT_PS256);
    assert_int_equal(jwt_algorithms_parse("ES256", &set, &err), 0);
    assert_int_equal(set, JWT_ES256);
    static const char *const wrong[] = {"", "none", "HS256", "RS256,", ",RS256", "RS256 ,ES256", "rs256"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_int_equal(jwt_algorithms_parse(wrong[i], &set, &err), -1);
    assert_int_equal(set, JWT_ES256);
}

static void *slot_read(void *context)
{
    for (int i = 0; i < 20000; i++) {
        struct jwks *keys CLEANUP(jwks_unrefp) = jwks_slot_get(context);
        if (jwks_count(keys) != 1)
            return context;
    }
    return NULL;
}

/* The set is replaced under its readers' feet; the sanitizers say whether one of them read a freed one. */
static void test_a_slot_is_replaced_while_it_is_read(void **state UNUSED)
{
    struct jwks_slot *slot CLEANUP(jwks_slot_freep) = jwks_slot_new(jwks_of(ed, JWT_EDDSA, "a"));
    pthread_t readers[3];
    for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
        assert_int_equal(pthread_create(&readers[i], NULL, slot_read, slot), 0);
    for (int i = 0; i < 500; i++)
        jwks_slot_set(slot, jwks_of(ed, JWT_EDDSA, "a"));
    for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
        void *failed = slot;
        pthread_join(readers[i], &failed);
        assert_null(failed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_keys_that_fit),
        cmocka_unit_test(test_passes_over_other_uses_and_algorithms),
        cmocka_unit_test(test_refuses_secrets),
        cmocka_unit_test(test_refuses_what_is_broken),
        cmocka_unit_test(test_one_key_per_kid),
        cmocka_unit_test(test_a_file),
        cmocka_unit_test(test_algorithm_lists),
        cmocka_unit_test(test_a_slot_is_replaced_while_it_is_read),
    };
    return cmocka_run_group_tests(tests, keys_make, keys_free);
}
