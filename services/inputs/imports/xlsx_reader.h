/* xlsx_reader.h: the rows of one sheet of a workbook (ISO/IEC 29500, SpreadsheetML), as those of a CSV file.
 *
 * Cells are texts: numbers as short as they can be written, dates by their number format as ISO 8601, booleans true and
 * false, formulas their stored values, errors as they show (#N/A). Empty cells are empty, of merged ones all but the
 * first. Rows without any text are passed over; so are cells right of the header's last. Memory is bounded by
 * xlsx_strings.h and table.h, whatever the file holds. */
#ifndef ISMS_INPUTS_XLSX_READER_H
#define ISMS_INPUTS_XLSX_READER_H

#include <isms/base/attributes.h>

#include "import_source.h"
#include "table.h"

/* 0: all rows were given. 1: *ret_fault, or `on_row` gave up (its message is as it was then). -1: the source or memory
 * failed. */
int xlsx_read(const struct import_source *source, const struct table_place *place, table_row_fn *on_row, void *context,
              struct table_fault *ret_fault) MUST_CHECK;

#endif
