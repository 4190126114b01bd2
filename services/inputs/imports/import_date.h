/* import_date.h: the dates and times that exports write, as far as they can mean one thing only.
 *
 *   2026-01-11                         ISO 8601
 *   2026-01-11T15:22:00Z, 2026-01-11 15:22[:00]     RFC 3339, also without an offset
 *   11/Jan/26 3:22 PM, 11-Jan-2026, 11 Jan 2026 15:22     Jira and relatives; two digits of a year are 20yy
 *   Oct 2024, October 2024             a month: its first day
 *
 * "03/04/2026" is refused: it is a day in March for some readers, and in April for others.
 *
 * A text without an offset is local time, of a place that is not known here. */
#ifndef ISMS_INPUTS_IMPORT_DATE_H
#define ISMS_INPUTS_IMPORT_DATE_H

#include <stdbool.h>
#include <stdint.h>

/* NULL: *ret_time_us is the time (of a date its first moment); where *ret_is_local, what clocks show there, as if it
 * were UTC. Else what is wrong with the text. */
const char *import_time_parse(const char *text, int64_t *ret_time_us, bool *ret_is_local);

#endif
