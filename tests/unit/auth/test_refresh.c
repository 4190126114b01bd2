/* When keys are fetched again, and what a token is told whose key is not among them; no clock but the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <isms/base/attributes.h>

#include "refresh.h"

static const int64_t SECOND_US = 1000000, START_US = 1000 * 1000000LL;

static struct sha256 token_named(const char *name)
{
    return sha256_of(name, 1);
}

/* Fetches at a time, and takes 0.2 s for it. */
static void fetch(struct refresh *refresh, int64_t now_us, int64_t max_age_s)
{
    assert_int_equal(refresh_wait(refresh, now_us), 0);
    refresh_begin(refresh, now_us);
    refresh_succeeded(refresh, max_age_s, now_us + SECOND_US / 5, 0);
}

static void test_at_once_and_then_as_the_issuer_asks(void **state UNUSED)
{
    static const struct {
        int64_t max_age_s, wait_s;
    } cases[] = {{-1, REFRESH_DEFAULT_S}, {0, REFRESH_LEAST_S}, {10, REFRESH_LEAST_S}, {600, 600},
                 {3600, 3600}, {86400, REFRESH_MOST_S}, {INT64_MAX, REFRESH_MOST_S}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct refresh refresh = {0};
        fetch(&refresh, START_US, cases[i].max_age_s);
        assert_int_equal(refresh_wait(&refresh, START_US + SECOND_US / 5), cases[i].wait_s * SECOND_US);
        refresh_begin(&refresh, START_US);
        refresh_succeeded(&refresh, cases[i].max_age_s, START_US, UINT32_MAX);
        assert_int_equal(refresh_wait(&refresh, START_US), cases[i].wait_s * SECOND_US * 9 / 10);
    }
}

static void test_failures_are_repeated_ever_later(void **state UNUSED)
{
    static const int64_t delays_s[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
    struct refresh refresh = {0};
    int64_t now_us = START_US;
    for (size_t i = 0; i < ARRAY_SIZE(delays_s); i++) {
        refresh_begin(&refresh, now_us);
        refresh_failed(&refresh, now_us, i % 2 ? UINT32_MAX : 0);
        int64_t wait_us = refresh_wait(&refresh, now_us);
        assert_int_equal(wait_us, delays_s[i] * SECOND_US / (i % 2 ? 2 : 1));
        now_us += wait_us;
    }
    fetch(&refresh, now_us, 600);
    refresh_begin(&refresh, now_us);
    refresh_failed(&refresh, now_us, 0);
    assert_int_equal(refresh_wait(&refresh, now_us), SECOND_US); /* from the beginning */
}

static void test_a_clock_that_is_set_back_delays_nothing(void **state UNUSED)
{
    struct refresh refresh = {0};
    fetch(&refresh, START_US, 3600);
    assert_int_equal(refresh_wait(&refresh, START_US - 86400 * SECOND_US), 0);
}

static void test_a_new_key_is_fetched_for_its_first_token(void **state UNUSED)
{
    struct refresh refresh = {0};
    struct sha256 first = token_named("1");
    int64_t retry_us;
    fetch(&refresh, START_US, 3600);
    int64_t now_us = START_US + SECOND_US;
    assert_false(refresh_lacks(&refresh, START_US, &first, now_us, &retry_us));
    assert_in_range(retry_us, 1, SECOND_US / 5);
    fetch(&refresh, now_us + 1, 3600); /* due at once, one second after the last */
    now_us += SECOND_US / 2;
    /* Still not there: refused, and again, and then asked anew, for it may have come since. */
    assert_true(refresh_lacks(&refresh, refresh.fetched_us, &first, now_us, &retry_us));
    assert_true(refresh_lacks(&refresh, refresh.fetched_us, &first, now_us + 4 * SECOND_US, &retry_us));
    assert_false(refresh_lacks(&refresh, refresh.fetched_us, &first, now_us + 6 * SECOND_US, &retry_us));
    fetch(&refresh, now_us + 6 * SECOND_US + 1, 3600);
}

static void test_a_fresh_set_may_be_older_than_the_key(void **state UNUSED)
{
    struct refresh refresh = {0};
    struct sha256 first = token_named("1"), second = token_named("2");
    int64_t retry_us;
    fetch(&refresh, START_US, 3600);
    assert_false(refresh_lacks(&refresh, START_US, &first, START_US + SECOND_US, &retry_us));
    fetch(&refresh, START_US + SECOND_US + 1, 3600);
    /* One that comes just after is not refused by that, but waits for the next. */
    int64_t now_us = START_US + 2 * SECOND_US;
    assert_false(refresh_lacks(&refresh, refresh.fetched_us, &second, now_us, &retry_us));
    assert_int_equal(refresh_wait(&refresh, now_us), 4 * SECOND_US + 1);
    assert_in_range(retry_us, 4 * SECOND_US, 5 * SECOND_US);
}

static void test_strangers_cause_no_storm(void **state UNUSED)
{
    struct refresh refresh = {0};
    unsigned fetches = 0;
    int64_t retry_us, end_us = START_US + 100 * SECOND_US;
    fetch(&refresh, START_US, 3600);
    for (int64_t now_us = START_US + 1; now_us < end_us; now_us += SECOND_US / 100) {
        struct sha256 token = sha256_of(&now_us, sizeof(now_us));
        assert_false(refresh_lacks(&refresh, refresh.fetched_us, &token, now_us, &retry_us));
        assert_in_range(retry_us, 1, 6 * SECOND_US);
        if (refresh_wait(&refresh, now_us) == 0) {
            fetch(&refresh, now_us, 3600);
            fetches++;
        }
    }
    assert_in_range(fetches, 19, 21);
}

/* Who is forgotten among many asks again, and is not refused for it. */
static void test_the_table_of_questions_is_bounded(void **state UNUSED)
{
    struct refresh refresh = {0};
    struct sha256 first = token_named("1");
    int64_t retry_us, now_us = START_US + SECOND_US;
    fetch(&refresh, START_US, 3600);
    assert_false(refresh_lacks(&refresh, START_US, &first, now_us, &retry_us));
    for (int64_t i = 1; i <= REFRESH_QUESTIONS_MAX; i++) {
        struct sha256 other = sha256_of(&i, sizeof(i));
        assert_false(refresh_lacks(&refresh, START_US, &other, now_us + i, &retry_us));
    }
    fetch(&refresh, now_us + SECOND_US, 3600);
    assert_false(refresh_lacks(&refresh, refresh.fetched_us, &first, now_us + 2 * SECOND_US, &retry_us));
}

/* Whoever looked into the set that was replaced just then looks again at once. */
static void test_a_set_that_was_replaced_decides_nothing(void **state UNUSED)
{
    struct refresh refresh = {0};
    struct sha256 first = token_named("1");
    int64_t retry_us = 1;
    fetch(&refresh, START_US, 60);
    int64_t due_us = START_US + SECOND_US / 5 + 60 * SECOND_US;
    fetch(&refresh, due_us, 60);
    assert_false(refresh_lacks(&refresh, START_US, &first, due_us + SECOND_US, &retry_us));
    assert_int_equal(retry_us, 0);
    assert_int_equal(refresh_wait(&refresh, due_us + SECOND_US / 5), 60 * SECOND_US); /* nothing is hastened */
}

static void test_who_is_away_is_asked_early_too(void **state UNUSED)
{
    struct refresh refresh = {0};
    int64_t now_us = START_US;
    for (int i = 0; i < 8; i++) {
        refresh_begin(&refresh, now_us);
        refresh_failed(&refresh, now_us, 0);
        now_us += refresh_wait(&refresh, now_us) - 1;
    }
    refresh_begin(&refresh, now_us);
    refresh_failed(&refresh, now_us, 0);
    assert_int_equal(refresh_wait(&refresh, now_us), 60 * SECOND_US);
    assert_in_range(refresh_hasten(&refresh, now_us), 1, SECOND_US / 5);
    refresh_begin(&refresh, now_us);
    refresh_failed(&refresh, now_us, 0);
    assert_in_range(refresh_hasten(&refresh, now_us), 5 * SECOND_US, 6 * SECOND_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_once_and_then_as_the_issuer_asks),
        cmocka_unit_test(test_failures_are_repeated_ever_later),
        cmocka_unit_test(test_a_clock_that_is_set_back_delays_nothing),
        cmocka_unit_test(test_a_new_key_is_fetched_for_its_first_token),
        cmocka_unit_test(test_a_fresh_set_may_be_older_than_the_key),
        cmocka_unit_test(test_strangers_cause_no_storm),
        cmocka_unit_test(test_the_table_of_questions_is_bounded),
        cmocka_unit_test(test_a_set_that_was_replaced_decides_nothing),
        cmocka_unit_test(test_who_is_away_is_asked_early_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
