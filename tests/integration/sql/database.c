#include "database.h"

#include <stdio.h>

#include <isms/proto/sql_file.h>

enum { MIGRATIONS_MAX = 32 * 1024 * 1024 };

static void folder_run(struct db_connection *connection, const char *folder)
{
    char path[512];
    struct arena arena CLEANUP(arena_release);
    struct sql_text *files;
    struct err err = {0};
    arena_init(&arena, MIGRATIONS_MAX);
    snprintf(path, sizeof(path), "%s/services/%s", ISMS_SOURCE_DIR, folder);
    if (sql_folder_read(path, &arena, &files, &err) < 0)
        fail_msg("%s", err.message);
    for (; files->name; files++)
        fixture_run(connection, files->text);
}

void database_migrate(void)
{
    /* reporting has no schema of its own: it reads core's log and the other services' APIs. */
    static const char *const schemas[] = {"core", "inputs", "reviews", "actions"};
    CONNECTION connection = fixture_connect(NULL, 0);
    folder_run(connection, "core"); /* roles.sql */
    fixture_run(connection, "do $$ begin"
                            " execute format('grant create on database %I to isms_owner', current_database());"
                            " end $$; set role isms_owner");
    for (size_t i = 0; i < ARRAY_SIZE(schemas); i++) {
        char folder[64];
        snprintf(folder, sizeof(folder), "%s/migrations", schemas[i]);
        folder_run(connection, folder);
    }
}

struct db_connection *connect_as(const char *role)
{
    char session[64];
    snprintf(session, sizeof(session), "set role isms_%s", role);
    struct db_connection *connection = db_connection_new(
        &(struct db_options){.url = fixture_url(NULL), .application_name = "test", .session_sql = session});
    assert_non_null(connection);
    return connection;
}
