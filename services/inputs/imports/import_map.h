/* import_map.h: from a table's rows to inputs or measurements, as an import's column mapping says.
 *
 * Cells are trimmed. Where the mapping has a value for the cell's text (compared without case), that stands
 * in its place. An empty cell leaves the field unset. Enums take their short names in any case, with blanks
 * or hyphens for underscores; dates and times see import_date.h; bools yes/no, true/false, 1/0; a repeated
 * text is cut at commas, semicolons and line ends; any list may be in JSON, a list of messages has to be. What
 * comes out then obeys the rules of the proto file, or is an error.
 *
 * A row of inputs needs an external id, so that the same file again finds the same inputs. Where no column
 * gives one, it is made of the row's mapped content; rows of the same content are counted. */
#ifndef ISMS_INPUTS_IMPORT_MAP_H
#define ISMS_INPUTS_IMPORT_MAP_H

#include <stddef.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/inputs/v1/imports.pb-c.h>
#include <isms/inputs/v1/measurements.pb-c.h>
#include <isms/proto/descriptors.h>

#include "import_errors.h"
#include "table.h"

enum { IMPORT_ROWS_MAX = 100 * 1000, IMPORT_ROWS_TOTAL_MAX = 1000 * 1000 };

/* An input or measurement of the file. */
struct import_item {
    ProtobufCMessage *message;
    int line;
    int row;                /* from 1 */
    int level;              /* refers to items of lower ones only */
    const char *references;  /* JSON, see import_statements.proto; "" none */
    const char *local_times; /* the same's; "" none: each time is the moment that it says */
};

/* Takes an item, which is in the arena that import_mapper_new() was given. -1 ends the reading. */
typedef int import_item_fn(void *context, const struct import_item *item);

struct import_mapper;

/* `import` says kind or metric, source and columns; it and the errors must live as long. Items are made in `arena`,
 * which the taker of an item may clear. NULL: MESSAGE_TOO_LARGE. */
struct import_mapper *import_mapper_new(const struct descriptors *descriptors,
                                        const Isms__Inputs__V1__Import *import, struct arena *arena,
                                        struct import_errors *errors, import_item_fn *on_item, void *context,
                                        struct err *err);
void import_mapper_free(struct import_mapper *mapper);

/* A table_row_fn. Once there is an error, rows are only checked. -1: see import_mapper_failed(). */
int import_mapper_row(void *mapper, const struct table_row *row);

/* Whether reading ended for want of memory, or since an item was not taken; not for an error of the file's. */
bool import_mapper_failed(const struct import_mapper *mapper);

/* Notes what the table's reader found, with the name of the column. */
void import_mapper_fault(struct import_mapper *mapper, const struct table_fault *fault);

/* After the last row. */
void import_mapper_end(struct import_mapper *mapper);

int import_mapper_rows(const struct import_mapper *mapper);

/* The fields that columns of the file are mapped to, but for external_id; valid from the header on. */
size_t import_mapper_paths(struct import_mapper *mapper, char ***ret_paths);

#endif
