/* probe.h: a server of isms.probe.v1 over a real database, and a client of it, in one process. */
#ifndef ISMS_TEST_RPC_PROBE_H
#define ISMS_TEST_RPC_PROBE_H

#include <fixture.h>

#include <isms/auth/api_key.h>
#include <isms/probe/v1/probe.pb-c.h>
#include <isms/rpc/client.h>
#include <isms/rpc/server.h>

enum { PROBE_MESSAGE_MAX = 64 * 1024, PROBE_DEADLINE_US = 60 * 1000 * 1000 };

/* What a test may change before probe_start(). */
struct probe_options {
    unsigned exclusive_workers;
    unsigned lane_waiting_max;
    unsigned calls_max;
    unsigned write_workers;      /* 0: 2 */
    unsigned admission_workers;  /* 0: 2 */
    struct limits tenant_limits; /* zeros: none that matter */
    unsigned streams_max;            /* 0: 100 */
    int64_t stream_stall_timeout_us; /* 0: 30 s */
};

/* Group setup and teardown: the database with core's migrations, two organisations, a key each. */
int probe_database_create(void **state);
int probe_database_destroy(void **state);

/* Each test's setup and teardown: a server with default options. */
int probe_setup(void **state);
int probe_teardown(void **state);

void probe_start(const struct probe_options *options);
int probe_stop(int64_t grace_us); /* rpc_server_stop() and everything freed */

struct db_connection *probe_admin(void); /* as superuser */
const struct rpc_context *probe_context(void);
const char *probe_service_url(void); /* as the service's role */
struct uuid probe_tenant(unsigned organisation);
struct arena *probe_arena(void);
const char *probe_address(void);
struct jwt_verifier *probe_tokens(void); /* knows no issuer, unless the test gives it one */
unsigned probe_workers(void); /* each has a database connection, or is about to */

/* Changes the key of organisation 1: "state = 'REVOKED'". */
void probe_key_set(const char *change);

/* The key of organisation 0 or 1, as it goes into metadata; "" would be none. */
const char *probe_credential(unsigned organisation);

/* One call. 0 and *ret_response, or -1 and *err. Any thread that brings its own arena. */
int probe_call_as(const char *credential, const char *method, const ProtobufCMessage *request,
                  const ProtobufCMessageDescriptor *type, int64_t timeout_us, struct arena *arena,
                  void *ret_response, struct err *err);
int probe_call_bytes(const char *credential, const char *path, struct slice body, struct slice *ret_response,
                     struct err *err);

/* The same as organisation 0 on the test's thread, by short names. */
int get_note(const char *id, Isms__Probe__V1__Note **ret_note, struct err *err);
int create_note(const char *request_id, const char *title, Isms__Probe__V1__Note **ret_note, struct err *err);
Isms__Probe__V1__Note *note_made(const char *title); /* asserts that it was */

const char *new_id(void); /* a UUID as text, in the test's arena */

#endif
