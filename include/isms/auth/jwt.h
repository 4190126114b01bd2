/* jwt.h: access tokens of OpenID Connect issuers (RFC 7519, 9068; hardened as RFC 8725 advises).
 *
 * A verifier knows its issuers: each with its audience, the algorithms it may sign with, and its keys, which
 * are held in memory. Nothing is ever fetched, and what a token's header says about keys (jwk, jku, x5c, x5u)
 * is ignored, but for `kid`, which picks one of the issuer's keys.
 *
 * A verifier never changes once made, and serves all threads at once; keys are renewed through their slots. */
#ifndef ISMS_AUTH_JWT_H
#define ISMS_AUTH_JWT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isms/auth/jwks.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/base/uuid.h>

enum { JWT_TEXT_MAX = 8192, JWT_ISSUERS_MAX = 16 };

struct jwt_issuer {
    const char *issuer;       /* compared byte for byte with `iss` */
    const char *audience;     /* must be among `aud` */
    unsigned algorithms;      /* set of enum jwt_algorithm */
    const char *tenant_claim; /* the claim that names the tenant, a UUID */
    struct jwks_slot *keys;   /* borrowed; outlives the verifier */
};

struct jwt_verifier;

/* Copies the texts. FIELD_INVALID for an issuer without name, audience, algorithm, tenant claim or keys slot,
 * or one that is listed twice. No issuer at all is fine: every token is then refused. */
int jwt_verifier_new(const struct jwt_issuer *issuers, size_t count, int64_t leeway_us,
                     struct jwt_verifier **ret_verifier, struct err *err) MUST_CHECK;
void jwt_verifier_free(struct jwt_verifier *verifier);
void jwt_verifier_freep(struct jwt_verifier **verifier);

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
};

/* Verifies a compact JWS. CREDENTIAL_EXPIRED only when everything else about the token is right, else
 * CREDENTIAL_INVALID; both say in the fact `cause` what is wrong (token_causes.def). */
int jwt_verify(const struct jwt_verifier *verifier, const char *text, size_t length, int64_t now_us,
               struct jwt_claims *ret_claims, struct err *err) MUST_CHECK;

#endif
