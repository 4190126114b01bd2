/* A bucket gives what the rate and the burst say, to the microsecond, and says when the next token comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <isms/base/attributes.h>

#include "bucket.h"

enum { SECOND = 1000 * 1000 };

static unsigned taken(struct bucket *bucket, struct bucket_rate rate, int64_t now_us)
{
    unsigned count = 0;
    int64_t wait_us;
    while (bucket_take(bucket, rate, now_us, &wait_us))
        count++;
    return count;
}

static void a_burst_then_the_rate(void **state UNUSED)
{
    const struct bucket_rate rate = {.per_second = 100, .burst = 20};
    struct bucket bucket = bucket_full(rate, 0);
    assert_int_equal(taken(&bucket, rate, 0), 20);
    assert_int_equal(taken(&bucket, rate, SECOND / 10), 10);
    assert_int_equal(taken(&bucket, rate, SECOND / 10), 0);
    assert_int_equal(taken(&bucket, rate, INT64_C(1000) * SECOND), 20); /* a long pause saves up no more than that */
}

/* Looked at every microsecond or once a second: the same tokens come. */
static void nothing_is_rounded_away(void **state UNUSED)
{
    const struct bucket_rate rate = {.per_second = 7, .burst = 1};
    struct bucket bucket = bucket_full(rate, 0);
    unsigned count = 0;
    for (int64_t now_us = 0; now_us <= SECOND; now_us += 13)
        count += taken(&bucket, rate, now_us);
    assert_int_equal(count, 1 + 7 - (SECOND % 13 != 0)); /* the last one is due at the end of the second */
}

static void the_wait_is_what_it_takes(void **state UNUSED)
{
    const struct bucket_rate rate = {.per_second = 3, .burst = 1};
    struct bucket bucket = bucket_full(rate, 0);
    int64_t wait_us = 0;
    assert_true(bucket_take(&bucket, rate, 0, &wait_us));
    assert_false(bucket_take(&bucket, rate, 0, &wait_us));
    assert_int_equal(wait_us, 333334);
    int64_t now_us = wait_us;
    assert_false(bucket_take(&bucket, rate, now_us - 1, &wait_us));
    assert_true(bucket_take(&bucket, rate, now_us, &wait_us));
}

static void what_others_spent_is_owed(void **state UNUSED)
{
    const struct bucket_rate rate = {.per_second = 10, .burst = 10};
    struct bucket bucket = bucket_full(rate, 0);
    int64_t wait_us = 0;
    bucket_lower(&bucket, rate, 20 * BUCKET_TOKEN, 0); /* more than there is: changes nothing */
    assert_true(bucket_is_full(&bucket, rate, 0));
    bucket_lower(&bucket, rate, -5 * BUCKET_TOKEN, 0);
    assert_false(bucket_take(&bucket, rate, 0, &wait_us));
    assert_int_equal(wait_us, 6 * SECOND / 10);
    assert_int_equal(taken(&bucket, rate, SECOND), 5);
}

static void a_new_limit_counts_at_once(void **state UNUSED)
{
    const struct bucket_rate before = {.per_second = 1000, .burst = 1000}, after = {.per_second = 1, .burst = 2};
    struct bucket bucket = bucket_full(before, 0);
    assert_int_equal(taken(&bucket, after, 0), 2);
    assert_int_equal(taken(&bucket, before, SECOND / 1000), 1);
}

/* The greatest limits there can be, over the longest time. */
static void nothing_overflows(void **state UNUSED)
{
    const struct bucket_rate rate = {.per_second = 1000 * 1000, .burst = 1000 * 1000};
    struct bucket bucket = bucket_full(rate, 0);
    int64_t wait_us;
    assert_true(bucket_take(&bucket, rate, INT64_MAX / 2, &wait_us));
    bucket_lower(&bucket, rate, INT64_C(-1000) * 1000 * BUCKET_TOKEN, INT64_MAX / 2);
    assert_true(bucket_take(&bucket, rate, INT64_MAX, &wait_us));
    assert_true(bucket_take(&bucket, rate, 0, &wait_us)); /* a clock that goes back takes nothing away */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_then_the_rate),      cmocka_unit_test(nothing_is_rounded_away),
        cmocka_unit_test(the_wait_is_what_it_takes),  cmocka_unit_test(what_others_spent_is_owed),
        cmocka_unit_test(a_new_limit_counts_at_once), cmocka_unit_test(nothing_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
