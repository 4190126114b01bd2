/* trends.c: reads series, lets trend.c judge them, and writes the judgement into messages. */
#include "trends.h"

#include <string.h>

#include <isms/base/bug.h>
#include <isms/base/clock.h>
#include <isms/inputs/v1/statements.pb-c.h>

#include "nonconformity_trend.h"
#include "service.h"
#include "trend.h"

static int64_t days_of(const char *text)
{
    struct date date;
    BUG_IF(!date_parse(text, &date)); /* the validator has seen it */
    return date_to_days(date);
}

int period_check(const Isms__Type__V1__DateRange *period, struct err *err)
{
    int64_t start = days_of(period->start_date);
    int64_t end = days_of(period->end_date);
    if (end < start)
        return err_field(err, "period.end_date", "is before period.start_date");
    if (date_from_days(end).year - date_from_days(start).year >= PERIOD_YEARS_MAX)
        return err_field(err, "period", "is longer than %d years", PERIOD_YEARS_MAX);
    return 0;
}

static int no_memory(struct err *err)
{
    return err_setf(err, ERR_MESSAGE_TOO_LARGE, "The answer needs more memory than a call may use.");
}

/* --- metrics -------------------------------------------------------------------------------------------- */

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

static int points_fill(struct arena *arena, const struct trend *trend, Isms__Inputs__V1__Trend *message)
{
    message->points = ARENA_ARRAY(arena, trend->point_count, Isms__Inputs__V1__TrendPoint *);
    Isms__Inputs__V1__TrendPoint *points = ARENA_ARRAY(arena, trend->point_count, Isms__Inputs__V1__TrendPoint);
    if (!message->points || !points)
        return -1;
    for (size_t i = 0; i < trend->point_count; i++) {
        isms__inputs__v1__trend_point__init(&points[i]);
        points[i].time = timestamp_new(arena, trend->points[i].time_us);
        points[i].value = trend->points[i].value;
        points[i].late = trend->points[i].late;
        message->points[i] = &points[i];
    }
    message->n_points = trend->point_count;
    return arena_exhausted(arena) ? -1 : 0;
}

static int trend_fill(struct arena *arena, const Isms__Inputs__V1__MetricSeries *series,
                      const Isms__Type__V1__DateRange *period, const struct trend *trend,
                      Isms__Inputs__V1__Trend *message)
{
    isms__inputs__v1__trend__init(message);
    message->metric_id = series->metric_id;
    message->number = series->number;
    message->title = series->title;
    message->unit = series->metric->unit;
    message->polarity = series->metric->polarity;
    message->period = (Isms__Type__V1__DateRange *)(uintptr_t)period;
    message->direction = trend->direction;
    message->slope_per_30_days = trend->slope_per_30_days;
    message->expected_points = trend->expected_points;
    message->present_points = trend->present_points;
    message->late_points = trend->late_points;
    message->minimum_points = trend->minimum_points;
    message->first_value = trend->first_value;
    message->last_value = trend->last_value;
    message->change_percent = trend->change_percent;
    message->target = series->metric->target;
    message->target_attainment = trend->target_attainment;
    return points_fill(arena, trend, message);
}

static int series_judge(struct call *call, const Isms__Inputs__V1__MetricSeries *series,
                        const Isms__Type__V1__DateRange *period, struct trend *ret_trend, struct err *err)
{
    const Isms__Inputs__V1__Metric *metric = series->metric;
    struct arena *arena = call_arena(call);
    size_t count = series->n_value;
    BUG_IF(!metric || series->n_observed_us != count || series->n_recorded_us != count); /* MetricSeries.sql */
    struct trend_question question = {
        .polarity = metric->polarity,
        .frequency = metric->frequency,
        .target = metric->target,
        .percentage = strcmp(metric->unit, "%") == 0,
        .grace_days = metric->grace_days,
        .minimum_points = metric->minimum_points,
        .start_day = days_of(period->start_date),
        .end_day = days_of(period->end_date),
        .as_of_day = date_to_days(date_of(call_now_us(call))),
    };
    struct trend_point *points = ARENA_ARRAY(arena, count, struct trend_point);
    if (!points)
        return no_memory(err);
    for (size_t i = 0; i < count; i++)
        points[i] = (struct trend_point){.time_us = series->observed_us[i],
                                         .value = series->value[i],
                                         .recorded_us = series->recorded_us[i]};
    return trend_compute(&question, points, count, arena, ret_trend, err);
}

int trends_of_metrics(struct call *call, const char *metric_id, const Isms__Type__V1__DateRange *period,
                      Isms__Inputs__V1__Trend ***ret_trends, size_t *ret_count, struct err *err)
{
    struct arena *arena = call_arena(call);
    Isms__Inputs__V1__MetricSeriesRequest request = ISMS__INPUTS__V1__METRIC_SERIES_REQUEST__INIT;
    Isms__Inputs__V1__MetricSeriesList list = ISMS__INPUTS__V1__METRIC_SERIES_LIST__INIT;
    request.metric_id = (char *)(uintptr_t)metric_id;
    request.period = (Isms__Type__V1__DateRange *)(uintptr_t)period;
    if (call_statement(call, "MetricSeries", &request.base, &list.base, err) < 0)
        return -1;
    Isms__Inputs__V1__Trend **trends = ARENA_ARRAY(arena, list.n_series, Isms__Inputs__V1__Trend *);
    for (size_t i = 0; trends && i < list.n_series; i++) {
        struct trend trend;
        trends[i] = ARENA_NEW(arena, Isms__Inputs__V1__Trend);
        if (!trends[i])
            break;
        if (series_judge(call, list.series[i], period, &trend, err) < 0)
            return -1;
        if (trend_fill(arena, list.series[i], period, &trend, trends[i]) < 0)
            break;
    }
    if (arena_exhausted(arena))
        return no_memory(err);
    *ret_trends = trends;
    *ret_count = list.n_series;
    return 0;
}

/* --- nonconformities ------------------------------------------------------------------------------------ */

static int months_fill(struct arena *arena, const struct nonconformity_trend *trend,
                       Isms__Inputs__V1__NonconformityTrend *message)
{
    message->months = ARENA_ARRAY(arena, trend->month_count, Isms__Inputs__V1__NonconformityTrend__Month *);
    Isms__Inputs__V1__NonconformityTrend__Month *months =
        ARENA_ARRAY(arena, trend->month_count, Isms__Inputs__V1__NonconformityTrend__Month);
    if (!message->months || !months)
        return -1;
    for (size_t i = 0; i < trend->month_count; i++) {
        char text[CLOCK_DATE_SIZE];
        date_format(date_from_days(trend->months[i].first_day), text);
        isms__inputs__v1__nonconformity_trend__month__init(&months[i]);
        months[i].month = arena_strdup(arena, text);
        months[i].opened = trend->months[i].opened;
        months[i].closed = trend->months[i].closed;
        months[i].open = trend->months[i].open;
        message->months[i] = &months[i];
    }
    message->n_months = trend->month_count;
    return arena_exhausted(arena) ? -1 : 0;
}

int trend_of_nonconformities(struct call *call, const Isms__Type__V1__DateRange *period,
                             Isms__Inputs__V1__NonconformityTrend *ret_trend, struct err *err)
{
    struct arena *arena = call_arena(call);
    Isms__Inputs__V1__GetNonconformityTrendRequest request =
        ISMS__INPUTS__V1__GET_NONCONFORMITY_TREND_REQUEST__INIT;
    Isms__Inputs__V1__NonconformityDays days = ISMS__INPUTS__V1__NONCONFORMITY_DAYS__INIT;
    request.period = (Isms__Type__V1__DateRange *)(uintptr_t)period;
    if (call_statement(call, "NonconformityDays", &request.base, &days.base, err) < 0)
        return -1;
    BUG_IF(days.n_closed != days.n_opened || days.n_due != days.n_opened); /* NonconformityDays.sql */
    struct nonconformity_days *all = ARENA_ARRAY(arena, days.n_opened, struct nonconformity_days);
    if (!all)
        return no_memory(err);
    for (size_t i = 0; i < days.n_opened; i++)
        all[i] = (struct nonconformity_days){days.opened[i], days.closed[i], days.due[i]};
    struct nonconformity_trend trend;
    if (nonconformity_trend_compute(all, days.n_opened, days_of(period->start_date), days_of(period->end_date),
                                    arena, &trend, err) < 0)
        return -1;

    Isms__Inputs__V1__NonconformityTrend message = ISMS__INPUTS__V1__NONCONFORMITY_TREND__INIT;
    message.period = request.period;
    message.opened = trend.opened;
    message.closed = trend.closed;
    message.open_at_start = trend.open_at_start;
    message.open_at_end = trend.open_at_end;
    message.overdue_at_end = trend.overdue_at_end;
    message.median_days_to_close = trend.median_days_to_close;
    message.direction = trend.direction;
    message.slope_per_30_days = trend.slope_per_30_days;
    if (months_fill(arena, &trend, &message) < 0)
        return no_memory(err);
    *ret_trend = message;
    return 0;
}

/* --- the rpcs ------------------------------------------------------------------------------------------- */

int get_metric_trend(struct call *call, const ProtobufCMessage *message, ProtobufCMessage *response,
                     struct err *err)
{
    const Isms__Inputs__V1__GetMetricTrendRequest *request =
        (const Isms__Inputs__V1__GetMetricTrendRequest *)message;
    Isms__Inputs__V1__Trend **trends;
    size_t count;
    if (period_check(request->period, err) < 0 || call_begin_read(call, err) < 0 ||
        trends_of_metrics(call, request->metric_id, request->period, &trends, &count, err) < 0)
        return -1;
    if (count == 0)
        return err_set(err, ERR_NOT_FOUND);
    *(Isms__Inputs__V1__Trend *)response = *trends[0];
    return 0;
}

int list_metric_trends(struct call *call, const ProtobufCMessage *message, ProtobufCMessage *response,
                       struct err *err)
{
    const Isms__Inputs__V1__ListMetricTrendsRequest *request =
        (const Isms__Inputs__V1__ListMetricTrendsRequest *)message;
    Isms__Inputs__V1__ListMetricTrendsResponse *list = (Isms__Inputs__V1__ListMetricTrendsResponse *)response;
    if (period_check(request->period, err) < 0 || call_begin_read(call, err) < 0)
        return -1;
    return trends_of_metrics(call, "", request->period, &list->trends, &list->n_trends, err);
}

int get_nonconformity_trend(struct call *call, const ProtobufCMessage *message, ProtobufCMessage *response,
                            struct err *err)
{
    const Isms__Inputs__V1__GetNonconformityTrendRequest *request =
        (const Isms__Inputs__V1__GetNonconformityTrendRequest *)message;
    if (period_check(request->period, err) < 0 || call_begin_read(call, err) < 0)
        return -1;
    return trend_of_nonconformities(call, request->period, (Isms__Inputs__V1__NonconformityTrend *)response,
                                    err);
}
