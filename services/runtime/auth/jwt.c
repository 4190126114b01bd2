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

#include <strings.h>

#include <isms/base/buf.h>

#include "jws.h"

struct issuer {
    char *name;
    char *audience;
    char *tenant_claim;
    unsigned algorithms;
    struct jwks_slot *keys;
};

struct jwt_verifier {
    int64_t leeway_us;
    size_t count;
    struct issuer issuers[JWT_ISSUERS_MAX];
};

static const struct issuer *issuer_find(const struct jwt_verifier *verifier, const char *name)
{
    for (size_t i = 0; name && i < verifier->count; i++)
        if (strcmp(verifier->issuers[i].name, name) == 0)
            return &verifier->issuers[i];
    return NULL;
}

static bool is_set(const char *text, size_t size)
{
    return text && *text && strlen(text) < size;
}

static int issuer_add(struct jwt_verifier *verifier, const struct jwt_issuer *from, struct err *err)
{
    struct jwt_claims limits;
    if (!is_set(from->issuer, sizeof(limits.issuer)) || !is_set(from->audience, sizeof(limits.audience)) ||
        !is_set(from->tenant_claim, 256) || from->algorithms == 0 || !from->keys)
        return err_setf(err, ERR_FIELD_INVALID,
                        "A token issuer needs its name, audience, tenant claim, algorithms and keys.");
    if (issuer_find(verifier, from->issuer))
        return err_setf(err, ERR_FIELD_INVALID, "The token issuer %s is listed twice.", from->issuer);
    struct issuer *issuer = &verifier->issuers[verifier->count++];
    *issuer = (struct issuer){
        .name = strdup(from->issuer),
        .audience = strdup(from->audience),
        .tenant_claim = strdup(from->tenant_claim),
        .algorithms = from->algorithms,
        .keys = from->keys,
    };
    if (!issuer->name || !issuer->audience || !issuer->tenant_claim)
        return err_set(err, ERR_INTERNAL);
    return 0;
}

int jwt_verifier_new(const struct jwt_issuer *issuers, size_t count, int64_t leeway_us,
                     struct jwt_verifier **ret_verifier, struct err *err)
{
    if (count > JWT_ISSUERS_MAX)
        return err_setf(err, ERR_FIELD_INVALID, "There are more than %d token issuers.", JWT_ISSUERS_MAX);
    struct jwt_verifier *verifier CLEANUP(jwt_verifier_freep) = calloc(1, sizeof(*verifier));
    if (!verifier)
        return err_set(err, ERR_INTERNAL);
    verifier->leeway_us = leeway_us;
    for (size_t i = 0; i < count; i++)
        if (issuer_add(verifier, &issuers[i], err) < 0)
            return -1;
    *ret_verifier = verifier;
    verifier = NULL;
    return 0;
}

void jwt_verifier_free(struct jwt_verifier *verifier)
{
    if (!verifier)
        return;
    for (size_t i = 0; i < verifier->count; i++) {
        free(verifier->issuers[i].name);
        free(verifier->issuers[i].audience);
        free(verifier->issuers[i].tenant_claim);
    }
    free(verifier);
}

void jwt_verifier_freep(struct jwt_verifier **verifier)
{
    jwt_verifier_free(*verifier);
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

static int claims_read(const json_t *payload, const struct issuer *issuer, int64_t leeway_us, int64_t now_us,
                       struct jwt_claims *claims, struct err *err)
{
    int64_t not_before_us = 0;
    if (!audience_has(json_object_get(payload, "aud"), issuer->audience))
        return token_refuse(err, TOKEN_AUDIENCE);
    if (!json_text_copy(json_object_get(payload, "sub"), claims->subject, sizeof(claims->subject)) ||
        !json_numeric_date(json_object_get(payload, "exp"), &claims->expire_time_us) ||
        !time_read(payload, "nbf", &not_before_us) || !time_read(payload, "iat", &claims->issue_time_us) ||
        !time_read(payload, "auth_time", &claims->auth_time_us) ||
        !tenant_read(json_object_get(payload, issuer->tenant_claim), claims))
        return token_refuse(err, TOKEN_CLAIM);
    if (not_before_us > now_us + leeway_us || claims->issue_time_us > now_us + leeway_us ||
        claims->auth_time_us > now_us + leeway_us)
        return token_refuse(err, TOKEN_NOT_YET_VALID);
    if (now_us >= claims->expire_time_us + leeway_us)
        return token_refuse(err, TOKEN_EXPIRED);

    (void)json_text_copy(json_object_get(payload, "acr"), claims->acr, sizeof(claims->acr));
    (void)json_text_copy(json_object_get(payload, "email"), claims->email, sizeof(claims->email));
    (void)json_text_copy(json_object_get(payload, "name"), claims->name, sizeof(claims->name));
    amr_join(json_object_get(payload, "amr"), claims->amr, sizeof(claims->amr));
    return 0;
}

int jwt_verify(const struct jwt_verifier *verifier, const char *text, size_t length, int64_t now_us,
               struct jwt_claims *ret_claims, struct err *err)
{
    struct jws jws CLEANUP(jws_release) = {0};
    if (jws_parse(text, length, JWT_TEXT_MAX, &jws, err) < 0)
        return -1;
    const struct issuer *issuer = issuer_find(verifier, json_string_value(json_object_get(jws.payload, "iss")));
    if (!issuer)
        return token_refuse(err, TOKEN_ISSUER);
    if (!(issuer->algorithms & jws.algorithm))
        return token_refuse(err, TOKEN_ALGORITHM);
    if (!type_is_accepted(jws.type))
        return token_refuse(err, TOKEN_TYPE);
    struct jwks *keys CLEANUP(jwks_unrefp) = jwks_slot_get(issuer->keys);
    if (jws_verify(&jws, keys, err) < 0)
        return -1;

    struct jwt_claims claims = {0};
    if (claims_read(jws.payload, issuer, verifier->leeway_us, now_us, &claims, err) < 0)
        return -1;
    snprintf(claims.issuer, sizeof(claims.issuer), "%s", issuer->name);
    snprintf(claims.audience, sizeof(claims.audience), "%s", issuer->audience);
    *ret_claims = claims;
    return 0;
}
