/* Calls beyond the limits are refused with a time to retry after, and every place is given back exactly
 * once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "admission.h"

static void waiting_is_bounded_by_lane(void **state UNUSED)
{
    struct admission admission;
    struct admission_ticket tickets[3];
    struct err err = {0};
    admission_init(&admission, 100, 2);
    assert_int_equal(admission_enter(&admission, RPC_READ, &tickets[0], &err), 0);
    assert_int_equal(admission_enter(&admission, RPC_READ, &tickets[1], &err), 0);
    assert_int_equal(admission_enter(&admission, RPC_READ, &tickets[2], &err), -1);
    assert_int_equal(err.reason, ERR_OVERLOADED);
    assert_true(err.retry_after_ms > 0);
    assert_int_equal(admission_enter(&admission, RPC_WRITE, &tickets[2], &err), 0); /* another lane has room */

    admission_taken(&admission, &tickets[0]);
    assert_int_equal(admission_enter(&admission, RPC_READ, &tickets[0], &err), 0);
}

static void calls_are_bounded_over_all(void **state UNUSED)
{
    struct admission admission;
    struct admission_ticket first, second, third = {0};
    struct err err = {0};
    admission_init(&admission, 2, 100);
    assert_int_equal(admission_enter(&admission, RPC_READ, &first, &err), 0);
    assert_int_equal(admission_enter_unlaned(&admission, &second, &err), 0);
    admission_taken(&admission, &first);
    assert_int_equal(admission_enter(&admission, RPC_WRITE, &third, &err), -1);
    admission_leave(&admission, &third); /* was never in */
    assert_int_equal(admission_enter(&admission, RPC_WRITE, &third, &err), -1);
    admission_leave(&admission, &first);
    assert_int_equal(admission_enter(&admission, RPC_WRITE, &third, &err), 0);
}

static void places_are_given_back_once(void **state UNUSED)
{
    struct admission admission;
    struct admission_ticket ticket, other;
    struct err err = {0};
    admission_init(&admission, 1, 1);
    assert_int_equal(admission_enter(&admission, RPC_READ, &ticket, &err), 0);
    for (int i = 0; i < 3; i++) {
        admission_taken(&admission, &ticket);
        admission_leave(&admission, &ticket);
    }
    assert_int_equal(admission_enter(&admission, RPC_READ, &ticket, &err), 0);
    assert_int_equal(admission_enter(&admission, RPC_READ, &other, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waiting_is_bounded_by_lane),
        cmocka_unit_test(calls_are_bounded_over_all),
        cmocka_unit_test(places_are_given_back_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
