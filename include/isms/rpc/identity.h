/* identity.h: the names that the services' certificates carry.
 *
 * Each service has one identity: a SPIFFE id (a URI in the certificate's subject alternative names) or a DNS name
 * there. It is looked for on both sides: in the certificate of a server that a peer call goes to, and in that of a
 * client that brings an assertion. Plain data. */
#ifndef ISMS_RPC_IDENTITY_H
#define ISMS_RPC_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/base/slice.h>
#include <isms/rpc/call.h>

enum { IDENTITY_SIZE = 256 };

enum identity_kind { IDENTITY_NONE, IDENTITY_SPIFFE, IDENTITY_DNS };

struct identity {
    enum identity_kind kind;
    char name[IDENTITY_SIZE]; /* "spiffe://example.org/isms/inputs", "reviews.isms.svc" */
};

struct peer_identities {
    struct identity of[PEER_COUNT];
};

/* Reads "inputs=spiffe://example.org/isms/inputs,reviews=dns:reviews.isms.svc"; a service that is not named has
 * none. The texts of errors are for operators. */
int peer_identities_parse(const char *text, struct peer_identities *ret_identities, struct err *err) MUST_CHECK;

/* The identity of the service of that name; NULL where there is no such service, or it has none. */
const struct identity *peer_identity_of(const struct peer_identities *identities, const char *service);

/* Whether a name out of a certificate, of that kind, is the identity. Exact but for the case of DNS names: no
 * wildcards. */
bool identity_is(const struct identity *identity, enum identity_kind kind, struct slice name);

/* Does the connection that the call came by belong to `service`, which signed its assertion? Where the server asks
 * no client for certificates, the assertion alone counts. CREDENTIAL_INVALID with cause=PEER_IDENTITY. */
int peer_identity_check(const struct call *call, const char *service, struct err *err) MUST_CHECK;

#endif
