/* session.c: finding a method by name and calling it with JSON. */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <isms/base/buf.h>
#include <isms/base/clock.h>
#include <isms/base/uuid.h>
#include <isms/proto/json.h>
#include <isms/proto/message.h>
#include <isms/rpc/client.h>

#include "ctl.h"

enum { MESSAGE_MAX = 64 << 20, MEMORY_MAX = 512 << 20, JSON_MAX = 256 << 20, READ_SIZE = 1 << 16 };
enum { TIMEOUT_S = 60, STREAM_TIMEOUT_S = 3600 };

static void descriptor_closep(int *descriptor)
{
    if (*descriptor > STDIN_FILENO)
        close(*descriptor);
}

int file_read(const char *path, size_t max, struct arena *arena, struct slice *ret_content, struct err *err)
{
    CLEANUP(descriptor_closep) int file = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct buf content;
    char part[READ_SIZE];
    ssize_t got;

    if (file < 0)
        return err_setf(err, ERR_FIELD_INVALID, "%s: %s", path, strerror(errno));
    buf_init_arena(&content, arena, max);
    while ((got = read(file, part, sizeof part)) > 0)
        buf_append(&content, part, (size_t)got);
    if (got < 0)
        return err_setf(err, ERR_FIELD_INVALID, "%s: %s", path, strerror(errno));
    if (content.failed)
        return err_setf(err, ERR_MESSAGE_TOO_LARGE, "%s is larger than %zu bytes", path, max);
    *ret_content = (struct slice){content.data, content.length};
    return 0;
}

/* "isms.actions.v1" → "actions"; NULL for what is not ours. */
static const char *service_of(const struct method *method, struct arena *arena)
{
    if (strncmp(method->package, "isms.", 5) != 0)
        return NULL;
    return arena_strndup(arena, method->package + 5, strcspn(method->package + 5, "."));
}

int session_method(const struct session *session, const char *name, const struct method **ret_method, struct err *err)
{
    unsigned count;
    const struct method *methods = descriptors_methods(session->descriptors, &count);
    size_t length = strlen(name);

    for (unsigned i = 0; i < count; i++) {
        size_t path_length = strlen(methods[i].path);
        const char *tail = path_length >= length ? methods[i].path + path_length - length : NULL;
        bool whole = tail && (tail == methods[i].path || strchr("./", tail[-1]));
        if (whole && strcmp(tail, name) == 0 && service_of(&methods[i], session->arena)) {
            *ret_method = &methods[i];
            return 0;
        }
    }
    return err_setf(err, ERR_METHOD_UNKNOWN, "There is no method '%s'; `ismsctl methods` lists them.", name);
}

static const char *address_of(const struct session *session, const struct method *method)
{
    const char *service = service_of(method, session->arena);
    char *name = arena_printf(session->arena, "ISMS_%s_ADDRESS", service);

    if (session->options->address)
        return session->options->address;
    for (char *letter = name; letter && *letter; letter++)
        *letter = (char)toupper((unsigned char)*letter);
    return name ? getenv(name) : NULL;
}

/* A changing request without a request_id gets one: the caller of a command line repeats by intent, not by accident. */
static void request_id_fill(const struct method *method, ProtobufCMessage *request, struct arena *arena)
{
    char text[UUID_TEXT_SIZE];

    if (!method->request_id)
        return;
    char **id = (char **)((char *)request + method->request_id->descriptor->offset);
    if (*id && **id)
        return;
    uuid_format(uuid_v7(), text);
    *id = arena_strdup(arena, text);
}

static int client_run(const struct session *session, const struct method *method, struct slice body,
                      rpc_client_take *take, void *context, struct err *err)
{
    CLEANUP(tls_freep) struct tls *tls = NULL;
    CLEANUP(rpc_client_freep) struct rpc_client *client = NULL;
    const char *address = address_of(session, method);
    const char *credential = session->options->credential;
    int timeout_s = session->options->timeout_s ? session->options->timeout_s
                    : method->server_streaming ? STREAM_TIMEOUT_S
                                               : TIMEOUT_S;
    struct rpc_metadata metadata = {.key = "authorization"};

    if (!address)
        return err_setf(err, ERR_PEER_UNAVAILABLE, "No address for %s: give --address, or set ISMS_<SERVICE>_ADDRESS.",
                        method->service);
    metadata.value = arena_printf(session->arena, "Bearer %s", credential ? credential : "");
    struct rpc_request request = {
        .method = method->path,
        .metadata = &metadata,
        .metadata_count = credential ? 1 : 0,
        .body = body,
        .deadline_us = clock_monotonic_us() + (int64_t)timeout_s * 1000000,
    };
    const struct tls_options trust = {.use = "ctl", .ca_file = session->options->ca_file};
    if (trust.ca_file && tls_new(&trust, &tls, err) < 0)
        return -1;
    struct rpc_client_options options = {.address = address, .message_max = MESSAGE_MAX, .tls = tls};
    if (rpc_client_new(&options, &client, err) < 0)
        return -1;
    return rpc_client_stream(client, &request, take, context, err);
}

/* How the messages of an answer are handed on: one at a time, in memory of its own. */
struct reception {
    const struct method *method;
    session_take *take;
    void *context;
    struct arena arena;
};

static void reception_release(struct reception *reception)
{
    arena_release(&reception->arena);
}

static int message_receive(void *context, struct slice bytes, struct err *err)
{
    struct reception *reception = context;
    ProtobufCMessage *message;

    arena_clear(&reception->arena);
    if (message_unpack(reception->method->response->descriptor, bytes.data, bytes.length, &reception->arena, &message,
                       err) < 0)
        return -1;
    return reception->take(reception->context, message, err);
}

int session_stream(const struct session *session, const struct method *method, struct slice request,
                   session_take *take, void *context, struct err *err)
{
    CLEANUP(reception_release) struct reception reception = {.method = method, .take = take, .context = context};
    ProtobufCMessage *message;
    struct slice bytes;

    arena_init(&reception.arena, MEMORY_MAX);
    if (json_read(method->request, request.data, request.length, false, session->arena, &message, err) < 0)
        return -1;
    request_id_fill(method, message, session->arena);
    if (message_pack(message, session->arena, &bytes, err) < 0)
        return -1;
    return client_run(session, method, bytes, message_receive, &reception, err);
}

int session_json(const struct method *method, const ProtobufCMessage *message, struct buf *json, struct err *err)
{
    return json_write(method->response, message, (struct json_style){.snake_names = true}, json, err);
}

struct answer {
    const struct method *method;
    struct buf json;
};

static int answer_take(void *context, const ProtobufCMessage *message, struct err *err)
{
    struct answer *answer = context;

    return session_json(answer->method, message, &answer->json, err);
}

int session_call(const struct session *session, const struct method *method, struct slice request,
                 struct slice *ret_response, struct err *err)
{
    struct answer answer = {.method = method};

    if (method->server_streaming)
        return err_setf(err, ERR_METHOD_UNKNOWN, "%s answers with a stream.", method->name);
    buf_init_arena(&answer.json, session->arena, JSON_MAX);
    if (session_stream(session, method, request, answer_take, &answer, err) < 0)
        return -1;
    *ret_response = (struct slice){answer.json.data, answer.json.length};
    return 0;
}
