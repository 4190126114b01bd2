/* test_import_failure.c: which failures end an import, and which never do. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "import_failure.h"

static void what_passes_never_ends_an_import(void **state)
{
    (void)state;
    static const enum err_reason passing[] = {ERR_DATABASE_UNAVAILABLE, ERR_OUTCOME_UNKNOWN, ERR_CONFLICT,
                                              ERR_OVERLOADED, ERR_SHUTTING_DOWN};
    for (size_t i = 0; i < sizeof(passing) / sizeof(*passing); i++)
        assert_int_equal(import_failure_of(passing[i]), IMPORT_HELD_UP);
}

static void what_does_not_pass_is_not_tried_for_ever(void **state)
{
    (void)state;
    assert_int_equal(import_failure_of(ERR_INTERNAL), IMPORT_FAILED);
    assert_int_equal(import_failure_of(ERR_DEADLINE_EXCEEDED), IMPORT_FAILED);
    assert_int_equal(import_failure_of(ERR_DATA_CORRUPT), IMPORT_FAILED);
    assert_int_equal(import_failure_of(ERR_CREDENTIAL_INVALID), IMPORT_FAILED_FOR_GOOD);
    assert_int_equal(import_failure_of(ERR_MESSAGE_TOO_LARGE), IMPORT_FAILED_FOR_GOOD);
    assert_int_equal(import_failure_of(ERR_WRONG_STATE), IMPORT_OVERTAKEN);
}

static void the_longest_text_is_whole(void **state)
{
    (void)state;
    char text[IMPORT_FAILURE_TEXT_SIZE];
    import_failure_text(ERR_AUTHENTICATION_INSUFFICIENT, 1000000, text);
    assert_non_null(strstr(text, "1000000 times in a row (AUTHENTICATION_INSUFFICIENT)"));
    assert_string_equal(text + strlen(text) - strlen("the import's id"), "the import's id");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_passes_never_ends_an_import),
        cmocka_unit_test(what_does_not_pass_is_not_tried_for_ever),
        cmocka_unit_test(the_longest_text_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
