/* How long a broken database is left alone: longer each time, never for ever, never all at the same moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <isms/base/attributes.h>
#include <isms/db/backoff.h>

static void test_a_new_one_does_not_wait(void **state UNUSED)
{
    struct backoff backoff = {0};
    assert_int_equal(backoff_remaining(&backoff, 0), 0);
    assert_int_equal(backoff_remaining(&backoff, INT64_MAX), 0);
}

static void test_the_wait_doubles_up_to_the_maximum(void **state UNUSED)
{
    static const int64_t expected_ms[] = {50, 100, 200, 400, 800, 1600, 2000, 2000, 2000};
    struct backoff backoff = {0};
    int64_t now_us = 1000;
    for (size_t i = 0; i < ARRAY_SIZE(expected_ms); i++) {
        backoff_failed(&backoff, now_us, 0);
        assert_int_equal(backoff_remaining(&backoff, now_us), expected_ms[i] * 1000);
        now_us += expected_ms[i] * 1000;
        assert_int_equal(backoff_remaining(&backoff, now_us - 1), 1);
        assert_int_equal(backoff_remaining(&backoff, now_us), 0);
    }
}

static void test_chance_takes_up_to_half_of_it(void **state UNUSED)
{
    struct backoff least = {0};
    struct backoff middle = {0};
    backoff_failed(&least, 0, UINT32_MAX);
    backoff_failed(&middle, 0, UINT32_MAX / 2);
    assert_int_equal(backoff_remaining(&least, 0), BACKOFF_FIRST_US / 2);
    assert_in_range(backoff_remaining(&middle, 0), BACKOFF_FIRST_US / 2 + 1, BACKOFF_FIRST_US - 1);
}

static void test_it_never_waits_longer_however_often_it_failed(void **state UNUSED)
{
    struct backoff backoff = {0};
    for (int i = 0; i < 100000; i++)
        backoff_failed(&backoff, 7, 0);
    assert_int_equal(backoff_remaining(&backoff, 7), BACKOFF_MAX_US);
}

static void test_success_forgets_the_failures(void **state UNUSED)
{
    struct backoff backoff = {0};
    for (int i = 0; i < 5; i++)
        backoff_failed(&backoff, 0, 0);
    backoff_succeeded(&backoff);
    assert_int_equal(backoff_remaining(&backoff, 0), 0);
    backoff_failed(&backoff, 0, 0);
    assert_int_equal(backoff_remaining(&backoff, 0), BACKOFF_FIRST_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_one_does_not_wait),
        cmocka_unit_test(test_the_wait_doubles_up_to_the_maximum),
        cmocka_unit_test(test_chance_takes_up_to_half_of_it),
        cmocka_unit_test(test_it_never_waits_longer_however_often_it_failed),
        cmocka_unit_test(test_success_forgets_the_failures),
    };
    return cmocka_run_group_tests_name("db backoff", tests, NULL, NULL);
}
