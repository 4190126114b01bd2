/* Every rpc of the package is implemented, once, by files and handlers that fit the proto file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "service.h"

static void service_is_complete(void **state UNUSED)
{
    struct err err = {0};
    if (app_check(&reporting_service, &err) < 0)
        fail_msg("%s", err.message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(service_is_complete)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
