/* table.h: inputs and measurements as lines of a table: a column for each field, named by its path, as an import's
 * mapping names it ("title", "finding.cause.description").
 *
 * Cells are what an import reads back as the same value: short names of enums, times in UTC; a list of texts is cut at
 * semicolons, and in JSON where one of them has a character that lists are cut at; other lists are in JSON. A number
 * that is 0 is written, so that a message of zeros is not taken for none; everything else that is unset is empty.
 *
 * Paths and names point into the descriptors and the arena, which must outlive the table. */
#ifndef ISMS_CTL_TABLE_H
#define ISMS_CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/buf.h>
#include <isms/base/err.h>
#include <isms/base/slice.h>
#include <isms/proto/descriptors.h>

enum { TABLE_COLUMNS_MAX = 128, TABLE_STEPS_MAX = 4 };

struct table_column {
    char *path;
    const struct field_type *steps[TABLE_STEPS_MAX];
    unsigned step_count;
    bool is_given; /* by the client: an import may set it */
};

struct table {
    struct table_column columns[TABLE_COLUMNS_MAX];
    unsigned column_count;
};

/* Of inputs of that kind, as kind_of() names it; NULL: of measurements. */
int table_init(struct table *table, const struct descriptors *descriptors, const char *kind, struct arena *arena,
               struct err *err) MUST_CHECK;

/* NULL where no column has that path. */
const struct table_column *table_column_find(const struct table *table, struct slice path);

/* Appends a line of CSV (RFC 4180): the columns' paths; a message's values. */
void table_header(const struct table *table, struct buf *csv);
int table_line(const struct table *table, const ProtobufCMessage *message, struct buf *csv, struct err *err) MUST_CHECK;

#endif
