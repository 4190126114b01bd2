/* test_oscal_reader.c: what a document has no field for is kept as text; what is no document is told. The documents
 * themselves are in tests/e2e/test_import_oscal.py. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

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

static void what_is_no_document_is_told(void **state)
{
    (void)state;
    static const char *const files[] = {"{", "[]", "{\"catalog\": {}}", "{\"assessment-results\": []}",
                                        "{\"assessment-results\": {\"metadata\": {\"oscal-version\": \"2.0\"}}}"};
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        struct import_source source = {
            .length = (int64_t)strlen(files[i]), .read = file_part, .context = (void *)(uintptr_t)files[i]};
        struct import_reading reading = {.source = &source};
        struct import_errors errors;
        struct import_outcome outcome;
        struct err err = {0};
        struct descriptors *descriptors;
        assert_int_equal(descriptors_new(&isms_descriptors_source, &descriptors, &err), 0);
        reading.descriptors = descriptors;
        import_errors_init(&errors);
        assert_int_equal(oscal_read(&reading, &errors, &outcome, &err), 0);
        assert_int_equal(errors.count, 1);
        import_errors_release(&errors);
        descriptors_free(descriptors);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_has_its_path),
        cmocka_unit_test(what_is_no_document_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
