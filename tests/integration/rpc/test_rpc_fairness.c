/* What one organisation does to the others: nothing much (invariant 11). Floods, limits, held locks and callers that
 * never send what they announced, against a real server and database. */
#include "caller.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <isms/base/clock.h>
#include <isms/obs/metrics.h>

#include "key_source.h"

enum { MANY = 200, WAIT_US = 60 * 1000 * 1000 };

#define NOTE_TYPE (&isms__probe__v1__note__descriptor)
#define SLEEP_TYPE (&isms__probe__v1__sleep_response__descriptor)
#define COPY_TYPE (&isms__probe__v1__copy_note_response__descriptor)

static void start(const struct probe_options *options)
{
    fixture_url(NULL);
    probe_stop(0);
    struct probe_options complete = *options;
    if (!complete.exclusive_workers)
        complete.exclusive_workers = 2;
    if (!complete.lane_waiting_max)
        complete.lane_waiting_max = 1000;
    complete.calls_max = 1000;
    probe_start(&complete);
}

/* --- callers -------------------------------------------------------------------------------------------- */

/* A call on the test's thread: why it failed, or OK. */
static enum err_reason asked(unsigned organisation, const char *method, const ProtobufCMessage *request,
                             const ProtobufCMessageDescriptor *type, void *ret_response, struct err *err)
{
    *err = (struct err){0};
    int result = probe_call_as(probe_credential(organisation), method, request, type, PROBE_DEADLINE_US, probe_arena(),
                               ret_response, err);
    return result == 0 ? ERR_OK : err->reason;
}

static Isms__Probe__V1__Note *note_of(unsigned organisation)
{
    struct err err;
    Isms__Probe__V1__Note *note = NULL;
    Isms__Probe__V1__CreateNoteRequest request = ISMS__PROBE__V1__CREATE_NOTE_REQUEST__INIT;
    request.title = (char *)(uintptr_t)"a note";
    if (asked(organisation, "CreateNote", &request.base, NOTE_TYPE, &note, &err) != ERR_OK)
        fail_msg("%s: %s", err_reason_name(err.reason), err.message);
    return note;
}

static Isms__Probe__V1__GetNoteRequest no_note(void)
{
    Isms__Probe__V1__GetNoteRequest request = ISMS__PROBE__V1__GET_NOTE_REQUEST__INIT;
    request.id = (char *)(uintptr_t)new_id();
    return request;
}

static Isms__Probe__V1__SleepRequest long_sleep(void)
{
    Isms__Probe__V1__SleepRequest request = ISMS__PROBE__V1__SLEEP_REQUEST__INIT;
    request.seconds = 100;
    return request;
}

/* --- what the server and the database are at ------------------------------------------------------------ */

static void wait_waiting(const char *lane, int64_t count)
{
    int64_t until_us = clock_monotonic_us() + WAIT_US;
    while (metric_value(METRIC_SERIES(isms_lane_waiting, lane)) != count) {
        if (clock_monotonic_us() > until_us)
            fail_msg("%lld wait in lane %s instead of %lld",
                     (long long)metric_value(METRIC_SERIES(isms_lane_waiting, lane)), lane, (long long)count);
        poll(NULL, 0, 1);
    }
}

#define SLEEPERS "from pg_stat_activity where state = 'active' and query like '%pg_sleep($1%'" \
                 " and pid <> pg_backend_pid() and datname = current_database()"
#define WAITERS "from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"

static void sleepers_end(void)
{
    fixture_wait(probe_admin(), "select count(*) = 1 " SLEEPERS);
    fixture_run(probe_admin(), "select pg_cancel_backend(pid) " SLEEPERS);
}

/* Another session, in whose transaction that is done. */
static struct db_connection *session_hold(const char *sql)
{
    struct err err = {0};
    struct db_connection *session = fixture_connect(NULL, 0);
    if (db_begin(session, "read committed", false, &err) < 0)
        fail_msg("%s", err.message);
    fixture_run(session, sql);
    return session;
}

/* As an import in another service does. */
static struct db_connection *sequence_hold(unsigned organisation)
{
    char sql[200], tenant[UUID_TEXT_SIZE];
    uuid_format(probe_tenant(organisation), tenant);
    snprintf(sql, sizeof(sql), "update core.sequence set value = value where tenant_id = '%s'", tenant);
    return session_hold(sql);
}

/* --- before the body ------------------------------------------------------------------------------------ */

/* Announces a call and sends no message, ever: what the server answers to that. */
static grpc_status_code headers_only(const char *credential)
{
    grpc_channel_credentials *plain = grpc_insecure_credentials_create();
    grpc_channel *channel = grpc_channel_create(probe_address(), plain, NULL);
    grpc_completion_queue *queue = grpc_completion_queue_create_for_next(NULL);
    gpr_timespec deadline =
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_micros(PROBE_DEADLINE_US, GPR_TIMESPAN));
    grpc_call *call = grpc_channel_create_call(
        channel, NULL, GRPC_PROPAGATE_DEFAULTS, queue,
        grpc_slice_from_static_string("/isms.probe.v1.ProbeService/CreateNote"), NULL, deadline, NULL);
    grpc_metadata metadata = {.key = grpc_slice_from_static_string("authorization"),
                              .value = grpc_slice_from_copied_string(credential)};
    grpc_metadata_array headers, trailers;
    grpc_metadata_array_init(&headers);
    grpc_metadata_array_init(&trailers);
    grpc_status_code code = GRPC_STATUS__DO_NOT_USE;
    grpc_slice text;
    grpc_op operations[3] = {{.op = GRPC_OP_SEND_INITIAL_METADATA}, {.op = GRPC_OP_RECV_STATUS_ON_CLIENT},
                             {.op = GRPC_OP_RECV_INITIAL_METADATA}};
    operations[0].data.send_initial_metadata.count = 1;
    operations[0].data.send_initial_metadata.metadata = &metadata;
    operations[1].data.recv_status_on_client.trailing_metadata = &trailers;
    operations[1].data.recv_status_on_client.status = &code;
    operations[1].data.recv_status_on_client.status_details = &text;
    operations[2].data.recv_initial_metadata.recv_initial_metadata = &headers;
    assert_int_equal(grpc_call_start_batch(call, operations, 3, call, NULL), GRPC_CALL_OK);
    assert_int_equal(grpc_completion_queue_next(queue, deadline, NULL).type, GRPC_OP_COMPLETE);
    grpc_slice_unref(text);
    grpc_slice_unref(metadata.value);
    grpc_metadata_array_destroy(&headers);
    grpc_metadata_array_destroy(&trailers);
    grpc_call_unref(call);
    grpc_channel_destroy(channel);
    grpc_channel_credentials_release(plain);
    grpc_completion_queue_shutdown(queue);
    while (grpc_completion_queue_next(queue, deadline, NULL).type != GRPC_QUEUE_SHUTDOWN)
        ;
    grpc_completion_queue_destroy(queue);
    return code;
}

static void credentials_are_refused_before_the_body(void **state UNUSED)
{
    char bearer[API_KEY_TEXT_SIZE + 16];
    start(&(struct probe_options){.tenant_limits = {.calls_per_second = 1, .burst = 1, .in_flight = 10}});
    struct api_key stranger = api_key_make(probe_tenant(0), uuid_v7());
    int length = snprintf(bearer, sizeof(bearer), "Bearer ");
    api_key_format(&stranger, bearer + length);
    assert_int_equal(headers_only(bearer), GRPC_STATUS_UNAUTHENTICATED);
    assert_int_equal(headers_only("Bearer eyJhbGciOiJFZERTQSJ9.e30.AAAA"), GRPC_STATUS_UNAUTHENTICATED);
    assert_int_equal(headers_only("nonsense"), GRPC_STATUS_UNAUTHENTICATED);
    note_of(0);
    snprintf(bearer, sizeof(bearer), "Bearer %s", probe_credential(0));
    assert_int_equal(headers_only(bearer), GRPC_STATUS_RESOURCE_EXHAUSTED); /* and so are limits */
}

/* Whoever sends unknown credentials waits for the directory; whoever is known does not wait with them. */
static void unknown_credentials_take_no_worker(void **state UNUSED)
{
    struct caller strangers[20];
    struct err err;
    Isms__Probe__V1__Note *note;
    start(&(struct probe_options){.admission_workers = 1});
    Isms__Probe__V1__GetNoteRequest request = no_note();
    note_of(0);
    CONNECTION session = session_hold("lock table core.key_use");
    for (size_t i = 0; i < ARRAY_SIZE(strangers); i++)
        caller_start(&strangers[i], 1, "GetNote", &request.base, NOTE_TYPE);
    wait_waiting("admission", ARRAY_SIZE(strangers) - 1);
    note_of(0);
    assert_int_equal(asked(0, "GetNote", &request.base, NOTE_TYPE, &note, &err), ERR_NOT_FOUND);
    db_rollback(session);
    for (size_t i = 0; i < ARRAY_SIZE(strangers); i++) {
        pthread_join(strangers[i].thread, NULL);
        assert_int_equal(strangers[i].err.reason, ERR_NOT_FOUND);
        arena_release(&strangers[i].arena);
    }
}

/* --- tokens of an issuer that is away ------------------------------------------------------------------- */

#define ISSUER "https://id.example"
#define TOKENS_DEFERRED METRIC_SERIES(isms_auth_total, "token", "refused", "ISSUER_UNAVAILABLE")

/* Well-formed, and signed by nobody. */
static const char *token_make(void)
{
    struct buf token;
    uint8_t signature[64] = {0};
    char claims[500], tenant[UUID_TEXT_SIZE];
    static const char header[] = "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"1\"}";
    uuid_format(probe_tenant(0), tenant);
    long long now_s = clock_now_us() / 1000000;
    int length = snprintf(claims, sizeof(claims),
                          "{\"iss\":\"" ISSUER "\",\"aud\":\"isms\",\"sub\":\"somebody\",\"tenant_id\":\"%s\","
                          "\"iat\":%lld,\"exp\":%lld}", tenant, now_s, now_s + 600);
    buf_init_arena(&token, probe_arena(), 1000);
    base64url_encode(&token, header, sizeof(header) - 1);
    buf_char(&token, '.');
    base64url_encode(&token, claims, (size_t)length);
    buf_char(&token, '.');
    base64url_encode(&token, signature, sizeof(signature));
    buf_char(&token, '\0');
    return token.data;
}

/* An issuer at an address where nobody answers. */
static struct key_source *issuer_add(struct jwks_slot *slot)
{
    struct key_source *source = NULL;
    struct err err = {0};
    struct key_source_options options = {
        .issuer = ISSUER, .discovery = "http://127.0.0.1:1/", .slot = slot, .verifier = probe_tokens(), .ca_file = "",
        .allow_http = true, .stale_max_us = INT64_C(3600) * 1000 * 1000};
    if (key_source_new(&options, &source, &err) < 0)
        fail_msg("%s", err.message);
    struct jwt_issuer issuer = {.issuer = ISSUER, .audience = "isms", .algorithms = JWT_EDDSA,
                                .tenant_claim = "tenant_id", .keys = slot, .source = source};
    if (jwt_verifier_replace(probe_tokens(), &issuer, 1, &err) < 0)
        fail_msg("%s", err.message);
    return source;
}

/* Such a call is tried again until the keys are there; for a while, and then its caller has to. */
static void a_token_waits_for_its_issuers_keys(void **state UNUSED)
{
    static const char keys[] = "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"1\","
                               "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";
    struct jwks *set;
    struct caller waiting;
    struct err err = {0};
    start(&(struct probe_options){0});
    struct jwks_slot *slot = jwks_slot_new(NULL);
    struct key_source *source = issuer_add(slot);
    Isms__Probe__V1__GetNoteRequest request = no_note();
    int64_t deferred = metric_value(TOKENS_DEFERRED);
    caller_start(&waiting, 0, "GetNote", &request.base, NOTE_TYPE);
    pthread_join(waiting.thread, NULL); /* of a known key: not bothered */
    assert_int_equal(waiting.err.reason, ERR_NOT_FOUND);
    arena_release(&waiting.arena);

    caller_start_as(&waiting, token_make(), "GetNote", &request.base, NOTE_TYPE, PROBE_DEADLINE_US);
    caller_end(&waiting);
    assert_int_equal(waiting.err.reason, ERR_ISSUER_UNAVAILABLE);
    assert_true(waiting.err.retry_after_ms > 0);
    assert_true(metric_value(TOKENS_DEFERRED) > deferred + 1);

    deferred = metric_value(TOKENS_DEFERRED);
    caller_start_as(&waiting, token_make(), "GetNote", &request.base, NOTE_TYPE, PROBE_DEADLINE_US);
    while (metric_value(TOKENS_DEFERRED) == deferred)
        poll(NULL, 0, 1);
    assert_int_equal(jwks_parse(keys, strlen(keys), &set, &err), 0);
    jwks_set_fetch_time(set, clock_now_us());
    jwks_slot_set(slot, set);
    caller_end(&waiting);
    assert_int_equal(waiting.err.reason, ERR_CREDENTIAL_INVALID); /* now that it could be judged */

    assert_int_equal(jwt_verifier_replace(probe_tokens(), NULL, 0, &err), 0);
    key_source_free(source);
    jwks_slot_free(slot);
}

/* --- the queue ------------------------------------------------------------------------------------------ */

/* Which of the handler's runs the copy was. */
static int run_of(struct caller *caller)
{
    pthread_join(caller->thread, NULL);
    assert_int_equal(caller->result, 0);
    int run = ((Isms__Probe__V1__CopyNoteResponse *)caller->response)->run;
    arena_release(&caller->arena);
    return run;
}

static void a_single_call_passes_a_flood(void **state UNUSED)
{
    static struct caller flood[MANY];
    struct caller busy, single;
    int first = INT32_MAX;
    start(&(struct probe_options){.exclusive_workers = 1});
    Isms__Probe__V1__SleepRequest sleep = long_sleep();
    Isms__Probe__V1__CopyNoteRequest requests[2] = {ISMS__PROBE__V1__COPY_NOTE_REQUEST__INIT,
                                                   ISMS__PROBE__V1__COPY_NOTE_REQUEST__INIT};
    requests[0].id = note_of(0)->id;
    requests[1].id = note_of(1)->id;
    caller_start(&busy, 0, "Sleep", &sleep.base, SLEEP_TYPE);
    fixture_wait(probe_admin(), "select count(*) = 1 " SLEEPERS);
    for (size_t i = 0; i < MANY; i++)
        caller_start(&flood[i], 0, "CopyNote", &requests[0].base, COPY_TYPE);
    wait_waiting("exclusive", MANY);
    caller_start(&single, 1, "CopyNote", &requests[1].base, COPY_TYPE);
    wait_waiting("exclusive", MANY + 1);
    sleepers_end();
    caller_end(&busy);
    int run = run_of(&single);
    for (size_t i = 0; i < MANY; i++) {
        int other = run_of(&flood[i]);
        first = other < first ? other : first;
    }
    assert_in_range(run, first - 1, first + 2);
}

static void a_flood_leaves_places_to_others(void **state UNUSED)
{
    struct caller flood[40], busy, single;
    unsigned refused = 0;
    struct err err;
    Isms__Probe__V1__Note *note;
    start(&(struct probe_options){.exclusive_workers = 1, .lane_waiting_max = 20});
    Isms__Probe__V1__SleepRequest sleep = long_sleep();
    Isms__Probe__V1__GetNoteRequest request = no_note();
    note_of(0);
    note_of(1);
    caller_start(&busy, 0, "Sleep", &sleep.base, SLEEP_TYPE);
    fixture_wait(probe_admin(), "select count(*) = 1 " SLEEPERS);
    for (size_t i = 0; i < ARRAY_SIZE(flood); i++)
        caller_start(&flood[i], 0, "RelayNote", &request.base, NOTE_TYPE);
    wait_waiting("exclusive", 16);
    assert_int_equal(asked(0, "RelayNote", &request.base, NOTE_TYPE, &note, &err), ERR_OVERLOADED);
    caller_start(&single, 1, "RelayNote", &request.base, NOTE_TYPE);
    wait_waiting("exclusive", 17);
    sleepers_end();
    caller_end(&busy);
    caller_end(&single);
    assert_int_equal(single.err.reason, ERR_NOT_FOUND);
    for (size_t i = 0; i < ARRAY_SIZE(flood); i++) {
        caller_end(&flood[i]);
        refused += flood[i].err.reason == ERR_OVERLOADED;
    }
    assert_int_equal(refused, ARRAY_SIZE(flood) - 16);
}

static void gone_callers_make_room(void **state UNUSED)
{
    struct caller busy, waiting;
    start(&(struct probe_options){.exclusive_workers = 1});
    Isms__Probe__V1__SleepRequest sleep = long_sleep();
    caller_start(&busy, 0, "Sleep", &sleep.base, SLEEP_TYPE);
    fixture_wait(probe_admin(), "select count(*) = 1 " SLEEPERS);
    caller_start_as(&waiting, probe_credential(0), "Sleep", &sleep.base, SLEEP_TYPE, 5 * 1000 * 1000);
    wait_waiting("exclusive", 1);
    wait_waiting("exclusive", 0);
    assert_int_equal(fixture_int(probe_admin(), "select count(*) " SLEEPERS), 1); /* the worker has not moved */
    caller_end(&waiting);
    assert_int_equal(waiting.err.reason, ERR_DEADLINE_EXCEEDED);
    sleepers_end();
    caller_end(&busy);
}

/* --- held locks ----------------------------------------------------------------------------------------- */

/* An organisation whose sequence is held elsewhere waits by itself, and with one worker of either lane. */
static void a_held_sequence_holds_up_nobody_else(void **state UNUSED)
{
    struct caller held[20];
    start(&(struct probe_options){.exclusive_workers = 2, .write_workers = 2});
    Isms__Probe__V1__CreateNoteRequest request = ISMS__PROBE__V1__CREATE_NOTE_REQUEST__INIT;
    Isms__Probe__V1__GetNoteRequest get = no_note();
    struct err err;
    Isms__Probe__V1__Note *note;
    request.title = (char *)(uintptr_t)"held up";
    note_of(0);
    CONNECTION session = sequence_hold(0);
    for (size_t i = 0; i < ARRAY_SIZE(held); i++)
        caller_start(&held[i], 0, "CreateNote", &request.base, NOTE_TYPE);
    for (int round = 0; round < 20; round++) {
        note_of(1);
        assert_int_equal(asked(1, "RelayNote", &get.base, NOTE_TYPE, &note, &err), ERR_NOT_FOUND);
        assert_in_range(fixture_int(probe_admin(), "select count(*) " WAITERS), 0, 2);
    }
    wait_waiting("write", 0); /* all have moved on to where they may wait */
    wait_waiting("exclusive", ARRAY_SIZE(held) - 1);
    assert_int_equal(fixture_int(probe_admin(), "select count(*) from probe.note where title = 'held up'"), 0);
    db_rollback(session);
    for (size_t i = 0; i < ARRAY_SIZE(held); i++)
        caller_succeed(&held[i]);
    assert_int_equal(fixture_int(probe_admin(), "select count(*) from probe.note where title = 'held up'"),
                     ARRAY_SIZE(held));
}

/* --- limits --------------------------------------------------------------------------------------------- */

static void the_rate_is_refused_with_when_to_retry(void **state UNUSED)
{
    struct err err;
    Isms__Probe__V1__Note *note;
    char subject[80] = "organisation:";
    start(&(struct probe_options){.tenant_limits = {.calls_per_second = 2, .burst = 3, .in_flight = 100}});
    Isms__Probe__V1__GetNoteRequest request = no_note();
    uuid_format(probe_tenant(0), subject + strlen(subject));
    enum err_reason reason;
    int served = 0;
    while ((reason = asked(0, "GetNote", &request.base, NOTE_TYPE, &note, &err)) == ERR_NOT_FOUND)
        served++;
    assert_true(served >= 3);
    assert_int_equal(reason, ERR_RATE_LIMITED);
    assert_int_equal(err_grpc_code(reason), 8);
    assert_in_range(err.retry_after_ms, 1, 500);
    assert_string_equal(err.metadata[0].key, "limit");
    assert_string_equal(err.metadata[0].value, "2");
    assert_string_equal(err.violations[0].field, subject);
    assert_string_equal(err.violations[0].description, "At most 2 calls a second, and 3 at once after a pause.");
    assert_int_equal(asked(1, "GetNote", &request.base, NOTE_TYPE, &note, &err), ERR_NOT_FOUND); /* others are not */
}

/* What a call makes our services ask is theirs to ask, and does not count again. */
static void services_are_not_counted(void **state UNUSED)
{
    struct err err;
    Isms__Probe__V1__Note *note;
    start(&(struct probe_options){.tenant_limits = {.calls_per_second = 1, .burst = 3, .in_flight = 1}});
    Isms__Probe__V1__GetNoteRequest request = no_note();
    for (int i = 0; i < 3; i++)
        assert_int_equal(asked(0, "RelayNote", &request.base, NOTE_TYPE, &note, &err), ERR_NOT_FOUND);
}

static void calls_under_way_are_limited(void **state UNUSED)
{
    struct err err;
    struct caller busy;
    Isms__Probe__V1__Note *note;
    start(&(struct probe_options){.tenant_limits = {.calls_per_second = 1000, .burst = 1000, .in_flight = 1}});
    Isms__Probe__V1__SleepRequest sleep = long_sleep();
    Isms__Probe__V1__GetNoteRequest request = no_note();
    caller_start(&busy, 0, "Sleep", &sleep.base, SLEEP_TYPE);
    fixture_wait(probe_admin(), "select count(*) = 1 " SLEEPERS);
    assert_int_equal(asked(0, "GetNote", &request.base, NOTE_TYPE, &note, &err), ERR_TOO_MANY_IN_FLIGHT);
    assert_string_equal(err.violations[0].description, "At most 1 calls under way at once.");
    assert_true(err.retry_after_ms > 0);
    assert_int_equal(asked(1, "GetNote", &request.base, NOTE_TYPE, &note, &err), ERR_NOT_FOUND);
    sleepers_end();
    caller_end(&busy);
    int64_t until_us = clock_monotonic_us() + WAIT_US; /* the answered call is freed when its caller has the answer */
    while (asked(0, "GetNote", &request.base, NOTE_TYPE, &note, &err) == ERR_TOO_MANY_IN_FLIGHT)
        assert_true(clock_monotonic_us() < until_us);
    assert_int_equal(err.reason, ERR_NOT_FOUND);
}

static void limits_set(unsigned organisation, int limit)
{
    char sql[400], tenant[UUID_TEXT_SIZE];
    uuid_format(probe_tenant(organisation), tenant);
    snprintf(sql, sizeof(sql),
             "set session_replication_role = replica; update core.organisation set calls_per_second = %d,"
             " calls_burst = %d, revision = revision + 1 where tenant_id = '%s'; reset session_replication_role",
             limit, limit, tenant);
    fixture_run(probe_admin(), sql);
}

/* Limits that the platform sets count from the organisation's next call on. */
static void an_organisations_own_limits_come_first(void **state UNUSED)
{
    struct err err;
    Isms__Probe__V1__Note *note;
    enum err_reason reason;
    int served = 0;
    start(&(struct probe_options){0});
    Isms__Probe__V1__GetNoteRequest request = no_note();
    assert_int_equal(asked(1, "GetNote", &request.base, NOTE_TYPE, &note, &err), ERR_NOT_FOUND);
    limits_set(1, 1);
    while ((reason = asked(1, "GetNote", &request.base, NOTE_TYPE, &note, &err)) == ERR_NOT_FOUND && served < 100)
        served++;
    limits_set(1, 0);
    assert_int_equal(reason, ERR_RATE_LIMITED);
    assert_string_equal(err.metadata[0].value, "1");
}

#define TEST(function) cmocka_unit_test_teardown(function, probe_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(credentials_are_refused_before_the_body),
        TEST(unknown_credentials_take_no_worker),
        TEST(a_token_waits_for_its_issuers_keys),
        TEST(a_single_call_passes_a_flood),
        TEST(a_flood_leaves_places_to_others),
        TEST(gone_callers_make_room),
        TEST(a_held_sequence_holds_up_nobody_else),
        TEST(the_rate_is_refused_with_when_to_retry),
        TEST(services_are_not_counted),
        TEST(calls_under_way_are_limited),
        TEST(an_organisations_own_limits_come_first),
    };
    return cmocka_run_group_tests(tests, probe_database_create, probe_database_destroy);
}
