/* Whatever the text holds, it comes out as one valid JSON string. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include <isms/base/crypto.h>
#include <isms/base/json_text.h>
#include <isms/base/utf8.h>

static void assert_json_text(const char *text, size_t length, const char *expected)
{
    struct buf buf CLEANUP(buf_release);
    buf_init(&buf, 1000);
    json_text_append(&buf, text, length);
    assert_string_equal(buf.data, expected);
}

static void test_escapes(void **state UNUSED)
{
    assert_json_text("", 0, "\"\"");
    assert_json_text("Größe", 7, "\"Größe\"");
    assert_json_text("a\"b\\c/d", 7, "\"a\\\"b\\\\c/d\"");
    assert_json_text("\b\t\n\f\r\x01\x1f\x7f", 8, "\"\\b\\t\\n\\f\\r\\u0001\\u001f\x7f\"");
    assert_json_text("a\0b", 3, "\"a\\u0000b\"");
}

static void test_bytes_that_are_not_text_are_replaced(void **state UNUSED)
{
    assert_json_text("a\xFF" "b", 3, "\"a\uFFFDb\"");
    assert_json_text("\xC3", 1, "\"\uFFFD\"");
    assert_json_text("\xED\xA0\x80", 3, "\"\uFFFD\uFFFD\uFFFD\"");
    assert_json_text("\xF0\x9F\x98", 3, "\"\uFFFD\uFFFD\uFFFD\"");
}

static void test_random_bytes_always_make_json(void **state UNUSED)
{
    for (int round = 0; round < 2000; round++) {
        char bytes[64];
        struct buf buf CLEANUP(buf_release);
        random_bytes(bytes, sizeof(bytes));
        buf_init(&buf, 1000);
        json_text_append(&buf, bytes, sizeof(bytes));
        json_t *value = json_loadb(buf.data, buf.length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_non_null(value);
        if (utf8_is_valid(bytes, sizeof(bytes)))
            assert_memory_equal(json_string_value(value), bytes, sizeof(bytes));
        json_decref(value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_bytes_that_are_not_text_are_replaced),
        cmocka_unit_test(test_random_bytes_always_make_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
