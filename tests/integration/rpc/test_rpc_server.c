/* The server as its callers see it: answers, refusals with their details, repeats, cancellation, the drain. */
#include "caller.h"

#include <pthread.h>
#include <string.h>

#include <isms/base/clock.h>

#define NOTE_TYPE (&isms__probe__v1__note__descriptor)
#define PATH(method) "/isms.probe.v1.ProbeService/" method

/* A call on the test's thread. */
static int asked(unsigned organisation, const char *method, const ProtobufCMessage *request,
                 const ProtobufCMessageDescriptor *type, void *ret_response, struct err *err)
{
    fixture_url(NULL);
    return probe_call_as(probe_credential(organisation), method, request, type, PROBE_DEADLINE_US,
                         probe_arena(), ret_response, err);
}

static void assert_reason(const struct err *err, enum err_reason reason)
{
    if (err->reason != reason)
        fail_msg("%s instead of %s: %s", err_reason_name(err->reason), err_reason_name(reason), err->message);
}

/* --- plain calls ---------------------------------------------------------------------------------------- */

static void what_is_written_is_read(void **state UNUSED)
{
    struct err err;
    Isms__Probe__V1__Note *read;
    Isms__Probe__V1__Note *note = note_made("first");
    assert_int_equal(get_note(note->id, &read, &err), 0);
    assert_string_equal(read->title, "first");
    assert_string_equal(read->id, note->id);
}

static void another_tenants_id_is_as_unknown(void **state UNUSED)
{
    struct err own, other;
    Isms__Probe__V1__Note *read;
    Isms__Probe__V1__Note *note = note_made("mine");
    Isms__Probe__V1__GetNoteRequest request = ISMS__PROBE__V1__GET_NOTE_REQUEST__INIT;
    request.id = note->id;
    assert_int_equal(asked(1, "GetNote", &request.base, NOTE_TYPE, &read, &other), -1);
    assert_int_equal(get_note(new_id(), &read, &own), -1);
    assert_reason(&other, ERR_NOT_FOUND);
    assert_memory_equal(&own, &other, sizeof(own));
}

static void unknown_method_is_answered(void **state UNUSED)
{
    struct err err;
    struct slice answer;
    assert_int_equal(probe_call_bytes("", PATH("Nothing"), (struct slice){0}, &answer, &err), -1);
    assert_reason(&err, ERR_METHOD_UNKNOWN);
    assert_int_equal(probe_call_bytes("", "/a.b.C/D", (struct slice){0}, &answer, &err), -1);
    assert_reason(&err, ERR_METHOD_UNKNOWN);
}

static void garbage_is_refused(void **state UNUSED)
{
    struct err err;
    struct slice answer;
    char bytes[2000];
    uint32_t seed = 1;
    for (size_t round = 0; round < 200; round++) {
        size_t length = round * 10;
        for (size_t i = 0; i < length; i++)
            bytes[i] = (char)((seed = seed * 1664525 + 1013904223) >> 24);
        struct slice body = {.data = bytes, .length = length};
        assert_int_equal(probe_call_bytes(probe_credential(0), PATH("CreateNote"), body, &answer,
                                          &err), -1);
        assert_int_equal(err_grpc_code(err.reason), 3);
    }
    note_made("still alive");
}

static void wrong_fields_are_named(void **state UNUSED)
{
    struct err err;
    Isms__Probe__V1__Note *note;
    assert_int_equal(create_note("", "a title that is too long for the rule", &note, &err), -1);
    assert_reason(&err, ERR_FIELD_INVALID);
    assert_int_equal(err.violation_count, 1);
    assert_string_equal(err.violations[0].field, "title");
}

static void oversize_is_refused(void **state UNUSED)
{
    static char bytes[PROBE_MESSAGE_MAX + 100];
    struct err err;
    struct slice answer;
    struct slice body = {.data = bytes, .length = sizeof(bytes)};
    assert_int_equal(probe_call_bytes(probe_credential(0), PATH("CreateNote"), body, &answer,
                                      &err), -1);
    assert_int_equal(err_grpc_code(err.reason), 8);
    note_made("still alive");
}

/* Large answers go out compressed, and come back whole. */
static void large_answer_arrives_whole(void **state UNUSED)
{
    static char title[40 * 1024];
    struct err err;
    Isms__Probe__V1__Note *note = note_made("small"), *answer;
    Isms__Probe__V1__RenameNoteRequest rename = ISMS__PROBE__V1__RENAME_NOTE_REQUEST__INIT;
    for (size_t i = 0; i < sizeof(title) - 1; i++)
        title[i] = (char)('a' + i * i % 23);
    rename.id = note->id;
    rename.title = title;
    if (asked(0, "RenameNote", &rename.base, NOTE_TYPE, &answer, &err) < 0)
        fail_msg("%s: %s", err_reason_name(err.reason), err.message);
    assert_string_equal(answer->title, title);
}

/* --- credentials ---------------------------------------------------------------------------------------- */

static enum err_reason asked_with(const char *credential, const char *method)
{
    Isms__Probe__V1__GetNoteRequest request = ISMS__PROBE__V1__GET_NOTE_REQUEST__INIT;
    Isms__Probe__V1__Note *note;
    struct err err;
    fixture_url(NULL);
    request.id = (char *)(uintptr_t)new_id();
    int result = probe_call_as(credential, method, &request.base, NOTE_TYPE, PROBE_DEADLINE_US, probe_arena(),
                               &note, &err);
    assert_int_equal(result, -1);
    return err.reason;
}

static void credentials_are_asked_for(void **state UNUSED)
{
    char changed[API_KEY_TEXT_SIZE];
    assert_int_equal(asked_with("", "GetNote"), ERR_CREDENTIAL_MISSING);
    assert_int_equal(asked_with("nonsense", "GetNote"), ERR_CREDENTIAL_INVALID);
    snprintf(changed, sizeof(changed), "%s", probe_credential(0));
    changed[API_KEY_TEXT_SIZE - 10] = changed[API_KEY_TEXT_SIZE - 10] == 'A' ? 'B' : 'A';
    assert_int_equal(asked_with(changed, "GetNote"), ERR_CREDENTIAL_INVALID);
    assert_int_equal(asked_with(probe_credential(0), "GetNoteInternally"), ERR_PERMISSION_DENIED);
}

/* A remembered key that has changed is looked up anew, one that was revoked is refused at once. */
static void changed_key_counts_at_once(void **state UNUSED)
{
    assert_int_equal(asked_with(probe_credential(1), "GetNote"), ERR_NOT_FOUND);
    probe_key_set("name = 'renamed'");
    assert_int_equal(asked_with(probe_credential(1), "GetNote"), ERR_NOT_FOUND);
    probe_key_set("state = 'REVOKED'");
    assert_int_equal(asked_with(probe_credential(1), "GetNote"), ERR_CREDENTIAL_INVALID);
    probe_key_set("state = 'ACTIVE'");
    assert_int_equal(asked_with(probe_credential(1), "GetNote"), ERR_NOT_FOUND);
}

/* --- changes and their repeats -------------------------------------------------------------------------- */

static void repeat_answers_the_same(void **state UNUSED)
{
    struct err err;
    Isms__Probe__V1__Note *first, *second, *renamed;
    const char *request_id = (fixture_url(NULL), new_id());
    assert_int_equal(create_note(request_id, "once", &first, &err), 0);
    Isms__Probe__V1__RenameNoteRequest rename = ISMS__PROBE__V1__RENAME_NOTE_REQUEST__INIT;
    rename.id = first->id;
    rename.title = (char *)(uintptr_t)"renamed meanwhile";
    assert_int_equal(asked(0, "RenameNote", &rename.base, NOTE_TYPE, &renamed, &err), 0);
    assert_string_equal(renamed->title, "renamed meanwhile");
    assert_int_equal(create_note(request_id, "once", &second, &err), 0);
    assert_string_equal(second->id, first->id);
    assert_string_equal(second->title, "once"); /* as it was answered then */
    assert_int_equal(create_note(request_id, "something else", &second, &err), -1);
    assert_reason(&err, ERR_REQUEST_ID_REUSED);
}

static void unchanged_is_no_error(void **state UNUSED)
{
    struct err err;
    Isms__Probe__V1__Note *note = note_made("same"), *answer;
    Isms__Probe__V1__RenameNoteRequest rename = ISMS__PROBE__V1__RENAME_NOTE_REQUEST__INIT;
    rename.id = note->id;
    rename.title = (char *)(uintptr_t)"same";
    assert_int_equal(asked(0, "RenameNote", &rename.base, NOTE_TYPE, &answer, &err), 0);
    assert_string_equal(answer->title, "same");
    rename.id = (char *)(uintptr_t)new_id();
    assert_int_equal(asked(0, "RenameNote", &rename.base, NOTE_TYPE, &answer, &err), -1);
    assert_reason(&err, ERR_NOT_FOUND);
}

static void handlers_repeat_answers_what_was_stored(void **state UNUSED)
{
    struct err err;
    Isms__Probe__V1__CopyNoteResponse *first = NULL, *second = NULL;
    Isms__Probe__V1__CopyNoteRequest request = ISMS__PROBE__V1__COPY_NOTE_REQUEST__INIT;
    request.id = note_made("original")->id;
    request.request_id = (char *)(uintptr_t)new_id();
    const ProtobufCMessageDescriptor *type = &isms__probe__v1__copy_note_response__descriptor;
    if (asked(0, "CopyNote", &request.base, type, &first, &err) < 0 ||
        asked(0, "CopyNote", &request.base, type, &second, &err) < 0)
        fail_msg("%s: %s", err_reason_name(err.reason), err.message);
    assert_string_equal(second->note->id, first->note->id);
    assert_int_equal(second->run, first->run);
}

static void parallel_repeats_happen_once(void **state UNUSED)
{
    struct caller callers[16];
    Isms__Probe__V1__CreateNoteRequest request = ISMS__PROBE__V1__CREATE_NOTE_REQUEST__INIT;
    fixture_url(NULL);
    request.request_id = (char *)(uintptr_t)new_id();
    request.title = (char *)(uintptr_t)"parallel";
    for (size_t i = 0; i < ARRAY_SIZE(callers); i++)
        caller_start_as(&callers[i], probe_credential(0), "CreateNote", &request.base, NOTE_TYPE, PROBE_DEADLINE_US);
    for (size_t i = 0; i < ARRAY_SIZE(callers); i++) {
        caller_join(&callers[i]);
        if (callers[i].result < 0)
            fail_msg("%s", callers[i].err.message);
        assert_string_equal(((Isms__Probe__V1__Note *)callers[i].response)->id,
                            ((Isms__Probe__V1__Note *)callers[0].response)->id);
    }
    assert_int_equal(fixture_int(probe_admin(), "select count(*) from probe.note where title = 'parallel'"), 1);
    for (size_t i = 0; i < ARRAY_SIZE(callers); i++)
        arena_release(&callers[i].arena);
}

static void broken_connections_are_not_noticed(void **state UNUSED)
{
    struct err err;
    Isms__Probe__V1__Note *read;
    Isms__Probe__V1__Note *note = note_made("survivor");
    char all_idle[256];
    snprintf(all_idle, sizeof(all_idle),
             "select count(*) = %u from pg_stat_activity where state = 'idle' and query <> ''"
             " and datname = current_database() and pid <> pg_backend_pid()",
             probe_workers());
    for (int i = 0; i < 3; i++) {
        /* A connection that breaks while it is made is another matter: the next attempt is for after the back-off. */
        fixture_wait(probe_admin(), all_idle);
        fixture_run(probe_admin(), "select pg_terminate_backend(pid) from pg_stat_activity"
                                   " where datname = current_database() and pid <> pg_backend_pid()");
        if (get_note(note->id, &read, &err) < 0)
            fail_msg("%s: %s", err_reason_name(err.reason), err.message);
        note_made("another");
    }
}

/* --- peers ---------------------------------------------------------------------------------------------- */

static void peer_acts_for_the_caller(void **state UNUSED)
{
    struct err err;
    Isms__Probe__V1__Note *note = note_made("relayed"), *answer;
    Isms__Probe__V1__GetNoteRequest request = ISMS__PROBE__V1__GET_NOTE_REQUEST__INIT;
    request.id = note->id;
    if (asked(0, "RelayNote", &request.base, NOTE_TYPE, &answer, &err) < 0)
        fail_msg("%s: %s", err_reason_name(err.reason), err.message);
    assert_string_equal(answer->title, "relayed");
    /* The other organisation's caller gets what the peer tells it: there is no such note. */
    assert_int_equal(asked(1, "RelayNote", &request.base, NOTE_TYPE, &answer, &err), -1);
    assert_reason(&err, ERR_NOT_FOUND);
}

/* --- time and load -------------------------------------------------------------------------------------- */

#define SLEEPING "select count(*) = %d from pg_stat_activity where state = 'active'" \
                 " and query like '%%pg_sleep($1%%' and pid <> pg_backend_pid()" \
                 " and datname = current_database()"

static void wait_sleeping(int count)
{
    char sql[512];
    snprintf(sql, sizeof(sql), SLEEPING, count);
    fixture_wait(probe_admin(), sql);
}

static Isms__Probe__V1__SleepRequest sleep_request(double seconds)
{
    Isms__Probe__V1__SleepRequest request = ISMS__PROBE__V1__SLEEP_REQUEST__INIT;
    fixture_url(NULL);
    request.seconds = seconds;
    return request;
}

#define SLEEP_TYPE (&isms__probe__v1__sleep_response__descriptor)

/* The caller's deadline ends its call, and the statement that worked for it. */
static void deadline_ends_the_work(void **state UNUSED)
{
    struct caller caller;
    Isms__Probe__V1__SleepRequest request = sleep_request(100);
    caller_start_as(&caller, probe_credential(0), "Sleep", &request.base, SLEEP_TYPE, 5 * 1000 * 1000);
    wait_sleeping(1);
    caller_join(&caller);
    assert_int_equal(caller.result, -1);
    assert_reason(&caller.err, ERR_DEADLINE_EXCEEDED);
    wait_sleeping(0);
    arena_release(&caller.arena);
}

static void overload_is_refused_with_a_delay(void **state UNUSED)
{
    fixture_url(NULL);
    probe_stop(0);
    probe_start(&(struct probe_options){.exclusive_workers = 1, .lane_waiting_max = 1, .calls_max = 100});
    struct caller busy, callers[4];
    Isms__Probe__V1__SleepRequest longer = sleep_request(100), shorter = sleep_request(0);
    caller_start_as(&busy, probe_credential(0), "Sleep", &longer.base, SLEEP_TYPE, 10 * 1000 * 1000);
    wait_sleeping(1);
    for (size_t i = 0; i < ARRAY_SIZE(callers); i++)
        caller_start_as(&callers[i], probe_credential(0), "Sleep", &shorter.base, SLEEP_TYPE, PROBE_DEADLINE_US);
    note_made("other lanes work");
    int served = 0;
    int refused = 0;
    for (size_t i = 0; i < ARRAY_SIZE(callers); i++) {
        caller_join(&callers[i]);
        served += callers[i].result == 0; /* its turn came when the first one's deadline had passed */
        if (callers[i].result < 0) {
            assert_reason(&callers[i].err, ERR_OVERLOADED);
            assert_true(callers[i].err.retry_after_ms > 0);
            refused++;
        }
        arena_release(&callers[i].arena);
    }
    assert_true(served > 0 && refused > 0);
    caller_join(&busy);
    arena_release(&busy.arena);
}

static void drain_lets_calls_end(void **state UNUSED)
{
    struct caller caller;
    Isms__Probe__V1__SleepRequest request = sleep_request(4);
    caller_start_as(&caller, probe_credential(0), "Sleep", &request.base, SLEEP_TYPE, PROBE_DEADLINE_US);
    wait_sleeping(1);
    assert_int_equal(probe_stop(60 * 1000 * 1000), 0);
    caller_join(&caller);
    if (caller.result < 0)
        fail_msg("%s", caller.err.message);
    arena_release(&caller.arena);
}

static void drain_cancels_what_does_not_end(void **state UNUSED)
{
    struct caller caller;
    Isms__Probe__V1__SleepRequest request = sleep_request(100);
    caller_start_as(&caller, probe_credential(0), "Sleep", &request.base, SLEEP_TYPE, PROBE_DEADLINE_US);
    wait_sleeping(1);
    assert_int_equal(probe_stop(1000), 0);
    caller_join(&caller);
    assert_int_equal(caller.result, -1);
    wait_sleeping(0);
    arena_release(&caller.arena);
}

/* --- many at once --------------------------------------------------------------------------------------- */

static void *many_main(void *argument)
{
    struct caller *caller = argument;
    for (int i = 0; i < 50 && caller->result == 0; i++) {
        arena_clear(&caller->arena);
        Isms__Probe__V1__CreateNoteRequest create = ISMS__PROBE__V1__CREATE_NOTE_REQUEST__INIT;
        Isms__Probe__V1__GetNoteRequest get = ISMS__PROBE__V1__GET_NOTE_REQUEST__INIT;
        Isms__Probe__V1__Note *note;
        create.title = (char *)(uintptr_t)"many";
        caller->result = probe_call_as(probe_credential(0), "CreateNote", &create.base, NOTE_TYPE,
                                       PROBE_DEADLINE_US, &caller->arena, &note, &caller->err);
        if (caller->result < 0)
            break;
        get.id = note->id;
        caller->result = probe_call_as(probe_credential(0), i % 10 ? "GetNote" : "RelayNote", &get.base,
                                       NOTE_TYPE, PROBE_DEADLINE_US, &caller->arena, &note, &caller->err);
    }
    return NULL;
}

static void many_callers_are_served(void **state UNUSED)
{
    struct caller callers[12] = {0};
    fixture_url(NULL);
    for (size_t i = 0; i < ARRAY_SIZE(callers); i++) {
        arena_init(&callers[i].arena, 1024 * 1024);
        assert_int_equal(pthread_create(&callers[i].thread, NULL, many_main, &callers[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(callers); i++) {
        caller_join(&callers[i]);
        if (callers[i].result < 0)
            fail_msg("%s: %s", err_reason_name(callers[i].err.reason), callers[i].err.message);
        arena_release(&callers[i].arena);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, probe_setup, probe_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_is_read),
        TEST(another_tenants_id_is_as_unknown),
        TEST(unknown_method_is_answered),
        TEST(garbage_is_refused),
        TEST(wrong_fields_are_named),
        TEST(oversize_is_refused),
        TEST(large_answer_arrives_whole),
        TEST(credentials_are_asked_for),
        TEST(changed_key_counts_at_once),
        TEST(repeat_answers_the_same),
        TEST(unchanged_is_no_error),
        TEST(handlers_repeat_answers_what_was_stored),
        TEST(parallel_repeats_happen_once),
        TEST(broken_connections_are_not_noticed),
        TEST(peer_acts_for_the_caller),
        TEST(deadline_ends_the_work),
        TEST(overload_is_refused_with_a_delay),
        TEST(drain_lets_calls_end),
        TEST(drain_cancels_what_does_not_end),
        TEST(many_callers_are_served),
    };
    return cmocka_run_group_tests(tests, probe_database_create, probe_database_destroy);
}
