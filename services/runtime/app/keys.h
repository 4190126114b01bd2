/* keys.h: the keys a service works with, from the files its settings name; inside of this folder. */
#ifndef ISMS_APP_KEYS_H
#define ISMS_APP_KEYS_H

#include <isms/auth/authenticator.h>
#include <isms/auth/jwks.h>
#include <isms/auth/jwt.h>
#include <isms/base/attributes.h>
#include <isms/base/crypto.h>
#include <isms/base/err.h>
#include <isms/config/settings.h>
#include <isms/proto/page_token.h>

struct keys {
    struct signing_key *service;    /* NULL: none was given */
    struct jwks_slot *service_keys; /* of all services; may be empty */
    struct jwks_slot *issuer_keys;  /* of the OIDC issuer; may be empty */
    struct jwt_verifier *tokens;
    struct authenticator *authenticator;
    struct page_secret page_secret;
};

/* `service`: our own name. The texts of errors are for operators. On failure *keys can be released. */
int keys_init(struct keys *keys, const char *service, const struct settings *settings,
              struct err *err) MUST_CHECK;
void keys_release(struct keys *keys); /* accepts zeroed keys */

/* Reads the public keys' files again, so that rotated keys are found; what cannot be read stays as it was. */
void keys_reload(struct keys *keys, const struct settings *settings);

#endif
