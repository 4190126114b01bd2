/* trends.h: trends out of the database, as messages. In an open reading transaction; results lie in
 * call_arena(). */
#ifndef ISMS_INPUTS_TRENDS_H
#define ISMS_INPUTS_TRENDS_H

#include <stddef.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/inputs/v1/inputs.pb-c.h>
#include <isms/rpc/call.h>

/* FIELD_INVALID where the period ends before it begins, or is longer than PERIOD_YEARS_MAX. */
int period_check(const Isms__Type__V1__DateRange *period, struct err *err) MUST_CHECK;

/* Of one metric, or of all that are not closed before the period (metric_id ""), by number. Periods are
 * checked. */
int trends_of_metrics(struct call *call, const char *metric_id, const Isms__Type__V1__DateRange *period,
                      Isms__Inputs__V1__Trend ***ret_trends, size_t *ret_count, struct err *err) MUST_CHECK;

int trend_of_nonconformities(struct call *call, const Isms__Type__V1__DateRange *period,
                             Isms__Inputs__V1__NonconformityTrend *ret_trend, struct err *err) MUST_CHECK;

#endif
