/* pressure.h: what keeps peers from making this process use any amount of memory, or of its poller's time.
 *
 * gRPC core 1.51 has no bound on two things that a peer can send before any code of ours sees a call: calls that are
 * reset at once (CVE-2023-44487), and a header block that never ends. It reads on for as long as there is something to
 * read: meanwhile the poller, which does the reading, takes no event, nobody else is served, and what was read piles
 * up. So where the poller works and takes no events, or the process holds more than its setting memory_max, the
 * connections that have sent most in the last moment are ended. Whoever sends little is left alone; a caller that was
 * ended tries again, as after any lost connection. A peer that resets calls slowly enough for events to be taken is
 * found by counting (rpc/resets.h). */
#ifndef ISMS_APP_PRESSURE_H
#define ISMS_APP_PRESSURE_H

#include <stddef.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/rpc/server.h>

struct pressure;

/* Watches the server, which has to outlive it. */
int pressure_start(struct rpc_server *server, size_t memory_max, struct pressure **ret_pressure,
                   struct err *err) MUST_CHECK;

void pressure_free(struct pressure *pressure); /* accepts NULL */

#endif
