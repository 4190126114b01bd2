/* identity.c: the services' names, and whether a connection's certificate carries one.
 *
 * An assertion says which service signed it. That its key was not stolen, TLS says too: the connection's certificate
 * is of the same service. gRPC has verified the certificate against the CA; here its names are only compared. */
#include <isms/rpc/identity.h>

#include <string.h>
#include <strings.h>

#include <grpc/grpc_security.h>
#include <grpc/grpc_security_constants.h>

#include "internal.h"

static const char SPIFFE[] = "spiffe://";
static const char DNS[] = "dns:";

/* --- the setting ---------------------------------------------------------------------------------------- */

static int peer_find(struct slice name)
{
    for (enum peer peer = 0; peer < PEER_COUNT; peer++)
        if (slice_equals(name, peer_name(peer)))
            return (int)peer;
    return -1;
}

static bool identity_read(struct slice text, struct identity *ret_identity)
{
    struct identity identity = {.kind = IDENTITY_SPIFFE};
    if (text.length > strlen(DNS) && memcmp(text.data, DNS, strlen(DNS)) == 0) {
        identity.kind = IDENTITY_DNS;
        text = (struct slice){.data = text.data + strlen(DNS), .length = text.length - strlen(DNS)};
    } else if (text.length <= strlen(SPIFFE) || memcmp(text.data, SPIFFE, strlen(SPIFFE)) != 0)
        return false;
    if (text.length >= IDENTITY_SIZE)
        return false;
    memcpy(identity.name, text.data, text.length);
    *ret_identity = identity;
    return true;
}

static int entry_read(struct slice entry, struct peer_identities *identities, struct err *err)
{
    const char *equals = memchr(entry.data, '=', entry.length);
    size_t length = equals ? (size_t)(equals - entry.data) : entry.length;
    int peer = peer_find((struct slice){.data = entry.data, .length = length});
    if (peer < 0 || !equals)
        return err_setf(err, ERR_INTERNAL, "peer_identities: \"%.*s\" does not name a service", (int)length,
                        entry.data);
    struct slice name = {.data = equals + 1, .length = entry.length - length - 1};
    if (!identity_read(name, &identities->of[peer]))
        return err_setf(err, ERR_INTERNAL, "peer_identities: \"%.*s\" is neither spiffe://... nor dns:...",
                        (int)name.length, name.data);
    return 0;
}

int peer_identities_parse(const char *text, struct peer_identities *ret_identities, struct err *err)
{
    struct peer_identities identities = {0};
    while (*text) {
        size_t length = strcspn(text, ",");
        if (entry_read((struct slice){.data = text, .length = length}, &identities, err) < 0)
            return -1;
        text += length + (text[length] == ',');
    }
    *ret_identities = identities;
    return 0;
}

const struct identity *peer_identity_of(const struct peer_identities *identities, const char *service)
{
    int peer = peer_find(slice_of(service));
    bool known = identities && peer >= 0 && identities->of[peer].kind != IDENTITY_NONE;
    return known ? &identities->of[peer] : NULL;
}

bool identity_is(const struct identity *identity, enum identity_kind kind, struct slice name)
{
    if (identity->kind != kind || strlen(identity->name) != name.length)
        return false;
    return kind == IDENTITY_DNS ? strncasecmp(identity->name, name.data, name.length) == 0
                                : memcmp(identity->name, name.data, name.length) == 0;
}

/* --- the connection ------------------------------------------------------------------------------------- */

static bool context_has(const grpc_auth_context *context, const char *property, enum identity_kind kind,
                        const struct identity *identity)
{
    grpc_auth_property_iterator iterator = grpc_auth_context_find_properties_by_name(context, property);
    const grpc_auth_property *found;
    while ((found = grpc_auth_property_iterator_next(&iterator)))
        if (identity_is(identity, kind, (struct slice){.data = found->value, .length = found->value_length}))
            return true;
    return false;
}

int peer_identity_check(const struct call *call, const char *service, struct err *err)
{
    const struct tls *tls = call->server->options.tls;
    if (!tls || !tls_asks_clients(tls))
        return 0;
    const struct identity *identity = peer_identity_of(call->server->options.identities, service);
    grpc_auth_context *context = grpc_call_auth_context(call->grpc);
    bool is_peer = identity && context && grpc_auth_context_peer_is_authenticated(context) &&
                   (context_has(context, GRPC_PEER_SPIFFE_ID_PROPERTY_NAME, IDENTITY_SPIFFE, identity) ||
                    context_has(context, GRPC_PEER_DNS_PROPERTY_NAME, IDENTITY_DNS, identity));
    grpc_auth_context_release(context);
    if (is_peer)
        return 0;
    LOG(WARNING, "an assertion came by a connection that is not its service's", LOG_STR("service", service));
    err_set(err, ERR_CREDENTIAL_INVALID);
    err_fact(err, "cause", "PEER_IDENTITY");
    return -1;
}
