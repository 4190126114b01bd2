/* stream.c: calls that answer with many messages, each on a thread of its own.
 *
 * A thread makes a handler straight-line code that may wait for an hour; what it costs while it waits is a few pages
 * of stack, not a database connection: those are few, shared, held for one transaction at a time, and given to the
 * organisations in turn (fair.h), of which none has them all. gRPC allows one message under way; its completion, which
 * the poller takes and passes on, is the flow control. A caller that does not read is found by that completion staying
 * away, and is cut off: gRPC then sends the status past the stalled data and drops that. */
#include "internal.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <isms/base/bug.h>
#include <isms/base/clock.h>
#include <isms/base/condition.h>

enum {
    STACK_SIZE = 512 * 1024, /* of address space; handlers keep large things in arenas */
    CONNECTION_CHECK_US = 100 * 1000,
    IO_MARGIN_US = 5 * 1000 * 1000, /* beyond the longest statement_timeout: the connection is dead */
    RETRY_AFTER_MS = 1000
};

struct rpc_stream {
    struct call *call; /* in whose arena this is */
    struct tag sent_tag;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* `sending`, or whether the call goes on */
    bool sending;
    bool sent; /* what came of the message */

    /* under the pool's lock */
    struct fair_item item; /* while it waits for a connection */
    struct stream_slot *slot;
    pthread_cond_t given;
};

struct stream_slot {
    struct stream_slot *next;
    struct fair_batch batch; /* whose it is */
    struct db_connection *connection;
    int wake_fd;
    bool up; /* as the metric has it */
};

/* The streams' database connections. */
struct stream_pool {
    pthread_mutex_t lock;
    struct fair_queue queue;
    struct stream_slot *free;
    unsigned count;
    struct stream_slot slots[];
};

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* --- connections ---------------------------------------------------------------------------------------- */

static void slot_count(struct stream_slot *slot, bool up)
{
    if (up != slot->up) {
        metric_add(METRIC_SERIES(isms_db_connections, "stream", "up"), up ? 1 : -1);
        metric_add(METRIC_SERIES(isms_db_connections, "stream", "down"), up ? -1 : 1);
    }
    slot->up = up;
}

int streams_init(struct rpc_server *server, struct err *err)
{
    unsigned count = server->options.stream_connections;
    struct stream_pool *pool = calloc(1, sizeof(*pool) + count * sizeof(pool->slots[0]));
    if (!pool)
        return err_setf(err, ERR_INTERNAL, "out of memory");
    server->stream_pool = pool;
    pthread_mutex_init(&pool->lock, NULL);
    pool->queue.share = count > 1 ? count - 1 : 1;
    struct db_options options = {
        .url = server->options.database_url,
        .application_name = server->context->service,
        .io_timeout_us = server->options.deadline_max_us + IO_MARGIN_US,
    };
    options.statements =
        rpc_methods_statements(server->context->methods, RPC_EXCLUSIVE, &options.statement_count);
    for (; pool->count < count; pool->count++) {
        struct stream_slot *slot = &pool->slots[pool->count];
        slot->connection = db_connection_new(&options);
        slot->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (!slot->connection || slot->wake_fd < 0) {
            db_connection_free(slot->connection);
            return err_setf(err, ERR_INTERNAL, "out of memory or files");
        }
        metric_add(METRIC_SERIES(isms_db_connections, "stream", "down"), 1);
        slot->next = pool->free;
        pool->free = slot;
    }
    return 0;
}

void streams_free(struct rpc_server *server)
{
    struct stream_pool *pool = server->stream_pool;
    if (!pool)
        return;
    for (unsigned i = 0; i < pool->count; i++) {
        db_connection_free(pool->slots[i].connection);
        close(pool->slots[i].wake_fd);
    }
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

/* Under the lock: what is free goes to those whose turn it is. */
static void slots_give(struct stream_pool *pool)
{
    struct fair_batch batch;
    while (pool->free && fair_take(&pool->queue, 1, &batch)) {
        struct rpc_stream *stream = (void *)((char *)batch.items[0] - offsetof(struct rpc_stream, item));
        stream->slot = pool->free;
        pool->free = stream->slot->next;
        stream->slot->batch = batch;
        pthread_cond_signal(&stream->given);
    }
}

/* NULL: the call was over before its turn came. */
static struct stream_slot *slot_take(struct stream_pool *pool, const struct call *call)
{
    struct rpc_stream *stream = call->stream;
    pthread_mutex_lock(&pool->lock);
    stream->slot = NULL;
    fair_push(&pool->queue, &call->ticket.tenant->stream_flow, &stream->item);
    slots_give(pool);
    while (!stream->slot && !call_is_over(call))
        condition_wait_until(&stream->given, &pool->lock, clock_monotonic_us() + CONNECTION_CHECK_US);
    if (!stream->slot)
        fair_remove(&pool->queue, &stream->item);
    pthread_mutex_unlock(&pool->lock);
    return stream->slot;
}

static void wake_fd_set(struct call *call, int fd)
{
    pthread_mutex_lock(&call->server->lock);
    call->wake_fd = fd;
    pthread_mutex_unlock(&call->server->lock);
}

int stream_connection_take(struct call *call, struct err *err)
{
    struct stream_slot *slot = slot_take(call->server->stream_pool, call);
    eventfd_t value;
    if (!slot)
        return call_over_err(call, err);
    while (eventfd_read(slot->wake_fd, &value) == 0) /* what was meant for the stream before */
        ;
    call->stream_slot = slot;
    call->connection = slot->connection;
    wake_fd_set(call, slot->wake_fd);
    metric_add(METRIC_SERIES(isms_lane_busy, "stream"), 1);
    return 0;
}

void stream_connection_give(struct call *call)
{
    struct stream_pool *pool = call->server->stream_pool;
    struct stream_slot *slot = call->stream_slot;
    wake_fd_set(call, -1);
    db_results_clear(slot->connection);
    slot_count(slot, db_connection_is_up(slot->connection));
    call->connection = NULL;
    call->stream_slot = NULL;
    metric_add(METRIC_SERIES(isms_lane_busy, "stream"), -1);
    pthread_mutex_lock(&pool->lock);
    fair_done(&pool->queue, &slot->batch);
    slot->next = pool->free;
    pool->free = slot;
    slots_give(pool);
    pthread_mutex_unlock(&pool->lock);
}

/* --- sending -------------------------------------------------------------------------------------------- */

void stream_wake(struct rpc_stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    pthread_cond_signal(&stream->changed);
    pthread_mutex_unlock(&stream->lock);
}

static void message_sent(struct tag *tag, bool ok)
{
    struct rpc_stream *stream = tag->owner;
    struct call *call = stream->call;
    pthread_mutex_lock(&stream->lock);
    stream->sending = false;
    stream->sent = ok;
    pthread_cond_signal(&stream->changed);
    pthread_mutex_unlock(&stream->lock);
    call_unref(call);
}

/* Why a message that is under way is not waited for any longer; false: it is. (At a shutdown it may still go out, and
 * the status after it; the server soon cancels those that do not.) */
static bool message_is_given_up(struct rpc_stream *stream, int64_t stalled_us, struct err *err)
{
    const struct call *call = stream->call;
    int64_t now_us = clock_monotonic_us();
    if (atomic_load(&call->cancelled) || now_us >= call->deadline_us)
        call_over_err(call, err);
    else if (now_us >= stalled_us)
        err_set(err, ERR_READER_TOO_SLOW);
    else
        return false;
    return true;
}

static int message_wait(struct rpc_stream *stream, struct err *err)
{
    struct call *call = stream->call;
    int64_t stalled_us = clock_monotonic_us() + call->server->options.stream_stall_timeout_us;
    bool given_up = false;
    pthread_mutex_lock(&stream->lock);
    while (stream->sending) {
        if (given_up)
            pthread_cond_wait(&stream->changed, &stream->lock); /* a cancelled message comes back at once */
        else if ((given_up = message_is_given_up(stream, stalled_us, err)))
            grpc_call_cancel_with_status(call->grpc, (grpc_status_code)err_grpc_code(err->reason), err->message,
                                         NULL);
        else
            condition_wait_until(&stream->changed, &stream->lock, earlier(stalled_us, call->deadline_us));
    }
    bool sent = stream->sent;
    pthread_mutex_unlock(&stream->lock);
    if (given_up)
        return -1;
    if (!sent && atomic_load(&call->server->ending))
        return shutting_down_err(err);
    return sent ? 0 : err_set(err, ERR_CANCELLED); /* its notice may still be on the way */
}

static int no_transaction(const struct call *call, struct err *err)
{
    if (call->transaction == TRANSACTION_NONE)
        return 0;
    LOG(ERROR, "a stream sent or waited inside a transaction", LOG_STR("method", call->served->method->path));
    return err_set(err, ERR_INTERNAL);
}

int stream_send(struct rpc_stream *stream, const ProtobufCMessage *message, struct err *err)
{
    struct call *call = stream->call;
    size_t size = protobuf_c_message_get_packed_size(message);
    if (no_transaction(call, err) < 0)
        return -1;
    if (call_is_over(call))
        return call_over_err(call, err);
    if (size > RPC_RESPONSE_MAX)
        return err_setf(err, ERR_MESSAGE_TOO_LARGE, "A message of the stream is larger than the service sends.");

    grpc_metadata headers[HEADERS_MAX] = {{.key = {0}}};
    grpc_op operations[2];
    size_t count = 0;
    if (!call->headers_sent)
        operations[count++] = call_headers_operation(call, headers, true);
    grpc_byte_buffer *body = body_of_message(message);
    operations[count] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE,
                                  .flags = size < COMPRESS_FROM ? GRPC_WRITE_NO_COMPRESS : 0};
    operations[count++].data.send_message.send_message = body;
    stream->sending = true; /* nobody else looks yet */
    call_post(call, operations, count, &stream->sent_tag);
    metadata_release(headers, HEADERS_MAX);
    int result = message_wait(stream, err);
    grpc_byte_buffer_destroy(body);
    return result;
}

int stream_wait(struct rpc_stream *stream, int64_t duration_us, struct err *err)
{
    struct call *call = stream->call;
    int64_t until_us = clock_monotonic_us() + duration_us;
    if (no_transaction(call, err) < 0)
        return -1;
    pthread_mutex_lock(&stream->lock);
    bool draining = false;
    bool over = false;
    while (!(over = call_is_over(call)) && !(draining = atomic_load(&call->server->draining)) &&
           clock_monotonic_us() < until_us)
        condition_wait_until(&stream->changed, &stream->lock, earlier(until_us, call->deadline_us));
    pthread_mutex_unlock(&stream->lock);
    if (over)
        return call_over_err(call, err);
    return draining ? shutting_down_err(err) : 0;
}

/* --- running -------------------------------------------------------------------------------------------- */

static int stream_prepare(struct call *call, struct err *err)
{
    if (!call->served->rpc)
        return call_unpack(call, err);
    return call_prepare(call, err);
}

static int stream_run(struct call *call, struct rpc_stream *stream, struct err *err)
{
    if (stream_prepare(call, err) < 0)
        return -1;
    *err = (struct err){0};
    int result = call->served->stream(call, call->request, stream, err);
    result = transaction_finish(call, NULL, result, err);
    if (result < 0 && err->reason == ERR_CANCELLED && call_is_over(call))
        call_over_err(call, err); /* a cancelled statement does not know why */
    if (result < 0 && err->reason == ERR_OK)
        err_set(err, ERR_INTERNAL);
    return result;
}

/* Nobody finds the stream from here on. */
static void stream_release(struct rpc_stream *stream)
{
    struct rpc_server *server = stream->call->server;
    pthread_mutex_lock(&server->lock);
    stream->call->stream = NULL;
    pthread_mutex_unlock(&server->lock);
    pthread_cond_destroy(&stream->given);
    pthread_cond_destroy(&stream->changed);
    pthread_mutex_destroy(&stream->lock);
}

static void *stream_main(void *argument)
{
    struct rpc_stream *stream = argument;
    struct call *call = stream->call;
    struct rpc_server *server = call->server;
    struct err err = {0};
    int result = stream_run(call, stream, &err);
    stream_release(stream);
    if (result == 0)
        call_answer_status(call);
    else
        call_fail(call, &err);
    pthread_mutex_lock(&server->lock);
    server->stream_threads--;
    pthread_cond_broadcast(&server->quiet);
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

static int refuse(struct err *err, const char *limit)
{
    err_set(err, ERR_OVERLOADED);
    err_fact(err, "limit", "%s", limit);
    err->retry_after_ms = RETRY_AFTER_MS;
    return -1;
}

int stream_admit(struct call *call, struct err *err)
{
    struct rpc_server *server = call->server;
    struct tenant *tenant = call->ticket.tenant; /* NULL: one that is built in */
    unsigned all = atomic_fetch_add(&server->streams, 1);
    unsigned own = tenant ? atomic_fetch_add(&tenant->stream_flow.waiting, 1) : 0;
    if (!admission_has_place(server->options.streams_max, all, own)) {
        if (tenant)
            atomic_fetch_sub(&tenant->stream_flow.waiting, 1);
        atomic_fetch_sub(&server->streams, 1);
        return refuse(err, "streams");
    }
    metric_add(METRIC_SERIES(isms_streams), 1);
    call->ticket.stream = tenant != NULL;
    call->counted_stream = true;
    return 0;
}

static bool thread_start(struct rpc_stream *stream)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    bool started = pthread_create(&thread, &attributes, stream_main, stream) == 0;
    pthread_attr_destroy(&attributes);
    return started;
}

void stream_start(struct call *call)
{
    struct rpc_server *server = call->server;
    struct err err;
    struct rpc_stream *stream = ARENA_NEW(&call->arena, struct rpc_stream);
    if (!stream) {
        refuse(&err, "memory");
        call_fail(call, &err);
        return;
    }
    stream->call = call;
    stream->sent_tag = tag_make_event(message_sent, stream);
    pthread_mutex_init(&stream->lock, NULL);
    condition_init(&stream->changed);
    condition_init(&stream->given);
    pthread_mutex_lock(&server->lock);
    call->stream = stream;
    server->stream_threads++;
    pthread_mutex_unlock(&server->lock);
    if (thread_start(stream))
        return;
    stream_release(stream);
    pthread_mutex_lock(&server->lock);
    server->stream_threads--;
    pthread_mutex_unlock(&server->lock);
    refuse(&err, "threads");
    call_fail(call, &err);
}
