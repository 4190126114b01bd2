/* csv_reader.c: libcsv in strict mode, fed line by line, so that the line of every row is known. */
#include "csv_reader.h"

#include <csv.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <isms/base/buf.h>
#include <isms/base/utf8.h>

struct csv_reading {
    csv_row_fn *on_row;
    void *context;
    int line;     /* being fed */
    int row_line; /* where the row under way begins; 0: none is */
    int number;
    int columns; /* of the first row; -1: not read yet */
    bool stopped;
    struct csv_fault fault;
    struct buf text; /* the row's cells, each with a NUL */
    int count;
    size_t ends[CSV_COLUMNS_MAX];
    struct slice cells[CSV_COLUMNS_MAX];
};

static void PRINTF_LIKE(3, 4) fault_set(struct csv_reading *reading, int column, const char *format, ...)
{
    if (reading->stopped)
        return;
    reading->stopped = true;
    reading->fault = (struct csv_fault){.line = reading->row_line ? reading->row_line : reading->line,
                                        .row = reading->number,
                                        .column = column};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reading->fault.message, sizeof(reading->fault.message), format, arguments);
    va_end(arguments);
}

static void on_cell(void *data, size_t length, void *context)
{
    struct csv_reading *reading = context;
    if (reading->stopped)
        return;
    if (reading->count == CSV_COLUMNS_MAX)
        fault_set(reading, -1, "has more than %d cells", CSV_COLUMNS_MAX);
    else if (memchr(data, '\0', length))
        fault_set(reading, reading->count, "holds a NUL byte");
    else if (!utf8_is_valid(data, length))
        fault_set(reading, reading->count, "is not UTF-8 text");
    if (reading->stopped)
        return;
    buf_append(&reading->text, data, length);
    buf_char(&reading->text, '\0');
    reading->ends[reading->count++] = reading->text.length;
    if (reading->text.failed)
        fault_set(reading, -1, "is longer than %d bytes", CSV_ROW_MAX);
}

static void on_end(int terminator, void *context)
{
    struct csv_reading *reading = context;
    (void)terminator;
    if (reading->stopped)
        return;
    if (reading->columns < 0)
        reading->columns = reading->count;
    if (reading->count != reading->columns) {
        fault_set(reading, -1, "has %d cells where the header has %d", reading->count, reading->columns);
        return;
    }
    size_t start = 0;
    for (int i = 0; i < reading->count; i++) {
        size_t length = reading->ends[i] - start - 1;
        reading->cells[i] = (struct slice){.data = reading->text.data + start, .length = length};
        start = reading->ends[i];
    }
    struct csv_row row = {
        .line = reading->row_line, .number = reading->number, .count = reading->count, .cells = reading->cells};
    reading->stopped = reading->on_row(reading->context, &row) < 0;
    reading->number++;
    reading->count = 0;
    reading->row_line = 0;
    buf_clear(&reading->text);
}

/* Bounds what libcsv keeps of one cell. */
static void *cell_realloc(void *memory, size_t size)
{
    return size <= CSV_CELL_MAX ? realloc(memory, size) : NULL;
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

static void parser_fault(struct csv_reading *reading, struct csv_parser *parser)
{
    if (csv_error(parser) == CSV_ENOMEM || csv_error(parser) == CSV_ETOOBIG)
        fault_set(reading, reading->count, "is longer than %d bytes", CSV_CELL_MAX);
    else
        fault_set(reading, reading->count, "has a quotation mark that is not closed, or where none may stand");
}

static void lines_feed(struct csv_reading *reading, struct csv_parser *parser, const char *data, size_t length)
{
    while (length > 0 && !reading->stopped) {
        size_t size = line_length(data, length);
        reading->line++;
        if (reading->row_line == 0 && !is_blank_line(data, size))
            reading->row_line = reading->line;
        if (reading->row_line != 0 && csv_parse(parser, data, size, on_cell, on_end, reading) != size)
            parser_fault(reading, parser);
        data += size;
        length -= size;
    }
    if (!reading->stopped && csv_fini(parser, on_cell, on_end, reading) != 0)
        parser_fault(reading, parser);
}

int csv_read(const char *data, size_t length, csv_row_fn *on_row, void *context, struct csv_fault *ret_fault)
{
    static const char mark[] = "\xEF\xBB\xBF";
    struct csv_parser parser;
    csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI); /* takes no memory, cannot fail */
    csv_set_realloc_func(&parser, cell_realloc);
    struct csv_reading reading = {.on_row = on_row, .context = context, .columns = -1};
    buf_init(&reading.text, CSV_ROW_MAX);
    if (length >= 3 && memcmp(data, mark, 3) == 0) {
        data += 3;
        length -= 3;
    }
    lines_feed(&reading, &parser, data, length);
    if (reading.stopped)
        *ret_fault = reading.fault;
    buf_release(&reading.text);
    csv_free(&parser);
    return reading.stopped ? -1 : 0;
}
