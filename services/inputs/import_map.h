/* import_map.h: from a CSV file to inputs or measurements, as an import's column mapping says.
 *
 * Cells are trimmed. Where the mapping has a value for the cell's text (compared without case), that stands
 * in its place. An empty cell leaves the field unset. Enums take their short names in any case, with blanks
 * or hyphens for underscores; dates and times see import_date.h; bools yes/no, true/false, 1/0; a repeated
 * text is cut at commas, semicolons and line ends. What comes out then obeys the rules of the proto file, or
 * is an error.
 *
 * A row of inputs needs an external id, so that the same file again finds the same inputs. Where no column
 * gives one, it is made of the row's mapped content; rows of the same content are counted. */
#ifndef ISMS_INPUTS_IMPORT_MAP_H
#define ISMS_INPUTS_IMPORT_MAP_H

#include <stddef.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/base/slice.h>
#include <isms/inputs/v1/inputs.pb-c.h>
#include <isms/proto/descriptors.h>

enum { IMPORT_ROWS_MAX = 10000, IMPORT_ERRORS_MAX = 100 };

struct import_place {
    int line;
    int number; /* of the row, from 1 */
};

/* What came out of a file; all of it in the arena. With errors, the rows are not to be stored. */
struct import_rows {
    int row_count; /* rows of data in the file */
    size_t count;
    ProtobufCMessage **rows; /* Input or Measurement */
    struct import_place *places; /* of each of them */
    size_t path_count;
    char **paths; /* the fields that columns are mapped to, but for external_id */
    size_t error_listed;
    Isms__Inputs__V1__ImportError **errors; /* room for IMPORT_ERRORS_MAX */
    int error_count;
    const struct import_target *targets; /* internal */
    size_t target_count;
};

/* `import` says kind or metric_id, source and columns. -1: MESSAGE_TOO_LARGE, for want of memory. */
int import_map(const struct descriptors *descriptors, const Isms__Inputs__V1__Import *import, struct slice file,
               struct arena *arena, struct import_rows *ret_rows, struct err *err) MUST_CHECK;

/* Notes one more error: of a row (0: the file) and the field or column it is about ("" for none). */
void import_error_add(struct import_rows *rows, struct arena *arena, int line, int row, const char *field,
                      const char *message);

#endif
