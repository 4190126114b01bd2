/* authorize.c: who calls, and may it call this method?
 *
 * A method's rules say so in the proto file: a permission that the caller's roles must hold, the services
 * that may call on somebody's behalf, whether it is not public at all, whether it needs a person. What a
 * caller may see of its tenant's rows is decided in the database, by row-level policies. */
#include "internal.h"

#include <string.h>

#include <isms/auth/api_key.h>
#include <isms/auth/assertion.h>
#include <isms/base/clock.h>
#include <isms/rpc/identity.h>

enum { FLOW_OF_TOKENS = CLAIMED_FLOWS - 2, FLOW_OF_ASSERTIONS = CLAIMED_FLOWS - 1 };

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

int call_permit(const struct call *call, struct err *err)
{
    int result = call->principal->service[0] ? peer_identity_check(call, call->principal->service, err) : 0;
    if (result == 0)
        result = principal_may_call(call->principal, call->served->rpc, err);
    if (result < 0)
        metric_add(METRIC_SERIES(isms_authorization_refused_total, err_reason_name(err->reason)), 1);
    return result;
}

static struct auth_credentials credentials_of(const struct call *call)
{
    return (struct auth_credentials){
        .authorization = call_metadata(call, "authorization"),
        .assertion = call_metadata(call, ASSERTION_METADATA),
        .method = call->served->method->path,
        .acting = call_metadata(call, ACTING_METADATA),
    };
}

static int principal_keep(struct call *call, const struct principal *principal, struct err *err)
{
    if (!call->principal)
        call->principal = ARENA_NEW(&call->arena, struct principal);
    if (!call->principal)
        return err_set(err, ERR_OVERLOADED);
    *call->principal = *principal;
    return 0;
}

int call_recall(struct call *call, struct err *err)
{
    struct auth_credentials credentials = credentials_of(call);
    struct principal principal;
    int result =
        authenticator_recall(call->context->authenticator, &credentials, call->now_us, &principal, err);
    return result == 1 && principal_keep(call, &principal, err) < 0 ? -1 : result;
}

int call_authorize(struct call *call, struct db_connection *connection, struct err *err)
{
    struct auth_credentials credentials = credentials_of(call);
    struct directory over = {.connection = connection, .service = call->context->service};
    struct auth_directory directory = directory_over(&over);
    struct principal principal;
    if (authenticator_check(call->context->authenticator, &credentials, &directory, clock_now_us(), &principal,
                            err) < 0) {
        call->principal = NULL;
        return -1;
    }
    return principal_keep(call, &principal, err) < 0 ? -1 : call_permit(call, err);
}

/* A key says whose it is, true or not; whoever guesses at keys of one organisation queues as that organisation. */
unsigned call_claim(const struct call *call)
{
    struct slice header = call_metadata(call, "authorization");
    struct api_key key CLEANUP(api_key_clear);
    if (!header.data)
        return FLOW_OF_ASSERTIONS;
    const char *space = memrchr(header.data, ' ', header.length);
    const char *token = space ? space + 1 : header.data;
    if (!api_key_parse(token, header.length - (size_t)(token - header.data), &key))
        return FLOW_OF_TOKENS;
    return key.tenant.bytes[sizeof(key.tenant.bytes) - 1] % FLOW_OF_TOKENS;
}
