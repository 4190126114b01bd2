/* pressure.h: what keeps peers from making this process use any amount of memory.
 *
 * gRPC core 1.51 has no bound on two things that a peer can send before any code of ours sees a call: calls that are
 * reset at once (CVE-2023-44487), which wait to be told apart, and a header block that never ends. Both cost memory in
 * proportion to the bytes sent. So where the process holds more than its setting memory_max, the connections that have
 * sent most in the last moment are ended, in place of the kernel ending the process and every call in it. Whoever sends
 * little is left alone; a caller that was ended tries again, as after any lost connection. That holds endless headers;
 * of resets, as many as arrive between two looks come on top (docs/security.md). */
#ifndef ISMS_APP_PRESSURE_H
#define ISMS_APP_PRESSURE_H

#include <stddef.h>
#include <stdint.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>

struct pressure;

/* Watches the connections that were accepted on `port`. */
int pressure_start(uint16_t port, size_t memory_max, struct pressure **ret_pressure, struct err *err) MUST_CHECK;

void pressure_free(struct pressure *pressure); /* accepts NULL */

#endif
