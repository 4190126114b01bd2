/* reflection.c: server reflection, v1 and v1alpha (whose messages have the same wire form).
 *
 * The one stream there is. It is a small state machine on the poller: receive, answer, receive, with one
 * message under way at a time, until the client closes its side or the call's deadline ends it. Answers come
 * out of the descriptors that the process was built with; a file is sent with everything that it imports. */
#include "internal.h"

#include <string.h>

#include <isms/proto/message.h>

#include <grpc/reflection/v1/reflection.pb-c.h>

typedef Grpc__Reflection__V1__ServerReflectionRequest reflection_request;
typedef Grpc__Reflection__V1__ServerReflectionResponse reflection_response;

enum {
    FILES_MAX = 128,
    SERVICES_MAX = 64,
    EXTENSIONS_MAX = 256,
    REQUEST_MAX = 16 * 1024,
    MEMORY_MAX = 1024 * 1024, /* of one answer, beside the files' own bytes */
    CODE_NOT_FOUND = 5,
    CODE_INVALID = 3
};

struct reflection {
    struct call *call;
    struct tag received;
    struct tag sent;
    grpc_byte_buffer *message;
    grpc_byte_buffer *response;
};

/* --- answers -------------------------------------------------------------------------------------------- */

struct answer {
    const struct call *call;
    struct arena *arena;
    reflection_response *response;
};

static void answer_error(struct answer *answer, int code, const char *message)
{
    Grpc__Reflection__V1__ErrorResponse *error = ARENA_NEW(answer->arena, Grpc__Reflection__V1__ErrorResponse);
    if (!error)
        return;
    grpc__reflection__v1__error_response__init(error);
    error->error_code = code;
    error->error_message = (char *)(uintptr_t)message;
    answer->response->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
    answer->response->error_response = error;
}

/* The file and what it imports, each once. */
static unsigned files_collect(const struct proto_file *file, const struct proto_file **files, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (files[i] == file)
            return count;
    if (count == FILES_MAX)
        return count;
    files[count++] = file;
    for (unsigned i = 0; i < file->dependency_count; i++)
        count = files_collect(file->dependencies[i], files, count);
    return count;
}

static void answer_file(struct answer *answer, const struct proto_file *file)
{
    if (!file) {
        answer_error(answer, CODE_NOT_FOUND, "There is no such file, symbol or extension.");
        return;
    }
    const struct proto_file *files[FILES_MAX];
    unsigned count = files_collect(file, files, 0);
    Grpc__Reflection__V1__FileDescriptorResponse *list =
        ARENA_NEW(answer->arena, Grpc__Reflection__V1__FileDescriptorResponse);
    ProtobufCBinaryData *items = ARENA_ARRAY(answer->arena, count, ProtobufCBinaryData);
    if (!list || !items)
        return;
    grpc__reflection__v1__file_descriptor_response__init(list);
    for (unsigned i = 0; i < count; i++)
        items[i] = (ProtobufCBinaryData){
            .len = files[i]->bytes.length, .data = (uint8_t *)(uintptr_t)files[i]->bytes.data};
    list->n_file_descriptor_proto = count;
    list->file_descriptor_proto = items;
    answer->response->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
    answer->response->file_descriptor_response = list;
}

static void answer_extensions(struct answer *answer, const char *type)
{
    Grpc__Reflection__V1__ExtensionNumberResponse *list =
        ARENA_NEW(answer->arena, Grpc__Reflection__V1__ExtensionNumberResponse);
    int32_t *numbers = ARENA_ARRAY(answer->arena, EXTENSIONS_MAX, int32_t);
    if (!list || !numbers)
        return;
    if (!descriptors_message(answer->call->context->descriptors, type)) {
        answer_error(answer, CODE_NOT_FOUND, "There is no such message type.");
        return;
    }
    grpc__reflection__v1__extension_number_response__init(list);
    unsigned count = descriptors_extensions(answer->call->context->descriptors, type, numbers, EXTENSIONS_MAX);
    list->base_type_name = (char *)(uintptr_t)type;
    list->n_extension_number = count < EXTENSIONS_MAX ? count : EXTENSIONS_MAX;
    list->extension_number = numbers;
    answer->response->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ALL_EXTENSION_NUMBERS_RESPONSE;
    answer->response->all_extension_numbers_response = list;
}

/* Those that this server serves, not all that it knows of. */
static unsigned services_collect(const struct rpc_server *server, const char **names)
{
    unsigned count = 0;
    for (unsigned i = 0; i < server->served_count && count < SERVICES_MAX; i++) {
        const char *name = server->served[i].method->service;
        bool known = false;
        for (unsigned j = 0; j < count && !known; j++)
            known = strcmp(names[j], name) == 0;
        if (!known)
            names[count++] = name;
    }
    return count;
}

static void answer_services(struct answer *answer)
{
    const char *names[SERVICES_MAX];
    unsigned count = services_collect(answer->call->server, names);
    Grpc__Reflection__V1__ListServiceResponse *list =
        ARENA_NEW(answer->arena, Grpc__Reflection__V1__ListServiceResponse);
    Grpc__Reflection__V1__ServiceResponse *items =
        ARENA_ARRAY(answer->arena, count, Grpc__Reflection__V1__ServiceResponse);
    Grpc__Reflection__V1__ServiceResponse **pointers =
        ARENA_ARRAY(answer->arena, count, Grpc__Reflection__V1__ServiceResponse *);
    if (!list || !items || !pointers)
        return;
    grpc__reflection__v1__list_service_response__init(list);
    for (unsigned i = 0; i < count; i++) {
        grpc__reflection__v1__service_response__init(&items[i]);
        items[i].name = (char *)(uintptr_t)names[i];
        pointers[i] = &items[i];
    }
    list->n_service = count;
    list->service = pointers;
    answer->response->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
    answer->response->list_services_response = list;
}

static void answer_make(struct answer *answer, const reflection_request *request)
{
    const struct descriptors *descriptors = answer->call->context->descriptors;
    switch (request->message_request_case) {
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME:
        answer_file(answer, descriptors_file(descriptors, request->file_by_filename));
        return;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL:
        answer_file(answer, descriptors_file_of_symbol(descriptors, request->file_containing_symbol));
        return;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_EXTENSION: {
        const Grpc__Reflection__V1__ExtensionRequest *extension = request->file_containing_extension;
        answer_file(answer, descriptors_file_of_extension(descriptors, extension->containing_type,
                                                          extension->extension_number));
        return;
    }
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_ALL_EXTENSION_NUMBERS_OF_TYPE:
        answer_extensions(answer, request->all_extension_numbers_of_type);
        return;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES:
        answer_services(answer);
        return;
    default:
        answer_error(answer, CODE_INVALID, "The request asks for nothing.");
    }
}

/* NULL with err when the stream cannot go on. */
static grpc_byte_buffer *reflection_answer(struct reflection *reflection, struct err *err)
{
    struct arena arena CLEANUP(arena_release);
    struct slice bytes;
    ProtobufCMessage *message;
    arena_init(&arena, MEMORY_MAX);
    if (body_read(reflection->message, REQUEST_MAX, &arena, &bytes, err) < 0 ||
        message_unpack(&grpc__reflection__v1__server_reflection_request__descriptor, bytes.data, bytes.length,
                       &arena, &message, err) < 0)
        return NULL;
    reflection_request *request = (reflection_request *)message;
    reflection_response response = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;
    struct answer answer = {.call = reflection->call, .arena = &arena, .response = &response};
    response.valid_host = request->host;
    response.original_request = request;
    answer_make(&answer, request);
    if (arena_exhausted(&arena)) {
        err_set(err, ERR_OVERLOADED);
        return NULL;
    }
    return body_of_message(&response.base);
}

/* --- the stream ----------------------------------------------------------------------------------------- */

static grpc_op receive_operation(struct reflection *reflection)
{
    grpc_op operation = {.op = GRPC_OP_RECV_MESSAGE};
    operation.data.recv_message.recv_message = &reflection->message;
    return operation;
}

static void stream_received(struct reflection *reflection, bool ok)
{
    struct err err = {0};
    if (!ok || !reflection->message) {
        call_answer_status(reflection->call);
        return;
    }
    reflection->response = reflection_answer(reflection, &err);
    grpc_byte_buffer_destroy(reflection->message);
    reflection->message = NULL;
    if (!reflection->response) {
        call_fail(reflection->call, &err);
        return;
    }
    grpc_op operation = {.op = GRPC_OP_SEND_MESSAGE};
    operation.data.send_message.send_message = reflection->response;
    call_post(reflection->call, &operation, 1, &reflection->sent);
}

static void stream_sent(struct reflection *reflection, bool ok)
{
    grpc_byte_buffer_destroy(reflection->response);
    reflection->response = NULL;
    if (!ok) {
        call_answer_status(reflection->call);
        return;
    }
    grpc_op operation = receive_operation(reflection);
    call_post(reflection->call, &operation, 1, &reflection->received);
}

static void reflection_event(struct tag *tag, bool ok)
{
    struct reflection *reflection = tag->owner;
    struct call *call = reflection->call;
    if (tag == &reflection->received)
        stream_received(reflection, ok);
    else
        stream_sent(reflection, ok);
    call_unref(call); /* the batch's reference; the stream's own goes with its status */
}

static void reflection_start(struct call *call)
{
    struct reflection *reflection = ARENA_NEW(&call->arena, struct reflection);
    struct err err;
    if (!reflection) {
        err_set(&err, ERR_OVERLOADED);
        call_fail(call, &err);
        return;
    }
    *reflection = (struct reflection){.call = call,
                                      .received = tag_make_event(reflection_event, reflection),
                                      .sent = tag_make_event(reflection_event, reflection)};
    call->headers_sent = true;
    call_running(call);
    grpc_op operations[] = {{.op = GRPC_OP_SEND_INITIAL_METADATA}, receive_operation(reflection)};
    call_post(call, operations, ARRAY_SIZE(operations), &reflection->received);
}

#define INFO "ServerReflection/ServerReflectionInfo"

const struct rpc_built_in reflection_built_ins[] = {
    {.path = "/grpc.reflection.v1." INFO, .run = reflection_start, .reads = true},
    {.path = "/grpc.reflection.v1alpha." INFO, .run = reflection_start, .reads = true},
    {0}};
