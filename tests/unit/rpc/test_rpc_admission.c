/* Calls beyond the limits are refused with a time to retry after, one flow never takes all places, and every place is
 * given back exactly once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "admission.h"

static struct fair_flow flow, other_flow;

static int setup(void **state UNUSED)
{
    flow = (struct fair_flow){0};
    other_flow = (struct fair_flow){0};
    return 0;
}

static void waiting_is_bounded_by_lane(void **state UNUSED)
{
    struct admission admission;
    struct admission_ticket tickets[3] = {{0}};
    struct err err = {0};
    admission_init(&admission, 100, 2);
    assert_int_equal(admission_wait(&admission, &tickets[0], RPC_READ, &flow, &err), 0);
    assert_int_equal(admission_wait(&admission, &tickets[1], RPC_READ, &flow, &err), 0);
    assert_int_equal(admission_wait(&admission, &tickets[2], RPC_READ, &other_flow, &err), -1);
    assert_int_equal(err.reason, ERR_OVERLOADED);
    assert_true(err.retry_after_ms > 0);
    assert_int_equal(admission_wait(&admission, &tickets[2], RPC_WRITE, &flow, &err), 0); /* another lane has room */

    admission_taken(&admission, &tickets[0]);
    assert_int_equal(admission_wait(&admission, &tickets[0], RPC_READ, &flow, &err), 0);
}

static void a_flood_leaves_places_to_others(void **state UNUSED)
{
    struct admission admission;
    struct admission_ticket tickets[100] = {{0}}, single = {0};
    struct err err = {0};
    unsigned flood = 0;
    admission_init(&admission, 1000, 100);
    while (flood < 100 && admission_wait(&admission, &tickets[flood], RPC_READ, &flow, &err) == 0)
        flood++;
    assert_int_equal(flood, 80);
    assert_int_equal(admission_wait(&admission, &single, RPC_READ, &other_flow, &err), 0);
}

static void calls_are_bounded_over_all(void **state UNUSED)
{
    struct admission admission;
    struct admission_ticket first = {0}, second = {0}, third = {0};
    struct err err = {0};
    admission_init(&admission, 2, 100);
    assert_int_equal(admission_enter(&admission, &first, &err), 0);
    assert_int_equal(admission_enter(&admission, &second, &err), 0);
    admission_taken(&admission, &first);
    assert_int_equal(admission_enter(&admission, &third, &err), -1);
    admission_leave(&admission, &third); /* was never in */
    assert_int_equal(admission_enter(&admission, &third, &err), -1);
    admission_leave(&admission, &first);
    assert_int_equal(admission_enter(&admission, &third, &err), 0);
}

/* From the admission lane to its own and, held up, to the exclusive one: one place at a time. */
static void a_place_is_exchanged(void **state UNUSED)
{
    struct admission admission;
    struct admission_ticket ticket = {0}, blocker = {0};
    struct err err = {0};
    admission_init(&admission, 10, 1);
    assert_int_equal(admission_wait(&admission, &ticket, RPC_ADMISSION, &flow, &err), 0);
    assert_int_equal(admission_wait(&admission, &ticket, RPC_WRITE, &other_flow, &err), 0);
    assert_int_equal(atomic_load(&admission.waiting[RPC_ADMISSION]), 0);
    assert_int_equal(atomic_load(&flow.waiting), 0);
    assert_int_equal(admission_wait(&admission, &blocker, RPC_EXCLUSIVE, &flow, &err), 0);
    assert_int_equal(admission_wait(&admission, &ticket, RPC_EXCLUSIVE, &other_flow, &err), -1);
    assert_int_equal(ticket.lane, RPC_WRITE); /* and it still has the place it had */
    assert_int_equal(atomic_load(&admission.waiting[RPC_WRITE]), 1);
}

static void places_are_given_back_once(void **state UNUSED)
{
    struct admission admission;
    struct admission_ticket ticket = {0}, other = {0};
    struct err err = {0};
    admission_init(&admission, 1, 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(admission_enter(&admission, &ticket, &err), 0);
        assert_int_equal(admission_wait(&admission, &ticket, RPC_READ, &flow, &err), 0);
        assert_int_equal(admission_enter(&admission, &other, &err), -1);
        for (int again = 0; again < 3; again++) {
            admission_taken(&admission, &ticket);
            admission_leave(&admission, &ticket);
        }
    }
    assert_int_equal(atomic_load(&admission.calls), 0);
    assert_int_equal(atomic_load(&flow.waiting), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(waiting_is_bounded_by_lane, setup),
        cmocka_unit_test_setup(a_flood_leaves_places_to_others, setup),
        cmocka_unit_test_setup(calls_are_bounded_over_all, setup),
        cmocka_unit_test_setup(a_place_is_exchanged, setup),
        cmocka_unit_test_setup(places_are_given_back_once, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
