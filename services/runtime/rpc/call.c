/* call.c: a call from its making to its freeing, and its answer.
 *
 * The struct lies in its own arena, so that one release gives everything back. What gRPC still works on when
 * a call is answered (the send batch, the close notice) keeps it alive by `refs`. */
#include "internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include <isms/base/buf.h>
#include <isms/base/bug.h>
#include <isms/base/clock.h>
#include <isms/rpc/status.h>

enum { SHUTDOWN_RETRY_MS = 10 /* another replica can answer at once */ };

struct call *call_new(const struct rpc_context *context)
{
    struct arena arena;
    arena_init(&arena, context->call_memory_max);
    struct call *call = ARENA_NEW(&arena, struct call);
    if (!call) {
        arena_release(&arena);
        return NULL;
    }
    call->arena = arena;
    call->context = context;
    call->wake_fd = -1;
    call->request_id = "";
    call->lock_timeout_ms = LOCK_TIMEOUT_MS;
    call->arrived_us = clock_monotonic_us();
    call->now_us = clock_now_us();
    call->id_base = uuid_v7();
    call->message_tag = tag_make(TAG_MESSAGE, call);
    call->closed_tag = tag_make(TAG_CLOSED, call);
    call->sent_tag = tag_make(TAG_SENT, call);
    atomic_init(&call->refs, 1);
    atomic_init(&call->cancelled, false);
    atomic_init(&call->queued_in, NULL);
    return call;
}

void call_free(struct call *call)
{
    struct arena arena = call->arena; /* the struct itself goes with it */
    arena_release(&arena);
}

static void server_forget(struct rpc_server *server, struct call *call)
{
    pthread_mutex_lock(&server->lock);
    if (call->previous)
        call->previous->next = call->next;
    else
        server->calls = call->next;
    if (call->next)
        call->next->previous = call->previous;
    pthread_mutex_unlock(&server->lock);
}

void call_unref(struct call *call)
{
    if (atomic_fetch_sub(&call->refs, 1) != 1)
        return;
    struct rpc_server *server = call->server;
    server_forget(server, call); /* from here on no other thread can find it */
    admission_leave(&server->admission, &call->ticket);
    if (call->counted_stream) {
        atomic_fetch_sub(&server->streams, 1);
        metric_add(METRIC_SERIES(isms_streams), -1);
    }
    if (call->body)
        grpc_byte_buffer_destroy(call->body);
    if (call->answer)
        grpc_byte_buffer_destroy(call->answer);
    grpc_metadata_array_destroy(&call->metadata);
    grpc_call_unref(call->grpc);
    call_free(call);

    pthread_mutex_lock(&server->lock);
    if (--server->open == 0)
        pthread_cond_broadcast(&server->quiet);
    pthread_mutex_unlock(&server->lock);
}

struct slice call_metadata(const struct call *call, const char *key)
{
    struct slice found = {0};
    for (size_t i = 0; i < call->metadata.count; i++) {
        if (grpc_slice_str_cmp(call->metadata.metadata[i].key, key) != 0)
            continue;
        const grpc_slice *value = &call->metadata.metadata[i].value;
        if (found.data)
            return (struct slice){.data = ""}; /* twice: what checked it before us may have looked at the other */
        found = (struct slice){.data = (const char *)GRPC_SLICE_START_PTR(*value),
                               .length = GRPC_SLICE_LENGTH(*value)};
    }
    return found;
}

/* --- the answer ----------------------------------------------------------------------------------------- */

static void phase_set(struct call *call, enum call_phase phase)
{
    pthread_mutex_lock(&call->server->lock);
    call->phase = phase;
    if (phase == CALL_ANSWERED)
        call->wake_fd = -1;
    pthread_mutex_unlock(&call->server->lock);
}

void call_running(struct call *call)
{
    phase_set(call, CALL_RUNNING);
}

/* The batch copies what it sends, except the slices: those are released when it is posted. */
static size_t metadata_add(grpc_metadata *storage, size_t count, const char *key, struct slice value)
{
    if (!key || !value.data)
        return count;
    storage[count].key = grpc_slice_from_copied_string(key);
    storage[count].value = grpc_slice_from_copied_buffer(value.data, value.length);
    return count + 1;
}

void metadata_release(grpc_metadata *storage, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        grpc_slice_unref(storage[i].key); /* an empty slice is fine */
        grpc_slice_unref(storage[i].value);
    }
}

void call_post(struct call *call, const grpc_op *operations, size_t count, struct tag *tag)
{
    atomic_fetch_add(&call->refs, 1);
    TAG_POSTED(tag);
    grpc_call_error result = grpc_call_start_batch(call->grpc, operations, count, tag, NULL);
    BUG_IF(result != GRPC_CALL_OK);
}

grpc_op call_headers_operation(struct call *call, grpc_metadata *storage, bool compress)
{
    grpc_op operation = {.op = GRPC_OP_SEND_INITIAL_METADATA};
    struct grpc_op_send_initial_metadata *headers = &operation.data.send_initial_metadata;
    headers->count = metadata_add(storage, 0, call->header.key, call->header.value);
    headers->metadata = storage;
    headers->maybe_compression_level.is_set = compress;
    headers->maybe_compression_level.level = GRPC_COMPRESS_LEVEL_LOW;
    call->headers_sent = true;
    return operation;
}

/* A status and what goes with it. */
struct status {
    int code;
    const char *message;
    struct slice details;
    int64_t retry_after_ms; /* 0: not said */
};

static grpc_op status_operation(const struct call *call, const struct status *status, grpc_slice *message,
                                grpc_metadata *storage)
{
    char pushback[24];
    struct slice retry = {0};
    if (status->retry_after_ms > 0) /* gRPC's own retries look at this, and not at RetryInfo */
        retry = (struct slice){.data = pushback, .length = (size_t)snprintf(pushback, sizeof(pushback), "%lld",
                                                                            (long long)status->retry_after_ms)};
    size_t count = metadata_add(storage, 0, "grpc-status-details-bin", status->details);
    count = metadata_add(storage, count, "grpc-retry-pushback-ms", retry);
    count = metadata_add(storage, count, call->trailer.key, call->trailer.value);
    grpc_op operation = {.op = GRPC_OP_SEND_STATUS_FROM_SERVER};
    operation.data.send_status_from_server.status = (grpc_status_code)status->code;
    operation.data.send_status_from_server.status_details = message;
    operation.data.send_status_from_server.trailing_metadata_count = count;
    operation.data.send_status_from_server.trailing_metadata = storage;
    return operation;
}

/* One batch: headers, the message if there is one, the status. Gives up the holder's reference. */
static void call_send(struct call *call, const struct status *status)
{
    grpc_metadata headers[HEADERS_MAX] = {{.key = {0}}};
    grpc_metadata trailers[TRAILERS_MAX] = {{.key = {0}}};
    grpc_slice message = grpc_slice_from_copied_string(status->message);
    grpc_op operations[3] = {{0}};
    size_t count = 0;
    if (!call->headers_sent) {
        bool large = call->answer && grpc_byte_buffer_length(call->answer) >= COMPRESS_FROM;
        operations[count++] = call_headers_operation(call, headers, large && !call->uncompressed);
    }
    if (call->answer) {
        operations[count].op = GRPC_OP_SEND_MESSAGE;
        operations[count++].data.send_message.send_message = call->answer;
    }
    operations[count++] = status_operation(call, status, &message, trailers);

    phase_set(call, CALL_ANSWERED);
    call_post(call, operations, count, &call->sent_tag);
    metadata_release(headers, HEADERS_MAX);
    metadata_release(trailers, TRAILERS_MAX);
    grpc_slice_unref(message);
    call_unref(call);
}

void call_fail(struct call *call, const struct err *err)
{
    char trace_id[TRACE_ID_TEXT_SIZE];
    trace_id_format(&call->trace, trace_id);
    char storage[STATUS_DETAILS_MAX];
    struct buf details;
    buf_init_fixed(&details, storage, sizeof(storage));
    status_encode(err, trace_id, &details);
    int code = err_grpc_code(err->reason);
    call_observe(call, code, err);
    struct status status = {.code = code,
                            .message = err->message,
                            .details = {.data = details.data, .length = details.length},
                            .retry_after_ms = err->retry_after_ms};
    call_send(call, &status);
}

static void call_answer_body(struct call *call, grpc_byte_buffer *body)
{
    call->answer = body;
    call_observe(call, 0, NULL);
    call_send(call, &(struct status){.code = GRPC_STATUS_OK, .message = ""});
}

void call_answer_status(struct call *call)
{
    call_answer_body(call, NULL);
}

void call_answer_code(struct call *call, int code, const char *message)
{
    bool known = code >= 0 && code <= GRPC_STATUS_UNAUTHENTICATED;
    call_observe(call, known ? code : GRPC_STATUS_UNKNOWN, NULL);
    call_send(call, &(struct status){.code = code, .message = message});
}

static bool answer_fits(struct call *call, size_t size)
{
    if (size <= RPC_RESPONSE_MAX)
        return true;
    struct err err;
    err_setf(&err, ERR_MESSAGE_TOO_LARGE, "The answer is larger than the service sends. Ask for less.");
    call_fail(call, &err);
    return false;
}

void call_answer(struct call *call, const ProtobufCMessage *response)
{
    if (answer_fits(call, protobuf_c_message_get_packed_size(response)))
        call_answer_body(call, body_of_message(response));
}

void call_answer_bytes(struct call *call, struct slice response)
{
    if (answer_fits(call, response.length))
        call_answer_body(call, body_of_bytes(response));
}

/* --- events --------------------------------------------------------------------------------------------- */

void call_wake_locked(struct call *call)
{
    if (call->wake_fd >= 0)
        eventfd_write(call->wake_fd, 1);
    if (call->stream)
        stream_wake(call->stream);
}

/* Counted however far it had come: who lets a call begin and then resets it costs most. Who waited a while for an
 * answer and gave up, as proxies do for all their callers when a service is slow, does not count. */
static void call_reset(struct call *call)
{
    struct rpc_server *server = call->server;
    int64_t now_us = clock_monotonic_us();
    if (now_us - call->arrived_us < RESET_PATIENCE_US && resets_count(&server->resets, peer_number(call->grpc), now_us))
        server->resets_pending = true;
}

/* The caller has gone: its call makes room in the queue, and whoever works for it exclusively is woken. */
static void call_closed(struct call *call)
{
    struct err err;
    if (call->closed_cancelled) {
        atomic_store(&call->cancelled, true);
        call_reset(call);
        call_wake(call);
        if (lane_withdraw(call)) {
            admission_taken(&call->server->admission, &call->ticket);
            call_over_err(call, &err);
            call_fail(call, &err);
        }
        if (call->served && call->served->built_in && call->served->built_in->gone)
            call->served->built_in->gone(call);
    }
    call_unref(call);
}

void call_wake(struct call *call)
{
    pthread_mutex_lock(&call->server->lock);
    call_wake_locked(call);
    pthread_mutex_unlock(&call->server->lock);
}

struct call *tag_handle(struct tag *tag, bool ok)
{
    struct call *call = tag->owner;
    switch (tag->kind) {
    case TAG_MESSAGE:
        if (!ok || !call->body) {
            struct err err;
            err_setf(&err, ERR_MESSAGE_MALFORMED, "The call carries no message.");
            admission_taken(&call->server->admission, &call->ticket);
            call_fail(call, &err);
            return NULL;
        }
        call_running(call);
        return call;
    case TAG_CLOSED:
        call_closed(call);
        return NULL;
    case TAG_SENT:
        call_unref(call);
        return NULL;
    default:
        BUG_IF(true);
        return NULL;
    }
}

/* --- what handlers see ---------------------------------------------------------------------------------- */

const struct principal *call_principal(const struct call *call)
{
    return call->principal;
}

struct arena *call_arena(struct call *call)
{
    return &call->arena;
}

void *call_service_data(const struct call *call)
{
    return call->context->service_data;
}

int64_t call_now_us(const struct call *call)
{
    return call->now_us;
}

int call_remaining_ms(const struct call *call)
{
    int64_t left = (call->deadline_us - clock_monotonic_us()) / 1000;
    if (call->stream && left > call->server->options.deadline_max_us / 1000)
        left = call->server->options.deadline_max_us / 1000; /* a stream may be long, its statements not */
    return left < 1 ? 1 : left > INT32_MAX ? INT32_MAX : (int)left;
}

bool call_is_over(const struct call *call)
{
    return atomic_load(&call->cancelled) || clock_monotonic_us() >= call->deadline_us ||
           (call->server && atomic_load(&call->server->ending)) ||
           (call->job_is_stopping && call->job_is_stopping(call->job_context));
}

int shutting_down_err(struct err *err)
{
    err_set(err, ERR_SHUTTING_DOWN);
    err->retry_after_ms = SHUTDOWN_RETRY_MS;
    return -1;
}

int call_over_err(const struct call *call, struct err *err)
{
    if (atomic_load(&call->cancelled))
        return err_set(err, ERR_CANCELLED);
    if (call->server && atomic_load(&call->server->ending))
        return shutting_down_err(err);
    return err_set(err, ERR_DEADLINE_EXCEEDED);
}

/* The base is a version 7 UUID made with the call; its last 32 bits, random in the base, count on from there
 * (RFC 9562 section 6.2, method 1 in its last field): ids keep their order, and need not be remembered. */
struct uuid call_new_id(const struct call *call, unsigned n)
{
    BUG_IF(n == 0 || n > CALL_NEW_IDS_MAX);
    struct uuid id = call->id_base;
    uint32_t tail = (uint32_t)id.bytes[12] << 24 | (uint32_t)id.bytes[13] << 16 | (uint32_t)id.bytes[14] << 8 |
                    id.bytes[15];
    tail = (tail & 0x7fffffff) + n;
    for (int i = 0; i < 4; i++)
        id.bytes[12 + i] = (uint8_t)(tail >> (24 - 8 * i));
    return id;
}

void call_log(struct call *call, const char *key, const char *format, ...)
{
    if (call->fact_count == LOG_FACTS_MAX)
        return;
    va_list arguments;
    va_start(arguments, format);
    char *value = arena_vprintf(&call->arena, format, arguments);
    va_end(arguments);
    if (value)
        call->facts[call->fact_count++] = (struct log_fact){.key = key, .value = value};
}
