/* What a service's table may lack is found without a database, by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <isms/app/app.h>

static const struct sql_text no_sql[] = {{0}};

static int run_nothing(struct call *call UNUSED, const ProtobufCMessage *request UNUSED,
                       ProtobufCMessage *response UNUSED, struct err *err UNUSED)
{
    return 0;
}

static void a_service_without_its_rpcs_is_refused_and_one_of_them_named(void **state)
{
    (void)state;
    struct app_service service = {.name = "actions", .package = "isms.actions.v1", .sql = no_sql};
    struct err err = {0};

    assert_int_equal(app_check(&service, &err), -1);
    assert_non_null(strstr(err.message, "Action"));
}

static void a_handler_of_no_rpc_is_refused_by_name(void **state)
{
    (void)state;
    static const struct rpc_handler handlers[] = {{"MisspeltMethod", run_nothing}, {0}};
    struct app_service service = {
        .name = "actions", .package = "isms.actions.v1", .sql = no_sql, .handlers = handlers};
    struct err err = {0};

    assert_int_equal(app_check(&service, &err), -1);
    assert_non_null(strstr(err.message, "MisspeltMethod"));
}

static void a_package_without_rpcs_needs_nothing(void **state)
{
    (void)state;
    struct app_service service = {.name = "none", .package = "isms.none.v1", .sql = no_sql};
    struct err err = {0};

    assert_int_equal(app_check(&service, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_without_its_rpcs_is_refused_and_one_of_them_named),
        cmocka_unit_test(a_handler_of_no_rpc_is_refused_by_name),
        cmocka_unit_test(a_package_without_rpcs_needs_nothing),
    };
    return cmocka_run_group_tests_name("app_check", tests, NULL, NULL);
}
