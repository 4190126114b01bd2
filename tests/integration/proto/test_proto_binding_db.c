/* test_proto_binding_db.c: SQL files of every shape against a real PostgreSQL: what a client sends arrives in
 * the tables, and what stands there arrives at the client. */
#include "fixture.h"
#include "library.h"

#include <isms/proto/binding.h>
#include <isms/proto/message.h>
#include <isms/proto/sql_file.h>

#define SCHEMA \
    "create schema lib; create schema core;" \
    "create table core.change (tenant_id uuid, sequence bigint, ordinal int, table_name text, content text);" \
    "create table lib.book (tenant_id uuid not null, id uuid not null, title text not null, author_name text," \
    " author_birth_year int, author_email text, state text not null, published_date date, price numeric not " \
    "null default 0," \
    " tags text[] not null default '{}', ratings int[] not null default '{}', chapters jsonb, labels jsonb, " \
    "medium jsonb," \
    " copies bigint, cover bytea, rare boolean not null default false, isbn text not null, owner_id uuid," \
    " create_time timestamptz not null, bought_time timestamptz, revision bigint not null default 1," \
    " primary key (tenant_id, id))"

enum { BINDINGS_MAX = 16 };

static struct err err;
static struct sql_text *texts;
static struct sql_file *files[BINDINGS_MAX];
static struct binding *bindings[BINDINGS_MAX];
static struct db_statement statements[256];
static unsigned binding_count;
static unsigned statement_count;
static struct db_connection *connection;
static const struct page_secret secret = {.bytes = {42}};
static struct binding_call a_call = {.tenant = {{1}}, .has_actor = true, .now_us = INT64_C(1767225600000001)};

static void binding_add(const char *name)
{
    char path[100];
    snprintf(path, sizeof(path), "/isms.library.v1.LibraryService/%s", name);
    const struct method *method = descriptors_method(library, path);
    unsigned i = binding_count++;
    if (sql_file_compile(texts, name, &files[i], &err) < 0)
        fail_msg("%s", err.message);
    struct binding_options options = {.descriptors = library,
                                      .file = files[i],
                                      .prefix = "library",
                                      .secret = &secret,
                                      .request = method ? method->request : NULL,
                                      .response = method ? method->response : NULL};
    if (binding_new(&options, &bindings[i], &err) < 0)
        fail_msg("%s", err.message);
    unsigned count;
    const struct db_statement *more = binding_statements(bindings[i], &count);
    memcpy(statements + statement_count, more, count * sizeof(*more));
    statement_count += count;
}

/* Compiles everything, once there is a server to compare it with. */
static void start(void)
{
    if (connection) {
        (void)fixture_url(NULL);
        return;
    }
    CONNECTION plain = fixture_connect(NULL, 0);
    fixture_run(plain, SCHEMA);
    assert_int_equal(sql_folder_read(SQL_FOLDER, &arena, &texts, &err), 0);
    for (struct sql_text *text = texts; text->name; text++)
        if (!strchr(text->name, '.'))
            binding_add(text->name);
    connection = fixture_connect(statements, statement_count);
    for (unsigned i = 0; i < binding_count; i++)
        if (binding_describe_all(bindings[i], connection, &err) < 0)
            fail_msg("%s", err.message);
}

static const struct binding *binding_of(const char *name)
{
    for (unsigned i = 0; i < binding_count; i++)
        if (strcmp(files[i]->name, name) == 0)
            return bindings[i];
    fail_msg("no binding %s", name);
    return NULL;
}

/* One call from select to decode. NULL: it failed, and `err` says how. */
static ProtobufCMessage *run(const struct binding *binding, bool replay, struct binding_call *call,
                             ProtobufCMessage *request)
{
    struct db_value *values;
    int count;
    ProtobufCMessage *response = NULL;
    memset(&err, 0, sizeof(err));
    if (binding_select(binding, request, call, &arena, &err) < 0 ||
        binding_encode(binding, replay, request, call, &arena, &values, &count, &err) < 0)
        return NULL;
    struct db_query query = {.statement =
                                 replay ? binding_replay(binding, call) : binding_statement(binding, call),
                             .values = values,
                             .value_count = count};
    struct db_segment segment = {.queries = &query, .query_count = 1};
    if (db_pipeline(connection, &segment, 1, &err) < 0)
        fail_msg("%s", err.message);
    if (segment.state != DB_SEGMENT_DONE)
        fail_msg("%s: %s", query.statement->name, segment.failure.message);
    int result = binding_decode(binding, replay, request, call, query.result, &arena, &response, &err);
    db_results_clear(connection);
    return result < 0 ? NULL : response;
}

static void *call(const char *name, const char *json)
{
    const struct binding *binding = binding_of(name);
    struct binding_call one = a_call;
    const char *type = strrchr(binding_request(binding)->name, '.') + 1;
    return run(binding, false, &one, library_read(type, json));
}

static const char *json_of(const char *type, const void *message)
{
    if (!message)
        fail_msg("%s: %s", err_reason_name(err.reason), err.message);
    return library_write(type, message, json_style_stored);
}

static const char *json_printf(const char *format, ...) PRINTF_LIKE(1, 2);

static const char *json_printf(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *text = arena_vprintf(&arena, format, arguments);
    va_end(arguments);
    return text;
}

#define BOOK \
    "\"title\":\"Ä's " \
    "\\\"Buch\\\"\",\"author\":{\"name\":\"A\",\"birth_year\":1900},\"published_date\":\"2024-02-29\"," \
    "\"price\":12.34,\"tags\":[\"a,b\",\"{c}\",\"\\\"d\\\\\",\"\"],\"ratings\":[1,-2],\"chapters\":[{" \
    "\"title\":\"one\"," \
    "\"page\":3,\"state\":\"BORROWED\"},{\"title\":\"two\"}],\"labels\":{\"k\":\"v\"}"
#define REST \
    "\"copies\":\"3\",\"cover\":\"AP8Q\",\"rare\":true,\"isbn\":\"1\",\"owner_id\":\"0190a0a0-0000-7000-8000-" \
    "000000000001\""

static void test_insert_and_get(void **state)
{
    (void)state;
    start();
    book_message *made =
        call("CreateBook",
             "{\"book\":{" BOOK ",\"electronic\":{\"url\":\"https://x\",\"size_bytes\":\"5000000000\"}," REST
             ",\"bought_time\":\"1999-12-31T23:59:59.999999Z\"}}");
    const char *expected = json_printf(
        "{\"id\":\"%s\",\"title\":\"Ä's \\\"Buch\\\"\",\"author\":{\"name\":\"A\",\"birth_year\":1900},"
        "\"state\":\"ON_SHELF\",\"published_date\":\"2024-02-29\",\"price\":12.34,\"tags\":[\"a,b\",\"{c}\","
        "\"\\\"d\\\\\",\"\"],"
        "\"ratings\":[1,-2],\"chapters\":[{\"title\":\"one\",\"page\":3,\"state\":\"BORROWED\"},{\"title\":"
        "\"two\"}],"
        "\"labels\":{\"k\":\"v\"},\"electronic\":{\"url\":\"https://x\",\"size_bytes\":\"5000000000\"}," REST
        ","
        "\"create_time\":\"2026-01-01T00:00:00.000001Z\",\"bought_time\":\"1999-12-31T23:59:59.999999Z\","
        "\"etag\":\"1\"}",
        made ? made->id : "?");
    assert_string_equal(json_of("Book", made), expected);
    assert_string_equal(json_of("Book", call("GetBook", json_printf("{\"id\":\"%s\"}", made->id))), expected);

    /* Another tenant's book is none. */
    struct binding_call other = a_call;
    other.tenant.bytes[0] = 2;
    assert_null(run(binding_of("GetBook"), false, &other,
                    library_read("GetBookRequest", json_printf("{\"id\":\"%s\"}", made->id))));
    assert_int_equal(err.reason, ERR_NOT_FOUND);
}

static void test_what_is_unset_is_null(void **state)
{
    (void)state;
    start();
    book_message *made = call("CreateBook", "{\"book\":{\"title\":\"t\",\"isbn\":\"2\"}}");
    assert_string_equal(
        json_of("Book", made),
        json_printf("{\"id\":\"%s\",\"title\":\"t\",\"author\":{},\"state\":\"ON_SHELF\",\"isbn\":\"2\","
                    "\"create_time\":\"2026-01-01T00:00:00.000001Z\",\"etag\":\"1\"}",
                    made ? made->id : "?"));
    assert_int_equal(
        fixture_int(connection,
                    "select count(*) from lib.book where isbn = '2' and owner_id is null and"
                    " published_date is null and medium is null and copies is null and bought_time is null"),
        1);
}

static void test_masked_update_with_etag(void **state)
{
    (void)state;
    start();
    book_message *made =
        call("CreateBook",
             "{\"book\":{\"title\":\"old\",\"isbn\":\"3\",\"author\":{\"name\":\"n\",\"birth_year\":5},"
             "\"paper\":{\"pages\":1,\"shelf\":\"A1\"},\"published_date\":\"2020-01-01\"}}");
    assert_non_null(made);
    book_message *book = call(
        "UpdateBook",
        json_printf("{\"id\":\"%s\",\"book\":{\"title\":\"new\",\"author\":{\"name\":\"m\"},\"etag\":\"1\"},"
                    "\"update_mask\":\"title,author.name\"}",
                    made->id));
    assert_string_equal(book ? book->title : err.message, "new");
    assert_string_equal(book->author->name, "m");
    assert_int_equal(book->author->birth_year, 5);
    assert_string_equal(book->published_date, "2020-01-01");
    assert_string_equal(book->etag, "2");
    assert_int_equal(book->paper->pages, 1);

    /* A stale etag changes nothing, and says which one it would have been. */
    assert_null(
        call("UpdateBook",
             json_printf("{\"id\":\"%s\",\"book\":{\"title\":\"x\",\"etag\":\"1\"},\"update_mask\":\"title\"}",
                         made->id)));
    assert_int_equal(err.reason, ERR_ETAG_MISMATCH);
    assert_string_equal(err.metadata[0].key, "etag");
    assert_string_equal(err.metadata[0].value, "2");
    assert_null(call("UpdateBook", "{\"id\":\"0190a0a0-0000-7000-8000-00000000ffff\",\"book\":{\"title\":\"x\"}"
                                   ",\"update_mask\":\"title\"}"));
    assert_int_equal(err.reason, ERR_NOT_FOUND);

    /* The oneof moves to another member, and a date is taken away. */
    book = call("UpdateBook", json_printf("{\"id\":\"%s\",\"book\":{\"electronic\":{\"url\":\"u\"}},\"update_"
                                          "mask\":\"electronic,publishedDate\"}",
                                          made->id));
    assert_int_equal(book ? (int)book->medium_case : -1, ISMS__LIBRARY__V1__BOOK__MEDIUM_ELECTRONIC);
    assert_string_equal(book->electronic->url, "u");
    assert_string_equal(book->published_date, "");
    assert_string_equal(book->title, "new");
}

static void test_a_repeat_answers_what_was_answered(void **state)
{
    (void)state;
    start();
    struct binding_call one = a_call;
    ProtobufCMessage *request =
        library_read("CreateBookRequest", "{\"book\":{" BOOK ",\"paper\":{\"pages\":9}," REST "}}");
    const struct binding *binding = binding_of("CreateBook");
    const char *first = json_of("Book", run(binding, false, &one, request));
    CONNECTION plain = fixture_connect(NULL, 0);
    fixture_run(
        plain,
        "insert into core.change select tenant_id, 17, 0, 'lib.book', to_jsonb(b)::text from lib.book b"
        " where medium ? 'paper' and copies = 3; update lib.book set title = 'changed since' where copies = 3");
    one.replay_sequence = 17;
    assert_string_equal(json_of("Book", run(binding, true, &one, request)), first);
    one.replay_sequence = 18;
    assert_null(run(binding, true, &one, request));
    assert_int_equal(err.reason, ERR_NOT_FOUND);
}

static void test_outcomes_carry_facts(void **state)
{
    (void)state;
    start();
    book_message *made = call("CreateBook", "{\"book\":{\"title\":\"t\",\"isbn\":\"4\"}}");
    const char *id = json_printf("{\"id\":\"%s\"}", made->id);
    book_message *book = call("BorrowBook", id);
    assert_int_equal(book ? (int)book->state : -1, ISMS__LIBRARY__V1__BOOK_STATE__BOOK_STATE_BORROWED);
    assert_null(call("BorrowBook", id));
    assert_int_equal(err.reason, ERR_WRONG_STATE);
    assert_string_equal(err.metadata[0].key, "state");
    assert_string_equal(err.metadata[0].value, "BORROWED");
    assert_null(call("BorrowBook", "{\"id\":\"0190a0a0-0000-7000-8000-00000000ffff\"}"));
    assert_int_equal(err.reason, ERR_NOT_FOUND);

    assert_non_null(call("DeleteBook", id));
    assert_null(call("DeleteBook", id));
    assert_int_equal(err.reason, ERR_NOT_FOUND);
}

/* Every page of a list, by its tokens; the titles one after the other. */
static const char *list_all(const char *filter, unsigned *ret_pages)
{
    struct buf titles;
    const char *token = "";
    buf_init_arena(&titles, &arena, 10000);
    *ret_pages = 0;
    do {
        Isms__Library__V1__ListBooksResponse *page =
            call("ListBooks", json_printf("{\"page_size\":3,%s,\"page_token\":\"%s\"}", filter, token));
        if (!page)
            fail_msg("%s: %s", err_reason_name(err.reason), err.message);
        for (size_t i = 0; i < page->n_books; i++)
            buf_printf(&titles, "%s ", page->books[i]->title);
        token = page->next_page_token;
        (*ret_pages)++;
    } while (*token && *ret_pages < 20);
    return titles.data;
}

static void test_batch_and_pages(void **state)
{
    (void)state;
    start();
    a_call.tenant.bytes[0] = 9; /* an organisation of its own */
    struct buf json;
    buf_init_arena(&json, &arena, 10000);
    for (int i = 0; i < 7; i++)
        buf_printf(
            &json,
            "%s{\"title\":\"%c\",\"isbn\":\"b%d\",\"price\":%d,\"paper\":{\"pages\":%d},\"tags\":[\"x y\"]}",
            i ? "," : "{\"books\":[", "gcafbed"[i], i, i / 2, i);
    buf_text(&json, "]}");
    Isms__Library__V1__ImportBooksResponse *made = call("ImportBooks", json.data);
    assert_int_equal(made ? (int)made->n_books : -1, 7);
    assert_string_equal(made->books[6]->title, "d");
    assert_int_equal(made->books[6]->paper->pages, 6);
    assert_string_equal(made->books[0]->tags[0], "x y");

    unsigned pages;
    assert_string_equal(list_all("\"state\":\"ON_SHELF\"", &pages), "a b c d e f g ");
    assert_int_equal(pages, 3);
    const char *by_price = list_all("\"order_by\":\"price desc\"", &pages);
    assert_int_equal(strlen(by_price), 14);
    assert_int_equal(by_price[0], 'd');
    for (const char *letter = "abcdefg"; *letter; letter++)
        assert_non_null(strchr(by_price, *letter));
    assert_string_equal(list_all("\"state\":\"BORROWED\"", &pages), "");
    assert_int_equal(pages, 1);
    assert_string_equal(list_all("\"owner_id\":\"0190a0a0-0000-7000-8000-000000000001\"", &pages), "");

    Isms__Library__V1__ListBooksResponse *page = call("ListBooks", "{\"page_size\":3}");
    assert_int_equal(page->total, 7);
    /* The token of one query is no token of another, nor another organisation's. */
    assert_non_null(
        call("ListBooks", json_printf("{\"page_size\":5,\"page_token\":\"%s\"}", page->next_page_token)));
    assert_null(call("ListBooks", json_printf("{\"order_by\":\"price desc\",\"page_token\":\"%s\"}",
                                              page->next_page_token)));
    assert_int_equal(err.reason, ERR_PAGE_TOKEN_INVALID);
    a_call.tenant.bytes[0] = 1;
    assert_null(call("ListBooks", json_printf("{\"page_token\":\"%s\"}", page->next_page_token)));
    assert_int_equal(err.reason, ERR_PAGE_TOKEN_INVALID);
    page = call("ListBooks", "{\"page_size\":7}"); /* exactly as many would be no next page */
    assert_non_null(page);
}

static void test_oneof_by_columns(void **state)
{
    (void)state;
    start();
    assert_string_equal(json_of("Book", call("GetMedium", "{\"id\":\"paper\"}")), "{\"paper\":{\"pages\":7}}");
    assert_string_equal(json_of("Book", call("GetMedium", "{\"id\":\"electronic\"}")),
                        "{\"electronic\":{\"url\":\"https://x\",\"size_bytes\":\"8\"}}");
    assert_string_equal(json_of("Book", call("GetMedium", "{\"id\":\"other_medium\"}")),
                        "{\"other_medium\":\"a scroll\"}");
    assert_string_equal(json_of("Book", call("GetMedium", "{}")), "{}");
    assert_null(call("GetMedium", "{\"id\":\"stone\"}"));
    assert_int_equal(err.reason, ERR_INTERNAL);
}

static void test_every_type_there_and_back(void **state)
{
    (void)state;
    start();
    static const char json[] = "{\"a_int32\":-2147483648,\"a_uint32\":7,\"a_int64\":\"-9223372036854775808\","
                               "\"a_float\":0.1,\"a_double\":1e-300,\"a_bool\":true,"
                               "\"a_state\":\"BORROWED\",\"a_string\":\"'; drop table x; -- "
                               "漢\",\"a_bytes\":\"AP8n\",\"many_sint64\":[\"-1\",\"9223372036854775807\"],"
                               "\"many_double\":[0.1,\"NaN\",\"Infinity\"],\"many_bool\":[true,false],\"many_"
                               "state\":[\"UNSPECIFIED\",\"ON_SHELF\"],"
                               "\"many_string\":[\"\",\"NULL\",\"a\\\\\\\"b\",\"{}\"],\"many_bytes\":[\"\","
                               "\"XCI=\"],\"chapters\":{\"5\":{\"title\":\"x\"}},"
                               "\"counts\":{\"true\":\"9\"},\"a_time\":\"0001-01-01T00:00:00Z\",\"a_duration\":"
                               "\"90.500s\",\"a_wrapped\":\"\",\"a_flag\":false,"
                               "\"times\":[\"1969-12-31T23:59:59.999999Z\",\"9999-12-31T23:59:59Z\"]}";
    assert_string_equal(json_of("Everything", call("Everything", json)), json);
    assert_string_equal(json_of("Everything", call("Everything", "{}")), "{}");
}

static int setup(void **state)
{
    return library_setup(state) < 0 || fixture_create(state) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
    db_connection_free(connection);
    for (unsigned i = 0; i < binding_count; i++) {
        binding_free(bindings[i]);
        sql_file_free(files[i]);
    }
    return fixture_destroy(state) < 0 || library_teardown(state) < 0 ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_insert_and_get),
        cmocka_unit_test(test_what_is_unset_is_null),
        cmocka_unit_test(test_masked_update_with_etag),
        cmocka_unit_test(test_a_repeat_answers_what_was_answered),
        cmocka_unit_test(test_outcomes_carry_facts),
        cmocka_unit_test(test_batch_and_pages),
        cmocka_unit_test(test_oneof_by_columns),
        cmocka_unit_test(test_every_type_there_and_back),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
