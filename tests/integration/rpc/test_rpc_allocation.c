/* No memory, at each point of a call's path in turn: the first allocation of the call fails, in the next call the
 * second, until a call needs none that fails. Whoever calls is told by a right status, what was to be written is there
 * once or not at all, and the next call is served. Then the same with every allocation failing from that point on, and
 * with arenas that are too small by a little more each time. (Leaks are for the sanitizer's build to find.) */
#include "allocation.h"
#include "probe.h"

#include <stdio.h>
#include <string.h>

#include <isms/auth/jwt.h>
#include <isms/base/buf.h>
#include <isms/base/clock.h>
#include <isms/base/crypto.h>

#define NOTE_TYPE (&isms__probe__v1__note__descriptor)
#define COPY_TYPE (&isms__probe__v1__copy_note_response__descriptor)
#define ISSUER "https://issuer.example"

enum { POINTS_MAX = 2000, TRIES_MAX = 100 };

/* What is called: answers as an rpc does. */
typedef int call_try(struct err *err);

static const char *note_id;
static const char *request_id;

static bool is_right(enum err_reason reason)
{
    static const enum err_reason reasons[] = {ERR_OVERLOADED, ERR_MESSAGE_TOO_LARGE, ERR_DATABASE_UNAVAILABLE,
                                              ERR_OUTCOME_UNKNOWN, ERR_PEER_UNAVAILABLE, ERR_CONFLICT,
                                              ERR_TOO_MANY_IN_FLIGHT, ERR_ISSUER_UNAVAILABLE};
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
        if (reason == reasons[i])
            return true;
    return false;
}

static void assert_right(const char *what, long point, const struct err *err)
{
    if (!is_right(err->reason))
        fail_msg("%s, allocation %ld: %s: %s", what, point, err_reason_name(err->reason), err->message);
}

/* Until memory is there again and connections are, too. */
static void served_again(const char *what, long point, call_try *try, enum err_reason passes)
{
    struct err err = {0};
    for (int i = 0; i < TRIES_MAX; i++) {
        if (try(&err) == 0 || err.reason == passes)
            return;
        assert_right(what, point, &err);
        fixture_int(probe_admin(), "select 1 from pg_sleep(0.02)");
    }
    fail_msg("%s is not served after allocation %ld failed: %s", what, point, err_reason_name(err.reason));
}

/* `passes`: what an undisturbed call says, ERR_OK or the refusal that it is about. */
static int fail_at_each(const char *what, call_try *try, enum err_reason passes, bool and_after)
{
    long point = 0;
    int refused = 0;
    bool failed = true;
    served_again(what, 0, try, passes); /* all connections up, all that is made once is made */
    while (failed && point < POINTS_MAX) {
        struct err err = {0};
        allocation_fail(++point, and_after);
        int result = try(&err);
        failed = allocation_pass() >= point;
        if (result < 0 && err.reason != passes) {
            refused++;
            assert_right(what, point, &err);
        }
        served_again(what, point, try, passes);
    }
    assert_true(point < POINTS_MAX);
    assert_true(point > 1); /* it was the call's path that failed */
    print_message("%s: %ld allocations, %d refusals\n", what, point - 1, refused);
    return refused;
}

static void both_ways(const char *what, call_try *try, enum err_reason passes)
{
    fixture_url(NULL);
    allocation_spare_thread();
    int refused = fail_at_each(what, try, passes, false);
    assert_true(refused + fail_at_each(what, try, passes, true) > 0);
}

/* --- the calls ------------------------------------------------------------------------------------------------ */

static int call_as(const char *credential, const char *method, const ProtobufCMessage *request,
                   const ProtobufCMessageDescriptor *type, struct err *err)
{
    void *response;
    struct arena arena CLEANUP(arena_release);
    arena_init(&arena, 1024 * 1024);
    return probe_call_as(credential, method, request, type, PROBE_DEADLINE_US, &arena, &response, err);
}

static int read_try(struct err *err)
{
    Isms__Probe__V1__GetNoteRequest request = ISMS__PROBE__V1__GET_NOTE_REQUEST__INIT;
    request.id = (char *)(uintptr_t)note_id;
    return call_as(probe_credential(0), "GetNote", &request.base, NOTE_TYPE, err);
}

static void a_read_survives(void **state UNUSED)
{
    note_id = note_made("read")->id;
    both_ways("a read", read_try, ERR_OK);
}

static int relay_try(struct err *err)
{
    Isms__Probe__V1__GetNoteRequest request = ISMS__PROBE__V1__GET_NOTE_REQUEST__INIT;
    request.id = (char *)(uintptr_t)note_id;
    return call_as(probe_credential(0), "RelayNote", &request.base, NOTE_TYPE, err);
}

static void a_call_to_a_peer_survives(void **state UNUSED)
{
    note_id = note_made("relayed")->id;
    both_ways("a relayed read", relay_try, ERR_OK);
}

/* A change is repeated under its request_id, whatever it was answered, and must have happened once. */
static int write_try(struct err *err)
{
    Isms__Probe__V1__CreateNoteRequest request = ISMS__PROBE__V1__CREATE_NOTE_REQUEST__INIT;
    request.request_id = (char *)(uintptr_t)request_id;
    request.title = (char *)(uintptr_t)"written";
    return call_as(probe_credential(0), "CreateNote", &request.base, NOTE_TYPE, err);
}

static int copy_try(struct err *err)
{
    Isms__Probe__V1__CopyNoteRequest request = ISMS__PROBE__V1__COPY_NOTE_REQUEST__INIT;
    request.request_id = (char *)(uintptr_t)request_id;
    request.id = (char *)(uintptr_t)note_id;
    return call_as(probe_credential(0), "CopyNote", &request.base, COPY_TYPE, err);
}

/* The same request each time, but not the one of write_try(). */
static int copy_try_anew(struct err *err)
{
    static const char *own;
    if (!own)
        own = new_id();
    request_id = own;
    return copy_try(err);
}

static const char *COUNT_NOTES = "select count(*) from probe.note";
static const char *COUNT_CHANGES = "select count(*) from core.change where table_name = 'probe.note'";

static void change_at_each(const char *what, call_try *try, bool and_after)
{
    bool failed = true;
    long point = 0;
    request_id = new_id();
    served_again(what, 0, try, ERR_OK);
    while (failed && point < POINTS_MAX) {
        struct err err = {0};
        int64_t notes = fixture_int(probe_admin(), COUNT_NOTES);
        request_id = new_id();
        allocation_fail(++point, and_after);
        int result = try(&err);
        failed = allocation_pass() >= point;
        if (result < 0)
            assert_right(what, point, &err);
        if (result < 0 && err.reason != ERR_OUTCOME_UNKNOWN && err.reason != ERR_OVERLOADED &&
            err.reason != ERR_MESSAGE_TOO_LARGE)
            assert_int_equal(fixture_int(probe_admin(), COUNT_NOTES), notes);
        served_again(what, point, try, ERR_OK);
        assert_int_equal(fixture_int(probe_admin(), COUNT_NOTES), notes + 1);
        assert_int_equal(fixture_int(probe_admin(), COUNT_CHANGES), notes + 1);
    }
    assert_true(point > 2 && point < POINTS_MAX);
    print_message("%s: %ld allocations\n", what, point - 1);
}

static void a_write_happens_once(void **state UNUSED)
{
    fixture_url(NULL);
    allocation_spare_thread();
    change_at_each("a write", write_try, false);
    change_at_each("a write", write_try, true);
}

static void a_handlers_write_happens_once(void **state UNUSED)
{
    note_id = note_made("copied")->id;
    allocation_spare_thread();
    change_at_each("a handler", copy_try, false);
    change_at_each("a handler", copy_try, true);
}

static int nonsense_try(struct err *err)
{
    Isms__Probe__V1__GetNoteRequest request = ISMS__PROBE__V1__GET_NOTE_REQUEST__INIT;
    request.id = (char *)(uintptr_t)new_id();
    return call_as("nonsense", "GetNote", &request.base, NOTE_TYPE, err);
}

static void a_refusal_survives(void **state UNUSED)
{
    both_ways("a refused credential", nonsense_try, ERR_CREDENTIAL_INVALID);
}

/* --- an arena that ends ------------------------------------------------------------------------------------------- */

/* The maximum is the context's, which is the test's to change while no call is open. The poller reads it when the next
 * call has come, over a socket, through which ThreadSanitizer sees no order. */
__attribute__((no_sanitize_thread, noinline)) static void call_memory_max_set(size_t size)
{
    ((struct rpc_context *)(uintptr_t)probe_context())->call_memory_max = size;
}

static void arenas_end_at_each(const char *what, call_try *try)
{
    size_t full = probe_context()->call_memory_max;
    int refused = 0;
    served_again(what, 0, try, ERR_OK);
    for (size_t size = 0; size < 16 * 1024; size += 64) {
        struct err err = {0};
        call_memory_max_set(size);
        if (try(&err) < 0) {
            refused++;
            assert_right(what, (long)size, &err);
        }
    }
    assert_true(refused > 0);
    call_memory_max_set(full);
    served_again(what, 0, try, ERR_OK);
}

static void too_small_an_arena_is_told(void **state UNUSED)
{
    note_id = note_made("small")->id;
    arenas_end_at_each("a read", read_try);
    int64_t notes = fixture_int(probe_admin(), COUNT_NOTES);
    request_id = new_id(); /* the same for all of them */
    arenas_end_at_each("a write", write_try);
    arenas_end_at_each("a handler", copy_try_anew);
    assert_int_equal(fixture_int(probe_admin(), COUNT_NOTES), notes + 2);
}

/* --- access tokens ---------------------------------------------------------------------------------------------- */

static struct signing_key *issuer_key;

/* A token that was never seen before, of somebody who is no member: all that can be checked is checked. */
static const char *token_make(void)
{
    static const char header[] = "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"1\"}";
    static char text[2048];
    char tenant[UUID_TEXT_SIZE], id[UUID_TEXT_SIZE], claims[512];
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    struct err err = {0};
    struct buf token;
    long long now_s = clock_now_us() / 1000000;
    uuid_format(probe_tenant(0), tenant);
    uuid_format(uuid_v7(), id);
    int length = snprintf(claims, sizeof(claims),
                          "{\"iss\":\"" ISSUER "\",\"aud\":\"isms\",\"sub\":\"stranger\",\"tenant_id\":\"%s\","
                          "\"jti\":\"%s\",\"iat\":%lld,\"exp\":%lld}", tenant, id, now_s, now_s + 600);
    buf_init_fixed(&token, text, sizeof(text));
    base64url_encode(&token, header, sizeof(header) - 1);
    buf_char(&token, '.');
    base64url_encode(&token, claims, (size_t)length);
    assert_int_equal(ed25519_sign(issuer_key, token.data, token.length, signature, &err), 0);
    buf_char(&token, '.');
    base64url_encode(&token, signature, sizeof(signature));
    return text;
}

static int token_try(struct err *err)
{
    Isms__Probe__V1__GetNoteRequest request = ISMS__PROBE__V1__GET_NOTE_REQUEST__INIT;
    request.id = (char *)(uintptr_t)new_id();
    return call_as(token_make(), "GetNote", &request.base, NOTE_TYPE, err);
}

static void a_token_survives(void **state UNUSED)
{
    uint8_t public_key[ED25519_PUBLIC_SIZE];
    char x[64], text[512];
    struct buf encoded;
    struct jwks *set;
    struct err err = {0};
    fixture_url(NULL);
    assert_int_equal(signing_key_generate(&issuer_key, &err), 0);
    signing_key_public(issuer_key, public_key);
    buf_init_fixed(&encoded, x, sizeof(x));
    base64url_encode(&encoded, public_key, sizeof(public_key));
    int length = snprintf(text, sizeof(text),
                          "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"1\",\"x\":\"%s\"}]}", x);
    assert_int_equal(jwks_parse(text, (size_t)length, &set, &err), 0);
    struct jwks_slot *slot = jwks_slot_new(set);
    struct jwt_issuer issuer = {.issuer = ISSUER, .audience = "isms", .algorithms = JWT_EDDSA,
                                .tenant_claim = "tenant_id", .keys = slot};
    assert_int_equal(jwt_verifier_replace(probe_tokens(), &issuer, 1, &err), 0);
    both_ways("an access token", token_try, ERR_PERMISSION_DENIED);
    assert_int_equal(jwt_verifier_replace(probe_tokens(), NULL, 0, &err), 0);
    jwks_slot_free(slot);
    signing_key_freep(&issuer_key);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, probe_setup, probe_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_read_survives),
        TEST(a_call_to_a_peer_survives),
        TEST(a_write_happens_once),
        TEST(a_handlers_write_happens_once),
        TEST(a_refusal_survives),
        TEST(too_small_an_arena_is_told),
        TEST(a_token_survives),
    };
    return cmocka_run_group_tests(tests, probe_database_create, probe_database_destroy);
}
