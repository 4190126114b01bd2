/* keys.c: see keys.h. */
#include "keys.h"

#include <stdio.h>
#include <string.h>

#include <isms/base/buf.h>
#include <isms/base/slice.h>
#include <isms/obs/log.h>

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

static int issuers_init(struct keys *keys, const struct settings *settings, struct err *err)
{
    if (jwt_verifier_new(NULL, 0, settings->oidc_leeway, &keys->tokens, err) < 0)
        return -1;
    struct issuers_options options = {
        .verifier = keys->tokens,
        .file = settings->oidc_issuers_file,
        .issuer = settings->oidc_issuer,
        .audience = settings->oidc_audience,
        .algorithms = settings->oidc_algorithms,
        .tenant_claim = settings->oidc_tenant_claim,
        .jwks_file = settings->oidc_jwks_file,
        .ca_file = settings->oidc_ca_file,
        .allow_http = settings->oidc_allow_http,
        .stale_max_us = settings->oidc_keys_stale_max,
    };
    return issuers_new(&options, &keys->issuers, err);
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
        issuers_init(keys, settings, err) < 0)
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
    issuers_free(keys->issuers);
    jwt_verifier_free(keys->tokens);
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
    issuers_reload(keys->issuers);
}
