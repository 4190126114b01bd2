/* stream.h: an rpc that answers with many messages, as its C handler sees it.
 *
 * A method whose response is a `stream` in the proto file is implemented by an rpc_stream_run in the service's
 * table of streams (struct app_service), `{"ExportOrganisation", organisation_export}`. It runs on a thread of its own,
 * is straight-line code, and may block in the functions below; their number is bounded by the setting streams_max,
 * and one more is refused with OVERLOADED. What call.h says of handlers holds, with these differences:
 *
 * - The database. A stream has no connection of its own: call_begin_read() waits for one of the few that all
 *   streams share, call_end() gives it back. So open transactions late, end them before stream_send() and
 *   stream_wait(), which refuse to run inside one, and hold none for the whole of an export: page through it by
 *   key. Each call_begin_read() checks anew that the caller still is who it was and may still do this (a revoked
 *   key, a suspended member, an expired token end the stream), and call_now_us() moves on to the present. A stream
 *   may write as well, call_begin_write() to call_commit(call, NULL, err); its method has no request_id.
 * - Memory. What comes from call_arena() would pile up over an hour. Bracket each round by arena_mark() and
 *   arena_rewind() of base/arena.h; results of call_statement() in between go with it. Call call_log() outside.
 * - No repeats. The handler runs once; what has been sent cannot be taken back.
 * - Time. The deadline is the caller's, at most the method's deadline_ms, at most the setting stream_deadline_max.
 *
 * Returning 0 ends the stream with OK, -1 with the status of *err. A stream function that fails has filled *err with
 * what ended it (CANCELLED, DEADLINE_EXCEEDED, READER_TOO_SLOW, SHUTTING_DOWN): pass it on. */
#ifndef ISMS_RPC_STREAM_H
#define ISMS_RPC_STREAM_H

#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/rpc/call.h>

struct rpc_stream;

/* The logic of a streaming method. Only the thread that runs it may use the call and the stream. */
typedef int rpc_stream_run(struct call *call, const ProtobufCMessage *request, struct rpc_stream *stream,
                           struct err *err);

/* Sends one message, of at most RPC_RESPONSE_MAX bytes (server.h), and waits until gRPC has put it on the wire, which
 * is the flow control: a caller that does not read holds up its own stream, with one message in memory, and is cut off
 * after stream_stall_timeout. The message may be reused at once afterwards. At a shutdown it goes on until the time to
 * drain is over: what has an end may come to it. */
int stream_send(struct rpc_stream *stream, const ProtobufCMessage *message, struct err *err) MUST_CHECK;

/* Sleeps. -1 as soon as the caller goes, the deadline passes or the server begins to shut down: what waits for
 * news has nothing to finish, and its caller does better at another replica. */
int stream_wait(struct rpc_stream *stream, int64_t duration_us, struct err *err) MUST_CHECK;

#endif
