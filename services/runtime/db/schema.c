/* schema.c: asks what isms-migrate recorded. */
#include <isms/db/schema.h>

static const struct db_statement MIGRATED = {
    .sql = "select coalesce(max(number), 0)::int4 from migration.applied where schema = $1",
};

int schema_check(struct db_connection *connection, const struct schema_version *expected, unsigned count,
                 struct err *err)
{
    for (unsigned i = 0; i < count; i++) {
        struct db_failure failure;
        struct db_value value = {.data = expected[i].schema};
        struct db_query query = {.statement = &MIGRATED, .values = &value, .value_count = 1};
        int number = 0;
        if (db_query(connection, &query, 1, &failure, err)) {
            if (strncmp(failure.sqlstate, "3F", 2) && strcmp(failure.sqlstate, "42P01"))
                return -1; /* else: no such table, nothing was ever migrated */
        } else {
            number = (int)db_result_int(query.result, 0, 0);
        }
        if (number != expected[i].number)
            return err_setf(err, ERR_DATABASE_UNAVAILABLE,
                            "The database's schema %s is at migration %d; this program works with %d.",
                            expected[i].schema, number, expected[i].number);
    }
    return 0;
}
