/* export.c: head, rows, trailer.
 *
 * A stream may keep no transaction open while its caller reads, and an organisation goes on changing meanwhile. So the
 * export is of one sequence of the organisation's change log: each page is read in a transaction of its own, and has
 * the rows as they were at that sequence (core.export_page()). That makes the parts of all services one point in time,
 * and the same export, asked for again, the same bytes. What is in memory is one page. */
#include "export.h"

#include <stdio.h>
#include <string.h>

#include <isms/base/crypto.h>
#include <isms/type/v1/export.pb-c.h>
#include <isms/type/v1/internal.pb-c.h>

enum { FORM_VERSION = 1, KEY_SIZE = 1024 };

struct export {
    struct call *call;
    struct rpc_stream *stream;
    int64_t sequence;
    int64_t row_count;
    struct sha256_sum *sum;
};

static int part_send(const struct export *export, Isms__Type__V1__ExportPart__PartCase kind, void *message,
                     struct err *err)
{
    Isms__Type__V1__ExportPart part = ISMS__TYPE__V1__EXPORT_PART__INIT;
    part.part_case = kind;
    part.head = message; /* a union: whichever it is */
    return stream_send(export->stream, &part.base, err);
}

/* The beginning is written down before anything is sent. */
static int head_send(struct export *export, const ProtobufCMessage *request, Isms__Type__V1__ExportHead *head,
                     struct err *err)
{
    if (call_begin_write(export->call, err) < 0 ||
        call_statement(export->call, "BeginExport", request, &head->base, err) < 0 ||
        call_commit(export->call, NULL, err) < 0)
        return -1;
    head->version = FORM_VERSION;
    export->sequence = head->sequence;
    return part_send(export, ISMS__TYPE__V1__EXPORT_PART__PART_HEAD, head, err);
}

static void row_add(struct export *export, const char *table, const char *content)
{
    static const char *const pieces[] = {"{\"table\":\"", NULL, "\",\"row\":", NULL, "}\n"};
    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
        const char *piece = i == 1 ? table : i == 3 ? content : pieces[i];
        sha256_sum_add(export->sum, piece, strlen(piece));
    }
    export->row_count++;
}

/* The page after the row with that key, which moves on; "" again at the table's end. */
static int page_send(struct export *export, char *table, char key[static KEY_SIZE], struct err *err)
{
    Isms__Type__V1__ExportPageRequest request = ISMS__TYPE__V1__EXPORT_PAGE_REQUEST__INIT;
    Isms__Type__V1__ExportPage page = ISMS__TYPE__V1__EXPORT_PAGE__INIT;
    Isms__Type__V1__ExportRows rows = ISMS__TYPE__V1__EXPORT_ROWS__INIT;
    request.table = table;
    request.sequence = export->sequence;
    request.after = key;
    if (call_begin_read(export->call, err) < 0 ||
        call_statement(export->call, "ReadExport", &request.base, &page.base, err) < 0)
        return -1;
    call_end(export->call);
    if (page.n_rows == 0) {
        key[0] = '\0';
        return 0;
    }
    if (snprintf(key, KEY_SIZE, "%s", page.rows[page.n_rows - 1]->key) >= KEY_SIZE)
        return err_setf(err, ERR_INTERNAL, "a key of %s is longer than an export expects", table);
    rows.table = table;
    rows.rows = ARENA_ARRAY(call_arena(export->call), page.n_rows, char *);
    if (!rows.rows)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    for (size_t i = 0; i < page.n_rows; i++)
        if (page.rows[i]->content[0]) { /* was there at the sequence */
            rows.rows[rows.n_rows++] = page.rows[i]->content;
            row_add(export, table, page.rows[i]->content);
        }
    return rows.n_rows == 0 ? 0 : part_send(export, ISMS__TYPE__V1__EXPORT_PART__PART_ROWS, &rows, err);
}

static int table_send(struct export *export, char *table, struct err *err)
{
    char key[KEY_SIZE] = "";
    struct arena_mark mark = arena_mark(call_arena(export->call));
    do {
        if (page_send(export, table, key, err) < 0)
            return -1;
        arena_rewind(call_arena(export->call), &mark);
    } while (key[0]);
    return 0;
}

int export_run(struct call *call, const ProtobufCMessage *request, struct rpc_stream *stream, struct err *err)
{
    struct sha256_sum *sum CLEANUP(sha256_sum_freep) = sha256_sum_new();
    struct export export = {.call = call, .stream = stream, .sum = sum};
    Isms__Type__V1__ExportHead head = ISMS__TYPE__V1__EXPORT_HEAD__INIT;
    Isms__Type__V1__ExportTrailer trailer = ISMS__TYPE__V1__EXPORT_TRAILER__INIT;
    char hex[SHA256_HEX_SIZE];
    if (!sum)
        return err_set(err, ERR_OVERLOADED);
    if (head_send(&export, request, &head, err) < 0)
        return -1;
    for (size_t i = 0; i < head.n_tables; i++)
        if (table_send(&export, head.tables[i], err) < 0)
            return -1;
    struct sha256 hash = sha256_sum_value(sum);
    hex_encode(&hash, sizeof(hash), hex);
    trailer.row_count = export.row_count;
    trailer.sha256 = hex;
    call_log(call, "rows", "%lld", (long long)export.row_count);
    return part_send(&export, ISMS__TYPE__V1__EXPORT_PART__PART_TRAILER, &trailer, err);
}
