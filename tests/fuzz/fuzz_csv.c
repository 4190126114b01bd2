/* fuzz_csv.c: the CSV reader beside libcsv fed with the same bytes in pieces of another size: the same rows, wherever
 * the pieces are cut. Rows written with every cell in quotes are read as the same rows. */
#include <stdlib.h>
#include <string.h>

#include <csv.h>

#include <isms/base/buf.h>

#include "csv_reader.h"
#include "fuzz.h"

enum { TEXT_MAX = 64 << 20 };

static void quoted_append(struct buf *to, const char *text, size_t length)
{
    buf_char(to, '"');
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"')
            buf_char(to, '"');
        buf_char(to, text[i]);
    }
    buf_char(to, '"');
}

static int row_write(void *context, const struct table_row *row)
{
    struct buf *to = context;
    for (int i = 0; i < row->count; i++) {
        BUG_IF(strlen(row->cells[i].data) != row->cells[i].length || row->cells[i].length > TABLE_CELL_MAX);
        quoted_append(to, row->cells[i].data, row->cells[i].length);
        buf_char(to, i + 1 < row->count ? ',' : '\n');
    }
    return 0;
}

/* libcsv's own way of telling: every cell, then the row's end. */
static void cell_write(void *data, size_t length, void *context)
{
    quoted_append(context, data, length);
    buf_char(context, ',');
}

static void end_write(int terminator UNUSED, void *context)
{
    struct buf *to = context;
    to->data[to->length - 1] = '\n';
}

static void *no_copy(void *memory, size_t size)
{
    return realloc(memory, size);
}

static void libcsv_write(const uint8_t *data, size_t length, size_t piece, struct buf *to)
{
    struct csv_parser parser;
    csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI);
    csv_set_realloc_func(&parser, no_copy);
    while (length > 0) {
        size_t size = length < piece ? length : piece;
        BUG_IF(csv_parse(&parser, data, size, cell_write, end_write, to) != size);
        data += size;
        length -= size;
    }
    BUG_IF(csv_fini(&parser, cell_write, end_write, to) != 0);
    csv_free(&parser);
}

static void same(const struct buf *a, const struct buf *b)
{
    BUG_IF(a->failed || b->failed || a->length != b->length || memcmp(a->data, b->data, a->length) != 0);
}

static int csv_read(const char *data, size_t length, size_t piece, struct buf *to, struct table_fault *fault)
{
    struct csv_reader *reader = csv_reader_new(NULL, row_write, to);
    int result = 0;
    for (size_t start = 0; result == 0 && start < length; start += piece)
        result = csv_reader_feed(reader, data + start, length - start < piece ? length - start : piece, fault);
    if (result == 0)
        result = csv_reader_end(reader, fault);
    csv_reader_free(reader);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t piece = 1 + data[0];
    struct buf rows CLEANUP(buf_release), others CLEANUP(buf_release);
    struct table_fault fault = {.message = "no fault"};
    buf_init(&rows, TEXT_MAX);
    buf_init(&others, TEXT_MAX);
    if (csv_read((const char *)data + 1, size - 1, piece, &rows, &fault) < 0) {
        BUG_IF(fault.message[0] == '\0' || strcmp(fault.message, "no fault") == 0 || fault.line < 1);
        return 0;
    }
    size_t mark = size > 3 && memcmp(data + 1, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    libcsv_write(data + 1 + mark, size - 1 - mark, piece, &others);
    same(&rows, &others);
    buf_clear(&others);
    BUG_IF(csv_read(rows.data, rows.length, rows.length + 1, &others, &fault) < 0);
    same(&rows, &others);
    return 0;
}
