/* Blocks of an evidence file: which ones a part lies in, where a chunk goes, and that one changed byte is noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "evidence_blocks.h"

enum { BLOCK = EVIDENCE_BLOCK };

static void a_part_lies_in_the_blocks_it_touches(void **state)
{
    (void)state;
    static const struct {
        int64_t size, offset;
        size_t wanted;
        int64_t first, count;
        size_t skip, got, length;
    } cases[] = {
        {1, 0, 1, 0, 1, 0, 1, 1},
        {1, 0, BLOCK, 0, 1, 0, 1, 1},
        {1, 1, BLOCK, 0, 0, 0, 0, 0},
        {3 * BLOCK, 0, BLOCK, 0, 1, 0, BLOCK, BLOCK},
        {3 * BLOCK, BLOCK - 1, 2, 0, 2, BLOCK - 1, 2, 2 * BLOCK},
        {3 * BLOCK, BLOCK, BLOCK, 1, 1, 0, BLOCK, BLOCK},
        {2 * BLOCK + 5, BLOCK + 7, 8 * BLOCK, 1, 2, 7, BLOCK - 2, BLOCK + 5},
        {INT64_C(1) << 31, (INT64_C(1) << 31) - 1, 5, 16383, 1, BLOCK - 1, 1, BLOCK},
        {5, 0, 0, 0, 0, 0, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct evidence_range range = evidence_range(cases[i].size, cases[i].offset, cases[i].wanted);
        assert_int_equal(range.first, cases[i].first);
        assert_int_equal(range.count, cases[i].count);
        assert_int_equal(range.skip, cases[i].skip);
        assert_int_equal(range.wanted, cases[i].got);
        assert_int_equal(range.length, cases[i].length);
        assert_int_equal(range.start, cases[i].first * BLOCK);
    }
}

static void a_chunk_goes_behind_what_was_received(void **state)
{
    (void)state;
    assert_int_equal(evidence_chunk_place(10, 4, 4, 6), EVIDENCE_CHUNK_NEXT);
    assert_int_equal(evidence_chunk_place(10, 4, 4, 7), EVIDENCE_CHUNK_BEYOND);
    assert_int_equal(evidence_chunk_place(10, 4, 0, 4), EVIDENCE_CHUNK_AGAIN);
    assert_int_equal(evidence_chunk_place(10, 4, 1, 2), EVIDENCE_CHUNK_AGAIN);
    assert_int_equal(evidence_chunk_place(10, 4, 3, 2), EVIDENCE_CHUNK_ASTRAY);
    assert_int_equal(evidence_chunk_place(10, 4, 5, 1), EVIDENCE_CHUNK_ASTRAY);
    assert_int_equal(evidence_chunk_place(10, 10, 10, 1), EVIDENCE_CHUNK_BEYOND);
    assert_int_equal(evidence_chunk_place(INT64_C(1) << 31, 0, INT64_C(1) << 31, 1), EVIDENCE_CHUNK_BEYOND);
}

struct file {
    struct arena arena;
    char *bytes;
    size_t length;
    struct evidence_digest digest;
};

static int file_begin(void **state)
{
    struct file *file = calloc(1, sizeof(*file));
    struct err err;
    file->length = 2 * BLOCK + 77;
    file->bytes = malloc(file->length);
    for (size_t i = 0; i < file->length; i++)
        file->bytes[i] = (char)(i * 31 % 253);
    arena_init(&file->arena, 1024 * 1024);
    assert_int_equal(evidence_digest_init(&file->digest, (int64_t)file->length, &file->arena, &err), 0);
    evidence_digest_add(&file->digest, (struct slice){.data = file->bytes, .length = BLOCK});
    evidence_digest_add(&file->digest, (struct slice){.data = file->bytes + BLOCK, .length = file->length - BLOCK});
    *state = file;
    return 0;
}

static int file_end(void **state)
{
    struct file *file = *state;
    evidence_digest_release(&file->digest);
    arena_release(&file->arena);
    free(file->bytes);
    free(file);
    return 0;
}

static struct slice hashes_of(const struct file *file, size_t first, size_t count)
{
    return (struct slice){.data = (const char *)file->digest.blocks + first * SHA256_SIZE,
                          .length = count * SHA256_SIZE};
}

static void pieces_give_the_hashes_of_the_whole(void **state)
{
    struct file *file = *state;
    struct sha256 whole = sha256_sum_value(file->digest.whole);
    struct sha256 expected = sha256_of(file->bytes, file->length);
    struct sha256 last = sha256_of(file->bytes + 2 * BLOCK, 77);
    assert_memory_equal(whole.bytes, expected.bytes, SHA256_SIZE);
    assert_int_equal(file->digest.used, 3 * SHA256_SIZE);
    assert_memory_equal(file->digest.blocks + 2 * SHA256_SIZE, last.bytes, SHA256_SIZE);
}

static void a_changed_byte_is_noticed_in_its_block(void **state)
{
    struct file *file = *state;
    struct slice all = {.data = file->bytes, .length = file->length};
    assert_true(evidence_blocks_match(all, hashes_of(file, 0, 3)));
    file->bytes[BLOCK] ^= 1;
    assert_false(evidence_blocks_match(all, hashes_of(file, 0, 3)));
    assert_true(evidence_blocks_match((struct slice){.data = file->bytes, .length = BLOCK}, hashes_of(file, 0, 1)));
    file->bytes[BLOCK] ^= 1;
    file->bytes[file->length - 1] ^= 1;
    assert_false(evidence_blocks_match(all, hashes_of(file, 0, 3)));
}

static void too_few_hashes_match_nothing(void **state)
{
    struct file *file = *state;
    struct slice all = {.data = file->bytes, .length = file->length};
    assert_false(evidence_blocks_match(all, hashes_of(file, 0, 2)));
    assert_false(evidence_blocks_match(all, (struct slice){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_lies_in_the_blocks_it_touches),
        cmocka_unit_test(a_chunk_goes_behind_what_was_received),
        cmocka_unit_test_setup_teardown(pieces_give_the_hashes_of_the_whole, file_begin, file_end),
        cmocka_unit_test_setup_teardown(a_changed_byte_is_noticed_in_its_block, file_begin, file_end),
        cmocka_unit_test_setup_teardown(too_few_hashes_match_nothing, file_begin, file_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
