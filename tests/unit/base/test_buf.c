/* A buffer grows to its maximum, fails once and for all past it, and is a C string at every moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <isms/base/buf.h>

static void test_grows_and_stays_terminated(void **state UNUSED)
{
    struct buf buf CLEANUP(buf_release);
    buf_init(&buf, 100000);
    assert_string_equal(buf.data, "");
    for (int i = 0; i < 10000; i++) {
        buf_char(&buf, (char)('a' + i % 26));
        assert_int_equal(buf.data[buf.length], '\0');
    }
    assert_int_equal(buf.length, 10000);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(buf.data[i], 'a' + i % 26);
}

static void test_maximum_is_exact_and_failure_is_final(void **state UNUSED)
{
    const size_t maxima[] = {0, 1, 63, 64, 65, 1000};
    for (size_t i = 0; i < ARRAY_SIZE(maxima); i++) {
        struct buf buf CLEANUP(buf_release);
        buf_init(&buf, maxima[i]);
        for (size_t j = 0; j < maxima[i]; j++)
            buf_char(&buf, 'x');
        assert_false(buf.failed);
        buf_text(&buf, "yy");
        assert_true(buf.failed);
        assert_int_equal(strlen(buf.data), maxima[i]);
        buf_text(&buf, "");
        buf_clear(&buf);
        assert_false(buf.failed);
        assert_string_equal(buf.data, "");
    }
}

static void test_nothing_of_a_text_that_does_not_fit_is_kept(void **state UNUSED)
{
    struct buf buf CLEANUP(buf_release);
    buf_init(&buf, 10);
    buf_text(&buf, "12345");
    buf_printf(&buf, "%s", "678901");
    assert_true(buf.failed);
    assert_string_equal(buf.data, "12345");
    buf_text(&buf, "6"); /* would fit, but a gap must not go unnoticed */
    assert_string_equal(buf.data, "12345");
}

static void test_printf_of_every_length(void **state UNUSED)
{
    struct buf buf CLEANUP(buf_release);
    buf_init(&buf, 1 << 20);
    size_t expected = 0;
    for (int width = 1; width < 400; width++) {
        buf_printf(&buf, "%*d", width, 7);
        expected += (size_t)width;
        assert_int_equal(buf.length, expected);
        assert_int_equal(strlen(buf.data), expected);
        assert_int_equal(buf.data[expected - 1], '7');
    }
}

static void test_arena_behind_it(void **state UNUSED)
{
    struct arena arena CLEANUP(arena_release);
    struct buf buf;
    arena_init(&arena, 8192);
    buf_init_arena(&buf, &arena, 1 << 20);
    while (!buf.failed)
        buf_text(&buf, "0123456789");
    assert_true(arena_exhausted(&arena));
    assert_true(buf.length >= 1000);
    assert_int_equal(strlen(buf.data), buf.length);
    buf_release(&buf); /* harmless */
}

static void test_fixed_storage(void **state UNUSED)
{
    char storage[8];
    struct buf buf;
    buf_init_fixed(&buf, storage, sizeof(storage));
    buf_text(&buf, "1234567");
    assert_false(buf.failed);
    assert_ptr_equal(buf.data, storage);
    buf_char(&buf, '8');
    assert_true(buf.failed);
    assert_string_equal(storage, "1234567");
}

static void test_take(void **state UNUSED)
{
    struct buf buf CLEANUP(buf_release);
    size_t length = 99;
    buf_init(&buf, 10);
    buf_append(&buf, "a\0b", 3);
    char *data = buf_take(&buf, &length);
    assert_int_equal(length, 3);
    assert_memory_equal(data, "a\0b", 4);
    free(data);
    assert_int_equal(buf.length, 0);

    data = buf_take(&buf, &length);
    assert_string_equal(data, "");
    assert_int_equal(length, 0);
    free(data);

    buf_text(&buf, "much too long");
    length = 99;
    assert_null(buf_take(&buf, &length));
    assert_int_equal(length, 99);
    assert_false(buf.failed);
    struct buf zeroed = {0};
    buf_release(&zeroed);
}

static void test_a_file_is_there_whole_or_not_at_all(void **state UNUSED)
{
    char path[] = "/tmp/isms-buf-XXXXXX", bytes[9000];
    int file = mkstemp(path);
    struct buf buf CLEANUP(buf_release), small CLEANUP(buf_release);
    struct err err = {0};
    memset(bytes, 'x', sizeof(bytes));
    assert_int_equal(write(file, bytes, sizeof(bytes)), sizeof(bytes));
    close(file);
    buf_init(&buf, sizeof(bytes));
    buf_init(&small, sizeof(bytes) - 1);
    assert_int_equal(buf_append_file(&buf, path, &err), 0);
    assert_int_equal(buf.length, sizeof(bytes));
    assert_int_equal(buf_append_file(&small, path, &err), -1);
    assert_non_null(strstr(err.message, "cannot be read whole"));
    unlink(path);
    assert_int_equal(buf_append_file(&buf, path, &err), -1);
    assert_non_null(strstr(err.message, "cannot be opened"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_and_stays_terminated),
        cmocka_unit_test(test_maximum_is_exact_and_failure_is_final),
        cmocka_unit_test(test_nothing_of_a_text_that_does_not_fit_is_kept),
        cmocka_unit_test(test_printf_of_every_length),
        cmocka_unit_test(test_arena_behind_it),
        cmocka_unit_test(test_fixed_storage),
        cmocka_unit_test(test_take),
        cmocka_unit_test(test_a_file_is_there_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
