/* fuzz_xlsx.c: any bytes as a workbook: rows within their limits, in order, each cell ended by NUL; or a fault. */
#include <string.h>

#include "fuzz.h"
#include "xlsx_reader.h"

struct seen {
    int line;
    int number;
    int count;
};

static int64_t file_part(void *context, int64_t offset, void *into, size_t size)
{
    const struct slice *file = context;
    size_t rest = offset < (int64_t)file->length ? file->length - (size_t)offset : 0;
    memcpy(into, file->data + offset, rest < size ? rest : size);
    return (int64_t)(rest < size ? rest : size);
}

static int row_check(void *context, const struct table_row *row)
{
    struct seen *seen = context;
    BUG_IF(row->line <= seen->line || row->number != seen->number || row->count > TABLE_COLUMNS_MAX);
    BUG_IF(row->number > 0 && row->count != seen->count);
    for (int i = 0; i < row->count; i++)
        BUG_IF(strlen(row->cells[i].data) != row->cells[i].length || row->cells[i].length > TABLE_CELL_MAX);
    *seen = (struct seen){.line = row->line, .number = row->number + 1, .count = row->count};
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice file = {.data = (const char *)data, .length = size};
    struct import_source source = {.length = (int64_t)size, .read = file_part, .context = &file};
    struct table_place place = {.sheet = ""};
    struct table_fault fault = {.column = -1};
    struct seen seen = {0};
    int result = xlsx_read(&source, &place, row_check, &seen, &fault);
    BUG_IF(result == 1 && (!fault.message[0] || fault.line < 1));
    return 0;
}
