/* trace.h: W3C trace context, level 1 (https://www.w3.org/TR/trace-context/).
 *
 * A call that comes with a valid traceparent joins that trace, any other begins one of its own: a peer's
 * broken header never fails a call. Plain data, any thread. */
#ifndef ISMS_OBS_TRACE_H
#define ISMS_OBS_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include <isms/base/slice.h>

enum { TRACE_PARENT_SIZE = 56, TRACE_ID_TEXT_SIZE = 33, SPAN_ID_TEXT_SIZE = 17 };

struct trace {
    uint8_t trace_id[16];
    uint8_t span_id[8];
    uint8_t parent_id[8]; /* the span that caused this one; zero: none, the trace begins here */
    bool sampled;
};

/* A trace that begins here. Sampled: its ids are in our log. */
struct trace trace_new(void);

/* A new span below `parent`, for a call that it makes. */
struct trace trace_child(const struct trace *parent);

/* The span of a call that came with this traceparent: below it, or a new trace when it is not valid. */
struct trace trace_continue(struct slice traceparent);

/* Reads a traceparent as its sender's span. Later versions are read as far as this one goes. */
bool trace_parse(struct slice traceparent, struct trace *ret_trace);

/* "00-<trace id>-<span id>-01", the traceparent to send with a call that `trace` makes. */
void trace_format(const struct trace *trace, char text[static TRACE_PARENT_SIZE]);

void trace_id_format(const struct trace *trace, char text[static TRACE_ID_TEXT_SIZE]);
void span_id_format(const struct trace *trace, char text[static SPAN_ID_TEXT_SIZE]);

#endif
