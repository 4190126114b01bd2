/* Every part of a URL lands where it belongs, and what is wrong is refused without repeating a password. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "redis_url.h"

static void test_parts(void **state UNUSED)
{
    static const struct {
        const char *text;
        struct redis_url url;
    } cases[] = {
        {"redis://h", {"h", 6379, "", "", 0}},
        {"redis://h/", {"h", 6379, "", "", 0}},
        {"REDIS://cache.example.test:7000/15", {"cache.example.test", 7000, "", "", 15}},
        {"redis://:secret@h:1/2", {"h", 1, "", "secret", 2}},
        {"redis://isms:p%40ss%2Fw:rd@10.0.0.1:65535", {"10.0.0.1", 65535, "isms", "p@ss/w:rd", 0}},
        {"redis://isms:p@ss/word@h/1", {"h", 6379, "isms", "p@ss/word", 1}},
        {"redis://[::1]:6380/1", {"::1", 6380, "", "", 1}},
        {"redis://u:p@[fe80::1]", {"fe80::1", 6379, "u", "p", 0}},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct redis_url url;
        struct err err = {0};
        assert_int_equal(redis_url_parse(cases[i].text, &url, &err), 0);
        assert_string_equal(url.host, cases[i].url.host);
        assert_int_equal(url.port, cases[i].url.port);
        assert_string_equal(url.user, cases[i].url.user);
        assert_string_equal(url.password, cases[i].url.password);
        assert_int_equal(url.database, cases[i].url.database);
    }
}

static void test_refusals(void **state UNUSED)
{
    static const char *const texts[] = {
        "", "redis", "redis:/h", "http://hunter2@h", "redis://", "redis:///1", "redis://:6379", "redis://h:0",
        "redis://h:65536", "redis://h:6379x", "redis://h:-1", "redis://h:", "redis://h/x", "redis://h/1024",
        "redis://h/1/2", "redis://[::1", "redis://::1", "redis://[]", "redis://[::1]x", "redis://hunter2@h",
        "redis://u:@h", "redis://u:hunter2@", "redis://u:hunter2%zz@h", "redis://u:hunter2%00@h",
        "redis://u:hunter2%4@h", "rediss://u:hunter2@h",
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct redis_url url = {.port = 7};
        struct err err = {0};
        assert_int_equal(redis_url_parse(texts[i], &url, &err), -1);
        assert_int_equal(err.reason, ERR_FIELD_INVALID);
        assert_null(strstr(err.message, "hunter2"));
        assert_int_equal(url.port, 7);
    }
    char text[1024] = "redis://";
    memset(text + 8, 'h', 300);
    struct redis_url url;
    struct err err = {0};
    assert_int_equal(redis_url_parse(text, &url, &err), -1);
    assert_int_equal(redis_url_parse("rediss://h", &url, &err), -1);
    assert_non_null(strstr(err.message, "rediss://"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
