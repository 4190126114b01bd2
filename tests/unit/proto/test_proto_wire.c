/* Bytes of a peer: what must not be unpacked is refused, whatever comes, and what passes does unpack. */
#include "library.h"

#include <stdlib.h>

#include <isms/proto/message.h>
#include <isms/proto/wire.h>

static struct err err;

static int check(const char *type, const void *data, size_t length)
{
    memset(&err, 0, sizeof(err));
    return wire_check(library_type(type)->descriptor, data, length, WIRE_ELEMENTS_MAX, &err);
}

#define assert_refused(type, bytes, field, text) refused((type), (bytes), sizeof(bytes) - 1, (field), (text))

static void refused(const char *type, const char *bytes, size_t length, const char *field, const char *text)
{
    assert_int_equal(check(type, bytes, length), -1);
    assert_int_equal(err.reason, ERR_MESSAGE_MALFORMED);
    if (!strstr(err.message, text))
        fail_msg("expected '%s' in: %s", text, err.message);
    if (field)
        assert_string_equal(err.metadata[0].value, field);
    ProtobufCMessage *message = NULL;
    assert_int_equal(message_unpack(library_type(type)->descriptor, bytes, length, &arena, &message, &err), -1);
    assert_null(message);
}

static void test_malformed_is_named(void **state)
{
    (void)state;
    assert_refused("Book", "\x12\x05" "abc", "title", "beyond the message");
    assert_refused("Book", "\x12\x02\xc3\x28", "title", "not UTF-8");
    assert_refused("Book", "\x12\x03" "a\0b", "title", "NUL");
    assert_refused("Book", "\x20\x09", "state", "no such value");
    assert_refused("Book", "\x10\x01", "title", "wire type");
    assert_refused("Book", "\x13\x14", NULL, "wire type");
    assert_refused("Book", "\x03", NULL, "field number");
    assert_refused("Book", "\x80\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "rare", "cut off");
    assert_refused("Book", "\xff\xff\xff\xff\xff\xff\x01", NULL, "field number");
    assert_refused("Book", "\x9b\x06", NULL, "unknown field");
    assert_refused("Book", "\x1a\x00\x1a\x00", "author", "given twice");
    assert_refused("Book", "\x5a\x00\x62\x00", "electronic", "given twice");
    assert_refused("Book", "\x42\x02\x80\x80", "ratings[0]", "cut off");
    assert_refused("Everything", "\xaa\x01\x02\x01\x07", "many_state[0]", "no such value");
    assert_refused("ImportBooksRequest", "\x0a\x00\x0a\x04\x1a\x02\x0a\x05", "books[1].author.name", "beyond");
    assert_refused("Book", "\x52\x05\x0a\x01\xff\x12\x00", "labels[0].key", "not UTF-8");
}

static void test_well_formed_passes(void **state)
{
    (void)state;
    assert_int_equal(check("Book", NULL, 0), 0);
    assert_int_equal(check("Book",
                           "\x12\x01"
                           "a\x12\x01"
                           "b",
                           6),
                     0);                                               /* a scalar twice: the last wins */
    assert_int_equal(check("Book", "\x40\x01\x42\x02\x02\x03", 6), 0); /* repeated, unpacked and packed */
    assert_int_equal(check("Book", "\x98\x06\x01\x9a\x06\x01x", 7), 0);       /* unknown fields */
    assert_int_equal(check("Book", "\x40\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11),
                     0); /* -1 in ten bytes */
}

static void test_depth_is_bounded(void **state)
{
    (void)state;
    /* Trees inside trees: each level is a tag and a length around the next. */
    enum { LEVELS = 5000 };
    static uint8_t bytes[LEVELS * 6];
    size_t start = sizeof(bytes);
    size_t length = 0;
    for (int i = 0; i < LEVELS; i++) {
        uint8_t head[6];
        size_t size = 0;
        head[size++] = 0x1a;
        for (size_t left = length; size == 1 || left; left >>= 7)
            head[size++] = (uint8_t)((left & 0x7f) | (left >> 7 ? 0x80 : 0));
        start -= size;
        memcpy(bytes + start, head, size);
        length += size;
        if (i == MESSAGE_DEPTH_MAX - 2)
            assert_int_equal(check("Tree", bytes + start, length), 0);
        if (i == MESSAGE_DEPTH_MAX - 1 || i == LEVELS - 1) {
            assert_int_equal(check("Tree", bytes + start, length), -1);
            assert_non_null(strstr(err.message, "nested too deep"));
        }
    }
}

static void test_elements_are_bounded(void **state)
{
    (void)state;
    const size_t count = WIRE_ELEMENTS_MAX;
    uint8_t *bytes = malloc(2 * count + 2);
    for (size_t i = 0; i <= count; i++) {
        bytes[2 * i] = 0x0a; /* an empty submessage */
        bytes[2 * i + 1] = 0;
    }
    assert_int_equal(check("ImportBooksRequest", bytes, 2 * count), 0);
    assert_int_equal(check("ImportBooksRequest", bytes, 2 * count + 2), -1);
    assert_non_null(strstr(err.message, "too many"));

    ProtobufCMessage *message = NULL;
    struct arena large;
    arena_init(&large, 64 * 1024 * 1024);
    assert_int_equal(message_unpack_answer(library_type("ImportBooksRequest")->descriptor, bytes, 2 * count + 2, &large,
                                           &message, &err),
                     0); /* a service of ours may say more */
    arena_release(&large);
    struct arena small;
    arena_init(&small, 1024 * 1024);
    assert_int_equal(message_unpack(library_type("ImportBooksRequest")->descriptor, bytes, 2 * count, &small,
                                    &message, &err),
                     -1);
    assert_int_equal(err.reason, ERR_MESSAGE_TOO_LARGE);
    arena_release(&small);

    memset(bytes, 1, 2 * count + 2); /* packed: one byte an element */
    bytes[0] = 0x42;
    size_t inside = count + 1;
    bytes[1] = (uint8_t)(inside & 0x7f) | 0x80;
    bytes[2] = (uint8_t)(inside >> 7 & 0x7f) | 0x80;
    bytes[3] = (uint8_t)(inside >> 14);
    assert_int_equal(check("Book", bytes, inside + 4), -1);
    free(bytes);
}

static const char everything[] = "{\"a_int32\":-1,\"a_uint64\":\"18446744073709551615\",\"a_double\":1.5,\"a_"
                                 "string\":\"\xc3\xa4\xe6\xbc\xa2\","
                                 "\"a_state\":\"BORROWED\",\"many_sint64\":[\"-5\",7],\"many_string\":[\"x\","
                                 "\"\"],\"many_bytes\":[\"AAE=\"],"
                                 "\"chapters\":{\"5\":{\"title\":\"t\",\"page\":3}},\"a_time\":\"2026-03-01T12:"
                                 "00:00.5Z\",\"a_wrapped\":\"w\","
                                 "\"many_state\":[\"ON_SHELF\"],\"many_double\":[1,2.25]}";

/* Cut anywhere, and with any byte changed: refused or unpacked, never more. (The sanitizers look on.) */
static void test_every_cut_and_every_flip_is_survived(void **state)
{
    (void)state;
    struct slice bytes;
    ProtobufCMessage *message = library_read("Everything", everything);
    assert_int_equal(message_pack(message, &arena, &bytes, &err), 0);
    const ProtobufCMessageDescriptor *type = library_type("Everything")->descriptor;
    unsigned refusals = 0;
    struct arena scratch;
    arena_init(&scratch, 1024 * 1024);
    for (size_t cut = 0; cut <= bytes.length; cut++) {
        uint8_t *copy = malloc(cut ? cut : 1); /* exactly as long, so that a read beyond is seen */
        memcpy(copy, bytes.data, cut);
        refusals += message_unpack(type, copy, cut, &scratch, &message, &err) < 0;
        free(copy);
        arena_clear(&scratch);
    }
    assert_true(refusals > bytes.length / 2);
    uint8_t *copy = malloc(bytes.length);
    for (size_t i = 0; i < bytes.length; i++)
        for (unsigned byte = 0; byte < 256; byte += 5) {
            memcpy(copy, bytes.data, bytes.length);
            copy[i] = (uint8_t)byte;
            if (message_unpack(type, copy, bytes.length, &scratch, &message, &err) < 0)
                assert_int_equal(err.reason, ERR_MESSAGE_MALFORMED);
            arena_clear(&scratch);
        }
    free(copy);
    arena_release(&scratch);
}

static void test_garbage_is_survived(void **state)
{
    (void)state;
    uint32_t random = 12345;
    struct arena scratch;
    arena_init(&scratch, 1024 * 1024);
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[64];
        random = random * 1664525 + 1013904223;
        size_t length = random >> 26;
        for (size_t i = 0; i < length; i++) {
            random = random * 1664525 + 1013904223;
            bytes[i] = (uint8_t)(random >> 24);
        }
        ProtobufCMessage *message;
        (void)!message_unpack(library_type("Everything")->descriptor, bytes, length, &scratch, &message, &err);
        arena_clear(&scratch);
    }
    arena_release(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_malformed_is_named),
        cmocka_unit_test(test_well_formed_passes),
        cmocka_unit_test(test_depth_is_bounded),
        cmocka_unit_test(test_elements_are_bounded),
        cmocka_unit_test(test_every_cut_and_every_flip_is_survived),
        cmocka_unit_test(test_garbage_is_survived),
    };
    return cmocka_run_group_tests(tests, library_setup, library_teardown);
}
