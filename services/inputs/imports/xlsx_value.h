/* xlsx_value.h: the numbers of a sheet as text: SpreadsheetML knows dates only by the number format of their cell. */
#ifndef ISMS_INPUTS_XLSX_VALUE_H
#define ISMS_INPUTS_XLSX_VALUE_H

#include <stdbool.h>
#include <stddef.h>

enum { XLSX_NUMBER_SIZE = 40 };

/* Whether numbers under the built-in number format show as dates or times (ISO/IEC 29500-1, 18.8.30). */
bool xlsx_format_is_date(int number_format);

/* The same for a format's code: "yyyy\-mm\-dd" is a date, "[Red]0.0" and "[h]:mm", a duration, are not. */
bool xlsx_code_is_date(const char *code);

/* The number as short as it can be written: "0.1" for "0.10000000000000001". Anything else as it is. */
void xlsx_number_text(const char *number, char *ret_text, size_t size);

/* Days since the beginning of the workbook's system as "2026-01-31", or with a time of day "2026-01-31T15:22:00", or
 * "15:22:00" alone below one day. false: it is no date of that system. */
bool xlsx_date_text(const char *number, bool is_1904, char *ret_text, size_t size);

#endif
