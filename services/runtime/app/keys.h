/* keys.h: the keys a service works with, from the files and issuers its settings name; inside of this folder. */
#ifndef ISMS_APP_KEYS_H
#define ISMS_APP_KEYS_H

#include <isms/auth/authenticator.h>
#include <isms/auth/issuers.h>
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
    struct jwt_verifier *tokens;
    struct issuers *issuers;
    struct authenticator *authenticator;
    struct page_secret page_secret;
};

/* `service`: our own name. The texts of errors are for operators. On failure *keys can be released. */
int keys_init(struct keys *keys, const char *service, const struct settings *settings,
              struct err *err) MUST_CHECK;
void keys_release(struct keys *keys); /* accepts zeroed keys */

/* Reads the files of public keys and of issuers again, so that what is new is found; what cannot be read stays as it
 * was. */
void keys_reload(struct keys *keys, const struct settings *settings);

#endif
