/* Update masks: what may be named, and what a mask reaches. */
#include "library.h"

#include <isms/proto/mask.h>

static struct err err;

static const Google__Protobuf__FieldMask *mask_of(const char *paths)
{
    char json[200];
    snprintf(json, sizeof(json), "{\"update_mask\":\"%s\"}", paths);
    return ((Isms__Library__V1__UpdateBookRequest *)library_read("UpdateBookRequest", json))->update_mask;
}

static int check(const char *paths)
{
    memset(&err, 0, sizeof(err));
    return mask_check(library_type("Book"), mask_of(paths), "changes", &err);
}

static void refused(const char *paths, const char *text)
{
    assert_int_equal(check(paths), -1);
    assert_int_equal(err.reason, ERR_MASK_INVALID);
    assert_string_equal(err.message, err_reason_text(ERR_MASK_INVALID));
    assert_string_equal(err.violations[0].field, "changes");
    assert_non_null(strstr(err.violations[0].description, text));
}

static void test_paths_are_checked(void **state)
{
    (void)state;
    assert_int_equal(mask_check(library_type("Book"), NULL, "changes", &err), 0);
    assert_int_equal(check("title,author.name,paper,chapters"), 0);
    refused("nothing", "'nothing' is not a field");
    refused("id", "'id' is set by the service");
    refused("isbn", "'isbn' cannot be changed after creation");
    refused("title.x", "no fields of its own");
    refused("chapters.title", "no fields of its own");
    refused("author.", "is not a field");
    refused("medium", "is not a field");
    assert_int_equal(check("id,nothing,title"), -1);
    assert_int_equal(err.violation_count, 2);
}

static void test_reach(void **state)
{
    (void)state;
    assert_true(mask_is_all(NULL) && mask_is_all(mask_of("*")));
    assert_true(mask_covers(NULL, "title"));
    const Google__Protobuf__FieldMask *mask = mask_of("author.name,paper");
    assert_false(mask_covers(mask, "author"));
    assert_true(mask_touches(mask, "author"));
    assert_true(mask_covers(mask, "author.name"));
    assert_true(mask_covers(mask, "paper.pages"));
    assert_false(mask_touches(mask, "author.email"));
    assert_false(mask_touches(mask, "pap"));
    mask = mask_of("chapters");
    assert_true(mask_covers(mask, "chapters[1].title")); /* what is required of an item of a list that is replaced */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_are_checked),
        cmocka_unit_test(test_reach),
    };
    return cmocka_run_group_tests(tests, library_setup, library_teardown);
}
