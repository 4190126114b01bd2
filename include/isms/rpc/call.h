/* call.h: one call, as a C handler or a job sees it.
 *
 * A handler is straight-line code: it runs in the exclusive lane (or in a job's thread), one at a time per
 * thread, and may block in the functions below. Everything that it allocates from call_arena() lives until the
 * call is answered. Only the thread that runs the handler may touch the call.
 *
 * Transactions. At most one is open at a time. Reading ones end with call_end(); one that writes is ended by
 * the runtime: when the handler returns 0, core.end_write() stores the packed response under the request_id and
 * the transaction commits; when it returns -1, it is rolled back. A transaction that a handler leaves open is
 * never left behind: the runtime ends it.
 *
 * Repeats. A handler may be run a second time for the same call (the credential went stale, or the commit's
 * outcome was lost and the request_id can settle it), with the same call_new_id()s. What it does at peers must
 * therefore be repeatable, which it is where ids and request_ids are derived from the call's.
 *
 * Failure. Every function fills `err` and returns -1; a handler passes that on. After a failed statement the
 * transaction can only be given up. */
#ifndef ISMS_RPC_CALL_H
#define ISMS_RPC_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/base/uuid.h>

enum { CALL_NEW_IDS_MAX = 4095 };

struct call;
struct principal;

/* The services that a call may go on to; the order is that of peer_name(). */
enum peer { PEER_INPUTS, PEER_REVIEWS, PEER_ACTIONS, PEER_REPORTING, PEER_COUNT };

const char *peer_name(enum peer peer); /* "inputs", ... */

/* A method's logic. `response` comes initialised, memory of what hangs below it from call_arena(). */
typedef int rpc_run(struct call *call, const ProtobufCMessage *request, ProtobufCMessage *response,
                    struct err *err);

/* Who calls, for which tenant; never NULL while a handler runs. */
const struct principal *call_principal(const struct call *call);
struct arena *call_arena(struct call *call);
void *call_service_data(const struct call *call);

/* The call's time: the same in every statement and in every repeat. Unix microseconds. */
int64_t call_now_us(const struct call *call);

/* The caller has gone, or the deadline has passed: work for nobody may stop. */
bool call_is_over(const struct call *call);

/* A UUIDv7, the same one for the same `n` (1 to CALL_NEW_IDS_MAX) however often the call is repeated. SQL's
 * :new_id.n are these. */
struct uuid call_new_id(const struct call *call, unsigned n);

/* Adds "key":"value" to the call's log line; the first four are kept. Never content or secrets. */
void call_log(struct call *call, const char *key, const char *format, ...) PRINTF_LIKE(3, 4);

/* Opens a transaction as the caller, with what is left of the deadline as statement_timeout. */
int call_begin_read(struct call *call, struct err *err) MUST_CHECK;     /* read committed, read only */
int call_begin_snapshot(struct call *call, struct err *err) MUST_CHECK; /* repeatable read, read only */

/* The same for writing: takes the tenant's sequence and claims the request_id. Take it late and hold it
 * briefly: the tenant's other writers wait. -1 as well when the request was already done; the runtime then
 * answers what it was answered the first time, whatever the handler returns. */
int call_begin_write(struct call *call, struct err *err) MUST_CHECK;

/* For jobs: a transaction that writes without taking the sequence, for what is about the change log and not
 * in it. It ends by call_commit(), or with the job. */
int call_begin_append(struct call *call, struct err *err) MUST_CHECK;

/* Ends a reading transaction; nothing when none is open. */
void call_end(struct call *call);

/* Ends the writing transaction by core.end_write() (not an appending one's) and commit, before the handler
 * returns: for what may only come after it, such as a call to a peer or a secret that is shown once.
 * `response` (NULL in jobs) is kept as the answer to a repeated request; what is put into it later is not.
 * Nothing when no writing transaction is open. */
int call_commit(struct call *call, const ProtobufCMessage *response, struct err *err) MUST_CHECK;

/* Runs the service's SQL file of that name in the open transaction. `request` and `response` must be of the
 * types that the file was compiled for; what the response refers to is in call_arena(). */
int call_statement(struct call *call, const char *name, const ProtobufCMessage *request,
                   ProtobufCMessage *response, struct err *err) MUST_CHECK;

/* The service's jobs look at once whether there is something to do, where this replica runs them; another one looks
 * within their interval. After call_commit(), or there is nothing to be seen yet. */
void call_wake_jobs(const struct call *call);

/* Calls another service on the caller's behalf, within the deadline. `method` is "/package.Service/Method".
 * A refusal by the peer comes back as the peer gave it; PEER_UNAVAILABLE (fact service=) where it cannot be
 * reached. Not while a writing transaction is open: that would hold the tenant up for a network's time. */
int call_peer(struct call *call, enum peer peer, const char *method, const ProtobufCMessage *request,
              ProtobufCMessage *response, struct err *err) MUST_CHECK;

#endif
