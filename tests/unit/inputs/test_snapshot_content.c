/* test_snapshot_content.c: the bytes of a snapshot, which stay what they are once reviews have signed their
 * hash. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "snapshot_content.h"

static void the_form_is_fixed(void **state)
{
    (void)state;
    struct err err = {0};
    struct descriptors *descriptors CLEANUP(descriptors_freep) = NULL;
    assert_int_equal(descriptors_new(&isms_descriptors_source, &descriptors, &err), 0);
    struct arena arena CLEANUP(arena_release);
    arena_init(&arena, 1024 * 1024);

    Isms__Type__V1__DateRange period = ISMS__TYPE__V1__DATE_RANGE__INIT;
    period.start_date = "2025-01-01";
    period.end_date = "2025-12-31";
    Isms__Type__V1__FrozenItem item = ISMS__TYPE__V1__FROZEN_ITEM__INIT;
    item.kind = "RISK";
    item.number = "RK-2025-001";
    item.revision = 3;
    item.content_sha256 = "ab";
    Isms__Type__V1__FrozenItem *items[] = {&item};
    Isms__Inputs__V1__Trend trend = ISMS__INPUTS__V1__TREND__INIT;
    trend.number = "KPI-2025-001";
    trend.direction = ISMS__INPUTS__V1__DIRECTION__DIRECTION_IMPROVING;
    trend.slope_per_30_days = -0.1;
    Isms__Inputs__V1__Trend *metrics[] = {&trend};
    Isms__Inputs__V1__Trends trends = ISMS__INPUTS__V1__TRENDS__INIT;
    trends.metrics = metrics;
    trends.n_metrics = 1;
    Google__Protobuf__Timestamp as_of = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    as_of.seconds = 1767225600;
    Isms__Inputs__V1__SnapshotContent content = ISMS__INPUTS__V1__SNAPSHOT_CONTENT__INIT;
    content.review_id = "r";
    content.opening_id = "o";
    content.tenant = "t";
    content.as_of = &as_of;
    content.sequence = INT64_C(9007199254740993);
    content.period = &period;
    content.items = items;
    content.n_items = 1;
    content.trends = &trends;

    struct buf bytes CLEANUP(buf_release);
    char sha256[SHA256_HEX_SIZE];
    buf_init(&bytes, SNAPSHOT_CONTENT_MAX);
    assert_int_equal(snapshot_content_write(descriptors, &content, &bytes, sha256, &err), 0);
    assert_string_equal(
        arena_strndup(&arena, bytes.data, bytes.length),
        "{\"as_of\":\"2026-01-01T00:00:00Z\",\"items\":[{\"content_sha256\":\"ab\",\"kind\":\"RISK\","
        "\"number\":\"RK-2025-001\",\"revision\":\"3\"}],\"kind\":\"isms.inputs.snapshot\",\"opening_id\":\"o\","
        "\"period\":{\"end_date\":\"2025-12-31\",\"start_date\":\"2025-01-01\"},\"review_id\":\"r\","
        "\"sequence\":\"9007199254740993\",\"tenant\":\"t\",\"trends\":{\"metrics\":[{"
        "\"direction\":\"IMPROVING\",\"number\":\"KPI-2025-001\",\"slope_per_30_days\":-0.1}]},\"version\":2}");
    char again[SHA256_HEX_SIZE];
    buf_clear(&bytes);
    assert_int_equal(snapshot_content_write(descriptors, &content, &bytes, again, &err), 0);
    assert_string_equal(sha256, again);
    item.revision = 4;
    buf_clear(&bytes);
    assert_int_equal(snapshot_content_write(descriptors, &content, &bytes, again, &err), 0);
    assert_string_not_equal(sha256, again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_form_is_fixed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
