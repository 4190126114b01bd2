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

#include <stdlib.h>
#include <string.h>

#include <grpc/grpc_security.h>
#include <grpc/support/log.h>

#include <isms/base/bug.h>
#include <isms/base/clock.h>

enum {
    SWEEP_INTERVAL_MS = 1000,
    END_TIMEOUT_US = 15 * 1000 * 1000 /* for cancelled calls to end */
};

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

static void server_stopped(struct rpc_server *server)
{
    pthread_mutex_lock(&server->lock);
    server->stopped = true;
    pthread_cond_broadcast(&server->quiet);
    pthread_mutex_unlock(&server->lock);
}

static void message_arrived(struct rpc_server *server, struct call *call)
{
    if (call->served->rpc)
        lane_queue_push(server, call);
    else
        call->served->built_in(call);
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
        reflection_event(tag, ok);
        return;
    case TAG_STOPPED:
        server_stopped(server);
        return;
    case TAG_MESSAGE:
    case TAG_CLOSED:
    case TAG_SENT: {
        struct call *call = tag_handle(tag, ok);
        if (call)
            message_arrived(server, call);
        return;
    }
    }
}

static void *poller_main(void *argument)
{
    struct rpc_server *server = argument;
    int64_t sweep_us = clock_monotonic_us();
    for (;;) {
        gpr_timespec until = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                          gpr_time_from_millis(SWEEP_INTERVAL_MS, GPR_TIMESPAN));
        grpc_event event = grpc_completion_queue_next(server->poll_queue, until, NULL);
        if (event.type == GRPC_QUEUE_SHUTDOWN)
            return NULL;
        if (event.type == GRPC_OP_COMPLETE)
            poll_event(server, event.tag, event.success != 0);
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

static grpc_server *grpc_server_make(const struct rpc_options *options)
{
    grpc_arg list[] = {
        {0}, /* the quota, below */
        argument(GRPC_ARG_ALLOW_REUSEPORT, 0), /* else two processes silently share a port */
        argument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0), /* body.c does it, with a limit */
        /* body.c refuses with details what is beyond message_max; core, without any, what is far beyond it. */
        argument(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, 2 * (int)options->message_max),
        argument(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, RPC_RESPONSE_MAX),
        argument(GRPC_ARG_MAX_METADATA_SIZE, 16 * 1024), /* access tokens are long */
        argument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 1000),
        argument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10 * 1000),
        argument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1),
        argument(GRPC_ARG_KEEPALIVE_TIME_MS, 60 * 1000),
        argument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20 * 1000),
        argument(GRPC_ARG_MAX_CONNECTION_AGE_MS, 30 * 60 * 1000), /* so that load spreads over new replicas */
        argument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, 2 * 60 * 1000),
        argument(GRPC_ARG_ENABLE_CHANNELZ, 0),
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

/* The one place that decides how the port is protected. */
static grpc_server_credentials *credentials_make(void)
{
    return grpc_insecure_server_credentials_create();
}

static int server_listen(struct rpc_server *server, struct err *err)
{
    grpc_server_credentials *credentials = credentials_make();
    server->port = grpc_server_add_http2_port(server->grpc, server->options.listen, credentials);
    grpc_server_credentials_release(credentials);
    if (server->port == 0)
        return err_setf(err, ERR_INTERNAL, "cannot listen on %s: is the port in use?", server->options.listen);
    return 0;
}

static bool is_built_in(const struct method *method, struct served_method *served)
{
    if (strcmp(method->path, "/grpc.health.v1.Health/Check") == 0)
        served->built_in = health_check;
    else if (strncmp(method->path, "/grpc.reflection.", strlen("/grpc.reflection.")) == 0)
        served->built_in = reflection_start;
    else
        return false;
    served->stream = method->client_streaming;
    return true;
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
        served_add(server, own[i].method, (struct served_method){.rpc = &own[i]});
    for (unsigned i = 0; i < all_count; i++) {
        struct served_method served = {0};
        if (is_built_in(&all[i], &served))
            served_add(server, &all[i], served);
    }
    server->unknown_started = METRIC_SERIES(grpc_server_started_total, "unknown", "unknown");
    return 0;
}

static void grpc_log(gpr_log_func_args *arguments)
{
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
    if (lanes_start(server, err) < 0)
        return -1;
    grpc_server_start(server->grpc);
    armed_start(server);
    if (pthread_create(&server->poller, NULL, poller_main, server) != 0)
        return err_setf(err, ERR_INTERNAL, "cannot start a thread");
    server->poller_started = true;
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
    server->queue_last = &server->queue_first;
    pthread_mutex_init(&server->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&server->quiet, &attributes);
    pthread_cond_init(&server->queue_changed, &attributes);
    pthread_condattr_destroy(&attributes);
    admission_init(&server->admission, options->calls_max, options->lane_waiting_max);
    server->grpc = grpc_server_make(options);
    server->poll_queue = grpc_completion_queue_create_for_next(NULL);
    grpc_server_register_completion_queue(server->grpc, server->poll_queue, NULL);

    if (server_start(server, err) < 0) {
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

void rpc_server_serving(struct rpc_server *server, bool serving)
{
    atomic_store(&server->serving, serving);
}

/* --- the end -------------------------------------------------------------------------------------------- */

static bool server_is_quiet(const struct rpc_server *server)
{
    return server->stopped && server->open == 0;
}

/* Waits until no call is open, at most `timeout_us`. */
static bool quiet_wait(struct rpc_server *server, int64_t timeout_us)
{
    int64_t until_us = clock_monotonic_us() + timeout_us;
    struct timespec until = {.tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000};
    pthread_mutex_lock(&server->lock);
    int waited = 0;
    while (!server_is_quiet(server) && waited == 0)
        waited = pthread_cond_timedwait(&server->quiet, &server->lock, &until);
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

int rpc_server_stop(struct rpc_server *server, int64_t grace_us)
{
    rpc_server_serving(server, false);
    grpc_server_shutdown_and_notify(server->grpc, server->poll_queue, &server->stopped_tag);
    if (server->poller_started && !quiet_wait(server, grace_us)) {
        grpc_server_cancel_all_calls(server->grpc);
        if (!quiet_wait(server, END_TIMEOUT_US))
            return -1;
    }
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
    grpc_server_destroy(server->grpc);
    grpc_completion_queue_destroy(server->poll_queue);
    armed_free(server);
    free(server->served);
    pthread_cond_destroy(&server->queue_changed);
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
