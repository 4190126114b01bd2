/* fuzz_sql_file.c: the compiler for SQL files. What compiles, compiles to the same again, within its limits, with every
 * parameter in the statement.
 *
 * SQL files are the project's own, not a stranger's; but whoever adds an rpc writes one by hand, and deserves an error
 * message in place of a crash at start. */
#include <stdio.h>
#include <string.h>

#include <isms/base/arena.h>
#include <isms/proto/sql_file.h>

#include "fuzz.h"

enum { MEMORY_MAX = 4 * SQL_TEXT_MAX };

static void statement_check(const struct sql_statement *statement, const struct sql_statement *same)
{
    BUG_IF(!statement->sql != !same->sql);
    if (!statement->sql)
        return;
    BUG_IF(strcmp(statement->sql, same->sql) != 0 || statement->parameter_count > SQL_PARAMETERS_MAX);
    for (unsigned i = 0; i < statement->parameter_count; i++) {
        char number[16];
        snprintf(number, sizeof(number), "$%u", i + 1);
        BUG_IF(!strstr(statement->sql, number) || strcmp(statement->parameters[i].name, same->parameters[i].name) != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena CLEANUP(arena_release);
    arena_init(&arena, MEMORY_MAX);
    const char *text = arena_strndup(&arena, (const char *)data, size);
    if (!text)
        return 0;
    const struct sql_text files[] = {
        {"Fuzz", text}, {"columns", "a.id,\na.title as \"action.title\" -- :no\n"},
        {"condition", "--@if a\n:a\n--@end\n"}, {0}};
    struct sql_file *file CLEANUP(sql_file_freep) = NULL, *same CLEANUP(sql_file_freep) = NULL;
    struct err err = {0};
    if (sql_file_compile(files, "Fuzz", &file, &err) < 0) {
        BUG_IF(err.message[0] == '\0');
        return 0;
    }
    BUG_IF(sql_file_compile(files, "Fuzz", &same, &err) < 0);
    BUG_IF(file->variant_count != (file->order_count ? file->order_count : 1) << file->condition_count);
    BUG_IF(file->variant_count > SQL_VARIANTS_MAX || file->variant_count != same->variant_count);
    for (unsigned i = 0; i < file->variant_count; i++) {
        statement_check(&file->variants[i].statement, &same->variants[i].statement);
        statement_check(&file->variants[i].replay, &same->variants[i].replay);
    }
    return 0;
}
