/* permission.c: the two tables as arrays; sets are masks computed by the compiler. */
#include <isms/auth/permission.h>

#include <isms/base/attributes.h>

_Static_assert(PERMISSION_COUNT <= 64, "a permission_set is 64 bits");
_Static_assert(ROLE_COUNT <= 32, "a role_set is 32 bits");

static const char *const permission_names[] = {
#define X(name, text_name, text) text_name,
#include <isms/auth/permissions.def>
#undef X
};

static const char *const role_names[] = {
#define X(name, text, permissions) #name,
#include <isms/auth/roles.def>
#undef X
};

static const uint64_t role_permissions[] = {
#define P(name) | UINT64_C(1) << PERMISSION_##name
#define X(name, text, permissions) 0 permissions,
#include <isms/auth/roles.def>
#undef X
#undef P
};

static const char *const scope_names[] = {
    [SCOPE_NONE] = "none",         [SCOPE_OWN] = "own", [SCOPE_AUDITOR] = "auditor",
    [SCOPE_PLATFORM] = "platform", [SCOPE_ALL] = "all",
};

static bool name_find(const char *const *names, unsigned count, struct slice name, unsigned *ret_index)
{
    for (unsigned i = 0; i < count; i++) {
        if (slice_equals(name, names[i])) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

bool role_from_name(struct slice name, enum role *ret_role)
{
    return name_find(role_names, ROLE_COUNT, name, ret_role);
}

bool permission_from_name(struct slice name, enum permission *ret_permission)
{
    return name_find(permission_names, PERMISSION_COUNT, name, ret_permission);
}

bool scope_from_name(struct slice name, enum scope *ret_scope)
{
    return name_find(scope_names, SCOPE_COUNT, name, ret_scope);
}

const char *role_name(enum role role)
{
    return role_names[role];
}

const char *permission_name(enum permission permission)
{
    return permission_names[permission];
}

const char *scope_name(enum scope scope)
{
    return scope_names[scope];
}

struct permission_set permissions_of_roles(struct role_set roles)
{
    struct permission_set set = {0};
    for (unsigned role = 0; role < ROLE_COUNT; role++)
        if (role_set_has(roles, role))
            set.bits |= role_permissions[role];
    return set;
}

enum scope scope_of_roles(struct role_set roles)
{
    const uint32_t narrow = UINT32_C(1) << ROLE_ACTION_OWNER | UINT32_C(1) << ROLE_AUDITOR |
                            UINT32_C(1) << ROLE_PLATFORM_ADMIN | UINT32_C(1) << ROLE_PLATFORM_AGENT |
                            UINT32_C(1) << ROLE_INTAKE;
    if (roles.bits & ~narrow)
        return SCOPE_ALL;
    if (role_set_has(roles, ROLE_PLATFORM_ADMIN))
        return SCOPE_PLATFORM;
    if (role_set_has(roles, ROLE_ACTION_OWNER))
        return SCOPE_OWN;
    return role_set_has(roles, ROLE_AUDITOR) ? SCOPE_AUDITOR : SCOPE_NONE;
}
