/* timeline.c: states are few, so looking through them is enough. */
#include "timeline.h"

/* Closing is no correction, and neither is another due date; another day of what is past is one, and so is another
 * grade (the first dimension) of what has no history. */
static bool corrects(const struct trend_kind *kind, const struct input_state *before, const struct input_state *after)
{
    bool graded = !kind->has_history && before->category[0] != 0 && before->category[0] != after->category[0];
    return graded || before->opened != after->opened || (before->closed != NO_DAY && before->closed != after->closed);
}

struct timeline timeline_of(const struct trend_kind *kind, struct input_state *states, size_t count)
{
    const struct input_state *last = &states[count - 1];
    struct timeline timeline = {
        .states = states,
        .count = count,
        .opened = last->opened,
        .closed = last->closed == NO_DAY         ? INT64_MAX
                  : last->closed > last->opened ? last->closed
                                                : last->opened,
        .due = last->due == NO_DAY ? INT64_MAX : last->due,
        .corrected = INT64_MIN,
        .recurs = last->recurs,
    };
    states[0].from = last->opened;
    for (size_t i = 1; i < count; i++) {
        bool again = states[i].marked != NO_DAY && states[i].marked != states[i - 1].marked;
        int32_t from = again && states[i].marked < states[i].recorded ? states[i].marked : states[i].recorded;
        states[i].from = from > states[i - 1].from ? from : states[i - 1].from;
        if (corrects(kind, &states[i - 1], &states[i]))
            timeline.corrected = states[i].recorded;
    }
    return timeline;
}

const struct input_state *timeline_at(const struct trend_kind *kind, const struct timeline *timeline, int64_t day)
{
    size_t i = timeline->count - 1;
    while (kind->has_history && i > 0 && timeline->states[i].from > day)
        i--;
    return &timeline->states[i];
}
