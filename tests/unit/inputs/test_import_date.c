/* test_import_date.c: dates are read when they can mean one day only. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <isms/base/clock.h>

#include "import_date.h"

static void assert_reads(const char *text, const char *expected, bool expected_local)
{
    int64_t time_us;
    int64_t expected_us;
    bool is_local;
    assert_true(clock_parse(expected, &expected_us));
    assert_null(import_time_parse(text, &time_us, &is_local));
    assert_int_equal(time_us, expected_us);
    assert_int_equal(is_local, expected_local);
}

static void assert_local(const char *text, const char *expected)
{
    assert_reads(text, expected, true);
}

static void a_zone_is_what_it_says(void **state)
{
    (void)state;
    assert_reads("2026-01-11T15:22:00Z", "2026-01-11T15:22:00Z", false);
    assert_reads("2026-01-11T15:22:00+02:00", "2026-01-11T13:22:00Z", false);
    assert_reads("2026-01-11T15:22:00-00:00", "2026-01-11T15:22:00Z", false);
}

static void forms_in_use_are_read(void **state)
{
    (void)state;
    assert_local("2026-01-11", "2026-01-11T00:00:00Z");
    assert_local("2026-01-11 15:22", "2026-01-11T15:22:00Z");
    assert_local("2026-01-11T15:22:07", "2026-01-11T15:22:07Z");
    assert_local("11/Jan/26 3:22 PM", "2026-01-11T15:22:00Z");
    assert_local("11/jan/26 12:05 am", "2026-01-11T00:05:00Z");
    assert_local("1/Dec/25 12:00 PM", "2025-12-01T12:00:00Z");
    assert_local("29-Feb-2024", "2024-02-29T00:00:00Z");
    assert_local("3 September 2025 08:15", "2025-09-03T08:15:00Z");
    assert_local("Oct 2024", "2024-10-01T00:00:00Z");
}

static void others_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "soon", "03/04/2026", "13/04/2026", "03.04.26", "2026-13-01", "2026-02-30", "31/Jun/26", "2026-1",
        "11/Jan/126", "11/Foo/26", "11/Jan/26 25:00", "11/Jan/26 13:00 PM", "11/Jan/26 3:22 XM", "2026-01-11x",
        "2026-01-11T", "1/Ja/26", "99999999999/Jan/26",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        int64_t time_us = 42;
        bool is_local = i % 2;
        assert_non_null(import_time_parse(texts[i], &time_us, &is_local));
        assert_int_equal(time_us, 42);
        assert_int_equal(is_local, i % 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zone_is_what_it_says),
        cmocka_unit_test(forms_in_use_are_read),
        cmocka_unit_test(others_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
