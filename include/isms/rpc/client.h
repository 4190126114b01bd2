/* client.h: gRPC calls to one address, with one message for an answer or many.
 *
 * A client is one channel: it connects when first used, reconnects by itself, and may be used by any number of
 * threads at once. When its certificates change (tls.h) it goes on with a new channel. A call blocks its thread until
 * the answer, the deadline, or the cancellation of the server call it is made for. */
#ifndef ISMS_RPC_CLIENT_H
#define ISMS_RPC_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/base/slice.h>
#include <isms/rpc/identity.h>
#include <isms/rpc/tls.h>

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

struct rpc_client_options {
    const char *address;             /* "host:port" or gRPC's "dns:///host:port" */
    size_t message_max;
    struct tls *tls;                 /* NULL: plain TCP, for loopback and private networks */
    const struct identity *identity; /* what the server's certificate must carry; NULL: the address's name */
};

/* What the options point to outlives the client. */
int rpc_client_new(const struct rpc_client_options *options, struct rpc_client **ret_client,
                   struct err *err) MUST_CHECK;
void rpc_client_free(struct rpc_client *client);
void rpc_client_freep(struct rpc_client **client);

/* 0: the serialised response, in the arena. -1: the status that the server gave, details included; where no
 * server answered, PEER_UNAVAILABLE, DEADLINE_EXCEEDED or CANCELLED. */
int rpc_client_call(struct rpc_client *client, const struct rpc_request *request, struct arena *arena,
                    struct slice *ret_response, struct err *err) MUST_CHECK;

/* What is done with one message of a stream, whose bytes are gone afterwards. -1 ends the call with its err. */
typedef int rpc_client_take(void *context, struct slice message, struct err *err);

/* The same for an rpc that answers with a stream: the next message is asked for when `take` is done with the one
 * before. 0 only when the server ended the stream with OK; what was taken until a failure is for `take` to undo. */
int rpc_client_stream(struct rpc_client *client, const struct rpc_request *request, rpc_client_take *take,
                      void *context, struct err *err) MUST_CHECK;

/* Whether the channel is connected now (starts connecting if it is idle). For readiness details. */
bool rpc_client_is_connected(struct rpc_client *client);

#endif
