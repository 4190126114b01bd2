/* categories.h: inputs counted by name. Pure.
 *
 * Categories stand in the order of the kind's ranking, best first; numbers among themselves from low to high; the rest
 * by how many inputs they have, most first, then by name. Above CATEGORIES_MAX, those with the fewest are counted
 * together, so that the sums stay what they are. */
#ifndef ISMS_INPUTS_CATEGORIES_H
#define ISMS_INPUTS_CATEGORIES_H

#include <stddef.h>
#include <stdint.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>

#include "input_trend.h"
#include "timeline.h"

struct categories {
    struct input_dimension dimension;
    size_t *place; /* of each name, among the dimension's categories */
};

/* Of the inputs that were open, or closed, in the period: counts are all 0 still. -1 for want of memory. */
int categories_make(const struct input_trend_question *question, size_t dimension, const struct timeline *timelines,
                    size_t count, size_t span_count, struct arena *arena, struct categories *ret_categories) MUST_CHECK;

#endif
