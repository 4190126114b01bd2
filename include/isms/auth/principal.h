/* principal.h: who a call acts for, as established by the authenticator.
 *
 * Plain data without pointers: it is copied into the call, kept in the authenticator's cache, and owns
 * nothing. A principal is made by authenticator_check() and by nothing else. */
#ifndef ISMS_AUTH_PRINCIPAL_H
#define ISMS_AUTH_PRINCIPAL_H

#include <stdint.h>

#include <isms/auth/permission.h>
#include <isms/base/attributes.h>
#include <isms/base/crypto.h>
#include <isms/base/err.h>
#include <isms/base/uuid.h>

enum {
    PRINCIPAL_ISSUER_SIZE = 256,
    PRINCIPAL_SUBJECT_SIZE = 256, /* OpenID Connect Core 2: a subject has at most 255 characters */
    PRINCIPAL_ACR_SIZE = 128,
    PRINCIPAL_AMR_SIZE = 128,
    SERVICE_NAME_SIZE = 32
};

enum principal_kind {
    PRINCIPAL_PERSON,  /* a member with an access token of its identity provider */
    PRINCIPAL_KEY,     /* an API key */
    PRINCIPAL_SERVICE, /* one of our services on behalf of a person or key */
    PRINCIPAL_JOB,     /* one of our services' background jobs, on nobody's behalf */
    PRINCIPAL_PLATFORM /* a key of the platform's that acts for an organisation it names (ACTING_METADATA) */
};

/* The metadata key by which a platform's key names the organisation that it acts for. */
#define ACTING_METADATA "x-isms-organisation"

/* What an organisation may ask of this process; 0: as the settings say. */
struct limits {
    unsigned calls_per_second;
    unsigned burst;
    unsigned in_flight;
};

struct principal {
    enum principal_kind kind;
    struct uuid tenant;
    struct uuid id;   /* member or key; of PRINCIPAL_SERVICE, the one it acts for; nil of a job; of
                         PRINCIPAL_PLATFORM, the platform's key, which is not of `tenant` */
    int64_t revision; /* of the member's or key's row, and its organisation's, when it was looked up */
    struct role_set roles;
    struct permission_set permissions;
    enum scope scope;
    struct limits limits;
    int64_t expire_time_us;          /* of the credential; INT64_MAX of a key that does not expire */
    char service[SERVICE_NAME_SIZE]; /* the calling service; "" when none */
    char request_id[129];            /* the caller's, as an assertion carries it; "" when none */
    struct sha256 credential;        /* what the credential is remembered by; zero for assertions */

    /* Of a person only: what a signature states about how the signer was authenticated. */
    char issuer[PRINCIPAL_ISSUER_SIZE];
    char subject[PRINCIPAL_SUBJECT_SIZE];
    char acr[PRINCIPAL_ACR_SIZE]; /* "" when the token does not say */
    char amr[PRINCIPAL_AMR_SIZE]; /* space-separated; "" when the token does not say */
    int64_t auth_time_us;         /* 0 when the token does not say */
};

const char *principal_kind_name(enum principal_kind kind); /* "person", "key", "service", "job", "platform" */

/* PERMISSION_DENIED with the fact `permission`, unless the principal holds it. */
int principal_require(const struct principal *principal, enum permission permission,
                      struct err *err) MUST_CHECK;

/* PERSON_REQUIRED unless the caller itself is a person. */
int principal_require_person(const struct principal *principal, struct err *err) MUST_CHECK;

#endif
