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

static int acting_refuse(struct err *err)
{
    return err_setf(err, ERR_CREDENTIAL_INVALID,
                    "Only an API key of the platform's acts for an organisation (" ACTING_METADATA ").");
}

static const uint32_t platform_roles = UINT32_C(1) << ROLE_PLATFORM_ADMIN | UINT32_C(1) << ROLE_PLATFORM_AGENT;

/* Fills in what follows from the roles, with those that do not count in this tenant left out. */
static void roles_apply(struct role_set roles, struct principal *principal)
{
    bool at_platform = uuid_is_nil(principal->tenant);
    principal->roles.bits = roles.bits & (at_platform ? platform_roles : ~platform_roles);
    principal->permissions = permissions_of_roles(principal->roles);
    principal->scope = scope_of_roles(principal->roles);
}

/* Makes a key's principal one that acts for another organisation. */
static int acting_apply(const struct auth_record *record, struct uuid acting, struct principal *principal,
                        struct err *err)
{
    if (principal_require(principal, PERMISSION_PLATFORM_ACT, err) < 0)
        return -1;
    if (!record->acting_active)
        return err_setf(err, ERR_PERMISSION_DENIED, "The organisation to act for is not an active one.");
    principal->kind = PRINCIPAL_PLATFORM;
    principal->tenant = acting;
    roles_apply(record->roles, principal);
    principal->permissions.bits &= record->permissions.bits;
    return 0;
}

static int key_check(struct slice token, const struct uuid *acting, const struct auth_directory *directory,
                     int64_t now_us, struct principal *principal, struct err *err)
{
    struct api_key key CLEANUP(api_key_clear) = {0};
    if (!api_key_parse(token.data, token.length, &key))
        return err_set(err, ERR_CREDENTIAL_INVALID);
    if (acting && !uuid_is_nil(key.tenant))
        return acting_refuse(err);

    struct auth_query query = {.kind = AUTH_BY_KEY, .tenant = key.tenant, .key = key.id,
                               .secret_hash = api_key_hash(&key), .acting = acting};
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
    roles_apply(record.roles, principal);
    principal->permissions.bits &= record.permissions.bits;
    return acting ? acting_apply(&record, *acting, principal, err) : 0;
}

/* Whether the subject is a member, by hand or by its issuer, and may come in. */
static int member_check(const struct jwt_claims *claims, const struct auth_record *record, int64_t now_us,
                        struct err *err)
{
    struct role_set given = {.bits = (record->found ? record->roles.bits & ~claims->roles_managed.bits : 0) |
                                     claims->roles.bits};
    bool follows = claims->provision == JWT_PROVISION_ALWAYS ||
                   (claims->provision == JWT_PROVISION_FIRST && !record->found);
    if (follows && given.bits == 0)
        return err_setf(err, ERR_PERMISSION_DENIED, "The token's claims give its subject no role here.");
    if (!record->found || !record->active)
        return err_setf(err, ERR_PERMISSION_DENIED,
                        "The token's subject is not an active member of the organisation it names.");
    if (record->expire_time_us != 0 && now_us >= record->expire_time_us)
        return err_setf(err, ERR_PERMISSION_DENIED, "The member's access has ended.");
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
    if (member_check(&claims, &record, now_us, err) < 0)
        return -1;

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
    roles_apply(record.roles, principal);
    return 0;
}

/* What a credential is remembered by: its text, and what else decides what it stands for. */
static struct sha256 memory_hash(const struct authenticator *authenticator, struct slice token,
                                 const struct uuid *acting)
{
    struct {
        struct sha256 token;
        uint64_t generation; /* of the issuers and their keys; 0: of a key of ours */
        struct uuid acting;
    } what = {.token = sha256_of(token.data, token.length)};
    _Static_assert(sizeof(what) == SHA256_SIZE + sizeof(uint64_t) + sizeof(struct uuid), "no padding is hashed");
    if (!api_key_has_prefix(token.data, token.length))
        what.generation = jwt_verifier_generation(authenticator->options.tokens);
    if (acting)
        what.acting = *acting;
    return sha256_of(&what, sizeof(what));
}

/* 1: remembered. 0: to be looked up, *ret_token is the credential and *ret_hash what it will be remembered by. -1: no
 * credential of ours could look like this. */
static int bearer_recall(struct authenticator *authenticator, struct slice header, const struct uuid *acting,
                         int64_t now_us, struct slice *ret_token, struct sha256 *ret_hash,
                         struct principal *principal, struct err *err)
{
    struct slice token;
    if (!bearer_token(header, &token) || token.length > JWT_TEXT_MAX)
        return err_set(err, ERR_CREDENTIAL_INVALID);
    if (acting && !api_key_has_prefix(token.data, token.length))
        return acting_refuse(err);
    *ret_token = token;
    *ret_hash = memory_hash(authenticator, token, acting);
    return remembered_get(authenticator->remembered, ret_hash, now_us, principal) ? 1 : 0;
}

static int bearer_check(struct authenticator *authenticator, struct slice header, const struct uuid *acting,
                        const struct auth_directory *directory, int64_t now_us, struct principal *principal,
                        struct err *err)
{
    struct slice token;
    struct sha256 hash;
    int recalled = bearer_recall(authenticator, header, acting, now_us, &token, &hash, principal, err);
    if (recalled != 0)
        return recalled < 0 ? -1 : 0;

    int result = api_key_has_prefix(token.data, token.length)
                     ? key_check(token, acting, directory, now_us, principal, err)
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
    roles_apply(assertion.roles, principal);
    principal->scope = assertion.scope; /* a job has no roles, and still a scope */
    return 0;
}

/* A closed set, for the metric. */
static const char *credential_name(const struct auth_credentials *credentials)
{
    struct slice token;
    if (credentials->assertion.data)
        return "assertion";
    if (!credentials->authorization.data)
        return "none";
    if (!bearer_token(credentials->authorization, &token) || !api_key_has_prefix(token.data, token.length))
        return "token";
    return credentials->acting.data ? "platform" : "key";
}

static void result_count(const struct auth_credentials *credentials, int result, const struct err *err)
{
    metric_add(METRIC_SERIES(isms_auth_total, credential_name(credentials), result < 0 ? "refused" : "accepted",
                             err_reason_name(result < 0 ? err->reason : ERR_OK)), 1);
}

/* Whether there is exactly one, and *ret_acting, if any, the organisation that it is to act for. */
static int credentials_check(const struct auth_credentials *credentials, struct uuid *ret_organisation,
                             const struct uuid **ret_acting, struct err *err)
{
    char text[UUID_TEXT_SIZE] = "";
    *ret_acting = NULL;
    if (credentials->authorization.data && credentials->assertion.data)
        return err_setf(err, ERR_CREDENTIAL_INVALID, "The call carries two credentials; send one.");
    if (!credentials->authorization.data && !credentials->assertion.data)
        return err_set(err, ERR_CREDENTIAL_MISSING);
    if (!credentials->acting.data)
        return 0;
    if (credentials->assertion.data)
        return acting_refuse(err);
    if (credentials->acting.length < sizeof(text))
        memcpy(text, credentials->acting.data, credentials->acting.length);
    if (!uuid_parse(text, ret_organisation) || uuid_is_nil(*ret_organisation))
        return err_setf(err, ERR_CREDENTIAL_INVALID,
                        "The metadata " ACTING_METADATA " must hold the id of one organisation, once.");
    *ret_acting = ret_organisation;
    return 0;
}

int authenticator_check(struct authenticator *authenticator, const struct auth_credentials *credentials,
                        const struct auth_directory *directory, int64_t now_us, struct principal *ret_principal,
                        struct err *err)
{
    struct principal principal;
    struct uuid organisation;
    const struct uuid *acting;
    int result = credentials_check(credentials, &organisation, &acting, err);
    if (result == 0 && credentials->assertion.data)
        result = assertion_check(authenticator, credentials, now_us, &principal, err);
    else if (result == 0)
        result = bearer_check(authenticator, credentials->authorization, acting, directory, now_us, &principal, err);
    result_count(credentials, result, err);
    if (result == 0)
        *ret_principal = principal;
    return result;
}

int authenticator_recall(struct authenticator *authenticator, const struct auth_credentials *credentials,
                         int64_t now_us, struct principal *ret_principal, struct err *err)
{
    struct principal principal;
    struct uuid organisation;
    const struct uuid *acting;
    struct slice token;
    struct sha256 hash;
    int result = credentials_check(credentials, &organisation, &acting, err);
    if (result == 0 && credentials->authorization.data)
        result = bearer_recall(authenticator, credentials->authorization, acting, now_us, &token, &hash, &principal,
                               err);
    if (result != 0)
        result_count(credentials, result, err);
    if (result == 1)
        *ret_principal = principal;
    return result;
}

void authenticator_forget(struct authenticator *authenticator, const struct sha256 *credential)
{
    remembered_drop(authenticator->remembered, credential);
}
