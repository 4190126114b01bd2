/* provisioning.h: which roles an issuer's tokens give, and whether they make members; private to the auth layer. */
#ifndef ISMS_AUTH_PROVISIONING_H
#define ISMS_AUTH_PROVISIONING_H

#include <stddef.h>

#include <jansson.h>

#include <isms/auth/jwt.h>
#include <isms/auth/permission.h>
#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>

enum { PROVISIONING_ROLES_MAX = 64 };

struct provisioning {
    const char *roles_claim; /* a text, or a list of texts, of the token; NULL: default_roles only */
    size_t mapped_count;
    struct {
        const char *value; /* among the claim's: gives the role */
        enum role role;
    } mapped[PROVISIONING_ROLES_MAX];
    struct role_set default_roles; /* of every subject */
    struct role_set managed;       /* all that it can give */
    enum jwt_provision when;
};

/* Reads the member `provisioning` of an issuer in the issuers file; texts are copied into the arena. FIELD_INVALID
 * says what is wrong with which of its members. */
int provisioning_read(const json_t *object, struct arena *arena, struct provisioning **ret_provisioning,
                      struct err *err) MUST_CHECK;

/* Fills in the roles of a token's claims, none where `provisioning` is NULL. */
void provisioning_apply(const struct provisioning *provisioning, const json_t *payload, struct jwt_claims *claims);

#endif
