/* table.h: the rows of a table in a file, whatever wrote it, and what is wrong with one. */
#ifndef ISMS_INPUTS_TABLE_H
#define ISMS_INPUTS_TABLE_H

#include <isms/base/slice.h>

enum { TABLE_COLUMNS_MAX = 1000, TABLE_CELL_MAX = 256 * 1024, TABLE_ROW_MAX = 1024 * 1024 };

struct table_row {
    int line;   /* of the file where the row begins, or row of the sheet; from 1 */
    int number; /* 0: the header */
    int count;
    const struct slice *cells; /* NUL-terminated; valid during the call */
};

/* Where it is, and what. */
struct table_fault {
    int line;
    int row;    /* table_row.number */
    int column; /* from 0; -1: the whole row */
    char message[160];
};

/* -1 ends the reading. */
typedef int table_row_fn(void *context, const struct table_row *row);

/* What of the file is the table. */
struct table_place {
    const char *sheet; /* "" the first; of workbooks alone */
    int header_line;   /* 0: the first that is not empty */
    int last_line;     /* 0: to the end */
};

#endif
