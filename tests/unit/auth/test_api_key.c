/* One key has one text; every other text is no key; two keys never share a secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <isms/auth/api_key.h>

static void test_there_and_back(void **state UNUSED)
{
    for (int i = 0; i < 200; i++) { /* secrets with '_' and '-' in every place */
        struct api_key key = api_key_make(uuid_v7(), uuid_v7()), back;
        char text[API_KEY_TEXT_SIZE], again[API_KEY_TEXT_SIZE];
        api_key_format(&key, text);
        assert_int_equal(strlen(text), API_KEY_TEXT_SIZE - 1);
        assert_true(api_key_has_prefix(text, strlen(text)));
        assert_true(api_key_parse(text, strlen(text), &back));
        assert_memory_equal(&key, &back, sizeof(key));
        api_key_format(&back, again);
        assert_string_equal(text, again);
    }
}

/* Whatever one byte is replaced by, the text is refused or names another key: never the same one. */
static void test_no_second_text_for_a_key(void **state UNUSED)
{
    struct api_key key = api_key_make(uuid_v7(), uuid_v7());
    char text[API_KEY_TEXT_SIZE];
    api_key_format(&key, text);
    for (size_t i = 0; i < API_KEY_TEXT_SIZE - 1; i++) {
        char original = text[i];
        for (int byte = 0; byte < 256; byte++) {
            struct api_key other;
            text[i] = (char)byte;
            if (text[i] != original && api_key_parse(text, API_KEY_TEXT_SIZE - 1, &other))
                assert_memory_not_equal(&key, &other, sizeof(key));
        }
        text[i] = original;
    }
}

static void test_wrong_lengths(void **state UNUSED)
{
    struct api_key key = api_key_make(uuid_v7(), uuid_v7()), other = {0};
    char text[API_KEY_TEXT_SIZE + 1];
    api_key_format(&key, text);
    for (size_t length = 0; length < API_KEY_TEXT_SIZE - 1; length++)
        assert_false(api_key_parse(text, length, &other));
    text[API_KEY_TEXT_SIZE - 1] = 'A';
    assert_false(api_key_parse(text, API_KEY_TEXT_SIZE, &other));
    assert_true(uuid_is_nil(other.id));
}

static void test_only_the_secret_matches(void **state UNUSED)
{
    struct uuid tenant = uuid_v7(), id = uuid_v7();
    struct api_key key = api_key_make(tenant, id), other = api_key_make(tenant, id);
    struct sha256 stored = api_key_hash(&key), none = {{0}};
    assert_true(api_key_matches(&key, &stored));
    assert_false(api_key_matches(&other, &stored));
    assert_false(api_key_matches(&key, &none));
    key.secret[31] ^= 1;
    assert_false(api_key_matches(&key, &stored));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_no_second_text_for_a_key),
        cmocka_unit_test(test_wrong_lengths),
        cmocka_unit_test(test_only_the_secret_matches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
