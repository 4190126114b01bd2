/* Cryptography against the published test vectors, and the strictness of the encodings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <isms/base/crypto.h>

static void assert_hex(const void *data, size_t length, const char *expected)
{
    char text[256];
    assert_true(2 * length < sizeof(text));
    hex_encode(data, length, text);
    assert_string_equal(text, expected);
}

static void test_sha256(void **state UNUSED)
{
    struct sha256 hash = sha256_of("abc", 3);
    assert_hex(hash.bytes, sizeof(hash), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hash = sha256_of("", 0);
    assert_hex(hash.bytes, sizeof(hash), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void test_sha256_in_pieces(void **state UNUSED)
{
    struct sha256_sum *sum CLEANUP(sha256_sum_freep) = sha256_sum_new();
    struct sha256 none = sha256_of("", 0);
    struct sha256 whole = sha256_of("abc", 3);
    struct sha256 hash = sha256_sum_value(sum);
    assert_memory_equal(&hash, &none, sizeof(hash));
    sha256_sum_add(sum, "a", 1);
    sha256_sum_add(sum, "", 0);
    sha256_sum_value(sum); /* does not end it */
    sha256_sum_add(sum, "bc", 2);
    hash = sha256_sum_value(sum);
    assert_memory_equal(&hash, &whole, sizeof(hash));
}

/* RFC 4231, test cases 2 and 6 */
static void test_hmac_sha256(void **state UNUSED)
{
    static const char text[] = "what do ya want for nothing?";
    struct sha256 code = hmac_sha256("Jefe", 4, text, strlen(text));
    assert_hex(code.bytes, sizeof(code), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");

    static const char longer[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    char key[131];
    memset(key, 0xaa, sizeof(key));
    code = hmac_sha256(key, sizeof(key), longer, strlen(longer));
    assert_hex(code.bytes, sizeof(code), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* The private key as the PKCS#8 PEM that `openssl genpkey` would have written for it (RFC 8410 section 7). */
static struct signing_key *key_of_seed(const char *seed_hex)
{
    uint8_t der[48] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                       0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
    char pem[256];
    struct buf text CLEANUP(buf_release);
    struct err err = {0};
    struct signing_key *key;
    assert_true(hex_decode(seed_hex, 64, der + 16));
    buf_init(&text, 100);
    base64url_encode(&text, der, sizeof(der));
    for (size_t i = 0; i < text.length; i++)
        text.data[i] = text.data[i] == '-' ? '+' : text.data[i] == '_' ? '/' : text.data[i];
    snprintf(pem, sizeof(pem), "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n", text.data);
    assert_int_equal(signing_key_parse(pem, &key, &err), 0);
    return key;
}

/* RFC 8032 section 7.1, tests 1 to 3 */
static const struct vector {
    const char *seed, *public_key, *message, *signature;
} vectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
     "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da0"
     "85ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac1"
     "8ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

static void test_ed25519_vectors(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
        struct signing_key *key CLEANUP(signing_key_freep) = key_of_seed(vectors[i].seed);
        struct err err = {0};
        uint8_t public_key[ED25519_PUBLIC_SIZE], signature[ED25519_SIGNATURE_SIZE], message[2] = {0};
        size_t length = strlen(vectors[i].message) / 2;
        assert_true(hex_decode(vectors[i].message, 2 * length, message));
        signing_key_public(key, public_key);
        assert_hex(public_key, sizeof(public_key), vectors[i].public_key);
        assert_int_equal(ed25519_sign(key, message, length, signature, &err), 0);
        assert_hex(signature, sizeof(signature), vectors[i].signature);
        assert_true(ed25519_verify(public_key, message, length, signature));
    }
}

static void test_ed25519_finds_every_changed_byte(void **state UNUSED)
{
    struct signing_key *key CLEANUP(signing_key_freep) = NULL;
    struct err err = {0};
    uint8_t public_key[ED25519_PUBLIC_SIZE], signature[ED25519_SIGNATURE_SIZE];
    char message[] = "the review is signed";
    assert_int_equal(signing_key_generate(&key, &err), 0);
    signing_key_public(key, public_key);
    assert_int_equal(ed25519_sign(key, message, sizeof(message), signature, &err), 0);
    assert_true(ed25519_verify(public_key, message, sizeof(message), signature));
    for (size_t i = 0; i < sizeof(message); i++) {
        message[i] ^= 1;
        assert_false(ed25519_verify(public_key, message, sizeof(message), signature));
        message[i] ^= 1;
    }
    for (size_t i = 0; i < sizeof(signature); i++) {
        signature[i] ^= 1;
        assert_false(ed25519_verify(public_key, message, sizeof(message), signature));
        signature[i] ^= 1;
    }
    assert_false(ed25519_verify(public_key, message, sizeof(message) - 1, signature));
    public_key[0] ^= 1;
    assert_false(ed25519_verify(public_key, message, sizeof(message), signature));
}

static void test_pem_there_and_back(void **state UNUSED)
{
    struct signing_key *key CLEANUP(signing_key_freep) = key_of_seed(vectors[0].seed);
    struct signing_key *again CLEANUP(signing_key_freep) = NULL;
    struct buf pem CLEANUP(buf_release);
    struct err err = {0};
    uint8_t public_key[ED25519_PUBLIC_SIZE];
    buf_init(&pem, 1000);
    signing_key_pem(key, &pem);
    assert_false(pem.failed);
    assert_int_equal(signing_key_parse(pem.data, &again, &err), 0);
    signing_key_public(again, public_key);
    assert_hex(public_key, sizeof(public_key), vectors[0].public_key);
}

static void test_other_keys_are_refused(void **state UNUSED)
{
    static const char *const wrong[] = {
        "",
        "not a key",
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQ\n-----END PRIVATE KEY-----\n",
        /* X25519 */
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEIHgHXnCTm9jPzKHWWb4s7qbo9Vkpyqoc3vFQVzLYw9JQ\n"
        "-----END PRIVATE KEY-----\n",
        /* encrypted: must be refused without asking for a pass phrase */
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
        "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhOqyFuLV9LJwICCAAw\n"
        "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEGV7R5w6SjjZfO5VvGmBgSoEQHvo\n"
        "-----END ENCRYPTED PRIVATE KEY-----\n",
    };
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct signing_key *key = NULL;
        struct err err = {0};
        assert_int_equal(signing_key_parse(wrong[i], &key, &err), -1);
        assert_null(key);
        assert_int_not_equal(err.reason, ERR_OK);
    }
    signing_key_free(NULL);
}

/* The value is what `openssl kdf ... -kdfopt info:"page tokens" HKDF` gives for this private key. */
static void test_derived_secrets(void **state UNUSED)
{
    struct signing_key *key CLEANUP(signing_key_freep) = key_of_seed(vectors[0].seed);
    struct sha256 secret = signing_key_derive(key, "page tokens");
    assert_hex(secret.bytes, sizeof(secret),
               "24e2d47d889d7fe2475612898c495c94539083aabe7c3673ff29234cd850e780");
    struct sha256 other = signing_key_derive(key, "API keys");
    assert_false(equal_constant_time(secret.bytes, other.bytes, sizeof(secret)));
}

static void test_hex(void **state UNUSED)
{
    uint8_t bytes[4] = {1, 2, 3, 4};
    assert_true(hex_decode("00fFA5", 6, bytes));
    assert_memory_equal(bytes, "\x00\xff\xa5\x04", 4);
    assert_false(hex_decode("000", 3, bytes));
    assert_false(hex_decode("11g1", 4, bytes));
    assert_false(hex_decode("1 ", 2, bytes));
    assert_memory_equal(bytes, "\x00\xff\xa5\x04", 4);
    assert_true(hex_decode("", 0, bytes));
}

/* RFC 4648 section 10, less the padding, and the two digits that are the URL alphabet's own */
static void test_base64url(void **state UNUSED)
{
    static const char *const cases[][2] = {{"", ""},           {"f", "Zg"},         {"fo", "Zm8"},
                                           {"foo", "Zm9v"},    {"foob", "Zm9vYg"},  {"fooba", "Zm9vYmE"},
                                           {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xfe", "-__-"}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf text CLEANUP(buf_release);
        struct buf data CLEANUP(buf_release);
        struct err err = {0};
        buf_init(&text, 100);
        buf_init(&data, 100);
        base64url_encode(&text, cases[i][0], strlen(cases[i][0]));
        assert_string_equal(text.data, cases[i][1]);
        assert_int_equal(base64url_decode(&data, text.data, text.length, &err), 0);
        assert_string_equal(data.data, cases[i][0]);
    }
}

static void test_base64url_has_one_form_only(void **state UNUSED)
{
    static const char *const wrong[] = {"Zg==", "Zm8=", "Z",    "Zm9vY",  "Zh",    "Zm9",
                                        "Zm+v", "Zm/v", "Zm.v", "Zm9v\n", " Zm9v"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct buf data CLEANUP(buf_release);
        struct err err = {0};
        buf_init(&data, 100);
        buf_text(&data, "before");
        if (base64url_decode(&data, wrong[i], strlen(wrong[i]), &err) != -1)
            fail_msg("%s is accepted", wrong[i]);
        assert_string_equal(data.data, "before");
        assert_int_not_equal(err.reason, ERR_OK);
    }
    struct buf small CLEANUP(buf_release);
    struct err err = {0};
    buf_init(&small, 2);
    assert_int_equal(base64url_decode(&small, "Zm9v", 4, &err), -1);
}

static void test_random_and_comparison(void **state UNUSED)
{
    uint8_t a[300] = {0}, b[300] = {0};
    random_bytes(a, sizeof(a));
    random_bytes(b, sizeof(b));
    assert_false(equal_constant_time(a, b, sizeof(a)));
    assert_true(equal_constant_time(a, a, sizeof(a)));
    assert_true(equal_constant_time(a, b, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_sha256_in_pieces),
        cmocka_unit_test(test_hmac_sha256),
        cmocka_unit_test(test_ed25519_vectors),
        cmocka_unit_test(test_ed25519_finds_every_changed_byte),
        cmocka_unit_test(test_pem_there_and_back),
        cmocka_unit_test(test_other_keys_are_refused),
        cmocka_unit_test(test_derived_secrets),
        cmocka_unit_test(test_hex),
        cmocka_unit_test(test_base64url),
        cmocka_unit_test(test_base64url_has_one_form_only),
        cmocka_unit_test(test_random_and_comparison),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
