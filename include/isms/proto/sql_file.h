/* sql_file.h: the compiler for SQL files. It knows text, not messages.
 *
 * A file holds one statement with :named parameters and --@directives (docs/sql-files.md has the whole
 * contract). Compiling makes every combination of its `if` fields and `order` names into a statement of its
 * own, with each distinct parameter as one $n; for a file with `--@answer`, also the statements that answer a
 * repeated request from core.change. Errors read "GetAction.sql:12: ...".
 *
 *   --@request NAME, --@response NAME   the message types of an internal statement
 *   --@if FIELD ... [--@else ...] --@end
 *   --@order "NAME" ... --@order "NAME" ... --@end
 *   --@include NAME                     the text of NAME.sql
 *   --@answer TABLE CTE                 what follows answers from CTE alone, and can be repeated
 *   --@once ... --@end                  in the answer: not part of its repetition (an outcome column, say)
 *
 * A directive stands at the start of its line, anywhere but inside a string that spans lines. Several `order`
 * blocks must name the same orders. */
#ifndef ISMS_PROTO_SQL_FILE_H
#define ISMS_PROTO_SQL_FILE_H

#include <stddef.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>

enum {
    SQL_VARIANTS_MAX = 16,
    SQL_CONDITIONS_MAX = 4,
    SQL_ORDERS_MAX = 16,
    SQL_PARAMETERS_MAX = 128,
    SQL_TEXT_MAX = 256 * 1024
};

/* A file's text: `name` without ".sql". isms_sql() in the build makes an array of them, ended by {0}. */
struct sql_text {
    const char *name;
    const char *text;
};

/* A parameter and where it is first used, for messages. */
struct sql_parameter {
    const char *name; /* without the colon */
    const char *file;
    unsigned line;
};

struct sql_statement {
    const char *sql; /* with $1..$n; NULL: there is none */
    unsigned parameter_count;
    const struct sql_parameter *parameters; /* $1 first */
};

struct sql_variant {
    struct sql_statement statement;
    struct sql_statement replay; /* has the parameter :replay.sequence */
};

struct sql_condition {
    const char *field;
    const char *file;
    unsigned line;
};

struct sql_file {
    struct arena arena;
    const char *name;
    const char *request;  /* NULL: not given */
    const char *response; /* NULL: not given */
    const char *answer_table; /* NULL: no --@answer */
    unsigned condition_count;
    struct sql_condition conditions[SQL_CONDITIONS_MAX];
    unsigned order_count;
    const char *orders[SQL_ORDERS_MAX]; /* the first is the default */
    unsigned variant_count;             /* (order_count or 1) << condition_count */
    const struct sql_variant *variants; /* index: order << condition_count | bits of the conditions that hold */
};

/* Compiles `name` out of `files`, which includes are looked up in too. */
int sql_file_compile(const struct sql_text *files, const char *name, struct sql_file **ret_file,
                     struct err *err) MUST_CHECK;
void sql_file_free(struct sql_file *file);
void sql_file_freep(struct sql_file **file);

/* The *.sql files of a folder, for tools and tests; ended by {0}; all memory from the arena. */
int sql_folder_read(const char *folder, struct arena *arena, struct sql_text **ret_files,
                    struct err *err) MUST_CHECK;

#endif
