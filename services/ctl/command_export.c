/* command_export.c: `ismsctl org export FILE`: everything an organisation stored, out of all services, in one file of
 * JSON lines, and the bytes of its evidence files in a folder beside it (docs/export.md).
 *
 * The part of reviews comes first, and says which point in the organisation's history the others are asked for. What
 * was sent is counted and hashed again here. The file has its name only when all of it is whole. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include <isms/base/bug.h>
#include <isms/base/clock.h>
#include <isms/base/crypto.h>
#include <isms/type/v1/export.pb-c.h>

#include "ctl.h"
#include "export_files.h"

struct export {
    FILE *file;
    const char *partial; /* the file's name until it is whole */
    struct sha256_sum *sum; /* of the file */
    struct export_files files;
    const char *folder; /* theirs, seen from where the file is */
    int64_t sequence;
    int64_t row_count;
};

/* One service's part on its way in. */
struct part {
    struct export *export;
    char service[32];
    struct sha256_sum *sum;
    int64_t row_count;
    bool has_begun;
    bool has_ended;
};

static const char *const methods[] = {"ExportOrganisation", "ExportInputs", "ExportActions"};

static int cut_off(struct err *err)
{
    return err_setf(err, ERR_DATA_CORRUPT, "What came is not what was sent: the export is not whole.");
}

static int bytes_write(struct export *export, const char *bytes, size_t length, struct err *err)
{
    sha256_sum_add(export->sum, bytes, length);
    if (fwrite(bytes, 1, length, export->file) != length)
        return err_setf(err, ERR_FIELD_INVALID, "%s: %s", export->partial, strerror(errno));
    return 0;
}

/* Takes the object over. */
static int line_write(struct export *export, json_t *line, struct err *err)
{
    CLEANUP(json_decrefp) json_t *owned = line;
    char text[4096];
    size_t length = json_dumpb(owned, text, sizeof text - 1, JSON_COMPACT);

    if (length == 0 || length >= sizeof text)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    text[length++] = '\n';
    return bytes_write(export, text, length, err);
}

static int head_take(struct part *part, const Isms__Type__V1__ExportHead *head, struct err *err)
{
    char time[CLOCK_TEXT_SIZE] = "";
    json_t *tables = json_array();

    if (part->has_begun || (part->export->sequence != 0 && head->sequence != part->export->sequence)) {
        json_decref(tables);
        return cut_off(err);
    }
    part->has_begun = true;
    snprintf(part->service, sizeof part->service, "%s", head->service);
    part->export->sequence = head->sequence;
    if (head->export_time)
        clock_format(head->export_time->seconds * 1000000 + head->export_time->nanos / 1000, time);
    for (size_t i = 0; i < head->n_tables; i++)
        json_array_append_new(tables, json_string(head->tables[i]));
    return line_write(part->export,
                      json_pack("{s:{s:i, s:s, s:s, s:I, s:s, s:o}}", "export", "version", head->version, "service",
                                head->service, "organisation_id", head->organisation_id, "sequence",
                                (json_int_t)head->sequence, "export_time", time, "tables", tables), err);
}

static int rows_take(struct part *part, const Isms__Type__V1__ExportRows *rows, struct err *err)
{
    for (size_t i = 0; i < rows->n_rows; i++) {
        const char *pieces[] = {"{\"table\":\"", rows->table, "\",\"row\":", rows->rows[i], "}\n"};
        for (size_t piece = 0; piece < ARRAY_SIZE(pieces); piece++) {
            size_t length = strlen(pieces[piece]);
            sha256_sum_add(part->sum, pieces[piece], length);
            if (bytes_write(part->export, pieces[piece], length, err) < 0)
                return -1;
        }
        if (strcmp(rows->table, "inputs.evidence_file") == 0 &&
            export_files_note(&part->export->files, rows->rows[i], err) < 0)
            return -1;
    }
    part->row_count += (int64_t)rows->n_rows;
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%" PRId64 " rows", part->export->row_count + part->row_count);
    return 0;
}

static int trailer_take(struct part *part, const Isms__Type__V1__ExportTrailer *trailer, struct err *err)
{
    char hex[SHA256_HEX_SIZE];
    struct sha256 hash = sha256_sum_value(part->sum);

    hex_encode(&hash, sizeof hash, hex);
    if (trailer->row_count != part->row_count || strcmp(trailer->sha256, hex) != 0)
        return cut_off(err);
    part->has_ended = true;
    part->export->row_count += part->row_count;
    return line_write(part->export, json_pack("{s:{s:s, s:I, s:s}}", "end", "service", part->service, "row_count",
                                              (json_int_t)trailer->row_count, "sha256", hex), err);
}

static int part_take(void *context, const ProtobufCMessage *message, struct err *err)
{
    const Isms__Type__V1__ExportPart *got = (const void *)message;
    struct part *part = context;

    if (got->part_case == ISMS__TYPE__V1__EXPORT_PART__PART_HEAD)
        return head_take(part, got->head, err);
    if (!part->has_begun || part->has_ended)
        return cut_off(err);
    switch (got->part_case) {
    case ISMS__TYPE__V1__EXPORT_PART__PART_ROWS: return rows_take(part, got->rows, err);
    case ISMS__TYPE__V1__EXPORT_PART__PART_TRAILER: return trailer_take(part, got->trailer, err);
    default: return cut_off(err);
    }
}

static int part_export(const struct session *session, struct export *export, const char *name, struct err *err)
{
    CLEANUP(sha256_sum_freep) struct sha256_sum *sum = sha256_sum_new();
    struct part part = {.export = export, .sum = sum};
    char *request = arena_printf(session->arena, "{\"at_sequence\": \"%" PRId64 "\"}", export->sequence);
    const struct method *method;

    if (!sum || !request)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    if (session_method(session, name, &method, err) < 0 ||
        session_stream(session, method, slice_of(request), part_take, &part, err) < 0)
        return -1;
    return part.has_ended ? 0 : cut_off(err);
}

/* An export_files_tell. */
static int file_tell(void *context, const char *id, int64_t size, const char *hash, struct err *err)
{
    struct export *export = context;

    if (!hash) {
        fprintf(stderr, "The evidence file %s was deleted meanwhile.\n", id);
        return line_write(export, json_pack("{s:{s:s}}", "gone", "id", id), err);
    }
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", export->folder, id);
    return line_write(export, json_pack("{s:{s:s, s:s, s:I, s:s}}", "file", "id", id, "path", path, "size",
                                        (json_int_t)size, "sha256", hash), err);
}

/* The last line is over all lines before it: `head -n -1 FILE | sha256sum`. */
static int end_write(struct export *export, struct err *err)
{
    char hex[SHA256_HEX_SIZE];
    struct sha256 hash = sha256_sum_value(export->sum);

    hex_encode(&hash, sizeof hash, hex);
    return line_write(export, json_pack("{s:{s:I, s:I, s:I, s:I, s:s}}", "complete", "sequence",
                                        (json_int_t)export->sequence, "row_count", (json_int_t)export->row_count,
                                        "file_count", (json_int_t)export->files.count, "gone_count",
                                        (json_int_t)export->files.gone, "sha256", hex), err);
}

static int file_finish(struct export *export, const char *path, struct err *err)
{
    bool written = fflush(export->file) == 0 && fsync(fileno(export->file)) == 0;
    if (!written || rename(export->partial, path) < 0)
        return err_setf(err, ERR_FIELD_INVALID, "%s: %s", export->partial, strerror(errno));
    return 0;
}

/* Into the file that is open, and the folder beside it. */
static int export_write(const struct session *session, struct export *export, const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    const char *folder = arena_printf(session->arena, "%s.evidence", path);

    if (export_files_init(&export->files, session, folder, err) < 0)
        return -1;
    export->folder = folder + (slash ? slash + 1 - path : 0);
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
        if (part_export(session, export, methods[i], err) < 0)
            return -1;
    if (export_files_fetch(&export->files, file_tell, export, err) < 0 || end_write(export, err) < 0 ||
        file_finish(export, path, err) < 0)
        return -1;
    export_files_keep(&export->files);
    return 0;
}

int command_export(const struct session *session, struct err *err)
{
    CLEANUP(sha256_sum_freep) struct sha256_sum *sum = sha256_sum_new();
    const char *path = session->options->argument_count == 3 ? session->options->arguments[2] : NULL;
    struct export export = {.sum = sum};

    if (!path)
        return err_setf(err, ERR_FIELD_INVALID, "org export takes the file to write.");
    export.partial = arena_printf(session->arena, "%s.partial", path);
    int file = sum && export.partial ? open(export.partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    if (file < 0)
        return err_setf(err, ERR_FIELD_INVALID, "%s.partial: %s", path, strerror(errno));
    export.file = fdopen(file, "w");
    if (!export.file) {
        close(file);
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    }
    int result = export_write(session, &export, path, err);
    fclose(export.file);
    if (result < 0)
        unlink(export.partial);
    export_files_release(&export.files);
    if (isatty(STDERR_FILENO))
        fputc('\n', stderr);
    if (result == 0)
        fprintf(stderr, "%" PRId64 " rows and %" PRId64 " evidence files (%" PRId64 " bytes) of the organisation at "
                "sequence %" PRId64 " in %s\n", export.row_count, export.files.count, export.files.bytes,
                export.sequence, path);
    return result;
}
