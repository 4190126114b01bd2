/* JSON in and out, by the proto3 mapping. */
#include "library.h"

#include <stdlib.h>

#include <isms/proto/message.h>

static struct err err;
static const struct json_style public_style = {0};

static void reads_as(const char *type, const char *json, const char *expected)
{
    assert_string_equal(library_write(type, library_read(type, json), public_style), expected);
}

static void refused(const char *type, const char *json, const char *field, const char *text)
{
    ProtobufCMessage *message = NULL;
    memset(&err, 0, sizeof(err));
    if (json_read(library_type(type), json, strlen(json), false, &arena, &message, &err) == 0)
        fail_msg("accepted: %s", json);
    assert_null(message);
    assert_int_equal(err.reason, ERR_FIELD_INVALID);
    if (strcmp(err.violations[0].field, field) != 0 || !strstr(err.violations[0].description, text))
        fail_msg("%s: expected %s '%s', got %s '%s'", json, field, text, err.violations[0].field,
                 err.violations[0].description);
}

static void test_every_type_has_its_form(void **state)
{
    (void)state;
    static const char json[] =
        "{\"aInt32\":-2147483648,\"aSint32\":-1,\"aSfixed32\":5,\"aUint32\":4294967295,\"aFixed32\":7,"
        "\"aInt64\":\"-9223372036854775808\",\"aSint64\":\"-1\",\"aSfixed64\":\"2\",\"aUint64\":"
        "\"18446744073709551615\","
        "\"aFixed64\":\"3\",\"aFloat\":0.1,\"aDouble\":0.1,\"aBool\":true,\"aState\":\"BOOK_STATE_BORROWED\","
        "\"aString\":\"\\\"\\\\ä漢😀\",\"aBytes\":\"AP8=\",\"manySint64\":[\"-1\",\"1\"],\"manyFixed32\":[1,2],"
        "\"manyDouble\":[1.5,\"NaN\",\"-Infinity\",1e+300],\"manyBool\":[true,false],"
        "\"manyState\":[\"BOOK_STATE_UNSPECIFIED\",\"BOOK_STATE_ON_SHELF\"],\"manyString\":[\"\",\"a\"],"
        "\"manyBytes\":[\"\",\"AA==\"],\"chapters\":{\"-3\":{\"title\":\"x\"}},\"counts\":{\"true\":\"9\"},"
        "\"aTime\":\"2026-03-01T12:00:00.500Z\",\"aDuration\":\"-1.500s\",\"aMask\":\"title,author.birthYear\","
        "\"aWrapped\":\"\",\"aFlag\":false,\"times\":[\"1969-12-31T23:59:59.999999Z\"]}";
    reads_as("Everything", json, json);

    /* Through the wire and back as well. */
    struct slice bytes;
    ProtobufCMessage *message;
    assert_int_equal(message_pack(library_read("Everything", json), &arena, &bytes, &err), 0);
    assert_int_equal(message_unpack(library_type("Everything")->descriptor, bytes.data, bytes.length, &arena,
                                    &message, &err),
                     0);
    assert_string_equal(library_write("Everything", message, public_style), json);
}

static void test_the_stored_style(void **state)
{
    (void)state;
    assert_string_equal(
        library_write("Book", library_read("Book", "{\"publishedDate\":\"2026-01-01\",\"state\":\"ON_SHELF\"}"),
                      json_style_stored),
        "{\"state\":\"ON_SHELF\",\"published_date\":\"2026-01-01\"}");
    const struct json_style full = {.emit_defaults = true};
    assert_string_equal(library_write("ListBooksResponse", library_read("ListBooksResponse", "{}"), full),
                        "{\"books\":[],\"nextPageToken\":\"\",\"total\":0}");
}

static void test_readers_are_lenient_where_the_mapping_is(void **state)
{
    (void)state;
    reads_as("Everything", "{\"a_int32\":\"7\",\"aInt64\":8,\"a_uint32\":1e3,\"aDouble\":\"2.5\"}",
             "{\"aInt32\":7,\"aUint32\":1000,\"aInt64\":\"8\",\"aDouble\":2.5}");
    reads_as("Everything", "{\"aState\":2}", "{\"aState\":\"BOOK_STATE_BORROWED\"}");
    reads_as("Everything", "{\"aBytes\":\"_-8\"}", "{\"aBytes\":\"/+8=\"}");
    reads_as("Everything", "{\"aTime\":\"2026-03-01T14:00:00+02:00\"}", "{\"aTime\":\"2026-03-01T12:00:00Z\"}");
    reads_as("Everything", " {\n\t\"aString\" : \"\\u00e4\\ud83d\\ude00\\n\" , \"aInt32\":null } ",
             "{\"aString\":\"ä😀\\n\"}");
    reads_as("Book", "{\"paper\":null,\"electronic\":{\"sizeBytes\":5}}",
             "{\"electronic\":{\"sizeBytes\":\"5\"}}");
    ProtobufCMessage *message;
    const char unknown[] = "{\"x\":[1,{\"y\":null,\"z\":\"\\u0041\"}],\"title\":\"t\"}";
    assert_int_equal(json_read(library_type("Book"), unknown, strlen(unknown), true, &arena, &message, &err),
                     0);
    assert_string_equal(((book_message *)message)->title, "t");
}

static void test_wrong_json_is_named(void **state)
{
    (void)state;
    refused("Book", "{\"titel\":\"x\"}", "titel", "not a field of Book");
    refused("Book", "{\"author\":{\"nam\":1}}", "author.nam", "not a field of Author");
    refused("Book", "{\"chapters\":[{},{\"page\":\"x\"}]}", "chapters[1].page", "number");
    refused("Book", "{\"chapters\":[{\"page\":2147483648}]}", "chapters[0].page", "fits");
    refused("Book", "{\"chapters\":[{\"page\":1.5}]}", "chapters[0].page", "fits");
    refused("Book", "{\"title\":\"a\",\"title\":\"b\"}", "title", "twice");
    refused("Book", "{\"paper\":{},\"electronic\":{}}", "electronic", "twice");
    refused("Book", "{\"state\":\"LOST\"}", "state", "not a value of BookState");
    refused("Book", "{\"state\":9}", "state", "not a value of BookState");
    refused("Book", "{\"title\":\"\\u0000\"}", "title", "escape");
    refused("Book", "{\"title\":\"\\ud800\"}", "title", "escape");
    refused("Book", "{\"title\":\"\xff\"}", "title", "UTF-8");
    refused("Book", "{\"title\":5}", "title", "string");
    refused("Book", "{\"rare\":1}", "rare", "true nor false");
    refused("Book", "{\"tags\":\"a\"}", "tags", "array");
    refused("Book", "{\"cover\":\"A\"}", "cover", "base64");
    refused("Book", "{\"create_time\":\"yesterday\"}", "create_time", "RFC 3339");
    refused("Book", "{\"loan\":\"5\"}", "loan", "duration");
    refused("Everything", "{\"aMask\":\"titl$e\"}", "a_mask", "field names");
    refused("Everything", "{\"aMask\":\"title,,state\"}", "a_mask", "field names");
    refused("Book", "{} x", "", "after");
    refused("Book", "{\"title\":\"a\"", "", "without end");
    refused("Book", "{\"price\":01}", "price", "number");
    refused("Book", "{\"price\":1e999}", "price", "fits");
    refused("Book", "", "", "object");
}

static void test_depth_and_cuts(void **state)
{
    (void)state;
    char json[2048] = "";
    size_t length = 0;
    for (int i = 0; i < 40; i++)
        length += (size_t)snprintf(json + length, sizeof(json) - length, "{\"left\":");
    ProtobufCMessage *message;
    memset(&err, 0, sizeof(err));
    assert_int_equal(json_read(library_type("Tree"), json, length, false, &arena, &message, &err), -1);
    assert_non_null(strstr(err.violations[0].description, "too deep"));
    memset(json, '[', 1000);
    memcpy(json, "{\"x\":", 5);
    memset(&err, 0, sizeof(err));
    assert_int_equal(json_read(library_type("Tree"), json, 1000, true, &arena, &message, &err), -1);
    assert_non_null(strstr(err.violations[0].description, "too deep"));

    static const char whole[] =
        "{\"title\":\"\\u00e4\\ud83d\\ude00\",\"ratings\":[1,-2],\"labels\":{\"a\":\"b\"},\"author\":"
        "{\"name\":\"n\"},\"loan\":\"1.5s\",\"cover\":\"AAA=\",\"rare\":true,\"state\":\"ON_SHELF\"}";
    for (size_t cut = 0; cut < sizeof(whole) - 1; cut++) {
        char *copy = malloc(cut ? cut : 1);
        memcpy(copy, whole, cut);
        assert_int_equal(json_read(library_type("Book"), copy, cut, false, &arena, &message, &err), -1);
        free(copy);
    }
}

static void test_one_field_alone(void **state)
{
    (void)state;
    const struct message_type *type = library_type("Book");
    ProtobufCMessage *message = message_new(type->descriptor, &arena);
    const char chapters[] = "[{\"title\":\"a\"}]";
    const char medium[] = "{\"paper\":{\"pages\":3}}";
    assert_int_equal(json_read_field(message_type_field(type, "chapters"), message, chapters, strlen(chapters),
                                     false, &arena, &err),
                     0);
    assert_int_equal(json_read_into(type, message, medium, strlen(medium), false, &arena, &err), 0);
    assert_string_equal(library_write("Book", message, json_style_stored),
                        "{\"chapters\":[{\"title\":\"a\"}],\"paper\":{\"pages\":3}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type_has_its_form),
        cmocka_unit_test(test_the_stored_style),
        cmocka_unit_test(test_readers_are_lenient_where_the_mapping_is),
        cmocka_unit_test(test_wrong_json_is_named),
        cmocka_unit_test(test_depth_and_cuts),
        cmocka_unit_test(test_one_field_alone),
    };
    return cmocka_run_group_tests(tests, library_setup, library_teardown);
}
