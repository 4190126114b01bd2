/* test_oscal_reader.c: what a document has no field for is kept as text; what is no document is told. The documents
 * themselves are in tests/e2e/test_import_oscal.py. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <isms/base/arena.h>
#include <isms/base/utf8.h>

#include "oscal_reader.h"
#include "oscal_text.h"

static void every_value_has_its_path(void **state)
{
    (void)state;
    static const char *const taken[] = {"title", NULL};
    char storage[500];
    struct buf text;
    json_t *thing = json_loads("{\"title\": \"T\", "
                               "\"a\": {\"b\": [1, {\"c\": \"x\"}]}, \"empty\": [], \"flag\": true}", 0, NULL);
    buf_init_fixed(&text, storage, sizeof(storage));
    buf_text(&text, "Description");
    oscal_rest_append(&text, thing, taken);
    assert_string_equal(text.data, "Description\n\na.b[0]: 1\na.b[1].c: x\nempty: []\nflag: true");
    json_decref(thing);
}

static int64_t file_part(void *context, int64_t offset, void *into, size_t size)
{
    memcpy(into, (const char *)context + offset, size);
    return (int64_t)size;
}

static int item_count(void *context, const struct import_item *item)
{
    (void)item;
    (*(int *)context)++;
    return 0;
}

/* The items that become of the document; what is wrong with it is in `ret_errors`, for the caller to release. */
static int document_items(const char *document, struct import_errors *ret_errors)
{
    int items = 0;
    struct import_source source = {
        .length = (int64_t)strlen(document), .read = file_part, .context = (void *)(uintptr_t)document};
    Isms__Inputs__V1__Import import = ISMS__INPUTS__V1__IMPORT__INIT;
    struct arena arena CLEANUP(arena_release);
    struct import_outcome outcome;
    struct err err = {0};
    struct descriptors *descriptors;
    import.source = "scanner";
    arena_init(&arena, 16 * 1024 * 1024);
    assert_int_equal(descriptors_new(&isms_descriptors_source, &descriptors, &err), 0);
    struct import_reading reading = {.descriptors = descriptors, .import = &import, .source = &source,
                                     .arena = &arena, .on_item = item_count, .context = &items};
    import_errors_init(ret_errors);
    assert_int_equal(oscal_read(&reading, ret_errors, &outcome, &err), 0);
    descriptors_free(descriptors);
    return items;
}

/* Of the document one thing is wrong, which is told so. Answers the items that become of it all the same. */
static int items_told(const char *document, int row, const char *column, const char *message)
{
    struct import_errors errors;
    int items = document_items(document, &errors);
    assert_int_equal(errors.count, 1);
    assert_int_equal(errors.errors[0]->row, row);
    assert_string_equal(errors.errors[0]->column, column);
    assert_string_equal(errors.errors[0]->message, message);
    import_errors_release(&errors);
    return items;
}

#define HEAD(uuid, version)                                                                                          \
    "\"uuid\": \"" uuid "\", \"metadata\": {\"title\": \"T\", \"oscal-version\": \"" version "\"}"
#define RESULTS(more) "\"assessment-results\": {" HEAD("results", "1.1") more "}"
#define PLAN(more) "\"plan-of-action-and-milestones\": {" HEAD("plan", "1.1") more "}"

static void what_is_no_document_is_told(void **state)
{
    (void)state;
    static const char neither[] = "has neither assessment-results nor plan-of-action-and-milestones";
    assert_int_equal(items_told("{", 0, "", "is not JSON, or not whole"), 0);
    assert_int_equal(items_told("[]", 0, "", neither), 0);
    assert_int_equal(items_told("{\"catalog\": {}}", 0, "", neither), 0);
    assert_int_equal(items_told("{\"assessment-results\": []}", 0, "", neither), 0);
    assert_int_equal(items_told("{\"assessment-results\": {" HEAD("results", "2.0") "}}", 0, "oscal-version",
                                "is not 1.1, nor another 1"), 0);
    assert_int_equal(items_told("{" RESULTS("") ", " PLAN("") "}", 0, "", "has two documents: import each by itself"),
                     0);
}

static void what_should_be_a_list_and_is_none_is_told(void **state)
{
    (void)state;
    static const char risks[] = "\"risks\": {\"uuid\": \"r\", \"title\": \"One\"}";
    char document[500];
    snprintf(document, sizeof(document), "{" PLAN(", %s") "}", risks);
    assert_int_equal(items_told(document, 0, "risks", "is not a list"), 0);
    snprintf(document, sizeof(document),
             "{" RESULTS(", \"results\": [{\"uuid\": \"r\", \"title\": \"R\", %s}]") "}", risks);
    assert_int_equal(items_told(document, 0, "risks", "is not a list"), 0);
}

static void two_things_with_one_uuid_are_told(void **state)
{
    (void)state;
    items_told("{" PLAN(", \"risks\": [{\"uuid\": \"r\", \"title\": \"One\"},"
                        " {\"uuid\": \"r\", \"title\": \"Other\"}]") "}",
               3, "uuid", "is that of item 2 as well");
    items_told("{" PLAN(", \"risks\": [{\"uuid\": \"r\", \"title\": \"Risk\"}],"
                        " \"poam-items\": [{\"uuid\": \"r\", \"title\": \"Item\"}]") "}",
               3, "uuid", "is that of item 2 as well");
    items_told("{" PLAN(", \"risks\": [{\"uuid\": \"r\", \"title\": \"Risk\"},"
                        " {\"uuid\": \"plan\", \"title\": \"Plan?\"}]") "}",
               3, "uuid", "is that of item 1 as well");
}

/* Neither in a note nor in the summary: it would be lost without a word. */
static void an_observation_that_fits_nowhere_is_told(void **state)
{
    (void)state;
    static char document[80 * 1024];
    char description[70 * 1000 + 1];
    memset(description, 'D', sizeof(description) - 1);
    description[sizeof(description) - 1] = '\0';
    snprintf(document, sizeof(document),
             "{" PLAN(", \"observations\": [{\"uuid\": \"o\", \"description\": \"%s\"}]") "}", description);
    assert_int_equal(items_told(document, 1, "summary", "is too long"), 0);
}

static void a_long_path_ends_with_a_whole_character(void **state)
{
    (void)state;
    for (int shift = 0; shift < 2; shift++) {
        char key[2003] = "x";
        struct buf text;
        for (int i = 0; i < 1000; i++)
            memcpy(key + shift + 2 * (size_t)i, "é", sizeof("é"));
        json_t *thing = json_pack("{s:{s:s}, s:[s]}", "a", key, "nested", key, "listed");
        buf_init(&text, 10000);
        oscal_rest_append(&text, thing, NULL);
        assert_true(utf8_is_valid(text.data, text.length));
        assert_non_null(strstr(text.data, ": nested"));
        assert_non_null(strstr(text.data, ": listed"));
        buf_release(&text);
        json_decref(thing);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_has_its_path),
        cmocka_unit_test(what_is_no_document_is_told),
        cmocka_unit_test(what_should_be_a_list_and_is_none_is_told),
        cmocka_unit_test(two_things_with_one_uuid_are_told),
        cmocka_unit_test(an_observation_that_fits_nowhere_is_told),
        cmocka_unit_test(a_long_path_ends_with_a_whole_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
