/* server.h: the gRPC server of one service.
 *
 * Calls come in on one poller thread, are admitted or refused by counts, and are spread over three lanes of
 * worker threads, each worker with a database connection of its own. Workers of the read and write lanes take
 * up to RPC_BATCH_MAX ready calls and run them in one round trip; a worker of the exclusive lane takes one call
 * at a time. docs/architecture.md follows one call through these files.
 *
 * Health (grpc.health.v1, Check only) and server reflection (v1 and v1alpha) are answered by the poller,
 * without credential and database. */
#ifndef ISMS_RPC_SERVER_H
#define ISMS_RPC_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isms/auth/authenticator.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/proto/descriptors.h>
#include <isms/rpc/call.h>
#include <isms/rpc/methods.h>
#include <isms/rpc/peers.h>

enum { RPC_BATCH_MAX = 8, RPC_RESPONSE_MAX = 64 * 1024 * 1024, RPC_WORKERS_MAX = 64 };

/* What every call of the process shares. All of it outlives the server and the jobs, and is for any thread. */
struct rpc_context {
    const char *service; /* "actions" */
    const struct descriptors *descriptors;
    struct rpc_methods *methods;
    struct authenticator *authenticator;
    struct rpc_peers *peers; /* NULL: every call_peer() is PEER_UNAVAILABLE */
    void *service_data;
    size_t call_memory_max; /* bytes that one call may use */
};

struct rpc_options {
    const struct rpc_context *context;
    const char *listen;       /* "host:port"; port 0 takes a free one */
    const char *database_url; /* as the service's role */
    size_t message_max;       /* bytes of the largest request, inflated */
    unsigned calls_max;       /* in flight, waiting ones included */
    unsigned lane_waiting_max;
    unsigned workers[RPC_LANE_COUNT]; /* 1 to RPC_WORKERS_MAX each */
    int64_t deadline_max_us;
};

struct rpc_server;

/* Listens and starts all threads; calls are answered at once (with DATABASE_UNAVAILABLE as long as
 * rpc_methods_are_ready() says no). Health says NOT_SERVING until rpc_server_serving(). The options are copied,
 * what they point to is not. */
int rpc_server_new(const struct rpc_options *options, struct rpc_server **ret_server,
                   struct err *err) MUST_CHECK;

int rpc_server_port(const struct rpc_server *server);

/* What health answers. Any thread. */
void rpc_server_serving(struct rpc_server *server, bool serving);

/* Refuses new calls, lets those under way end within `grace_us`, then cancels them, and ends all threads. -1
 * when some work cannot be ended: the process must then exit without freeing anything. */
int rpc_server_stop(struct rpc_server *server, int64_t grace_us) MUST_CHECK;

/* Of a server that was stopped. Accepts NULL. */
void rpc_server_free(struct rpc_server *server);

/* Workers that have a database connection now, of how many. For readiness. */
unsigned rpc_server_connected(struct rpc_server *server, unsigned *ret_workers);

#endif
