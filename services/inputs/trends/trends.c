/* trends.c: the rpcs of TrendService, and all trends at once for a snapshot. */
#include "trends.h"

#include <string.h>

#include <isms/base/clock.h>

#include "period.h"
#include "service.h"
#include "trend_message.h"

enum { PAGE_SIZE = 100 };

int period_check(const Isms__Type__V1__DateRange *range, struct err *err)
{
    struct period period = period_of(range);
    if (period.end < period.start)
        return err_field(err, "period.end_date", "is before period.start_date");
    if (date_to_days(date_add_months(date_from_days(period.end), -12 * PERIOD_YEARS_MAX)) >= period.start)
        return err_field(err, "period", "is longer than %d years", PERIOD_YEARS_MAX);
    return 0;
}

/* --- all of them ------------------------------------------------------------------------------------------------- */

/* Appends `count` pointers to a list that a page before may have begun. */
static int list_append(struct arena *arena, Isms__Inputs__V1__Trends *trends,
                       const Isms__Inputs__V1__ListMetricTrendsResponse *page, struct err *err)
{
    size_t count = trends->n_metrics + page->n_trends;
    Isms__Inputs__V1__Trend **all = ARENA_ARRAY(arena, count, Isms__Inputs__V1__Trend *);
    if (!all)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    for (size_t i = 0; i < count; i++)
        all[i] = i < trends->n_metrics ? trends->metrics[i] : page->trends[i - trends->n_metrics];
    trends->metrics = all;
    trends->n_metrics = count;
    return 0;
}

static int metrics_gather(struct call *call, const struct trend_span_request *wanted, Isms__Inputs__V1__Trends *trends,
                          struct err *err)
{
    const char *token = "";
    do {
        Isms__Inputs__V1__ListMetricTrendsResponse page = ISMS__INPUTS__V1__LIST_METRIC_TRENDS_RESPONSE__INIT;
        if (metric_trends_read(call, wanted, "", PAGE_SIZE, token, &page, err) < 0 ||
            list_append(call_arena(call), trends, &page, err) < 0)
            return -1;
        token = page.next_page_token;
    } while (token[0] != '\0');
    return 0;
}

static int inputs_gather(struct call *call, const struct trend_span_request *wanted, Isms__Inputs__V1__Trends *trends,
                         struct err *err)
{
    struct arena *arena = call_arena(call);
    const unsigned kinds = isms__inputs__v1__input_kind__descriptor.n_values;
    trends->inputs = ARENA_ARRAY(arena, kinds, Isms__Inputs__V1__InputTrend *);
    if (!trends->inputs)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    for (unsigned kind = 1; kind < kinds; kind++) {
        if (kind == ISMS__INPUTS__V1__INPUT_KIND__INPUT_KIND_METRIC)
            continue;
        Isms__Inputs__V1__InputTrend *trend = ARENA_NEW(arena, Isms__Inputs__V1__InputTrend);
        if (!trend)
            return err_set(err, ERR_MESSAGE_TOO_LARGE);
        if (input_trend_read(call, wanted, (Isms__Inputs__V1__InputKind)kind, trend, err) < 0)
            return -1;
        if (trend->left_out || trend->quality->present_points > 0)
            trends->inputs[trends->n_inputs++] = trend;
    }
    return 0;
}

int trends_all(struct call *call, const Isms__Type__V1__DateRange *period, Isms__Inputs__V1__Granularity granularity,
               Isms__Inputs__V1__Trends *ret_trends, struct err *err)
{
    const struct trend_span_request wanted = {.period = period, .granularity = granularity, .of_snapshot = true};
    Isms__Inputs__V1__Trends trends = ISMS__INPUTS__V1__TRENDS__INIT;
    trends.period = (Isms__Type__V1__DateRange *)(uintptr_t)period;
    trends.granularity = granularity_stated(granularity);
    if (metrics_gather(call, &wanted, &trends, err) < 0 || inputs_gather(call, &wanted, &trends, err) < 0)
        return -1;
    *ret_trends = trends;
    return 0;
}

/* --- the rpcs ---------------------------------------------------------------------------------------------------- */

int get_metric_trend(struct call *call, const ProtobufCMessage *message, ProtobufCMessage *response, struct err *err)
{
    const Isms__Inputs__V1__GetMetricTrendRequest *request =
        (const Isms__Inputs__V1__GetMetricTrendRequest *)message;
    const struct trend_span_request wanted = {.period = request->period, .granularity = request->granularity};
    Isms__Inputs__V1__ListMetricTrendsResponse page = ISMS__INPUTS__V1__LIST_METRIC_TRENDS_RESPONSE__INIT;
    if (period_check(request->period, err) < 0 || call_begin_read(call, err) < 0 ||
        metric_trends_read(call, &wanted, request->metric_id, 0, "", &page, err) < 0)
        return -1;
    if (page.n_trends == 0)
        return err_set(err, ERR_NOT_FOUND);
    *(Isms__Inputs__V1__Trend *)response = *page.trends[0];
    return 0;
}

int list_metric_trends(struct call *call, const ProtobufCMessage *message, ProtobufCMessage *response, struct err *err)
{
    const Isms__Inputs__V1__ListMetricTrendsRequest *request =
        (const Isms__Inputs__V1__ListMetricTrendsRequest *)message;
    const struct trend_span_request wanted = {.period = request->period, .granularity = request->granularity};
    if (period_check(request->period, err) < 0 || call_begin_read(call, err) < 0)
        return -1;
    return metric_trends_read(call, &wanted, "", request->page_size, request->page_token,
                              (Isms__Inputs__V1__ListMetricTrendsResponse *)response, err);
}

int get_input_trend(struct call *call, const ProtobufCMessage *message, ProtobufCMessage *response, struct err *err)
{
    const Isms__Inputs__V1__GetInputTrendRequest *request = (const Isms__Inputs__V1__GetInputTrendRequest *)message;
    const struct trend_span_request wanted = {.period = request->period, .granularity = request->granularity};
    if (period_check(request->period, err) < 0 || call_begin_read(call, err) < 0)
        return -1;
    return input_trend_read(call, &wanted, request->kind, (Isms__Inputs__V1__InputTrend *)response, err);
}
