/* server.c: the gRPC server's making, its poller, and its end.
 *
 * One thread, the poller, drives gRPC's network I/O and takes all notices that need no worker; it never blocks
 * on anything else. Once a second it looks over the open calls and expels those whose caller neither sends the
 * request nor takes the answer: gRPC ends a call at the deadline its caller set, but not every caller sets one.
 *
 * The end (facts of gRPC): shutdown_and_notify refuses new calls and gives back the armed places; then the
 * calls under way end or are cancelled; only when no call is open may the workers' queues be shut down,
 * since work posted to a queue after that crashes. */
#include "internal.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <grpc/support/log.h>

#include <isms/base/bug.h>
#include <isms/base/clock.h>
#include <isms/base/condition.h>
#include <isms/rpc/connections.h>

#include "tls_credentials.h"

enum {
    SWEEP_INTERVAL_MS = 1000,
    RESETS_INTERVAL_MS = 10,
    RESETS_PER_STREAM = 2, /* a second: a caller may well give up all its calls at once, and those it begins then */
    ANSWER_WAIT_US = 2 * 1000 * 1000, /* for those that are told to end to say why */
    END_TIMEOUT_US = 15 * 1000 * 1000 /* for cancelled calls to end */
};

/* --- peers that reset their calls ----------------------------------------------------------------------- */

/* FNV-1a. */
static uint64_t peer_hash(const char *peer)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (; *peer; peer++)
        hash = (hash ^ (uint8_t)*peer) * 0x100000001b3;
    return hash;
}

/* --- the poller ----------------------------------------------------------------------------------------- */

static bool call_is_overdue(const struct call *call, int64_t now_us)
{
    int64_t receive_by_us = call->arrived_us + BODY_TIMEOUT_US;
    if (call->phase == CALL_RECEIVING && now_us >= (call->deadline_us < receive_by_us ? call->deadline_us
                                                                                      : receive_by_us))
        return true;
    return now_us >= call->deadline_us + ANSWER_TIMEOUT_US;
}

static void server_sweep(struct rpc_server *server)
{
    int64_t now_us = clock_monotonic_us();
    pthread_mutex_lock(&server->lock);
    for (struct call *call = server->calls; call; call = call->next)
        if (!call->expelled && call_is_overdue(call, now_us)) {
            call->expelled = true;
            grpc_call_cancel_with_status(call->grpc, GRPC_STATUS_DEADLINE_EXCEEDED, "the deadline passed",
                                         NULL);
        }
    pthread_mutex_unlock(&server->lock);
}

uint64_t peer_number(grpc_call *call)
{
    char *peer = grpc_call_get_peer(call);
    uint64_t number = peer_hash(peer);
    gpr_free(peer);
    return number;
}

static bool connection_is_bad(void *context, int descriptor)
{
    struct rpc_server *server = context;
    char peer[PEER_TEXT_SIZE];
    connection_peer(descriptor, peer);
    return resets_is_bad(&server->resets, peer_hash(peer), clock_monotonic_us());
}

/* To look through all connections takes some time; meanwhile more of them are found bad. */
static void connections_bad_end(struct rpc_server *server, int64_t now_us)
{
    if (!server->resets_pending || now_us - server->resets_looked_us < RESETS_INTERVAL_MS * INT64_C(1000))
        return;
    server->resets_pending = false;
    unsigned count = connections_end((uint16_t)server->port, connection_is_bad, server);
    server->resets_looked_us = clock_monotonic_us();
    if (count > 0)
        LOG(WARNING, "connections were ended: their peers reset calls as fast as they began them",
            LOG_INT("connections", count));
}

static void server_stopped(struct rpc_server *server)
{
    pthread_mutex_lock(&server->lock);
    server->stopped = true;
    pthread_cond_broadcast(&server->quiet);
    pthread_mutex_unlock(&server->lock);
}

static void poll_event(struct rpc_server *server, struct tag *tag, bool ok)
{
    TAG_TAKEN(tag);
    BUG_IF(tag->magic != TAG_MAGIC);
    switch (tag->kind) {
    case TAG_ARRIVED:
    case TAG_ARRIVED_UNKNOWN:
        armed_event(tag->owner, ok);
        return;
    case TAG_STREAM:
        tag->event(tag, ok);
        return;
    case TAG_STOPPED:
        server_stopped(server);
        return;
    case TAG_MESSAGE:
    case TAG_CLOSED:
    case TAG_SENT: {
        struct call *call = tag_handle(tag, ok);
        if (call)
            message_arrived(call);
        return;
    }
    }
}

static void *poller_main(void *argument)
{
    struct rpc_server *server = argument;
    int64_t sweep_us = clock_monotonic_us();
    for (;;) {
        int interval_ms = server->resets_pending ? RESETS_INTERVAL_MS : SWEEP_INTERVAL_MS;
        gpr_timespec until = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                          gpr_time_from_millis(interval_ms, GPR_TIMESPAN));
        grpc_event event = grpc_completion_queue_next(server->poll_queue, until, NULL);
        if (event.type == GRPC_QUEUE_SHUTDOWN)
            return NULL;
        atomic_fetch_add_explicit(&server->polled, 1, memory_order_relaxed);
        if (event.type == GRPC_OP_COMPLETE)
            poll_event(server, event.tag, event.success != 0);
        connections_bad_end(server, clock_monotonic_us());
        if (clock_monotonic_us() - sweep_us >= SWEEP_INTERVAL_MS * INT64_C(1000)) {
            server_sweep(server);
            sweep_us = clock_monotonic_us();
        }
    }
}

/* --- making --------------------------------------------------------------------------------------------- */

static grpc_arg argument(const char *key, int value)
{
    return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key, .value.integer = value};
}

/* gRPC reads a message whole, however large, before it looks at its limit: a peer that has not even said who it is
 * could send 4 GiB. With a quota it stops reading, and drops what holds most, in place of growing. */
enum { MESSAGES_HELD_MAX = 64, QUOTA_MIN = 256 << 20 };

static grpc_arg milliseconds(const char *key, int64_t us)
{
    return argument(key, us / 1000 < INT_MAX ? (int)(us / 1000) : INT_MAX);
}

/* Deflate exists in a form with and one without a header, and clients differ. */
enum { ENCODINGS = 1u << GRPC_COMPRESS_NONE | 1u << GRPC_COMPRESS_GZIP };

enum { HANDSHAKE_TIMEOUT_MS = 10 * 1000 };

static grpc_server *grpc_server_make(const struct rpc_options *options)
{
    grpc_arg list[] = {
        {0}, /* the quota, below */
        argument(GRPC_ARG_ALLOW_REUSEPORT, 0), /* else two processes silently share a port */
        argument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0), /* body.c does it, with a limit */
        /* body.c refuses with details what is beyond message_max; core, without any, what is far beyond it. */
        argument(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, 2 * (int)options->message_max),
        argument(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, RPC_RESPONSE_MAX),
        argument(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, ENCODINGS),
        argument(GRPC_ARG_MAX_METADATA_SIZE, (int)options->header_size_max),
        argument(GRPC_ARG_MAX_CONCURRENT_STREAMS, (int)options->connection_streams_max),
        argument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10 * 1000),
        argument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1),
        milliseconds(GRPC_ARG_KEEPALIVE_TIME_MS, options->keepalive_interval_us),
        milliseconds(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, options->keepalive_timeout_us),
        milliseconds(GRPC_ARG_MAX_CONNECTION_AGE_MS, options->connection_age_us),
        milliseconds(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, options->connection_age_grace_us),
        argument(GRPC_ARG_ENABLE_CHANNELZ, 0),
        argument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, HANDSHAKE_TIMEOUT_MS), /* of those who connect and are silent */
    };
    size_t held_max = MESSAGES_HELD_MAX * options->message_max;
    grpc_resource_quota *quota = grpc_resource_quota_create("server");
    grpc_resource_quota_resize(quota, held_max > QUOTA_MIN ? held_max : QUOTA_MIN);
    list[0] = (grpc_arg){.type = GRPC_ARG_POINTER, .key = (char *)(uintptr_t)GRPC_ARG_RESOURCE_QUOTA,
                         .value.pointer = {.p = quota, .vtable = grpc_resource_quota_arg_vtable()}};
    grpc_channel_args arguments = {.num_args = ARRAY_SIZE(list), .args = list};
    grpc_server *server = grpc_server_create(&arguments, NULL);
    grpc_resource_quota_unref(quota);
    return server;
}

static int server_listen(struct rpc_server *server, struct err *err)
{
    struct tls *tls = server->options.tls;
    grpc_server_credentials *credentials =
        tls ? tls_server_credentials(tls) : grpc_insecure_server_credentials_create();
    server->port = grpc_server_add_http2_port(server->grpc, server->options.listen, credentials);
    grpc_server_credentials_release(credentials);
    if (server->port == 0)
        return err_setf(err, ERR_INTERNAL, "cannot listen on %s: is the port in use?", server->options.listen);
    return 0;
}

static const struct rpc_built_in *built_in_of(const struct rpc_server *server, const struct method *method)
{
    const struct rpc_built_in *tables[] = {
        health_built_ins, server->options.reflection ? reflection_built_ins : NULL, server->options.built_ins};
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
        for (const struct rpc_built_in *built_in = tables[i]; built_in && built_in->path; built_in++)
            if (strcmp(built_in->path, method->path) == 0)
                return built_in;
    return NULL;
}

static void served_add(struct rpc_server *server, const struct method *method, struct served_method served)
{
    served.method = method;
    served.started = METRIC_SERIES(grpc_server_started_total, method->service, method->name);
    served.duration = METRIC_SERIES(grpc_server_handling_seconds, method->service, method->name);
    served.registered = grpc_server_register_method(server->grpc, method->path, NULL, GRPC_SRM_PAYLOAD_NONE, 0);
    BUG_IF(!served.registered);
    server->served[server->served_count++] = served;
}

static int methods_register(struct rpc_server *server, struct err *err)
{
    unsigned all_count;
    unsigned own_count;
    const struct method *all = descriptors_methods(server->context->descriptors, &all_count);
    const struct rpc_method *own = rpc_methods_list(server->context->methods, &own_count);
    server->served = calloc(all_count + own_count + 1, sizeof(*server->served));
    if (!server->served)
        return err_setf(err, ERR_INTERNAL, "out of memory");
    for (unsigned i = 0; i < own_count; i++)
        served_add(server, own[i].method, (struct served_method){.rpc = &own[i], .stream = own[i].stream});
    for (unsigned i = 0; i < all_count; i++) {
        const struct rpc_built_in *built_in = built_in_of(server, &all[i]);
        if (built_in)
            served_add(server, &all[i], (struct served_method){.built_in = built_in, .stream = built_in->stream});
    }
    server->unknown_started = METRIC_SERIES(grpc_server_started_total, "unknown", "unknown");
    return 0;
}

/* Core 1.51 stops listening for good when accept() fails, for want of file descriptors above all (later ones try
 * again). A process that nobody can reach any more ends as if it had been told to, and is started again. */
static void accept_failure_note(const char *message)
{
    static atomic_flag noted = ATOMIC_FLAG_INIT;
    if (strstr(message, "Failed accept4") && !atomic_flag_test_and_set(&noted)) {
        LOG(ERROR, "no connection can be accepted any more: ending", LOG_STR("detail", message));
        kill(getpid(), SIGTERM);
    }
}

static void grpc_log(gpr_log_func_args *arguments)
{
    accept_failure_note(arguments->message);
    /* gRPC calls an error what a peer did wrong; and it names files, which say little to an operator. */
    if (arguments->severity == GPR_LOG_SEVERITY_ERROR)
        LOG(WARNING, "grpc", LOG_STR("detail", arguments->message));
    else
        LOG(DEBUG, "grpc", LOG_STR("detail", arguments->message));
}

static int server_start(struct rpc_server *server, struct err *err)
{
    if (methods_register(server, err) < 0 || armed_new(server, err) < 0 || server_listen(server, err) < 0)
        return -1;
    if (lanes_start(server, err) < 0 || streams_init(server, err) < 0)
        return -1;
    grpc_server_start(server->grpc);
    armed_start(server);
    if (pthread_create(&server->poller, NULL, poller_main, server) != 0)
        return err_setf(err, ERR_INTERNAL, "cannot start a thread");
    server->poller_started = true;
    pthread_getcpuclockid(server->poller, &server->poller_clock);
    return 0;
}

int rpc_server_new(const struct rpc_options *options, struct rpc_server **ret_server, struct err *err)
{
    struct rpc_server *server = calloc(1, sizeof(*server));
    if (!server)
        return err_setf(err, ERR_INTERNAL, "out of memory");
    gpr_set_log_function(grpc_log);
    grpc_init();
    server->options = *options;
    server->context = options->context;
    server->stopped_tag = tag_make(TAG_STOPPED, server);
    pthread_mutex_init(&server->lock, NULL);
    condition_init(&server->quiet);
    lanes_init(server);
    admission_init(&server->admission, options->calls_max, options->lane_waiting_max);
    resets_init(&server->resets,
                (struct bucket_rate){.per_second = RESETS_PER_STREAM * options->connection_streams_max,
                                     .burst = 2 * RESETS_PER_STREAM * options->connection_streams_max},
                clock_monotonic_us());
    server->grpc = grpc_server_make(options);
    server->poll_queue = grpc_completion_queue_create_for_next(NULL);
    grpc_server_register_completion_queue(server->grpc, server->poll_queue, NULL);

    server->tenants = tenants_new(options->tenant_limits, TENANTS_MAX);
    if (!server->tenants)
        err_setf(err, ERR_INTERNAL, "out of memory");
    if (!server->tenants || server_start(server, err) < 0) {
        struct err failure = *err;
        if (rpc_server_stop(server, 0) == 0)
            rpc_server_free(server);
        *err = failure;
        return -1;
    }
    *ret_server = server;
    return 0;
}

int rpc_server_port(const struct rpc_server *server)
{
    return server->port;
}

void rpc_server_poller(struct rpc_server *server, uint64_t *ret_events, int64_t *ret_cpu_us)
{
    struct timespec used = {0};
    (void)clock_gettime(server->poller_clock, &used); /* fails when the thread has ended */
    *ret_events = atomic_load_explicit(&server->polled, memory_order_relaxed);
    *ret_cpu_us = used.tv_sec * INT64_C(1000000) + used.tv_nsec / 1000;
}

struct budget_source rpc_server_budget(struct rpc_server *server)
{
    return tenants_budget(server->tenants);
}

void rpc_server_serving(struct rpc_server *server, bool serving)
{
    if (atomic_exchange(&server->serving, serving) != serving)
        health_changed(server);
}

/* --- the end -------------------------------------------------------------------------------------------- */

/* Under the lock. */
static bool server_is_quiet(const struct rpc_server *server)
{
    return server->stopped && server->open == 0 && server->stream_threads == 0;
}

bool rpc_server_is_quiet(struct rpc_server *server)
{
    pthread_mutex_lock(&server->lock);
    bool quiet = server_is_quiet(server);
    pthread_mutex_unlock(&server->lock);
    return quiet;
}

static void calls_wake(struct rpc_server *server)
{
    pthread_mutex_lock(&server->lock);
    for (struct call *call = server->calls; call; call = call->next)
        call_wake_locked(call);
    pthread_mutex_unlock(&server->lock);
}

/* Waits until no call is open, at most `timeout_us`. */
static bool quiet_wait(struct rpc_server *server, int64_t timeout_us)
{
    int64_t until_us = clock_monotonic_us() + timeout_us;
    pthread_mutex_lock(&server->lock);
    while (!server_is_quiet(server) && condition_wait_until(&server->quiet, &server->lock, until_us))
        ;
    bool quiet = server_is_quiet(server);
    pthread_mutex_unlock(&server->lock);
    return quiet;
}

/* A server whose poller never ran: its few events are taken here. */
static void queue_drain(grpc_completion_queue *queue)
{
    grpc_event event;
    do
        event = grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    while (event.type != GRPC_QUEUE_SHUTDOWN);
}

void rpc_server_drain(struct rpc_server *server)
{
    if (atomic_exchange(&server->draining, true))
        return;
    rpc_server_serving(server, false);
    health_watches_end(server);
    grpc_server_shutdown_and_notify(server->grpc, server->poll_queue, &server->stopped_tag);
    calls_wake(server);
}

/* Ends what is under way: by its own error where that can be had soon, else by force. */
static int calls_end(struct rpc_server *server)
{
    atomic_store(&server->ending, true);
    calls_wake(server);
    if (quiet_wait(server, ANSWER_WAIT_US))
        return 0;
    grpc_server_cancel_all_calls(server->grpc);
    return quiet_wait(server, END_TIMEOUT_US) ? 0 : -1;
}

int rpc_server_stop(struct rpc_server *server, int64_t grace_us)
{
    rpc_server_drain(server);
    if (server->poller_started && !quiet_wait(server, grace_us) && calls_end(server) < 0)
        return -1;
    lanes_stop(server);
    grpc_completion_queue_shutdown(server->poll_queue);
    if (server->poller_started)
        pthread_join(server->poller, NULL);
    else
        queue_drain(server->poll_queue);
    return 0;
}

void rpc_server_free(struct rpc_server *server)
{
    if (!server)
        return;
    lanes_free(server);
    tenants_free(server->tenants);
    streams_free(server);
    grpc_server_destroy(server->grpc);
    grpc_completion_queue_destroy(server->poll_queue);
    armed_free(server);
    free(server->served);
    pthread_cond_destroy(&server->quiet);
    pthread_mutex_destroy(&server->lock);
    free(server);
    grpc_shutdown();
}

unsigned rpc_server_connected(struct rpc_server *server, unsigned *ret_workers)
{
    unsigned workers = 0;
    unsigned connected = 0;
    for (enum rpc_lane lane = 0; lane < RPC_LANE_COUNT; lane++)
        for (unsigned i = 0; i < server->lanes[lane].worker_count; i++, workers++)
            connected += atomic_load(&server->lanes[lane].workers[i].connected);
    *ret_workers = workers;
    return connected;
}
