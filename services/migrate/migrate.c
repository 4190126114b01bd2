/* migrate.c: applying migrations.
 *
 * The lock is tried again and again instead of waited for: a session that waits inside a statement holds a
 * snapshot, and the one at work may be building an index concurrently, which waits for all snapshots to go.
 * lock_timeout keeps a migration that waits for a busy table from queueing all other work behind it: it
 * fails, and is run again. */
#include "migrate.h"

#include <isms/base/clock.h>
#include <isms/db/connection.h>

#include "plan.h"

enum { ARENA_MAX = 16 * 1024 * 1024, LOCK_RETRY_NS = 100 * 1000 * 1000 };

static const int64_t IO_TIMEOUT_US = 24LL * 3600 * 1000 * 1000; /* an index takes as long as it takes */
static const int64_t LOCK_WAIT_US = 30LL * 60 * 1000 * 1000;

static const char SESSION_SQL[] = "select set_config('lock_timeout', '30s', false),"
                                  " set_config('statement_timeout', '0', false),"
                                  " set_config('idle_in_transaction_session_timeout', '0', false)";

static const char BOOTSTRAP_SQL[] =
    "create schema if not exists migration;"
    "create table if not exists migration.applied ("
    " schema text not null,"
    " number int not null check (number > 0),"
    " name text not null,"
    " sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),"
    " applied_time timestamptz not null default clock_timestamp(),"
    " primary key (schema, number));"
    "grant usage on schema migration to public;"
    "grant select on migration.applied to public;";

/* The number is arbitrary; it is "isms" in ASCII. */
static const struct db_statement LOCK = {.sql = "select pg_try_advisory_lock(x'69736d73'::int8)"};
static const struct db_statement EXISTS = {.sql = "select to_regclass('migration.applied') is not null"};
static const struct db_statement APPLIED = {
    .sql = "select schema, number, name, sha256 from migration.applied order by schema, number",
};
static const struct db_statement RECORD = {
    .sql = "insert into migration.applied (schema, number, name, sha256) values ($1, $2::text::int, $3, $4)",
};

/* Makes the error one for operators: what was being done, and all that PostgreSQL and libpq said. */
static int failed(struct db_connection *connection, const char *what, const struct db_failure *failure,
                  struct err *err)
{
    enum err_reason reason = err->reason;
    const char *colon = failure->detail[0] ? ": " : "";
    if (failure->sqlstate[0])
        return err_setf(err, reason, "%s: %s%s%s (SQLSTATE %s)", what, failure->message, colon, failure->detail,
                        failure->sqlstate);
    const char *problem = db_connection_problem(connection);
    return err_setf(err, reason, "%s: %s", what, *problem ? problem : err_reason_text(reason));
}

static int query_run(struct db_connection *connection, const char *what, struct db_query *query,
                     struct err *err)
{
    struct db_failure failure;
    return db_query(connection, query, 1, &failure, err) ? failed(connection, what, &failure, err) : 0;
}

static int bool_ask(struct db_connection *connection, const char *what, const struct db_statement *statement,
                    bool *ret_answer, struct err *err)
{
    struct db_query query = {.statement = statement};
    if (query_run(connection, what, &query, err))
        return -1;
    *ret_answer = db_result_int(query.result, 0, 0);
    db_results_clear(connection);
    return 0;
}

static int lock_take(struct db_connection *connection, FILE *out, struct err *err)
{
    int64_t until_us = clock_monotonic_us() + LOCK_WAIT_US;
    bool locked = false;
    bool told = false;
    for (;;) {
        if (bool_ask(connection, "locking", &LOCK, &locked, err))
            return -1;
        if (locked)
            return 0;
        if (clock_monotonic_us() > until_us)
            return err_setf(err, ERR_CONFLICT, "another isms-migrate is still at work");
        if (!told)
            fprintf(out, "waiting for another isms-migrate\n");
        told = true;
        nanosleep(&(struct timespec){.tv_nsec = LOCK_RETRY_NS}, NULL);
    }
}

static int applied_read(struct db_connection *connection, struct arena *arena, struct plan *plan,
                        struct err *err)
{
    bool exists = false;
    struct db_query query = {.statement = &APPLIED};
    if (bool_ask(connection, "reading the record", &EXISTS, &exists, err))
        return -1;
    if (!exists)
        return plan_compare(plan, NULL, 0, err);
    if (query_run(connection, "reading the record", &query, err))
        return -1;
    unsigned count = db_result_rows(query.result);
    struct migration_applied *applied = ARENA_ARRAY(arena, count, struct migration_applied);
    for (unsigned i = 0; applied && i < count; i++) {
        char *texts[4] = {NULL};
        for (unsigned column = 0; column < 4; column++) {
            if (!db_result_text(query.result, i, column, arena, &texts[column]))
                return err_set(err, ERR_INTERNAL);
        }
        applied[i] = (struct migration_applied){
            .schema = texts[0],
            .number = (int)db_result_int(query.result, i, 1),
            .name = texts[2],
            .sha256 = texts[3],
        };
    }
    return applied ? plan_compare(plan, applied, count, err) : err_set(err, ERR_INTERNAL);
}

static int record(struct db_connection *connection, const struct migration *migration, struct err *err)
{
    char number[16];
    snprintf(number, sizeof(number), "%d", migration->number);
    const struct db_value values[] = {{.data = migration->schema}, {.data = number}, {.data = migration->name},
                                      {.data = migration->sha256}};
    struct db_query query = {.statement = &RECORD, .values = values, .value_count = 4};
    return query_run(connection, migration->name, &query, err);
}

static int script_run(struct db_connection *connection, const struct migration *migration, struct err *err)
{
    char what[160];
    struct db_failure failure = {0};
    if (!db_execute_script(connection, migration->sql, &failure, err))
        return 0;
    int line = 1;
    for (int i = 0; i < failure.position - 1 && migration->sql[i]; i++)
        line += migration->sql[i] == '\n';
    snprintf(what, sizeof(what), "%s/migrations/%s", migration->schema, migration->name);
    if (failure.position)
        snprintf(what, sizeof(what), "%s/migrations/%s, line %d", migration->schema, migration->name, line);
    return failed(connection, what, &failure, err);
}

static int apply(struct db_connection *connection, const struct migration *migration, struct err *err)
{
    struct db_failure failure = {0};
    if (!migration->in_transaction)
        return script_run(connection, migration, err) ? -1 : record(connection, migration, err);
    if (db_begin(connection, "read committed", false, err))
        return failed(connection, migration->name, &failure, err);
    if (script_run(connection, migration, err) || record(connection, migration, err)) {
        db_rollback(connection);
        return -1;
    }
    return db_commit(connection, &failure, err) ? failed(connection, migration->name, &failure, err) : 0;
}

static int plan_apply(struct db_connection *connection, const struct plan *plan, FILE *out, struct err *err)
{
    struct db_failure failure = {0};
    if (db_execute_script(connection, BOOTSTRAP_SQL, &failure, err))
        return failed(connection, "making migration.applied", &failure, err);
    for (unsigned i = 0; i < plan->count; i++) {
        const struct migration *migration = &plan->migrations[i];
        if (migration->applied)
            continue;
        if (apply(connection, migration, err))
            return -1;
        fprintf(out, "applied %s/migrations/%s\n", migration->schema, migration->name);
        fflush(out);
    }
    fprintf(out, "up to date: %u applied now, %u in all\n", plan_pending(plan), plan->count);
    return 0;
}

static void plan_print(const struct plan *plan, enum migrate_command command, FILE *out)
{
    for (unsigned i = 0; i < plan->count; i++) {
        const struct migration *migration = &plan->migrations[i];
        const char *state = migration->applied ? "applied" : "pending";
        if (command == MIGRATE_DRY_RUN && !migration->applied)
            state = "would apply";
        else if (command == MIGRATE_DRY_RUN)
            continue;
        fprintf(out, "%s %s/migrations/%s\n", state, migration->schema, migration->name);
    }
}

int migrate(const char *database_url, const struct embedded_file *files, enum migrate_command command,
            FILE *out,
            struct err *err)
{
    CLEANUP(arena_release) struct arena arena;
    CLEANUP(db_connection_freep) struct db_connection *connection = db_connection_new(&(struct db_options){
        .url = database_url,
        .application_name = "isms-migrate",
        .session_sql = SESSION_SQL,
        .io_timeout_us = IO_TIMEOUT_US,
    });
    struct plan plan;
    arena_init(&arena, ARENA_MAX);
    if (!connection)
        return err_set(err, ERR_INTERNAL);
    if (plan_read(files, &arena, &plan, err) || (command == MIGRATE_UP && lock_take(connection, out, err))
        || applied_read(connection, &arena, &plan, err))
        return -1;
    if (command == MIGRATE_UP)
        return plan_apply(connection, &plan, out, err);
    if (command != MIGRATE_CHECK)
        plan_print(&plan, command, out);
    else if (plan_pending(&plan))
        return err_setf(err, ERR_WRONG_STATE, "%u of %u migrations are pending", plan_pending(&plan),
                        plan.count);
    return 0;
}
