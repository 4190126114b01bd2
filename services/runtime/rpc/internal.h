/* internal.h: the structs that the files of this layer share. Nothing outside the folder includes it.
 *
 * Ownership of a call. A call is made by the poller, and is then handed from thread to thread: poller,
 * worker, and the completion queue of its lane. Whoever holds it may use it; `refs` counts the pending gRPC
 * batches plus the holder, and call_unref() by the last frees everything at once. Three things are looked at
 * from other threads: `cancelled` (atomic), and `phase` and `wake_fd` under the server's lock. */
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

enum {
    ARMED_PER_METHOD = 4,
    LOG_FACTS_MAX = 4,
    BODY_TIMEOUT_US = 10 * 1000 * 1000,   /* a caller has to send its request within */
    ANSWER_TIMEOUT_US = 10 * 1000 * 1000, /* and to take the answer, after the deadline, within */
    COMPRESS_FROM = 32 * 1024             /* bytes of an answer that are worth compressing */
};

/* --- what comes back from a completion queue ------------------------------------------------------------ */

enum tag_kind { TAG_ARRIVED, TAG_ARRIVED_UNKNOWN, TAG_MESSAGE, TAG_CLOSED, TAG_SENT, TAG_STREAM, TAG_STOPPED };

enum { TAG_MAGIC = 0x15a5ca11 };

struct tag {
    unsigned magic;
    enum tag_kind kind;
    void *owner; /* struct armed, struct call or struct rpc_server, by kind */
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

/* --- methods -------------------------------------------------------------------------------------------- */

/* How one rpc of the service runs. */
struct rpc_method {
    const struct method *method;
    rpc_run *run;            /* exactly one of these two */
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
    STATEMENT_SET_TENANT,
    STATEMENT_FIND_KEY,
    STATEMENT_FIND_MEMBER,
    STATEMENT_CONTEXT_COUNT
};
extern const struct db_statement context_statements[STATEMENT_CONTEXT_COUNT];

/* Every method the server listens for, the built-in ones included. */
struct served_method {
    const struct method *method;
    const struct rpc_method *rpc;            /* NULL: built in */
    void (*built_in)(struct call *call);     /* runs on the poller when the message is there */
    bool stream;                             /* built in: has the call at once, reads messages itself */
    void *registered;
    struct metric_series *started;
    struct metric_series *duration;
};

/* --- calls ---------------------------------------------------------------------------------------------- */

enum call_phase { CALL_RECEIVING, CALL_RUNNING, CALL_ANSWERED };

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

    /* under the server's lock */
    struct call *next;
    struct call *previous;
    enum call_phase phase;
    int wake_fd; /* of the worker that is running it; -1: none */
    bool expelled;

    struct call *queue_next; /* in the exclusive lane's queue */

    /* the call's facts */
    int64_t arrived_us;  /* monotonic */
    int64_t deadline_us; /* monotonic, never beyond the method's and the server's */
    int64_t now_us;
    struct uuid id_base;
    struct trace trace;
    struct principal *principal; /* NULL: not authenticated (yet) */
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

/* Its request is there, and it is being worked on. */
void call_running(struct call *call);

/* Wakes the worker that is running the call, if one is: something about it has changed. */
void call_wake(struct call *call);

/* Its deadline in ms from now, at least 1. */
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
    grpc_completion_queue *queue; /* of its calls; exclusive: NULL, its calls are the poller's */
    struct metric_series *busy;
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
    struct lane lanes[RPC_LANE_COUNT];

    unsigned served_count;
    struct served_method *served;
    unsigned armed_count;
    struct armed *armed;
    struct metric_series *unknown_started;

    bool poller_started;
    pthread_t poller;
    struct tag stopped_tag;
    atomic_bool serving;

    pthread_mutex_t lock;
    pthread_cond_t quiet; /* `stopped` or `open` has changed */
    struct call *calls;   /* all that are open, newest first */
    unsigned open;
    bool stopped;         /* gRPC takes no calls any more */
    pthread_cond_t queue_changed;
    bool queue_closed;
    struct call *queue_first; /* the exclusive lane's waiting calls; bounded by admission */
    struct call **queue_last;
};

/* Hands a call to the exclusive lane. */
void lane_queue_push(struct rpc_server *server, struct call *call);

/* arrival.c: what arrives at the server. */
int armed_new(struct rpc_server *server, struct err *err) MUST_CHECK; /* places for all methods */
void armed_start(struct rpc_server *server);
void armed_free(struct rpc_server *server);
void armed_event(struct armed *armed, bool ok);

/* lane.c */
int lanes_start(struct rpc_server *server, struct err *err) MUST_CHECK;
void lanes_stop(struct rpc_server *server); /* when no call is open any more */
void lanes_free(struct rpc_server *server);

/* The events of one call, the same on every queue. Answers the call whose message has come, or NULL when
 * there is nothing more to do. */
struct call *tag_handle(struct tag *tag, bool ok);

/* --- running calls -------------------------------------------------------------------------------------- */

/* authorize.c: who calls, and may it do that? Fills call->principal. */
int call_authorize(struct call *call, struct db_connection *connection, struct err *err) MUST_CHECK;
int principal_may_call(const struct principal *principal, const struct rpc_method *method,
                       struct err *err) MUST_CHECK;
/* directory.c */
struct auth_directory directory_over(struct db_connection **connection);

/* execute.c: runs SQL-bound calls in as few round trips as can be, and answers them. */
void calls_execute(struct call *const *calls, unsigned count, struct db_connection *connection);
/* What every call goes through before its method: credential, permission, body, rules. */
int call_prepare(struct call *call, struct db_connection *connection, struct err *err) MUST_CHECK;

/* handler.c: runs a C handler's call and answers it. */
void handler_execute(struct call *call, struct db_connection *connection);

/* values.c: the values of the context statements, in the call's arena. NULL without memory. */
enum { BEGIN_READ_VALUES = 6, BEGIN_WRITE_VALUES = 12 };
struct db_value *begin_values(struct call *call, bool write);
struct binding_call binding_call_of(const struct call *call);
bool failure_is(const struct db_failure *failure, const char *name); /* one of our own raises */
int64_t failure_sequence(const struct db_failure *failure);
/* What the caller is told only as INTERNAL goes into the log. */
void failure_log(const struct call *call, const struct db_failure *failure, const struct err *err);

/* Built-in services. */
void health_check(struct call *call);
void reflection_start(struct call *call);
void reflection_event(struct tag *tag, bool ok);

/* observe.c */
void call_observe(const struct call *call, int code, const struct err *err);
const char *grpc_code_name(int code); /* "OK", "NotFound", as Go's middleware has them */

#endif
