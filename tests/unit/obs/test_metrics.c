/* What Prometheus reads: right sums from many threads, bounded series, a well-formed text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <isms/obs/metrics.h>

static const char *exposed(void)
{
    static struct buf buf;
    if (!buf.data)
        buf_init(&buf, 64 << 20);
    buf_clear(&buf);
    metrics_expose(&buf);
    assert_false(buf.failed);
    return buf.data;
}

static void assert_line(const char *line)
{
    if (!strstr(exposed(), line))
        fail_msg("not exposed: %s", line);
}

static void test_metrics_without_labels_are_there_from_the_start(void **state UNUSED)
{
    metrics_init("isms-test", "1.2.3");
    assert_line("\nisms_calls_in_flight 0\n");
    assert_line("\nisms_build_info{service=\"isms-test\",version=\"1.2.3\"} 1\n");
    assert_line("# TYPE isms_db_reconnects_total counter\nisms_db_reconnects_total 0\n");
    assert_null(strstr(exposed(), "process_start_time_seconds 0"));
    assert_null(strstr(exposed(), "isms_lane_busy"));
}

static void test_one_series_for_the_same_labels(void **state UNUSED)
{
    char lane[] = "read";
    struct metric_series *series = METRIC_SERIES(isms_lane_busy, "read");
    assert_ptr_equal(METRIC_SERIES(isms_lane_busy, lane), series);
    assert_ptr_not_equal(METRIC_SERIES(isms_lane_busy, "write"), series);
    assert_ptr_not_equal(METRIC_SERIES(isms_lane_waiting, "read"), series);
    metric_set(series, 3);
    metric_add(series, -1);
    assert_int_equal(metric_value(series), 2);
    assert_line("\nisms_lane_busy{lane=\"read\"} 2\n");
}

static void test_label_values_are_escaped(void **state UNUSED)
{
    metric_add(METRIC_SERIES(isms_cache_requests_total, "a\"b\\c\nd"), 1);
    assert_line("isms_cache_requests_total{result=\"a\\\"b\\\\c\\nd\"} 1\n");
}

static void test_histogram(void **state UNUSED)
{
    struct metric_series *series =
        METRIC_SERIES(grpc_server_handling_seconds, "isms.actions.v1.Actions", "Get");
    metric_observe(series, 0);
    metric_observe(series, 500);
    metric_observe(series, 501);
    metric_observe(series, 2000000);
    metric_observe(series, 99000000);
    assert_int_equal(metric_value(series), 5);
#define LABELS "grpc_service=\"isms.actions.v1.Actions\",grpc_method=\"Get\""
    assert_line("# TYPE grpc_server_handling_seconds histogram\n");
    assert_line("_bucket{" LABELS ",le=\"0.0005\"} 2\n");
    assert_line("_bucket{" LABELS ",le=\"0.001\"} 3\n");
    assert_line("_bucket{" LABELS ",le=\"1\"} 3\n");
    assert_line("_bucket{" LABELS ",le=\"2.5\"} 4\n");
    assert_line("_bucket{" LABELS ",le=\"10\"} 4\n");
    assert_line("_bucket{" LABELS ",le=\"+Inf\"} 5\n");
    assert_line("grpc_server_handling_seconds_sum{" LABELS "} 101.001001\n");
    assert_line("grpc_server_handling_seconds_count{" LABELS "} 5\n");
}

enum { THREADS = 4, ROUNDS = 20000 };

static void *count(void *unused UNUSED)
{
    for (int i = 0; i < ROUNDS; i++) {
        char code[8];
        snprintf(code, sizeof(code), "%d", i % 17);
        metric_add(METRIC_SERIES(grpc_server_handled_total, "isms.Threads", "Get", code), 1);
    }
    return NULL;
}

static void test_no_count_is_lost_between_threads(void **state UNUSED)
{
    pthread_t threads[THREADS];
    int64_t total = 0;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, count, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 17; i++) {
        char code[8];
        snprintf(code, sizeof(code), "%d", i);
        total += metric_value(METRIC_SERIES(grpc_server_handled_total, "isms.Threads", "Get", code));
    }
    assert_int_equal(total, THREADS * ROUNDS);
}

static void test_series_are_bounded(void **state UNUSED)
{
    struct metric_series *other = NULL;
    int lines = 0;
    for (int i = 0; i < METRIC_SERIES_MAX + 500; i++) {
        char job[32];
        snprintf(job, sizeof(job), "job-%d", i);
        other = METRIC_SERIES(isms_job_runs_total, job, "ok");
        metric_add(other, 1);
    }
    assert_ptr_equal(other, METRIC_SERIES(isms_job_runs_total, "other", "other"));
    assert_int_equal(metric_value(other), 500);
    for (const char *at = exposed(); (at = strstr(at, "\nisms_job_runs_total{")); at++)
        lines++;
    assert_int_equal(lines, METRIC_SERIES_MAX + 1);

    char huge[2000];
    memset(huge, 'x', sizeof(huge) - 1);
    huge[sizeof(huge) - 1] = '\0';
    assert_ptr_equal(METRIC_SERIES(isms_lane_busy, huge), METRIC_SERIES(isms_lane_busy, "other"));
}

static void test_the_table(void **state UNUSED)
{
    static const struct {
        const char *name, *help, *labels[METRIC_LABELS_MAX];
    } rows[] = {
#define X(name, kind, help, label1, label2, label3, buckets) {#name, help, {label1, label2, label3}},
#include <isms/obs/metrics.def>
#undef X
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_int_equal(strspn(rows[i].name, "abcdefghijklmnopqrstuvwxyz_"), strlen(rows[i].name));
        assert_int_equal(strcspn(rows[i].help, "\\\n"), strlen(rows[i].help));
        for (size_t j = 0; j < METRIC_LABELS_MAX; j++)
            if (rows[i].labels[j])
                assert_null(strstr(rows[i].labels[j], "tenant"));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(rows[i].name, rows[j].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metrics_without_labels_are_there_from_the_start),
        cmocka_unit_test(test_one_series_for_the_same_labels),
        cmocka_unit_test(test_label_values_are_escaped),
        cmocka_unit_test(test_histogram),
        cmocka_unit_test(test_no_count_is_lost_between_threads),
        cmocka_unit_test(test_series_are_bounded),
        cmocka_unit_test(test_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
