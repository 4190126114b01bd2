/* csv_reader.c: libcsv in strict mode, fed line by line, so that the line of every row is known. */
#include "csv_reader.h"

#include <csv.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <isms/base/buf.h>
#include <isms/base/utf8.h>

static const char mark[] = "\xEF\xBB\xBF";

struct csv_reader {
    table_row_fn *on_row;
    void *context;
    struct table_place place;
    struct csv_parser parser;
    unsigned mark_bytes; /* of the byte order mark, seen so far; 3: it is there or not, that is settled */
    int line;            /* being fed, or the last one */
    bool in_line;        /* it has begun and not ended */
    bool after_return;   /* it ended with CR: LF still belongs to it */
    int row_line;        /* where the row under way begins; 0: none is */
    int number;
    int columns; /* of the header; -1: not read yet */
    bool stopped;
    bool done;
    struct table_fault fault;
    struct buf text; /* the row's cells, each with a NUL */
    int count;
    size_t ends[TABLE_COLUMNS_MAX];
    struct slice cells[TABLE_COLUMNS_MAX];
};

static void PRINTF_LIKE(3, 4) fault_set(struct csv_reader *reader, int column, const char *format, ...)
{
    if (reader->stopped)
        return;
    reader->stopped = true;
    reader->fault = (struct table_fault){.line = reader->row_line ? reader->row_line : reader->line,
                                         .row = reader->number,
                                         .column = column};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reader->fault.message, sizeof(reader->fault.message), format, arguments);
    va_end(arguments);
}

static void on_cell(void *data, size_t length, void *context)
{
    struct csv_reader *reader = context;
    if (reader->stopped || reader->done)
        return;
    if (reader->count == TABLE_COLUMNS_MAX)
        fault_set(reader, -1, "has more than %d cells", TABLE_COLUMNS_MAX);
    else if (memchr(data, '\0', length))
        fault_set(reader, reader->count, "holds a NUL byte");
    else if (!utf8_is_valid(data, length))
        fault_set(reader, reader->count, "is not UTF-8 text");
    if (reader->stopped)
        return;
    buf_append(&reader->text, data, length);
    buf_char(&reader->text, '\0');
    reader->ends[reader->count++] = reader->text.length;
    if (reader->text.failed)
        fault_set(reader, -1, "is longer than %d bytes", TABLE_ROW_MAX);
}

static void row_give(struct csv_reader *reader)
{
    if (reader->columns < 0)
        reader->columns = reader->count;
    if (reader->count != reader->columns) {
        fault_set(reader, -1, "has %d cells where the header has %d", reader->count, reader->columns);
        return;
    }
    size_t start = 0;
    for (int i = 0; i < reader->count; i++) {
        size_t length = reader->ends[i] - start - 1;
        reader->cells[i] = (struct slice){.data = reader->text.data + start, .length = length};
        start = reader->ends[i];
    }
    struct table_row row = {
        .line = reader->row_line, .number = reader->number, .count = reader->count, .cells = reader->cells};
    reader->stopped = reader->on_row(reader->context, &row) < 0;
    reader->number++;
}

static void on_end(int terminator, void *context)
{
    struct csv_reader *reader = context;
    (void)terminator;
    if (reader->stopped || reader->done)
        return;
    if (reader->place.last_line > 0 && reader->row_line > reader->place.last_line)
        reader->done = true;
    else if (reader->row_line >= reader->place.header_line)
        row_give(reader);
    reader->count = 0;
    reader->row_line = 0;
    buf_clear(&reader->text);
}

/* Bounds what libcsv keeps of one cell. */
static void *cell_realloc(void *memory, size_t size)
{
    return size <= TABLE_CELL_MAX ? realloc(memory, size) : NULL;
}

static size_t line_length(const char *data, size_t length)
{
    size_t i = 0;
    while (i < length && data[i] != '\n' && data[i] != '\r')
        i++;
    if (i < length)
        i += data[i] == '\r' && i + 1 < length && data[i + 1] == '\n' ? 2 : 1;
    return i;
}

static bool is_blank_line(const char *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!strchr(" \t\r\n", data[i]) || !data[i])
            return false;
    return true;
}

static void parser_fault(struct csv_reader *reader)
{
    if (csv_error(&reader->parser) == CSV_ENOMEM || csv_error(&reader->parser) == CSV_ETOOBIG)
        fault_set(reader, reader->count, "is longer than %d bytes", TABLE_CELL_MAX);
    else
        fault_set(reader, reader->count, "has a quotation mark that is not closed, or where none may stand");
}

/* A line, or as much of it as has come. */
static void line_feed(struct csv_reader *reader, const char *data, size_t size)
{
    if (reader->after_return && *data == '\n')
        reader->after_return = false; /* of the line before */
    else if (!reader->in_line)
        reader->line++;
    if (reader->row_line == 0 && !is_blank_line(data, size))
        reader->row_line = reader->line;
    if (reader->row_line != 0 && csv_parse(&reader->parser, data, size, on_cell, on_end, reader) != size)
        parser_fault(reader);
    reader->in_line = data[size - 1] != '\n' && data[size - 1] != '\r';
    reader->after_return = data[size - 1] == '\r';
}

static void lines_feed(struct csv_reader *reader, const char *data, size_t length)
{
    while (length > 0 && !reader->stopped && !reader->done) {
        bool is_rest = reader->after_return && *data == '\n';
        size_t size = is_rest ? 1 : line_length(data, length);
        line_feed(reader, data, size);
        data += size;
        length -= size;
    }
}

struct csv_reader *csv_reader_new(const struct table_place *place, table_row_fn *on_row, void *context)
{
    struct csv_reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return NULL;
    reader->on_row = on_row;
    reader->context = context;
    reader->columns = -1;
    if (place)
        reader->place = *place;
    csv_init(&reader->parser, CSV_STRICT | CSV_STRICT_FINI); /* takes no memory, cannot fail */
    csv_set_realloc_func(&reader->parser, cell_realloc);
    buf_init(&reader->text, TABLE_ROW_MAX);
    return reader;
}

void csv_reader_free(struct csv_reader *reader)
{
    if (!reader)
        return;
    buf_release(&reader->text);
    csv_free(&reader->parser);
    free(reader);
}

static int reader_result(const struct csv_reader *reader, struct table_fault *ret_fault)
{
    if (!reader->stopped)
        return 0;
    *ret_fault = reader->fault;
    return -1;
}

/* What looked like the beginning of a byte order mark and was none. */
static void mark_settle(struct csv_reader *reader)
{
    unsigned seen = reader->mark_bytes;
    reader->mark_bytes = 3;
    if (seen < 3)
        lines_feed(reader, mark, seen);
}

int csv_reader_feed(struct csv_reader *reader, const char *data, size_t length, struct table_fault *ret_fault)
{
    while (length > 0 && reader->mark_bytes < 3 && *data == mark[reader->mark_bytes]) {
        reader->mark_bytes++;
        data++;
        length--;
    }
    if (length > 0 && reader->mark_bytes < 3)
        mark_settle(reader);
    lines_feed(reader, data, length);
    return reader_result(reader, ret_fault);
}

int csv_reader_end(struct csv_reader *reader, struct table_fault *ret_fault)
{
    mark_settle(reader);
    if (!reader->stopped && !reader->done && csv_fini(&reader->parser, on_cell, on_end, reader) != 0)
        parser_fault(reader);
    return reader_result(reader, ret_fault);
}

bool csv_reader_is_done(const struct csv_reader *reader)
{
    return reader->done;
}
