/* arrival.c: from gRPC's notice of a new call to a struct call that waits in its lane.
 *
 * All that runs on the poller is short: make the call, arm the place again, ask for the close notice (as a batch of
 * its own, else a cancellation is not seen while a worker is busy). Then the call has to be let in, before a byte of
 * its body is read: who calls, may it, and how much already. A credential that is remembered is decided on at once,
 * without waiting for anybody; any other goes to the admission lane, whose workers ask the directory or check a
 * signature, so that a flood of bad credentials takes no worker that others need. Only who is let in has its message
 * asked for.
 *
 * A call that nothing was armed for would hang until its deadline; so every method has several places, and one kind
 * of place takes calls of methods that do not exist. */
#include "internal.h"

#include <string.h>

#include <isms/base/bug.h>
#include <isms/base/clock.h>

enum {
    OPEN_PER_ADMITTED = 2,          /* refused calls are open until their caller took the answer */
    PARKED_MAX_US = 3 * 1000 * 1000, /* for a call to wait until the keys of its token's issuer are there */
    PARKED_MARGIN_US = 500 * 1000    /* before its deadline */
};
#define ENDLESS_US INT64_C(1000000000000000) /* 30 years; connection_age ends it long before */

static void arm(struct armed *armed)
{
    struct rpc_server *server = armed->server;
    grpc_call_error result;
    if (armed->served) {
        result = grpc_server_request_registered_call(server->grpc, armed->served->registered, &armed->grpc,
                                                     &armed->deadline, &armed->metadata, NULL, server->poll_queue,
                                                     server->poll_queue, &armed->tag);
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
    const struct rpc_method *rpc = call->served ? call->served->rpc : NULL;
    const struct rpc_built_in *built_in = call->served ? call->served->built_in : NULL;
    int64_t left_us = call->served && call->served->stream ? call->server->options.stream_deadline_max_us
                                                           : call->server->options.deadline_max_us;
    if (built_in && built_in->endless)
        left_us = ENDLESS_US;
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

/* By a connection that is being ended: thousands of calls may have come by it that were reset, and are not known to. */
static bool is_of_bad_peer(struct rpc_server *server, grpc_call *call)
{
    int64_t now_us = clock_monotonic_us();
    return resets_any_bad(&server->resets, now_us) && resets_is_bad(&server->resets, peer_number(call), now_us);
}

/* Takes what has arrived out of its place; NULL when there is no memory for it, the call is then gone. */
static struct call *call_take(struct armed *armed)
{
    struct rpc_server *server = armed->server;
    bool bad = is_of_bad_peer(server, armed->grpc);
    struct call *call = bad ? NULL : call_new(server->context);
    if (call && !server_remember(server, call)) {
        call_free(call);
        call = NULL;
    }
    if (!call) {
        grpc_call_cancel_with_status(armed->grpc, bad ? GRPC_STATUS_UNAVAILABLE : GRPC_STATUS_RESOURCE_EXHAUSTED,
                                     "too many calls", NULL);
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

static void call_refuse(struct call *call, const struct err *err)
{
    struct rpc_server *server = call->server;
    metric_add(METRIC_SERIES(isms_admission_total, "refused", err_reason_name(err->reason)), 1);
    admission_taken(&server->admission, &call->ticket); /* it may be some time until its caller has taken the answer */
    call_fail(call, err);
}

/* What its organisation may ask, and a place before the workers. Services ask on behalf of calls that were counted. */
static int limits_check(struct call *call, struct err *err)
{
    struct rpc_server *server = call->server;
    struct admission_ticket *ticket = &call->ticket;
    const struct principal *principal = call->principal;
    enum rpc_lane lane = call->served->rpc->lane;
    int64_t now_us = clock_monotonic_us();
    ticket->tenant = tenants_get(server->tenants, principal, now_us);
    struct fair_flow *flow = &ticket->tenant->flows[lane];
    if (call->served->stream)
        admission_taken(&server->admission, ticket);
    if ((call->served->stream ? stream_admit(call, err)
                              : admission_wait(&server->admission, ticket, lane, flow, err)) < 0)
        return -1;
    if (principal->kind == PRINCIPAL_SERVICE || principal->kind == PRINCIPAL_JOB)
        return 0;
    if (tenants_enter(server->tenants, ticket->tenant, principal, now_us, err) < 0)
        return -1;
    ticket->counted = true;
    return 0;
}

/* The caller is known and may call: once its organisation's limits allow, the message is asked for. */
static void call_let_in(struct call *call)
{
    struct err err;
    if (limits_check(call, &err) < 0) {
        call_refuse(call, &err);
        return;
    }
    metric_add(call->server->admission.accepted_metric, 1);
    message_ask(call);
}

static void rpc_arrived(struct call *call)
{
    struct rpc_server *server = call->server;
    struct err err;
    int known = methods_check(call, &err) < 0 ? -1 : call_recall(call, &err);
    if (known > 0 && call_permit(call, &err) == 0)
        call_let_in(call);
    else if (known == 0 && admission_wait(&server->admission, &call->ticket, RPC_ADMISSION,
                                          &server->claimed[call_claim(call)], &err) == 0)
        lane_push(call);
    else
        call_refuse(call, &err);
}

/* For a while, and not up to its deadline: its caller is to be told what it waited for. */
static bool may_be_parked(const struct call *call)
{
    int64_t until_us = call->arrived_us + PARKED_MAX_US;
    int64_t deadline_us = call->deadline_us - PARKED_MARGIN_US;
    return clock_monotonic_us() < (deadline_us < until_us ? deadline_us : until_us);
}

void call_examine(struct call *call, struct db_connection *connection)
{
    struct err err = {0};
    int result;
    db_connection_deadline(connection, call_answer_by(call));
    if (call_is_over(call))
        result = call_over_err(call, &err);
    else
        result = methods_check(call, &err) < 0 ? -1 : call_authorize(call, connection, &err);
    db_connection_deadline(connection, 0);
    if (result == 0)
        call_let_in(call);
    else if (err.reason != ERR_ISSUER_UNAVAILABLE || !may_be_parked(call) || !lane_park(call))
        call_refuse(call, &err);
}

static void registered_arrived(struct call *call)
{
    const struct served_method *served = call->served;
    struct err err;
    metric_add(served->started, 1);
    if (admission_enter(&call->server->admission, &call->ticket, &err) < 0)
        call_refuse(call, &err);
    else if (served->rpc)
        rpc_arrived(call);
    else if (served->built_in->reads)
        served->built_in->run(call);
    else if (served->stream && stream_admit(call, &err) < 0)
        call_refuse(call, &err);
    else
        message_ask(call);
}

/* A write whose organisation's sequence is held elsewhere waits where nobody has to wait with it. */
bool call_hold_up(struct call *call)
{
    struct admission_ticket *ticket = &call->ticket;
    struct err ignored;
    return admission_wait(&call->server->admission, ticket, RPC_EXCLUSIVE, &ticket->tenant->flows[RPC_EXCLUSIVE],
                          &ignored) == 0;
}

void message_arrived(struct call *call)
{
    const struct served_method *served = call->served;
    if (served->stream)
        stream_start(call);
    else if (!served->rpc)
        served->built_in->run(call);
    else {
        if (call->ticket.lane == RPC_WRITE && atomic_load(&call->ticket.tenant->held_up) > 0)
            (void)call_hold_up(call);
        lane_push(call);
    }
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
