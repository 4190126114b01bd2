/* platform_key.c: a key for the platform's own organisation, which 001_core.sql made with the nil UUID as its id.
 *
 * It is written as every other change is, under core.begin_write(), and so is in the change log. */
#include "platform_key.h"

#include <string.h>

#include <isms/auth/api_key.h>
#include <isms/base/buf.h>
#include <isms/base/crypto.h>
#include <isms/base/uuid.h>
#include <isms/db/connection.h>

enum { NAME_MAX_LENGTH = 100, SCRIPT_MAX = 4096 };

/* The name goes into the script as it is, so it must hold nothing that means something there. */
static int name_check(const char *name, struct err *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-";
    size_t length = strlen(name);

    if (length == 0 || length > NAME_MAX_LENGTH || strspn(name, allowed) != length)
        return err_setf(err, ERR_FIELD_INVALID,
                        "A key's name has 1 to %d letters, digits, blanks, '.', '_' and '-'.",
                        NAME_MAX_LENGTH);
    return 0;
}

static void roles_write(struct role_set roles, struct buf *script)
{
    const char *separator = "";
    for (enum role role = 0; role < ROLE_COUNT; role++) {
        if (!role_set_has(roles, role))
            continue;
        buf_printf(script, "%s%s", separator, role_name(role));
        separator = ",";
    }
}

static void script_write(const struct api_key *key, const char *name, struct role_set roles, struct buf *script)
{
    char tenant[UUID_TEXT_SIZE], id[UUID_TEXT_SIZE], secret[SHA256_HEX_SIZE];
    struct sha256 hash = api_key_hash(key);

    uuid_format(key->tenant, tenant);
    uuid_format(key->id, id);
    hex_encode(&hash, sizeof hash, secret);
    buf_printf(script,
               "begin;"
               "select core.begin_write('%s', null, 'job', 0, 'platform', 10000, 'migrate', 'platform-key', null, null,"
               " '', now());"
               "insert into core.key (tenant_id, id, name, roles, secret_sha256)"
               " values ('%s', '%s', '%s', '{",
               tenant, tenant, id, name);
    roles_write(roles, script);
    buf_printf(script, "}', decode('%s', 'hex'));select core.end_write(null);commit;", secret);
}

int platform_key_make(const char *database_url, const char *name, struct role_set roles, FILE *out, struct err *err)
{
    struct db_options options = {
        .url = database_url,
        .application_name = "isms-migrate",
        .connect_timeout_us = 10000000,
        .io_timeout_us = 30000000,
    };
    CLEANUP(api_key_clear) struct api_key key = api_key_make((struct uuid){0}, uuid_v7());
    CLEANUP(db_connection_freep) struct db_connection *connection = NULL;
    CLEANUP(buf_release) struct buf script;
    struct db_failure failure = {0};
    char text[API_KEY_TEXT_SIZE];

    buf_init(&script, SCRIPT_MAX);
    if (name_check(name, err) < 0)
        return -1;
    script_write(&key, name, roles.bits ? roles : role_set_add(roles, ROLE_PLATFORM_ADMIN), &script);
    connection = db_connection_new(&options);
    if (!connection || script.failed)
        return err_setf(err, ERR_INTERNAL, "out of memory");
    if (db_connection_ensure(connection, err) < 0
        || db_execute_script(connection, script.data, &failure, err) < 0)
        return failure.sqlstate[0] ? err_setf(err, ERR_INTERNAL, "%s", failure.message) : -1;
    api_key_format(&key, text);
    fprintf(out, "%s\n", text);
    explicit_bzero(text, sizeof text);
    return 0;
}
