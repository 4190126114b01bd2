/* Requests are inflated up to the limit and no further, whatever they pretend to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "internal.h"

enum { MEMORY_MAX = 64 * 1024 * 1024 };

static size_t gzip(const void *data, size_t length, char *output, size_t size)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)data,
                       .avail_in = (uInt)length,
                       .next_out = (Bytef *)output,
                       .avail_out = (uInt)size};
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return size - stream.avail_out;
}

/* The buffer in slices of `step` bytes, as the network might cut it. */
static grpc_byte_buffer *buffer_of(const char *data, size_t length, size_t step, grpc_compression_algorithm how)
{
    grpc_slice slices[4096];
    size_t count = 0;
    for (size_t i = 0; i < length; i += step)
        slices[count++] = grpc_slice_from_copied_buffer(data + i, length - i < step ? length - i : step);
    grpc_byte_buffer *buffer = grpc_raw_compressed_byte_buffer_create(slices, count, how);
    for (size_t i = 0; i < count; i++)
        grpc_slice_unref(slices[i]);
    return buffer;
}

static enum err_reason read_reason(const char *data, size_t length, size_t step, grpc_compression_algorithm how,
                                   size_t max, const char *expected, size_t expected_length)
{
    struct arena arena CLEANUP(arena_release);
    struct slice bytes;
    struct err err = {0};
    arena_init(&arena, MEMORY_MAX);
    grpc_byte_buffer *buffer = buffer_of(data, length, step, how);
    int result = body_read(buffer, max, &arena, &bytes, &err);
    if (result == 0) {
        assert_int_equal(bytes.length, expected_length);
        assert_memory_equal(bytes.data, expected, expected_length);
    }
    grpc_byte_buffer_destroy(buffer);
    return result == 0 ? ERR_OK : err.reason;
}

static void plain_bytes_come_whole(void **state UNUSED)
{
    const char text[] = "what was sent";
    for (size_t step = 1; step <= sizeof(text); step++)
        assert_int_equal(read_reason(text, sizeof(text), step, GRPC_COMPRESS_NONE, 100, text, sizeof(text)),
                         ERR_OK);
    assert_int_equal(read_reason(text, sizeof(text), 4, GRPC_COMPRESS_NONE, 5, NULL, 0), ERR_MESSAGE_TOO_LARGE);
}

static void gzip_is_inflated(void **state UNUSED)
{
    static char text[100000];
    static char packed[200000];
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)(i * i % 251);
    size_t length = gzip(text, sizeof(text), packed, sizeof(packed));
    assert_int_equal(read_reason(packed, length, 1000, GRPC_COMPRESS_GZIP, sizeof(text), text, sizeof(text)),
                     ERR_OK);
    assert_int_equal(read_reason(packed, length, length, GRPC_COMPRESS_GZIP, sizeof(text) - 1, NULL, 0),
                     ERR_MESSAGE_TOO_LARGE);
}

static void bomb_stops_at_the_limit(void **state UNUSED)
{
    static char zeros[8 * 1024 * 1024];
    static char packed[64 * 1024];
    size_t length = gzip(zeros, sizeof(zeros), packed, sizeof(packed));
    assert_int_equal(read_reason(packed, length, length, GRPC_COMPRESS_GZIP, 64 * 1024, NULL, 0),
                     ERR_MESSAGE_TOO_LARGE);
    for (size_t step = 1; step < 64; step += 13) /* but it is no bomb where there is room for it */
        assert_int_equal(read_reason(packed, length, length / step + 1, GRPC_COMPRESS_GZIP, sizeof(zeros),
                                     zeros, sizeof(zeros)), ERR_OK);
}

static void damaged_gzip_is_refused(void **state UNUSED)
{
    char packed[256];
    const char text[] = "some text that is packed";
    size_t length = gzip(text, sizeof(text), packed, sizeof(packed));
    for (size_t i = 0; i < length; i++) {
        packed[i] = (char)(packed[i] ^ 0x55);
        enum err_reason reason =
            read_reason(packed, length, 7, GRPC_COMPRESS_GZIP, 1000, text, sizeof(text)); /* or just the same */
        assert_true(reason == ERR_OK || reason == ERR_MESSAGE_MALFORMED);
        packed[i] = (char)(packed[i] ^ 0x55);
    }
    for (size_t cut = 0; cut < length; cut++)
        assert_int_equal(read_reason(packed, cut, 7, GRPC_COMPRESS_GZIP, 1000, NULL, 0), ERR_MESSAGE_MALFORMED);
    packed[length] = 'x';
    assert_int_equal(read_reason(packed, length + 1, 100, GRPC_COMPRESS_GZIP, 1000, NULL, 0),
                     ERR_MESSAGE_MALFORMED);
}

static void other_compression_is_refused(void **state UNUSED)
{
    assert_int_equal(read_reason("abc", 3, 3, GRPC_COMPRESS_DEFLATE, 100, NULL, 0), ERR_ENCODING_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_bytes_come_whole),  cmocka_unit_test(gzip_is_inflated),
        cmocka_unit_test(bomb_stops_at_the_limit), cmocka_unit_test(damaged_gzip_is_refused),
        cmocka_unit_test(other_compression_is_refused),
    };
    grpc_init();
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    grpc_shutdown_blocking();
    return result;
}
