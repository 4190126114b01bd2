/* server.h: the gRPC server of one service.
 *
 * Calls come in on one poller thread, are let in or refused before their body is read (credential, permission, the
 * organisation's limits), and are spread over three lanes of worker threads, each worker with a database connection
 * of its own. Workers of the read and write lanes take up to RPC_BATCH_MAX ready calls and run them in one round
 * trip; a worker of the exclusive lane takes one call at a time. docs/architecture.md follows one call through these
 * files.
 *
 * A method that answers with a stream has a thread for each call (stream.h).
 *
 * Health (grpc.health.v1) and server reflection (v1 and v1alpha) are answered by the poller, without credential
 * and database. */
#ifndef ISMS_RPC_SERVER_H
#define ISMS_RPC_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isms/auth/authenticator.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/cache/budget.h>
#include <isms/db/health.h>
#include <isms/proto/descriptors.h>
#include <isms/rpc/call.h>
#include <isms/rpc/identity.h>
#include <isms/rpc/methods.h>
#include <isms/rpc/peers.h>
#include <isms/rpc/tls.h>

enum { RPC_BATCH_MAX = 8, RPC_RESPONSE_MAX = 64 * 1024 * 1024, RPC_WORKERS_MAX = 64 };

/* What every call of the process shares. All of it outlives the server and the jobs, and is for any thread. */
struct bell;

struct rpc_context {
    const char *service; /* "actions" */
    const struct descriptors *descriptors;
    struct rpc_methods *methods;
    struct authenticator *authenticator;
    struct db_health *database; /* of all connections the context's users have; NULL: nobody looks */
    struct rpc_peers *peers; /* NULL: every call_peer() is PEER_UNAVAILABLE */
    void *service_data;
    struct bell *jobs_bell; /* wakes the service's jobs; may be NULL */
    size_t call_memory_max; /* bytes that one call may use */
};

struct rpc_built_in;

struct rpc_options {
    const struct rpc_context *context;
    const char *listen;       /* "host:port"; port 0 takes a free one */
    const char *database_url; /* as the service's role */
    size_t message_max;       /* bytes of the largest request, inflated */
    unsigned calls_max;       /* in flight, waiting ones included */
    unsigned lane_waiting_max;
    struct limits tenant_limits;      /* of organisations that have none of their own; all at least 1 */
    unsigned workers[RPC_LANE_COUNT]; /* 1 to RPC_WORKERS_MAX each */
    int64_t deadline_max_us;

    unsigned streams_max;             /* at once */
    unsigned stream_connections;      /* to the database, for all of them; 1 to RPC_WORKERS_MAX */
    int64_t stream_deadline_max_us;
    int64_t stream_stall_timeout_us;  /* for the caller to read one message */

    struct tls *tls; /* NULL: plain TCP */
    const struct peer_identities *identities; /* may be NULL: assertions are not tied to a connection */
    int64_t keepalive_interval_us;
    int64_t keepalive_timeout_us;
    int64_t connection_age_us; /* then GOAWAY: so that load spreads over new replicas */
    int64_t connection_age_grace_us;
    unsigned connection_streams_max;
    unsigned header_size_max;

    bool reflection;
    const struct rpc_built_in *built_ins; /* beside health and reflection; of the inside; may be NULL */
};

struct rpc_server;

/* Listens and starts all threads; calls are answered at once (with DATABASE_UNAVAILABLE as long as
 * rpc_methods_are_ready() says no). Health says NOT_SERVING until rpc_server_serving(). The options are copied,
 * what they point to is not. */
int rpc_server_new(const struct rpc_options *options, struct rpc_server **ret_server,
                   struct err *err) MUST_CHECK;

int rpc_server_port(const struct rpc_server *server);

/* What the poller has done: the events it took, and the CPU time it used. Where time goes on and events do not, gRPC is
 * busy with a peer that sends faster than it can be read, and nobody else is served. Any thread. */
void rpc_server_poller(struct rpc_server *server, uint64_t *ret_events, int64_t *ret_cpu_us);

/* What its callers' organisations spend of their rates; good until the server is freed. */
struct budget_source rpc_server_budget(struct rpc_server *server);

/* What health answers. Any thread. */
void rpc_server_serving(struct rpc_server *server, bool serving);

/* Takes no new calls from here on (GOAWAY to everyone), ends the streams that only wait, and lets the others go on
 * as long as it is not stopped. */
void rpc_server_drain(struct rpc_server *server);
bool rpc_server_is_quiet(struct rpc_server *server); /* no call is open any more */

/* Drains, lets what is under way end within `grace_us`, then ends it with SHUTTING_DOWN, and ends all threads. -1
 * when some work cannot be ended: the process must then exit without freeing anything. */
int rpc_server_stop(struct rpc_server *server, int64_t grace_us) MUST_CHECK;

/* Of a server that was stopped. Accepts NULL. */
void rpc_server_free(struct rpc_server *server);

/* Workers that have a database connection now, of how many. For readiness. */
unsigned rpc_server_connected(struct rpc_server *server, unsigned *ret_workers);

#endif
