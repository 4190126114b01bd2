/* The discovery document: of the right issuer, with an address for the keys, or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "discovery.h"
#include "fetch.h"

#define ISSUER "https://login.example.test/acme"

static void test_where_it_is(void **state UNUSED)
{
    char url[FETCH_URL_SIZE];
    struct err err = {0};
    assert_int_equal(discovery_url(ISSUER, url, sizeof(url), &err), 0);
    assert_string_equal(url, ISSUER "/.well-known/openid-configuration");
    assert_int_equal(discovery_url(ISSUER "/", url, sizeof(url), &err), 0);
    assert_string_equal(url, ISSUER "/.well-known/openid-configuration");
    assert_int_equal(discovery_url(ISSUER, url, 40, &err), -1);
}

static int read_text(const char *text, char *ret_uri, struct err *ret_err)
{
    *ret_err = (struct err){0};
    return discovery_read(text, strlen(text), ISSUER, ret_uri, FETCH_URL_SIZE, ret_err);
}

static void test_a_document(void **state UNUSED)
{
    char uri[FETCH_URL_SIZE] = "";
    struct err err;
    assert_int_equal(read_text("{\"issuer\":\"" ISSUER "\",\"x\":[1],\"jwks_uri\":\"https://keys.example.test/k\"}",
                               uri, &err), 0);
    assert_string_equal(uri, "https://keys.example.test/k");
}

static void test_documents_that_are_refused(void **state UNUSED)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "not a JSON object"},
        {"[]", "not a JSON object"},
        {"{\"issuer\":\"" ISSUER "\"", "not a JSON object"},
        {"{\"issuer\":\"" ISSUER "\",\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"https://k\"}", "not a JSON object"},
        {"{\"a\":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}", "not a JSON object"},
        {"{\"jwks_uri\":\"https://k\"}", "of the issuer (none)"},
        {"{\"issuer\":[\"" ISSUER "\"],\"jwks_uri\":\"https://k\"}", "of the issuer (none)"},
        {"{\"issuer\":\"" ISSUER "/\",\"jwks_uri\":\"https://k\"}", "of the issuer " ISSUER "/, not"},
        {"{\"issuer\":\"https://evil.example.test\",\"jwks_uri\":\"https://k\"}", "of the issuer https://evil"},
        {"{\"issuer\":\"" ISSUER "\"}", "jwks_uri"},
        {"{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"\"}", "jwks_uri"},
        {"{\"issuer\":\"" ISSUER "\",\"jwks_uri\":7}", "jwks_uri"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char uri[FETCH_URL_SIZE] = "untouched";
        struct err err;
        assert_int_equal(read_text(cases[i].text, uri, &err), -1);
        assert_non_null(strstr(err.message, cases[i].says));
    }
}

static void test_addresses(void **state UNUSED)
{
    static const struct {
        const char *url;
        bool allow_http, fits;
    } cases[] = {
        {"https://login.example.test/k", false, true},    {"https://login.example.test:8443", false, true},
        {"http://login.example.test/k", false, false},    {"http://login.example.test/k", true, false},
        {"http://127.0.0.1:80/k", false, false},          {"http://127.0.0.1:80/k", true, true},
        {"http://localhost:80/k", true, true},            {"http://[::1]:80/k", true, true},
        {"http://127.0.0.1.example.test/k", true, false}, {"https://user:secret@login.example.test/", false, false},
        {"file:///etc/passwd", true, false},              {"ftp://login.example.test/", true, false},
        {"gopher://127.0.0.1/", true, false},             {"", true, false},
        {"login.example.test", true, false},              {"https://", true, false},
        {"//login.example.test/", true, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = {0};
        int result = fetch_url_check(cases[i].url, cases[i].allow_http, &err);
        if ((result == 0) != cases[i].fits)
            fail_msg("%s: %d %s", cases[i].url, result, err.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_it_is),
        cmocka_unit_test(test_a_document),
        cmocka_unit_test(test_documents_that_are_refused),
        cmocka_unit_test(test_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
