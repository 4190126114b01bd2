/* directory.c: whom a credential belongs to, asked of core.key and core.member.
 *
 * The authenticator asks only for what it does not remember. The question goes over the worker's own
 * connection, as one segment that first sets the tenant that the credential names: without it, row-level
 * security shows nothing. */
#include "internal.h"

#include <string.h>

/* The next of words that are parted by spaces; false at the end. */
static bool word_next(struct slice *text, struct slice *ret_word)
{
    const char *space = text->length > 0 ? memchr(text->data, ' ', text->length) : NULL;
    size_t length = space ? (size_t)(space - text->data) : text->length;
    size_t taken = space ? length + 1 : length;
    if (text->length == 0)
        return false;
    *ret_word = (struct slice){.data = text->data, .length = length};
    text->data += taken;
    text->length -= taken;
    return true;
}

/* A role or permission that this version does not know gives nothing. */
static struct role_set roles_read(struct slice text)
{
    struct role_set roles = {0};
    struct slice word;
    enum role role;
    while (word_next(&text, &word))
        if (role_from_name(word, &role))
            roles = role_set_add(roles, role);
    return roles;
}

/* None listed: no narrowing. */
static struct permission_set permissions_read(struct slice text)
{
    struct permission_set permissions = {.bits = text.length == 0 ? UINT64_MAX : 0};
    struct slice word;
    enum permission permission;
    while (word_next(&text, &word))
        if (permission_from_name(word, &permission))
            permissions.bits |= UINT64_C(1) << permission;
    return permissions;
}

/* The order is CREDENTIAL_COLUMNS' of values.c. */
enum column {
    COLUMN_ID, COLUMN_ROLES, COLUMN_ACTIVE, COLUMN_REVISION, COLUMN_EXPIRE, COLUMN_RATE, COLUMN_BURST,
    COLUMN_IN_FLIGHT, COLUMN_PERMISSIONS, COLUMN_SECRET, COLUMN_PREVIOUS_SECRET, COLUMN_PREVIOUS_EXPIRE
};

static void hash_read(const struct db_result *result, enum column column, struct sha256 *ret_hash)
{
    size_t length;
    const char *data = db_result_data(result, 0, column, &length);
    if (length == SHA256_SIZE)
        memcpy(ret_hash->bytes, data, length);
}

static int64_t time_read(const struct db_result *result, enum column column)
{
    return db_result_is_null(result, 0, column) ? 0 : db_result_int(result, 0, column);
}

static unsigned limit_read(const struct db_result *result, enum column column)
{
    return (unsigned)db_result_int(result, 0, column);
}

static struct auth_record record_read(const struct db_result *result)
{
    struct auth_record record = {0};
    if (db_result_rows(result) == 0)
        return record;
    size_t length;
    const char *data = db_result_data(result, 0, COLUMN_ID, &length);
    if (length == sizeof(record.id.bytes))
        memcpy(record.id.bytes, data, length);
    data = db_result_data(result, 0, COLUMN_ROLES, &length);
    record.roles = roles_read((struct slice){.data = data, .length = length});
    data = db_result_data(result, 0, COLUMN_PERMISSIONS, &length);
    record.permissions = permissions_read((struct slice){.data = data, .length = length});
    record.active = db_result_int(result, 0, COLUMN_ACTIVE) != 0;
    record.revision = db_result_int(result, 0, COLUMN_REVISION);
    record.expire_time_us = time_read(result, COLUMN_EXPIRE);
    record.limits = (struct limits){.calls_per_second = limit_read(result, COLUMN_RATE),
                                    .burst = limit_read(result, COLUMN_BURST),
                                    .in_flight = limit_read(result, COLUMN_IN_FLIGHT)};
    hash_read(result, COLUMN_SECRET, &record.secret_hash);
    hash_read(result, COLUMN_PREVIOUS_SECRET, &record.previous_hash);
    record.previous_expire_time_us = time_read(result, COLUMN_PREVIOUS_EXPIRE);
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
        values[2] = (struct db_value){
            .data = (const char *)query->secret_hash.bytes, .length = SHA256_SIZE, .format = 1};
    } else {
        values[1] = (struct db_value){.data = query->issuer};
        values[2] = (struct db_value){.data = query->subject};
    }
    struct db_query queries[] = {
        {.statement = &context_statements[STATEMENT_SET_TENANT], .values = values, .value_count = 1},
        {.statement = &context_statements[by_key ? STATEMENT_FIND_KEY : STATEMENT_FIND_MEMBER],
         .values = values, .value_count = 3},
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
