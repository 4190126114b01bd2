/* input_history.c: reads the states of the inputs of a kind, lets input_trend.c count them, and writes the counts into
 * messages. */
#include <isms/base/bug.h>
#include <isms/inputs/v1/statements.pb-c.h>
#include <isms/proto/message.h>

#include "input_trend.h"
#include "trend_message.h"
#include "trends.h"

/* Of a call's memory, for each state that a trend is made of: some 200 while it is computed, and a reserve. */
enum { STATE_BYTES = 320 };

static int32_t states_max(struct call *call)
{
    return (int32_t)(call_arena(call)->max / STATE_BYTES);
}

static int no_memory(struct err *err)
{
    return err_setf(err, ERR_MESSAGE_TOO_LARGE, "The answer needs more memory than a call may use.");
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

static int history_read(struct call *call, const struct trend_span_request *wanted, const struct trend_kind *kind,
                        Isms__Inputs__V1__InputHistory *history, struct err *err)
{
    Isms__Inputs__V1__InputHistoryRequest request = ISMS__INPUTS__V1__INPUT_HISTORY_REQUEST__INIT;
    char **const paths[] = {&request.first_path, &request.second_path, &request.third_path, &request.fourth_path};
    request.kind = kind->kind;
    request.states_max = states_max(call);
    request.period = (Isms__Type__V1__DateRange *)(uintptr_t)wanted->period;
    for (size_t i = 0; i < trend_kind_dimensions(kind); i++)
        *paths[i] = (char *)(uintptr_t)kind->dimensions[i].path;
    if (kind->day_path)
        request.day_path = (char *)(uintptr_t)kind->day_path;
    if (kind->value_path)
        request.value_path = (char *)(uintptr_t)kind->value_path;
    if (kind->limit_path)
        request.limit_path = (char *)(uintptr_t)kind->limit_path;
    return call_statement(call, "InputHistory", &request.base, &history->base, err);
}

static struct input_state *states_new(const Isms__Inputs__V1__InputHistory *history, struct arena *arena)
{
    size_t count = history->n_input;
    const size_t lengths[] = {history->n_recorded, history->n_opened, history->n_closed, history->n_due,
                              history->n_marked,   history->n_first,  history->n_second, history->n_third,
                              history->n_fourth,   history->n_value,  history->n_bound,  history->n_recurs};
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
        BUG_IF(lengths[i] != count); /* InputHistory.sql */
    struct input_state *states = ARENA_ARRAY(arena, count, struct input_state);
    for (size_t i = 0; states && i < count; i++)
        states[i] = (struct input_state){
            .input = history->input[i],
            .recorded = history->recorded[i],
            .opened = history->opened[i],
            .closed = history->closed[i],
            .due = history->due[i],
            .marked = history->marked[i],
            .category = {history->first[i], history->second[i], history->third[i], history->fourth[i]},
            .value = history->value[i],
            .limit = history->bound[i],
            .recurs = history->recurs[i],
        };
    return states;
}

/* --- messages ---------------------------------------------------------------------------------------------------- */

/* Rows of messages of one type, and the pointers to them that protobuf-c wants. */
#define MESSAGES_NEW(arena, type, count, ret_pointers) \
    (type *)messages_new((arena), (count), sizeof(type), (void ***)(ret_pointers))

static void *messages_new(struct arena *arena, size_t count, size_t size, void ***ret_pointers)
{
    char *messages = arena_alloc_array(arena, count, size);
    *ret_pointers = ARENA_ARRAY(arena, count, void *);
    for (size_t i = 0; messages && *ret_pointers && i < count; i++)
        (*ret_pointers)[i] = messages + i * size;
    return *ret_pointers ? messages : NULL;
}

static void spans_fill(struct arena *arena, const struct input_trend *trend, Isms__Inputs__V1__InputTrend *message)
{
    Isms__Inputs__V1__TrendSpan *spans =
        MESSAGES_NEW(arena, Isms__Inputs__V1__TrendSpan, trend->span_count, &message->spans);
    for (size_t i = 0; spans && i < trend->span_count; i++) {
        const struct input_span *span = &trend->spans[i];
        isms__inputs__v1__trend_span__init(&spans[i]);
        spans[i].days = date_range_new(arena, span->days);
        spans[i].opened = span->opened;
        spans[i].closed = span->closed;
        spans[i].open = span->open;
        spans[i].overdue = span->overdue;
        spans[i].improved = span->improved;
        spans[i].worsened = span->worsened;
        spans[i].late_records = span->late;
        spans[i].corrected_records = span->corrected;
    }
    message->n_spans = trend->span_count;
}

static void dimension_fill(struct arena *arena, const struct dimension *dimension,
                           const struct input_dimension *counted, size_t span_count,
                           Isms__Inputs__V1__TrendDimension *message)
{
    isms__inputs__v1__trend_dimension__init(message);
    message->name = (char *)(uintptr_t)dimension->name;
    Isms__Inputs__V1__TrendCategory *categories =
        MESSAGES_NEW(arena, Isms__Inputs__V1__TrendCategory, counted->count, &message->categories);
    for (size_t i = 0; categories && i < counted->count; i++) {
        const struct input_category *category = &counted->categories[i];
        isms__inputs__v1__trend_category__init(&categories[i]);
        categories[i].name = (char *)(uintptr_t)category->name;
        categories[i].opened = category->opened;
        categories[i].closed = category->closed;
        categories[i].open = category->open;
        categories[i].n_opened = categories[i].n_closed = categories[i].n_open = span_count;
        categories[i].merged_names = category->merged;
    }
    message->n_categories = counted->count;
}

static void dimensions_fill(struct arena *arena, const struct trend_kind *kind, const struct input_trend *trend,
                            Isms__Inputs__V1__InputTrend *message)
{
    size_t count = trend_kind_dimensions(kind);
    Isms__Inputs__V1__TrendDimension *dimensions =
        MESSAGES_NEW(arena, Isms__Inputs__V1__TrendDimension, count, &message->dimensions);
    for (size_t i = 0; dimensions && i < count; i++)
        dimension_fill(arena, &kind->dimensions[i], &trend->dimensions[i], trend->span_count, &dimensions[i]);
    message->n_dimensions = count;
}

static void measures_fill(struct arena *arena, const struct input_trend *trend, Isms__Inputs__V1__InputTrend *message)
{
    Isms__Inputs__V1__TrendMeasure *measures =
        MESSAGES_NEW(arena, Isms__Inputs__V1__TrendMeasure, trend->measure_count, &message->measures);
    for (size_t i = 0; measures && i < trend->measure_count; i++) {
        const struct input_measure *measure = &trend->measures[i];
        isms__inputs__v1__trend_measure__init(&measures[i]);
        measures[i].name = (char *)(uintptr_t)measure->measure->name;
        measures[i].unit = (char *)(uintptr_t)measure->measure->unit;
        measures[i].polarity = measure->measure->polarity;
        measures[i].span = measure->spans;
        measures[i].value = measure->values;
        measures[i].n_span = measures[i].n_value = measure->count;
        measures[i].direction = measure->heading.direction;
        measures[i].slope_per_30_days = measure->heading.slope_per_30_days;
    }
    message->n_measures = trend->measure_count;
    message->direction = trend->measures[0].heading.direction;
    message->slope_per_30_days = trend->measures[0].heading.slope_per_30_days;
}

static void movements_fill(struct arena *arena, const struct input_trend *trend, Isms__Inputs__V1__InputTrend *message)
{
    Isms__Inputs__V1__Movement *movements =
        MESSAGES_NEW(arena, Isms__Inputs__V1__Movement, trend->movement_count, &message->movements);
    for (size_t i = 0; movements && i < trend->movement_count; i++) {
        isms__inputs__v1__movement__init(&movements[i]);
        movements[i].from = (char *)(uintptr_t)trend->movements[i].from;
        movements[i].to = (char *)(uintptr_t)trend->movements[i].to;
        movements[i].count = trend->movements[i].count;
    }
    message->n_movements = trend->movement_count;
}

static void recurrences_fill(struct arena *arena, const struct input_trend *trend,
                             Isms__Inputs__V1__InputTrend *message)
{
    Isms__Inputs__V1__Recurrence *recurrences =
        MESSAGES_NEW(arena, Isms__Inputs__V1__Recurrence, trend->recurrence_count, &message->recurrences);
    for (size_t i = 0; recurrences && i < trend->recurrence_count; i++) {
        isms__inputs__v1__recurrence__init(&recurrences[i]);
        recurrences[i].cause = (char *)(uintptr_t)trend->recurrences[i].cause;
        recurrences[i].opened = trend->recurrences[i].opened;
        recurrences[i].recurred = trend->recurrences[i].recurred;
        recurrences[i].earlier = trend->recurrences[i].earlier;
    }
    message->n_recurrences = trend->recurrence_count;
}

static Isms__Inputs__V1__Ageing *ageing_new(struct arena *arena, const struct ageing *ageing)
{
    Isms__Inputs__V1__Ageing *message = ARENA_NEW(arena, Isms__Inputs__V1__Ageing);
    int32_t *buckets = arena_memdup(arena, ageing->buckets, sizeof(ageing->buckets));
    if (!message || !buckets)
        return NULL;
    isms__inputs__v1__ageing__init(message);
    message->count = (int32_t)ageing->count;
    message->median_days = ageing->median_days;
    message->p90_days = ageing->p90_days;
    message->longest_days = ageing->longest_days;
    message->buckets = buckets;
    message->n_buckets = AGEING_BUCKETS;
    return message;
}

static void trend_fill(struct arena *arena, const struct trend_kind *kind, const struct input_trend *trend,
                       Isms__Inputs__V1__InputTrend *message)
{
    message->opened = trend->opened;
    message->closed = trend->closed;
    message->open_at_start = trend->open_at_start;
    message->open_at_end = trend->open_at_end;
    message->overdue_at_end = trend->overdue_at_end;
    message->quality = data_quality_new(arena, &trend->quality);
    message->age = ageing_new(arena, &trend->age);
    message->time_to_close = ageing_new(arena, &trend->time_to_close);
    spans_fill(arena, trend, message);
    dimensions_fill(arena, kind, trend, message);
    measures_fill(arena, trend, message);
    movements_fill(arena, trend, message);
    recurrences_fill(arena, trend, message);
}

static int too_many(struct call *call, struct err *err)
{
    err_set(err, ERR_LIMIT_REACHED);
    err_fact(err, "limit", "%d states of inputs of a kind", (int)states_max(call));
    return -1;
}

/* What it took to read and compute the trend is still in the arena afterwards. */
static int trend_read(struct call *call, const struct trend_span_request *wanted, const struct trend_kind *kind,
                      Isms__Inputs__V1__InputTrend *message, struct err *err)
{
    struct arena *arena = call_arena(call);
    Isms__Inputs__V1__InputHistory history = ISMS__INPUTS__V1__INPUT_HISTORY__INIT;
    if (history_read(call, wanted, kind, &history, err) < 0)
        return -1;
    message->left_out = history.too_many;
    if (history.too_many)
        return wanted->of_snapshot ? 0 : too_many(call, err);
    struct input_trend_question question = {
        .kind = kind,
        .period = period_of(wanted->period),
        .frequency = frequency_of(wanted->granularity),
        .as_of_day = history.today,
        .names = {{(const char *const *)history.first_names, history.n_first_names},
                  {(const char *const *)history.second_names, history.n_second_names},
                  {(const char *const *)history.third_names, history.n_third_names},
                  {(const char *const *)history.fourth_names, history.n_fourth_names}},
    };
    struct input_state *states = states_new(&history, arena);
    struct input_trend trend;
    if (!states)
        return no_memory(err);
    if (input_trend_compute(&question, states, history.n_input, arena, &trend, err) < 0)
        return -1;
    trend_fill(arena, kind, &trend, message);
    return arena_exhausted(arena) ? no_memory(err) : 0;
}

int input_trend_read(struct call *call, const struct trend_span_request *wanted, Isms__Inputs__V1__InputKind input_kind,
                     Isms__Inputs__V1__InputTrend *ret_trend, struct err *err)
{
    const struct trend_kind *kind = trend_kind_of(input_kind);
    if (!kind)
        return err_field(err, "kind", "has no such trend; the values of metrics are in GetMetricTrend");
    struct arena_mark mark = arena_mark(call_arena(call));
    Isms__Inputs__V1__InputTrend message = ISMS__INPUTS__V1__INPUT_TREND__INIT;
    ProtobufCMessage *kept = &message.base;
    message.kind = input_kind;
    message.period = (Isms__Type__V1__DateRange *)(uintptr_t)wanted->period;
    message.granularity = granularity_stated(wanted->granularity);
    if (trend_read(call, wanted, kind, &message, err) < 0 || message_keep(&kept, call_arena(call), &mark, err) < 0)
        return -1;
    *ret_trend = *(Isms__Inputs__V1__InputTrend *)kept;
    return 0;
}
