/* authorize.c: who calls, and may it call this method?
 *
 * A method's rules say so in the proto file: a permission that the caller's roles must hold, the services
 * that may call on somebody's behalf, whether it is not public at all, whether it needs a person. What a
 * caller may see of its tenant's rows is decided in the database, by row-level policies. */
#include "internal.h"

#include <string.h>

#include <isms/auth/assertion.h>
#include <isms/base/clock.h>

static bool is_caller(const Isms__Options__V1__MethodRules *rules, const char *service)
{
    for (size_t i = 0; i < rules->n_callers; i++)
        if (strcmp(rules->callers[i], service) == 0)
            return true;
    return false;
}

int principal_may_call(const struct principal *principal, const struct rpc_method *rpc, struct err *err)
{
    const Isms__Options__V1__MethodRules *rules = rpc->method->rules;
    if (principal->service[0])
        return is_caller(rules, principal->service)
                   ? 0
                   : err_setf(err, ERR_PERMISSION_DENIED, "The service may not call this method.");
    if (rules->internal)
        return err_setf(err, ERR_PERMISSION_DENIED, "The method is for services only.");
    if (principal_require(principal, rpc->permission, err) < 0)
        return -1;
    return rules->person ? principal_require_person(principal, err) : 0;
}

int call_authorize(struct call *call, struct db_connection *connection, struct err *err)
{
    if (!call->principal)
        call->principal = ARENA_NEW(&call->arena, struct principal);
    if (!call->principal)
        return err_set(err, ERR_OVERLOADED);
    struct auth_credentials credentials = {
        .authorization = call_metadata(call, "authorization"),
        .assertion = call_metadata(call, ASSERTION_METADATA),
        .method = call->served->method->path,
    };
    struct auth_directory directory = directory_over(&connection);
    struct principal principal;
    if (authenticator_check(call->context->authenticator, &credentials, &directory, clock_now_us(), &principal,
                            err) < 0) {
        call->principal = NULL;
        return -1;
    }
    *call->principal = principal;
    return principal_may_call(call->principal, call->served->rpc, err);
}
