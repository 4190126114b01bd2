/* command_table.c: `ismsctl export --kind KIND` and `--metric ID`: inputs or measurements as CSV, on stdout, with the
 * columns that `ismsctl import` reads back by their names (docs/import.md).
 *
 * The rows are those of ListInputs and ListMeasurements, page by page and in their order: memory is a page's, however
 * many there are. A failure on the way is told on stderr and by the exit status. */

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include <isms/inputs/v1/inputs.pb-c.h>
#include <isms/inputs/v1/measurements.pb-c.h>

#include "ctl.h"
#include "table.h"

enum { PAGE_SIZE = 100, PAGE_MAX = 256 << 20, TOKEN_SIZE = 1001 };

struct table_export {
    struct table table;
    struct buf csv; /* of a page */
    bool has_kind;
    char token[TOKEN_SIZE]; /* of the next page; "": there is none */
};

static void export_release(struct table_export *export)
{
    buf_release(&export->csv);
}

static int token_take(struct table_export *export, const char *token, struct err *err)
{
    if (snprintf(export->token, sizeof(export->token), "%s", token) >= (int)sizeof(export->token))
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    return 0;
}

/* An import knows an input by its external id; what has none is known by its number. */
static int inputs_take(struct table_export *export, const Isms__Inputs__V1__ListInputsResponse *page, struct err *err)
{
    for (size_t i = 0; i < page->n_inputs; i++) {
        Isms__Inputs__V1__Input *input = page->inputs[i];
        if (!*input->external_id)
            input->external_id = input->number;
        if (table_line(&export->table, &input->base, &export->csv, err) < 0)
            return -1;
    }
    return token_take(export, page->next_page_token, err);
}

/* A correction takes over the recorded time of what it corrects, and would be refused with one of its own. */
static int measurements_take(struct table_export *export, const Isms__Inputs__V1__ListMeasurementsResponse *page,
                             struct err *err)
{
    for (size_t i = 0; i < page->n_measurements; i++) {
        Isms__Inputs__V1__Measurement *measurement = page->measurements[i];
        if (*measurement->corrects_id)
            measurement->recorded_time = NULL;
        if (table_line(&export->table, &measurement->base, &export->csv, err) < 0)
            return -1;
    }
    return token_take(export, page->next_page_token, err);
}

static int page_take(void *context, const ProtobufCMessage *message, struct err *err)
{
    struct table_export *export = context;
    int result = export->has_kind ? inputs_take(export, (const void *)message, err)
                                  : measurements_take(export, (const void *)message, err);
    if (result == 0 && export->csv.failed)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    return result;
}

static json_t *page_request(const struct session *session, const struct table_export *export)
{
    const struct options *options = session->options;
    json_t *request = json_pack("{s:i, s:s}", "page_size", PAGE_SIZE, "page_token", export->token);
    if (!export->has_kind) {
        json_object_set_new(request, "metric_id", json_string(options->metric));
        return request;
    }
    json_t *filter = json_pack("{s:[s]}", "kinds", kind_of(options, session->arena));
    if (options->source)
        json_object_set_new(filter, "sources", json_pack("[s]", options->source));
    json_object_set_new(request, "filter", filter);
    return request;
}

static int page_export(const struct session *session, struct table_export *export, struct err *err)
{
    CLEANUP(json_decrefp) json_t *request = page_request(session, export);
    size_t length = json_dumpb(request, NULL, 0, 0);
    char *text = arena_alloc(session->arena, length + 1);
    const struct method *method;

    if (!text)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    json_dumpb(request, text, length, 0);
    if (session_method(session, export->has_kind ? "ListInputs" : "ListMeasurements", &method, err) < 0 ||
        session_stream(session, method, (struct slice){text, length}, page_take, export, err) < 0)
        return -1;
    if (fwrite(export->csv.data, 1, export->csv.length, stdout) != export->csv.length)
        return err_setf(err, ERR_FIELD_INVALID, "The table could not be written: it is not whole.");
    return 0;
}

int command_table(const struct session *session, struct err *err)
{
    CLEANUP(export_release) struct table_export export = {.has_kind = session->options->kind};
    const char *kind = export.has_kind ? kind_of(session->options, session->arena) : NULL;

    if (export.has_kind == (session->options->metric != NULL))
        return err_setf(err, ERR_FIELD_INVALID, "export takes either --kind KIND or --metric ID.");
    buf_init(&export.csv, PAGE_MAX);
    if (table_init(&export.table, session->descriptors, kind, session->arena, err) < 0)
        return -1;
    table_header(&export.table, &export.csv);
    do {
        struct arena_mark mark = arena_mark(session->arena);
        if (page_export(session, &export, err) < 0)
            return -1;
        arena_rewind(session->arena, &mark);
        buf_clear(&export.csv);
    } while (export.token[0]);
    return 0;
}
