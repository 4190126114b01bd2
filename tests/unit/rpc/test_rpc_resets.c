/* Who resets calls as fast as it begins them is found out, and nobody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <isms/base/attributes.h>

#include "resets.h"

enum { SECOND = 1000 * 1000, RATE = 100, BURST = 200 };

static struct resets resets; /* too large for a stack */

static int fresh(void **state UNUSED)
{
    resets_init(&resets, (struct bucket_rate){.per_second = RATE, .burst = BURST}, 0);
    return 0;
}

/* How many of `count` resets, spread evenly over a second, are too many. */
static unsigned too_many(uint64_t peer, unsigned count, int64_t start_us)
{
    unsigned found = 0;
    for (unsigned i = 0; i < count; i++)
        found += resets_count(&resets, peer, start_us + (int64_t)SECOND * i / count);
    return found;
}

static void a_burst_is_forgiven_and_more_is_not(void **state UNUSED)
{
    assert_int_equal(too_many(1, BURST, 0), 0);
    assert_false(resets_is_bad(&resets, 1, SECOND));
    assert_true(too_many(1, 2 * BURST, SECOND) > 0);
    assert_true(resets_is_bad(&resets, 1, 2 * SECOND));
}

static void the_rate_may_go_on_forever(void **state UNUSED)
{
    for (int64_t second = 0; second < 1000; second++)
        assert_int_equal(too_many(1, RATE, second * SECOND), 0);
}

static void who_was_bad_is_forgotten(void **state UNUSED)
{
    while (!resets_count(&resets, 1, SECOND))
        ;
    assert_true(resets_is_bad(&resets, 1, SECOND + RESET_BAD_US - 1));
    assert_false(resets_is_bad(&resets, 1, SECOND + RESET_BAD_US));
}

static void nobody_is_bad_for_what_others_do(void **state UNUSED)
{
    const uint64_t neighbour = 1 + RESET_PLACES; /* in the same place */
    while (!resets_count(&resets, 1, 0))
        ;
    assert_false(resets_is_bad(&resets, neighbour, 0));
    assert_false(resets_is_bad(&resets, 2, 0));
    assert_false(resets_count(&resets, 2, 0));
}

/* Peers that chose their ports to share a place have no more together than one. */
static void taking_turns_gains_nothing(void **state UNUSED)
{
    unsigned allowed = 0;
    while (!resets_count(&resets, 1 + (uint64_t)(allowed % 7) * RESET_PLACES, 0))
        allowed++;
    assert_int_equal(allowed, BURST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_burst_is_forgiven_and_more_is_not, fresh),
        cmocka_unit_test_setup(the_rate_may_go_on_forever, fresh),
        cmocka_unit_test_setup(who_was_bad_is_forgotten, fresh),
        cmocka_unit_test_setup(nobody_is_bad_for_what_others_do, fresh),
        cmocka_unit_test_setup(taking_turns_gains_nothing, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
