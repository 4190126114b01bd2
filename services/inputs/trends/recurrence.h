/* recurrence.h: what came back. Pure.
 *
 * An input recurs where it names the one it is a recurrence of, or where an earlier one had the same category of cause:
 * one that came up before or, on the same day, stands before it. */
#ifndef ISMS_INPUTS_RECURRENCE_H
#define ISMS_INPUTS_RECURRENCE_H

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>

#include "timeline.h"

/* Sets `recurs` of each, and what there is to say of the causes that came up in the period: most recurrences first,
 * then by name. Of a kind without causes nothing is done. -1 for want of memory. */
int recurrences_find(const struct input_trend_question *question, struct timeline *timelines, size_t count,
                     struct arena *arena, struct input_recurrence **ret_recurrences, size_t *ret_count,
                     struct err *err) MUST_CHECK;

#endif
