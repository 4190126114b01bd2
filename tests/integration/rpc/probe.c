#include "probe.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <isms/auth/jwks.h>
#include <isms/base/clock.h>
#include <isms/obs/log.h>
#include <isms/proto/message.h>
#include <isms/proto/sql_file.h>

enum { MEMORY_MAX = 256 * 1024 * 1024, ORGANISATIONS = 2 };

extern const struct descriptors_source probe_descriptors_source;

#define GET "select id, title from probe.note where tenant_id = :tenant and id = :id"
#define WRITE(verb) "with new as (" verb " returning *)\n--@answer probe.note new\nselect id, title from new"

static const struct sql_text files[] = {
    {"GetNote", GET},
    {"GetNoteInternally", GET},
    {"CreateNote", WRITE("insert into probe.note (tenant_id, id, title) values (:tenant, :new_id, :title)")},
    /* Answers the row as it is where there is nothing to rename, and nothing where there is no row. */
    {"RenameNote", "with changed as (update probe.note set title = :title where tenant_id = :tenant\n"
                   "  and id = :id and title <> :title returning *),\n"
                   "new as (select * from changed union all select * from probe.note\n"
                   "  where tenant_id = :tenant and id = :id and not exists (select from changed))\n"
                   "--@answer probe.note new\n"
                   "select id, title from new"},
    {"NoteCopy", "--@request isms.probe.v1.GetNoteRequest\n--@response isms.probe.v1.Note\n"
                 "insert into probe.note (tenant_id, id, title)\n"
                 "select tenant_id, :new_id, title from probe.note where tenant_id = :tenant and id = :id\n"
                 "returning id, title"},
    {"AnyNote", "--@request isms.probe.v1.GetNoteRequest\n--@response isms.probe.v1.Note\n"
                "select id, title from probe.note where title = :id"}, /* of any tenant: for a job */
    {"SleepNow", "--@request isms.probe.v1.SleepRequest\n--@response isms.probe.v1.SleepResponse\n"
                 "select pg_sleep(:seconds)::text as slept where :tenant::uuid is not null"},
    {0}};

static int copy_note(struct call *call, const ProtobufCMessage *message, ProtobufCMessage *answer,
                     struct err *err)
{
    static int runs;
    const Isms__Probe__V1__CopyNoteRequest *request = (const Isms__Probe__V1__CopyNoteRequest *)message;
    Isms__Probe__V1__CopyNoteResponse *response = (Isms__Probe__V1__CopyNoteResponse *)answer;
    Isms__Probe__V1__GetNoteRequest get = ISMS__PROBE__V1__GET_NOTE_REQUEST__INIT;
    Isms__Probe__V1__Note *note =
        (Isms__Probe__V1__Note *)message_new(&isms__probe__v1__note__descriptor, call_arena(call));
    response->run = __atomic_add_fetch(&runs, 1, __ATOMIC_SEQ_CST);
    get.id = request->id;
    if (call_begin_write(call, err) < 0 || call_statement(call, "NoteCopy", &get.base, &note->base, err) < 0)
        return -1;
    response->note = note;
    return 0;
}

static int sleep_long(struct call *call, const ProtobufCMessage *request, ProtobufCMessage *response,
                      struct err *err)
{
    return call_begin_read(call, err) < 0 ? -1 : call_statement(call, "SleepNow", request, response, err);
}

static int relay_note(struct call *call, const ProtobufCMessage *request, ProtobufCMessage *response,
                      struct err *err)
{
    return call_peer(call, PEER_ACTIONS, "/isms.probe.v1.ProbeService/GetNote", request, response, err);
}

static int stream_notes(struct call *call, const ProtobufCMessage *message, struct rpc_stream *stream,
                        struct err *err)
{
    const Isms__Probe__V1__StreamNotesRequest *request = (const Isms__Probe__V1__StreamNotesRequest *)message;
    Isms__Probe__V1__GetNoteRequest get = ISMS__PROBE__V1__GET_NOTE_REQUEST__INIT;
    Isms__Probe__V1__SleepRequest sleep = ISMS__PROBE__V1__SLEEP_REQUEST__INIT;
    get.id = request->id;
    sleep.seconds = request->sleep;
    for (int i = 0; i < request->count; i++) {
        Isms__Probe__V1__Note note = ISMS__PROBE__V1__NOTE__INIT;
        Isms__Probe__V1__SleepResponse slept = ISMS__PROBE__V1__SLEEP_RESPONSE__INIT;
        struct arena_mark mark = arena_mark(call_arena(call));
        if (i > 0 && stream_wait(stream, request->interval_ms * INT64_C(1000), err) < 0)
            return -1;
        if (call_begin_read(call, err) < 0 || call_statement(call, "GetNote", &get.base, &note.base, err) < 0 ||
            (sleep.seconds > 0 && call_statement(call, "SleepNow", &sleep.base, &slept.base, err) < 0))
            return -1;
        call_end(call);
        if (stream_send(stream, &note.base, err) < 0)
            return -1;
        arena_rewind(call_arena(call), &mark);
    }
    return 0;
}

static const struct rpc_stream_handler streams[] = {{"StreamNotes", stream_notes}, {0}};

static const struct rpc_handler handlers[] = {
    {"CopyNote", copy_note}, {"Sleep", sleep_long}, {"RelayNote", relay_note}, {0}};

/* --- the database --------------------------------------------------------------------------------------- */

static char admin_url[1024];
static char service_url[1100];
static struct db_connection *admin;
static struct uuid tenants[ORGANISATIONS];
static char credentials[ORGANISATIONS][API_KEY_TEXT_SIZE];
static struct arena arena;

static void folder_run(const char *folder)
{
    char path[512];
    struct sql_text *texts;
    struct err err = {0};
    snprintf(path, sizeof(path), "%s/services/core/%s", ISMS_SOURCE_DIR, folder);
    if (sql_folder_read(path, &arena, &texts, &err) < 0)
        fail_msg("%s", err.message);
    for (; texts->name; texts++)
        fixture_run(admin, texts->text);
}

static const char SCHEMA[] =
    "create schema probe; grant usage on schema probe to isms_actions;"
    "create table probe.note (tenant_id uuid not null, id uuid not null, title text not null,"
    " revision bigint not null, create_time timestamptz not null, update_time timestamptz not null,"
    " primary key (tenant_id, id));"
    "call core.protect('probe.note'); call core.log_changes('probe.note');"
    "grant select, insert, update on probe.note to isms_actions";

static void organisation_add(unsigned index)
{
    char tenant[UUID_TEXT_SIZE], id[UUID_TEXT_SIZE], hash[SHA256_HEX_SIZE], sql[4096];
    tenants[index] = uuid_v7();
    struct api_key key = api_key_make(tenants[index], uuid_v7());
    struct sha256 stored = api_key_hash(&key);
    uuid_format(key.tenant, tenant);
    uuid_format(key.id, id);
    for (int i = 0; i < SHA256_SIZE; i++)
        snprintf(hash + 2 * i, 3, "%02x", stored.bytes[i]);
    api_key_format(&key, credentials[index]);
    snprintf(sql, sizeof(sql),
             "begin; select set_config('app.tenant_id', '%s', true), set_config('app.actor', '', true),"
             " set_config('app.actor_kind', 'job', true), set_config('app.service', 'test', true),"
             " set_config('app.method', 'test', true), set_config('app.request_id', '', true),"
             " set_config('app.on_behalf_of', '', true), set_config('app.now', now()::text, true),"
             " set_config('app.sequence', '1', true);"
             "insert into core.organisation (tenant_id, name) values ('%s', 'Test');"
             "insert into core.sequence values ('%s', 1);"
             "insert into core.key (tenant_id, id, name, roles, secret_sha256)"
             " values ('%s', '%s', 'test', '{ISMS_MANAGER}', '\\x%s'); commit",
             tenant, tenant, tenant, tenant, id, hash);
    fixture_run(admin, sql);
}

int probe_database_create(void **state)
{
    log_init("test", getenv("ISMS_TEST_LOG") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR + 1, LOG_FORMAT_JSON);
    arena_init(&arena, MEMORY_MAX);
    if (fixture_create(state) != 0)
        return -1;
    if (!getenv("ISMS_TEST_DATABASE_URL"))
        return 0;
    snprintf(admin_url, sizeof(admin_url), "%s", fixture_url(NULL));
    snprintf(service_url, sizeof(service_url), "%s&options=-c%%20role%%3Disms_actions", admin_url);
    admin = fixture_connect(NULL, 0);
    folder_run(".");
    folder_run("migrations");
    fixture_run(admin, SCHEMA);
    for (unsigned i = 0; i < ORGANISATIONS; i++)
        organisation_add(i);
    return 0;
}

int probe_database_destroy(void **state)
{
    db_connection_freep(&admin);
    arena_release(&arena);
    return fixture_destroy(state);
}

void probe_key_set(const char *change)
{
    char sql[1024];
    snprintf(sql, sizeof(sql),
             "begin; select set_config('app.tenant_id', tenant_id::text, true),"
             " set_config('app.actor', '', true),"
             " set_config('app.actor_kind', 'job', true), set_config('app.service', 'test', true),"
             " set_config('app.method', 'test', true), set_config('app.request_id', '', true),"
             " set_config('app.on_behalf_of', '', true), set_config('app.now', now()::text, true),"
             " set_config('app.sequence', (value + 1000000 + extract(epoch from clock_timestamp()) * 1000)"
             "::bigint::text, true)"
             " from core.sequence where tenant_id = (select tenant_id from core.key"
             " order by create_time desc limit 1);"
             "update core.key set %s where tenant_id = core.tenant(); commit", change);
    fixture_run(admin, sql);
}

struct db_connection *probe_admin(void)
{
    return admin;
}

const char *probe_service_url(void)
{
    return service_url;
}

struct uuid probe_tenant(unsigned organisation)
{
    return tenants[organisation];
}

struct arena *probe_arena(void)
{
    return &arena;
}

const char *probe_credential(unsigned organisation)
{
    return credentials[organisation];
}

/* --- the server ----------------------------------------------------------------------------------------- */

static struct descriptors *descriptors;
static struct signing_key *key;
static struct jwks_slot *service_keys;
static struct jwt_verifier *tokens;
static struct authenticator *authenticator;
static struct rpc_methods *methods;
static struct rpc_peers *peers;
static struct rpc_context context;
static struct rpc_server *server;
static struct rpc_client *client;
static char address[64];

#define ASSERT_OK(call) \
    do { \
        if ((call) < 0) \
            fail_msg("%s: %s", #call, err.message); \
    } while (0)

/* A port that is free now: the server calls itself as a peer, so its address must be known before it is
 * made. */
static void address_choose(void)
{
    snprintf(address, sizeof(address), "127.0.0.1:%d", fixture_free_port());
}

static void keys_make(void)
{
    uint8_t public_key[ED25519_PUBLIC_SIZE];
    char text[512];
    struct buf jwks, encoded;
    struct jwks *set;
    struct err err = {0};
    ASSERT_OK(signing_key_generate(&key, &err));
    signing_key_public(key, public_key);
    buf_init_fixed(&jwks, text, sizeof(text));
    buf_init_arena(&encoded, &arena, 100);
    base64url_encode(&encoded, public_key, sizeof(public_key));
    buf_printf(&jwks, "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"actions\",\"x\":\"%s\"}]}",
               encoded.data);
    ASSERT_OK(jwks_parse(jwks.data, jwks.length, &set, &err));
    service_keys = jwks_slot_new(set);
    ASSERT_OK(jwt_verifier_new(NULL, 0, 0, &tokens, &err));
    authenticator = authenticator_new(&(struct authenticator_options){
        .service = "actions", .tokens = tokens, .service_keys = service_keys});
    assert_non_null(authenticator);
}

static void methods_make(void)
{
    static const struct page_secret secret;
    struct err err = {0};
    struct rpc_methods_options options = {.descriptors = descriptors, .service = "actions",
                                          .package = "isms.probe.v1", .sql = files, .handlers = handlers,
                                          .streams = streams,
                                          .secret = &secret};
    ASSERT_OK(rpc_methods_new(&options, &methods, &err));
    unsigned count;
    const struct db_statement *statements = rpc_methods_statements(methods, RPC_EXCLUSIVE, &count);
    CONNECTION connection = fixture_connect_to(service_url, statements, count);
    if (rpc_methods_describe(methods, connection, &err) < 0)
        fail_msg("%s (%s)", err.message, db_connection_problem(connection));
}

void probe_start(const struct probe_options *options)
{
    struct err err = {0};
    ASSERT_OK(descriptors_new(&probe_descriptors_source, &descriptors, &err));
    keys_make();
    methods_make();
    address_choose();
    struct rpc_peers_options peer_options = {
        .service = "actions", .key = key, .addresses[PEER_ACTIONS] = address};
    ASSERT_OK(rpc_peers_new(&peer_options, &peers, &err));
    context = (struct rpc_context){
        .service = "actions", .descriptors = descriptors, .methods = methods, .authenticator = authenticator,
        .peers = peers, .call_memory_max = 4 * 1024 * 1024};
    struct rpc_options server_options = {
        .context = &context, .listen = address, .database_url = service_url, .message_max = PROBE_MESSAGE_MAX,
        .calls_max = options->calls_max, .lane_waiting_max = options->lane_waiting_max,
        .tenant_limits = options->tenant_limits.calls_per_second ? options->tenant_limits
                                                                 : (struct limits){1000000, 1000000, 1000000},
        .workers = {[RPC_READ] = 2,
                    [RPC_WRITE] = options->write_workers ? options->write_workers : 2,
                    [RPC_EXCLUSIVE] = options->exclusive_workers,
                    [RPC_ADMISSION] = options->admission_workers ? options->admission_workers : 2},
        .deadline_max_us = 2 * PROBE_DEADLINE_US,
        .streams_max = options->streams_max ? options->streams_max : 100, .stream_connections = 2,
        .stream_deadline_max_us = INT64_C(3600) * 1000 * 1000,
        .stream_stall_timeout_us =
            options->stream_stall_timeout_us ? options->stream_stall_timeout_us : 30 * 1000 * 1000,
        .keepalive_interval_us = 60 * 1000 * 1000, .keepalive_timeout_us = 20 * 1000 * 1000,
        .connection_age_us = INT64_C(1800) * 1000 * 1000, .connection_age_grace_us = INT64_C(120) * 1000 * 1000,
        .connection_streams_max = 1000, .header_size_max = 16 * 1024, .reflection = true};
    ASSERT_OK(rpc_server_new(&server_options, &server, &err));
    rpc_server_serving(server, true);
    ASSERT_OK(rpc_client_new(&(struct rpc_client_options){.address = address, .message_max = RPC_RESPONSE_MAX},
                             &client, &err));
}

int probe_stop(int64_t grace_us)
{
    if (!server)
        return 0;
    int result = rpc_server_stop(server, grace_us);
    assert_int_equal(result, 0);
    rpc_server_free(server);
    server = NULL;
    rpc_client_freep(&client);
    rpc_peers_freep(&peers);
    rpc_methods_freep(&methods);
    authenticator_freep(&authenticator);
    jwt_verifier_freep(&tokens);
    jwks_slot_freep(&service_keys);
    signing_key_freep(&key);
    descriptors_freep(&descriptors);
    return result;
}

int probe_setup(void **state UNUSED)
{
    if (admin)
        probe_start(
            &(struct probe_options){.exclusive_workers = 2, .lane_waiting_max = 100, .calls_max = 1000});
    return 0;
}

int probe_teardown(void **state UNUSED)
{
    return probe_stop(5 * 1000 * 1000);
}

const struct rpc_context *probe_context(void)
{
    return &context;
}

struct jwt_verifier *probe_tokens(void)
{
    return tokens;
}

const char *probe_address(void)
{
    return address;
}

unsigned probe_workers(void)
{
    unsigned workers = 0;
    (void)rpc_server_connected(server, &workers);
    return workers;
}

/* --- the client ----------------------------------------------------------------------------------------- */

static int client_call(const char *credential, const char *path, struct slice body, int64_t timeout_us,
                       struct arena *memory, struct slice *ret_response, struct err *err)
{
    char authorization[2048];
    snprintf(authorization, sizeof(authorization), "Bearer %s", credential);
    struct rpc_metadata metadata = {.key = "authorization", .value = authorization};
    struct rpc_request request = {
        .method = path, .metadata = &metadata, .metadata_count = credential[0] ? 1 : 0, .body = body,
        .deadline_us = clock_monotonic_us() + timeout_us};
    *err = (struct err){0};
    return rpc_client_call(client, &request, memory, ret_response, err);
}

int probe_call_bytes(const char *credential, const char *path, struct slice body, struct slice *ret_response,
                     struct err *err)
{
    fixture_url(NULL); /* skips without a database */
    return client_call(credential, path, body, PROBE_DEADLINE_US, &arena, ret_response, err);
}

int probe_call_as(const char *credential, const char *method, const ProtobufCMessage *request,
                  const ProtobufCMessageDescriptor *type, int64_t timeout_us, struct arena *memory,
                  void *ret_response, struct err *err)
{
    char path[128];
    struct slice body, answer;
    ProtobufCMessage *message;
    snprintf(path, sizeof(path), "/isms.probe.v1.ProbeService/%s", method);
    if (message_pack(request, memory, &body, err) < 0 ||
        client_call(credential, path, body, timeout_us, memory, &answer, err) < 0 ||
        message_unpack(type, answer.data, answer.length, memory, &message, err) < 0)
        return -1;
    *(ProtobufCMessage **)ret_response = message;
    return 0;
}

int get_note(const char *id, Isms__Probe__V1__Note **ret_note, struct err *err)
{
    Isms__Probe__V1__GetNoteRequest request = ISMS__PROBE__V1__GET_NOTE_REQUEST__INIT;
    fixture_url(NULL);
    request.id = (char *)(uintptr_t)id;
    return probe_call_as(credentials[0], "GetNote", &request.base, &isms__probe__v1__note__descriptor,
                         PROBE_DEADLINE_US, &arena, ret_note, err);
}

int create_note(const char *request_id, const char *title, Isms__Probe__V1__Note **ret_note, struct err *err)
{
    Isms__Probe__V1__CreateNoteRequest request = ISMS__PROBE__V1__CREATE_NOTE_REQUEST__INIT;
    fixture_url(NULL);
    request.request_id = (char *)(uintptr_t)request_id;
    request.title = (char *)(uintptr_t)title;
    return probe_call_as(credentials[0], "CreateNote", &request.base, &isms__probe__v1__note__descriptor,
                         PROBE_DEADLINE_US, &arena, ret_note, err);
}

Isms__Probe__V1__Note *note_made(const char *title)
{
    Isms__Probe__V1__Note *note = NULL;
    struct err err = {0};
    if (create_note("", title, &note, &err) < 0)
        fail_msg("%s: %s", err_reason_name(err.reason), err.message);
    return note;
}

const char *new_id(void)
{
    char text[UUID_TEXT_SIZE];
    uuid_format(uuid_v7(), text);
    return arena_strdup(&arena, text);
}
