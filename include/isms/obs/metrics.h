/* metrics.h: counters, gauges and histograms for Prometheus.
 *
 * metrics.def is the closed table. A series is one metric with one set of label values; it is interned once,
 * lives as long as the process, and is then counted on without a lock:
 *
 *     struct metric_series *busy = METRIC_SERIES(isms_lane_busy, "read");
 *     metric_add(busy, 1);
 *
 * The number of series is bounded: past METRIC_SERIES_MAX of one metric, or when a label value is too long,
 * the metric's series with the value "other" under every label is given instead. Every function may be called
 * from any thread; none fails. */
#ifndef ISMS_OBS_METRICS_H
#define ISMS_OBS_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include <isms/base/attributes.h>
#include <isms/base/buf.h>

enum metric {
#define X(name, kind, help, label1, label2, label3, buckets) METRIC_##name,
#include <isms/obs/metrics.def>
#undef X
    METRIC_COUNT
};

enum { METRIC_LABELS_MAX = 3, METRIC_SERIES_MAX = 2048 };

struct metric_series;

/* Sets process_start_time_seconds and isms_build_info, and shows metrics without labels as 0 from the start.
 * Called once. */
void metrics_init(const char *service, const char *version);

/* The series for as many label values as the metric has labels. Lock-free when it exists; still, keep the
 * handle where calls are counted. */
struct metric_series *metric_series_get(enum metric metric, const char *const *values, size_t count);

/* METRIC_SERIES(name, "label value", ...) */
#define METRIC_SERIES(name, ...) \
    metric_series_get(METRIC_##name, (const char *const[]){NULL, __VA_ARGS__} + 1, \
                      ARRAY_SIZE(((const char *const[]){NULL, __VA_ARGS__})) - 1)

void metric_add(struct metric_series *series, int64_t amount);         /* counters (>= 0) and gauges */
void metric_set(struct metric_series *series, int64_t value);          /* gauges */
void metric_observe(struct metric_series *series, int64_t duration_us); /* histograms */

/* What a counter or gauge stands at, or how many observations a histogram has. For tests and readiness. */
int64_t metric_value(const struct metric_series *series);

/* Appends everything in Prometheus' text format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). */
void metrics_expose(struct buf *buf);

#endif
