/* plan.h: which migrations are to be applied, and whether history allows it. No database in here.
 *
 * A migration is a file `<schema>/migrations/NNN_name.sql`. A schema's files are numbered from 1 without a
 * gap, and are applied in that order, once, unchanged. Errors are for operators: their messages name files. */
#ifndef ISMS_MIGRATE_PLAN_H
#define ISMS_MIGRATE_PLAN_H

#include <stdbool.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/crypto.h>
#include <isms/base/embed.h>
#include <isms/base/err.h>

struct migration {
    const char *schema;
    int number;
    const char *name; /* the bare file name */
    char sha256[SHA256_HEX_SIZE];
    const char *sql;
    bool in_transaction; /* false: the first line says `-- isms: no transaction`, the file is one statement */
    bool applied;
};

/* A row of migration.applied. */
struct migration_applied {
    const char *schema;
    int number;
    const char *name;
    const char *sha256;
};

struct plan {
    struct migration *migrations; /* in the order they are applied */
    unsigned count;
};

/* The plan of a table of files that keeps each schema's files together and in order. Refuses a wrong name, a
 * gap and a repeated number. All memory is the arena's; the files outlive the plan. */
int plan_read(const struct embedded_file *files, struct arena *arena, struct plan *ret_plan,
              struct err *err) MUST_CHECK;

/* Marks what was applied. Refuses a file changed since, one that would come before an applied one, and a
 * database that is ahead of the files. */
int plan_compare(struct plan *plan, const struct migration_applied *applied, unsigned count,
                 struct err *err) MUST_CHECK;

unsigned plan_pending(const struct plan *plan);

#endif
