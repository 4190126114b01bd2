/* test_inputs_service.c: every rpc of the service has its implementation. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <service.h>

static void the_service_is_complete(void **state)
{
    (void)state;
    struct err err = {0};
    int result = app_check(&inputs_service, &err);
    if (result != 0)
        print_error("%s\n", err.message);
    assert_int_equal(result, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_service_is_complete)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
