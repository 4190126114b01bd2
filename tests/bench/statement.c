/* statement.c: prints the statement that a SQL file is compiled to, so that pgbench can run the same text.
 *
 *   isms-bench-sql FOLDER NAME             its plain variant: default order, no condition
 *   isms-bench-sql FOLDER NAME VARIANT     another one, from 0; status 3 where there is none
 *
 * The parameters follow, one name a line, $1 first. */
#include <stdio.h>
#include <stdlib.h>

#include <isms/proto/sql_file.h>

enum { FOLDER_MAX = 16 * 1024 * 1024, NO_VARIANT = 3 };

int main(int argc, char **argv)
{
    CLEANUP(arena_release) struct arena arena;
    CLEANUP(sql_file_freep) struct sql_file *file = NULL;
    struct sql_text *files;
    struct err err;

    arena_init(&arena, FOLDER_MAX);
    if (argc < 3 || argc > 4) {
        fputs("usage: isms-bench-sql FOLDER NAME [VARIANT]\n", stderr);
        return 2;
    }
    if (sql_folder_read(argv[1], &arena, &files, &err) < 0 || sql_file_compile(files, argv[2], &file, &err) < 0) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    unsigned long variant = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    if (variant >= file->variant_count)
        return NO_VARIANT;
    const struct sql_statement *statement = &file->variants[variant].statement;
    printf("%s\n", statement->sql);
    puts("--");
    for (unsigned i = 0; i < statement->parameter_count; i++)
        puts(statement->parameters[i].name);
    return 0;
}
