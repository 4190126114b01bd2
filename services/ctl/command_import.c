/* command_import.c: `ismsctl import FILE`: an import session of plain calls, with progress until it is through.
 *
 * The file goes up in chunks at the offset that the service has reached. An upload that was interrupted goes on
 * there with --resume ID; a chunk that arrives twice is stored once. */

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include <isms/base/buf.h>
#include <isms/base/crypto.h>

#include "ctl.h"
#include "table.h"

enum { FILE_MAX = 64 << 20, CHUNK_SIZE = 512 << 10, FIRST_PAUSE_MS = 50, LONGEST_PAUSE_MS = 1000 };

/* Calls `name` with the request, which it takes over; the response as JSON. */
static int import_call(const struct session *session, const char *name, json_t *request, json_t **ret_response,
                       struct slice *ret_text, struct err *err)
{
    CLEANUP(json_decrefp) json_t *owned = request;
    const struct method *method;
    struct slice response;
    size_t length = json_dumpb(owned, NULL, 0, 0);
    char *text = arena_alloc(session->arena, length + 1);

    if (!text)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    json_dumpb(owned, text, length, 0);
    if (session_method(session, name, &method, err) < 0 ||
        session_call(session, method, (struct slice){text, length}, &response, err) < 0)
        return -1;
    *ret_response = json_loadb(response.data, response.length, 0, NULL);
    if (ret_text)
        *ret_text = response;
    return 0;
}

static json_t *columns_mapped(const struct options *options)
{
    json_t *columns = json_array();

    for (unsigned i = 0; i < options->mapping_count; i++) {
        const char *field = strrchr(options->mappings[i], '=');
        json_array_append_new(columns, json_pack("{s:s%, s:s}", "column", options->mappings[i],
                                                 (size_t)(field - options->mappings[i]), "field", field + 1));
    }
    return columns;
}

/* The next cell of a CSV file's first line, without blanks and quotes around it; *line moves on. No field's path
 * has a comma. */
static struct slice header_cell(struct slice *line)
{
    const char *comma = memchr(line->data, ',', line->length);
    struct slice cell = {line->data, comma ? (size_t)(comma - line->data) : line->length};
    size_t passed = cell.length + (comma != NULL);

    *line = (struct slice){line->data + passed, line->length - passed};
    while (cell.length > 0 && strchr(" \"", cell.data[0]))
        cell = (struct slice){cell.data + 1, cell.length - 1};
    while (cell.length > 0 && strchr(" \"", cell.data[cell.length - 1]))
        cell.length--;
    return cell;
}

/* What the import itself says, once for all rows, or the service. */
static bool is_taken(const struct options *options, const struct table_column *column)
{
    return !column->is_given || strcmp(column->path, "source") == 0 || strcmp(column->path, "etag") == 0 ||
           (options->metric && strcmp(column->path, "metric_id") == 0);
}

/* Each column of the file as the field of its name, as `ismsctl export` writes them. */
static int columns_named(const struct session *session, struct slice file, json_t *columns, struct err *err)
{
    static const char mark[] = "\xEF\xBB\xBF";
    const struct options *options = session->options;
    struct table table;

    if (options->kind && !options->source)
        return err_setf(err, ERR_FIELD_INVALID, "Without --map, say with --source NAME where the file's external ids "
                        "are from: it knows by them what is there already.");
    if (table_init(&table, session->descriptors, options->kind ? kind_of(options, session->arena) : NULL,
                   session->arena, err) < 0)
        return -1;
    if (file.length >= strlen(mark) && memcmp(file.data, mark, strlen(mark)) == 0)
        file = (struct slice){file.data + strlen(mark), file.length - strlen(mark)};
    struct slice line = {file.data, 0};
    while (line.length < file.length && !strchr("\r\n", file.data[line.length]))
        line.length++;
    while (line.length > 0) {
        struct slice name = header_cell(&line);
        const struct table_column *column = table_column_find(&table, name);
        if (!column)
            return err_setf(err, ERR_FIELD_INVALID, "The column '%.*s' is named after no field: say where each column "
                            "goes, with --map 'COLUMN=FIELD'.", (int)(name.length < 100 ? name.length : 100),
                            name.data);
        if (!is_taken(options, column))
            json_array_append_new(columns, json_pack("{s:s, s:s}", "column", column->path, "field", column->path));
    }
    return 0;
}

/* A workbook's header is not looked for here, nor that of a table further down. */
static bool is_named(const struct options *options, struct slice file)
{
    bool is_workbook = file.length > 1 && memcmp(file.data, "PK", 2) == 0;
    return options->mapping_count == 0 && !options->profile && (options->kind || options->metric) &&
           !options->header_row && !is_workbook;
}

/* Numbers may be texts in proto JSON. */
static void member_set(json_t *object, const char *name, const char *value)
{
    if (value)
        json_object_set_new(object, name, json_string(value));
}

static int import_create(const struct session *session, const char *path, struct slice file, json_t **ret_import,
                         struct err *err)
{
    const struct options *options = session->options;
    const char *slash = strrchr(path, '/');
    const char *file_name = slash ? slash + 1 : path;
    json_t *columns = columns_mapped(options);

    if (is_named(options, file) && columns_named(session, file, columns, err) < 0) {
        json_decref(columns);
        return -1;
    }
    json_t *request = json_pack("{s:s, s:o, s:b, s:{}}", "file_name", file_name, "columns", columns, "dry_run",
                                options->dry_run, "table");
    if (options->source || !options->profile)
        json_object_set_new(request, "source", json_string(options->source ? options->source : file_name));
    if (options->kind)
        json_object_set_new(request, "kind", json_string(kind_of(options, session->arena)));
    member_set(request, "metric_id", options->metric);
    member_set(request, "profile_id", options->profile);
    member_set(json_object_get(request, "table"), "sheet", options->sheet);
    member_set(json_object_get(request, "table"), "header_row", options->header_row);
    member_set(json_object_get(request, "table"), "last_row", options->last_row);
    if (json_object_size(json_object_get(request, "table")) == 0)
        json_object_del(request, "table");
    return import_call(session, "CreateImport", request, ret_import, NULL, err);
}

static long long received_of(const json_t *import)
{
    const json_t *value = json_object_get(import, "received_bytes"); /* int64: a text in JSON */
    return json_is_string(value) ? strtoll(json_string_value(value), NULL, 10) : 0;
}

static int import_upload(const struct session *session, json_t **import, struct slice file, struct err *err)
{
    const char *id = json_string_value(json_object_get(*import, "id"));
    size_t offset = (size_t)received_of(*import);

    while (offset < file.length) {
        struct arena_mark mark = arena_mark(session->arena);
        size_t size = file.length - offset < CHUNK_SIZE ? file.length - offset : CHUNK_SIZE;
        struct buf data;
        json_t *answer;

        buf_init_arena(&data, session->arena, 2 * CHUNK_SIZE);
        base64url_encode(&data, file.data + offset, size);
        if (import_call(session, "UploadImport",
                        json_pack("{s:s, s:I, s:s}", "id", id, "offset", (json_int_t)offset, "data", data.data),
                        &answer, NULL, err) < 0) {
            fprintf(stderr, "%s\nGo on with: --resume %s\n", isatty(STDERR_FILENO) ? "" : "Interrupted.", id);
            return -1;
        }
        json_decref(answer);
        arena_rewind(session->arena, &mark);
        offset += size;
        if (isatty(STDERR_FILENO))
            fprintf(stderr, "\ruploaded %3zu %%%s", offset * 100 / file.length, offset == file.length ? "\n" : "");
    }
    return 0;
}

static long long number_of(const json_t *import, const char *name)
{
    return (long long)json_integer_value(json_object_get(import, name));
}

static bool has_state(const json_t *import, const char *state)
{
    const char *text = json_string_value(json_object_get(import, "state"));
    return text && strcmp(text, state) == 0;
}

static void progress_print(const json_t *import)
{
    const char *phase = json_string_value(json_object_get(import, "phase"));
    if (!isatty(STDERR_FILENO) || !phase)
        return;
    if (strcmp(phase, "IMPORT_PHASE_READING") == 0)
        fprintf(stderr, "\rread %lld   ", number_of(import, "rows_total"));
    else if (strcmp(phase, "IMPORT_PHASE_CHECKING") == 0)
        fprintf(stderr, "\rchecked %lld of %lld   ", number_of(import, "rows_checked"),
                number_of(import, "rows_total"));
    else
        fprintf(stderr, "\rstored %lld of %lld   ", number_of(import, "rows_stored"), number_of(import, "rows_total"));
}

/* Looks until the import is no longer under way. Interrupting this ends the looking only. */
static int import_wait(const struct session *session, json_t **import, struct slice *text, struct err *err)
{
    char *id = arena_strdup(session->arena, json_string_value(json_object_get(*import, "id")));
    bool shown = false;
    for (int pause_ms = FIRST_PAUSE_MS; id && has_state(*import, "IMPORT_STATE_RUNNING");) {
        const struct timespec pause = {.tv_nsec = pause_ms % 1000 * 1000000L, .tv_sec = pause_ms / 1000};
        nanosleep(&pause, NULL);
        pause_ms = 2 * pause_ms < LONGEST_PAUSE_MS ? 2 * pause_ms : LONGEST_PAUSE_MS;
        json_decref(*import);
        *import = NULL;
        if (import_call(session, "GetImport", json_pack("{s:s}", "id", id), import, text, err) < 0)
            return -1;
        progress_print(*import);
        shown = true;
    }
    if (shown && isatty(STDERR_FILENO))
        fputc('\n', stderr);
    return 0;
}

/* Errors by row and column, as a person corrects them. */
static int outcome_print(const struct session *session, const json_t *import, struct slice text, struct err *err)
{
    const json_t *errors = json_object_get(import, "errors");
    const char *state = json_string_value(json_object_get(import, "state"));
    size_t index;
    json_t *error;

    if (session->options->json && output_print(text, true, err) < 0)
        return -1;
    if (!session->options->json)
        json_array_foreach(errors, index, error)
            fprintf(stderr, "line %lld, %s: %s\n", (long long)json_integer_value(json_object_get(error, "line")),
                    json_object_get(error, "column") ? json_string_value(json_object_get(error, "column")) : "row",
                    json_string_value(json_object_get(error, "message")));
    if (state && strcmp(state, "IMPORT_STATE_PARTLY_DONE") == 0)
        return err_setf(err, ERR_IMPORT_INVALID, "%lld errors; %lld of %lld rows were stored.",
                        number_of(import, "error_count"),
                        number_of(import, "created") + number_of(import, "updated") + number_of(import, "unchanged"),
                        number_of(import, "rows_total"));
    if (state && strcmp(state, "IMPORT_STATE_FAILED") == 0)
        return err_setf(err, ERR_IMPORT_INVALID, "The import failed; %lld of %lld rows were stored.",
                        number_of(import, "rows_stored"), number_of(import, "rows_total"));
    if (state && strcmp(state, "IMPORT_STATE_CANCELLED") == 0)
        return err_setf(err, ERR_WRONG_STATE, "The import was cancelled.");
    if (state && strcmp(state, "IMPORT_STATE_REFUSED") == 0)
        return err_setf(err, ERR_IMPORT_INVALID, "%lld errors; nothing was stored.",
                        number_of(import, "error_count"));
    if (!session->options->json)
        printf("%s: %lld rows, %lld created, %lld updated, %lld unchanged\n",
               session->options->dry_run ? "would import" : "imported",
               number_of(import, "rows"),
               number_of(import, "created"),
               number_of(import, "updated"),
               number_of(import, "unchanged"));
    return 0;
}

int command_import(const struct session *session, struct err *err)
{
    CLEANUP(json_decrefp) json_t *import = NULL;
    CLEANUP(json_decrefp) json_t *outcome = NULL;
    const char *path = session->options->arguments[1];
    char sha256[SHA256_HEX_SIZE];
    struct slice file, text;

    if (file_read(path, FILE_MAX, session->arena, &file, err) < 0)
        return -1;
    const char *resume = session->options->resume;
    int result = resume ? import_call(session, "GetImport", json_pack("{s:s}", "id", resume), &import, NULL, err)
                        : import_create(session, path, file, &import, err);
    if (result < 0 || import_upload(session, &import, file, err) < 0)
        return -1;
    struct sha256 hash = sha256_of(file.data, file.length);
    hex_encode(hash.bytes, sizeof hash.bytes, sha256);
    if (import_call(session, "RunImport",
                    json_pack("{s:s, s:s}", "id", json_string_value(json_object_get(import, "id")), "sha256", sha256),
                    &outcome, &text, err) < 0 ||
        import_wait(session, &outcome, &text, err) < 0)
        return -1;
    return outcome_print(session, outcome, text, err);
}
