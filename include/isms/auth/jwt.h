/* jwt.h: access tokens of OpenID Connect issuers (RFC 7519, 9068; hardened as RFC 8725 advises).
 *
 * A verifier knows its issuers: each with its audience, the algorithms it may sign with, the organisations it may
 * speak for, and its keys, which are held in memory. Nothing is ever fetched here, and what a token's header says
 * about keys (jwk, jku, x5c, x5u) is ignored, but for `kid`, which picks one of the issuer's keys.
 *
 * A verifier serves all threads at once. Keys are renewed through their slots; the issuers can be replaced. */
#ifndef ISMS_AUTH_JWT_H
#define ISMS_AUTH_JWT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isms/auth/jwks.h>
#include <isms/auth/permission.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/base/uuid.h>

enum { JWT_TEXT_MAX = 8192, JWT_ISSUERS_MAX = 16 };

struct key_source;
struct provisioning;

/* Everything is borrowed, and outlives the verifier or the next jwt_verifier_replace(). */
struct jwt_issuer {
    const char *issuer;         /* compared byte for byte with `iss` */
    const char *audience;       /* must be among `aud` */
    unsigned algorithms;        /* set of enum jwt_algorithm */
    const char *tenant_claim;   /* the claim that names the tenant, a UUID; NULL: it speaks for tenants[0] only */
    struct jwks_slot *keys;
    const struct uuid *tenants; /* those it may speak for; NULL: for any */
    size_t tenant_count;
    struct key_source *source;  /* fetches `keys`; NULL: they come from a file */
    const struct provisioning *provisioning; /* NULL: its subjects must be members already */
};

struct jwt_verifier;

/* FIELD_INVALID for an issuer without name, audience, algorithm, tenant or keys slot, or one that is listed twice. No
 * issuer at all is fine: every token is then refused. */
int jwt_verifier_new(const struct jwt_issuer *issuers, size_t count, int64_t leeway_us,
                     struct jwt_verifier **ret_verifier, struct err *err) MUST_CHECK;
void jwt_verifier_free(struct jwt_verifier *verifier);
void jwt_verifier_freep(struct jwt_verifier **verifier);

/* Other issuers from now on; on failure the old ones stay. When it returns, nobody uses the old ones any more. */
int jwt_verifier_replace(struct jwt_verifier *verifier, const struct jwt_issuer *issuers, size_t count,
                         struct err *err) MUST_CHECK;

/* Changes whenever a token that was good may not be any more: by the issuers, or by jwt_verifier_renewed(), which
 * whoever puts another set into a slot calls. */
uint64_t jwt_verifier_generation(const struct jwt_verifier *verifier);
void jwt_verifier_renewed(struct jwt_verifier *verifier);

/* Whether a subject that is no member becomes one, and when a member's roles follow the token's. */
enum jwt_provision { JWT_PROVISION_NEVER, JWT_PROVISION_FIRST, JWT_PROVISION_ALWAYS };

/* What a verified token says. Plain data; texts are well-formed UTF-8, "" and 0 where the token is silent. */
struct jwt_claims {
    char issuer[256];
    char subject[256];
    char audience[256]; /* ours */
    char tenant_text[64];
    struct uuid tenant; /* nil when the token names none */
    char acr[128];
    char amr[128];   /* space-separated */
    char email[256]; /* "" where longer: a convenience, not an identity */
    char name[256];  /* the same */
    int64_t expire_time_us;
    int64_t issue_time_us;
    int64_t auth_time_us;
    enum jwt_provision provision;
    struct role_set roles;         /* what the issuer's mapping makes of the token */
    struct role_set roles_managed; /* what it could make of any: the others are given by hand */
};

/* Verifies a compact JWS. CREDENTIAL_EXPIRED only when everything else about the token is right; ISSUER_UNAVAILABLE,
 * with a time to retry after, while nobody can tell: the issuer's keys are not there, are too old, or lack the token's
 * key and are being fetched anew; else CREDENTIAL_INVALID. The fact `cause` says what is wrong (token_causes.def). */
int jwt_verify(const struct jwt_verifier *verifier, const char *text, size_t length, int64_t now_us,
               struct jwt_claims *ret_claims, struct err *err) MUST_CHECK;

#endif
