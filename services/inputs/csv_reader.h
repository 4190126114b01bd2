/* csv_reader.h: the rows of a CSV file (RFC 4180: comma, double quotes, quoted cells may span lines), or
 * where it is broken.
 *
 * Accepted: a UTF-8 byte order mark, LF, CRLF and CR line ends, empty lines, blanks around unquoted cells
 * (left out). Refused, with the place: a quote inside an unquoted cell, an unclosed one, bytes that are not
 * UTF-8, NUL, a row with another number of cells than the first. Memory is bounded by the limits below,
 * whatever the file holds. */
#ifndef ISMS_INPUTS_CSV_READER_H
#define ISMS_INPUTS_CSV_READER_H

#include <stddef.h>

#include <isms/base/attributes.h>
#include <isms/base/slice.h>

enum { CSV_COLUMNS_MAX = 1000, CSV_CELL_MAX = 256 * 1024, CSV_ROW_MAX = 1024 * 1024 };

struct csv_row {
    int line;   /* of the file, where the row begins; from 1 */
    int number; /* 0: the first row, the header */
    int count;
    const struct slice *cells; /* NUL-terminated; valid during the call */
};

/* What is wrong with the file, and where. */
struct csv_fault {
    int line;
    int row;    /* csv_row.number */
    int column; /* from 0; -1: the whole row */
    char message[160];
};

/* -1 ends the reading. */
typedef int csv_row_fn(void *context, const struct csv_row *row);

/* 0: all rows were given to `on_row`. -1: *ret_fault, or `on_row` gave up (its message is empty then). */
int csv_read(const char *data, size_t length, csv_row_fn *on_row, void *context,
             struct csv_fault *ret_fault) MUST_CHECK;

#endif
