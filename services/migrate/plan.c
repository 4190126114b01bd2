/* plan.c: the rules of history. */
#include "plan.h"

static const char NO_TRANSACTION[] = "-- isms: no transaction";

/* `<schema>/migrations/NNN_name.sql` */
static int name_parse(const char *path, struct arena *arena, struct migration *migration, struct err *err)
{
    char schema[32];
    int number = 0;
    int prefix = 0;
    int start = 0;
    if (sscanf(path, "%31[a-z_]/migrations/%n%3d_%n", schema, &start, &number, &prefix) != 2
        || prefix - start != 4 || number < 1 || strlen(path) < (size_t)prefix + 5
        || strcmp(path + strlen(path) - 4, ".sql") != 0)
        return err_setf(err, ERR_WRONG_STATE, "%s: a migration is named <schema>/migrations/NNN_name.sql",
                        path);
    migration->schema = arena_strdup(arena, schema);
    migration->name = path + start;
    migration->number = number;
    return migration->schema ? 0 : err_set(err, ERR_INTERNAL);
}

int plan_read(const struct embedded_file *files, struct arena *arena, struct plan *ret_plan, struct err *err)
{
    struct plan plan = {0};
    unsigned count = 0;
    while (files[count].name)
        count++;
    plan.migrations = ARENA_ARRAY(arena, count, struct migration);
    if (!plan.migrations)
        return err_set(err, ERR_INTERNAL);
    for (; plan.count < count; plan.count++) {
        const struct embedded_file *file = &files[plan.count];
        struct migration *migration = &plan.migrations[plan.count];
        if (name_parse(file->name, arena, migration, err))
            return -1;
        bool first = plan.count == 0 || strcmp(migration[-1].schema, migration->schema) != 0;
        int expected = first ? 1 : migration[-1].number + 1;
        if (migration->number != expected)
            return err_setf(err, ERR_WRONG_STATE, "%s: number %03d was expected here", file->name, expected);
        struct sha256 sha256 = sha256_of(file->data, file->length);
        hex_encode(sha256.bytes, sizeof(sha256.bytes), migration->sha256);
        migration->sql = file->data;
        migration->in_transaction = strncmp(file->data, NO_TRANSACTION, sizeof(NO_TRANSACTION) - 1) != 0;
    }
    *ret_plan = plan;
    return 0;
}

static struct migration *migration_find(struct plan *plan, const struct migration_applied *applied)
{
    for (unsigned i = 0; i < plan->count; i++) {
        if (plan->migrations[i].number == applied->number
            && !strcmp(plan->migrations[i].schema, applied->schema))
            return &plan->migrations[i];
    }
    return NULL;
}

int plan_compare(struct plan *plan, const struct migration_applied *applied, unsigned count, struct err *err)
{
    for (unsigned i = 0; i < count; i++) {
        struct migration *migration = migration_find(plan, &applied[i]);
        if (!migration)
            return err_setf(err, ERR_WRONG_STATE,
                            "the database is ahead of this program: it has %s/migrations/%s",
                            applied[i].schema, applied[i].name);
        if (strcmp(migration->sha256, applied[i].sha256) != 0)
            return err_setf(err, ERR_WRONG_STATE, "%s/migrations/%s was changed after it was applied",
                            migration->schema, migration->name);
        migration->applied = true;
    }
    for (unsigned i = 1; i < plan->count; i++) {
        const struct migration *migration = &plan->migrations[i];
        if (migration->applied && !migration[-1].applied && migration->number > 1)
            return err_setf(err, ERR_WRONG_STATE, "%s/migrations/%s is older than one that was applied",
                            migration[-1].schema, migration[-1].name);
    }
    return 0;
}

unsigned plan_pending(const struct plan *plan)
{
    unsigned pending = 0;
    for (unsigned i = 0; i < plan->count; i++)
        pending += !plan->migrations[i].applied;
    return pending;
}
