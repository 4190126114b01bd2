/* client.h: unary gRPC calls to one address.
 *
 * A client is one channel: it connects when first used, reconnects by itself, and may be used by any number of
 * threads at once. A call blocks its thread until the answer, the deadline, or the cancellation of the server
 * call it is made for. */
#ifndef ISMS_RPC_CLIENT_H
#define ISMS_RPC_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/base/slice.h>

struct rpc_client;

struct rpc_metadata {
    const char *key; /* lower case */
    const char *value;
};

struct rpc_request {
    const char *method; /* "/package.Service/Method" */
    const struct rpc_metadata *metadata;
    size_t metadata_count; /* at most 16 */
    struct slice body;     /* the serialised request */
    int64_t deadline_us;   /* on clock_monotonic_us()'s clock */
    void *parent;          /* internal: the grpc_call whose cancellation and deadline this call inherits */
};

/* `address` is "host:port" or gRPC's "dns:///host:port". Plain TCP: for loopback and private networks. */
int rpc_client_new(const char *address, size_t message_max, struct rpc_client **ret_client, struct err *err)
    MUST_CHECK;
void rpc_client_free(struct rpc_client *client);
void rpc_client_freep(struct rpc_client **client);

/* 0: the serialised response, in the arena. -1: the status that the server gave, details included; where no
 * server answered, PEER_UNAVAILABLE, DEADLINE_EXCEEDED or CANCELLED. */
int rpc_client_call(struct rpc_client *client, const struct rpc_request *request, struct arena *arena,
                    struct slice *ret_response, struct err *err) MUST_CHECK;

/* Whether the channel is connected now (starts connecting if it is idle). For readiness details. */
bool rpc_client_is_connected(struct rpc_client *client);

#endif
