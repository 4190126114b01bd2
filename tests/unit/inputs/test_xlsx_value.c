/* test_xlsx_value.c: numbers and dates as people see them, in both systems of dates. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "xlsx_value.h"

static void assert_date(const char *number, bool is_1904, const char *expected)
{
    char text[XLSX_NUMBER_SIZE];
    assert_true(xlsx_date_text(number, is_1904, text, sizeof(text)));
    assert_string_equal(text, expected);
}

static void a_serial_is_a_day_and_a_time(void **state)
{
    char text[XLSX_NUMBER_SIZE];
    (void)state;
    assert_date("1", false, "1900-01-01");
    assert_date("59", false, "1900-02-28");
    assert_date("61", false, "1900-03-01");
    assert_date("46143", false, "2026-05-01");
    assert_date("46144.640277777777", false, "2026-05-02T15:22:00");
    assert_date("0", true, "1904-01-01");
    assert_date("44681", true, "2026-05-01");
    assert_date("0.5", false, "12:00:00");
    assert_false(xlsx_date_text("60", false, text, sizeof(text)));
    assert_false(xlsx_date_text("-1", false, text, sizeof(text)));
    assert_false(xlsx_date_text("1e99", false, text, sizeof(text)));
}

static void a_format_tells_dates_from_numbers(void **state)
{
    (void)state;
    static const char *const dates[] = {"yyyy-mm-dd", "d/m/yy h:mm", "[$-409]mmm yyyy", "[Red]dd.mm.", "\"on\" d"};
    static const char *const others[] = {"General", "0.00", "[Red]0", "[h]:mm", "\"days\"", "\\d0", "#,##0_m", ""};
    for (size_t i = 0; i < sizeof(dates) / sizeof(*dates); i++)
        assert_true(xlsx_code_is_date(dates[i]));
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        assert_false(xlsx_code_is_date(others[i]));
    assert_true(xlsx_format_is_date(14));
    assert_false(xlsx_format_is_date(2));
}

static void a_number_is_as_short_as_it_can_be(void **state)
{
    char text[XLSX_NUMBER_SIZE];
    (void)state;
    static const char *const pairs[][2] = {
        {"0.10000000000000001", "0.1"}, {"17", "17"}, {"1E5", "100000"}, {"-2.5", "-2.5"}, {"x", "x"}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        xlsx_number_text(pairs[i][0], text, sizeof(text));
        assert_string_equal(text, pairs[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_serial_is_a_day_and_a_time),
        cmocka_unit_test(a_format_tells_dates_from_numbers),
        cmocka_unit_test(a_number_is_as_short_as_it_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
