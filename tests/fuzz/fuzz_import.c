/* fuzz_import.c: a CSV file under a column mapping. What comes out without an error keeps the rules of its fields, and
 * is known by something.
 *
 * The input's first line is the mapping, "KIND;Column=field;...", KIND being a number of InputKind, 0 for
 * measurements; the file follows. */
#include <stdlib.h>
#include <string.h>

#include <isms/base/arena.h>
#include <isms/base/buf.h>
#include <isms/proto/message.h>
#include <isms/proto/validate.h>

#include "fuzz.h"
#include "fuzz_types.h"
#include "import_read.h"

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

static int64_t file_part(void *context, int64_t offset, void *into, size_t size)
{
    const struct slice *file = context;
    size_t rest = file->length - (size_t)offset;
    memcpy(into, file->data + offset, rest < size ? rest : size);
    return (int64_t)(rest < size ? rest : size);
}

static int item_check(void *context, const struct import_item *item)
{
    struct err err = {0};
    const ProtobufCMessageDescriptor *type = item->message->descriptor;
    (void)context;
    BUG_IF(message_validate(descriptors_message_of(fuzz_descriptors(), type), item->message, &err) < 0);
    BUG_IF(type == &isms__inputs__v1__input__descriptor &&
           ((const Isms__Inputs__V1__Input *)item->message)->external_id[0] == '\0');
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    if (!end)
        return 0;
    struct arena arena CLEANUP(arena_release);
    struct slice file = {.data = (const char *)end + 1, .length = size - (size_t)(end + 1 - data)};
    Isms__Inputs__V1__Import import;
    struct import_source source = {.length = (int64_t)file.length, .read = file_part, .context = &file};
    struct import_errors errors CLEANUP(import_errors_release);
    struct import_outcome outcome;
    struct err err = {0};
    arena_init(&arena, MEMORY_MAX);
    import_errors_init(&errors);
    mapping_read(arena_strndup(&arena, (const char *)data, (size_t)(end - data)), &import, &arena);
    struct import_reading reading = {.descriptors = fuzz_descriptors(), .import = &import, .source = &source,
                                     .arena = &arena, .on_item = item_check};
    if (import_read(&reading, &errors, &outcome, &err) == 0)
        BUG_IF((int)errors.listed > errors.count || (outcome.rows > IMPORT_ROWS_MAX && errors.count == 0));
    return 0;
}
