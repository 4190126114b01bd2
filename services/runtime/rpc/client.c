/* client.c: unary calls over one channel.
 *
 * Each call has a completion queue of its own, on which its thread waits: gRPC core then needs no thread of
 * ours, and any number of threads can call at once. A call that is made for another one inherits its
 * deadline and its cancellation from gRPC core itself. */
#include <isms/rpc/client.h>

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

enum { METADATA_MAX = 16 };

struct rpc_client {
    grpc_channel *channel;
};

static grpc_arg argument(const char *key, int value)
{
    return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key, .value.integer = value};
}

int rpc_client_new(const char *address, size_t message_max, struct rpc_client **ret_client, struct err *err)
{
    struct rpc_client *client = calloc(1, sizeof(*client));
    if (!client)
        return err_setf(err, ERR_INTERNAL, "out of memory");
    grpc_init();
    grpc_arg list[] = {
        argument(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, (int)message_max),
        argument(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, (int)message_max),
        argument(GRPC_ARG_KEEPALIVE_TIME_MS, 30 * 1000),
        argument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10 * 1000),
        argument(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100),
        argument(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000),
        argument(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5 * 1000),
        argument(GRPC_ARG_ENABLE_HTTP_PROXY, 0), /* these are addresses of our own network */
        argument(GRPC_ARG_ENABLE_CHANNELZ, 0),
    };
    grpc_channel_args arguments = {.num_args = ARRAY_SIZE(list), .args = list};
    grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
    client->channel = grpc_channel_create(address, credentials, &arguments);
    grpc_channel_credentials_release(credentials);
    *ret_client = client;
    return 0;
}

void rpc_client_free(struct rpc_client *client)
{
    if (!client)
        return;
    grpc_channel_destroy(client->channel);
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
    return grpc_channel_check_connectivity_state(client->channel, 1) == GRPC_CHANNEL_READY;
}

/* What one call has under way. */
struct exchange {
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
    exchange->queue = grpc_completion_queue_create_for_pluck(NULL);
    grpc_slice method = grpc_slice_from_copied_string(request->method);
    exchange->call = grpc_channel_create_call(
        client->channel, request->parent, GRPC_PROPAGATE_DEADLINE | GRPC_PROPAGATE_CANCELLATION,
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

static void exchange_run(struct exchange *exchange, size_t metadata_count)
{
    grpc_op operations[6] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA}, {.op = GRPC_OP_SEND_MESSAGE},
        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT}, {.op = GRPC_OP_RECV_INITIAL_METADATA},
        {.op = GRPC_OP_RECV_MESSAGE}, {.op = GRPC_OP_RECV_STATUS_ON_CLIENT},
    };
    operations[0].data.send_initial_metadata.count = metadata_count;
    operations[0].data.send_initial_metadata.metadata = exchange->metadata;
    operations[1].data.send_message.send_message = exchange->request;
    operations[3].data.recv_initial_metadata.recv_initial_metadata = &exchange->headers;
    operations[4].data.recv_message.recv_message = &exchange->response;
    operations[5].data.recv_status_on_client.trailing_metadata = &exchange->trailers;
    operations[5].data.recv_status_on_client.status = &exchange->code;
    operations[5].data.recv_status_on_client.status_details = &exchange->message;
    grpc_call_error result =
        grpc_call_start_batch(exchange->call, operations, ARRAY_SIZE(operations), exchange, NULL);
    BUG_IF(result != GRPC_CALL_OK);
    /* The call's own deadline ends this wait. */
    grpc_completion_queue_pluck(exchange->queue, exchange, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    for (size_t i = 0; i < metadata_count; i++) {
        grpc_slice_unref(exchange->metadata[i].key);
        grpc_slice_unref(exchange->metadata[i].value);
    }
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

int rpc_client_call(struct rpc_client *client, const struct rpc_request *request, struct arena *arena,
                    struct slice *ret_response, struct err *err)
{
    BUG_IF(request->metadata_count > METADATA_MAX);
    if (request->deadline_us <= clock_monotonic_us())
        return err_set(err, ERR_DEADLINE_EXCEEDED);
    struct exchange exchange CLEANUP(exchange_release);
    exchange_init(&exchange, client, request);
    exchange_run(&exchange, request->metadata_count);
    if (exchange.code != GRPC_STATUS_OK)
        return exchange_failed(&exchange, err);
    if (!exchange.response)
        return err_setf(err, ERR_INTERNAL, "the server answered OK without a message");

    grpc_byte_buffer_reader reader;
    if (!grpc_byte_buffer_reader_init(&reader, exchange.response))
        return err_setf(err, ERR_INTERNAL, "the server's answer cannot be read");
    grpc_slice whole = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    size_t length = GRPC_SLICE_LENGTH(whole);
    char *data = arena_memdup(arena, GRPC_SLICE_START_PTR(whole), length);
    grpc_slice_unref(whole);
    if (!data)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    *ret_response = (struct slice){.data = data, .length = length};
    return 0;
}
