/* timeline.h: the life of one input, out of the states it was recorded in. Pure. */
#ifndef ISMS_INPUTS_TIMELINE_H
#define ISMS_INPUTS_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "input_trend.h"

struct timeline {
    struct input_state *states;
    size_t count;
    int64_t opened;
    int64_t closed; /* INT64_MAX: it is not; never before `opened` */
    int64_t due;    /* INT64_MAX: none */
    int64_t corrected; /* the last day on which a day, or a grade, was corrected; INT64_MIN: none */
    bool recurs;
};

/* Of states[0] to states[count - 1], all of one input; sets `from` of each. */
struct timeline timeline_of(const struct trend_kind *kind, struct input_state *states, size_t count);

/* The state that held on the day: of kinds without a history the last one. */
const struct input_state *timeline_at(const struct trend_kind *kind, const struct timeline *timeline, int64_t day);

#endif
