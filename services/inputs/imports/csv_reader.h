/* csv_reader.h: the rows of a CSV file (RFC 4180: comma, double quotes, quoted cells may span lines), or
 * where it is broken. The file comes in pieces, cut anywhere.
 *
 * Accepted: a UTF-8 byte order mark, LF, CRLF and CR line ends, empty lines, blanks around unquoted cells
 * (left out). Refused, with the place: a quote inside an unquoted cell, an unclosed one, bytes that are not
 * UTF-8, NUL, a row with another number of cells than the header. Memory is bounded by the limits of table.h,
 * whatever the file holds; rows above the header and below the table's last are passed over. */
#ifndef ISMS_INPUTS_CSV_READER_H
#define ISMS_INPUTS_CSV_READER_H

#include <stdbool.h>
#include <stddef.h>

#include <isms/base/attributes.h>

#include "table.h"

struct csv_reader;

/* `place` may be NULL: all of it. NULL: out of memory. */
struct csv_reader *csv_reader_new(const struct table_place *place, table_row_fn *on_row, void *context);
void csv_reader_free(struct csv_reader *reader);

/* 0: go on. -1: *ret_fault, or `on_row` gave up (its message is empty then); nothing more is read. */
int csv_reader_feed(struct csv_reader *reader, const char *data, size_t length,
                    struct table_fault *ret_fault) MUST_CHECK;
/* After the last piece. */
int csv_reader_end(struct csv_reader *reader, struct table_fault *ret_fault) MUST_CHECK;

/* The rest of the file is not wanted. */
bool csv_reader_is_done(const struct csv_reader *reader);

#endif
