/* fuzz_import.c: a CSV file under a column mapping. What comes out without an error keeps the rules of its fields, and
 * is the same out of the file with every cell in quotes.
 *
 * The input's first line is the mapping, "KIND;Column=field;...", KIND being a number of InputKind, 0 for
 * measurements; the file follows. */
#include <stdlib.h>
#include <string.h>

#include <isms/base/arena.h>
#include <isms/base/buf.h>
#include <isms/proto/message.h>
#include <isms/proto/validate.h>

#include "csv_reader.h"
#include "fuzz.h"
#include "fuzz_types.h"
#include "import_map.h"

enum { MEMORY_MAX = 32 << 20, COLUMNS_MAX = 32 };

static void mapping_read(char *line, Isms__Inputs__V1__Import *import, struct arena *arena)
{
    isms__inputs__v1__import__init(import);
    char *kind = strsep(&line, ";");
    import->kind = (Isms__Inputs__V1__InputKind)strtol(kind, NULL, 10);
    import->source = arena_strdup(arena, "fuzz");
    if (import->kind == 0)
        import->metric_id = arena_strdup(arena, "0190a5d4-7f3e-7c12-8a4b-1c2d3e4f5a6b");
    import->columns = ARENA_ARRAY(arena, COLUMNS_MAX, Isms__Inputs__V1__ColumnMapping *);
    while (line && import->n_columns < COLUMNS_MAX) {
        char *field = strsep(&line, ";");
        char *column = strsep(&field, "=");
        Isms__Inputs__V1__ColumnMapping *mapping = ARENA_NEW(arena, Isms__Inputs__V1__ColumnMapping);
        isms__inputs__v1__column_mapping__init(mapping);
        mapping->column = column;
        mapping->field = field ? field : column;
        import->columns[import->n_columns++] = mapping;
    }
}

static int row_quote(void *context, const struct csv_row *row)
{
    struct buf *to = context;
    for (int i = 0; i < row->count; i++) {
        buf_char(to, '"');
        for (size_t j = 0; j < row->cells[i].length; j++) {
            if (row->cells[i].data[j] == '"')
                buf_char(to, '"');
            buf_char(to, row->cells[i].data[j]);
        }
        buf_text(to, i + 1 < row->count ? "\"," : "\"\r\n");
    }
    return 0;
}

/* The rows one after the other. */
static void rows_pack(const struct import_rows *rows, struct arena *arena, struct buf *to)
{
    for (size_t i = 0; i < rows->count; i++) {
        struct slice bytes;
        struct err err = {0};
        if (message_pack(rows->rows[i], arena, &bytes, &err) == 0)
            buf_append(to, bytes.data, bytes.length);
    }
}

static void rows_check(const struct import_rows *rows)
{
    BUG_IF(rows->error_listed > IMPORT_ERRORS_MAX || (int)rows->error_listed > rows->error_count);
    BUG_IF(rows->row_count > IMPORT_ROWS_MAX && rows->error_count == 0);
    for (size_t i = 0; i < rows->count && rows->error_count == 0; i++) {
        struct err err = {0};
        const ProtobufCMessageDescriptor *type = rows->rows[i]->descriptor;
        BUG_IF(message_validate(descriptors_message_of(fuzz_descriptors(), type), rows->rows[i], &err) < 0);
        BUG_IF(type == &isms__inputs__v1__input__descriptor &&
               ((const Isms__Inputs__V1__Input *)rows->rows[i])->external_id[0] == '\0');
    }
}

static void quoted_same(const Isms__Inputs__V1__Import *import, struct slice file, const struct import_rows *rows,
                        struct arena *arena)
{
    struct buf quoted, first, second;
    struct csv_fault fault;
    struct import_rows again;
    struct err err = {0};
    buf_init_arena(&quoted, arena, MEMORY_MAX);
    buf_init_arena(&first, arena, MEMORY_MAX);
    buf_init_arena(&second, arena, MEMORY_MAX);
    BUG_IF(csv_read(file.data, file.length, row_quote, &quoted, &fault) < 0);
    if (quoted.failed || import_map(fuzz_descriptors(), import, (struct slice){quoted.data, quoted.length}, arena,
                                    &again, &err) < 0)
        return;
    rows_pack(rows, arena, &first);
    rows_pack(&again, arena, &second);
    if (!arena_exhausted(arena))
        BUG_IF(again.error_count != 0 || first.length != second.length ||
               memcmp(first.data, second.data, first.length) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    if (!end)
        return 0;
    struct arena arena CLEANUP(arena_release);
    struct slice file = {.data = (const char *)end + 1, .length = size - (size_t)(end + 1 - data)};
    Isms__Inputs__V1__Import import;
    struct import_rows rows;
    struct err err = {0};
    arena_init(&arena, MEMORY_MAX);
    mapping_read(arena_strndup(&arena, (const char *)data, (size_t)(end - data)), &import, &arena);
    if (import_map(fuzz_descriptors(), &import, file, &arena, &rows, &err) < 0) {
        BUG_IF(err.reason != ERR_MESSAGE_TOO_LARGE);
        return 0;
    }
    rows_check(&rows);
    if (rows.error_count == 0)
        quoted_same(&import, file, &rows, &arena);
    return 0;
}
