/* A page token works for the query, method and tenant it was made for, and for nothing else. */
#include "library.h"

#include <isms/proto/page_token.h>

static const struct page_secret secret = {.bytes = {1, 2, 3}, .lifetime_us = 1000};
static const struct page_scope scope = {.tenant = {{7}}, .method = "/a/B", .query = {{9}}, .now_us = 5000};
static struct err err;

static char *token_make(void)
{
    const struct page_keys keys = {.count = 3, .values = {"2026-01-01", NULL, ""}};
    char *token = NULL;
    assert_int_equal(page_token_make(&secret, &scope, &keys, &arena, &token, &err), 0);
    return token;
}

static void refused(const struct page_secret *with, const struct page_scope *in, const char *token)
{
    struct page_keys keys = {.count = 77};
    memset(&err, 0, sizeof(err));
    assert_int_equal(page_token_check(with, in, token, &arena, &keys, &err), -1);
    assert_int_equal(err.reason, ERR_PAGE_TOKEN_INVALID);
    assert_string_equal(err.message, err_reason_text(ERR_PAGE_TOKEN_INVALID));
    assert_int_equal(err.metadata_count + err.violation_count, 0);
    assert_int_equal(keys.count, 77);
}

static void test_round_trip(void **state)
{
    (void)state;
    struct page_keys keys;
    assert_int_equal(page_token_check(&secret, &scope, token_make(), &arena, &keys, &err), 0);
    assert_int_equal(keys.count, 3);
    assert_string_equal(keys.values[0], "2026-01-01");
    assert_null(keys.values[1]);
    assert_string_equal(keys.values[2], "");
}

static void test_everything_else_is_refused_alike(void **state)
{
    (void)state;
    char *token = token_make();
    struct page_scope other = scope;
    other.tenant.bytes[0] = 8;
    refused(&secret, &other, token);
    other = scope;
    other.method = "/a/C";
    refused(&secret, &other, token);
    other = scope;
    other.query.bytes[31] = 1;
    refused(&secret, &other, token);
    other = scope;
    other.now_us += 1001;
    refused(&secret, &other, token);
    struct page_secret another = secret;
    another.bytes[31] = 1;
    refused(&another, &scope, token);
    refused(&secret, &scope, "x");
    refused(&secret, &scope, "%%%%");
    for (size_t i = 0; i < strlen(token); i++) {
        char *copy = arena_strdup(&arena, token);
        copy[i] = copy[i] == 'A' ? 'B' : 'A';
        refused(&secret, &scope, copy);
        copy[i] = '\0';
        refused(&secret, &scope, copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_everything_else_is_refused_alike),
    };
    return cmocka_run_group_tests(tests, library_setup, library_teardown);
}
