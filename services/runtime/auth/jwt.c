/* jwt.c: what makes a signed token an access token for us.
 *
 * The order matters. The issuer is read from the unverified payload only to find whose rules apply; its rules
 * then say which algorithms and keys there are, and nothing else of the token is looked at before its
 * signature is good. Expiry comes last, so that "expired" means "would be good if renewed".
 *
 * `typ` is "JWT" or "at+jwt", or missing, since several identity providers leave it out of access tokens;
 * it must not be another, and an assertion between our services has one of its own. ID tokens are kept out
 * by the audience, which for them is a client and never this API. */
#include <isms/auth/jwt.h>

#include <pthread.h>
#include <stdatomic.h>
#include <strings.h>

#include <isms/base/buf.h>
#include <isms/base/bug.h>
#include <isms/base/crypto.h>

#include "json_members.h"
#include "jws.h"
#include "key_source.h"
#include "provisioning.h"

struct jwt_verifier {
    int64_t leeway_us;
    atomic_uint_fast64_t generation;
    pthread_rwlock_t *lock; /* of what follows; held by a verification from beginning to end */
    size_t count;
    struct jwt_issuer issuers[JWT_ISSUERS_MAX];
};

static bool is_set(const char *text, size_t size)
{
    return text && *text && strlen(text) < size;
}

static int issuer_check(const struct jwt_issuer *issuers, size_t i, struct err *err)
{
    const struct jwt_issuer *issuer = &issuers[i];
    struct jwt_claims limits;
    bool names_tenant = issuer->tenant_claim ? is_set(issuer->tenant_claim, 256) : issuer->tenant_count == 1;
    if (!is_set(issuer->issuer, sizeof(limits.issuer)) || !is_set(issuer->audience, sizeof(limits.audience)) ||
        !names_tenant || issuer->algorithms == 0 || !issuer->keys)
        return err_setf(err, ERR_FIELD_INVALID,
                        "A token issuer needs its name, audience, tenant claim, algorithms and keys.");
    for (size_t other = 0; other < i; other++)
        if (strcmp(issuers[other].issuer, issuer->issuer) == 0)
            return err_setf(err, ERR_FIELD_INVALID, "The token issuer %s is listed twice.", issuer->issuer);
    return 0;
}

static pthread_rwlock_t *lock_new(void)
{
    pthread_rwlock_t *lock = malloc(sizeof(*lock));
    pthread_rwlockattr_t attributes;
    BUG_IF(pthread_rwlockattr_init(&attributes) != 0);
    /* Or those who verify, of whom there is always one, would keep new issuers out. */
    BUG_IF(pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP) != 0);
    if (lock)
        BUG_IF(pthread_rwlock_init(lock, &attributes) != 0);
    pthread_rwlockattr_destroy(&attributes);
    return lock;
}

int jwt_verifier_new(const struct jwt_issuer *issuers, size_t count, int64_t leeway_us,
                     struct jwt_verifier **ret_verifier, struct err *err)
{
    struct jwt_verifier *verifier CLEANUP(jwt_verifier_freep) = calloc(1, sizeof(*verifier));
    if (!verifier || !(verifier->lock = lock_new()))
        return err_set(err, ERR_INTERNAL);
    verifier->leeway_us = leeway_us;
    atomic_init(&verifier->generation, 0);
    json_memory_watch();
    if (jwt_verifier_replace(verifier, issuers, count, err) < 0)
        return -1;
    *ret_verifier = verifier;
    verifier = NULL;
    return 0;
}

int jwt_verifier_replace(struct jwt_verifier *verifier, const struct jwt_issuer *issuers, size_t count,
                         struct err *err)
{
    if (count > JWT_ISSUERS_MAX)
        return err_setf(err, ERR_FIELD_INVALID, "There are more than %d token issuers.", JWT_ISSUERS_MAX);
    for (size_t i = 0; i < count; i++)
        if (issuer_check(issuers, i, err) < 0)
            return -1;
    pthread_rwlock_wrlock(verifier->lock);
    for (size_t i = 0; i < count; i++)
        verifier->issuers[i] = issuers[i];
    verifier->count = count;
    pthread_rwlock_unlock(verifier->lock);
    jwt_verifier_renewed(verifier);
    return 0;
}

void jwt_verifier_free(struct jwt_verifier *verifier)
{
    if (!verifier)
        return;
    if (verifier->lock)
        pthread_rwlock_destroy(verifier->lock);
    free(verifier->lock);
    free(verifier);
}

void jwt_verifier_freep(struct jwt_verifier **verifier)
{
    jwt_verifier_free(*verifier);
}

uint64_t jwt_verifier_generation(const struct jwt_verifier *verifier)
{
    return atomic_load(&verifier->generation);
}

void jwt_verifier_renewed(struct jwt_verifier *verifier)
{
    atomic_fetch_add(&verifier->generation, 1);
}

static const struct jwt_issuer *issuer_find(const struct jwt_verifier *verifier, const char *name)
{
    for (size_t i = 0; name && i < verifier->count; i++)
        if (strcmp(verifier->issuers[i].issuer, name) == 0)
            return &verifier->issuers[i];
    return NULL;
}

/* Media types compare without case, and "application/" may be left out (RFC 7515 section 4.1.9). */
static bool type_is_accepted(const char *type)
{
    static const char prefix[] = "application/";
    if (!type)
        return true;
    if (strncasecmp(type, prefix, sizeof(prefix) - 1) == 0)
        type += sizeof(prefix) - 1;
    return strcasecmp(type, "JWT") == 0 || strcasecmp(type, "at+jwt") == 0;
}

static bool audience_has(const json_t *audience, const char *ours)
{
    if (json_is_string(audience))
        return strcmp(json_string_value(audience), ours) == 0;
    for (size_t i = 0; i < json_array_size(audience); i++) {
        const char *one = json_string_value(json_array_get(audience, i));
        if (one && strcmp(one, ours) == 0)
            return true;
    }
    return false;
}

/* All of `amr` or nothing: half a list would state a weaker authentication than there was. */
static void amr_join(const json_t *amr, char *ret_text, size_t size)
{
    struct buf text;
    buf_init_fixed(&text, ret_text, size);
    bool whole = true;
    for (size_t i = 0; i < json_array_size(amr); i++) {
        const char *method = json_string_value(json_array_get(amr, i));
        whole &= method && *method && !strchr(method, ' ');
        buf_text(&text, i ? " " : "");
        buf_text(&text, method ? method : "");
    }
    if (!whole || text.failed)
        ret_text[0] = '\0';
}

/* A time that may be absent, but must otherwise be one. */
static bool time_read(const json_t *payload, const char *name, int64_t *ret_time_us)
{
    const json_t *value = json_object_get(payload, name);
    return !value || json_numeric_date(value, ret_time_us);
}

static bool tenant_read(const json_t *value, struct jwt_claims *claims)
{
    return !value || (json_text_copy(value, claims->tenant_text, sizeof(claims->tenant_text)) &&
                      uuid_parse(claims->tenant_text, &claims->tenant));
}

static bool may_speak_for(const struct jwt_issuer *issuer, struct uuid tenant)
{
    for (size_t i = 0; i < issuer->tenant_count; i++)
        if (uuid_equals(issuer->tenants[i], tenant))
            return true;
    return issuer->tenant_count == 0;
}

static int claims_read(const json_t *payload, const struct jwt_issuer *issuer, int64_t leeway_us, int64_t now_us,
                       struct jwt_claims *claims, struct err *err)
{
    int64_t not_before_us = 0;
    if (!audience_has(json_object_get(payload, "aud"), issuer->audience))
        return token_refuse(err, TOKEN_AUDIENCE);
    if (!json_text_copy(json_object_get(payload, "sub"), claims->subject, sizeof(claims->subject)) ||
        !json_numeric_date(json_object_get(payload, "exp"), &claims->expire_time_us) ||
        !time_read(payload, "nbf", &not_before_us) || !time_read(payload, "iat", &claims->issue_time_us) ||
        !time_read(payload, "auth_time", &claims->auth_time_us))
        return token_refuse(err, TOKEN_CLAIM);
    if (!issuer->tenant_claim)
        claims->tenant = issuer->tenants[0];
    else if (!tenant_read(json_object_get(payload, issuer->tenant_claim), claims))
        return token_refuse(err, TOKEN_CLAIM);
    if (!may_speak_for(issuer, claims->tenant))
        return token_refuse(err, TOKEN_TENANT);
    if (not_before_us > now_us + leeway_us || claims->issue_time_us > now_us + leeway_us ||
        claims->auth_time_us > now_us + leeway_us)
        return token_refuse(err, TOKEN_NOT_YET_VALID);
    if (now_us >= claims->expire_time_us + leeway_us)
        return token_refuse(err, TOKEN_EXPIRED);

    (void)json_text_copy(json_object_get(payload, "acr"), claims->acr, sizeof(claims->acr));
    (void)json_text_copy(json_object_get(payload, "email"), claims->email, sizeof(claims->email));
    (void)json_text_copy(json_object_get(payload, "name"), claims->name, sizeof(claims->name));
    amr_join(json_object_get(payload, "amr"), claims->amr, sizeof(claims->amr));
    snprintf(claims->issuer, sizeof(claims->issuer), "%s", issuer->issuer);
    snprintf(claims->audience, sizeof(claims->audience), "%s", issuer->audience);
    provisioning_apply(issuer->provisioning, payload, claims);
    return 0;
}

/* The token's key is not in the set. Where the set can be fetched anew, that is worth it only for a token that would be
 * good with the right key: its claims are not believed, but those that are wrong are wrong by any key. */
static int key_missing(const struct jwt_issuer *issuer, const struct jws *jws, const struct jwks *keys,
                       int64_t leeway_us, int64_t now_us, struct err *err)
{
    struct jwt_claims unverified = {0};
    struct err ignored;
    if (!issuer->source || claims_read(jws->payload, issuer, leeway_us, now_us, &unverified, &ignored) < 0)
        return token_refuse(err, TOKEN_KEY);
    struct sha256 token = sha256_of(jws->signed_part.data, jws->signed_part.length);
    return key_source_ask(issuer->source, keys, &token, now_us, err);
}

static int token_verify(const struct jwt_verifier *verifier, const struct jws *jws, int64_t now_us,
                        struct jwt_claims *claims, struct err *err)
{
    const struct jwt_issuer *issuer =
        issuer_find(verifier, json_string_value(json_object_get(jws->payload, "iss")));
    if (!issuer)
        return token_refuse(err, TOKEN_ISSUER);
    if (!(issuer->algorithms & jws->algorithm))
        return token_refuse(err, TOKEN_ALGORITHM);
    if (!type_is_accepted(jws->type))
        return token_refuse(err, TOKEN_TYPE);
    struct jwks *keys CLEANUP(jwks_unrefp) = jwks_slot_get(issuer->keys);
    if (issuer->source && key_source_check(issuer->source, keys, now_us, err) < 0)
        return -1;
    if (!keys || !jwks_find(keys, jws->algorithm, jws->kid))
        return key_missing(issuer, jws, keys, verifier->leeway_us, now_us, err);
    if (jws_verify(jws, keys, err) < 0)
        return -1;
    return claims_read(jws->payload, issuer, verifier->leeway_us, now_us, claims, err);
}

int jwt_verify(const struct jwt_verifier *verifier, const char *text, size_t length, int64_t now_us,
               struct jwt_claims *ret_claims, struct err *err)
{
    struct jws jws CLEANUP(jws_release) = {0};
    struct jwt_claims claims = {0};
    if (jws_parse(text, length, JWT_TEXT_MAX, &jws, err) < 0)
        return -1;
    pthread_rwlock_rdlock(verifier->lock);
    int result = token_verify(verifier, &jws, now_us, &claims, err);
    pthread_rwlock_unlock(verifier->lock);
    if (result == 0)
        *ret_claims = claims;
    return result;
}
