/* arrival.c: from gRPC's notice of a new call to a struct call that waits in its lane.
 *
 * All of this runs on the poller and is short: make the call, arm the place again, ask for the close notice
 * (as a batch of its own, else a cancellation is not seen while a worker is busy), count it in or refuse it,
 * and only then ask for its message. A call that nothing was armed for would hang until its deadline; so
 * every method has several places, and one kind of place takes calls of methods that do not exist. */
#include "internal.h"

#include <string.h>

#include <isms/base/bug.h>
#include <isms/base/clock.h>

enum { OPEN_PER_ADMITTED = 2 /* refused calls are open until their caller took the answer */ };

static void arm(struct armed *armed)
{
    struct rpc_server *server = armed->server;
    grpc_call_error result;
    if (armed->served) {
        const struct rpc_method *rpc = armed->served->rpc;
        grpc_completion_queue *queue = rpc ? server->lanes[rpc->lane].queue : NULL;
        result = grpc_server_request_registered_call(server->grpc, armed->served->registered, &armed->grpc,
                                                     &armed->deadline, &armed->metadata, NULL,
                                                     queue ? queue : server->poll_queue, server->poll_queue,
                                                     &armed->tag);
    } else {
        grpc_call_details_init(&armed->details);
        result = grpc_server_request_call(server->grpc, &armed->grpc, &armed->details, &armed->metadata,
                                          server->poll_queue, server->poll_queue, &armed->tag);
    }
    BUG_IF(result != GRPC_CALL_OK);
}

int armed_new(struct rpc_server *server, struct err *err)
{
    server->armed_count = (server->served_count + 1) * ARMED_PER_METHOD;
    server->armed = calloc(server->armed_count, sizeof(*server->armed));
    if (!server->armed)
        return err_setf(err, ERR_INTERNAL, "out of memory");
    for (unsigned i = 0; i < server->armed_count; i++) {
        struct armed *armed = &server->armed[i];
        unsigned method = i / ARMED_PER_METHOD;
        enum tag_kind kind = method < server->served_count ? TAG_ARRIVED : TAG_ARRIVED_UNKNOWN;
        armed->tag = tag_make(kind, armed);
        armed->server = server;
        armed->served = method < server->served_count ? &server->served[method] : NULL;
        grpc_metadata_array_init(&armed->metadata);
    }
    return 0;
}

void armed_start(struct rpc_server *server)
{
    for (unsigned i = 0; i < server->armed_count; i++)
        arm(&server->armed[i]);
}

void armed_free(struct rpc_server *server)
{
    for (unsigned i = 0; i < server->armed_count; i++)
        grpc_metadata_array_destroy(&server->armed[i].metadata);
    free(server->armed);
}

/* The caller's deadline, but no later than the method's and the server's own. */
static int64_t deadline_of(const struct call *call, gpr_timespec deadline)
{
    int64_t left_us = call->server->options.deadline_max_us;
    const struct rpc_method *rpc = call->served ? call->served->rpc : NULL;
    if (rpc && rpc->method->rules->deadline_ms > 0 && rpc->method->rules->deadline_ms * INT64_C(1000) < left_us)
        left_us = rpc->method->rules->deadline_ms * INT64_C(1000);
    gpr_timespec caller = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
    if (caller.tv_sec < left_us / 1000000 + 1) {
        int64_t caller_us = caller.tv_sec * 1000000 + caller.tv_nsec / 1000;
        if (caller_us < left_us)
            left_us = caller_us;
    }
    return call->arrived_us + left_us;
}

/* False when the server has more calls than it is worth telling so. */
static bool server_remember(struct rpc_server *server, struct call *call)
{
    pthread_mutex_lock(&server->lock);
    bool room = server->open < server->options.calls_max * OPEN_PER_ADMITTED + ARMED_PER_METHOD;
    if (room) {
        call->next = server->calls;
        if (server->calls)
            server->calls->previous = call;
        server->calls = call;
        server->open++;
    }
    pthread_mutex_unlock(&server->lock);
    return room;
}

/* Takes what has arrived out of its place; NULL when there is no memory for it, the call is then gone. */
static struct call *call_take(struct armed *armed)
{
    struct rpc_server *server = armed->server;
    struct call *call = call_new(server->context);
    if (call && !server_remember(server, call)) {
        call_free(call);
        call = NULL;
    }
    if (!call) {
        grpc_call_cancel_with_status(armed->grpc, GRPC_STATUS_RESOURCE_EXHAUSTED, "too many calls", NULL);
        grpc_call_unref(armed->grpc);
        grpc_metadata_array_destroy(&armed->metadata);
        grpc_metadata_array_init(&armed->metadata);
        return NULL;
    }
    call->server = server;
    call->served = armed->served;
    call->grpc = armed->grpc;
    call->metadata = armed->metadata;
    grpc_metadata_array_init(&armed->metadata);
    call->trace = trace_continue(call_metadata(call, "traceparent"));
    return call;
}

static void close_notice_ask(struct call *call)
{
    grpc_op operation = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};
    operation.data.recv_close_on_server.cancelled = &call->closed_cancelled;
    call_post(call, &operation, 1, &call->closed_tag);
}

/* Whoever takes the message is the call's holder from then on. */
static void message_ask(struct call *call)
{
    grpc_op operation = {.op = GRPC_OP_RECV_MESSAGE};
    operation.data.recv_message.recv_message = &call->body;
    call_post(call, &operation, 1, &call->message_tag);
    call_unref(call);
}

static void registered_arrived(struct call *call)
{
    const struct served_method *served = call->served;
    struct admission *admission = &call->server->admission;
    struct err err;
    metric_add(served->started, 1);
    int result = served->rpc ? admission_enter(admission, served->rpc->lane, &call->ticket, &err)
                             : admission_enter_unlaned(admission, &call->ticket, &err);
    if (result < 0)
        call_fail(call, &err);
    else if (served->stream)
        served->built_in(call);
    else
        message_ask(call);
}

static void unknown_arrived(struct call *call, const grpc_call_details *details)
{
    struct err err;
    metric_add(call->server->unknown_started, 1);
    err_set(&err, ERR_METHOD_UNKNOWN);
    size_t length = GRPC_SLICE_LENGTH(details->method);
    const char *path = (const char *)GRPC_SLICE_START_PTR(details->method);
    call_log(call, "path", "%.*s", (int)(length < 128 ? length : 128), path);
    call_fail(call, &err);
}

void armed_event(struct armed *armed, bool ok)
{
    if (!ok)
        return; /* the server is shutting down: nothing arrived, and nothing will */
    grpc_call_details details = armed->details;
    bool unknown = armed->served == NULL;
    gpr_timespec deadline = unknown ? details.deadline : armed->deadline;
    struct call *call = call_take(armed);
    arm(armed);
    if (call) {
        call->deadline_us = deadline_of(call, deadline);
        close_notice_ask(call);
        if (unknown)
            unknown_arrived(call, &details);
        else
            registered_arrived(call);
    }
    if (unknown)
        grpc_call_details_destroy(&details);
}
