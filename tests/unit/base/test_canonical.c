/* The canonical form is that of RFC 8785, byte by byte: its own examples, and what they leave out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <isms/base/canonical.h>

static void assert_canonical(const char *json, const char *expected)
{
    struct err err = {0};
    struct buf buf CLEANUP(buf_release);
    buf_init(&buf, 65536);
    json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    assert_int_equal(canonical_append(&buf, value, &err), 0);
    assert_string_equal(buf.data, expected);
    json_decref(value);
}

/* Section 3.2.2 */
static void test_example_of_the_rfc(void **state UNUSED)
{
    assert_canonical("{\"numbers\": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],\n"
                     " \"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\",\n"
                     " \"literals\": [null, true, false]}",
                     "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
                     "\"string\":\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
}

/* Section 3.2.3 */
static void test_members_sort_by_utf16_units(void **state UNUSED)
{
    assert_canonical("{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\","
                     "\"\\ufb33\":\"Hebrew Letter Dalet With Dagesh\",\"1\":\"One\","
                     "\"\\ud83d\\ude00\":\"Emoji: Grinning Face\",\"\\u0080\":\"Control\","
                     "\"\\u00f6\":\"Latin Small Letter O With Diaeresis\"}",
                     "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xC2\x80\":\"Control\","
                     "\"\u00f6\":\"Latin Small Letter O With Diaeresis\",\"\u20ac\":\"Euro Sign\","
                     "\"\U0001f600\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}");
    assert_canonical("{\"aa\":1,\"a\":2,\"\":3,\"B\":4}", "{\"\":3,\"B\":4,\"a\":2,\"aa\":1}");
}

static void test_nesting_and_order_of_arrays(void **state UNUSED)
{
    assert_canonical(" [ {\"b\" : [ ] , \"a\" : { } } , [3 , 1 , 2] ] ", "[{\"a\":{},\"b\":[]},[3,1,2]]");
}

static void test_escapes(void **state UNUSED)
{
    assert_canonical("\"\\b\\t\\n\\f\\r\\u0001\\u001f\\u007f\\u2028<>&/\"",
                     "\"\\b\\t\\n\\f\\r\\u0001\\u001f\x7f\u2028<>&/\"");
}

/* Appendix B, and 2^-44, whose shortest form is not its nearest decimal of that length. */
static void test_numbers(void **state UNUSED)
{
    static const struct {
        uint64_t bits;
        const char *text;
    } cases[] = {
        {UINT64_C(0x0000000000000000), "0"},
        {UINT64_C(0x8000000000000000), "0"},
        {UINT64_C(0x0000000000000001), "5e-324"},
        {UINT64_C(0x8000000000000001), "-5e-324"},
        {UINT64_C(0x7fefffffffffffff), "1.7976931348623157e+308"},
        {UINT64_C(0xffefffffffffffff), "-1.7976931348623157e+308"},
        {UINT64_C(0x4340000000000000), "9007199254740992"},
        {UINT64_C(0xc340000000000000), "-9007199254740992"},
        {UINT64_C(0x4430000000000000), "295147905179352830000"},
        {UINT64_C(0x44b52d02c7e14af5), "9.999999999999997e+22"},
        {UINT64_C(0x44b52d02c7e14af6), "1e+23"},
        {UINT64_C(0x44b52d02c7e14af7), "1.0000000000000001e+23"},
        {UINT64_C(0x444b1ae4d6e2ef4e), "999999999999999700000"},
        {UINT64_C(0x444b1ae4d6e2ef4f), "999999999999999900000"},
        {UINT64_C(0x444b1ae4d6e2ef50), "1e+21"},
        {UINT64_C(0x3eb0c6f7a0b5ed8c), "9.999999999999997e-7"},
        {UINT64_C(0x3eb0c6f7a0b5ed8d), "0.000001"},
        {UINT64_C(0x41b3de4355555553), "333333333.3333332"},
        {UINT64_C(0x41b3de4355555554), "333333333.33333325"},
        {UINT64_C(0x41b3de4355555555), "333333333.3333333"},
        {UINT64_C(0x41b3de4355555556), "333333333.3333334"},
        {UINT64_C(0x41b3de4355555557), "333333333.33333343"},
        {UINT64_C(0xbecbf647612f3696), "-0.0000033333333333333333"},
        {UINT64_C(0x43143ff3c1cb0959), "1424953923781206.2"},
        {UINT64_C(0x3d30000000000000), "5.684341886080802e-14"},
        {UINT64_C(0x3fb999999999999a), "0.1"},
        {UINT64_C(0x4059000000000000), "100"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = {0};
        struct buf buf CLEANUP(buf_release);
        double number;
        memcpy(&number, &cases[i].bits, sizeof(number));
        buf_init(&buf, 100);
        json_t *value = json_real(number);
        assert_int_equal(canonical_append(&buf, value, &err), 0);
        assert_string_equal(buf.data, cases[i].text);
        json_decref(value);
    }
}

static void test_integers_up_to_what_a_double_holds(void **state UNUSED)
{
    assert_canonical("[0,-1,9007199254740992,-9007199254740992]", "[0,-1,9007199254740992,-9007199254740992]");
    const json_int_t beyond[] = {9007199254740993, -9007199254740993};
    for (size_t i = 0; i < ARRAY_SIZE(beyond); i++) {
        struct err err = {0};
        struct buf buf CLEANUP(buf_release);
        buf_init(&buf, 100);
        json_t *value = json_integer(beyond[i]);
        assert_int_equal(canonical_append(&buf, value, &err), -1);
        assert_int_equal(err.reason, ERR_FIELD_INVALID);
        json_decref(value);
    }
}

static void test_what_cannot_be_written_is_refused(void **state UNUSED)
{
    struct err err = {0};
    struct buf buf CLEANUP(buf_release);
    buf_init(&buf, 4096);
    json_t *text = json_string_nocheck("\xC3(");
    assert_int_equal(canonical_append(&buf, text, &err), -1);
    json_decref(text);

    json_t *deep = json_array();
    for (int i = 0; i < 1000; i++) {
        json_t *outer = json_array();
        json_array_append_new(outer, deep);
        deep = outer;
    }
    assert_int_equal(canonical_append(&buf, deep, &err), -1);
    assert_int_equal(err.reason, ERR_FIELD_INVALID);
    json_decref(deep);

    struct buf small CLEANUP(buf_release);
    buf_init(&small, 3);
    json_t *large = json_string("longer");
    assert_int_equal(canonical_append(&small, large, &err), -1);
    assert_int_equal(err.reason, ERR_MESSAGE_TOO_LARGE);
    json_decref(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example_of_the_rfc),
        cmocka_unit_test(test_members_sort_by_utf16_units),
        cmocka_unit_test(test_nesting_and_order_of_arrays),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_integers_up_to_what_a_double_holds),
        cmocka_unit_test(test_what_cannot_be_written_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
