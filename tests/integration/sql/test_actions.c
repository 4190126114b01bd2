/* test_actions.c: the statements of the actions service, as the runtime runs them: bound to their messages, in
 * a writing or reading transaction, as the service's role. */
#include "database.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <isms/actions/v1/actions.pb-c.h>
#include <isms/base/buf.h>
#include <isms/base/uuid.h>
#include <isms/proto/binding.h>
#include <isms/proto/json.h>
#include <isms/proto/message.h>

#define TENANT "0192f3aa-0000-7000-8000-000000000001"
#define STRANGER "0192f3aa-0000-7000-8000-000000000002" /* another tenant */
#define OWNER "0192f3aa-0000-7000-8000-00000000000a"
#define MANAGER "0192f3aa-0000-7000-8000-00000000000b"
#define SUSPENDED "0192f3aa-0000-7000-8000-00000000000c"
#define REVIEW_1 "0192f3aa-0000-7000-8000-000000000101"
#define REVIEW_2 "0192f3aa-0000-7000-8000-000000000102"
#define OPENING_1 "0192f3aa-0000-5000-8000-000000000301"
#define OPENING_2 "0192f3aa-0000-5000-8000-000000000302"

enum { MEMORY_MAX = 32 * 1024 * 1024 };

/* Who calls. */
struct caller {
    const char *tenant;
    const char *actor;
    const char *scope;
    const char *reviews; /* an auditor's */
};

static const struct caller manager = {TENANT, MANAGER, "all", NULL};
static const struct caller owner = {TENANT, OWNER, "own", NULL};
static const struct caller stranger = {STRANGER, MANAGER, "all", NULL};

static struct arena arena;
static struct descriptors *descriptors;
static struct sql_text *texts;
static struct db_connection *connection;
static const struct page_secret secret;

/* --- running a statement -------------------------------------------------------------------------------- */

static const char *text(const char *format, ...) PRINTF_LIKE(1, 2);
static const char *text(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *result = arena_vprintf(&arena, format, arguments);
    va_end(arguments);
    assert_non_null(result);
    return result;
}

static struct db_query query_of(struct db_statement *statement, struct db_value *values, int count)
{
    return (struct db_query){.statement = statement, .values = values, .value_count = count};
}

static int begin(const struct caller *caller, bool write, struct db_failure *failure, struct err *err)
{
    struct db_statement statement = {
        .sql = write ? "select core.begin_write($1, $2, 'person', 0, $3, 5000, '', 't', null, null, '', $4)"
                     : "select core.begin_read($1, $2, 'person', 0, $3, 5000), $4::text"};
    struct db_value values[] = {
        TEXT(caller->tenant), TEXT(caller->actor), TEXT(caller->scope), TEXT("2026-06-01T10:00:00Z")};
    struct db_query query = query_of(&statement, values, ARRAY_SIZE(values));
    struct db_statement grant = {.sql = "select set_config('app.review_ids', '{' || $1 || '}', true)"};
    struct db_value reviews = TEXT(caller->reviews);
    struct db_query granting = query_of(&grant, &reviews, 1);
    if (db_begin(connection, "read committed", !write, err) < 0 ||
        db_query(connection, &query, 1, failure, err) < 0)
        return -1;
    return caller->reviews ? db_query(connection, &granting, 1, failure, err) : 0;
}

static int statement_run(const struct caller *caller, struct binding *binding, const ProtobufCMessage *request,
                         ProtobufCMessage **ret_response, struct err *err)
{
    struct db_failure failure = {0};
    struct binding_call call = {.has_actor = true, .now_us = INT64_C(1780308000000000)}; /* 2026-06-01T10:00Z */
    struct db_value *values;
    int count;
    bool write = binding_file(binding)->answer_table || strncmp(binding_file(binding)->name, "Store", 5) == 0;
    assert_true(uuid_parse(caller->tenant, &call.tenant) && uuid_parse(caller->actor, &call.actor));
    if (binding_select(binding, request, &call, &arena, err) < 0 ||
        binding_encode(binding, false, request, &call, &arena, &values, &count, err) < 0 ||
        begin(caller, write, &failure, err) < 0)
        return -1;
    struct db_query query = {
        .statement = binding_statement(binding, &call), .values = values, .value_count = count};
    if (db_query(connection, &query, 1, &failure, err) < 0)
        return -1;
    struct db_statement end = {.sql = "select core.end_write(null)"};
    struct db_query ending = query_of(&end, NULL, 0);
    if (binding_decode(binding, false, request, &call, query.result, &arena, ret_response, err) < 0)
        return -1;
    if (write && db_query(connection, &ending, 1, &failure, err) < 0)
        return strcmp(failure.message, "UNCHANGED") == 0 ? 0 : -1; /* as the runtime does */
    return db_commit(connection, &failure, err);
}

/* Runs the file as the caller. The reason it failed for, ERR_OK with the response. */
static enum err_reason run_message(const struct caller *caller, const char *name,
                                   const ProtobufCMessage *request, ProtobufCMessage **ret_response)
{
    fixture_url(NULL); /* skips the test where there is no database */
    assert_non_null(connection);
    struct err err = {0};
    struct sql_file *file CLEANUP(sql_file_freep) = NULL;
    struct binding *binding CLEANUP(binding_freep) = NULL;
    const char *service = strstr(name, "Snapshot") ? "ActionSnapshotService" : "ActionService";
    const struct method *method =
        descriptors_method(descriptors, text("/isms.actions.v1.%s/%s", service, name));
    assert_int_equal(sql_file_compile(texts, name, &file, &err), 0);
    struct binding_options options = {
        .descriptors = descriptors,
        .file = file,
        .request = file->request ? NULL : method->request,
        .response = file->request ? NULL : method->response,
        .scope = name,
        .prefix = "actions",
        .secret = &secret,
    };
    if (binding_new(&options, &binding, &err) < 0 || binding_describe_all(binding, connection, &err) < 0)
        fail_msg("%s %s", err.message, db_connection_problem(connection));
    int result = statement_run(caller, binding, request, ret_response, &err);
    db_rollback(connection);
    db_results_clear(connection);
    if (result < 0 && err.reason == ERR_INTERNAL)
        fail_msg("%s: %s", name, db_connection_problem(connection));
    return result < 0 ? err.reason : ERR_OK;
}

static enum err_reason run(const struct caller *caller, const char *name, const char *request_type,
                           const char *json, void *ret_response)
{
    struct err err = {0};
    ProtobufCMessage *request;
    ProtobufCMessage *response;
    const char *type_name = text("isms.actions.v1.%s", request_type);
    const struct message_type *type = descriptors_message(descriptors, type_name);
    assert_non_null(type);
    if (json_read(type, json, strlen(json), false, &arena, &request, &err) < 0)
        fail_msg("%s: %s", json, err.message);
    enum err_reason reason = run_message(caller, name, request, &response);
    if (reason == ERR_OK && ret_response)
        memcpy(ret_response, &response, sizeof(response));
    return reason;
}

/* A method on one action: `more` is the rest of the request. */
static enum err_reason act(const struct caller *caller, const char *name, const char *id, const char *more,
                           Isms__Actions__V1__Action **ret_action)
{
    return run(caller, name, text("%sRequest", name), text("{\"id\":\"%s\"%s}", id, more), ret_action);
}

static Isms__Actions__V1__Action *get(const char *id)
{
    Isms__Actions__V1__Action *action = NULL;
    assert_int_equal(act(&manager, "GetAction", id, "", &action), ERR_OK);
    return action;
}

/* --- the life of an action ------------------------------------------------------------------------------ */

static const char *action_of(const char *owner_id)
{
    return text("{\"action\":{\"title\":\"T\",\"owner_id\":\"%s\",\"due_date\":\"2026-05-10\"}}", owner_id);
}

static const char *create(const char *owner_id)
{
    Isms__Actions__V1__Action *action = NULL;
    const char *json = action_of(owner_id);
    assert_int_equal(run(&manager, "CreateAction", "CreateActionRequest", json, &action), ERR_OK);
    return action->id;
}

/* What can be done to an action, by somebody who is not its owner, but for marking it as done: whoever did may not
 * verify it. */
static const struct {
    const char *method;
    const char *more;
} steps[] = {
    {"RecordProgress", ",\"note\":\"n\",\"state\":\"IN_PROGRESS\""},
    {"RecordProgress", ",\"note\":\"n\",\"state\":\"PARTLY_DONE\""},
    {"RecordProgress", ",\"note\":\"n\",\"state\":\"BLOCKED\""},
    {"CompleteAction", ",\"evidence\":[{\"title\":\"E\",\"uri\":\"https://example.com/e\"}]"},
    {"VerifyAction", ",\"effective\":true,\"note\":\"v\""},
    {"VerifyAction", ",\"note\":\"v\""},
    {"ReopenAction", ",\"reason\":\"r\",\"due_date\":\"2026-08-01\""},
    {"RescheduleAction", ",\"reason\":\"r\",\"due_date\":\"2026-07-01\""},
    {"CancelAction", ",\"reason\":\"r\""},
    {"UpdateAction", ",\"action\":{\"title\":\"U\"},\"update_mask\":\"title\""},
};

enum { PROGRESS, PARTLY, BLOCK, COMPLETE, EFFECTIVE, INEFFECTIVE, REOPEN, RESCHEDULE, CANCEL, UPDATE, STEPS };

static enum err_reason take(const struct caller *caller, int step, const char *id,
                            Isms__Actions__V1__Action **ret_action)
{
    return act(caller, steps[step].method, id, steps[step].more, ret_action);
}

static const struct caller *by(int step)
{
    return step == COMPLETE ? &owner : &manager;
}

#define S(name) ISMS__ACTIONS__V1__ACTION_STATE__ACTION_STATE_##name
#define OPEN_ROW(same) \
    {S(IN_PROGRESS), S(PARTLY_DONE), S(BLOCKED), S(DONE), 0, 0, 0, S(same), S(CANCELLED), S(same)}

/* For each state how to get there, and the state after every step; 0: WRONG_STATE. */
static const struct {
    int state;
    int path[3]; /* -1 ends it */
    int after[STEPS];
} machine[] = {
    {S(OPEN), {-1}, OPEN_ROW(OPEN)},
    {S(IN_PROGRESS), {PROGRESS, -1}, OPEN_ROW(IN_PROGRESS)},
    {S(PARTLY_DONE), {PARTLY, -1}, OPEN_ROW(PARTLY_DONE)},
    {S(BLOCKED), {BLOCK, -1}, OPEN_ROW(BLOCKED)},
    {S(DONE), {COMPLETE, -1}, {0, 0, 0, 0, S(VERIFIED_EFFECTIVE), S(NOT_EFFECTIVE), S(OPEN), 0, 0, 0}},
    {S(VERIFIED_EFFECTIVE), {COMPLETE, EFFECTIVE, -1}, {0}},
    {S(NOT_EFFECTIVE), {COMPLETE, INEFFECTIVE, -1}, {[REOPEN] = S(OPEN)}},
    {S(CANCELLED), {CANCEL, -1}, {[REOPEN] = S(OPEN)}},
};

static void every_step_from_every_state(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(machine); i++)
        for (int step = 0; step < STEPS; step++) {
            const char *id = create(OWNER);
            Isms__Actions__V1__Action *action = NULL;
            for (const int *at = machine[i].path; *at >= 0; at++)
                assert_int_equal(take(by(*at), *at, id, NULL), ERR_OK);
            Isms__Actions__V1__Action *before = get(id);
            assert_int_equal(before->state, machine[i].state);
            enum err_reason reason = take(by(step), step, id, &action);
            if (machine[i].after[step]) {
                assert_int_equal(reason, ERR_OK);
                assert_int_equal(action->state, machine[i].after[step]);
                assert_int_equal(action->revision, before->revision + 1);
            } else {
                assert_int_equal(reason, ERR_WRONG_STATE);
                assert_int_equal(get(id)->revision, before->revision);
            }
        }
}

static enum err_reason progress(const char *id, const char *more, Isms__Actions__V1__Action **ret_action)
{
    return act(&manager, "RecordProgress", id, text(",\"note\":\"n\"%s", more), ret_action);
}

static void steps_leave_their_facts(void **state UNUSED)
{
    const char *id = create(OWNER);
    Isms__Actions__V1__Action *action = NULL;
    assert_int_equal(progress(id, ",\"percent_complete\":30", NULL), ERR_OK);
    assert_int_equal(progress(id, ",\"state\":\"BLOCKED\"", &action), ERR_OK);
    assert_int_equal(action->percent_complete, 30);
    assert_string_equal(action->reason, "n");
    assert_int_equal(take(&manager, RESCHEDULE, id, &action), ERR_OK);
    assert_string_equal(action->due_date, "2026-07-01");
    assert_string_equal(action->original_due_date, "2026-05-10");
    assert_int_equal(action->reschedule_count, 1);
    assert_int_equal(take(&owner, COMPLETE, id, &action), ERR_OK);
    assert_int_equal(action->percent_complete, 100);
    assert_string_equal(action->done_by_id, OWNER);
    assert_int_equal(take(&manager, INEFFECTIVE, id, &action), ERR_OK);
    assert_string_equal(action->verified_by_id, MANAGER);
    assert_string_equal(action->verification_note, "v");
    assert_int_equal(take(&manager, REOPEN, id, &action), ERR_OK);
    assert_int_equal(action->reopen_count, 1);
    assert_null(action->done_time);
    assert_string_equal(action->verified_by_id, "");
    assert_int_equal(take(&manager, COMPLETE, id, &action), ERR_OK);
    assert_int_equal(action->n_evidence, 2);

    Isms__Actions__V1__ListProgressResponse *list = NULL;
    const char *json = text("{\"action_id\":\"%s\"}", id);
    assert_int_equal(run(&manager, "ListProgress", "ListProgressRequest", json, &list), ERR_OK);
    assert_int_equal(list->n_progress, 7);
    assert_int_equal(list->progress[0]->state, S(DONE)); /* newest first */
    assert_string_equal(list->progress[6]->note, "n");
    assert_string_equal(list->progress[6]->author_id, MANAGER);
}

static void what_is_wrong_is_named(void **state UNUSED)
{
    const char *id = create(MANAGER);
    const char *json = action_of(SUSPENDED);
    assert_int_equal(run(&manager, "CreateAction", "CreateActionRequest", json, NULL), ERR_REFERENCE_INVALID);
    assert_int_equal(progress(id, ",\"etag\":\"7\"", NULL), ERR_ETAG_MISMATCH);
    assert_int_equal(progress(id, ",\"state\":\"DONE\"", NULL), ERR_WRONG_STATE);
    assert_int_equal(progress(OWNER, "", NULL), ERR_NOT_FOUND);
    assert_int_equal(take(&manager, COMPLETE, id, NULL), ERR_OK);
    assert_int_equal(take(&manager, EFFECTIVE, id, NULL), ERR_FOUR_EYES_REQUIRED);
    id = create(OWNER);
    assert_int_equal(take(&manager, COMPLETE, id, NULL), ERR_OK);
    assert_int_equal(take(&manager, EFFECTIVE, id, NULL), ERR_FOUR_EYES_REQUIRED);
}

/* --- who sees what -------------------------------------------------------------------------------------- */

static size_t count_listed(const struct caller *caller, const char *filter)
{
    Isms__Actions__V1__ListActionsResponse *list = NULL;
    assert_int_equal(run(caller, "ListActions", "ListActionsRequest", filter, &list), ERR_OK);
    return list->n_actions;
}

static void a_stranger_finds_nothing(void **state UNUSED)
{
    const char *id = create(OWNER);
    for (int step = 0; step < STEPS; step++)
        assert_int_equal(take(&stranger, step, id, NULL), ERR_NOT_FOUND);
    assert_int_equal(act(&stranger, "GetAction", id, "", NULL), ERR_NOT_FOUND);
    assert_int_equal(count_listed(&stranger, "{}"), 0);
}

static void an_owner_reaches_its_own(void **state UNUSED)
{
    const char *own = create(OWNER);
    const char *other = create(MANAGER);
    assert_int_equal(take(&owner, BLOCK, own, NULL), ERR_OK);
    assert_int_equal(take(&owner, BLOCK, other, NULL), ERR_NOT_FOUND);
    assert_int_equal(act(&owner, "GetAction", other, "", NULL), ERR_NOT_FOUND);
    assert_int_equal(count_listed(&owner, text("{\"owner_id\":\"%s\"}", MANAGER)), 0);
    assert_true(count_listed(&owner, "{}") > 0);
}

/* --- reviews -------------------------------------------------------------------------------------------- */

static size_t issue(unsigned count)
{
    const char *actions = "";
    Isms__Actions__V1__IssueActionsResponse *issued = NULL;
    for (unsigned i = 1; i <= count; i++)
        actions = text("%s%s{\"id\":\"0192f3aa-0000-7000-8000-0000000002%02u\",\"number\":\"MR-2026-01-A%02u\","
                       "\"decision_id\":\"" REVIEW_1 "\",\"title\":\"P\",\"owner_id\":\"" OWNER "\","
                       "\"due_date\":\"2026-06-30\"}", actions, i > 1 ? "," : "", i, i);
    const char *json = text("{\"review_id\":\"" REVIEW_1 "\",\"actions\":[%s]}", actions);
    enum err_reason reason = run(&manager, "IssueActions", "IssueActionsRequest", json, &issued);
    return reason == ERR_OK ? issued->n_actions : 0;
}

static Isms__Actions__V1__ActionSnapshot *freeze_for(const char *review, const char *opening,
                                                     const char *start_date)
{
    Isms__Actions__V1__ActionSnapshot *frozen = NULL;
    const char *json = text("{\"review_id\":\"%s\",\"opening_id\":\"%s\",\"period\":{\"start_date\":\"%s\","
                            "\"end_date\":\"2026-06-30\"}}", review, opening, start_date);
    assert_int_equal(run(&manager, "FreezeActions", "CreateActionSnapshotRequest", json, &frozen), ERR_OK);
    return frozen;
}

static Isms__Actions__V1__ActionSnapshot *freeze(const char *review, const char *start_date)
{
    return freeze_for(review, OPENING_1, start_date);
}

static const char *issued_id(unsigned number)
{
    return text("0192f3aa-0000-7000-8000-0000000002%02u", number);
}

static void actions_are_issued_once(void **state UNUSED)
{
    assert_int_equal(issue(3), 3);
    assert_int_equal(issue(3), 0);
    assert_int_equal(issue(5), 2);
    assert_int_equal(count_listed(&manager, "{\"review_id\":\"" REVIEW_1 "\"}"), 5);
}

static void a_freeze_takes_what_matters(void **state UNUSED)
{
    const char *done = issued_id(1);
    const char *cancelled = issued_id(2);
    assert_int_equal(take(&owner, COMPLETE, done, NULL), ERR_OK);
    assert_int_equal(take(&manager, EFFECTIVE, done, NULL), ERR_OK);
    assert_int_equal(take(&manager, CANCEL, cancelled, NULL), ERR_OK);
    assert_int_equal(take(&manager, COMPLETE, issued_id(3), NULL), ERR_OK);
    assert_int_equal(freeze(REVIEW_1, "2026-06-01")->item_count, 0); /* a review's own are not previous */
    assert_int_equal(freeze(REVIEW_2, "2026-06-01")->item_count, 5); /* ended on the period's first day */
    assert_int_equal(freeze(REVIEW_2, "2026-06-02")->item_count, 3); /* done but not verified still counts */
}

/* An opening of "" asks for the newest. */
static enum err_reason snapshot_get_of(const struct caller *caller, const char *opening,
                                       Isms__Actions__V1__ActionSnapshot **ret_snapshot)
{
    return run(caller, "GetActionSnapshot", "GetActionSnapshotRequest",
               text("{\"review_id\":\"" REVIEW_2 "\",\"opening_id\":\"%s\"}", opening), ret_snapshot);
}

static enum err_reason snapshot_get(const struct caller *caller,
                                    Isms__Actions__V1__ActionSnapshot **ret_snapshot)
{
    return snapshot_get_of(caller, OPENING_1, ret_snapshot);
}

static void snapshot_store(Isms__Actions__V1__ActionSnapshot *frozen)
{
    ProtobufCMessage *nothing;
    struct err err = {0};
    struct buf content;
    buf_init_arena(&content, &arena, MEMORY_MAX);
    const struct message_type *type = descriptors_message_of(descriptors, frozen->base.descriptor);
    assert_int_equal(message_canonical(type, &frozen->base, &content, &err), 0);
    frozen->sha256 = (char *)(uintptr_t)text("%064d", 0);
    frozen->content = (ProtobufCBinaryData){.data = (uint8_t *)content.data, .len = content.length};
    assert_int_equal(run_message(&manager, "StoreActionSnapshot", &frozen->base, &nothing), ERR_OK);
}

static void a_snapshot_stays(void **state UNUSED)
{
    Isms__Actions__V1__ActionSnapshot *frozen = freeze(REVIEW_2, "2026-06-01");
    Isms__Actions__V1__ActionSnapshot *before = NULL;
    Isms__Actions__V1__ActionSnapshot *after = NULL;
    assert_string_equal(frozen->id, "");
    snapshot_store(frozen);
    assert_int_equal(snapshot_get(&manager, &before), ERR_OK);
    assert_int_equal(before->n_actions, 5);
    assert_int_equal(before->content.len, frozen->content.len);
    assert_memory_equal(before->content.data, frozen->content.data, frozen->content.len);
    assert_string_equal(before->actions[3]->action->title, "P");
    assert_string_equal(before->actions[3]->content_sha256, frozen->actions[3]->content_sha256);

    assert_int_equal(take(&manager, UPDATE, issued_id(4), NULL), ERR_OK);
    assert_int_equal(take(&manager, CANCEL, issued_id(5), NULL), ERR_OK);
    assert_int_equal(snapshot_get(&manager, &after), ERR_OK);
    size_t size = protobuf_c_message_get_packed_size(&before->base);
    uint8_t *bytes[] = {arena_alloc(&arena, size), arena_alloc(&arena, size)};
    assert_int_equal(protobuf_c_message_get_packed_size(&after->base), size);
    protobuf_c_message_pack(&before->base, bytes[0]);
    protobuf_c_message_pack(&after->base, bytes[1]);
    assert_memory_equal(bytes[0], bytes[1], size);
    assert_string_equal(freeze(REVIEW_2, "2026-06-02")->id, before->id); /* a second freeze finds the first */

    const struct caller auditor = {TENANT, MANAGER, "auditor", REVIEW_2};
    const struct caller other_auditor = {TENANT, MANAGER, "auditor", REVIEW_1};
    assert_int_equal(snapshot_get(&auditor, &after), ERR_OK);
    assert_int_equal(after->n_actions, 5);
    assert_int_equal(count_listed(&auditor, "{}"), 0); /* the actions themselves are the other review's */
    assert_int_equal(count_listed(&other_auditor, "{}"), 5);
    assert_int_equal(snapshot_get(&other_auditor, NULL), ERR_NOT_FOUND);
    assert_int_equal(snapshot_get(&owner, NULL), ERR_NOT_FOUND);
    assert_int_equal(snapshot_get(&stranger, NULL), ERR_NOT_FOUND);
}

static void another_opening_freezes_anew(void **state UNUSED)
{
    Isms__Actions__V1__ActionSnapshot *first = NULL;
    Isms__Actions__V1__ActionSnapshot *second = NULL;
    Isms__Actions__V1__ActionSnapshot *newest = NULL;
    assert_int_equal(snapshot_get_of(&manager, OPENING_2, NULL), ERR_NOT_FOUND);
    Isms__Actions__V1__ActionSnapshot *frozen = freeze_for(REVIEW_2, OPENING_2, "2026-06-02");
    assert_string_equal(frozen->id, "");
    snapshot_store(frozen);
    assert_int_equal(snapshot_get_of(&manager, OPENING_1, &first), ERR_OK);
    assert_int_equal(snapshot_get_of(&manager, OPENING_2, &second), ERR_OK);
    assert_int_equal(snapshot_get_of(&manager, "", &newest), ERR_OK);
    assert_string_equal(first->opening_id, OPENING_1);
    assert_string_equal(second->opening_id, OPENING_2);
    assert_string_not_equal(first->id, second->id);
    assert_string_equal(newest->id, second->id);
}

static void an_altered_log_is_noticed(void **state UNUSED)
{
    CONNECTION admin = fixture_connect(NULL, 0);
    fixture_run(admin, "set session_replication_role = replica;" /* no triggers: what an intruder might do */
                       "update core.change set content = replace(content, '\"P\"', '\"Q\"')");
    assert_int_equal(snapshot_get(&manager, NULL), ERR_DATA_CORRUPT);
}

/* --- the world ------------------------------------------------------------------------------------------ */

static void two_organisations_are_made(void **state UNUSED)
{
    CONNECTION admin = NULL;
    database_migrate();
    admin = fixture_connect(NULL, 0);
    fixture_run(admin, "set session_replication_role = replica;"
                       "insert into core.organisation (tenant_id, name, time_zone)"
                       " values ('" TENANT "', 'A', 'UTC'), ('" STRANGER "', 'B', 'UTC');"
                       "insert into core.sequence (tenant_id) values ('" TENANT "'), ('" STRANGER "');"
                       "insert into core.member (tenant_id, id, name, state) values"
                       " ('" TENANT "', '" OWNER "', 'O', 'ACTIVE'),"
                       " ('" TENANT "', '" MANAGER "', 'M', 'ACTIVE'),"
                       " ('" STRANGER "', '" MANAGER "', 'M', 'ACTIVE'),"
                       " ('" TENANT "', '" SUSPENDED "', 'S', 'SUSPENDED')");
    connection = connect_as("actions");
}

static int load(void **state)
{
    struct err err = {0};
    arena_init(&arena, MEMORY_MAX);
    if (descriptors_new(&isms_descriptors_source, &descriptors, &err) < 0 ||
        sql_folder_read(ISMS_SOURCE_DIR "/services/actions/sql", &arena, &texts, &err) < 0) {
        fprintf(stderr, "%s\n", err.message);
        return -1;
    }
    return fixture_create(state);
}

static int unload(void **state)
{
    db_connection_free(connection);
    descriptors_free(descriptors);
    arena_release(&arena);
    return fixture_destroy(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_organisations_are_made),
        cmocka_unit_test(every_step_from_every_state),
        cmocka_unit_test(steps_leave_their_facts),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(a_stranger_finds_nothing),
        cmocka_unit_test(an_owner_reaches_its_own),
        cmocka_unit_test(actions_are_issued_once),
        cmocka_unit_test(a_freeze_takes_what_matters),
        cmocka_unit_test(a_snapshot_stays),
        cmocka_unit_test(another_opening_freezes_anew),
        cmocka_unit_test(an_altered_log_is_noticed),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
