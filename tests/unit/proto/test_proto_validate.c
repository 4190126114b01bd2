/* The rules of the proto file, as a client gets to see them. */
#include "library.h"

#include <isms/proto/message.h>
#include <isms/proto/validate.h>

static struct err err;

static int validate(const char *type, const char *json)
{
    memset(&err, 0, sizeof(err));
    return message_validate(library_type(type), library_read(type, json), &err);
}

/* Exactly one violation, of that field. */
static void wrong(const char *type, const char *json, const char *field, const char *text)
{
    assert_int_equal(validate(type, json), -1);
    assert_int_equal(err.reason, ERR_FIELD_INVALID);
    if (err.violation_count != 1 || strcmp(err.violations[0].field, field) != 0 ||
        !strstr(err.violations[0].description, text))
        fail_msg("expected %s '%s', got %u: %s '%s'", field, text, err.violation_count, err.violations[0].field,
                 err.violations[0].description);
}

static void right(const char *type, const char *json)
{
    if (validate(type, json) < 0)
        fail_msg("%s: %s %s", json, err.violations[0].field, err.violations[0].description);
}

#define ID "\"id\":\"0190a0a0-0000-7000-8000-000000000001\""
#define REQUEST "\"request_id\":\"0190a0a0-0000-7000-8000-000000000002\""
#define BOOK "\"title\":\"t\",\"isbn\":\"1\",\"other_medium\":\"x\""

static void test_required(void **state)
{
    (void)state;
    right("Book", "{" BOOK "}");
    wrong("CreateBookRequest", "{" REQUEST "}", "book", "required");
    wrong("CreateBookRequest", "{" REQUEST ",\"book\":{\"isbn\":\"1\",\"paper\":{}}}", "book.title",
          "required");
    wrong("Book", "{\"title\":\"t\",\"isbn\":\"1\"}", "medium", "required");
    wrong("Book", "{" BOOK ",\"author\":{}}", "author.name", "required");
    wrong("Book", "{" BOOK ",\"chapters\":[{\"title\":\"a\"},{}]}", "chapters[1].title", "required");
    wrong("ImportBooksRequest", "{}", "books", "fewer than 1");
}

static void test_lengths_ranges_items(void **state)
{
    (void)state;
    right("Book",
          "{\"title\":\"ääääääääääääääääääää\",\"isbn\":\"1\",\"other_medium\":\"x\"}"); /* 20 characters, 40
                                                                                            bytes */
    wrong("Book", "{\"title\":\"ääääääääääääääääääääa\",\"isbn\":\"1\",\"paper\":{}}", "title",
          "21 characters, more than 20");
    wrong("Book", "{" BOOK ",\"tags\":[\"aa\",\"b\"]}", "tags[1]", "fewer than 2");
    wrong("Book", "{" BOOK ",\"tags\":[\"aa\",\"aa\",\"aa\",\"aa\",\"aa\",\"aa\"]}", "tags",
          "6 items, more than 5");
    wrong("Book", "{" BOOK ",\"price\":1000.5}", "price", "between 0 and 1000");
    wrong("Book", "{" BOOK ",\"price\":\"NaN\"}", "price", "finite");
    wrong("Book", "{" BOOK ",\"author\":{\"name\":\"a\",\"birth_year\":-3001}}", "author.birth_year",
          "between");
    wrong("Book", "{" BOOK ",\"cover\":\"AAAAAAAAAAAAAAAA\"}", "cover", "12 bytes, more than 8");
    char json[2048];
    int length = snprintf(json, sizeof(json), "{" BOOK ",\"ratings\":[1");
    for (int i = 0; i < 100; i++)
        length += snprintf(json + length, sizeof(json) - (size_t)length, ",1");
    snprintf(json + length, sizeof(json) - (size_t)length, "]}");
    wrong("Book", json, "ratings", "101 items, more than 100");
}

static void test_formats(void **state)
{
    (void)state;
    right("Book",
          "{" BOOK ",\"published_date\":\"2024-02-29\",\"zone\":\"Europe/Berlin\",\"author\":{\"name\":\"a\","
          "\"email\":\"a@b.example\"},\"owner_id\":\"0190A0A0-0000-7000-8000-000000000001\",\"checksum\":"
          "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}");
    wrong("Book", "{" BOOK ",\"published_date\":\"2023-02-29\"}", "published_date", "date");
    wrong("Book", "{" BOOK ",\"zone\":\"../../etc/passwd\"}", "zone", "time zone");
    wrong("Book", "{" BOOK ",\"zone\":\"Europe/\"}", "zone", "time zone");
    wrong("Book", "{" BOOK ",\"author\":{\"name\":\"a\",\"email\":\"a b@c\"}}", "author.email", "e-mail");
    wrong("Book", "{" BOOK ",\"owner_id\":\"0190a0a0\"}", "owner_id", "UUID");
    wrong("Book", "{" BOOK ",\"checksum\":\"E3\"}", "checksum", "hexadecimal");
    wrong("Book", "{\"title\":\"t\",\"isbn\":\"1\",\"electronic\":{\"url\":\"no scheme\"}}", "electronic.url",
          "URI");
    right("Book", "{\"title\":\"t\",\"isbn\":\"1\",\"paper\":{\"shelf\":\"A12\"}}");
    wrong("Book", "{\"title\":\"t\",\"isbn\":\"1\",\"paper\":{\"shelf\":\"A1234\"}}", "paper.shelf", "pattern");
    wrong("Book", "{\"title\":\"t\",\"isbn\":\"1\",\"paper\":{\"shelf\":\"xA12\"}}", "paper.shelf", "pattern");
}

static void test_output_only_is_cleared(void **state)
{
    (void)state;
    book_message *book = library_read(
        "Book", "{" BOOK ",\"id\":\"mine\",\"state\":\"BORROWED\",\"create_time\":\"2026-01-01T00:00:00Z\"}");
    assert_int_equal(message_validate(library_type("Book"), &book->base, &err), 0);
    assert_string_equal(book->id, "");
    assert_int_equal(book->state, 0);
    assert_null(book->create_time);
    assert_string_equal(book->title, "t");
}

/* An update that names what it changes need not send the rest. */
static void test_the_mask_says_what_is_required(void **state)
{
    (void)state;
    right("UpdateBookRequest", "{" ID "," REQUEST ",\"book\":{\"price\":3},\"update_mask\":\"price\"}");
    wrong("UpdateBookRequest", "{" ID "," REQUEST ",\"book\":{\"price\":3},\"update_mask\":\"price,title\"}",
          "book.title", "required");
    wrong("UpdateBookRequest", "{" ID "," REQUEST ",\"book\":{\"paper\":{}}}", "book.title",
          "required"); /* but not isbn: immutable */
    right("UpdateBookRequest",
          "{" ID "," REQUEST ",\"book\":{\"author\":{\"birth_year\":3}},\"update_mask\":\"author.birthYear\"}");
    wrong("UpdateBookRequest", "{" ID "," REQUEST ",\"book\":{\"author\":{}},\"update_mask\":\"author\"}",
          "book.author.name", "required");
    wrong("UpdateBookRequest", "{" ID "," REQUEST ",\"book\":{\"price\":-1},\"update_mask\":\"rare\"}",
          "book.price", "between");
}

static void test_violations_are_counted(void **state)
{
    (void)state;
    assert_int_equal(validate("ImportBooksRequest", "{\"books\":[{},{},{},{}]}"), -1);
    assert_int_equal(err.violation_count, 12); /* title, medium and isbn of each */
    assert_string_equal(err.violations[3].field, "books[1].title");
}

/* Two encodings of one request differ in the order of a map, and are the same request. */
static void test_maps_have_one_order(void **state)
{
    (void)state;
    struct sha256 first;
    struct sha256 second;
    ProtobufCMessage *a = library_read("CreateBookRequest", "{" REQUEST ",\"book\":{" BOOK
                                                            ",\"labels\":{\"b\":\"1\",\"a\":\"2\"}}}");
    ProtobufCMessage *b = library_read(
        "CreateBookRequest",
        "{\"book\":{" BOOK
        ",\"labels\":{\"a\":\"2\",\"b\":\"1\"}},\"request_id\":\"0190a0a0-0000-7000-8000-000000000009\"}");
    assert_int_equal(message_validate(library_type("CreateBookRequest"), a, &err), 0);
    assert_int_equal(message_validate(library_type("CreateBookRequest"), b, &err), 0);
    assert_int_equal(message_hash(library_type("CreateBookRequest"), a, &arena, &first, &err), 0);
    assert_int_equal(message_hash(library_type("CreateBookRequest"), b, &arena, &second, &err), 0);
    assert_memory_equal(&first, &second, sizeof(first));

    book_message *book = library_read("Book", "{" BOOK ",\"labels\":{\"a\":\"1\",\"b\":\"2\"}}");
    book->labels[1]->key = book->labels[0]->key;
    memset(&err, 0, sizeof(err));
    assert_int_equal(message_validate(library_type("Book"), &book->base, &err), -1);
    assert_string_equal(err.violations[0].field, "labels");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_required),
        cmocka_unit_test(test_lengths_ranges_items),
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_output_only_is_cleared),
        cmocka_unit_test(test_the_mask_says_what_is_required),
        cmocka_unit_test(test_violations_are_counted),
        cmocka_unit_test(test_maps_have_one_order),
    };
    return cmocka_run_group_tests(tests, library_setup, library_teardown);
}
