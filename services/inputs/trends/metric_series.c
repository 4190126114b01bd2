/* metric_series.c: reads the points of metrics, lets trend.c judge them, and writes the judgement into messages.
 *
 * One statement reaches back as far as the comparisons need; its points are sorted once, and each period takes its
 * part of them. */
#include <string.h>

#include <isms/base/bug.h>
#include <isms/base/clock.h>
#include <isms/inputs/v1/statements.pb-c.h>
#include <isms/proto/binding.h>
#include <isms/proto/message.h>

#include "heading.h"
#include "target.h"
#include "trend.h"
#include "trend_message.h"
#include "trends.h"

/* PORTION: metrics whose points are in memory at once; of 20,000 points each (MetricSeries.sql), 10 MiB.
 * SNAPSHOT_POINTS_MAX: that all metrics of a snapshot show together, at least SHOWN_POINTS_MIN each. */
enum { PORTION = 5, SNAPSHOT_POINTS_MAX = 40000, SHOWN_POINTS_MIN = 2 };

/* A metric being judged. */
struct judging {
    const Isms__Inputs__V1__MetricSeries *series;
    struct trend_question question;
    struct trend_point *points; /* sorted */
    size_t count;
    struct arena *arena;
};

static int no_memory(struct err *err)
{
    return err_setf(err, ERR_MESSAGE_TOO_LARGE, "The answer needs more memory than a call may use.");
}

/* --- points ------------------------------------------------------------------------------------------------------ */

static int judging_begin(struct judging *judging, const Isms__Inputs__V1__MetricSeries *series, struct arena *arena)
{
    const Isms__Inputs__V1__Metric *metric = series->metric;
    size_t count = series->n_value;
    BUG_IF(!metric || series->n_observed_us != count || series->n_observed_day != count ||
           series->n_recorded_day != count || series->n_corrected != count || series->n_minimum != count ||
           series->n_maximum != count); /* MetricSeries.sql */
    *judging = (struct judging){
        .series = series,
        .question = {.polarity = metric->polarity,
                     .frequency = metric->frequency,
                     .target = metric->target,
                     .percentage = strcmp(metric->unit, "%") == 0,
                     .grace_days = metric->grace_days,
                     .minimum_points = metric->minimum_points,
                     .as_of_day = series->today},
        .points = ARENA_ARRAY(arena, count, struct trend_point),
        .count = count,
        .arena = arena,
    };
    for (size_t i = 0; judging->points && i < count; i++)
        judging->points[i] = (struct trend_point){.time_us = series->observed_us[i],
                                                  .day = series->observed_day[i],
                                                  .recorded_day = series->recorded_day[i],
                                                  .value = series->value[i],
                                                  .minimum = series->minimum[i],
                                                  .maximum = series->maximum[i],
                                                  .corrected = series->corrected[i]};
    if (!judging->points)
        return -1;
    trend_points_sort(judging->points, count);
    return 0;
}

/* The points of a period are next to each other: time and day go the same way. */
static struct trend_point *points_within(const struct judging *judging, struct period period, size_t *ret_count)
{
    size_t first = 0;
    while (first < judging->count && judging->points[first].day < period.start)
        first++;
    size_t end = first;
    while (end < judging->count && judging->points[end].day <= period.end)
        end++;
    *ret_count = end - first;
    return judging->points + first;
}

/* --- messages ---------------------------------------------------------------------------------------------------- */

static Google__Protobuf__Timestamp *timestamp_new(struct arena *arena, int64_t time_us)
{
    Google__Protobuf__Timestamp *timestamp = ARENA_NEW(arena, Google__Protobuf__Timestamp);
    if (!timestamp)
        return NULL;
    google__protobuf__timestamp__init(timestamp);
    int64_t rest = (time_us % 1000000 + 1000000) % 1000000;
    timestamp->seconds = (time_us - rest) / 1000000;
    timestamp->nanos = (int32_t)rest * 1000;
    return timestamp;
}

/* Shows `most` of the trend's points. */
static void points_fill(struct arena *arena, const struct trend *trend, size_t most, Isms__Inputs__V1__Trend *message)
{
    size_t count;
    const struct trend_point *shown = trend_points_thin(trend->points, trend->point_count, most, arena, &count);
    message->points = ARENA_ARRAY(arena, count, Isms__Inputs__V1__TrendPoint *);
    Isms__Inputs__V1__TrendPoint *points = ARENA_ARRAY(arena, count, Isms__Inputs__V1__TrendPoint);
    if ((count > 0 && !shown) || !message->points || !points)
        return;
    for (size_t i = 0; i < count; i++) {
        isms__inputs__v1__trend_point__init(&points[i]);
        points[i].time = timestamp_new(arena, shown[i].time_us);
        points[i].value = shown[i].value;
        points[i].late = shown[i].late;
        points[i].corrected = shown[i].corrected;
        message->points[i] = &points[i];
    }
    message->n_points = count;
}

/* How many points a trend shows: in a snapshot its part of what all of them may have together. */
static size_t points_most(const struct trend_span_request *wanted, const Isms__Inputs__V1__MetricSeries *series)
{
    if (!wanted->of_snapshot || series->metrics == 0)
        return HEADING_POINTS_MAX;
    size_t most = (size_t)(SNAPSHOT_POINTS_MAX / series->metrics);
    return most < SHOWN_POINTS_MIN ? SHOWN_POINTS_MIN : most;
}

static void spans_fill(const struct judging *judging, struct period period, Isms__Inputs__V1__Frequency frequency,
                       Isms__Inputs__V1__Trend *message)
{
    size_t count;
    const struct trend_point *points = points_within(judging, period, &count);
    struct value_span *spans = trend_spans(period, frequency, points, count, judging->arena);
    size_t span_count = period_span_count(period, frequency);
    message->spans = ARENA_ARRAY(judging->arena, span_count, Isms__Inputs__V1__ValueSpan *);
    Isms__Inputs__V1__ValueSpan *filled = ARENA_ARRAY(judging->arena, span_count, Isms__Inputs__V1__ValueSpan);
    if (!spans || !message->spans || !filled)
        return;
    for (size_t i = 0; i < span_count; i++) {
        isms__inputs__v1__value_span__init(&filled[i]);
        filled[i].days = date_range_new(judging->arena, period_span(period, frequency, i));
        filled[i].points = (int32_t)spans[i].count;
        filled[i].mean = spans[i].mean;
        filled[i].minimum = spans[i].minimum;
        filled[i].maximum = spans[i].maximum;
        filled[i].last = spans[i].last;
        if (spans[i].count > 0)
            filled[i].target_attainment = target_judge(judging->question.target, spans[i].last);
        message->spans[i] = &filled[i];
    }
    message->n_spans = span_count;
}

/* The trend's values against those of another period. */
static int compared_new(const struct judging *judging, const struct trend *trend, struct period period,
                        Isms__Inputs__V1__PeriodValues **ret_values, struct err *err)
{
    size_t count;
    struct trend other;
    struct trend_point *points = points_within(judging, period, &count);
    Isms__Inputs__V1__PeriodValues *values = ARENA_NEW(judging->arena, Isms__Inputs__V1__PeriodValues);
    if (!values)
        return no_memory(err);
    if (trend_compute(&judging->question, period, points, count, judging->arena, &other, err) < 0)
        return -1;
    isms__inputs__v1__period_values__init(values);
    values->period = date_range_new(judging->arena, period);
    values->points = (int32_t)count;
    values->last_value = other.last_value;
    values->mean_value = other.mean_value;
    values->quality = data_quality_new(judging->arena, &other.quality);
    if (count > 0 && trend->count > 0) {
        values->last_change = trend->last_value - other.last_value;
        values->mean_change = trend->mean_value - other.mean_value;
        values->comparison = values_compare(judging->question.polarity, judging->question.target, trend->last_value,
                                            other.last_value);
    }
    *ret_values = values;
    return 0;
}

static void values_fill(const struct judging *judging, const struct trend *trend, Isms__Inputs__V1__Trend *message)
{
    const Isms__Inputs__V1__Metric *metric = judging->series->metric;
    message->metric_id = judging->series->metric_id;
    message->number = judging->series->number;
    message->title = judging->series->title;
    message->unit = metric->unit;
    message->polarity = metric->polarity;
    message->direction = trend->direction;
    message->slope_per_30_days = trend->slope_per_30_days;
    message->quality = data_quality_new(judging->arena, &trend->quality);
    message->first_value = trend->first_value;
    message->last_value = trend->last_value;
    message->mean_value = trend->mean_value;
    message->change_percent = trend->change_percent;
    message->target = metric->target;
    message->thresholds = metric->thresholds;
    message->benchmark = metric->benchmark;
    if (trend->count == 0)
        return;
    message->target_attainment = target_judge(metric->target, trend->last_value);
    message->threshold_state =
        thresholds_judge(metric->thresholds, metric->polarity, metric->target, trend->last_value);
    if (metric->benchmark) {
        message->benchmark_difference = trend->last_value - metric->benchmark->value;
        message->benchmark_comparison =
            values_compare(metric->polarity, metric->target, trend->last_value, metric->benchmark->value);
    }
}

static int trend_fill(struct call *call, const struct trend_span_request *wanted,
                      const Isms__Inputs__V1__MetricSeries *series, Isms__Inputs__V1__Trend *message, struct err *err)
{
    struct judging judging;
    struct trend trend;
    struct period period = period_of(wanted->period);
    if (judging_begin(&judging, series, call_arena(call)) < 0)
        return no_memory(err);
    size_t count;
    struct trend_point *points = points_within(&judging, period, &count);
    if (trend_compute(&judging.question, period, points, count, judging.arena, &trend, err) < 0)
        return -1;

    isms__inputs__v1__trend__init(message);
    message->period = (Isms__Type__V1__DateRange *)(uintptr_t)wanted->period;
    message->granularity = granularity_stated(wanted->granularity);
    values_fill(&judging, &trend, message);
    message->points_are_days = series->by_day;
    spans_fill(&judging, period, frequency_of(wanted->granularity), message);
    points_fill(judging.arena, &trend, points_most(wanted, series), message);
    return compared_new(&judging, &trend, period_before(period), &message->previous_period, err) < 0 ||
                   compared_new(&judging, &trend, period_last_year(period), &message->same_period_last_year, err) < 0
               ? -1
               : 0;
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

/* All days that are compared. */
static struct period reach_of(struct period period)
{
    struct period before = period_before(period);
    struct period last_year = period_last_year(period);
    return (struct period){before.start < last_year.start ? before.start : last_year.start, period.end};
}

/* The next metrics: their trends are appended to the page, which has room for them. All that was taken for reading
 * and computing is given back. */
static int portion_append(struct call *call, const struct trend_span_request *wanted,
                          const Isms__Inputs__V1__MetricSeriesRequest *request,
                          Isms__Inputs__V1__ListMetricTrendsResponse *page, struct err *err)
{
    struct arena *arena = call_arena(call);
    struct arena_mark mark = arena_mark(arena);
    Isms__Inputs__V1__MetricSeriesList list = ISMS__INPUTS__V1__METRIC_SERIES_LIST__INIT;
    Isms__Inputs__V1__ListMetricTrendsResponse portion = ISMS__INPUTS__V1__LIST_METRIC_TRENDS_RESPONSE__INIT;
    if (call_statement(call, "MetricSeries", &request->base, &list.base, err) < 0)
        return -1;
    portion.trends = ARENA_ARRAY(arena, list.n_series, Isms__Inputs__V1__Trend *);
    for (; portion.trends && portion.n_trends < list.n_series; portion.n_trends++) {
        Isms__Inputs__V1__Trend *trend = ARENA_NEW(arena, Isms__Inputs__V1__Trend);
        if (!trend)
            break;
        if (trend_fill(call, wanted, list.series[portion.n_trends], trend, err) < 0)
            return -1;
        portion.trends[portion.n_trends] = trend;
    }
    if (arena_exhausted(arena))
        return no_memory(err);
    portion.next_page_token = list.next_page_token;
    ProtobufCMessage *kept = &portion.base;
    if (message_keep(&kept, arena, &mark, err) < 0)
        return -1;
    portion = *(Isms__Inputs__V1__ListMetricTrendsResponse *)kept;
    for (size_t i = 0; i < portion.n_trends; i++)
        page->trends[page->n_trends++] = portion.trends[i];
    page->next_page_token = portion.next_page_token;
    return 0;
}

int metric_trends_read(struct call *call, const struct trend_span_request *wanted, const char *metric_id, int page_size,
                       const char *page_token, Isms__Inputs__V1__ListMetricTrendsResponse *ret_page, struct err *err)
{
    struct arena *arena = call_arena(call);
    Isms__Inputs__V1__MetricSeriesRequest request = ISMS__INPUTS__V1__METRIC_SERIES_REQUEST__INIT;
    Isms__Inputs__V1__ListMetricTrendsResponse page = ISMS__INPUTS__V1__LIST_METRIC_TRENDS_RESPONSE__INIT;
    size_t size = page_size > 0 ? (size_t)page_size : BINDING_PAGE_DEFAULT;
    request.metric_id = (char *)(uintptr_t)metric_id;
    request.period = (Isms__Type__V1__DateRange *)(uintptr_t)wanted->period;
    request.reach = date_range_new(arena, reach_of(period_of(wanted->period)));
    page.next_page_token = (char *)(uintptr_t)page_token;
    page.trends = ARENA_ARRAY(arena, size, Isms__Inputs__V1__Trend *);
    if (!request.reach || !page.trends)
        return no_memory(err);
    do {
        request.page_token = page.next_page_token;
        request.page_size = size - page.n_trends < PORTION ? (int)(size - page.n_trends) : PORTION;
        if (portion_append(call, wanted, &request, &page, err) < 0)
            return -1;
    } while (page.next_page_token[0] != '\0' && page.n_trends < size);
    *ret_page = page;
    return 0;
}
