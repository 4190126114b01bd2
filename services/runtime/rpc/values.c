/* values.c: the statements that frame every segment, and their values.
 *
 * core.begin_read() and core.begin_write() set tenant, actor, scope and timeouts for the transaction, and
 * check that the principal is still what the remembered credential says (services/core/migrations). UUIDs
 * and hashes go over as binary, the rest as text. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <isms/base/clock.h>

/* enum column of directory.c has their order. */
#define CREDENTIAL_COLUMNS \
    "id, array_to_string(roles, ' ') as roles, state = 'ACTIVE' as active, revision, expire_time, " \
    "calls_per_second, calls_burst, calls_in_flight, array_to_string(permissions, ' ') as permissions, " \
    "secret_sha256, previous_secret_sha256, previous_expire_time"

const struct db_statement context_statements[STATEMENT_CONTEXT_COUNT] = {
    [STATEMENT_BEGIN_READ] = {"core.begin_read",
        "select core.begin_read($1::uuid, $2::uuid, $3::text, $4::bigint, $5::text, $6::integer)"},
    [STATEMENT_BEGIN_WRITE] = {"core.begin_write",
        "select core.begin_write($1::uuid, $2::uuid, $3::text, $4::bigint, $5::text, $6::integer, $7::text, "
        "$8::text, $9::uuid, $10::bytea, $11::text, $12::timestamptz, $13::integer)"},
    [STATEMENT_END_WRITE] = {"core.end_write", "select core.end_write($1::bytea)"},
    [STATEMENT_ANSWER] = {"core.answer",
        "select answer from core.request "
        "where tenant_id = $1::uuid and caller = $2::text and request_id = $3::uuid"},
    /* Writes nothing but a mark in the log, so that its commit waits for the synchronous standby: by then that has what
     * a repeated request is being told of, too. */
    [STATEMENT_CONFIRM] = {"core.confirm", "select pg_logical_emit_message(true, 'isms', '')"},
    [STATEMENT_SET_TENANT] = {"core.set_tenant", "select set_config('app.tenant_id', $1::uuid::text, true)"},
    [STATEMENT_FIND_KEY] = {"core.find_key",
        "select " CREDENTIAL_COLUMNS " from core.find_key($1::uuid, $2::uuid, $3::bytea)"},
    [STATEMENT_FIND_MEMBER] = {"core.find_member",
        "select " CREDENTIAL_COLUMNS " from core.find_member($1::uuid, $2::text, $3::text)"},
    [STATEMENT_FIND_LIMITS] = {"core.find_limits",
        "select calls_per_second, calls_burst, calls_in_flight from core.organisation "
        "where tenant_id = $1::uuid and state = 'ACTIVE'"},
    [STATEMENT_PROVISION_MEMBER] = {"core.provision_member",
        "select " CREDENTIAL_COLUMNS " from core.provision_member($1::uuid, $2::text, $3::text, $4::uuid, $5::text, "
        "$6::text, $7::text[], $8::text[], $9::text, $10::timestamptz)"},
};

static struct db_value value_text(const char *text)
{
    return (struct db_value){.data = text};
}

struct db_value value_uuid(const struct uuid *uuid)
{
    return (struct db_value){.data = (const char *)uuid->bytes, .length = sizeof(uuid->bytes), .format = 1};
}

struct db_value *begin_values(struct call *call, bool write)
{
    const struct principal *principal = call->principal;
    struct arena *arena = &call->arena;
    struct db_value *values = ARENA_ARRAY(arena, BEGIN_WRITE_VALUES, struct db_value);
    char *revision = arena_alloc(arena, 24);
    char *timeout = arena_alloc(arena, 12);
    char *now = arena_alloc(arena, CLOCK_TEXT_SIZE);
    char *lock_timeout = arena_alloc(arena, 12);
    if (arena_exhausted(arena))
        return NULL;
    /* What another service or a job asserts has no revision here that could be compared. */
    bool own = principal->kind == PRINCIPAL_PERSON || principal->kind == PRINCIPAL_KEY ||
               principal->kind == PRINCIPAL_PLATFORM;
    snprintf(revision, 24, "%lld", own ? (long long)principal->revision : 0LL);
    snprintf(timeout, 12, "%d", call_remaining_ms(call));
    values[0] = value_uuid(&principal->tenant);
    values[1] = uuid_is_nil(principal->id) ? (struct db_value){0} : value_uuid(&principal->id);
    values[2] = value_text(principal_kind_name(principal->kind));
    values[3] = value_text(revision);
    values[4] = value_text(scope_name(principal->scope));
    values[5] = value_text(timeout);
    if (!write)
        return values;
    clock_format(call->now_us, now);
    values[6] = value_text(call->context->service);
    values[7] = value_text(call->job ? call->job : call->served->method->name);
    values[8] = call->request_id[0] ? value_text(call->request_id) : (struct db_value){0};
    values[9] = (struct db_value){
        .data = (const char *)call->request_hash.bytes, .length = SHA256_SIZE, .format = 1};
    values[10] = value_text(principal->service);
    values[11] = value_text(now);
    snprintf(lock_timeout, 12, "%d", call->lock_timeout_ms);
    values[12] = value_text(lock_timeout);
    return values;
}

struct binding_call binding_call_of(const struct call *call)
{
    struct binding_call binding_call = {
        .tenant = call->principal->tenant,
        .actor = call->principal->id,
        .has_actor = !uuid_is_nil(call->principal->id),
        .now_us = call->now_us,
        .new_id_count = BINDING_NEW_IDS_MAX,
    };
    for (unsigned i = 0; i < BINDING_NEW_IDS_MAX; i++)
        binding_call.new_ids[i] = call_new_id(call, i + 1);
    return binding_call;
}

bool failure_is(const struct db_failure *failure, const char *name)
{
    return strcmp(failure->sqlstate, "IS000") == 0 && strcmp(failure->message, name) == 0;
}

int64_t failure_sequence(const struct db_failure *failure)
{
    static const char key[] = "sequence=";
    bool given = strncmp(failure->detail, key, strlen(key)) == 0;
    return given ? strtoll(failure->detail + strlen(key), NULL, 10) : 0;
}

void failure_log(const struct call *call, const struct db_failure *failure, const struct err *err)
{
    bool internal = failure_is(failure, "CREDENTIAL_STALE") || failure_is(failure, "REPLAY") ||
                    failure_is(failure, "UNCHANGED");
    if (err->reason != ERR_INTERNAL || !failure->sqlstate[0] || internal)
        return;
    bool quotes_values = strncmp(failure->sqlstate, "22", 2) == 0; /* data exceptions repeat what was sent */
    LOG(ERROR, "a statement failed", LOG_STR("method", call->job ? call->job : call->served->method->path),
        LOG_STR("sqlstate", failure->sqlstate), LOG_STR("constraint", failure->constraint),
        LOG_STR("detail", quotes_values ? "" : failure->message));
}
