/* categories.c: names are weighed before anything is counted, so that the counts take no more room than those that are
 * shown. */
#include "categories.h"

#include <stdlib.h>
#include <string.h>

struct weighed {
    const char *name;
    size_t code;
    int rank;
    long number; /* what the name says, or its place where names are in order; -1: neither */
    long weight;
};

static int order_of(long left, long right)
{
    return (left > right) - (left < right);
}

static int frequency_compare(const void *a, const void *b)
{
    const struct weighed *left = a;
    const struct weighed *right = b;
    int order = order_of(right->weight, left->weight);
    return order ? order : strcmp(left->name, right->name);
}

/* Ranked ones first, then numbers, then what comes most often. */
static int weighed_compare(const void *a, const void *b)
{
    const struct weighed *left = a;
    const struct weighed *right = b;
    int order = order_of((unsigned)left->rank, (unsigned)right->rank); /* none (-1) is the greatest */
    if (order == 0)
        order = left->number < 0 || right->number < 0 ? order_of(right->number >= 0, left->number >= 0)
                                                       : order_of(left->number, right->number);
    return order ? order : frequency_compare(a, b);
}

static long number_of(const char *name)
{
    char *end;
    long number = strtol(name, &end, 10);
    return end != name && *end == '\0' && number >= 0 ? number : -1;
}

static void weigh(const struct input_trend_question *question, size_t dimension, const struct timeline *timelines,
                  size_t count, struct weighed *weighed)
{
    for (size_t i = 0; i < count; i++) {
        const struct timeline *one = &timelines[i];
        if (one->opened > question->period.end || one->closed < question->period.start)
            continue;
        for (size_t j = question->kind->has_history ? 0 : one->count - 1; j < one->count; j++)
            weighed[one->states[j].category[dimension]].weight++;
    }
}

/* Those that occur, in their order; the rest of too many at the end. */
static size_t weighed_sort(struct weighed *weighed, size_t count)
{
    qsort(weighed, count, sizeof(*weighed), frequency_compare);
    while (count > 0 && weighed[count - 1].weight == 0)
        count--;
    size_t shown = count > CATEGORIES_MAX ? CATEGORIES_MAX : count;
    if (shown > 0)
        qsort(weighed, shown, sizeof(*weighed), weighed_compare);
    return count;
}

static int category_make(struct input_category *category, const char *name, size_t span_count, struct arena *arena)
{
    category->name = name;
    category->opened = ARENA_ARRAY(arena, span_count, int32_t);
    category->closed = ARENA_ARRAY(arena, span_count, int32_t);
    category->open = ARENA_ARRAY(arena, span_count, int32_t);
    return category->opened && category->closed && category->open ? 0 : -1;
}

int categories_make(const struct input_trend_question *question, size_t dimension, const struct timeline *timelines,
                    size_t count, size_t span_count, struct arena *arena, struct categories *ret_categories)
{
    const struct names *names = &question->names[dimension];
    const struct ranking *ranking = (size_t)question->kind->ranked == dimension ? question->kind->ranking : NULL;
    struct weighed *weighed = ARENA_ARRAY(arena, names->count, struct weighed);
    struct categories made = {.place = ARENA_ARRAY(arena, names->count, size_t)};
    if (!weighed || !made.place)
        return -1;
    for (size_t i = 0; i < names->count; i++)
        weighed[i] = (struct weighed){.name = names->names[i], .code = i, .rank = ranking_of(ranking, names->names[i]),
                                      .number = question->kind->dimensions[dimension].in_order && i > 0
                                                    ? (long)i
                                                    : number_of(names->names[i])};
    weigh(question, dimension, timelines, count, weighed);
    size_t used = weighed_sort(weighed, names->count);

    made.dimension.count = used > CATEGORIES_MAX ? CATEGORIES_MAX + 1 : used;
    made.dimension.categories = ARENA_ARRAY(arena, made.dimension.count, struct input_category);
    if (!made.dimension.categories)
        return -1;
    for (size_t i = 0; i < made.dimension.count; i++)
        if (category_make(&made.dimension.categories[i], i < CATEGORIES_MAX ? weighed[i].name : "", span_count,
                          arena) < 0)
            return -1;
    for (size_t i = 0; i < used; i++)
        made.place[weighed[i].code] = i < CATEGORIES_MAX ? i : CATEGORIES_MAX;
    if (used > CATEGORIES_MAX)
        made.dimension.categories[CATEGORIES_MAX].merged = (int)(used - CATEGORIES_MAX);
    *ret_categories = made;
    return 0;
}
