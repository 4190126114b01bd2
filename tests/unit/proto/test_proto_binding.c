/* Bindings without a database: names into places, requests into values, descriptions into complaints. */
#include "library.h"

#include <isms/proto/binding.h>

static struct err err;
static const struct page_secret secret = {.bytes = {1}};

/* Bound for the rest of the program; freed with it. */
static struct binding *bindings[128];
static struct sql_file *files[128];
static unsigned bound_count;

static struct binding *bind(const char *method, const char *sql)
{
    const struct sql_text texts[] = {{"Test", sql}, {0}};
    char path[100];
    snprintf(path, sizeof(path), "/isms.library.v1.LibraryService/%s", method);
    const struct method *found = descriptors_method(library, path);
    assert_non_null(found);
    memset(&err, 0, sizeof(err));
    if (sql_file_compile(texts, "Test", &files[bound_count], &err) < 0)
        return NULL;
    struct binding_options options = {.descriptors = library,
                                      .file = files[bound_count],
                                      .request = found->request,
                                      .response = found->response,
                                      .scope = found->path,
                                      .prefix = "library",
                                      .secret = &secret};
    bound_count++;
    if (binding_new(&options, &bindings[bound_count - 1], &err) < 0)
        return NULL;
    return bindings[bound_count - 1];
}

static int teardown(void **state)
{
    for (unsigned i = 0; i < bound_count; i++) {
        binding_free(bindings[i]);
        sql_file_free(files[i]);
    }
    return library_teardown(state);
}

static void refused(const char *method, const char *sql, const char *expected)
{
    if (bind(method, sql))
        fail_msg("accepted: %s", sql);
    if (!strstr(err.message, expected))
        fail_msg("expected '%s' in: %s", expected, err.message);
}

static const struct binding_call a_call = {
    .tenant = {{0x01, 0x90}}, .actor = {{0xaa}}, .has_actor = true, .now_us = INT64_C(1767225600000001)};

/* The values, one a line: what the database will be given. */
static const char *encode(struct binding *binding, const char *request_type, const char *json)
{
    struct binding_call call = a_call;
    ProtobufCMessage *request = library_read(request_type, json);
    struct db_value *values = NULL;
    int count = 0;
    memset(&err, 0, sizeof(err));
    if (binding_select(binding, request, &call, &arena, &err) < 0 ||
        binding_encode(binding, false, request, &call, &arena, &values, &count, &err) < 0)
        return arena_printf(&arena, "%s", err_reason_name(err.reason));
    struct buf text;
    buf_init_arena(&text, &arena, 100000);
    for (int i = 0; i < count; i++) {
        if (i)
            buf_char(&text, '\n');
        if (!values[i].data)
            buf_text(&text, "NULL");
        else
            buf_append(&text, values[i].data, (size_t)values[i].length);
        if (values[i].data && !values[i].format)
            assert_int_equal(strlen(values[i].data), values[i].length);
    }
    return text.data;
}

static void test_values(void **state)
{
    (void)state;
    struct binding *binding =
        bind("CreateBook",
             "select :tenant, :actor, :now, :book.title, :book.state, :book.author.name, "
             ":book.author.birth_year, :book.price,"
             " :book.tags, :book.ratings, :book.chapters, :book.labels, :book.medium, :book.medium.case, "
             ":book.paper.pages,"
             " :book.copies, :book.rare, :book.bought_time, :book.loan, :book.author, :book.other_medium");
    if (!binding)
        fail_msg("%s", err.message);
    assert_string_equal(encode(binding, "CreateBookRequest",
                               "{\"book\":{\"title\":\"O'Neill\",\"state\":\"BORROWED\",\"author\":{\"name\":"
                               "\"A\",\"birthYear\":1900},\"price\":0.1,"
                               "\"tags\":[\"a\\\"b\",\"c\\\\d\",\"\",\"NULL\"],\"ratings\":[1,-2],\"chapters\":"
                               "[{\"title\":\"x\",\"state\":\"ON_SHELF\"}],"
                               "\"labels\":{\"k\":\"v\"},\"paper\":{\"pages\":7},\"copies\":\"3\",\"rare\":"
                               "true,\"boughtTime\":\"2026-01-02T03:04:05.6Z\","
                               "\"loan\":\"90.5s\"}}"),
                        "01900000-0000-0000-0000-000000000000\naa000000-0000-0000-0000-000000000000\n2026-01-"
                        "01T00:00:00.000001Z\n"
                        "O'Neill\nBORROWED\nA\n1900\n0.1\n"
                        "{\"a\\\"b\",\"c\\\\d\",\"\",\"NULL\"}\n{\"1\",\"-2\"}\n[{\"title\":\"x\",\"state\":"
                        "\"ON_SHELF\"}]\n{\"k\":\"v\"}\n"
                        "{\"paper\":{\"pages\":7}}\npaper\n7\n3\nt\n2026-01-02T03:04:05.600000Z\n90 seconds "
                        "500000 microseconds\n"
                        "{\"name\":\"A\",\"birth_year\":1900}\nNULL");
    assert_string_equal(encode(binding, "CreateBookRequest", "{}"),
                        "01900000-0000-0000-0000-000000000000\naa000000-0000-0000-0000-000000000000\n2026-01-"
                        "01T00:00:00.000001Z\n"
                        "\n\n\n0\n0\n{}\n{}\n[]\n{}\nNULL\n\n0\nNULL\nf\nNULL\nNULL\nNULL\n");
}

static void test_new_ids_are_stable_in_a_call(void **state)
{
    (void)state;
    struct binding *binding = bind("CreateBook", "select :new_id, :new_id.2");
    struct binding_call call = a_call;
    ProtobufCMessage *request = library_read("CreateBookRequest", "{}");
    struct db_value *first;
    struct db_value *second;
    int count;
    assert_int_equal(binding_encode(binding, false, request, &call, &arena, &first, &count, &err), 0);
    assert_int_equal(binding_encode(binding, false, request, &call, &arena, &second, &count, &err), 0);
    assert_string_equal(first[0].data, second[0].data);
    assert_string_equal(first[1].data, second[1].data);
    assert_string_not_equal(first[0].data, first[1].data);
}

#define UPDATE "select :mask.title, :mask.medium, :mask.author, :patch.author, :patch.medium"

static void test_masks_and_patches(void **state)
{
    (void)state;
    struct binding *binding = bind("UpdateBook", UPDATE);
    if (!binding)
        fail_msg("%s", err.message);
    assert_string_equal(
        encode(binding, "UpdateBookRequest", "{\"book\":{\"title\":\"t\"},\"updateMask\":\"title\"}"),
        "t\nf\nf\n{}\n{}");
    assert_string_equal(encode(binding, "UpdateBookRequest",
                               "{\"book\":{\"author\":{\"name\":\"n\",\"email\":\"e\"}},\"updateMask\":"
                               "\"author.name,author.birthYear\"}"),
                        "f\nf\nt\n{\"name\":\"n\",\"birth_year\":null}\n{}");
    assert_string_equal(encode(binding, "UpdateBookRequest",
                               "{\"book\":{\"electronic\":{\"url\":\"u\"}},\"updateMask\":\"electronic\"}"),
                        "f\nt\nf\n{}\n{\"paper\":null,\"electronic\":{\"url\":\"u\"},\"other_medium\":null}");
    assert_string_equal(
        encode(binding, "UpdateBookRequest", "{\"book\":{\"title\":\"t\",\"paper\":{\"pages\":1}}}"),
        "t\nt\nt\n{\"name\":null,\"birth_year\":null,\"email\":null}\n{\"paper\":{\"pages\":1},\"electronic\":"
        "null,\"other_medium\":null}");

    /* What no parameter speaks of would be lost without a word. */
    assert_string_equal(encode(binding, "UpdateBookRequest", "{\"book\":{},\"updateMask\":\"price\"}"),
                        "MASK_INVALID");
    assert_string_equal(encode(binding, "UpdateBookRequest", "{\"book\":{},\"updateMask\":\"paper.pages\"}"),
                        "MASK_INVALID");
    assert_string_equal(encode(binding, "UpdateBookRequest", "{\"book\":{},\"updateMask\":\"isbn\"}"),
                        "MASK_INVALID");
    binding = bind("UpdateBook", "select :mask.author");
    assert_string_equal(encode(binding, "UpdateBookRequest", "{\"book\":{},\"updateMask\":\"author.name\"}"),
                        "MASK_INVALID");
}

static void test_variants_are_selected(void **state)
{
    (void)state;
    struct binding *binding = bind("ListBooks", "select 1\n--@if owner_id\n:owner_id\n--@end\n--@order "
                                                "\"title\"\nt\n--@order \"price desc\"\np\n--@end\n"
                                                "--@if page_token\n:page.1\n--@end\n:page.limit");
    if (!binding)
        fail_msg("%s", err.message);
    assert_string_equal(encode(binding, "ListBooksRequest", "{}"), "51");
    assert_string_equal(encode(binding, "ListBooksRequest", "{\"pageSize\":1000,\"ownerId\":\"x\"}"), "x\n501");
    assert_string_equal(encode(binding, "ListBooksRequest", "{\"pageSize\":-1}"), "FIELD_INVALID");
    assert_string_equal(encode(binding, "ListBooksRequest", "{\"orderBy\":\"isbn\"}"), "ORDER_UNSUPPORTED");
    assert_string_equal(err.metadata[1].value, "price desc");
    assert_string_equal(encode(binding, "ListBooksRequest", "{\"pageToken\":\"AAAA\"}"), "PAGE_TOKEN_INVALID");

    struct binding_call call = a_call;
    assert_int_equal(
        binding_select(binding,
                       library_read("ListBooksRequest", "{\"orderBy\":\"price desc\",\"ownerId\":\"x\"}"),
                       &call, &arena, &err),
        0);
    assert_string_equal(binding_statement(binding, &call)->sql, "select 1\n$1\np\n$2");
    assert_string_equal(binding_statement(binding, &call)->name, "library.Test.5");
    unsigned count;
    (void)binding_statements(binding, &count);
    assert_int_equal(count, 8);
    assert_null(binding_replay(binding, &call));
}

static void test_wrong_names_are_located(void **state)
{
    (void)state;
    refused("GetBook", "select 1,\n:idd", "Test.sql:2: :idd is not a field of isms.library.v1.GetBookRequest");
    refused("CreateBook", ":book.chapters.title", "goes through a field that is not a single message");
    refused("CreateBook", ":mask.title", "needs a request with an update_mask");
    refused("UpdateBook", ":mask.titel", ":mask.titel is not a field of isms.library.v1.Book");
    refused("UpdateBook", ":patch.title", "cannot be patched");
    refused("UpdateBook", "select 1", "no parameter that takes it");
    refused("GetBook", ":page.limit", "needs a request with an int32 page_size");
    refused("ListBooks", ":page.9", "is neither :page.limit nor");
    refused("GetBook", "--@if nothing\n--@end\n", "Test.sql:1: --@if nothing is not a field");
    refused("GetBook", "--@order \"a\"\n--@end\n", "no string order_by");
    refused("GetBook", "--@request a.B\n--@response a.C\n", "remove --@request");
}

static struct db_description description_of(unsigned parameters, const uint32_t *parameter_types,
                                            unsigned columns, const char *const *names, const uint32_t *types)
{
    return (struct db_description){.parameter_count = parameters,
                                   .parameter_types = (uint32_t *)(uintptr_t)parameter_types,
                                   .column_count = columns,
                                   .column_names = (char **)(uintptr_t)names,
                                   .column_types = (uint32_t *)(uintptr_t)types};
}

static void column_is(const char *method, const char *name, uint32_t type, const char *expected)
{
    struct binding *binding = bind(method, "select 1");
    assert_non_null(binding);
    struct db_description description = description_of(0, NULL, 1, &name, &type);
    memset(&err, 0, sizeof(err));
    int result = binding_describe(binding, 0, &description, &err);
    if (!expected && result < 0)
        fail_msg("%s: %s", name, err.message);
    if (expected && (result == 0 || !strstr(err.message, expected)))
        fail_msg("%s: expected '%s', got: %s", name, expected, err.message);
}

static void test_descriptions_are_compared(void **state)
{
    (void)state;
    column_is("GetBook", "title", DB_TEXT, NULL);
    column_is("GetBook", "id", DB_UUID, NULL);
    column_is("GetBook", "author.birth_year", DB_INT4, NULL);
    column_is("GetBook", "author.birth_year", DB_INT8,
              "column \"author.birth_year\" is bigint, which does not fit");
    column_is("GetBook", "titel", DB_TEXT, "Test.sql: column \"titel\" is not a field of isms.library.v1.Book");
    column_is("GetBook", "title", DB_BYTEA, "is bytea, which does not fit");
    column_is("GetBook", "state", DB_INT4, "does not fit");
    column_is("GetBook", "tags", DB_TEXT_ARRAY, NULL);
    column_is("GetBook", "tags", DB_TEXT, "repeated");
    column_is("GetBook", "medium", DB_JSONB, NULL);
    column_is("GetBook", "medium", DB_INT4, "a oneof takes");
    column_is("GetBook", "outcome", DB_INT4, "must be text");
    column_is("GetBook", "page.1", DB_TEXT, "needs :page.limit");
    column_is("ListBooks", "title", DB_TEXT, NULL);
    column_is("ListBooks", "total", DB_INT4, NULL);
    column_is("DeleteBook", "id", DB_UUID, "is not a field of google.protobuf.Empty");

    struct binding *binding = bind("GetBook", "select\n:id");
    const uint32_t wrong = DB_BOOL;
    const uint32_t right = DB_UUID;
    struct db_description description = description_of(1, &wrong, 0, NULL, NULL);
    assert_int_equal(binding_describe(binding, 0, &description, &err), -1);
    assert_non_null(
        strstr(err.message, "Test.sql:2: :id is used as boolean, but fits only: text, varchar, uuid"));

    /* Once the type is known, '' is NULL where it cannot be anything else. */
    assert_string_equal(encode(binding, "GetBookRequest", "{}"), "");
    description = description_of(1, &right, 0, NULL, NULL);
    assert_int_equal(binding_describe(binding, 0, &description, &err), 0);
    assert_string_equal(encode(binding, "GetBookRequest", "{}"), "NULL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_new_ids_are_stable_in_a_call),
        cmocka_unit_test(test_masks_and_patches),
        cmocka_unit_test(test_variants_are_selected),
        cmocka_unit_test(test_wrong_names_are_located),
        cmocka_unit_test(test_descriptions_are_compared),
    };
    return cmocka_run_group_tests(tests, library_setup, teardown);
}
