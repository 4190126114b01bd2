/* UTF-8 against the Unicode standard's table 3-7: every code point, every wrong form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <isms/base/attributes.h>
#include <isms/base/utf8.h>

/* Encodes without judging, so that wrong forms can be made too. */
static size_t encode(uint32_t code, size_t size, char *text)
{
    static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    if (size == 1) {
        text[0] = (char)code;
        return 1;
    }
    for (size_t i = size - 1; i > 0; i--, code >>= 6)
        text[i] = (char)(0x80 | (code & 0x3F));
    text[0] = (char)(leads[size] | code);
    return size;
}

static size_t size_of(uint32_t code)
{
    return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

static void test_every_code_point(void **state UNUSED)
{
    for (uint32_t code = 0; code < 0x120000; code++) {
        char text[4];
        size_t size = encode(code, size_of(code), text);
        bool expected = code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF);
        if (utf8_is_valid(text, size) != expected)
            fail_msg("U+%X is taken for %s", (unsigned)code, expected ? "invalid" : "valid");
        if (size > 1 && utf8_is_valid(text, size - 1))
            fail_msg("U+%X is valid when cut", (unsigned)code);
    }
}

static void test_overlong_forms(void **state UNUSED)
{
    for (uint32_t code = 0; code < 0x10000; code++)
        for (size_t size = size_of(code) + 1; size <= 4; size++) {
            char text[4];
            if (utf8_is_valid(text, encode(code, size, text)))
                fail_msg("U+%X is valid in %d bytes", (unsigned)code, (int)size);
        }
}

static void test_stray_bytes_at_every_position(void **state UNUSED)
{
    static const unsigned char wrong[] = {0x80, 0xBF, 0xC0, 0xC1, 0xF5, 0xFE, 0xFF, 0xC3, 0xE2, 0xF0};
    for (size_t i = 0; i < 20; i++)
        for (size_t j = 0; j < ARRAY_SIZE(wrong); j++) {
            char text[20];
            memset(text, 'a', sizeof(text));
            assert_true(utf8_is_valid(text, sizeof(text)));
            text[i] = (char)wrong[j];
            assert_false(utf8_is_valid(text, sizeof(text)));
        }
    assert_true(utf8_is_valid("", 0));
    assert_true(utf8_is_valid("a\0b", 3));
}

static void test_length_counts_characters(void **state UNUSED)
{
    assert_int_equal(utf8_length("", 0), 0);
    assert_int_equal(utf8_length("Größe 尺寸 😀", strlen("Größe 尺寸 😀")), 10);
}

static void test_cut_keeps_characters_whole(void **state UNUSED)
{
    static const char text[] = "aß尺😀"; /* 1, 2, 3 and 4 bytes */
    static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10, 10};
    for (size_t max = 0; max < ARRAY_SIZE(expected); max++)
        assert_int_equal(utf8_cut(text, strlen(text), max), expected[max]);
    assert_int_equal(utf8_cut(text, 5, 5), 3); /* already cut inside a character */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_point),
        cmocka_unit_test(test_overlong_forms),
        cmocka_unit_test(test_stray_bytes_at_every_position),
        cmocka_unit_test(test_length_counts_characters),
        cmocka_unit_test(test_cut_keeps_characters_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
