/* An arena zeroes, aligns, stops at its maximum, and survives a system without memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <isms/base/arena.h>

static unsigned calls_until_failure; /* 0: never fail */

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
    if (calls_until_failure && --calls_until_failure == 0)
        return NULL;
    return __real_calloc(count, size);
}

static void test_memory_is_zeroed_aligned_and_distinct(void **state UNUSED)
{
    struct arena arena CLEANUP(arena_release);
    arena_init(&arena, 1 << 20);
    char *last = NULL;
    for (size_t size = 0; size < 3000; size += 7) {
        char *memory = arena_alloc(&arena, size);
        assert_non_null(memory);
        assert_ptr_not_equal(memory, last);
        assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(memory[i], 0);
        memset(memory, 0xA5, size);
        last = memory;
    }
    assert_false(arena_exhausted(&arena));
}

static void test_never_takes_more_than_its_maximum(void **state UNUSED)
{
    const size_t maxima[] = {0, 1, 40, 4095, 4096, 5000, 100000, 3000000};
    for (size_t i = 0; i < ARRAY_SIZE(maxima); i++) {
        struct arena arena CLEANUP(arena_release);
        arena_init(&arena, maxima[i]);
        size_t handed_out = 0;
        while (arena_alloc(&arena, 100))
            handed_out += 100;
        assert_true(arena_exhausted(&arena));
        assert_true(arena.used <= maxima[i]);
        if (maxima[i] >= 4096) /* most of what was taken must have been usable */
            assert_true(handed_out > maxima[i] * 3 / 4);
    }
}

static void test_large_request_leaves_the_current_block_in_use(void **state UNUSED)
{
    struct arena arena CLEANUP(arena_release);
    arena_init(&arena, 1 << 20);
    assert_non_null(arena_alloc(&arena, 16));
    assert_non_null(arena_alloc(&arena, 100000));
    size_t used = arena.used;
    assert_non_null(arena_alloc(&arena, 2000));
    assert_int_equal(arena.used, used);
}

static void test_absurd_sizes_are_refused(void **state UNUSED)
{
    struct arena arena CLEANUP(arena_release);
    arena_init(&arena, SIZE_MAX);
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_alloc(&arena, SIZE_MAX - 15));
    assert_null(arena_alloc_array(&arena, SIZE_MAX / 2, 3));
    assert_true(arena_exhausted(&arena));
}

static void test_clear_gives_back_and_works_again(void **state UNUSED)
{
    struct arena arena CLEANUP(arena_release);
    arena_init(&arena, 4096);
    while (arena_alloc(&arena, 64))
        ;
    arena_clear(&arena);
    assert_int_equal(arena.used, 0);
    assert_false(arena_exhausted(&arena));
    assert_non_null(arena_alloc(&arena, 64));
    struct arena zeroed = {0};
    arena_release(&zeroed);
}

static void test_system_without_memory(void **state UNUSED)
{
    for (unsigned nth = 1; nth <= 4; nth++) {
        struct arena arena CLEANUP(arena_release);
        arena_init(&arena, 1 << 20);
        calls_until_failure = nth;
        while (arena_alloc(&arena, 3000))
            ;
        calls_until_failure = 0;
        assert_true(arena_exhausted(&arena));
        assert_non_null(arena_alloc(&arena, 100000)); /* later requests may succeed; the flag stays */
        assert_true(arena_exhausted(&arena));
    }
}

static void test_rewind_gives_back_what_came_after(void **state UNUSED)
{
    struct arena arena CLEANUP(arena_release);
    arena_init(&arena, 1 << 20);
    struct arena_mark empty = arena_mark(&arena);
    char *kept = arena_strdup(&arena, "kept");
    struct arena_mark mark = arena_mark(&arena);
    size_t used = arena.used;
    for (int round = 0; round < 100; round++) {
        char *small = arena_alloc(&arena, 100);
        for (int i = 0; i < 100; i++)
            assert_int_equal(small[i], 0);
        memset(small, 'x', 100);
        assert_non_null(arena_alloc(&arena, 200000)); /* a block of its own, behind the newest */
        for (int i = 0; i < 20; i++)
            assert_non_null(arena_alloc(&arena, 3000));
        arena_rewind(&arena, &mark);
        assert_int_equal(arena.used, used);
        assert_string_equal(kept, "kept");
    }
    while (arena_alloc(&arena, 64))
        ;
    arena_rewind(&arena, &mark);
    assert_false(arena_exhausted(&arena));
    arena_rewind(&arena, &empty);
    assert_int_equal(arena.used, 0);
    assert_non_null(arena_alloc(&arena, 64));
}

static void test_texts(void **state UNUSED)
{
    struct arena arena CLEANUP(arena_release);
    arena_init(&arena, 100000);
    assert_string_equal(arena_strdup(&arena, "München"), "München");
    assert_string_equal(arena_strndup(&arena, "abcdef", 3), "abc");
    assert_string_equal(arena_strndup(&arena, "ab", 30), "ab");
    assert_string_equal(arena_printf(&arena, "%s-%05d", "x", 42), "x-00042");
    char *wide = arena_printf(&arena, "%20000d", 1);
    assert_int_equal(strlen(wide), 20000);
    assert_memory_equal(arena_memdup(&arena, "a\0b", 3), "a\0b", 3);
    assert_null(arena_printf(&arena, "%200000d", 1));
    assert_null(arena_memdup(&arena, wide, 200000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_zeroed_aligned_and_distinct),
        cmocka_unit_test(test_never_takes_more_than_its_maximum),
        cmocka_unit_test(test_large_request_leaves_the_current_block_in_use),
        cmocka_unit_test(test_absurd_sizes_are_refused),
        cmocka_unit_test(test_clear_gives_back_and_works_again),
        cmocka_unit_test(test_system_without_memory),
        cmocka_unit_test(test_rewind_gives_back_what_came_after),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
