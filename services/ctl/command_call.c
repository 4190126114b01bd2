/* command_call.c: `ismsctl call METHOD [JSON|@FILE|-]`. */

#include <string.h>

#include "ctl.h"

enum { REQUEST_MAX = 64 << 20 };

int command_call(const struct session *session, struct err *err)
{
    const struct options *options = session->options;
    const char *text = options->argument_count > 2 ? options->arguments[2] : "{}";
    const struct method *method;
    struct slice request = slice_of(text);
    struct slice response;

    if (strcmp(text, "-") == 0 && file_read("-", REQUEST_MAX, session->arena, &request, err) < 0)
        return -1;
    if (text[0] == '@' && file_read(text + 1, REQUEST_MAX, session->arena, &request, err) < 0)
        return -1;
    if (session_method(session, options->arguments[1], &method, err) < 0 ||
        session_call(session, method, request, &response, err) < 0)
        return -1;
    return output_print(response, options->json, err);
}
