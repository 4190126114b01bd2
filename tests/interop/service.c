/* service.c: the test service, by what the runtime has.
 *
 * Unary methods run on the poller, as health does; StreamingOutputCall is a stream as a service's handlers have it.
 * The methods with a stream of requests, which the runtime offers to no service, are state machines on the poller, as
 * reflection is: that way the interop cases that need them test the transport below all the same. */
#include "service.h"

#include <string.h>

#include <isms/base/bug.h>
#include <isms/proto/message.h>

#include <grpc/testing/messages.pb-c.h>
#include <grpc/testing/test.pb-c.h>

enum { PAYLOAD_MAX = 4 * 1024 * 1024, REQUEST_MAX = 4 * 1024 * 1024 };

typedef Grpc__Testing__SimpleRequest simple_request;
typedef Grpc__Testing__StreamingOutputCallRequest output_request;

/* --- what the methods share ----------------------------------------------------------------------------- */

/* custom_metadata: two keys of the caller's come back, one before and one after the answer. */
static void metadata_echo(struct call *call)
{
    static const char initial[] = "x-grpc-test-echo-initial";
    static const char trailing[] = "x-grpc-test-echo-trailing-bin";
    call->header = (struct answer_metadata){.key = initial, .value = call_metadata(call, initial)};
    call->trailer = (struct answer_metadata){.key = trailing, .value = call_metadata(call, trailing)};
}

/* That many zeros; false: more than we hand out. */
static bool payload_make(struct arena *arena, int32_t size, Grpc__Testing__Payload *ret_payload)
{
    grpc__testing__payload__init(ret_payload);
    ret_payload->body.data = size >= 0 && size <= PAYLOAD_MAX ? arena_alloc(arena, (size_t)size) : NULL;
    ret_payload->body.len = (size_t)size;
    return ret_payload->body.data != NULL;
}

static int too_much(struct err *err)
{
    return err_setf(err, ERR_FIELD_INVALID, "a payload of that size is not to be had");
}

static void fail(struct call *call, int (*set)(struct err *err))
{
    struct err err = {0};
    (void)set(&err);
    call_fail(call, &err);
}

/* --- unary ---------------------------------------------------------------------------------------------- */

static void empty_call(struct call *call)
{
    struct err err = {0};
    metadata_echo(call);
    if (call_unpack(call, &err) < 0)
        call_fail(call, &err);
    else
        call_answer(call, call->request); /* an Empty is an Empty */
}

static int not_compressed(struct err *err)
{
    return err_setf(err, ERR_FIELD_INVALID, "the request was to be compressed, and is not");
}

static void unary_call(struct call *call)
{
    struct err err = {0};
    metadata_echo(call);
    if (call_unpack(call, &err) < 0) {
        call_fail(call, &err);
        return;
    }
    const simple_request *request = (const simple_request *)call->request;
    bool compressed = call->body->data.raw.compression != GRPC_COMPRESS_NONE;
    if (request->expect_compressed && request->expect_compressed->value && !compressed) {
        fail(call, not_compressed);
        return;
    }
    if (request->response_status && request->response_status->code != 0) {
        call_answer_code(call, request->response_status->code, request->response_status->message);
        return;
    }
    Grpc__Testing__SimpleResponse response = GRPC__TESTING__SIMPLE_RESPONSE__INIT;
    Grpc__Testing__Payload payload;
    if (!payload_make(&call->arena, request->response_size, &payload)) {
        fail(call, too_much);
        return;
    }
    response.payload = &payload;
    if (request->fill_server_id)
        response.server_id = arena_printf(&call->arena, "%d", rpc_server_port(call->server));
    call->uncompressed = request->response_compressed && !request->response_compressed->value;
    call_answer(call, &response.base);
}

/* --- a stream of answers -------------------------------------------------------------------------------- */

static int streaming_output(struct call *call, const ProtobufCMessage *message, struct rpc_stream *stream,
                            struct err *err)
{
    const output_request *request = (const output_request *)message;
    metadata_echo(call);
    for (size_t i = 0; i < request->n_response_parameters; i++) {
        const Grpc__Testing__ResponseParameters *wanted = request->response_parameters[i];
        Grpc__Testing__StreamingOutputCallResponse response = GRPC__TESTING__STREAMING_OUTPUT_CALL_RESPONSE__INIT;
        Grpc__Testing__Payload payload;
        struct arena_mark mark = arena_mark(call_arena(call));
        if (!payload_make(call_arena(call), wanted->size, &payload))
            return too_much(err);
        response.payload = &payload;
        if (wanted->interval_us > 0 && stream_wait(stream, wanted->interval_us, err) < 0)
            return -1;
        if (stream_send(stream, &response.base, err) < 0)
            return -1;
        arena_rewind(call_arena(call), &mark);
    }
    return 0;
}

/* --- streams of requests -------------------------------------------------------------------------------- */

struct conversation {
    struct call *call;
    struct tag received;
    struct tag sent;
    grpc_byte_buffer *message;
    grpc_byte_buffer *response;
    struct arena_mark mark; /* before the request being answered */
    const output_request *request;
    size_t answered; /* of its response_parameters */
    bool sums;       /* StreamingInputCall: one answer, the sum of the payloads */
    int32_t sum;
};

static void conversation_receive(struct conversation *conversation, const grpc_op *before)
{
    grpc_op operations[2];
    size_t count = 0;
    if (before)
        operations[count++] = *before;
    operations[count] = (grpc_op){.op = GRPC_OP_RECV_MESSAGE};
    operations[count++].data.recv_message.recv_message = &conversation->message;
    call_post(conversation->call, operations, count, &conversation->received);
}

/* The next answer that the request asks for, or the next request. */
static void conversation_go_on(struct conversation *conversation)
{
    const output_request *request = conversation->request;
    Grpc__Testing__StreamingOutputCallResponse response = GRPC__TESTING__STREAMING_OUTPUT_CALL_RESPONSE__INIT;
    Grpc__Testing__Payload payload;
    if (!request || conversation->answered == request->n_response_parameters) {
        conversation_receive(conversation, NULL);
        return;
    }
    int32_t size = request->response_parameters[conversation->answered++]->size;
    if (!payload_make(&conversation->call->arena, size, &payload)) {
        fail(conversation->call, too_much);
        return;
    }
    response.payload = &payload;
    conversation->response = body_of_message(&response.base);
    grpc_op operation = {.op = GRPC_OP_SEND_MESSAGE};
    operation.data.send_message.send_message = conversation->response;
    call_post(conversation->call, &operation, 1, &conversation->sent);
}

static int conversation_unpack(struct conversation *conversation, ProtobufCMessage **ret_message, struct err *err)
{
    struct slice bytes;
    struct arena *arena = &conversation->call->arena;
    const struct method *method = conversation->call->served->method;
    arena_rewind(arena, &conversation->mark);
    if (body_read(conversation->message, REQUEST_MAX, arena, &bytes, err) < 0)
        return -1;
    return message_unpack(method->request->descriptor, bytes.data, bytes.length, arena, ret_message, err);
}

static void conversation_end(struct conversation *conversation)
{
    if (!conversation->sums) {
        call_answer_status(conversation->call);
        return;
    }
    Grpc__Testing__StreamingInputCallResponse response = GRPC__TESTING__STREAMING_INPUT_CALL_RESPONSE__INIT;
    response.aggregated_payload_size = conversation->sum;
    call_answer(conversation->call, &response.base);
}

static void request_take(struct conversation *conversation, const ProtobufCMessage *message)
{
    if (conversation->sums) {
        const Grpc__Testing__StreamingInputCallRequest *input =
            (const Grpc__Testing__StreamingInputCallRequest *)message;
        conversation->sum += input->payload ? (int32_t)input->payload->body.len : 0;
        conversation_receive(conversation, NULL);
        return;
    }
    conversation->request = (const output_request *)message;
    conversation->answered = 0;
    const Grpc__Testing__EchoStatus *status = conversation->request->response_status;
    if (status && status->code != 0)
        call_answer_code(conversation->call, status->code, status->message);
    else
        conversation_go_on(conversation);
}

static void conversation_received(struct tag *tag, bool ok)
{
    struct conversation *conversation = tag->owner;
    struct call *call = conversation->call;
    ProtobufCMessage *message;
    struct err err = {0};
    if (!ok || !conversation->message)
        conversation_end(conversation);
    else {
        int result = conversation_unpack(conversation, &message, &err);
        grpc_byte_buffer_destroy(conversation->message);
        conversation->message = NULL;
        if (result < 0)
            call_fail(call, &err);
        else
            request_take(conversation, message);
    }
    call_unref(call);
}

static void conversation_sent(struct tag *tag, bool ok)
{
    struct conversation *conversation = tag->owner;
    struct call *call = conversation->call;
    grpc_byte_buffer_destroy(conversation->response);
    conversation->response = NULL;
    if (ok)
        conversation_go_on(conversation);
    else
        call_answer_status(call);
    call_unref(call);
}

static void conversation_start(struct call *call, bool sums)
{
    struct conversation *conversation = ARENA_NEW(&call->arena, struct conversation);
    BUG_IF(!conversation);
    *conversation = (struct conversation){.call = call, .sums = sums};
    conversation->received = tag_make_event(conversation_received, conversation);
    conversation->sent = tag_make_event(conversation_sent, conversation);
    conversation->mark = arena_mark(&call->arena);
    metadata_echo(call);
    call_running(call);
    grpc_metadata storage[HEADERS_MAX] = {{.key = {0}}};
    grpc_op headers = call_headers_operation(call, storage, false);
    conversation_receive(conversation, &headers);
    metadata_release(storage, HEADERS_MAX);
}

static void streaming_input(struct call *call)
{
    conversation_start(call, true);
}

static void full_duplex(struct call *call)
{
    conversation_start(call, false);
}

#define SERVICE "/grpc.testing.TestService/"

const struct rpc_built_in interop_built_ins[] = {
    {.path = SERVICE "EmptyCall", .run = empty_call},
    {.path = SERVICE "UnaryCall", .run = unary_call},
    {.path = SERVICE "StreamingOutputCall", .stream = streaming_output},
    {.path = SERVICE "StreamingInputCall", .run = streaming_input, .reads = true},
    {.path = SERVICE "FullDuplexCall", .run = full_duplex, .reads = true},
    {0}};
