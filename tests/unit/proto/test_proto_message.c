/* Packing, hashing and the canonical form. */
#include "library.h"

#include <isms/proto/message.h>

static struct err err;

static struct sha256 hash(const char *type, const char *json)
{
    struct sha256 result;
    assert_int_equal(message_hash(library_type(type), library_read(type, json), &arena, &result, &err), 0);
    return result;
}

static void test_hash_is_of_what_is_asked(void **state)
{
    (void)state;
    struct sha256 first = hash("ListBooksRequest", "{\"state\":\"BORROWED\",\"page_size\":5}");
    struct sha256 next =
        hash("ListBooksRequest", "{\"state\":\"BORROWED\",\"page_size\":9,\"page_token\":\"x\"}");
    struct sha256 other = hash("ListBooksRequest", "{\"state\":\"ON_SHELF\",\"page_size\":5}");
    assert_memory_equal(&first, &next, sizeof(first));
    assert_memory_not_equal(&first, &other, sizeof(first));

    /* The request itself is left as it was. */
    Isms__Library__V1__ListBooksRequest *request =
        library_read("ListBooksRequest", "{\"page_size\":9,\"page_token\":\"x\"}");
    assert_int_equal(message_hash(library_type("ListBooksRequest"), &request->base, &arena, &first, &err), 0);
    assert_string_equal(request->page_token, "x");
    assert_int_equal(request->page_size, 9);
}

static void test_canonical_form(void **state)
{
    (void)state;
    struct buf buf;
    buf_init_arena(&buf, &arena, 10000);
    ProtobufCMessage *book = library_read(
        "Book",
        "{\"title\":\"ä\\n\",\"publishedDate\":\"2026-01-01\",\"state\":\"BOOK_STATE_BORROWED\",\"price\":1.50,"
        "\"labels\":{\"b\":\"1\",\"a\":\"2\"},\"copies\":\"12\",\"paper\":{\"pages\":3}}");
    assert_int_equal(message_canonical(library_type("Book"), book, &buf, &err), 0);
    assert_string_equal(
        buf.data,
        "{\"copies\":\"12\",\"labels\":{\"a\":\"2\",\"b\":\"1\"},\"paper\":{\"pages\":3},\"price\":1.5,"
        "\"published_date\":\"2026-01-01\",\"state\":\"BORROWED\",\"title\":\"ä\\n\"}");
}

/* Doubles have no gaps there, but are written like integers that no double holds. */
static void test_canonical_form_of_large_numbers(void **state)
{
    (void)state;
    struct buf buf;
    buf_init_arena(&buf, &arena, 10000);
    ProtobufCMessage *all = library_read("Everything", "{\"manyDouble\":[72057594037927952,1e17,1e20,1e21,-1e15]}");
    assert_int_equal(message_canonical(library_type("Everything"), all, &buf, &err), 0);
    assert_string_equal(buf.data, "{\"many_double\":[72057594037927950,100000000000000000,100000000000000000000,"
                                  "1e+21,-1000000000000000]}");
}

static void test_memory_is_bounded(void **state)
{
    (void)state;
    struct slice bytes;
    ProtobufCMessage *message = NULL;
    struct arena tiny;
    arena_init(&tiny, 200);
    assert_int_equal(
        message_pack(library_read("Book", "{\"title\":\"t\",\"ratings\":[1,2,3]}"), &arena, &bytes, &err), 0);
    assert_int_equal(
        message_unpack(library_type("Book")->descriptor, bytes.data, bytes.length, &tiny, &message, &err), -1);
    assert_int_equal(err.reason, ERR_MESSAGE_TOO_LARGE);
    arena_release(&tiny);
}

static void test_rounds_leave_their_results_only(void **state)
{
    (void)state;
    struct arena small;
    ProtobufCMessage *books[20];
    arena_init(&small, 32 * 1024);
    for (size_t i = 0; i < ARRAY_SIZE(books); i++) {
        struct arena_mark mark = arena_mark(&small);
        assert_non_null(arena_alloc(&small, 8 * 1024)); /* twenty of them would not fit */
        books[i] = library_read("Book", i % 2 ? "{\"title\":\"odd\",\"ratings\":[1,2,3]}" : "{\"title\":\"even\"}");
        assert_int_equal(message_keep(&books[i], &small, &mark, &err), 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(books); i++) {
        struct slice kept, read;
        ProtobufCMessage *book =
            library_read("Book", i % 2 ? "{\"title\":\"odd\",\"ratings\":[1,2,3]}" : "{\"title\":\"even\"}");
        assert_int_equal(message_pack(books[i], &arena, &kept, &err), 0);
        assert_int_equal(message_pack(book, &arena, &read, &err), 0);
        assert_int_equal(kept.length, read.length);
        assert_memory_equal(kept.data, read.data, read.length);
    }
    arena_release(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash_is_of_what_is_asked),
        cmocka_unit_test(test_canonical_form),
        cmocka_unit_test(test_canonical_form_of_large_numbers),
        cmocka_unit_test(test_memory_is_bounded),
        cmocka_unit_test(test_rounds_leave_their_results_only),
    };
    return cmocka_run_group_tests(tests, library_setup, library_teardown);
}
