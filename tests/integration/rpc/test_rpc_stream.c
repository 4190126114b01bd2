/* Streams that read the database: few connections for many, a caller that is looked at again and again, the end. */
#include "probe.h"

#include <string.h>

#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <isms/base/clock.h>
#include <isms/proto/message.h>

enum { MANY = 24 };

/* A stream's caller: the runtime's own client has none. */
struct reader {
    grpc_channel *channel;
    grpc_completion_queue *queue;
    grpc_call *call;
    grpc_metadata_array headers;
    grpc_metadata_array trailers;
    grpc_status_code code;
    grpc_slice message;
};

/* Tags: each operation of a reader is waited for by the address of what it fills. */
static void reader_post(struct reader *reader, const grpc_op *operations, size_t count, void *tag)
{
    assert_int_equal(grpc_call_start_batch(reader->call, operations, count, tag, NULL), GRPC_CALL_OK);
}

static void reader_await(struct reader *reader, void *tag)
{
    grpc_event event = grpc_completion_queue_pluck(reader->queue, tag, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    assert_int_equal(event.type, GRPC_OP_COMPLETE);
}

static void reader_send(struct reader *reader, const char *credential, struct slice body)
{
    char text[API_KEY_TEXT_SIZE + 16];
    snprintf(text, sizeof(text), "Bearer %s", credential);
    grpc_metadata metadata = {.key = grpc_slice_from_copied_string("authorization"),
                              .value = grpc_slice_from_copied_string(text)};
    grpc_slice slice = grpc_slice_from_copied_buffer(body.data, body.length);
    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_op send[] = {{.op = GRPC_OP_SEND_INITIAL_METADATA}, {.op = GRPC_OP_SEND_MESSAGE},
                      {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT}};
    send[0].data.send_initial_metadata.count = 1;
    send[0].data.send_initial_metadata.metadata = &metadata;
    send[1].data.send_message.send_message = buffer;
    reader_post(reader, send, ARRAY_SIZE(send), reader);
    grpc_op headers = {.op = GRPC_OP_RECV_INITIAL_METADATA};
    headers.data.recv_initial_metadata.recv_initial_metadata = &reader->headers;
    reader_post(reader, &headers, 1, &reader->headers);
    grpc_op status = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT};
    status.data.recv_status_on_client.trailing_metadata = &reader->trailers;
    status.data.recv_status_on_client.status = &reader->code;
    status.data.recv_status_on_client.status_details = &reader->message;
    reader_post(reader, &status, 1, &reader->code);
    reader_await(reader, reader);
    grpc_byte_buffer_destroy(buffer);
    grpc_slice_unref(slice);
    grpc_slice_unref(metadata.key);
    grpc_slice_unref(metadata.value);
}

static void reader_open(struct reader *reader, unsigned organisation,
                        const Isms__Probe__V1__StreamNotesRequest *request, int64_t timeout_us)
{
    struct slice body;
    struct err err = {0};
    memset(reader, 0, sizeof(*reader));
    grpc_init();
    grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
    reader->channel = grpc_channel_create(probe_address(), credentials, NULL);
    grpc_channel_credentials_release(credentials);
    reader->queue = grpc_completion_queue_create_for_pluck(NULL);
    grpc_slice method = grpc_slice_from_static_string("/isms.probe.v1.ProbeService/StreamNotes");
    gpr_timespec deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_micros(timeout_us, GPR_TIMESPAN));
    reader->call =
        grpc_channel_create_call(reader->channel, NULL, 0, reader->queue, method, NULL, deadline, NULL);
    grpc_metadata_array_init(&reader->headers);
    grpc_metadata_array_init(&reader->trailers);
    reader->message = grpc_empty_slice();
    assert_int_equal(message_pack(&request->base, probe_arena(), &body, &err), 0);
    reader_send(reader, probe_credential(organisation), body);
}

/* The next note, NULL at the end. */
static Isms__Probe__V1__Note *reader_next(struct reader *reader)
{
    grpc_byte_buffer *body = NULL;
    grpc_op operation = {.op = GRPC_OP_RECV_MESSAGE};
    operation.data.recv_message.recv_message = &body;
    reader_post(reader, &operation, 1, &body);
    reader_await(reader, &body);
    if (!body)
        return NULL;
    grpc_byte_buffer_reader bytes;
    assert_true(grpc_byte_buffer_reader_init(&bytes, body));
    grpc_slice whole = grpc_byte_buffer_reader_readall(&bytes);
    ProtobufCMessage *message = NULL;
    struct err err = {0};
    assert_int_equal(message_unpack(&isms__probe__v1__note__descriptor, (const char *)GRPC_SLICE_START_PTR(whole),
                                    GRPC_SLICE_LENGTH(whole), probe_arena(), &message, &err), 0);
    grpc_slice_unref(whole);
    grpc_byte_buffer_reader_destroy(&bytes);
    grpc_byte_buffer_destroy(body);
    return (Isms__Probe__V1__Note *)message;
}

/* Its status. Everything of it is given back. */
static grpc_status_code reader_end(struct reader *reader)
{
    while (reader_next(reader))
        ;
    reader_await(reader, &reader->code);
    reader_await(reader, &reader->headers);
    grpc_status_code code = reader->code;
    grpc_metadata_array_destroy(&reader->headers);
    grpc_metadata_array_destroy(&reader->trailers);
    grpc_slice_unref(reader->message);
    grpc_call_unref(reader->call);
    grpc_completion_queue_shutdown(reader->queue);
    grpc_completion_queue_destroy(reader->queue);
    grpc_channel_destroy(reader->channel);
    grpc_shutdown();
    return code;
}

static grpc_status_code reader_give_up(struct reader *reader)
{
    grpc_call_cancel(reader->call, NULL);
    return reader_end(reader);
}

static Isms__Probe__V1__StreamNotesRequest request_of(const Isms__Probe__V1__Note *note, int count, int interval_ms)
{
    Isms__Probe__V1__StreamNotesRequest request = ISMS__PROBE__V1__STREAM_NOTES_REQUEST__INIT;
    request.id = note->id;
    request.count = count;
    request.interval_ms = interval_ms;
    return request;
}

/* Of organisation 1, whose key the tests change. */
static Isms__Probe__V1__Note *note_of_the_other(void)
{
    Isms__Probe__V1__CreateNoteRequest request = ISMS__PROBE__V1__CREATE_NOTE_REQUEST__INIT;
    Isms__Probe__V1__Note *note = NULL;
    struct err err = {0};
    fixture_url(NULL);
    request.title = (char *)(uintptr_t)"the other's";
    if (probe_call_as(probe_credential(1), "CreateNote", &request.base, &isms__probe__v1__note__descriptor,
                      PROBE_DEADLINE_US, probe_arena(), &note, &err) < 0)
        fail_msg("%s", err.message);
    return note;
}

/* --- tests ---------------------------------------------------------------------------------------------- */

static void every_message_arrives(void **state UNUSED)
{
    struct reader reader;
    Isms__Probe__V1__Note *note = note_made("streamed");
    Isms__Probe__V1__StreamNotesRequest request = request_of(note, 500, 0);
    reader_open(&reader, 0, &request, PROBE_DEADLINE_US);
    for (int i = 0; i < 500; i++)
        assert_string_equal(reader_next(&reader)->title, "streamed");
    assert_null(reader_next(&reader));
    assert_int_equal(reader_end(&reader), GRPC_STATUS_OK);
}

static void a_stream_needs_permission_and_a_good_request(void **state UNUSED)
{
    struct reader reader;
    Isms__Probe__V1__Note *note = note_made("mine");
    Isms__Probe__V1__StreamNotesRequest request = request_of(note, 1, 0);
    reader_open(&reader, 1, &request, PROBE_DEADLINE_US); /* invariant 1: as one that does not exist */
    assert_int_equal(reader_end(&reader), GRPC_STATUS_NOT_FOUND);
    request.id = (char *)(uintptr_t)"no id";
    reader_open(&reader, 0, &request, PROBE_DEADLINE_US);
    assert_int_equal(reader_end(&reader), GRPC_STATUS_INVALID_ARGUMENT);
}

static void streams_that_wait_hold_no_connection(void **state UNUSED)
{
    struct reader readers[MANY];
    Isms__Probe__V1__Note *note = note_made("shared");
    Isms__Probe__V1__StreamNotesRequest request = request_of(note, 3, 50);
    for (int i = 0; i < MANY; i++)
        reader_open(&readers[i], 0, &request, PROBE_DEADLINE_US);
    for (int i = 0; i < MANY; i++)
        assert_non_null(reader_next(&readers[i]));
    /* All of them are under way on the workers' connections, the two of the streams and this one. */
    int64_t used = fixture_int(probe_admin(), "select count(*) from pg_stat_activity"
                                              " where datname = current_database()");
    assert_true(used <= probe_workers() + 3);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(reader_end(&readers[i]), GRPC_STATUS_OK);
}

#define SLEEPING(count) \
    "select count(*) = " #count " from pg_stat_activity where state = 'active' and query like '%pg_sleep($1%'" \
    " and pid <> pg_backend_pid() and datname = current_database()"

/* Invariant 11: whoever opens all it can leaves places to the others, and takes them again when they are free. */
static void one_organisations_streams_leave_room_for_the_others(void **state UNUSED)
{
    struct probe_options options = {
        .exclusive_workers = 2, .lane_waiting_max = 100, .calls_max = 1000, .streams_max = 10};
    struct reader readers[10], other;
    probe_stop(0);
    probe_start(&options);
    Isms__Probe__V1__StreamNotesRequest request = request_of(note_made("greedy"), 2, 600 * 1000);
    Isms__Probe__V1__StreamNotesRequest others = request_of(note_of_the_other(), 1, 0);
    unsigned open = 0;
    do
        reader_open(&readers[open], 0, &request, 60 * 1000 * 1000);
    while (reader_next(&readers[open]) && ++open < ARRAY_SIZE(readers));
    assert_int_equal(open, 8);
    assert_int_equal(reader_end(&readers[open]), GRPC_STATUS_RESOURCE_EXHAUSTED);
    reader_open(&other, 1, &others, PROBE_DEADLINE_US);
    assert_non_null(reader_next(&other));
    assert_int_equal(reader_end(&other), GRPC_STATUS_OK);
    while (open > 0)
        assert_int_equal(reader_give_up(&readers[--open]), GRPC_STATUS_CANCELLED);
    do
        reader_open(&other, 0, &others, PROBE_DEADLINE_US);
    while (reader_end(&other) == GRPC_STATUS_RESOURCE_EXHAUSTED);
}

/* The same of their database connections, of which there are two. */
static void one_organisations_streams_leave_a_connection_to_the_others(void **state UNUSED)
{
    struct reader readers[4], other;
    Isms__Probe__V1__StreamNotesRequest request = request_of(note_made("slow"), 1, 0);
    Isms__Probe__V1__StreamNotesRequest others = request_of(note_of_the_other(), 3, 0);
    request.sleep = 60;
    for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
        reader_open(&readers[i], 0, &request, 60 * 1000 * 1000);
    fixture_wait(probe_admin(), SLEEPING(1));
    reader_open(&other, 1, &others, PROBE_DEADLINE_US);
    assert_int_equal(reader_end(&other), GRPC_STATUS_OK);
    for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
        assert_int_equal(reader_give_up(&readers[i]), GRPC_STATUS_CANCELLED);
}

static void a_stream_of_a_revoked_key_ends(void **state UNUSED)
{
    struct reader reader;
    Isms__Probe__V1__StreamNotesRequest request = request_of(note_of_the_other(), 100000, 20);
    reader_open(&reader, 1, &request, 60 * 1000 * 1000);
    assert_non_null(reader_next(&reader));
    probe_key_set("name = 'another name'"); /* looked up again, and still good */
    for (int i = 0; i < 5; i++)
        assert_non_null(reader_next(&reader));
    probe_key_set("state = 'REVOKED'");
    assert_int_equal(reader_end(&reader), GRPC_STATUS_UNAUTHENTICATED);
    probe_key_set("state = 'ACTIVE'");
}

static void a_stream_of_an_expired_key_ends(void **state UNUSED)
{
    struct reader reader;
    Isms__Probe__V1__StreamNotesRequest request = request_of(note_of_the_other(), 100000, 20);
    probe_key_set("expire_time = now() + interval '1 second'");
    reader_open(&reader, 1, &request, 60 * 1000 * 1000);
    assert_int_equal(reader_end(&reader), GRPC_STATUS_UNAUTHENTICATED);
    probe_key_set("expire_time = null");
}

static void a_callers_going_ends_its_statement(void **state UNUSED)
{
    struct reader reader;
    Isms__Probe__V1__StreamNotesRequest request = request_of(note_made("slow"), 1, 0);
    request.sleep = 60;
    reader_open(&reader, 0, &request, 60 * 1000 * 1000);
    fixture_wait(probe_admin(), SLEEPING(1));
    assert_int_equal(reader_give_up(&reader), GRPC_STATUS_CANCELLED);
    fixture_wait(probe_admin(), SLEEPING(0));
    every_message_arrives(NULL); /* the connection is good for the next */
}

static void a_deadline_ends_a_stream(void **state UNUSED)
{
    struct reader reader;
    Isms__Probe__V1__StreamNotesRequest request = request_of(note_made("late"), 100000, 10);
    reader_open(&reader, 0, &request, 300 * 1000);
    assert_int_equal(reader_end(&reader), GRPC_STATUS_DEADLINE_EXCEEDED);
}

static void a_drain_ends_streams_that_wait(void **state UNUSED)
{
    struct reader reader;
    Isms__Probe__V1__StreamNotesRequest request = request_of(note_made("drained"), 2, 600 * 1000);
    reader_open(&reader, 0, &request, 900 * INT64_C(1000000));
    assert_non_null(reader_next(&reader));
    assert_int_equal(probe_stop(10 * 1000 * 1000), 0);
    assert_int_equal(reader_end(&reader), GRPC_STATUS_UNAVAILABLE);
}

static void a_broken_connection_is_made_again(void **state UNUSED)
{
    every_message_arrives(NULL);
    fixture_run(probe_admin(), "select pg_terminate_backend(pid) from pg_stat_activity"
                               " where datname = current_database() and pid <> pg_backend_pid()");
    struct reader reader;
    struct err err = {0};
    Isms__Probe__V1__Note *note = NULL, *read = NULL;
    do /* the streams' caller starts again; a unary one is repeated by the runtime */
        note = create_note("", "again", &note, &err) == 0 ? note : NULL;
    while (!note || get_note(note->id, &read, &err) < 0);
    Isms__Probe__V1__StreamNotesRequest request = request_of(note, 1, 0);
    do
        reader_open(&reader, 0, &request, PROBE_DEADLINE_US);
    while (reader_end(&reader) == GRPC_STATUS_UNAVAILABLE);
    every_message_arrives(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, probe_setup, probe_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_message_arrives),
        TEST(a_stream_needs_permission_and_a_good_request),
        TEST(streams_that_wait_hold_no_connection),
        TEST(one_organisations_streams_leave_room_for_the_others),
        TEST(one_organisations_streams_leave_a_connection_to_the_others),
        TEST(a_stream_of_a_revoked_key_ends),
        TEST(a_stream_of_an_expired_key_ends),
        TEST(a_callers_going_ends_its_statement),
        TEST(a_deadline_ends_a_stream),
        TEST(a_drain_ends_streams_that_wait),
        TEST(a_broken_connection_is_made_again),
    };
    return cmocka_run_group_tests(tests, probe_database_create, probe_database_destroy);
}
