/* import_read.c: each format has its reader; what all have in common is here. */
#include "import_read.h"

#include <stdlib.h>
#include <string.h>

#include "csv_reader.h"
#include "oscal_reader.h"
#include "xlsx_reader.h"

enum { PIECE_SIZE = 64 * 1024 };

static void place_of(const Isms__Inputs__V1__Import *import, struct table_place *ret_place)
{
    *ret_place = (struct table_place){.sheet = ""};
    if (import->table)
        *ret_place = (struct table_place){
            .sheet = import->table->sheet,
            .header_line = import->table->header_row,
            .last_line = import->table->last_row,
        };
}

static void csv_freep(struct csv_reader **reader)
{
    csv_reader_free(*reader);
}

/* 0: the file is read. 1: *ret_fault, or the mapper has stopped it. -1: the source failed. */
static int csv_file_read(const struct import_source *source, const struct table_place *place,
                         struct import_mapper *mapper, struct table_fault *ret_fault)
{
    struct csv_reader *reader CLEANUP(csv_freep) = csv_reader_new(place, import_mapper_row, mapper);
    char *piece = malloc(PIECE_SIZE);
    int result = reader && piece ? 0 : -1;
    for (int64_t offset = 0; result == 0 && offset < source->length && !csv_reader_is_done(reader);) {
        int64_t size = source->read(source->context, offset, piece, PIECE_SIZE);
        if (size <= 0)
            result = -1;
        else if (csv_reader_feed(reader, piece, (size_t)size, ret_fault) < 0)
            result = 1;
        offset += size;
    }
    if (result == 0 && csv_reader_end(reader, ret_fault) < 0)
        result = 1;
    free(piece);
    return result;
}

static void mapper_freep(struct import_mapper **mapper)
{
    import_mapper_free(*mapper);
}

static int paths_keep(struct import_mapper *mapper, struct import_errors *errors, struct import_outcome *outcome)
{
    char **paths;
    outcome->path_count = import_mapper_paths(mapper, &paths);
    outcome->paths = ARENA_ARRAY(&errors->arena, outcome->path_count + 1, char *);
    for (size_t i = 0; outcome->paths && i < outcome->path_count; i++)
        if (!(outcome->paths[i] = arena_strdup(&errors->arena, paths[i])))
            return -1;
    return outcome->paths ? 0 : -1;
}

static int table_read(const struct import_reading *reading, struct import_errors *errors,
                      struct import_outcome *outcome, struct err *err)
{
    struct table_place place;
    struct table_fault fault = {.column = -1};
    struct import_mapper *mapper CLEANUP(mapper_freep) =
        import_mapper_new(reading->descriptors, reading->import, reading->arena, errors, reading->on_item,
                          reading->context, err);
    int result = 0;
    if (!mapper)
        return -1;
    place_of(reading->import, &place);
    if (errors->count > 0)
        return 0;
    if (reading->import->format == ISMS__INPUTS__V1__IMPORT_FORMAT__IMPORT_FORMAT_XLSX)
        result = xlsx_read(reading->source, &place, import_mapper_row, mapper, &fault);
    else
        result = csv_file_read(reading->source, &place, mapper, &fault);
    if (result < 0 || import_mapper_failed(mapper))
        return -1;
    if (result > 0 && fault.message[0])
        import_mapper_fault(mapper, &fault);
    import_mapper_end(mapper);
    outcome->rows = import_mapper_rows(mapper);
    return paths_keep(mapper, errors, outcome);
}

int import_read(const struct import_reading *reading, struct import_errors *errors, struct import_outcome *ret_outcome,
                struct err *err)
{
    struct import_outcome outcome = {0};
    int result = reading->import->format == ISMS__INPUTS__V1__IMPORT_FORMAT__IMPORT_FORMAT_OSCAL
                     ? oscal_read(reading, errors, &outcome, err)
                     : table_read(reading, errors, &outcome, err);
    if (result == 0)
        *ret_outcome = outcome;
    return result;
}
