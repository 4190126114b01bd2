/* metrics.c: series interned in one open-addressed table of atomic pointers.
 *
 * A series is written whole before its pointer is published and is never removed, so that finding and counting
 * need no lock; only making a series takes one. The table is twice as large as the most series there may be,
 * which keeps probing short. The text of a series' labels is both its identity and what Prometheus reads.
 * Durations add up as integers of microseconds: an atomic add, where a double would need a loop. */
#include <isms/obs/metrics.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <isms/base/bug.h>
#include <isms/base/clock.h>

enum { TABLE_SIZE = 16384, SERIES_MAX = TABLE_SIZE / 2, LABELS_TEXT_MAX = 512, BUCKETS_MAX = 16 };

enum kind { COUNTER, GAUGE, HISTOGRAM };

struct buckets {
    size_t count;
    struct {
        int64_t bound_us;
        const char *text;
    } bucket[BUCKETS_MAX];
};

static const struct buckets buckets_NONE = {0};

/* Prometheus' default buckets, and three below them: most of our calls take less than 5 ms. */
static const struct buckets buckets_LATENCY = {
    .count = 14,
    .bucket = {{500, "0.0005"}, {1000, "0.001"}, {2500, "0.0025"}, {5000, "0.005"}, {10000, "0.01"},
               {25000, "0.025"}, {50000, "0.05"}, {100000, "0.1"}, {250000, "0.25"}, {500000, "0.5"},
               {1000000, "1"}, {2500000, "2.5"}, {5000000, "5"}, {10000000, "10"}},
};

struct definition {
    const char *name;
    enum kind kind;
    const char *help;
    const char *labels[METRIC_LABELS_MAX];
    const struct buckets *buckets;
};

static const struct definition definitions[METRIC_COUNT] = {
#define X(name, kind, help, label1, label2, label3, buckets) \
    [METRIC_##name] = {#name, kind, help, {label1, label2, label3}, &buckets_##buckets},
#include <isms/obs/metrics.def>
#undef X
};

struct metric_series {
    enum metric metric;
    _Atomic int64_t value;    /* of a histogram: the sum in microseconds */
    _Atomic uint64_t *counts; /* of a histogram: one a bucket, the last for what is beyond them all */
    struct metric_series *_Atomic next;
    char labels[]; /* `a="x",b="y"` */
};

/* Given out when there is no memory for a series: may be counted on, is never shown. */
static _Atomic uint64_t sink_counts[BUCKETS_MAX + 1];
static struct metric_series sink = {.counts = sink_counts};

static struct metric_series *_Atomic table[TABLE_SIZE];
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER; /* guards what follows, and insertion into table */
static size_t series_total;
static struct chain {
    struct metric_series *_Atomic first; /* in the order of their making */
    struct metric_series *last;
    size_t count;
} chains[METRIC_COUNT];

static size_t label_count(const struct definition *definition)
{
    size_t count = 0;
    while (count < METRIC_LABELS_MAX && definition->labels[count])
        count++;
    return count;
}

static void label_append(struct buf *buf, const char *name, const char *value)
{
    buf_printf(buf, "%s%s=\"", buf->length ? "," : "", name);
    for (; *value; value++)
        if (*value == '\n')
            buf_text(buf, "\\n");
        else if (*value == '"' || *value == '\\')
            buf_printf(buf, "\\%c", *value);
        else
            buf_char(buf, *value);
    buf_char(buf, '"');
}

static void labels_append(struct buf *buf, const struct definition *definition, const char *const *values)
{
    for (size_t i = 0; i < label_count(definition); i++)
        label_append(buf, definition->labels[i], values ? values[i] : "other");
}

/* FNV-1a */
static uint64_t hash_of(enum metric metric, const char *labels)
{
    uint64_t hash = UINT64_C(14695981039346656037) ^ (uint64_t)metric;
    for (; *labels; labels++)
        hash = (hash ^ (unsigned char)*labels) * UINT64_C(1099511628211);
    return hash ^ hash >> 32;
}

/* The series, or NULL and in *ret_slot the free slot where it belongs. */
static struct metric_series *series_find(enum metric metric, const char *labels, size_t *ret_slot)
{
    for (size_t i = hash_of(metric, labels);; i++) {
        struct metric_series *series = atomic_load_explicit(&table[i % TABLE_SIZE], memory_order_acquire);
        if (!series) {
            *ret_slot = i % TABLE_SIZE;
            return NULL;
        }
        if (series->metric == metric && strcmp(series->labels, labels) == 0)
            return series;
    }
}

static struct metric_series *series_new(enum metric metric, const char *labels)
{
    size_t length = strlen(labels);
    struct metric_series *series = calloc(1, sizeof(*series) + length + 1);
    if (!series)
        return NULL;
    series->metric = metric;
    memcpy(series->labels, labels, length);
    if (definitions[metric].kind == HISTOGRAM) {
        series->counts = calloc(BUCKETS_MAX + 1, sizeof(*series->counts));
        if (!series->counts) {
            free(series);
            return NULL;
        }
    }
    return series;
}

/* Finds or makes; NULL without memory or, if `limited`, past the most series there may be. */
static struct metric_series *series_intern(enum metric metric, const char *labels, bool limited)
{
    size_t slot;
    struct metric_series *series = series_find(metric, labels, &slot);
    if (series)
        return series;

    struct chain *chain = &chains[metric];
    pthread_mutex_lock(&making);
    series = series_find(metric, labels, &slot); /* another thread may have been faster */
    bool full = chain->count >= METRIC_SERIES_MAX || series_total >= SERIES_MAX;
    if (!series && !(limited && full)) {
        series = series_new(metric, labels);
        if (series) {
            atomic_store_explicit(&table[slot], series, memory_order_release);
            atomic_store_explicit(chain->last ? &chain->last->next : &chain->first, series,
                                  memory_order_release);
            chain->last = series;
            chain->count++;
            series_total++;
        }
    }
    pthread_mutex_unlock(&making);
    return series;
}

struct metric_series *metric_series_get(enum metric metric, const char *const *values, size_t count)
{
    char storage[LABELS_TEXT_MAX];
    struct buf labels;
    BUG_IF((unsigned)metric >= METRIC_COUNT || count != label_count(&definitions[metric]));
    buf_init_fixed(&labels, storage, sizeof(storage));
    labels_append(&labels, &definitions[metric], values);
    struct metric_series *series = labels.failed ? NULL : series_intern(metric, labels.data, true);
    if (series)
        return series;

    buf_clear(&labels);
    labels_append(&labels, &definitions[metric], NULL);
    series = series_intern(metric, labels.data, false);
    return series ? series : &sink;
}

void metric_add(struct metric_series *series, int64_t amount)
{
    atomic_fetch_add_explicit(&series->value, amount, memory_order_relaxed);
}

void metric_set(struct metric_series *series, int64_t value)
{
    atomic_store_explicit(&series->value, value, memory_order_relaxed);
}

void metric_observe(struct metric_series *series, int64_t duration_us)
{
    const struct buckets *buckets = definitions[series->metric].buckets;
    size_t i = 0;
    BUG_IF(!series->counts);
    while (i < buckets->count && duration_us > buckets->bucket[i].bound_us)
        i++;
    atomic_fetch_add_explicit(&series->counts[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&series->value, duration_us, memory_order_relaxed);
}

int64_t metric_value(const struct metric_series *series)
{
    if (!series->counts)
        return atomic_load_explicit(&series->value, memory_order_relaxed);
    uint64_t total = 0;
    for (size_t i = 0; i <= BUCKETS_MAX; i++)
        total += atomic_load_explicit(&series->counts[i], memory_order_relaxed);
    return (int64_t)total;
}

void metrics_init(const char *service, const char *version)
{
    for (enum metric metric = 0; metric < METRIC_COUNT; metric++)
        if (label_count(&definitions[metric]) == 0)
            metric_series_get(metric, NULL, 0);
    metric_set(METRIC_SERIES(process_start_time_seconds), clock_now_us() / 1000000);
    metric_set(METRIC_SERIES(isms_build_info, service, version), 1);
}

static void value_expose(struct buf *buf, const char *name, const struct metric_series *series)
{
    const char *labels = series->labels;
    buf_printf(buf, *labels ? "%s{%s} %lld\n" : "%s%s %lld\n", name, labels, (long long)metric_value(series));
}

/* Buckets are cumulative, and the count is the last of them, so that one scrape never contradicts itself. */
static void histogram_expose(struct buf *buf, const struct definition *definition,
                             const struct metric_series *series)
{
    const char *name = definition->name;
    const char *labels = series->labels;
    const struct buckets *buckets = definition->buckets;
    unsigned long long total = 0;
    for (size_t i = 0; i <= buckets->count; i++) {
        total += atomic_load_explicit(&series->counts[i], memory_order_relaxed);
        buf_printf(buf, "%s_bucket{%s%sle=\"%s\"} %llu\n", name, labels, *labels ? "," : "",
                   i < buckets->count ? buckets->bucket[i].text : "+Inf", total);
    }
    long long sum_us = atomic_load_explicit(&series->value, memory_order_relaxed);
    buf_printf(buf, "%s_sum{%s} %lld.%06lld\n", name, labels, sum_us / 1000000, sum_us % 1000000);
    buf_printf(buf, "%s_count{%s} %llu\n", name, labels, total);
}

void metrics_expose(struct buf *buf)
{
    static const char *const kinds[] = {[COUNTER] = "counter", [GAUGE] = "gauge", [HISTOGRAM] = "histogram"};
    for (enum metric metric = 0; metric < METRIC_COUNT; metric++) {
        const struct definition *definition = &definitions[metric];
        const struct metric_series *series = atomic_load_explicit(&chains[metric].first, memory_order_acquire);
        if (!series)
            continue;
        buf_printf(buf, "# HELP %s %s\n# TYPE %s %s\n", definition->name, definition->help, definition->name,
                   kinds[definition->kind]);
        for (; series; series = atomic_load_explicit(&series->next, memory_order_acquire))
            if (definition->kind == HISTOGRAM)
                histogram_expose(buf, definition, series);
            else
                value_expose(buf, definition->name, series);
    }
}
