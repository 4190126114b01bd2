/* trend_message.h: small pieces that trends' messages are made of. Everything lies in the arena; NULL for want
 * of memory. */
#ifndef ISMS_INPUTS_TREND_MESSAGE_H
#define ISMS_INPUTS_TREND_MESSAGE_H

#include <isms/base/arena.h>
#include <isms/inputs/v1/trends.pb-c.h>

#include "trend.h"

/* The days of a period whose text was validated. */
struct period period_of(const Isms__Type__V1__DateRange *range);

Isms__Type__V1__DateRange *date_range_new(struct arena *arena, struct period period);

Isms__Inputs__V1__DataQuality *data_quality_new(struct arena *arena, const struct trend_quality *quality);

/* UNSPECIFIED: MONTH, as it is counted. */
Isms__Inputs__V1__Granularity granularity_stated(Isms__Inputs__V1__Granularity granularity);

#endif
