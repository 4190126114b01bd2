/* xlsx_reader.c: a sheet's XML as it streams by; a row is kept until its end. */
#include "xlsx_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <isms/base/buf.h>

#include "xlsx_book.h"
#include "xlsx_package.h"
#include "xlsx_strings.h"
#include "xlsx_value.h"

enum { SHEET_MAX = 1024 * 1024 * 1024, LINE_MAX_NUMBER = 1048576 };

struct cell {
    size_t start; /* in the row's text */
    size_t length;
};

struct sheet {
    const struct xlsx_book *book;
    const struct xlsx_strings *strings;
    const struct table_place *place;
    table_row_fn *on_row;
    void *context;
    struct table_fault *fault;
    bool stopped; /* a fault, or on_row gave up */
    bool done;    /* below the table */

    int line;
    int number;
    int width; /* columns of the header; -1: not read yet */
    int used;  /* columns of this row, to the last that has a text */
    struct buf text;
    struct cell cells[TABLE_COLUMNS_MAX];
    struct slice slices[TABLE_COLUMNS_MAX];

    int column; /* of the cell under way, -1: none that is wanted */
    char type;  /* 's' shared, 'b' boolean, 'n' number, 't' any text */
    bool is_date;
    bool in_value;
    int phonetic;
    struct buf value;
};

static void PRINTF_LIKE(3, 4) fault_set(struct sheet *sheet, int column, const char *format, ...)
{
    if (sheet->stopped)
        return;
    sheet->stopped = true;
    *sheet->fault = (struct table_fault){.line = sheet->line > 0 ? sheet->line : 1, .row = sheet->number,
                                         .column = column};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sheet->fault->message, sizeof(sheet->fault->message), format, arguments);
    va_end(arguments);
}

/* "BC12" → 54; -1: no reference. */
static int column_of(const char *reference)
{
    int column = 0;
    const char *c = reference;
    for (; *c >= 'A' && *c <= 'Z' && column < 100000; c++)
        column = column * 26 + (*c - 'A' + 1);
    return c == reference ? -1 : column - 1;
}

static void row_begin(struct sheet *sheet, const char **attributes)
{
    const char *number = xlsx_attribute(attributes, "r");
    long line = *number ? strtol(number, NULL, 10) : sheet->line + 1;
    if (line <= sheet->line || line > LINE_MAX_NUMBER)
        fault_set(sheet, -1, "has its rows in a wrong order");
    sheet->line = (int)line;
    sheet->done = sheet->place->last_line > 0 && line > sheet->place->last_line;
    sheet->used = 0;
    sheet->column = -1;
    buf_clear(&sheet->text);
}

static void cell_begin(struct sheet *sheet, const char **attributes)
{
    static const char *const types[] = {"s", "b", "str", "inlineStr", "e"};
    static const char kinds[] = {'s', 'b', 't', 't', 't'};
    const char *reference = xlsx_attribute(attributes, "r");
    const char *type = xlsx_attribute(attributes, "t");
    unsigned long style = strtoul(xlsx_attribute(attributes, "s"), NULL, 10);
    int before = sheet->column;
    sheet->column = *reference ? column_of(reference) : before + 1;
    if (sheet->column <= before && *reference)
        fault_set(sheet, -1, "has its cells in a wrong order");
    sheet->type = 'n';
    if (strcmp(type, "d") == 0)
        sheet->type = 't'; /* ISO 8601 */
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (strcmp(type, types[i]) == 0)
            sheet->type = kinds[i];
    sheet->is_date = sheet->type == 'n' && style < sheet->book->style_count && sheet->book->dates[style];
    buf_clear(&sheet->value);
}

/* NULL: it is a text of the workbook's, which is not there. */
static const char *cell_text(struct sheet *sheet, char *storage)
{
    buf_char(&sheet->value, '\0');
    const char *value = sheet->value.failed ? "" : sheet->value.data;
    switch (sheet->type) {
    case 's':
        return !*value ? "" : xlsx_string(sheet->strings, value);
    case 'b':
        return !*value ? "" : strcmp(value, "0") == 0 || strcmp(value, "false") == 0 ? "false" : "true";
    case 'n':
        if (!*value)
            return "";
        if (!sheet->is_date || !xlsx_date_text(value, sheet->book->is_1904, storage, XLSX_NUMBER_SIZE))
            xlsx_number_text(value, storage, XLSX_NUMBER_SIZE);
        return storage;
    default:
        return value;
    }
}

static void cell_end(struct sheet *sheet)
{
    char storage[XLSX_NUMBER_SIZE];
    if (sheet->column < 0 || (sheet->width >= 0 && sheet->column >= sheet->width))
        return;
    const char *text = cell_text(sheet, storage);
    size_t length = text ? strlen(text) : 0;
    if (!text) {
        fault_set(sheet, sheet->column, "refers to a text that the workbook does not have");
        return;
    }
    if (sheet->value.failed || length > TABLE_CELL_MAX) {
        fault_set(sheet, sheet->column, "is longer than %d bytes", TABLE_CELL_MAX);
        return;
    }
    if (length == 0)
        return;
    if (sheet->column >= TABLE_COLUMNS_MAX) {
        fault_set(sheet, -1, "has more than %d cells", TABLE_COLUMNS_MAX);
        return;
    }
    for (; sheet->used <= sheet->column; sheet->used++)
        sheet->cells[sheet->used] = (struct cell){0};
    sheet->cells[sheet->column] = (struct cell){.start = sheet->text.length, .length = length};
    buf_append(&sheet->text, text, length + 1);
    if (sheet->text.failed)
        fault_set(sheet, -1, "is longer than %d bytes", TABLE_ROW_MAX);
}

static void row_end(struct sheet *sheet)
{
    if (sheet->used == 0 || sheet->line < sheet->place->header_line)
        return;
    if (sheet->width < 0)
        sheet->width = sheet->used;
    for (int i = 0; i < sheet->width; i++) {
        struct cell cell = i < sheet->used ? sheet->cells[i] : (struct cell){0};
        sheet->slices[i] = cell.length > 0
                               ? (struct slice){.data = sheet->text.data + cell.start, .length = cell.length}
                               : (struct slice){.data = "", .length = 0};
    }
    struct table_row row = {
        .line = sheet->line, .number = sheet->number, .count = sheet->width, .cells = sheet->slices};
    sheet->stopped = sheet->on_row(sheet->context, &row) < 0;
    sheet->number++;
}

static void on_start(void *context, const char *name, const char **attributes)
{
    struct sheet *sheet = context;
    if (sheet->stopped || sheet->done)
        return;
    if (strcmp(name, "row") == 0)
        row_begin(sheet, attributes);
    else if (strcmp(name, "c") == 0)
        cell_begin(sheet, attributes);
    else if (strcmp(name, "v") == 0 || strcmp(name, "t") == 0)
        sheet->in_value = true;
    sheet->phonetic += strcmp(name, "rPh") == 0;
}

static void on_end(void *context, const char *name)
{
    struct sheet *sheet = context;
    if (sheet->stopped || sheet->done)
        return;
    if (strcmp(name, "row") == 0)
        row_end(sheet);
    else if (strcmp(name, "c") == 0)
        cell_end(sheet);
    else if (strcmp(name, "v") == 0 || strcmp(name, "t") == 0)
        sheet->in_value = false;
    sheet->phonetic -= strcmp(name, "rPh") == 0;
}

static void on_text(void *context, const char *text, int length)
{
    struct sheet *sheet = context;
    if (sheet->in_value && sheet->phonetic == 0 && sheet->column >= 0 && !sheet->stopped)
        buf_append(&sheet->value, text, (size_t)length);
}

static bool is_done(void *context)
{
    const struct sheet *sheet = context;
    return sheet->stopped || sheet->done;
}

/* -1 with *ret_fault NULL: the source or memory failed. */
static int sheet_read(struct sheet *sheet, struct xlsx_package *package, struct xlsx_book *book,
                      struct xlsx_strings *strings, const char **ret_fault)
{
    static const struct xlsx_handlers handlers = {on_start, on_end, on_text, is_done};
    if (xlsx_book_read(book, package, sheet->place->sheet, ret_fault) < 0)
        return -1;
    if (book->strings[0] && xlsx_package_has(package, book->strings) &&
        xlsx_strings_read(strings, package, book->strings, ret_fault) < 0)
        return -1;
    sheet->book = book;
    sheet->strings = strings;
    return xlsx_package_read(package, book->sheet, SHEET_MAX, &handlers, sheet, ret_fault);
}

int xlsx_read(const struct import_source *source, const struct table_place *place, table_row_fn *on_row, void *context,
              struct table_fault *ret_fault)
{
    const char *fault = NULL;
    struct xlsx_book book = {0};
    struct xlsx_strings strings;
    struct xlsx_package *package = xlsx_package_open(source, &fault);
    struct sheet *sheet = package ? calloc(1, sizeof(*sheet)) : NULL;
    int result = -1;
    xlsx_strings_init(&strings);
    if (sheet) {
        *sheet = (struct sheet){.place = place, .on_row = on_row, .context = context, .fault = ret_fault, .width = -1,
                                .column = -1};
        buf_init(&sheet->text, TABLE_ROW_MAX);
        buf_init(&sheet->value, TABLE_CELL_MAX + 2);
        result = sheet_read(sheet, package, &book, &strings, &fault);
        if (result == 0 && sheet->stopped)
            result = 1;
        buf_release(&sheet->text);
        buf_release(&sheet->value);
    }
    if (result < 0 && fault) {
        *ret_fault = (struct table_fault){.line = 1, .column = -1};
        snprintf(ret_fault->message, sizeof(ret_fault->message), "%s", fault);
        result = 1;
    }
    free(sheet);
    xlsx_strings_release(&strings);
    xlsx_book_release(&book);
    xlsx_package_close(package);
    return result;
}
