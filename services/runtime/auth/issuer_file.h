/* issuer_file.h: the issuers as an operator lists them (docs/identity.md has the reference); private to the auth
 * layer. */
#ifndef ISMS_AUTH_ISSUER_FILE_H
#define ISMS_AUTH_ISSUER_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include <isms/auth/jwt.h>
#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/base/uuid.h>

enum { ISSUER_FILE_MAX = 1 << 20, ISSUER_TENANTS_MAX = 1000 };

/* Where the keys come from: one of the two is set. The rest as in struct jwt_issuer. */
struct issuer {
    const char *issuer;
    const char *audience;
    unsigned algorithms;
    const char *tenant_claim;
    struct uuid *tenants;
    size_t tenant_count;
    const char *jwks_file;
    const char *discovery;
    struct provisioning *provisioning;
};

/* Fills in what follows from the rest: the address of the discovery document, unless there is a file; checks it. */
int issuer_complete(struct issuer *issuer, bool allow_http, struct arena *arena, struct err *err) MUST_CHECK;

/* Reads the file's text into at most `max` issuers, all of whose content lies in the arena. FIELD_INVALID names the
 * issuer and the member that is wrong. */
int issuer_file_read(const char *text, size_t length, bool allow_http, struct arena *arena, struct issuer *ret_issuers,
                     size_t max, size_t *ret_count, struct err *err) MUST_CHECK;

#endif
