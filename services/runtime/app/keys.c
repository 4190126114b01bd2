/* keys.c: see keys.h. */
#include "keys.h"

#include <stdio.h>
#include <string.h>

#include <isms/base/buf.h>
#include <isms/base/slice.h>
#include <isms/obs/log.h>

/* The claim of an access token that names the organisation. */
#define TENANT_CLAIM "tenant_id"

static int slot_load(const char *path, struct jwks_slot **ret_slot, struct err *err)
{
    struct jwks *keys = NULL;
    if (path[0] && jwks_load(path, &keys, err) < 0)
        return -1;
    *ret_slot = jwks_slot_new(keys);
    if (*ret_slot)
        return 0;
    jwks_unref(keys);
    return err_setf(err, ERR_INTERNAL, "out of memory");
}

/* "RS256,ES256" */
static int verifier_init(struct keys *keys, const struct settings *settings, struct err *err)
{
    const int64_t leeway_us = 30 * 1000 * 1000;
    struct jwt_issuer issuer = {
        .issuer = settings->oidc_issuer,
        .audience = settings->oidc_audience,
        .tenant_claim = TENANT_CLAIM,
        .keys = keys->issuer_keys,
    };
    if (jwt_algorithms_parse(settings->oidc_algorithms, &issuer.algorithms, err) < 0)
        return -1;
    return jwt_verifier_new(&issuer, settings->oidc_issuer[0] ? 1 : 0, leeway_us, &keys->tokens, err);
}

/* Page tokens must be the same on all replicas, which share the service's key. */
static void page_secret_init(struct keys *keys, const struct settings *settings)
{
    keys->page_secret.lifetime_us = settings->page_token_lifetime;
    if (keys->service) {
        struct sha256 secret = signing_key_derive(keys->service, "page-token");
        memcpy(keys->page_secret.bytes, secret.bytes, sizeof(secret.bytes));
    } else {
        LOG(WARNING, "no service_key_file: page tokens end with this process, and no peer can be called");
        random_bytes(keys->page_secret.bytes, sizeof(keys->page_secret.bytes));
    }
}

int keys_init(struct keys *keys, const char *service, const struct settings *settings, struct err *err)
{
    *keys = (struct keys){0};
    if (settings->service_key_file[0] && signing_key_load(settings->service_key_file, &keys->service, err) < 0)
        return -1;
    if (slot_load(settings->service_jwks_file, &keys->service_keys, err) < 0 ||
        slot_load(settings->oidc_jwks_file, &keys->issuer_keys, err) < 0 ||
        verifier_init(keys, settings, err) < 0)
        return -1;
    page_secret_init(keys, settings);
    struct authenticator_options options = {
        .service = service, .tokens = keys->tokens, .service_keys = keys->service_keys};
    keys->authenticator = authenticator_new(&options);
    return keys->authenticator ? 0 : err_setf(err, ERR_INTERNAL, "out of memory");
}

void keys_release(struct keys *keys)
{
    authenticator_free(keys->authenticator);
    jwt_verifier_free(keys->tokens);
    jwks_slot_free(keys->issuer_keys);
    jwks_slot_free(keys->service_keys);
    signing_key_free(keys->service);
    explicit_bzero(&keys->page_secret, sizeof(keys->page_secret));
}

static void slot_reload(struct jwks_slot *slot, const char *path)
{
    struct jwks *keys;
    struct err err = {0};
    if (!path[0])
        return;
    if (jwks_load(path, &keys, &err) == 0)
        jwks_slot_set(slot, keys);
    else
        LOG(WARNING, "public keys cannot be read again; the old ones stay in force", LOG_STR("file", path),
            LOG_ERR(&err));
}

void keys_reload(struct keys *keys, const struct settings *settings)
{
    slot_reload(keys->service_keys, settings->service_jwks_file);
    slot_reload(keys->issuer_keys, settings->oidc_jwks_file);
}
