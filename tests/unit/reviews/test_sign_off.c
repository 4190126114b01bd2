/* What a sign-in must be like for a signature. */
#include "sign_off.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include <isms/base/attributes.h>

static const int64_t NOW = INT64_C(1800000000000000);
static const int64_t MINUTE = 60 * INT64_C(1000000);

static Isms__Reviews__V1__SignOff policy(char **acr_values, size_t count)
{
    Isms__Reviews__V1__SignOff policy = ISMS__REVIEWS__V1__SIGN_OFF__INIT;
    policy.max_auth_age_seconds = 900;
    policy.acr_values = acr_values;
    policy.n_acr_values = count;
    return policy;
}

static void test_a_recent_sign_in_signs(void **state UNUSED)
{
    struct err err;
    Isms__Reviews__V1__SignOff any = policy(NULL, 0);
    assert_int_equal(sign_off_check(&any, "", NOW - MINUTE, NOW, &err), 0);
    assert_int_equal(sign_off_check(&any, "", NOW - 15 * MINUTE, NOW, &err), 0);
    assert_int_equal(sign_off_check(&any, "1", NOW - 15 * MINUTE - 1, NOW, &err), -1);
}

static void test_a_token_that_does_not_say_when_does_not_sign(void **state UNUSED)
{
    struct err err;
    Isms__Reviews__V1__SignOff any = policy(NULL, 0);
    assert_int_equal(sign_off_check(&any, "2", 0, NOW, &err), -1);
    assert_int_equal(err.reason, ERR_AUTHENTICATION_INSUFFICIENT);
    assert_int_equal(err.metadata_count, 1);
    assert_string_equal(err.metadata[0].key, "max_age");
    assert_string_equal(err.metadata[0].value, "900");
}

static void test_the_class_is_one_of_those_asked_for(void **state UNUSED)
{
    struct err err;
    char *values[] = {"silver", "gold"};
    Isms__Reviews__V1__SignOff strong = policy(values, 2);
    assert_int_equal(sign_off_check(&strong, "gold", NOW, NOW, &err), 0);
    const char *const weaker[] = {"", "bronze", "gol", "golden", "silver gold", "GOLD"};
    for (size_t i = 0; i < ARRAY_SIZE(weaker); i++) {
        assert_int_equal(sign_off_check(&strong, weaker[i], NOW, NOW, &err), -1);
        assert_string_equal(err.metadata[1].key, "acr_values");
        assert_string_equal(err.metadata[1].value, "silver gold");
    }
}

/* A value that was cut off would be one that nobody can ask for. */
static void test_only_whole_values_are_told(void **state UNUSED)
{
    struct err err;
    char first[81] = {0}, second[81] = {0};
    memset(first, 'a', 80);
    memset(second, 'b', 80);
    char *values[] = {first, second, "gold"};
    Isms__Reviews__V1__SignOff strong = policy(values, 3);
    assert_int_equal(sign_off_check(&strong, "", NOW, NOW, &err), -1);
    assert_memory_equal(err.metadata[1].value, first, 80);
    assert_string_equal(err.metadata[1].value + 80, " gold");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_recent_sign_in_signs),
        cmocka_unit_test(test_a_token_that_does_not_say_when_does_not_sign),
        cmocka_unit_test(test_the_class_is_one_of_those_asked_for),
        cmocka_unit_test(test_only_whole_values_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
