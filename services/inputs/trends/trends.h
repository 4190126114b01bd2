/* trends.h: trends out of the database, as messages. In an open reading transaction; results lie in call_arena(). */
#ifndef ISMS_INPUTS_TRENDS_H
#define ISMS_INPUTS_TRENDS_H

#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/inputs/v1/trends.pb-c.h>
#include <isms/rpc/call.h>

/* What trends are asked for. */
struct trend_span_request {
    const Isms__Type__V1__DateRange *period; /* checked */
    Isms__Inputs__V1__Granularity granularity;
    bool of_snapshot; /* what is too much for it is shown in less detail, or left out and says so: nothing is refused */
};

/* FIELD_INVALID where the period ends before it begins, or is longer than PERIOD_YEARS_MAX. */
int period_check(const Isms__Type__V1__DateRange *period, struct err *err) MUST_CHECK;

/* A page of the trends of the metrics that are not closed before the period, by number; or of one (metric_id not
 * ""). */
int metric_trends_read(struct call *call, const struct trend_span_request *wanted, const char *metric_id, int page_size,
                       const char *page_token, Isms__Inputs__V1__ListMetricTrendsResponse *ret_page,
                       struct err *err) MUST_CHECK;

/* FIELD_INVALID where the kind has no such trend; LIMIT_REACHED where there is too much of it for a trend. */
int input_trend_read(struct call *call, const struct trend_span_request *wanted, Isms__Inputs__V1__InputKind kind,
                     Isms__Inputs__V1__InputTrend *ret_trend, struct err *err) MUST_CHECK;

/* Everything that a review considers of trends: of all metrics, and of each kind of input that there is any of. The
 * period is checked. Beside the result, memory is taken for one kind, or a few metrics, at a time. What
 * is too much for a trend does not fail it: of_snapshot. */
int trends_all(struct call *call, const Isms__Type__V1__DateRange *period, Isms__Inputs__V1__Granularity granularity,
               Isms__Inputs__V1__Trends *ret_trends, struct err *err) MUST_CHECK;

#endif
