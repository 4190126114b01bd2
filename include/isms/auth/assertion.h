/* assertion.h: on whose behalf one of our services calls another.
 *
 * A compact JWS (typ "isms-assertion+jwt", EdDSA) signed by the calling service, whose name is both `kid` and
 * `iss`. It is good for one service, one method and 30 seconds, and says for which tenant and member, key or
 * job the call is made, so that the user's own token is never passed on. It does not cover the request: within
 * its 30 seconds, whoever can read it on the way can replay it to that same method, for that tenant and actor,
 * with a request of their own; no list of used `jti` is kept. What prevents that is that nobody reads it:
 * mutual TLS between the services. Over plain text (loopback, a trusted mesh) the network is trusted. */
#ifndef ISMS_AUTH_ASSERTION_H
#define ISMS_AUTH_ASSERTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isms/auth/jwks.h>
#include <isms/auth/permission.h>
#include <isms/auth/principal.h>
#include <isms/base/attributes.h>
#include <isms/base/buf.h>
#include <isms/base/crypto.h>
#include <isms/base/err.h>
#include <isms/base/uuid.h>

enum {
    ASSERTION_TEXT_MAX = 2048,
    ASSERTION_METHOD_SIZE = 160,
    ASSERTION_LIFETIME_S = 30,
    ASSERTION_SKEW_S = 5 /* between the clocks of two of our machines */
};

/* The metadata key an assertion travels in. */
#define ASSERTION_METADATA "x-isms-assertion"

struct assertion {
    char service[SERVICE_NAME_SIZE];    /* who calls */
    char audience[SERVICE_NAME_SIZE];   /* who is called */
    char method[ASSERTION_METHOD_SIZE]; /* "/isms.actions.v1.ActionService/GetAction" */
    bool job;                           /* on nobody's behalf: actor is nil */
    struct uuid tenant;
    struct uuid actor; /* member or key */
    int64_t actor_revision;
    struct role_set roles;
    enum scope scope;
    char request_id[129];
    int64_t expire_time_us; /* set by verify; issue makes it now + 30 s */
};

/* Appends the signed text to `text`. INTERNAL when signing or memory fails. */
int assertion_issue(const struct signing_key *key, const struct assertion *assertion, int64_t now_us,
                    struct buf *text, struct err *err) MUST_CHECK;

/* `keys`: the services' public keys, kid = service name. CREDENTIAL_INVALID or CREDENTIAL_EXPIRED, with the
 * fact `cause`. */
int assertion_verify(const struct jwks *keys, const char *text, size_t length, const char *audience,
                     const char *method, int64_t now_us, struct assertion *ret_assertion,
                     struct err *err) MUST_CHECK;

#endif
