/* directory.c: whom a credential belongs to, asked of core.key and core.member.
 *
 * The authenticator asks only for what it does not remember. The question goes over the worker's own
 * connection, as one segment that first sets the tenant that the credential names: without it, row-level
 * security shows nothing. */
#include "internal.h"

#include <string.h>

static struct role_set roles_read(struct slice text)
{
    struct role_set roles = {0};
    while (text.length > 0) {
        const char *space = memchr(text.data, ' ', text.length);
        size_t length = space ? (size_t)(space - text.data) : text.length;
        enum role role;
        if (role_from_name((struct slice){.data = text.data, .length = length}, &role))
            roles = role_set_add(roles, role); /* a role this version does not know gives nothing */
        size_t taken = space ? length + 1 : length;
        text.data += taken;
        text.length -= taken;
    }
    return roles;
}

enum column { COLUMN_ID, COLUMN_ROLES, COLUMN_ACTIVE, COLUMN_SECRET, COLUMN_EXPIRE, COLUMN_REVISION };

static struct auth_record record_read(const struct db_result *result)
{
    struct auth_record record = {0};
    if (db_result_rows(result) == 0)
        return record;
    size_t length;
    const char *data = db_result_data(result, 0, COLUMN_ID, &length);
    if (length == sizeof(record.id.bytes))
        memcpy(record.id.bytes, data, length);
    data = db_result_data(result, 0, COLUMN_SECRET, &length);
    if (length == SHA256_SIZE)
        memcpy(record.secret_hash.bytes, data, length);
    data = db_result_data(result, 0, COLUMN_ROLES, &length);
    record.roles = roles_read((struct slice){.data = data, .length = length});
    record.active = db_result_int(result, 0, COLUMN_ACTIVE) != 0;
    if (!db_result_is_null(result, 0, COLUMN_EXPIRE))
        record.expire_time_us = db_result_int(result, 0, COLUMN_EXPIRE);
    record.revision = db_result_int(result, 0, COLUMN_REVISION);
    record.found = true;
    return record;
}

static struct db_value uuid_value(const struct uuid *uuid)
{
    return (struct db_value){.data = (const char *)uuid->bytes, .length = sizeof(uuid->bytes), .format = 1};
}

static int lookup(void *context, const struct auth_query *query, struct auth_record *ret_record,
                  struct err *err)
{
    struct db_connection *connection = *(struct db_connection **)context;
    bool by_key = query->kind == AUTH_BY_KEY;
    struct db_value values[3] = {uuid_value(&query->tenant)};
    if (by_key) {
        values[1] = uuid_value(&query->key);
    } else {
        values[1] = (struct db_value){.data = query->issuer};
        values[2] = (struct db_value){.data = query->subject};
    }
    struct db_query queries[] = {
        {.statement = &context_statements[STATEMENT_SET_TENANT], .values = values, .value_count = 1},
        {.statement = &context_statements[by_key ? STATEMENT_FIND_KEY : STATEMENT_FIND_MEMBER],
         .values = values, .value_count = by_key ? 2 : 3},
    };
    struct db_segment segment = {.queries = queries, .query_count = ARRAY_SIZE(queries)};
    int result = db_pipeline(connection, &segment, 1, err);
    if (result < 0 && segment.state != DB_SEGMENT_DONE)
        result = db_pipeline(connection, &segment, 1, err); /* it changes nothing: once more, connecting anew */
    if (result == 0 && segment.state == DB_SEGMENT_FAILED)
        result = db_failure_to_err(&segment.failure, err);
    if (result == 0)
        *ret_record = record_read(queries[1].result);
    db_results_clear(connection);
    return result;
}

struct auth_directory directory_over(struct db_connection **connection)
{
    return (struct auth_directory){.lookup = lookup, .context = connection};
}
