/* authenticator.c: one credential in, one principal out.
 *
 * An API key goes through the same steps whether or not there is such a key: one look-up, one hash, one
 * comparison in constant time (against zeros where nothing was found), one decision. Only then may the
 * answers differ, and only for whoever holds the right secret.
 *
 * Assertions are not remembered: services sign a new one for every call. Nothing checks that each is used once:
 * within its 30 seconds, whoever can read what the services send each other can repeat one, for the same
 * audience, method, tenant and actor. Mutual TLS between the services is what keeps readers out. */
#include <isms/auth/authenticator.h>

#include <strings.h>

#include <isms/auth/api_key.h>
#include <isms/auth/assertion.h>
#include <isms/base/bug.h>
#include <isms/obs/metrics.h>

#include "remembered.h"

enum { REMEMBERED_MAX = 4096 };

struct authenticator {
    struct authenticator_options options;
    char service[SERVICE_NAME_SIZE];
    struct remembered *remembered;
};

struct authenticator *authenticator_new(const struct authenticator_options *options)
{
    BUG_IF(strlen(options->service) >= SERVICE_NAME_SIZE);
    struct authenticator *authenticator = calloc(1, sizeof(*authenticator));
    if (!authenticator)
        return NULL;
    authenticator->options = *options;
    snprintf(authenticator->service, sizeof(authenticator->service), "%s", options->service);
    authenticator->remembered = remembered_new(options->remembered_max ? options->remembered_max
                                                                       : REMEMBERED_MAX);
    if (!authenticator->remembered)
        authenticator_freep(&authenticator);
    return authenticator;
}

void authenticator_free(struct authenticator *authenticator)
{
    if (!authenticator)
        return;
    remembered_free(authenticator->remembered);
    free(authenticator);
}

void authenticator_freep(struct authenticator **authenticator)
{
    authenticator_free(*authenticator);
    *authenticator = NULL;
}

/* RFC 6750 section 2.1: the scheme in any case, one space or more, the token. */
static bool bearer_token(struct slice header, struct slice *ret_token)
{
    static const char scheme[] = "Bearer ";
    size_t at = sizeof(scheme) - 1;
    if (header.length <= at || strncasecmp(header.data, scheme, at) != 0)
        return false;
    while (at < header.length && header.data[at] == ' ')
        at++;
    *ret_token = (struct slice){header.data + at, header.length - at};
    return ret_token->length > 0;
}

/* Fills in what follows from the roles, with those that do not count in this tenant left out. */
static void roles_apply(const struct authenticator *authenticator, struct role_set roles,
                        struct principal *principal)
{
    const uint32_t platform = UINT32_C(1) << ROLE_PLATFORM_ADMIN;
    bool at_platform = uuid_equals(principal->tenant, authenticator->options.platform_tenant);
    principal->roles.bits = roles.bits & (at_platform ? platform : ~platform);
    principal->permissions = permissions_of_roles(principal->roles);
    principal->scope = scope_of_roles(principal->roles);
}

static int key_check(const struct authenticator *authenticator, struct slice token,
                     const struct auth_directory *directory, int64_t now_us, struct principal *principal,
                     struct err *err)
{
    struct api_key key CLEANUP(api_key_clear) = {0};
    if (!api_key_parse(token.data, token.length, &key))
        return err_set(err, ERR_CREDENTIAL_INVALID);

    struct auth_query query = {
        .kind = AUTH_BY_KEY, .tenant = key.tenant, .key = key.id, .secret_hash = api_key_hash(&key)};
    struct auth_record record = {0};
    if (directory->lookup(directory->context, &query, &record, err) < 0)
        return -1;
    bool matches = api_key_matches(&key, &record.secret_hash);
    bool matches_previous = api_key_matches(&key, &record.previous_hash);
    matches |= matches_previous & (now_us < record.previous_expire_time_us);
    if (!(matches & record.found & record.active))
        return err_set(err, ERR_CREDENTIAL_INVALID);
    if (record.expire_time_us != 0 && now_us >= record.expire_time_us)
        return err_set(err, ERR_CREDENTIAL_EXPIRED);

    *principal = (struct principal){
        .kind = PRINCIPAL_KEY,
        .tenant = key.tenant,
        .id = key.id,
        .revision = record.revision,
        .expire_time_us = record.expire_time_us ? record.expire_time_us : INT64_MAX,
        .limits = record.limits,
    };
    if (matches_previous && record.previous_expire_time_us < principal->expire_time_us)
        principal->expire_time_us = record.previous_expire_time_us;
    roles_apply(authenticator, record.roles, principal);
    principal->permissions.bits &= record.permissions.bits;
    return 0;
}

static int token_check(const struct authenticator *authenticator, struct slice token,
                       const struct auth_directory *directory, int64_t now_us, struct principal *principal,
                       struct err *err)
{
    struct jwt_claims claims;
    if (jwt_verify(authenticator->options.tokens, token.data, token.length, now_us, &claims, err) < 0)
        return -1;

    struct auth_query query = {
        .kind = AUTH_BY_SUBJECT,
        .tenant = claims.tenant,
        .issuer = claims.issuer,
        .subject = claims.subject,
        .claims = &claims,
    };
    struct auth_record record = {0};
    if (directory->lookup(directory->context, &query, &record, err) < 0)
        return -1;
    if (!record.found || !record.active)
        return err_setf(err, ERR_PERMISSION_DENIED,
                        "The token's subject is not an active member of the organisation it names.");
    if (record.expire_time_us != 0 && now_us >= record.expire_time_us)
        return err_setf(err, ERR_PERMISSION_DENIED, "The member's access has ended.");

    *principal = (struct principal){
        .kind = PRINCIPAL_PERSON,
        .tenant = claims.tenant,
        .id = record.id,
        .revision = record.revision,
        .expire_time_us = claims.expire_time_us,
        .auth_time_us = claims.auth_time_us,
        .limits = record.limits,
    };
    if (record.expire_time_us != 0 && record.expire_time_us < principal->expire_time_us)
        principal->expire_time_us = record.expire_time_us;
    snprintf(principal->issuer, sizeof(principal->issuer), "%s", claims.issuer);
    snprintf(principal->subject, sizeof(principal->subject), "%s", claims.subject);
    snprintf(principal->acr, sizeof(principal->acr), "%s", claims.acr);
    snprintf(principal->amr, sizeof(principal->amr), "%s", claims.amr);
    roles_apply(authenticator, record.roles, principal);
    return 0;
}

static int bearer_check(struct authenticator *authenticator, struct slice header,
                        const struct auth_directory *directory, int64_t now_us, struct principal *principal,
                        struct err *err)
{
    struct slice token;
    if (!bearer_token(header, &token) || token.length > JWT_TEXT_MAX)
        return err_set(err, ERR_CREDENTIAL_INVALID);
    struct sha256 hash = sha256_of(token.data, token.length);
    if (remembered_get(authenticator->remembered, &hash, now_us, principal))
        return 0;

    int result = api_key_has_prefix(token.data, token.length)
                     ? key_check(authenticator, token, directory, now_us, principal, err)
                     : token_check(authenticator, token, directory, now_us, principal, err);
    if (result < 0)
        return -1;
    principal->credential = hash;
    int64_t until_us = now_us + AUTHENTICATOR_REMEMBER_S * INT64_C(1000000);
    if (principal->expire_time_us < until_us)
        until_us = principal->expire_time_us;
    remembered_put(authenticator->remembered, &hash, until_us, principal);
    return 0;
}

static int assertion_check(const struct authenticator *authenticator,
                           const struct auth_credentials *credentials, int64_t now_us,
                           struct principal *principal, struct err *err)
{
    struct jwks_slot *slot = authenticator->options.service_keys;
    struct jwks *keys CLEANUP(jwks_unrefp) = slot ? jwks_slot_get(slot) : NULL;
    struct assertion assertion;
    if (assertion_verify(keys, credentials->assertion.data, credentials->assertion.length,
                         authenticator->service, credentials->method, now_us, &assertion, err) < 0)
        return -1;

    *principal = (struct principal){
        .kind = assertion.job ? PRINCIPAL_JOB : PRINCIPAL_SERVICE,
        .tenant = assertion.tenant,
        .id = assertion.actor,
        .revision = assertion.actor_revision,
        .expire_time_us = assertion.expire_time_us,
    };
    snprintf(principal->service, sizeof(principal->service), "%s", assertion.service);
    snprintf(principal->request_id, sizeof(principal->request_id), "%s", assertion.request_id);
    roles_apply(authenticator, assertion.roles, principal);
    principal->scope = assertion.scope; /* a job has no roles, and still a scope */
    return 0;
}

int authenticator_check(struct authenticator *authenticator, const struct auth_credentials *credentials,
                        const struct auth_directory *directory, int64_t now_us, struct principal *ret_principal,
                        struct err *err)
{
    struct principal principal;
    int result;
    if (credentials->authorization.data && credentials->assertion.data)
        result = err_setf(err, ERR_CREDENTIAL_INVALID, "The call carries two credentials; send one.");
    else if (credentials->assertion.data)
        result = assertion_check(authenticator, credentials, now_us, &principal, err);
    else if (credentials->authorization.data)
        result = bearer_check(authenticator, credentials->authorization, directory, now_us, &principal, err);
    else
        result = err_set(err, ERR_CREDENTIAL_MISSING);

    metric_add(METRIC_SERIES(isms_auth_total, result == 0 ? "accepted" : "refused",
                             err_reason_name(result == 0 ? ERR_OK : err->reason)), 1);
    if (result == 0)
        *ret_principal = principal;
    return result;
}

void authenticator_forget(struct authenticator *authenticator, const struct sha256 *credential)
{
    remembered_drop(authenticator->remembered, credential);
}
