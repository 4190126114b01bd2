/* The standard agenda holds every input of clause 9.3.2, and docs/agenda.md explains what it holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <isms/base/attributes.h>

struct text {
    char data[32 * 1024];
};

static void file_read(const char *path, struct text *text)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text->data[fread(text->data, 1, sizeof(text->data) - 1, file)] = '\0';
    fclose(file);
}

static void every_input_of_the_clause_is_required(void **state UNUSED)
{
    static const char *const clauses[] = {"a)", "b)", "c)", "d) 1)", "d) 2)", "d) 3)", "d) 4)", "e)", "f)", "g)"};
    static struct text agenda;
    file_read(SQL "/agenda.standard.sql", &agenda);
    for (size_t i = 0; i < ARRAY_SIZE(clauses); i++) {
        char clause[32];
        snprintf(clause, sizeof(clause), "'9.3.2 %s'", clauses[i]);
        const char *found = strstr(agenda.data, clause);
        assert_non_null(found);
        assert_true(strcspn(found, "\n") >= 5 && strstr(found, ", true)") < strchr(found, '\n'));
        assert_null(strstr(found + 1, clause));
    }
    assert_non_null(strstr(agenda.data, "climate change")); /* Amendment 1:2024 */
}

static void every_item_is_documented(void **state UNUSED)
{
    static struct text agenda;
    static struct text docs;
    file_read(SQL "/agenda.standard.sql", &agenda);
    file_read(DOCS "/agenda.md", &docs);
    unsigned items = 0;
    for (const char *line = agenda.data; line; line = strchr(line + 1, '\n')) {
        int position;
        char key[64];
        char clause[32] = "";
        char row[128];
        if (sscanf(line, " (%d, '%63[a-z_]', '%31[^']'", &position, key, clause) < 2)
            continue;
        snprintf(row, sizeof(row), "| %d | `%s` | %s |", position, key, clause[0] ? clause : "-");
        if (!strstr(docs.data, row))
            fail_msg("docs/agenda.md lacks: %s", row);
        items++;
    }
    assert_int_equal(items, 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_input_of_the_clause_is_required),
        cmocka_unit_test(every_item_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
