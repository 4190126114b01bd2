/* principal.c: the questions a method asks of its caller, answered the same way everywhere. */
#include <isms/auth/principal.h>

const char *principal_kind_name(enum principal_kind kind)
{
    switch (kind) {
    case PRINCIPAL_PERSON:
        return "person";
    case PRINCIPAL_KEY:
        return "key";
    case PRINCIPAL_SERVICE:
        return "service";
    case PRINCIPAL_PLATFORM:
        return "platform";
    case PRINCIPAL_JOB:
        break;
    }
    return "job";
}

int principal_require(const struct principal *principal, enum permission permission, struct err *err)
{
    if (permission_set_has(principal->permissions, permission))
        return 0;
    err_set(err, ERR_PERMISSION_DENIED);
    err_fact(err, "permission", "%s", permission_name(permission));
    return -1;
}

int principal_require_person(const struct principal *principal, struct err *err)
{
    if (principal->kind == PRINCIPAL_PERSON)
        return 0;
    err_set(err, ERR_PERSON_REQUIRED);
    err_fact(err, "caller", "%s", principal_kind_name(principal->kind));
    return -1;
}
