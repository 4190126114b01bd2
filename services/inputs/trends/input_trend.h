/* input_trend.h: how the inputs of a kind went over a period, out of the states that they were recorded in. Pure, like
 * trend.h: no clock, no database. Days are days since 1970-01-01, of the organisation.
 *
 * An input is open from the day it came up until the day before it was closed; both days are those known now. Where a
 * kind has a history, what an input was like on a day is the last state that holds from that day or before: from the
 * day it was recorded on or, where it says that it was assessed anew earlier, from that day; the first state holds from
 * the beginning. An input that came up before it was recorded is counted where it came up, and as late in the spans
 * that had ended by then. */
#ifndef ISMS_INPUTS_INPUT_TREND_H
#define ISMS_INPUTS_INPUT_TREND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>

#include "ageing.h"
#include "heading.h"
#include "period.h"
#include "trend.h"
#include "trend_kind.h"

enum { CATEGORIES_MAX = 50 }; /* of a dimension that keep their name */

/* An input as it was recorded on a day. NO_DAY and NAN: none. */
struct input_state {
    int32_t input; /* the states of one input follow each other, oldest first */
    int32_t recorded;
    int32_t opened;
    int32_t closed;
    int32_t due;
    int32_t marked;                   /* the kind's day_path */
    int32_t category[DIMENSIONS_MAX]; /* place in the question's names; 0: none */
    double value;
    double limit;
    bool recurs; /* names the one it is a recurrence of */
    int32_t from; /* for input_trend_compute(): the day it holds from */
};

/* What inputs are counted under; the first is "", for those without. */
struct names {
    const char *const *names;
    size_t count;
};

struct input_trend_question {
    const struct trend_kind *kind;
    struct period period; /* of PERIOD_YEARS_MAX years at most */
    Isms__Inputs__V1__Frequency frequency;
    int64_t as_of_day;
    struct names names[DIMENSIONS_MAX];
};

struct input_span {
    struct period days;
    int opened;
    int closed;
    int open;
    int overdue;
    int improved;
    int worsened;
    int late;
    int corrected;
};

/* Lists have an item a span. */
struct input_category {
    const char *name;
    int32_t *opened;
    int32_t *closed;
    int32_t *open;
    int merged; /* how many names are counted here, above CATEGORIES_MAX */
};

struct input_dimension {
    struct input_category *categories;
    size_t count;
};

struct input_measure {
    const struct measure *measure;
    int32_t *spans;
    double *values;
    size_t count;
    struct heading heading;
};

struct input_movement {
    const char *from;
    const char *to;
    int count;
};

struct input_recurrence {
    const char *cause;
    int opened;
    int recurred;
    int earlier;
};

struct input_trend {
    int opened;
    int closed;
    int open_at_start;
    int open_at_end;
    int overdue_at_end;
    struct input_span *spans;
    size_t span_count;
    struct input_dimension dimensions[DIMENSIONS_MAX];
    struct input_measure measures[MEASURES_MAX];
    size_t measure_count;
    struct input_movement *movements;
    size_t movement_count;
    struct input_recurrence *recurrences;
    size_t recurrence_count;
    struct ageing age;
    struct ageing time_to_close;
    struct trend_quality quality;
};

/* Fails only for want of memory (MESSAGE_TOO_LARGE). */
int input_trend_compute(const struct input_trend_question *question, struct input_state *states, size_t count,
                        struct arena *arena, struct input_trend *ret_trend, struct err *err) MUST_CHECK;

#endif
