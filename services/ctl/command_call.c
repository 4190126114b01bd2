/* command_call.c: `ismsctl call METHOD [JSON|@FILE|-]`. What a stream answers is printed as it comes. */

#include <string.h>

#include "ctl.h"

enum { REQUEST_MAX = 64 << 20, MESSAGE_MAX = 256 << 20 };

struct printer {
    const struct method *method;
    bool json;
};

static int message_print(void *context, const ProtobufCMessage *message, struct err *err)
{
    const struct printer *printer = context;
    CLEANUP(buf_release) struct buf json;

    buf_init(&json, MESSAGE_MAX);
    if (session_json(printer->method, message, &json, err) < 0)
        return -1;
    return output_print((struct slice){json.data, json.length}, printer->json, err);
}

int command_call(const struct session *session, struct err *err)
{
    const struct options *options = session->options;
    const char *text = options->argument_count > 2 ? options->arguments[2] : "{}";
    const struct method *method;
    struct slice request = slice_of(text);

    if (strcmp(text, "-") == 0 && file_read("-", REQUEST_MAX, session->arena, &request, err) < 0)
        return -1;
    if (text[0] == '@' && file_read(text + 1, REQUEST_MAX, session->arena, &request, err) < 0)
        return -1;
    if (session_method(session, options->arguments[1], &method, err) < 0)
        return -1;
    struct printer printer = {.method = method, .json = options->json};
    return session_stream(session, method, request, message_print, &printer, err);
}
