/* test_import_keys.c: rows that would be one are found, however many there are. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "import_keys.h"

static void a_key_is_counted_and_its_first_line_kept(void **state)
{
    (void)state;
    struct import_keys *keys = import_keys_new(10000);
    char text[20];
    int line;
    for (int i = 0; i < 10000; i++) {
        snprintf(text, sizeof(text), "key %d", i);
        assert_int_equal(import_keys_add(keys, slice_of(text), i + 2, &line), 0);
        assert_int_equal(line, i + 2);
    }
    assert_int_equal(import_keys_add(keys, slice_of("key 77"), 99999, &line), 1);
    assert_int_equal(line, 79);
    assert_int_equal(import_keys_add(keys, slice_of("key 77"), 99999, &line), 2);
    assert_int_equal(import_keys_add(keys, slice_of("one more"), 1, &line), -1);
    import_keys_free(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_key_is_counted_and_its_first_line_kept)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
