/* authenticator.h: from the credential of a call to the principal it acts for.
 *
 * A call carries one credential: an API key or access token as `authorization: Bearer ...`, or one of our
 * services' assertion. Keys and tokens are looked up in the directory by a function that the caller supplies
 * (it has the database connection), and what was found is remembered for at most 60 seconds under the
 * SHA-256 of the credential's text, never the text itself. That memory is bounded: a new entry takes the
 * place of one that would have expired soon. What an issuer's token stood for is forgotten when any issuer's keys
 * change.
 *
 * What a caller may learn: of its own token, exactly what is wrong with it. Of keys, only whether the key as a
 * whole is good: an unknown tenant, an unknown key, a wrong secret and a revoked key get the same answer after
 * the same work. Of an organisation a valid token names, only whether its subject is an active member there.
 *
 * The platform is the tenant with the nil UUID. PLATFORM_ADMIN and PLATFORM_AGENT count there and nowhere else, and no
 * others do: no organisation's administrator can make a platform administrator. A key of the platform's that holds
 * PLATFORM_ACT acts for an organisation when the call names one (ACTING_METADATA): in that organisation, with the
 * key's other roles, and never as a person.
 *
 * All functions may be called from any thread. */
#ifndef ISMS_AUTH_AUTHENTICATOR_H
#define ISMS_AUTH_AUTHENTICATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isms/auth/jwks.h>
#include <isms/auth/jwt.h>
#include <isms/auth/permission.h>
#include <isms/auth/principal.h>
#include <isms/base/attributes.h>
#include <isms/base/crypto.h>
#include <isms/base/err.h>
#include <isms/base/slice.h>
#include <isms/base/uuid.h>

enum { AUTHENTICATOR_REMEMBER_S = 60 };

enum auth_query_kind { AUTH_BY_KEY, AUTH_BY_SUBJECT };

/* What the directory is asked. The tenant may not exist. Claims are of a verified token, for the optional
 * making of a member at first sight; NULL with AUTH_BY_KEY. */
struct auth_query {
    enum auth_query_kind kind;
    struct uuid tenant;
    struct uuid key;
    struct sha256 secret_hash; /* AUTH_BY_KEY: what the caller presents, so that its use can be noted */
    const char *issuer;
    const char *subject;
    const struct jwt_claims *claims;
    const struct uuid *acting; /* AUTH_BY_KEY: the organisation the key wants to act for; NULL: none */
};

/* What the directory answers. `found` false: nothing else is read. */
struct auth_record {
    bool found;
    bool active;              /* key, member and organisation all are */
    struct uuid id;            /* AUTH_BY_SUBJECT: the member */
    struct sha256 secret_hash; /* AUTH_BY_KEY */
    struct sha256 previous_hash; /* of the secret before the last rotation; zeros: none */
    int64_t previous_expire_time_us;
    struct role_set roles;
    struct permission_set permissions; /* of what the roles give, no more than this; all bits: no narrowing */
    struct limits limits; /* of the organisation; when acting, of the other one */
    bool acting_active;   /* that one is there and active */
    int64_t expire_time_us; /* 0: never */
    int64_t revision;
};

/* 0: *ret_record is filled in, found or not. -1: the directory cannot be asked; err goes to the caller. */
struct auth_directory {
    int (*lookup)(void *context, const struct auth_query *query, struct auth_record *ret_record,
                  struct err *err);
    void *context;
};

/* The metadata of a call; data NULL where it carries none. */
struct auth_credentials {
    struct slice authorization;
    struct slice assertion;
    const char *method; /* full name of the called method, with its leading slash */
    struct slice acting; /* ACTING_METADATA */
};

struct authenticator_options {
    const char *service;               /* our own name: the audience of assertions */
    const struct jwt_verifier *tokens; /* borrowed, outlives the authenticator */
    struct jwks_slot *service_keys;    /* the same; NULL refuses every assertion */
    unsigned remembered_max;           /* 0: 4096; rounded up to a power of two */
};

/* NULL when out of memory. */
struct authenticator *authenticator_new(const struct authenticator_options *options);
void authenticator_free(struct authenticator *authenticator);
void authenticator_freep(struct authenticator **authenticator);

/* CREDENTIAL_MISSING, CREDENTIAL_INVALID, CREDENTIAL_EXPIRED, PERMISSION_DENIED (a good token of nobody we know, a key
 * that may not act), ISSUER_UNAVAILABLE (worth trying again after err.retry_after_ms: the issuer's keys are being
 * fetched), or the directory's own error. */
int authenticator_check(struct authenticator *authenticator, const struct auth_credentials *credentials,
                        const struct auth_directory *directory, int64_t now_us, struct principal *ret_principal,
                        struct err *err) MUST_CHECK;

/* The part of it that waits for nobody, for a thread that must not wait. 1: the credential is remembered, and
 * *ret_principal is filled in. 0: it has to be checked. -1: authenticator_check() would refuse it unseen. */
int authenticator_recall(struct authenticator *authenticator, const struct auth_credentials *credentials,
                         int64_t now_us, struct principal *ret_principal, struct err *err) MUST_CHECK;

/* Forgets what was remembered under principal.credential: its member or key has changed or gone. */
void authenticator_forget(struct authenticator *authenticator, const struct sha256 *credential);

#endif
