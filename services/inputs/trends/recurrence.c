/* recurrence.c: in the order in which they came up, each finds out whether its cause was there before. */
#include "recurrence.h"

#include <stdlib.h>
#include <string.h>

static int timeline_compare(const void *a, const void *b)
{
    const struct timeline *left = *(struct timeline *const *)a;
    const struct timeline *right = *(struct timeline *const *)b;
    if (left->opened != right->opened)
        return left->opened > right->opened ? 1 : -1;
    return (left->states > right->states) - (left->states < right->states);
}

static int recurrence_compare(const void *a, const void *b)
{
    const struct input_recurrence *left = a;
    const struct input_recurrence *right = b;
    if (left->recurred != right->recurred)
        return left->recurred < right->recurred ? 1 : -1;
    return strcmp(left->cause, right->cause);
}

int recurrences_find(const struct input_trend_question *question, struct timeline *timelines, size_t count,
                     struct arena *arena, struct input_recurrence **ret_recurrences, size_t *ret_count,
                     struct err *err)
{
    int dimension = question->kind->cause;
    if (dimension == 0)
        return 0;
    const struct names *names = &question->names[dimension]; /* the first is that of no cause */
    struct timeline **order = ARENA_ARRAY(arena, count, struct timeline *);
    struct input_recurrence *all = ARENA_ARRAY(arena, names->count, struct input_recurrence);
    if (!order || !all)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    for (size_t i = 0; i < count; i++)
        order[i] = &timelines[i];
    if (count > 0)
        qsort(order, count, sizeof(*order), timeline_compare);
    for (size_t i = 0; i < names->count; i++)
        all[i].cause = names->names[i];
    for (size_t i = 0; i < count && order[i]->opened <= question->period.end; i++) {
        const struct input_state *last = &order[i]->states[order[i]->count - 1];
        struct input_recurrence *cause = &all[last->category[dimension]];
        order[i]->recurs = order[i]->recurs || (cause > all && cause->opened + cause->earlier > 0);
        if (order[i]->opened < question->period.start) {
            cause->earlier++;
            continue;
        }
        cause->opened++;
        cause->recurred += order[i]->recurs;
    }
    size_t kept = 0;
    for (size_t i = 0; i < names->count; i++)
        if (all[i].opened > 0)
            all[kept++] = all[i];
    if (kept > 0)
        qsort(all, kept, sizeof(*all), recurrence_compare);
    *ret_recurrences = all;
    *ret_count = kept;
    return 0;
}
