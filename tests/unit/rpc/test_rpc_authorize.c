/* Who may call a method: holders of its permission, the services it names, and nobody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "internal.h"

static char *callers[] = {"reviews", "reporting"};

static enum err_reason asked(Isms__Options__V1__MethodRules rules, const char *service, enum role role,
                             enum principal_kind kind)
{
    struct method method = {.rules = &rules};
    struct rpc_method rpc = {.method = &method, .permission = PERMISSION_ACTIONS_WRITE};
    struct principal principal = {.kind = kind, .roles = role_set_add((struct role_set){0}, role)};
    principal.permissions = permissions_of_roles(principal.roles);
    snprintf(principal.service, sizeof(principal.service), "%s", service);
    struct err err = {0};
    return principal_may_call(&principal, &rpc, &err) == 0 ? ERR_OK : err.reason;
}

static Isms__Options__V1__MethodRules rules_make(bool internal, bool person)
{
    Isms__Options__V1__MethodRules rules = ISMS__OPTIONS__V1__METHOD_RULES__INIT;
    rules.n_callers = ARRAY_SIZE(callers);
    rules.callers = callers;
    rules.internal = internal;
    rules.person = person;
    return rules;
}

static void permission_is_needed(void **state UNUSED)
{
    Isms__Options__V1__MethodRules rules = rules_make(false, false);
    assert_int_equal(asked(rules, "", ROLE_ISMS_MANAGER, PRINCIPAL_KEY), ERR_OK);
    assert_int_equal(asked(rules, "", ROLE_AUDITOR, PRINCIPAL_KEY), ERR_PERMISSION_DENIED);
}

static void services_are_named(void **state UNUSED)
{
    Isms__Options__V1__MethodRules rules = rules_make(false, false);
    assert_int_equal(asked(rules, "reviews", ROLE_AUDITOR, PRINCIPAL_SERVICE), ERR_OK);
    assert_int_equal(asked(rules, "reporting", ROLE_AUDITOR, PRINCIPAL_JOB), ERR_OK);
    /* On behalf of somebody who might: the service still may not. */
    assert_int_equal(asked(rules, "inputs", ROLE_ISMS_MANAGER, PRINCIPAL_SERVICE), ERR_PERMISSION_DENIED);
}

static void internal_methods_are_for_services(void **state UNUSED)
{
    Isms__Options__V1__MethodRules rules = rules_make(true, false);
    assert_int_equal(asked(rules, "", ROLE_ISMS_MANAGER, PRINCIPAL_PERSON), ERR_PERMISSION_DENIED);
    assert_int_equal(asked(rules, "reviews", ROLE_ISMS_MANAGER, PRINCIPAL_SERVICE), ERR_OK);
}

static void signing_needs_a_person(void **state UNUSED)
{
    Isms__Options__V1__MethodRules rules = rules_make(false, true);
    assert_int_equal(asked(rules, "", ROLE_ISMS_MANAGER, PRINCIPAL_KEY), ERR_PERSON_REQUIRED);
    assert_int_equal(asked(rules, "", ROLE_ISMS_MANAGER, PRINCIPAL_PERSON), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(permission_is_needed),
        cmocka_unit_test(services_are_named),
        cmocka_unit_test(internal_methods_are_for_services),
        cmocka_unit_test(signing_needs_a_person),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
