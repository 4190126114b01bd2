/* peers.c: calls to the other services on behalf of the caller.
 *
 * The user's own credential never leaves this service. What goes along is an assertion that this service
 * signs, good for one method of one service for seconds, and the trace. What a peer refuses is the caller's
 * answer as it is; only that the peer cannot be reached, or does not trust us, is our own affair and told as
 * such. */
#include <isms/rpc/peers.h>

#include <stdlib.h>
#include <string.h>

#include <isms/auth/assertion.h>
#include <isms/base/bug.h>
#include <isms/base/clock.h>
#include <isms/proto/message.h>
#include <isms/rpc/client.h>

#include "internal.h"

struct rpc_peers {
    struct rpc_peers_options options;
    struct rpc_client *clients[PEER_COUNT]; /* NULL: no address */
};

const char *peer_name(enum peer peer)
{
    static const char *const names[PEER_COUNT] = {"inputs", "reviews", "actions", "reporting"};
    BUG_IF((unsigned)peer >= PEER_COUNT);
    return names[peer];
}

int rpc_peers_new(const struct rpc_peers_options *options, struct rpc_peers **ret_peers, struct err *err)
{
    struct rpc_peers *peers CLEANUP(rpc_peers_freep) = calloc(1, sizeof(*peers));
    if (!peers)
        return err_setf(err, ERR_INTERNAL, "out of memory");
    peers->options = *options;
    for (enum peer peer = 0; peer < PEER_COUNT; peer++) {
        const char *address = options->addresses[peer];
        struct rpc_client_options client = {.address = address,
                                            .message_max = RPC_RESPONSE_MAX,
                                            .tls = options->tls,
                                            .identity = peer_identity_of(options->identities, peer_name(peer))};
        if (address && address[0] && rpc_client_new(&client, &peers->clients[peer], err) < 0)
            return -1;
    }
    *ret_peers = peers;
    peers = NULL;
    return 0;
}

void rpc_peers_free(struct rpc_peers *peers)
{
    if (!peers)
        return;
    for (enum peer peer = 0; peer < PEER_COUNT; peer++)
        rpc_client_free(peers->clients[peer]);
    free(peers);
}

void rpc_peers_freep(struct rpc_peers **peers)
{
    rpc_peers_free(*peers);
    *peers = NULL;
}

enum rpc_peer_state rpc_peers_state(struct rpc_peers *peers, enum peer peer)
{
    if (!peers || !peers->clients[peer])
        return RPC_PEER_UNKNOWN;
    return rpc_client_is_connected(peers->clients[peer]) ? RPC_PEER_UP : RPC_PEER_DOWN;
}

static int peer_unavailable(enum peer peer, int64_t retry_after_ms, struct err *err)
{
    err_set(err, ERR_PEER_UNAVAILABLE);
    err_fact(err, "service", "%s", peer_name(peer));
    err->retry_after_ms = retry_after_ms > 0 ? retry_after_ms : 1000;
    return -1;
}

/* The signed text of the assertion for this one call, in the arena. */
static int assertion_make(struct call *call, enum peer peer, const char *method, char **ret_text,
                          struct err *err)
{
    const struct principal *principal = call->principal;
    const struct rpc_peers_options *options = &call->context->peers->options;
    struct assertion assertion = {
        .job = principal->kind == PRINCIPAL_JOB,
        .tenant = principal->tenant,
        .actor = principal->id,
        .actor_revision = principal->revision,
        .roles = principal->roles,
        .scope = principal->scope,
    };
    BUG_IF(strlen(method) >= sizeof(assertion.method));
    snprintf(assertion.service, sizeof(assertion.service), "%s", options->service);
    snprintf(assertion.audience, sizeof(assertion.audience), "%s", peer_name(peer));
    snprintf(assertion.method, sizeof(assertion.method), "%s", method);
    snprintf(assertion.request_id, sizeof(assertion.request_id), "%s", call->request_id);
    struct buf text;
    buf_init_arena(&text, &call->arena, ASSERTION_TEXT_MAX);
    if (assertion_issue(options->key, &assertion, clock_now_us(), &text, err) < 0)
        return -1;
    *ret_text = text.data;
    return 0;
}

/* Whether core.begin_read() at the peer found whom the assertion names suspended or revoked. */
static bool actor_is_stale(const struct err *err)
{
    return err->reason == ERR_CREDENTIAL_INVALID && err->metadata_count > 0 &&
           strcmp(err->metadata[0].key, "cause") == 0 && strcmp(err->metadata[0].value, "ACTOR") == 0;
}

/* What a peer's refusal means to our own caller. */
static int peer_refused(struct call *call, enum peer peer, const char *method, struct err *err)
{
    int code = err_grpc_code(err->reason);
    if (actor_is_stale(err)) {
        call->credential_stale = true;
        return -1;
    }
    /* gRPC core cancels what crosses the GOAWAY of a server that ends: as good as never sent. */
    bool cut = code == err_grpc_code(ERR_CANCELLED) && !call_is_over(call);
    if ((code == err_grpc_code(ERR_PEER_UNAVAILABLE) && err->reason != ERR_OUTCOME_UNKNOWN) || cut) {
        LOG(WARNING, "a service cannot be reached", LOG_STR("peer", peer_name(peer)), LOG_STR("method", method),
            LOG_ERR(err));
        return peer_unavailable(peer, err->retry_after_ms, err);
    }
    if (code == err_grpc_code(ERR_CREDENTIAL_INVALID) || code == err_grpc_code(ERR_METHOD_UNKNOWN) ||
        code == err_grpc_code(ERR_INTERNAL)) {
        LOG(ERROR, "a service refused or failed", LOG_STR("peer", peer_name(peer)), LOG_STR("method", method),
            LOG_ERR(err));
        return err_set(err, ERR_INTERNAL); /* the caller's credential is good: it is ours that is not */
    }
    return -1;
}

int call_peer(struct call *call, enum peer peer, const char *method, const ProtobufCMessage *request,
              ProtobufCMessage *response, struct err *err)
{
    struct rpc_peers *peers = call->context->peers;
    if (call->transaction == TRANSACTION_APPEND || call->transaction == TRANSACTION_WRITE) {
        LOG(ERROR, "a handler called a peer inside a writing transaction", LOG_STR("method", method));
        return err_set(err, ERR_INTERNAL);
    }
    if (!peers || !peers->clients[peer] || !peers->options.key)
        return peer_unavailable(peer, 0, err);

    struct rpc_metadata metadata[2] = {{.key = ASSERTION_METADATA}, {.key = "traceparent"}};
    char *assertion;
    char traceparent[TRACE_PARENT_SIZE];
    struct rpc_request rpc = {.method = method, .metadata = metadata, .metadata_count = ARRAY_SIZE(metadata),
                              .deadline_us = call->deadline_us, .parent = call->grpc};
    struct trace span = trace_child(&call->trace);
    trace_format(&span, traceparent);
    if (message_pack(request, &call->arena, &rpc.body, err) < 0 ||
        assertion_make(call, peer, method, &assertion, err) < 0)
        return -1;
    metadata[0].value = assertion;
    metadata[1].value = traceparent;

    struct slice bytes;
    ProtobufCMessage *message;
    if (rpc_client_call(peers->clients[peer], &rpc, &call->arena, &bytes, err) < 0)
        return peer_refused(call, peer, method, err);
    if (message_unpack_answer(response->descriptor, bytes.data, bytes.length, &call->arena, &message, err) < 0) {
        LOG(ERROR, "a service's answer cannot be read", LOG_STR("peer", peer_name(peer)),
            LOG_STR("method", method), LOG_ERR(err));
        return err_set(err, ERR_INTERNAL);
    }
    memcpy(response, message, response->descriptor->sizeof_message);
    return 0;
}
