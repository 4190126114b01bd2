/* permission.h: roles, permissions, and the scope that row-level policies read.
 *
 * Both sets are closed: permissions.def and roles.def are the tables, and there is no default. Sets are
 * plain values of bits. Every function is pure and may be called from any thread. */
#ifndef ISMS_AUTH_PERMISSION_H
#define ISMS_AUTH_PERMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include <isms/base/slice.h>

enum permission {
#define X(name, text_name, text) PERMISSION_##name,
#include <isms/auth/permissions.def>
#undef X
    PERMISSION_COUNT
};

enum role {
#define X(name, text, permissions) ROLE_##name,
#include <isms/auth/roles.def>
#undef X
    ROLE_COUNT
};

struct permission_set {
    uint64_t bits;
};

struct role_set {
    uint32_t bits;
};

/* Which objects of its tenant a principal sees; app.scope of a segment, read by the policies. */
enum scope {
    SCOPE_NONE,     /* "none": no role, no rows */
    SCOPE_OWN,      /* "own": the rows it owns */
    SCOPE_AUDITOR,  /* "auditor": what belongs to the reviews it is named for */
    SCOPE_PLATFORM, /* "platform": the directory of organisations, no content */
    SCOPE_ALL,      /* "all" */
    SCOPE_COUNT
};

/* false, and *ret untouched, when there is none of that exact name. */
bool role_from_name(struct slice name, enum role *ret_role);
bool permission_from_name(struct slice name, enum permission *ret_permission);
bool scope_from_name(struct slice name, enum scope *ret_scope);

const char *role_name(enum role role);
const char *permission_name(enum permission permission);
const char *scope_name(enum scope scope);

static inline struct role_set role_set_add(struct role_set roles, enum role role)
{
    return (struct role_set){.bits = roles.bits | UINT32_C(1) << role};
}

static inline bool role_set_has(struct role_set roles, enum role role)
{
    return (roles.bits >> role & 1) != 0;
}

static inline bool permission_set_has(struct permission_set permissions, enum permission permission)
{
    return (permissions.bits >> permission & 1) != 0;
}

struct permission_set permissions_of_roles(struct role_set roles);

/* The widest of the roles' scopes, where "own" and "auditor" together count as "own": the two views do not
 * add up, and an auditor's view with an owner's right to report progress would be more than either. */
enum scope scope_of_roles(struct role_set roles);

#endif
