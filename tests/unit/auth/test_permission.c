/* Roles give what the table says and nothing by default; scopes never add up to more than either role's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <isms/auth/permission.h>
#include <isms/auth/principal.h>

static struct role_set roles_of(const enum role *roles, size_t count)
{
    struct role_set set = {0};
    for (size_t i = 0; i < count; i++)
        set = role_set_add(set, roles[i]);
    return set;
}

#define ROLES(...) \
    roles_of((const enum role[]){__VA_ARGS__}, sizeof((const enum role[]){__VA_ARGS__}) / sizeof(enum role))

static bool may(enum role role, enum permission permission)
{
    return permission_set_has(permissions_of_roles(ROLES(role)), permission);
}

static void test_names_are_exact(void **state UNUSED)
{
    for (unsigned i = 0; i < ROLE_COUNT; i++) {
        enum role role;
        assert_true(role_from_name(slice_of(role_name(i)), &role));
        assert_int_equal(role, i);
    }
    for (unsigned i = 0; i < PERMISSION_COUNT; i++) {
        enum permission permission;
        assert_true(permission_from_name(slice_of(permission_name(i)), &permission));
        assert_int_equal(permission, i);
    }
    enum role role = ROLE_AUDITOR;
    assert_false(role_from_name(slice_of("auditor"), &role));
    assert_false(role_from_name(slice_of("AUDITO"), &role));
    assert_false(role_from_name(slice_of("AUDITOR "), &role));
    assert_false(role_from_name(slice_of(NULL), &role));
    assert_int_equal(role, ROLE_AUDITOR);
}

static void test_nobody_may_anything_by_default(void **state UNUSED)
{
    assert_int_equal(permissions_of_roles((struct role_set){0}).bits, 0);
    assert_int_equal(scope_of_roles((struct role_set){0}), SCOPE_NONE);
}

static void test_every_permission_is_somebodys(void **state UNUSED)
{
    struct permission_set all = permissions_of_roles((struct role_set){(1U << ROLE_COUNT) - 1});
    assert_int_equal(all.bits, (UINT64_C(1) << PERMISSION_COUNT) - 1);
}

static void test_duties_are_separated(void **state UNUSED)
{
    assert_true(may(ROLE_TOP_MANAGEMENT, PERMISSION_REVIEWS_SIGN));
    assert_true(may(ROLE_TOP_MANAGEMENT, PERMISSION_INPUTS_READ));
    assert_false(may(ROLE_TOP_MANAGEMENT, PERMISSION_INPUTS_WRITE));
    for (unsigned role = 0; role < ROLE_COUNT; role++)
        assert_int_equal(may(role, PERMISSION_REVIEWS_SIGN), role == ROLE_TOP_MANAGEMENT);
    for (unsigned role = 0; role < ROLE_COUNT; role++)
        assert_int_equal(may(role, PERMISSION_PLATFORM_MANAGE), role == ROLE_PLATFORM_ADMIN);
    assert_int_equal(permissions_of_roles(ROLES(ROLE_PLATFORM_ADMIN)).bits,
                     UINT64_C(1) << PERMISSION_PLATFORM_MANAGE | UINT64_C(1) << PERMISSION_KEYS_MANAGE);
    for (unsigned role = 0; role < ROLE_COUNT; role++)
        assert_int_equal(may(role, PERMISSION_PLATFORM_ACT), role == ROLE_PLATFORM_AGENT);
    assert_int_equal(permissions_of_roles(ROLES(ROLE_PLATFORM_AGENT)).bits, UINT64_C(1) << PERMISSION_PLATFORM_ACT);
    for (unsigned role = 0; role < ROLE_COUNT; role++)
        assert_int_equal(may(role, PERMISSION_INTAKE_SUBMIT), role == ROLE_INTAKE);
    assert_int_equal(permissions_of_roles(ROLES(ROLE_INTAKE)).bits, UINT64_C(1) << PERMISSION_INTAKE_SUBMIT);
}

static void test_an_auditor_changes_nothing(void **state UNUSED)
{
    for (unsigned i = 0; i < PERMISSION_COUNT; i++) {
        const char *verb = strrchr(permission_name(i), '.');
        assert_non_null(verb);
        if (may(ROLE_AUDITOR, i))
            assert_string_equal(verb, ".read");
    }
}

static void test_scopes(void **state UNUSED)
{
    assert_int_equal(scope_of_roles(ROLES(ROLE_ACTION_OWNER)), SCOPE_OWN);
    assert_int_equal(scope_of_roles(ROLES(ROLE_AUDITOR)), SCOPE_AUDITOR);
    assert_int_equal(scope_of_roles(ROLES(ROLE_AUDITOR, ROLE_ACTION_OWNER)), SCOPE_OWN);
    assert_int_equal(scope_of_roles(ROLES(ROLE_PLATFORM_ADMIN)), SCOPE_PLATFORM);
    assert_int_equal(scope_of_roles(ROLES(ROLE_PLATFORM_AGENT)), SCOPE_NONE);
    assert_int_equal(scope_of_roles(ROLES(ROLE_INTAKE)), SCOPE_NONE);
    assert_int_equal(scope_of_roles(ROLES(ROLE_CONTRIBUTOR, ROLE_ACTION_OWNER)), SCOPE_ALL);
    for (unsigned i = 0; i < SCOPE_COUNT; i++) {
        enum scope scope;
        assert_true(scope_from_name(slice_of(scope_name(i)), &scope));
        assert_int_equal(scope, i);
    }
}

static void test_refusal_names_the_permission(void **state UNUSED)
{
    struct principal principal = {.kind = PRINCIPAL_KEY,
                                  .permissions = permissions_of_roles(ROLES(ROLE_AUDITOR))};
    struct err err = {0};
    assert_int_equal(principal_require(&principal, PERMISSION_ACTIONS_READ, &err), 0);
    assert_int_equal(principal_require(&principal, PERMISSION_ACTIONS_WRITE, &err), -1);
    assert_int_equal(err.reason, ERR_PERMISSION_DENIED);
    assert_string_equal(err.metadata[0].key, "permission");
    assert_string_equal(err.metadata[0].value, "actions.write");

    assert_int_equal(principal_require_person(&principal, &err), -1);
    assert_int_equal(err.reason, ERR_PERSON_REQUIRED);
    principal.kind = PRINCIPAL_SERVICE;
    assert_int_equal(principal_require_person(&principal, &err), -1);
    principal.kind = PRINCIPAL_PERSON;
    assert_int_equal(principal_require_person(&principal, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_exact),
        cmocka_unit_test(test_nobody_may_anything_by_default),
        cmocka_unit_test(test_every_permission_is_somebodys),
        cmocka_unit_test(test_duties_are_separated),
        cmocka_unit_test(test_an_auditor_changes_nothing),
        cmocka_unit_test(test_scopes),
        cmocka_unit_test(test_refusal_names_the_permission),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
