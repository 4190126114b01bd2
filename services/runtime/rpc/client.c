/* client.c: calls over one channel.
 *
 * Each call has a completion queue of its own, on which its thread waits: gRPC core then needs no thread of
 * ours, and any number of threads can call at once. A call that is made for another one inherits its
 * deadline and its cancellation from gRPC core itself. */
#include <isms/rpc/client.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>

#include <isms/base/bug.h>
#include <isms/base/clock.h>
#include <isms/rpc/status.h>

#include "tls_credentials.h"

enum { METADATA_MAX = 16 };

/* Ends with its last call, or with the client. */
struct channel {
    grpc_channel *grpc;
    unsigned refs; /* under the client's lock */
    uint64_t generation; /* of the certificates it was made with */
};

struct rpc_client {
    struct rpc_client_options options;
    pthread_mutex_t lock;
    struct channel *channel; /* for new calls */
};

static grpc_arg argument(const char *key, int value)
{
    return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key, .value.integer = value};
}

static grpc_channel_credentials *credentials_make(const struct rpc_client_options *options)
{
    return options->tls ? tls_channel_credentials(options->tls, options->identity)
                        : grpc_insecure_credentials_create();
}

static uint64_t generation_of(const struct rpc_client *client)
{
    return client->options.tls ? tls_generation(client->options.tls) : 0;
}

/* NULL without memory. Has one reference. */
static struct channel *channel_new(const struct rpc_client *client)
{
    const struct rpc_client_options *options = &client->options;
    struct channel *channel = calloc(1, sizeof(*channel));
    if (!channel)
        return NULL;
    *channel = (struct channel){.refs = 1, .generation = generation_of(client)};
    grpc_arg list[] = {
        argument(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, (int)options->message_max),
        argument(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, (int)options->message_max),
        argument(GRPC_ARG_KEEPALIVE_TIME_MS, 30 * 1000),
        argument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10 * 1000),
        argument(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100),
        argument(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000),
        argument(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2 * 1000),
        argument(GRPC_ARG_ENABLE_HTTP_PROXY, 0), /* these are addresses of our own network */
        argument(GRPC_ARG_ENABLE_CHANNELZ, 0),
    };
    grpc_channel_args arguments = {.num_args = ARRAY_SIZE(list), .args = list};
    grpc_channel_credentials *credentials = credentials_make(options);
    channel->grpc = grpc_channel_create(options->address, credentials, &arguments);
    grpc_channel_credentials_release(credentials);
    return channel;
}

static void channel_give(struct rpc_client *client, struct channel *channel)
{
    pthread_mutex_lock(&client->lock);
    bool last = --channel->refs == 0;
    pthread_mutex_unlock(&client->lock);
    if (!last)
        return;
    grpc_channel_destroy(channel->grpc);
    free(channel);
}

/* The channel for a new call: another one once the certificates have changed. */
static struct channel *channel_take(struct rpc_client *client)
{
    struct channel *old = NULL;
    pthread_mutex_lock(&client->lock);
    if (client->channel->generation != generation_of(client)) {
        struct channel *channel = channel_new(client);
        if (channel) {
            old = client->channel;
            client->channel = channel;
        }
    }
    struct channel *channel = client->channel;
    channel->refs++;
    pthread_mutex_unlock(&client->lock);
    if (old)
        channel_give(client, old);
    return channel;
}

int rpc_client_new(const struct rpc_client_options *options, struct rpc_client **ret_client, struct err *err)
{
    struct rpc_client *client = calloc(1, sizeof(*client));
    if (!client)
        return err_setf(err, ERR_INTERNAL, "out of memory");
    grpc_init();
    client->options = *options;
    pthread_mutex_init(&client->lock, NULL);
    client->channel = channel_new(client);
    if (!client->channel) {
        rpc_client_free(client);
        return err_setf(err, ERR_INTERNAL, "out of memory");
    }
    *ret_client = client;
    return 0;
}

void rpc_client_free(struct rpc_client *client)
{
    if (!client)
        return;
    if (client->channel)
        channel_give(client, client->channel);
    pthread_mutex_destroy(&client->lock);
    free(client);
    grpc_shutdown();
}

void rpc_client_freep(struct rpc_client **client)
{
    rpc_client_free(*client);
    *client = NULL;
}

bool rpc_client_is_connected(struct rpc_client *client)
{
    struct channel *channel = channel_take(client);
    bool connected = grpc_channel_check_connectivity_state(channel->grpc, 1) == GRPC_CHANNEL_READY;
    channel_give(client, channel);
    return connected;
}

/* What one call has under way. */
struct exchange {
    struct rpc_client *client;
    struct channel *channel;
    grpc_completion_queue *queue;
    grpc_call *call;
    grpc_byte_buffer *request;
    grpc_byte_buffer *response;
    grpc_metadata metadata[METADATA_MAX];
    grpc_metadata_array headers;
    grpc_metadata_array trailers;
    grpc_status_code code;
    grpc_slice message;
};

static void exchange_release(struct exchange *exchange)
{
    grpc_byte_buffer_destroy(exchange->request);
    grpc_byte_buffer_destroy(exchange->response);
    grpc_metadata_array_destroy(&exchange->headers);
    grpc_metadata_array_destroy(&exchange->trailers);
    grpc_slice_unref(exchange->message);
    grpc_call_unref(exchange->call);
    grpc_completion_queue_shutdown(exchange->queue);
    grpc_completion_queue_destroy(exchange->queue);
    channel_give(exchange->client, exchange->channel);
}

static gpr_timespec timespec_of(int64_t monotonic_us)
{
    int64_t left_us = monotonic_us - clock_monotonic_us();
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_micros(left_us, GPR_TIMESPAN));
}

static void exchange_init(struct exchange *exchange, struct rpc_client *client,
                          const struct rpc_request *request)
{
    memset(exchange, 0, sizeof(*exchange));
    exchange->client = client;
    exchange->channel = channel_take(client);
    exchange->queue = grpc_completion_queue_create_for_pluck(NULL);
    grpc_slice method = grpc_slice_from_copied_string(request->method);
    exchange->call = grpc_channel_create_call(
        exchange->channel->grpc, request->parent, GRPC_PROPAGATE_DEADLINE | GRPC_PROPAGATE_CANCELLATION,
        exchange->queue, method, NULL, timespec_of(request->deadline_us), NULL);
    grpc_slice_unref(method);
    grpc_slice body = grpc_slice_from_copied_buffer(request->body.data ? request->body.data : "",
                                                    request->body.length);
    exchange->request = grpc_raw_byte_buffer_create(&body, 1);
    grpc_slice_unref(body);
    grpc_metadata_array_init(&exchange->headers);
    grpc_metadata_array_init(&exchange->trailers);
    exchange->message = grpc_empty_slice();
    /* Copies: gRPC may look at a header after the call that sent it has ended. */
    for (size_t i = 0; i < request->metadata_count; i++) {
        exchange->metadata[i].key = grpc_slice_from_copied_string(request->metadata[i].key);
        exchange->metadata[i].value = grpc_slice_from_copied_string(request->metadata[i].value);
    }
}

static void exchange_post(struct exchange *exchange, const grpc_op *operations, size_t count, void *tag)
{
    BUG_IF(grpc_call_start_batch(exchange->call, operations, count, tag, NULL) != GRPC_CALL_OK);
}

/* The call's own deadline ends this wait. */
static void exchange_await(struct exchange *exchange, void *tag)
{
    grpc_completion_queue_pluck(exchange->queue, tag, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
}

/* Sends the request, and asks for the first message and the status. */
static void exchange_begin(struct exchange *exchange, size_t metadata_count)
{
    grpc_op begin[] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA}, {.op = GRPC_OP_SEND_MESSAGE},
        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT}, {.op = GRPC_OP_RECV_INITIAL_METADATA},
        {.op = GRPC_OP_RECV_MESSAGE},
    };
    grpc_op status = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT};
    begin[0].data.send_initial_metadata.count = metadata_count;
    begin[0].data.send_initial_metadata.metadata = exchange->metadata;
    begin[1].data.send_message.send_message = exchange->request;
    begin[3].data.recv_initial_metadata.recv_initial_metadata = &exchange->headers;
    begin[4].data.recv_message.recv_message = &exchange->response;
    status.data.recv_status_on_client.trailing_metadata = &exchange->trailers;
    status.data.recv_status_on_client.status = &exchange->code;
    status.data.recv_status_on_client.status_details = &exchange->message;
    exchange_post(exchange, begin, ARRAY_SIZE(begin), &exchange->response);
    exchange_post(exchange, &status, 1, &exchange->code);
    exchange_await(exchange, &exchange->response);
    for (size_t i = 0; i < metadata_count; i++) {
        grpc_slice_unref(exchange->metadata[i].key);
        grpc_slice_unref(exchange->metadata[i].value);
    }
}

/* Waits for the next message; there is none at the end. */
static void exchange_next(struct exchange *exchange)
{
    grpc_op operation = {.op = GRPC_OP_RECV_MESSAGE};
    grpc_byte_buffer_destroy(exchange->response);
    exchange->response = NULL;
    operation.data.recv_message.recv_message = &exchange->response;
    exchange_post(exchange, &operation, 1, &exchange->response);
    exchange_await(exchange, &exchange->response);
}

static int exchange_failed(const struct exchange *exchange, struct err *err)
{
    struct slice details = {0};
    for (size_t i = 0; i < exchange->trailers.count; i++)
        if (grpc_slice_str_cmp(exchange->trailers.metadata[i].key, "grpc-status-details-bin") == 0)
            details = (struct slice){
                .data = (const char *)GRPC_SLICE_START_PTR(exchange->trailers.metadata[i].value),
                .length = GRPC_SLICE_LENGTH(exchange->trailers.metadata[i].value)};
    int code = exchange->code > 0 && exchange->code <= 16 ? (int)exchange->code : GRPC_STATUS_UNKNOWN;
    return status_decode(code, (const char *)GRPC_SLICE_START_PTR(exchange->message),
                         GRPC_SLICE_LENGTH(exchange->message), details.data, details.length, err);
}

/* The message in one piece, for `take`. */
static int message_take(grpc_byte_buffer *message, rpc_client_take *take, void *context, struct err *err)
{
    grpc_byte_buffer_reader reader;
    if (!grpc_byte_buffer_reader_init(&reader, message))
        return err_setf(err, ERR_INTERNAL, "the server's answer cannot be read");
    grpc_slice whole = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    struct slice bytes = {.data = (const char *)GRPC_SLICE_START_PTR(whole), .length = GRPC_SLICE_LENGTH(whole)};
    int result = take(context, bytes, err);
    grpc_slice_unref(whole);
    return result;
}

int rpc_client_stream(struct rpc_client *client, const struct rpc_request *request, rpc_client_take *take,
                      void *context, struct err *err)
{
    BUG_IF(request->metadata_count > METADATA_MAX);
    if (request->deadline_us <= clock_monotonic_us())
        return err_set(err, ERR_DEADLINE_EXCEEDED);
    struct exchange exchange CLEANUP(exchange_release);
    int result = 0;
    exchange_init(&exchange, client, request);
    exchange_begin(&exchange, request->metadata_count);
    while (result == 0 && exchange.response) {
        result = message_take(exchange.response, take, context, err);
        if (result == 0)
            exchange_next(&exchange);
    }
    if (result < 0)
        grpc_call_cancel(exchange.call, NULL);
    exchange_await(&exchange, &exchange.code);
    return result < 0 || exchange.code == GRPC_STATUS_OK ? result : exchange_failed(&exchange, err);
}

struct answer {
    struct arena *arena;
    struct slice bytes;
    bool given;
};

static int answer_take(void *context, struct slice message, struct err *err)
{
    struct answer *answer = context;
    if (answer->given)
        return err_setf(err, ERR_INTERNAL, "the server answered with a second message");
    answer->bytes = (struct slice){.data = arena_memdup(answer->arena, message.data, message.length),
                                   .length = message.length};
    answer->given = true;
    return answer->bytes.data ? 0 : err_set(err, ERR_MESSAGE_TOO_LARGE);
}

int rpc_client_call(struct rpc_client *client, const struct rpc_request *request, struct arena *arena,
                    struct slice *ret_response, struct err *err)
{
    struct answer answer = {.arena = arena};
    if (rpc_client_stream(client, request, answer_take, &answer, err) < 0)
        return -1;
    if (!answer.given)
        return err_setf(err, ERR_INTERNAL, "the server answered OK without a message");
    *ret_response = answer.bytes;
    return 0;
}
