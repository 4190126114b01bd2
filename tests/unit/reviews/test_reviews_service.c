/* Every rpc of the package has exactly one implementation, and every statement fits its messages. */
#include "service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void every_rpc_is_implemented(void **state UNUSED)
{
    struct err err = {0};
    if (app_check(&reviews_service, &err) != 0)
        fail_msg("%s", err.message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_rpc_is_implemented)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
