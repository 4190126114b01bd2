/* health.c: grpc.health.v1.Health for balancers, probes and clients that choose between replicas.
 *
 * The empty name stands for the whole server; each of its services is in the same state. Check answers once. Watch
 * costs no thread: a watch is a call that has been told a state and waits in a list. Whoever changes the state posts
 * a message to each that has none under way; one that has is told by the poller when that has gone out. Watches have
 * a maximum of their own, since nobody need say who he is to open one. */
#include "internal.h"

#include <string.h>

#include <isms/proto/message.h>

#include <grpc/health/v1/health.pb-c.h>

enum {
    WATCHES_MAX = 1000,
    STATE_NONE = -1,
    STATE_SERVING = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING,
    STATE_NOT_SERVING = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING,
    STATE_UNKNOWN = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN
};

static bool service_exists(const struct call *call, const char *name)
{
    unsigned count;
    const struct rpc_method *methods = rpc_methods_list(call->context->methods, &count);
    if (name[0] == '\0')
        return true;
    for (unsigned i = 0; i < count; i++)
        if (strcmp(methods[i].method->service, name) == 0)
            return true;
    return false;
}

static int server_state(struct rpc_server *server)
{
    return atomic_load(&server->serving) ? STATE_SERVING : STATE_NOT_SERVING;
}

static Grpc__Health__V1__HealthCheckResponse response_of(int state)
{
    Grpc__Health__V1__HealthCheckResponse response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    response.status = (Grpc__Health__V1__HealthCheckResponse__ServingStatus)state;
    return response;
}

static const char *requested_service(const struct call *call)
{
    return ((const Grpc__Health__V1__HealthCheckRequest *)call->request)->service;
}

static void health_check(struct call *call)
{
    struct err err = {0};
    if (call_unpack(call, &err) < 0) {
        call_fail(call, &err);
        return;
    }
    if (!service_exists(call, requested_service(call))) {
        err_setf(&err, ERR_NOT_FOUND, "There is no such service here.");
        call_fail(call, &err);
        return;
    }
    Grpc__Health__V1__HealthCheckResponse response = response_of(server_state(call->server));
    call_answer(call, &response.base);
}

/* --- watching ------------------------------------------------------------------------------------------- */

/* In its call's arena. All of it is under the server's lock once it is in the list. */
struct watch {
    struct call *call;
    struct tag received;
    struct tag sent;
    struct watch *next;
    struct watch **link; /* what points to it; NULL: not in the list */
    grpc_byte_buffer *message; /* under way */
    bool known;                /* there is such a service */
    int told;
};

static void watch_join(struct rpc_server *server, struct watch *watch)
{
    watch->link = &server->watches;
    watch->next = server->watches;
    if (watch->next)
        watch->next->link = &watch->next;
    server->watches = watch;
}

static void watch_leave(struct watch *watch)
{
    *watch->link = watch->next;
    if (watch->next)
        watch->next->link = watch->link;
    watch->link = NULL;
}

/* Under the lock: sends the state if it is news. */
static void watch_tell(struct watch *watch)
{
    int state = watch->known ? server_state(watch->call->server) : STATE_UNKNOWN;
    if (watch->message || state == watch->told)
        return;
    Grpc__Health__V1__HealthCheckResponse response = response_of(state);
    watch->message = body_of_message(&response.base);
    watch->told = state;
    grpc_op operation = {.op = GRPC_OP_SEND_MESSAGE};
    operation.data.send_message.send_message = watch->message;
    call_post(watch->call, &operation, 1, &watch->sent);
}

static void watch_count_out(struct watch *watch)
{
    struct rpc_server *server = watch->call->server;
    pthread_mutex_lock(&server->lock);
    server->watch_count--;
    watch->call->watch = NULL;
    pthread_mutex_unlock(&server->lock);
}

/* Gives up the call; the watch is in no list and has nothing under way. */
static void watch_end(struct watch *watch)
{
    struct call *call = watch->call;
    struct err err;
    watch_count_out(watch);
    if (atomic_load(&call->cancelled))
        err_set(&err, ERR_CANCELLED);
    else
        shutting_down_err(&err);
    call_fail(call, &err);
}

static void watch_sent(struct tag *tag, bool ok)
{
    struct watch *watch = tag->owner;
    struct call *call = watch->call;
    struct rpc_server *server = call->server;
    pthread_mutex_lock(&server->lock);
    grpc_byte_buffer_destroy(watch->message);
    watch->message = NULL;
    bool over = !ok || atomic_load(&call->cancelled) || atomic_load(&server->draining);
    if (over && watch->link)
        watch_leave(watch);
    else if (!over)
        watch_tell(watch);
    pthread_mutex_unlock(&server->lock);
    if (over)
        watch_end(watch);
    call_unref(call); /* the batch's */
}

static void watch_begin(struct watch *watch)
{
    struct call *call = watch->call;
    struct rpc_server *server = call->server;
    call_running(call);
    pthread_mutex_lock(&server->lock);
    bool over = atomic_load(&call->cancelled) || atomic_load(&server->draining);
    if (!over) {
        watch_join(server, watch);
        watch_tell(watch);
    }
    pthread_mutex_unlock(&server->lock);
    if (over)
        watch_end(watch);
}

static void watch_received(struct tag *tag, bool ok)
{
    struct watch *watch = tag->owner;
    struct call *call = watch->call;
    struct err err = {0};
    if (!ok || !call->body || call_unpack(call, &err) < 0) {
        if (err.reason == ERR_OK)
            err_setf(&err, ERR_MESSAGE_MALFORMED, "The call carries no message.");
        watch_count_out(watch);
        call_fail(call, &err);
    } else {
        watch->known = service_exists(call, requested_service(call));
        watch_begin(watch);
    }
    call_unref(call); /* the batch's */
}

static void health_watch(struct call *call)
{
    struct rpc_server *server = call->server;
    struct watch *watch = ARENA_NEW(&call->arena, struct watch);
    struct err err;
    pthread_mutex_lock(&server->lock);
    bool room = watch && server->watch_count < WATCHES_MAX;
    server->watch_count += room;
    pthread_mutex_unlock(&server->lock);
    if (!room) {
        err_set(&err, ERR_OVERLOADED);
        err_fact(&err, "limit", "watches");
        call_fail(call, &err);
        return;
    }
    *watch = (struct watch){.call = call, .told = STATE_NONE};
    watch->received = tag_make_event(watch_received, watch);
    watch->sent = tag_make_event(watch_sent, watch);
    call->watch = watch;
    grpc_metadata headers[HEADERS_MAX] = {{.key = {0}}};
    grpc_op operations[] = {call_headers_operation(call, headers, false), {.op = GRPC_OP_RECV_MESSAGE}};
    operations[1].data.recv_message.recv_message = &call->body;
    call_post(call, operations, ARRAY_SIZE(operations), &watch->received);
}

/* The caller of a watch has gone. One with a message under way is found when that comes back. */
static void health_watch_gone(struct call *call)
{
    pthread_mutex_lock(&call->server->lock);
    struct watch *watch = call->watch;
    bool idle = watch && watch->link && !watch->message;
    if (idle)
        watch_leave(watch);
    pthread_mutex_unlock(&call->server->lock);
    if (idle)
        watch_end(watch);
}

void health_changed(struct rpc_server *server)
{
    pthread_mutex_lock(&server->lock);
    for (struct watch *watch = server->watches; watch; watch = watch->next)
        watch_tell(watch);
    pthread_mutex_unlock(&server->lock);
}

static struct watch *idle_watch_take(struct rpc_server *server)
{
    pthread_mutex_lock(&server->lock);
    struct watch *watch = server->watches;
    while (watch && watch->message)
        watch = watch->next;
    if (watch)
        watch_leave(watch);
    pthread_mutex_unlock(&server->lock);
    return watch;
}

void health_watches_end(struct rpc_server *server)
{
    struct watch *watch;
    while ((watch = idle_watch_take(server)))
        watch_end(watch);
}

const struct rpc_built_in health_built_ins[] = {
    {.path = "/grpc.health.v1.Health/Check", .run = health_check},
    {.path = "/grpc.health.v1.Health/Watch", .run = health_watch, .gone = health_watch_gone, .reads = true,
     .endless = true},
    {0}};
