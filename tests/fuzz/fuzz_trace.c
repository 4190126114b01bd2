/* fuzz_trace.c: a traceparent that is read is written as what it says, and nothing breaks a call. */
#include <string.h>

#include <isms/obs/trace.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t nothing[sizeof(((struct trace *)0)->trace_id)];
    struct slice text = {.data = (const char *)data, .length = size};
    struct trace trace, same;
    char written[TRACE_PARENT_SIZE];
    bool valid = trace_parse(text, &trace);
    if (valid) {
        trace_format(&trace, written);
        BUG_IF(!trace_parse(slice_of(written), &same));
        BUG_IF(memcmp(trace.trace_id, same.trace_id, sizeof(trace.trace_id)) != 0 ||
               memcmp(trace.span_id, same.span_id, sizeof(trace.span_id)) != 0 || trace.sampled != same.sampled);
        BUG_IF(size < strlen(written) || memcmp(data + 3, written + 3, 32 + 1 + 16) != 0);
    }
    struct trace joined = trace_continue(text);
    BUG_IF(memcmp(joined.trace_id, nothing, sizeof(nothing)) == 0);
    BUG_IF(valid && (memcmp(joined.trace_id, trace.trace_id, sizeof(trace.trace_id)) != 0 ||
                     memcmp(joined.parent_id, trace.span_id, sizeof(trace.span_id)) != 0));
    return 0;
}
