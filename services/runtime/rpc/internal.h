/* internal.h: the structs that the files of this layer share. Nothing outside the folder includes it.
 *
 * Ownership of a call. A call is made by the poller, and is then handed from thread to thread: poller, worker, and
 * the queue of a lane. Whoever holds it may use it; `refs` counts the pending gRPC batches plus the holder, and
 * call_unref() by the last frees everything at once. What other threads look at: `cancelled` and `queued_in`
 * (atomic), `item` under the lock of the lane it is queued in, and `phase` and `wake_fd` under the server's lock. */
#ifndef ISMS_RPC_INTERNAL_H
#define ISMS_RPC_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>

#include <isms/auth/principal.h>
#include <isms/base/slice.h>
#include <isms/obs/log.h>
#include <isms/obs/metrics.h>
#include <isms/obs/trace.h>
#include <isms/proto/binding.h>
#include <isms/rpc/call.h>
#include <isms/rpc/methods.h>
#include <isms/rpc/server.h>

#include "admission.h"
#include "fair.h"
#include "resets.h"
#include "tenants.h"

enum {
    ARMED_PER_METHOD = 4,
    LOG_FACTS_MAX = 4,
    BODY_TIMEOUT_US = 10 * 1000 * 1000,   /* a caller has to send its request within */
    ANSWER_TIMEOUT_US = 10 * 1000 * 1000, /* and to take the answer, after the deadline, within */
    DATABASE_MARGIN_US = 1000 * 1000,     /* beyond the deadline: no answer comes any more */
    COMPRESS_FROM = 32 * 1024,            /* bytes of an answer that are worth compressing */
    LOCK_TIMEOUT_MS = 3000,               /* for the organisation's sequence, where nobody else waits as well */
    CLAIMED_FLOWS = 258
};

/* --- what comes back from a completion queue ------------------------------------------------------------ */

enum tag_kind { TAG_ARRIVED, TAG_ARRIVED_UNKNOWN, TAG_MESSAGE, TAG_CLOSED, TAG_SENT, TAG_STREAM, TAG_STOPPED };

enum { TAG_MAGIC = 0x15a5ca11 };

struct tag {
    unsigned magic;
    enum tag_kind kind;
    void *owner; /* struct armed, struct call or struct rpc_server, by kind */
    void (*event)(struct tag *tag, bool ok); /* TAG_STREAM: whose owner it is alone knows */
};

/* gRPC's queues order what one thread did before it posted a batch against what another does after it took the
 * batch's event. ThreadSanitizer cannot see into the library, and is told. */
#ifdef __SANITIZE_THREAD__
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#define TAG_POSTED(tag) __tsan_release(tag)
#define TAG_TAKEN(tag) __tsan_acquire(tag)
#else
#define TAG_POSTED(tag) ((void)(tag))
#define TAG_TAKEN(tag) ((void)(tag))
#endif

static inline struct tag tag_make(enum tag_kind kind, void *owner)
{
    return (struct tag){.magic = TAG_MAGIC, .kind = kind, .owner = owner};
}

/* A tag of a stream's: `event` runs on the poller, and ends by call_unref() for the batch. */
static inline struct tag tag_make_event(void (*event)(struct tag *tag, bool ok), void *owner)
{
    return (struct tag){.magic = TAG_MAGIC, .kind = TAG_STREAM, .owner = owner, .event = event};
}

/* --- methods -------------------------------------------------------------------------------------------- */

/* How one rpc of the service runs. */
struct rpc_method {
    const struct method *method;
    rpc_run *run;            /* exactly one of these three */
    rpc_stream_run *stream;
    struct binding *binding;
    enum rpc_lane lane;
    bool needs_permission;
    enum permission permission;
};

const struct rpc_method *rpc_methods_list(const struct rpc_methods *methods, unsigned *ret_count);
/* A statement that handlers run by name; NULL where there is none. */
const struct binding *rpc_methods_binding(const struct rpc_methods *methods, const char *name);

/* The statements that every lane has beside those of its files (values.c). */
enum context_statement {
    STATEMENT_BEGIN_READ,
    STATEMENT_BEGIN_WRITE,
    STATEMENT_END_WRITE,
    STATEMENT_ANSWER,
    STATEMENT_CONFIRM,
    STATEMENT_SET_TENANT,
    STATEMENT_FIND_KEY,
    STATEMENT_FIND_MEMBER,
    STATEMENT_FIND_LIMITS,
    STATEMENT_PROVISION_MEMBER,
    STATEMENT_CONTEXT_COUNT
};
extern const struct db_statement context_statements[STATEMENT_CONTEXT_COUNT];

/* What is answered without credential and database. A table ends with {0}. */
struct rpc_built_in {
    const char *path;
    void (*run)(struct call *call); /* on the poller, when the message is there */
    rpc_stream_run *stream;         /* or this, on a thread of its own */
    void (*gone)(struct call *call); /* its caller has gone; may be NULL */
    bool reads;                     /* `run` has the call at once, and reads its messages itself */
    bool endless;                   /* has no deadline of the server's */
};
extern const struct rpc_built_in health_built_ins[];
extern const struct rpc_built_in reflection_built_ins[];

/* Every method the server listens for, the built-in ones included. */
struct served_method {
    const struct method *method;
    const struct rpc_method *rpc;          /* NULL: built in */
    const struct rpc_built_in *built_in;
    rpc_stream_run *stream; /* of either kind; NULL: answers with one message */
    void *registered;
    struct metric_series *started;
    struct metric_series *duration;
};

/* --- calls ---------------------------------------------------------------------------------------------- */

enum call_phase { CALL_RECEIVING, CALL_RUNNING, CALL_ANSWERED };

/* Metadata of the answer beyond the status; key NULL: none. */
struct answer_metadata {
    const char *key;
    struct slice value;
};

struct log_fact {
    const char *key;
    const char *value;
};

/* What a handler's or job's open transaction is. */
enum transaction { TRANSACTION_NONE, TRANSACTION_READ, TRANSACTION_APPEND, TRANSACTION_WRITE };

struct call {
    struct arena arena; /* holds this struct too */
    const struct rpc_context *context;
    struct rpc_server *server;              /* NULL: a job's call */
    const struct served_method *served;     /* NULL: an unknown method, or a job's call */

    /* gRPC's side */
    grpc_call *grpc;
    grpc_metadata_array metadata;
    grpc_byte_buffer *body;
    grpc_byte_buffer *answer;
    struct tag message_tag;
    struct tag closed_tag;
    struct tag sent_tag;
    int closed_cancelled; /* written by gRPC before closed_tag comes back */
    atomic_uint refs;
    atomic_bool cancelled;
    struct admission_ticket ticket;
    bool headers_sent; /* of a stream */
    bool uncompressed; /* the answer, however large */
    bool counted_stream;
    struct stream_slot *stream_slot; /* whose connection it has */
    struct rpc_stream *stream; /* set and cleared under the server's lock; NULL: not on a thread of its own */
    struct watch *watch; /* health's */
    struct answer_metadata header;
    struct answer_metadata trailer;

    /* under the server's lock */
    struct call *next;
    struct call *previous;
    enum call_phase phase;
    int wake_fd; /* of the worker that is running it; -1: none */
    bool expelled;

    struct fair_item item;           /* under the lock of the lane that it is queued in */
    _Atomic(struct lane *) queued_in; /* NULL: in none */
    int64_t queued_us;               /* monotonic */

    /* the call's facts */
    int64_t arrived_us;  /* monotonic */
    int64_t deadline_us; /* monotonic, never beyond the method's and the server's */
    int64_t now_us;
    struct uuid id_base;
    struct trace trace;
    struct principal *principal; /* NULL: not authenticated (yet) */
    int lock_timeout_ms;         /* how long a write may wait for the organisation's sequence */
    const char *job;             /* a job's name */
    bool across_tenants;         /* a job's call without a tenant */
    bool (*job_is_stopping)(void *context);
    void *job_context;
    struct log_fact facts[LOG_FACTS_MAX];
    unsigned fact_count;

    /* while it runs */
    ProtobufCMessage *request;
    struct sha256 request_hash;
    const char *request_id; /* "" where there is none */
    struct db_connection *connection;
    enum transaction transaction;
    bool credential_stale;   /* found by a begin statement, here or at a peer */
    bool claimed;            /* this try holds the claim of its request */
    bool replayed;           /* found by begin_write */
    struct slice replay;     /* the stored answer */
};

/* Posts a batch. It has a reference, which the taker of its event gives up or goes on with as the holder. */
void call_post(struct call *call, const grpc_op *operations, size_t count, struct tag *tag);

/* Makes a call in an arena of its own; NULL without memory. */
struct call *call_new(const struct rpc_context *context);
void call_free(struct call *call); /* of one that no gRPC call is tied to */
void call_unref(struct call *call);

/* The value of a metadata key, data NULL where there is none. */
struct slice call_metadata(const struct call *call, const char *key);

/* Starts the answer, logs and counts the call, and gives up the holder's reference. */
void call_answer(struct call *call, const ProtobufCMessage *response);
void call_answer_bytes(struct call *call, struct slice response);
void call_fail(struct call *call, const struct err *err);
void call_answer_status(struct call *call); /* OK without a message: the end of a stream */
void call_answer_code(struct call *call, int code, const char *message); /* any status, without details */

/* Its request is there, and it is being worked on. */
void call_running(struct call *call);

/* Wakes the worker or stream that is running the call, if one is: something about it has changed. */
void call_wake(struct call *call);
void call_wake_locked(struct call *call); /* with the server's lock held */

/* The start of an answer; `storage` (HEADERS_MAX, zeroed) is released when the batch was posted. */
enum { HEADERS_MAX = 1, TRAILERS_MAX = 3 };
grpc_op call_headers_operation(struct call *call, grpc_metadata *storage, bool compress);
void metadata_release(grpc_metadata *storage, size_t count);

/* What call_is_over() says, as an error: CANCELLED, SHUTTING_DOWN or DEADLINE_EXCEEDED. Returns -1. */
int call_over_err(const struct call *call, struct err *err);
int shutting_down_err(struct err *err);

/* Its request, as it came, without looking at its rules. For what is built in. */
int call_unpack(struct call *call, struct err *err) MUST_CHECK;

/* Time for one statement in ms from now, at least 1. */
int call_remaining_ms(const struct call *call);

/* --- the request's and the answer's bytes (body.c) ------------------------------------------------------ */

/* The message's bytes, inflated where need be to at most `max`; in place or in the arena. */
int body_read(grpc_byte_buffer *body, size_t max, struct arena *arena, struct slice *ret_bytes,
              struct err *err) MUST_CHECK;
/* NULL where there is no memory. */
grpc_byte_buffer *body_of_message(const ProtobufCMessage *message);
grpc_byte_buffer *body_of_bytes(struct slice bytes);

/* --- lanes ---------------------------------------------------------------------------------------------- */

struct worker {
    struct rpc_server *server;
    enum rpc_lane lane;
    bool started;
    pthread_t thread;
    struct db_connection *connection;
    atomic_bool connected;
    bool troubled;
    int wake_fd; /* exclusive lane: written to when its call is cancelled */
};

struct lane {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct fair_queue queue;
    bool closed;
    struct fair_flow parked; /* admission: calls that are tried again at `unpark_us` */
    int64_t unpark_us;
    unsigned batch_max;
    struct metric_series *busy;
    struct metric_series *wait;
    unsigned worker_count;
    struct worker *workers;
};

/* A place for the next call of a method (NULL: of any that is not registered) to arrive at. */
struct armed {
    struct tag tag;
    struct rpc_server *server;
    const struct served_method *served;
    grpc_call *grpc;
    gpr_timespec deadline;
    grpc_metadata_array metadata;
    grpc_call_details details; /* of unregistered ones */
};

struct rpc_server {
    struct rpc_options options;
    const struct rpc_context *context;
    grpc_server *grpc;
    grpc_completion_queue *poll_queue;
    int port;
    struct admission admission;
    struct tenants *tenants;
    struct fair_flow claimed[CLAIMED_FLOWS]; /* the admission lane's, by what a credential says of itself */
    struct lane lanes[RPC_LANE_COUNT];

    unsigned served_count;
    struct served_method *served;
    unsigned armed_count;
    struct armed *armed;
    struct metric_series *unknown_started;

    struct resets resets; /* the poller's */
    bool resets_pending;  /* a connection was found bad, and is to be ended */
    int64_t resets_looked_us;

    bool poller_started;
    pthread_t poller;
    clockid_t poller_clock;
    atomic_uint_fast64_t polled; /* events taken */
    struct tag stopped_tag;
    atomic_bool serving;
    atomic_bool draining; /* takes no new calls: who only waits, ends */
    atomic_bool ending;   /* the time for those under way is over */

    atomic_uint streams;     /* open */
    unsigned stream_threads; /* under the lock */
    struct stream_pool *stream_pool;
    struct watch *watches; /* health's, under the lock */
    unsigned watch_count;

    pthread_mutex_t lock;
    pthread_cond_t quiet; /* `stopped` or `open` has changed */
    struct call *calls;   /* all that are open, newest first */
    unsigned open;
    bool stopped;         /* gRPC takes no calls any more */
};

/* stream.c: calls on a thread of their own. */
int streams_init(struct rpc_server *server, struct err *err) MUST_CHECK;
void streams_free(struct rpc_server *server);
int stream_admit(struct call *call, struct err *err) MUST_CHECK; /* counts it in, or OVERLOADED, as admission_wait() */
void stream_start(struct call *call);                            /* its request is there */
void stream_wake(struct rpc_stream *stream);                     /* something about its call has changed */
/* One of the streams' database connections as call->connection; -1 when the call is over first. */
int stream_connection_take(struct call *call, struct err *err) MUST_CHECK;
void stream_connection_give(struct call *call);

/* health.c */
void health_changed(struct rpc_server *server); /* tells those who watch */
void health_watches_end(struct rpc_server *server);

/* Queues a call in the lane and flow that its ticket names. The caller holds it no longer. */
void lane_push(struct call *call);
/* Takes a call out of the queue that it waits in: true, the caller holds it. Poller only. */
bool lane_withdraw(struct call *call);
/* Queues a call in the admission lane that is to be tried again after a moment. false: too many are. */
bool lane_park(struct call *call);

/* arrival.c: what arrives at the server. */
int armed_new(struct rpc_server *server, struct err *err) MUST_CHECK; /* places for all methods */
void armed_start(struct rpc_server *server);
void armed_free(struct rpc_server *server);
void armed_event(struct armed *armed, bool ok);

/* server.c. Who a call came from, as server->resets has it. */
uint64_t peer_number(grpc_call *call);

/* arrival.c. For admission workers: finds out who calls, and lets the call in or refuses it. */
void call_examine(struct call *call, struct db_connection *connection);
void message_arrived(struct call *call);
/* Gives a call a place in the exclusive lane, to be pushed to, in exchange for the one it has. false: there is none. */
bool call_hold_up(struct call *call);

/* lane.c */
void lanes_init(struct rpc_server *server);
int lanes_start(struct rpc_server *server, struct err *err) MUST_CHECK;
void lanes_stop(struct rpc_server *server); /* when no call is open any more */
void lanes_free(struct rpc_server *server);

/* The events of one call, the same on every queue. Answers the call whose message has come, or NULL when
 * there is nothing more to do. */
struct call *tag_handle(struct tag *tag, bool ok);

/* --- running calls -------------------------------------------------------------------------------------- */

/* authorize.c: who calls, and may it do that? These fill call->principal. The first asks nobody: 1 it is known, 0 it
 * has to be looked up, -1 it is refused unseen. call_authorize() looks up, and then asks whether it may. */
int call_recall(struct call *call, struct err *err) MUST_CHECK;
int call_authorize(struct call *call, struct db_connection *connection, struct err *err) MUST_CHECK;
int call_permit(const struct call *call, struct err *err) MUST_CHECK;
unsigned call_claim(const struct call *call); /* which of the admission lane's flows it queues in */
int principal_may_call(const struct principal *principal, const struct rpc_method *method,
                       struct err *err) MUST_CHECK;
/* directory.c */
struct directory {
    struct db_connection *connection;
    const char *service; /* our own, which the change log names when a member is provisioned */
};
struct auth_directory directory_over(struct directory *directory);

/* Until when the database's answer to the call is waited for. */
int64_t call_answer_by(const struct call *call);

/* execute.c: runs SQL-bound calls in as few round trips as can be, and answers them. */
void calls_execute(struct call *const *calls, unsigned count, struct db_connection *connection);
/* What every call that was let in goes through before its method: time, body, rules. */
int call_prepare(struct call *call, struct err *err) MUST_CHECK;
int methods_check(const struct call *call, struct err *err) MUST_CHECK; /* whether the schema is what they need */

/* handler.c: runs a C handler's call and answers it. */
void handler_execute(struct call *call, struct db_connection *connection);
/* Ends what a handler left open, well or not as `result` says; answers the result. */
int transaction_finish(struct call *call, const ProtobufCMessage *response, int result, struct err *err);

/* values.c: the values of the context statements, in the call's arena. NULL without memory. */
enum { BEGIN_READ_VALUES = 6, BEGIN_WRITE_VALUES = 13 };
struct db_value *begin_values(struct call *call, bool write);
struct db_value value_uuid(const struct uuid *uuid); /* points at it */
struct binding_call binding_call_of(const struct call *call);
bool failure_is(const struct db_failure *failure, const char *name); /* one of our own raises */
int64_t failure_sequence(const struct db_failure *failure);
/* What the caller is told only as INTERNAL goes into the log. */
void failure_log(const struct call *call, const struct db_failure *failure, const struct err *err);

/* observe.c */
void call_observe(const struct call *call, int code, const struct err *err);
const char *grpc_code_name(int code); /* "OK", "NotFound", as Go's middleware has them */

#endif
