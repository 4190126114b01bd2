/* directory.c: whom a credential belongs to, asked of core.key and core.member; and members made of verified tokens,
 * where their issuer is configured so (core.provision_member()).
 *
 * The authenticator asks only for what it does not remember. The question goes over the worker's own
 * connection, as one segment that first sets the tenant that the credential names: without it, row-level
 * security shows nothing. */
#include "internal.h"

#include <string.h>

#include <isms/base/buf.h>
#include <isms/base/clock.h>

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

/* From three columns, the first of which is given; nothing where there is no row. */
static struct limits limits_read(const struct db_result *result, unsigned column)
{
    if (db_result_rows(result) == 0)
        return (struct limits){0};
    return (struct limits){.calls_per_second = (unsigned)db_result_int(result, 0, column),
                           .burst = (unsigned)db_result_int(result, 0, column + 1),
                           .in_flight = (unsigned)db_result_int(result, 0, column + 2)};
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
    record.limits = limits_read(result, COLUMN_RATE);
    hash_read(result, COLUMN_SECRET, &record.secret_hash);
    hash_read(result, COLUMN_PREVIOUS_SECRET, &record.previous_hash);
    record.previous_expire_time_us = time_read(result, COLUMN_PREVIOUS_EXPIRE);
    record.found = true;
    return record;
}

/* One segment; results stay until they are cleared. */
static int segment_run(struct db_connection *connection, struct db_query *queries, unsigned count, struct err *err)
{
    struct db_segment segment = {.queries = queries, .query_count = count};
    int result = db_pipeline(connection, &segment, 1, err);
    if (result < 0 && segment.state != DB_SEGMENT_DONE)
        result = db_pipeline(connection, &segment, 1, err); /* can be done twice: once more, connecting anew */
    return result == 0 && segment.state == DB_SEGMENT_FAILED ? db_failure_to_err(&segment.failure, err) : result;
}

static int key_find(struct db_connection *connection, const struct auth_query *query, struct auth_record *ret_record,
                    struct err *err)
{
    struct db_value values[] = {
        value_uuid(&query->tenant), value_uuid(&query->key),
        {.data = (const char *)query->secret_hash.bytes, .length = SHA256_SIZE, .format = 1}};
    struct db_value acting = query->acting ? value_uuid(query->acting) : (struct db_value){0};
    struct db_query queries[] = {
        {.statement = &context_statements[STATEMENT_SET_TENANT], .values = values, .value_count = 1},
        {.statement = &context_statements[STATEMENT_FIND_KEY], .values = values, .value_count = 3},
        {.statement = &context_statements[STATEMENT_SET_TENANT], .values = &acting, .value_count = 1},
        {.statement = &context_statements[STATEMENT_FIND_LIMITS], .values = &acting, .value_count = 1},
    };
    if (segment_run(connection, queries, query->acting ? ARRAY_SIZE(queries) : 2, err) < 0)
        return -1;
    *ret_record = record_read(queries[1].result);
    if (query->acting) {
        ret_record->acting_active = db_result_rows(queries[3].result) == 1;
        ret_record->limits = limits_read(queries[3].result, 0);
    }
    return 0;
}

static int member_find(struct db_connection *connection, const struct auth_query *query,
                       struct auth_record *ret_record, struct err *err)
{
    struct db_value values[] = {value_uuid(&query->tenant), {.data = query->issuer}, {.data = query->subject}};
    struct db_query queries[] = {
        {.statement = &context_statements[STATEMENT_SET_TENANT], .values = values, .value_count = 1},
        {.statement = &context_statements[STATEMENT_FIND_MEMBER], .values = values, .value_count = 3},
    };
    if (segment_run(connection, queries, ARRAY_SIZE(queries), err) < 0)
        return -1;
    *ret_record = record_read(queries[1].result);
    return 0;
}

/* The roles that the token's issuer and an administrator's hand come to together. */
static struct role_set roles_together(const struct jwt_claims *claims, const struct auth_record *record)
{
    uint32_t by_hand = record->found ? record->roles.bits & ~claims->roles_managed.bits : 0;
    return (struct role_set){.bits = by_hand | claims->roles.bits};
}

static bool is_provisioned(const struct jwt_claims *claims, const struct auth_record *record)
{
    struct role_set roles = roles_together(claims, record);
    if (claims->provision == JWT_PROVISION_NEVER || roles.bits == 0)
        return false;
    return !record->found ||
           (claims->provision == JWT_PROVISION_ALWAYS && record->active && record->roles.bits != roles.bits);
}

/* "{ISMS_MANAGER,AUDITOR}", an array as PostgreSQL reads it. */
enum { ROLES_TEXT_SIZE = 32 * ROLE_COUNT };
static const char *roles_format(struct role_set roles, char text[static ROLES_TEXT_SIZE])
{
    struct buf buf;
    buf_init_fixed(&buf, text, ROLES_TEXT_SIZE);
    buf_char(&buf, '{');
    for (unsigned role = 0; role < ROLE_COUNT; role++)
        if (role_set_has(roles, role))
            buf_printf(&buf, "%s%s", buf.length > 1 ? "," : "", role_name(role));
    buf_char(&buf, '}');
    return text;
}

static int member_provision(const struct directory *directory, const struct auth_query *query,
                            struct auth_record *ret_record, struct err *err)
{
    const struct jwt_claims *claims = query->claims;
    char roles[ROLES_TEXT_SIZE], managed[ROLES_TEXT_SIZE], now[CLOCK_TEXT_SIZE];
    struct uuid id = uuid_v7();
    clock_format(clock_now_us(), now);
    struct db_value values[] = {
        value_uuid(&query->tenant), {.data = query->issuer}, {.data = query->subject}, value_uuid(&id),
        {.data = claims->name}, {.data = claims->email}, {.data = roles_format(claims->roles, roles)},
        {.data = roles_format(claims->roles_managed, managed)}, {.data = directory->service}, {.data = now},
    };
    struct db_query queries[] = {
        {.statement = &context_statements[STATEMENT_SET_TENANT], .values = values, .value_count = 1},
        {.statement = &context_statements[STATEMENT_PROVISION_MEMBER], .values = values,
         .value_count = ARRAY_SIZE(values)},
    };
    db_results_clear(directory->connection);
    if (segment_run(directory->connection, queries, ARRAY_SIZE(queries), err) < 0)
        return -1;
    *ret_record = record_read(queries[1].result);
    return 0;
}

static int lookup(void *context, const struct auth_query *query, struct auth_record *ret_record,
                  struct err *err)
{
    const struct directory *directory = context;
    struct auth_record record = {0};
    int result = query->kind == AUTH_BY_KEY ? key_find(directory->connection, query, &record, err)
                                            : member_find(directory->connection, query, &record, err);
    if (result == 0 && query->kind == AUTH_BY_SUBJECT && is_provisioned(query->claims, &record)) {
        /* Reviews alone writes members. Elsewhere, what the token no longer gives is gone at once; what it newly gives
         * is there when its subject has called reviews. */
        if (strcmp(directory->service, peer_name(PEER_REVIEWS)) == 0)
            result = member_provision(directory, query, &record, err);
        else
            record.roles.bits &= roles_together(query->claims, &record).bits;
    }
    db_results_clear(directory->connection);
    if (result == 0)
        *ret_record = record;
    return result;
}

struct auth_directory directory_over(struct directory *directory)
{
    return (struct auth_directory){.lookup = lookup, .context = directory};
}
