/* trace.c: the traceparent header, field by field as the recommendation's section 3.2 defines it. */
#include <isms/obs/trace.h>

#include <stdio.h>
#include <string.h>

#include <isms/base/crypto.h>

enum { LENGTH = TRACE_PARENT_SIZE - 1, SAMPLED = 1 };

static bool is_zero(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i])
            return false;
    return true;
}

/* Random, but not all zero, which would mean "none". */
static void id_make(uint8_t *bytes, size_t count)
{
    do
        random_bytes(bytes, count);
    while (is_zero(bytes, count));
}

struct trace trace_new(void)
{
    struct trace trace = {.sampled = true};
    id_make(trace.trace_id, sizeof(trace.trace_id));
    id_make(trace.span_id, sizeof(trace.span_id));
    return trace;
}

struct trace trace_child(const struct trace *parent)
{
    struct trace trace = *parent;
    memcpy(trace.parent_id, parent->span_id, sizeof(trace.parent_id));
    id_make(trace.span_id, sizeof(trace.span_id));
    return trace;
}

struct trace trace_continue(struct slice traceparent)
{
    struct trace sender;
    return trace_parse(traceparent, &sender) ? trace_child(&sender) : trace_new();
}

/* hex_decode() for the lower-case digits that alone are allowed here. */
static bool hex_parse(const char *text, uint8_t *ret_bytes, size_t count)
{
    for (size_t i = 0; i < 2 * count; i++)
        if (text[i] >= 'A' && text[i] <= 'F')
            return false;
    return hex_decode(text, 2 * count, ret_bytes);
}

bool trace_parse(struct slice traceparent, struct trace *ret_trace)
{
    const char *text = traceparent.data;
    struct trace trace = {0};
    uint8_t version, flags;
    if (traceparent.length < LENGTH || text[2] != '-' || text[35] != '-' || text[52] != '-')
        return false;
    if (!hex_parse(text, &version, 1) || !hex_parse(text + 3, trace.trace_id, sizeof(trace.trace_id)) ||
        !hex_parse(text + 36, trace.span_id, sizeof(trace.span_id)) || !hex_parse(text + 53, &flags, 1))
        return false;
    /* Later versions may append fields, version 0 may not, and there is no version 255. */
    if (version == 255 || (traceparent.length > LENGTH && (version == 0 || text[LENGTH] != '-')))
        return false;
    if (is_zero(trace.trace_id, sizeof(trace.trace_id)) || is_zero(trace.span_id, sizeof(trace.span_id)))
        return false;
    trace.sampled = flags & SAMPLED;
    *ret_trace = trace;
    return true;
}

void trace_format(const struct trace *trace, char text[static TRACE_PARENT_SIZE])
{
    char trace_id[TRACE_ID_TEXT_SIZE];
    char span_id[SPAN_ID_TEXT_SIZE];
    trace_id_format(trace, trace_id);
    span_id_format(trace, span_id);
    snprintf(text, TRACE_PARENT_SIZE, "00-%s-%s-%s", trace_id, span_id, trace->sampled ? "01" : "00");
}

void trace_id_format(const struct trace *trace, char text[static TRACE_ID_TEXT_SIZE])
{
    hex_encode(trace->trace_id, sizeof(trace->trace_id), text);
}

void span_id_format(const struct trace *trace, char text[static SPAN_ID_TEXT_SIZE])
{
    hex_encode(trace->span_id, sizeof(trace->span_id), text);
}
