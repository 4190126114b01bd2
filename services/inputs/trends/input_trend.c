/* input_trend.c: each input is laid over the spans once, and counted in those in which it came up, was closed or was
 * open. What is said in the end (measures, directions, quality) follows from these counts. */
#include "input_trend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "categories.h"
#include "recurrence.h"
#include "timeline.h"

static const int64_t us_per_day = INT64_C(86400000000);

/* The values that one measure takes in the spans. */
struct tally {
    double *sum;
    int *count;
    double *samples; /* of a median, in the order of `sample_spans` */
    int32_t *sample_spans;
    size_t sample_count;
};

struct work {
    const struct input_trend_question *question;
    struct input_trend *trend;
    struct arena *arena;
    struct timeline *timelines;
    size_t count;
    int64_t first_opened; /* the day on which the first input of all came up */
    size_t dimension_count;
    struct categories categories[DIMENSIONS_MAX];
    struct tally tallies[MEASURES_MAX];
    int *movements; /* from each category of the first dimension to each */
    double *ages;
    size_t age_count;
    double *times_to_close;
    size_t time_count;
};

static int64_t min_day(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* --- preparing --------------------------------------------------------------------------------------------------- */

static int timelines_make(struct work *work, struct input_state *states, size_t count)
{
    const struct trend_kind *kind = work->question->kind;
    work->timelines = ARENA_ARRAY(work->arena, count, struct timeline);
    if (!work->timelines)
        return -1;
    work->first_opened = INT64_MAX;
    for (size_t i = 0; i < count;) {
        size_t next = i + 1;
        while (next < count && states[next].input == states[i].input)
            next++;
        struct timeline *timeline = &work->timelines[work->count++];
        *timeline = timeline_of(kind, &states[i], next - i);
        work->first_opened = min_day(work->first_opened, timeline->opened);
        i = next;
    }
    return 0;
}

static int tally_make(struct work *work, const struct measure *measure, struct tally *tally)
{
    size_t spans = work->trend->span_count;
    bool median = measure->reduction == REDUCTION_MEDIAN; /* an input has one sample at most */
    tally->sum = ARENA_ARRAY(work->arena, spans, double);
    tally->count = ARENA_ARRAY(work->arena, spans, int);
    tally->samples = ARENA_ARRAY(work->arena, median ? work->count : 0, double);
    tally->sample_spans = ARENA_ARRAY(work->arena, median ? work->count : 0, int32_t);
    return tally->sum && tally->count && tally->samples && tally->sample_spans ? 0 : -1;
}

static int work_prepare(struct work *work, struct input_state *states, size_t count)
{
    const struct input_trend_question *question = work->question;
    struct input_trend *trend = work->trend;
    trend->span_count = period_span_count(question->period, question->frequency);
    trend->spans = ARENA_ARRAY(work->arena, trend->span_count, struct input_span);
    if (!trend->spans || timelines_make(work, states, count) < 0)
        return -1;
    for (size_t i = 0; i < trend->span_count; i++)
        trend->spans[i].days = period_span(question->period, question->frequency, i);
    work->dimension_count = trend_kind_dimensions(question->kind);
    for (size_t i = 0; i < work->dimension_count; i++)
        if (categories_make(question, i, work->timelines, work->count, trend->span_count, work->arena,
                            &work->categories[i]) < 0)
            return -1;
    while (trend->measure_count < MEASURES_MAX && question->kind->measures[trend->measure_count]) {
        const struct measure *measure = question->kind->measures[trend->measure_count];
        trend->measures[trend->measure_count].measure = measure;
        if (tally_make(work, measure, &work->tallies[trend->measure_count++]) < 0)
            return -1;
    }
    size_t names = work->categories[0].dimension.count;
    work->movements = ARENA_ARRAY(work->arena, names * names, int);
    work->ages = ARENA_ARRAY(work->arena, work->count, double);
    work->times_to_close = ARENA_ARRAY(work->arena, work->count, double);
    return work->movements && work->ages && work->times_to_close ? 0 : -1;
}

/* --- counting ---------------------------------------------------------------------------------------------------- */

static int rank_of(const struct work *work, const struct input_state *state)
{
    const struct trend_kind *kind = work->question->kind;
    const char *name = work->question->names[kind->ranked].names[state->category[kind->ranked]];
    return kind->ranking ? ranking_of(kind->ranking, name) : -1;
}

/* Above 0: `after` is better than `before`; below: worse. */
static int improvement_of(const struct work *work, const struct input_state *before, const struct input_state *after)
{
    switch (work->question->kind->movement) {
    case MOVEMENT_RANK: {
        int from = rank_of(work, before);
        int to = rank_of(work, after);
        return from < 0 || to < 0 ? 0 : from - to;
    }
    case MOVEMENT_LOWER_IS_BETTER: return (after->value < before->value) - (after->value > before->value);
    case MOVEMENT_HIGHER_IS_BETTER: {
        double from = isnan(before->value) ? 0 : before->value;
        double to = isnan(after->value) ? 0 : after->value;
        return (to > from) - (to < from);
    }
    default: return 0;
    }
}

static void measures_count(struct work *work, size_t span, const struct moment *moment)
{
    for (size_t i = 0; i < work->trend->measure_count; i++) {
        const struct measure *measure = work->trend->measures[i].measure;
        struct tally *tally = &work->tallies[i];
        double sample = measure->sample(moment);
        if (isnan(sample))
            continue;
        if (measure->reduction == REDUCTION_MEDIAN) {
            tally->samples[tally->sample_count] = sample;
            tally->sample_spans[tally->sample_count++] = (int32_t)span;
        }
        tally->sum[span] += sample;
        tally->count[span]++;
    }
}

static void dimensions_count(struct work *work, size_t span, const struct moment *moment,
                             const struct input_state *state)
{
    for (size_t i = 0; i < work->dimension_count; i++) {
        const struct categories *categories = &work->categories[i];
        struct input_category *category =
            &categories->dimension.categories[categories->place[state->category[i]]];
        category->opened[span] += moment->opened;
        category->closed[span] += moment->closed;
        category->open[span] += moment->open;
    }
}

static void span_count(struct work *work, size_t index, const struct timeline *one, const struct moment *moment,
                       const struct input_state *state)
{
    const struct trend_kind *kind = work->question->kind;
    struct input_span *span = &work->trend->spans[index];
    span->opened += moment->opened;
    span->closed += moment->closed;
    span->open += moment->open;
    span->overdue += moment->overdue;
    span->late += one->states[0].recorded > span->days.end || (kind->has_history && state->recorded > span->days.end);
    span->corrected += one->corrected > span->days.end;
    if (moment->open && one->opened < span->days.start) {
        int better = improvement_of(work, timeline_at(kind, one, span->days.start - 1), state);
        span->improved += better > 0;
        span->worsened += better < 0;
    }
    dimensions_count(work, index, moment, state);
}

/* What the input was in the span; its state there is that of the span's end, or of the day it was closed on. */
static void moment_count(struct work *work, size_t index, const struct timeline *one)
{
    const struct input_trend_question *question = work->question;
    const struct period days = work->trend->spans[index].days;
    const struct input_state *state = timeline_at(question->kind, one, min_day(days.end, one->closed));
    int32_t marked = one->states[one->count - 1].marked;
    struct moment moment = {
        .opened = one->opened >= days.start && one->opened <= days.end,
        .closed = one->closed >= days.start && one->closed <= days.end,
        .open = one->opened <= days.end && one->closed > days.end,
        .recurs = one->recurs,
        .marked = marked != NO_DAY && marked >= days.start && marked <= days.end,
        .rank = rank_of(work, state),
        .value = state->value,
        .limit = state->limit,
        .days_to_close = (double)(one->closed - one->opened),
        .ranking = question->kind->ranking,
    };
    moment.overdue = moment.open && one->due < min_day(days.end, question->as_of_day);
    if (moment.opened || moment.closed || moment.open)
        span_count(work, index, one, &moment, state);
    measures_count(work, index, &moment);
}

static void movement_count(struct work *work, const struct timeline *one)
{
    const struct trend_kind *kind = work->question->kind;
    const struct categories *first = &work->categories[0];
    struct period period = work->question->period;
    if (!kind->has_history || one->opened >= period.start || one->closed <= period.end)
        return;
    size_t from = first->place[timeline_at(kind, one, period.start - 1)->category[0]];
    size_t to = first->place[timeline_at(kind, one, period.end)->category[0]];
    work->movements[from * first->dimension.count + to]++;
}

/* An input is counted from the span in which it came up to that in which it was closed or, where that comes later, its
 * effectiveness was verified. */
static void input_count(struct work *work, const struct timeline *one)
{
    const struct input_trend_question *question = work->question;
    struct period period = question->period;
    int64_t marked = one->states[one->count - 1].marked;
    int64_t last = one->closed > marked ? one->closed : marked;
    if (one->opened > period.end || last < period.start)
        return;
    size_t index =
        one->opened <= period.start ? 0 : period_span_of(period, question->frequency, one->opened);
    size_t end = period_span_of(period, question->frequency, min_day(last, period.end));
    for (; index <= end; index++)
        moment_count(work, index, one);

    struct input_trend *trend = work->trend;
    trend->open_at_start += one->opened < period.start && one->closed >= period.start;
    if (one->closed >= period.start && one->closed <= period.end)
        work->times_to_close[work->time_count++] = (double)(one->closed - one->opened);
    if (one->closed > period.end)
        work->ages[work->age_count++] = fmax(0, (double)(min_day(period.end, question->as_of_day) - one->opened));
    movement_count(work, one);
}

/* --- concluding -------------------------------------------------------------------------------------------------- */

/* Whether anything can be known of the span: it has begun, and something had come up by its end. */
static bool span_is_present(const struct work *work, size_t index)
{
    struct period days = work->trend->spans[index].days;
    return days.start <= work->question->as_of_day && work->first_opened <= days.end;
}

/* Whether the measure's value of the span can be compared with that of another. */
static bool span_is_comparable(const struct work *work, const struct measure *measure, size_t index)
{
    const struct input_trend_question *question = work->question;
    return measure->reduction != REDUCTION_EVENTS ||
           (work->trend->spans[index].days.end < question->as_of_day &&
            period_span_is_whole(question->period, question->frequency, index));
}

static double span_median(const struct tally *tally, size_t span, double *scratch)
{
    size_t count = 0;
    for (size_t i = 0; i < tally->sample_count; i++)
        if (tally->sample_spans[i] == (int32_t)span)
            scratch[count++] = tally->samples[i];
    return median_of(scratch, count);
}

static int measure_conclude(struct work *work, size_t index, double *scratch, struct err *err)
{
    struct input_measure *measure = &work->trend->measures[index];
    const struct tally *tally = &work->tallies[index];
    struct heading_point points[HEADING_POINTS_MAX];
    size_t point_count = 0;
    for (size_t i = 0; i < work->trend->span_count; i++) {
        bool sum = measure->measure->reduction <= REDUCTION_EVENTS;
        if (!span_is_present(work, i) || (!sum && tally->count[i] == 0))
            continue;
        double value = sum ? tally->sum[i] : tally->sum[i] / tally->count[i];
        if (measure->measure->reduction == REDUCTION_MEDIAN)
            value = span_median(tally, i, scratch);
        int64_t day = min_day(work->trend->spans[i].days.end, work->question->as_of_day);
        measure->spans[measure->count] = (int32_t)i;
        measure->values[measure->count++] = value;
        if (span_is_comparable(work, measure->measure, i))
            points[point_count++] = (struct heading_point){day * us_per_day, value};
    }
    measure->heading.direction = ISMS__INPUTS__V1__DIRECTION__DIRECTION_INSUFFICIENT_DATA;
    struct heading_question question = {.polarity = measure->measure->polarity,
                                        .percentage = strcmp(measure->measure->unit, "%") == 0};
    if (point_count < HEADING_MINIMUM_POINTS)
        return 0;
    return heading_compute(&question, points, point_count, &measure->heading, err);
}

static int measures_conclude(struct work *work, struct err *err)
{
    double *scratch = ARENA_ARRAY(work->arena, work->count, double);
    if (!scratch)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    for (size_t i = 0; i < work->trend->measure_count; i++) {
        struct input_measure *measure = &work->trend->measures[i];
        measure->spans = ARENA_ARRAY(work->arena, work->trend->span_count, int32_t);
        measure->values = ARENA_ARRAY(work->arena, work->trend->span_count, double);
        if (!measure->spans || !measure->values)
            return err_set(err, ERR_MESSAGE_TOO_LARGE);
        if (measure_conclude(work, i, scratch, err) < 0)
            return -1;
    }
    return 0;
}

static int movements_conclude(struct work *work)
{
    const struct input_dimension *first = &work->categories[0].dimension;
    size_t pairs = first->count * first->count;
    struct input_movement *movements = ARENA_ARRAY(work->arena, pairs, struct input_movement);
    if (!movements)
        return -1;
    for (size_t i = 0; i < pairs; i++)
        if (work->movements[i] > 0)
            movements[work->trend->movement_count++] =
                (struct input_movement){first->categories[i / first->count].name,
                                        first->categories[i % first->count].name, work->movements[i]};
    work->trend->movements = movements;
    return 0;
}

static void totals_conclude(struct work *work)
{
    struct input_trend *trend = work->trend;
    trend->quality.minimum = HEADING_MINIMUM_POINTS;
    for (size_t i = 0; i < trend->span_count; i++) {
        const struct input_span *span = &trend->spans[i];
        trend->opened += span->opened;
        trend->closed += span->closed;
        trend->quality.expected += span->days.start <= work->question->as_of_day;
        trend->quality.present += span_is_present(work, i);
        trend->quality.late += span->late > 0 && span_is_present(work, i);
        trend->quality.corrected += span->corrected > 0 && span_is_present(work, i);
    }
    trend->open_at_end = trend->spans[trend->span_count - 1].open;
    trend->overdue_at_end = trend->spans[trend->span_count - 1].overdue;
    for (size_t i = 0; i < work->dimension_count; i++)
        trend->dimensions[i] = work->categories[i].dimension;
    trend->age = ageing_of(work->ages, work->age_count);
    trend->time_to_close = ageing_of(work->times_to_close, work->time_count);
}

/* The period up to today: of what is to come nothing can be said. One day at least. */
static struct period period_so_far(const struct input_trend_question *question)
{
    struct period period = question->period;
    period.end = question->as_of_day < period.start ? period.start : min_day(question->as_of_day, period.end);
    return period;
}

int input_trend_compute(const struct input_trend_question *asked, struct input_state *states, size_t count,
                        struct arena *arena, struct input_trend *ret_trend, struct err *err)
{
    struct input_trend_question so_far = *asked;
    const struct input_trend_question *question = &so_far;
    so_far.period = period_so_far(asked);
    struct input_trend trend = {0};
    struct work work = {.question = question, .trend = &trend, .arena = arena};
    if (work_prepare(&work, states, count) < 0)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    if (recurrences_find(question, work.timelines, work.count, arena, &trend.recurrences, &trend.recurrence_count,
                         err) < 0)
        return -1;
    for (size_t i = 0; i < work.count; i++)
        input_count(&work, &work.timelines[i]);
    if (measures_conclude(&work, err) < 0)
        return -1;
    if (movements_conclude(&work) < 0)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    totals_conclude(&work);
    *ret_trend = trend;
    return 0;
}
