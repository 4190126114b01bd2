/* observe.c: one log line and three metrics a call, made when its answer is sent.
 *
 * Never what the call was about: method, tenant, outcome, time, ids. */
#include "internal.h"

#include <isms/base/bug.h>
#include <isms/base/clock.h>

enum { FIELDS_MAX = 16 + LOG_FACTS_MAX, CODE_COUNT = 17 };

const char *grpc_code_name(int code)
{
    static const char *const names[CODE_COUNT] = {
        "OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists",
        "PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented",
        "Internal", "Unavailable", "DataLoss", "Unauthenticated"};
    BUG_IF(code < 0 || code >= CODE_COUNT);
    return names[code];
}

static void call_count(const struct call *call, const char *code, int64_t duration_us)
{
    if (!call->served) {
        metric_add(METRIC_SERIES(grpc_server_handled_total, "unknown", "unknown", code), 1);
        return;
    }
    const struct method *method = call->served->method;
    metric_add(METRIC_SERIES(grpc_server_handled_total, method->service, method->name, code), 1);
    metric_observe(call->served->duration, duration_us);
}

/* Refused because there are too many: a line for each would only add to it. isms_admission_total counts them. */
static bool is_flood(const struct err *err)
{
    return err && (err->reason == ERR_RATE_LIMITED || err->reason == ERR_TOO_MANY_IN_FLIGHT ||
                   err->reason == ERR_OVERLOADED);
}

/* Gone before its request was there. */
static bool is_reset(const struct call *call, const struct err *err)
{
    return err && !call->body && (err->reason == ERR_CANCELLED || err->reason == ERR_MESSAGE_MALFORMED);
}

void call_observe(const struct call *call, int status, const struct err *err)
{
    const char *code = grpc_code_name(status);
    int64_t duration_us = clock_monotonic_us() - call->arrived_us;
    call_count(call, code, duration_us);
    bool built_in = call->served && !call->served->rpc;
    enum log_level level = built_in || is_flood(err) || is_reset(call, err) ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
    if (!log_enabled(level))
        return;

    struct log_field fields[FIELDS_MAX];
    size_t count = 0;
    char trace_id[TRACE_ID_TEXT_SIZE];
    char tenant[UUID_TEXT_SIZE];
    char actor[UUID_TEXT_SIZE];
    trace_id_format(&call->trace, trace_id);
    fields[count++] = LOG_STR("method", call->served ? call->served->method->path : "unknown");
    fields[count++] = LOG_STR("code", code);
    if (err)
        fields[count++] = LOG_STR("reason", err_reason_name(err->reason));
    fields[count++] = LOG_INT("duration_us", duration_us);
    fields[count++] = LOG_STR("trace_id", trace_id);
    if (call->principal) {
        uuid_format(call->principal->tenant, tenant);
        uuid_format(call->principal->id, actor);
        fields[count++] = LOG_STR("tenant", tenant);
        fields[count++] = LOG_STR("principal", principal_kind_name(call->principal->kind));
        fields[count++] = LOG_STR("actor", actor);
        if (call->principal->service[0])
            fields[count++] = LOG_STR("on_behalf_by", call->principal->service);
    }
    if (call->request_id[0])
        fields[count++] = LOG_STR("request_id", call->request_id);
    if (call->replayed)
        fields[count++] = LOG_BOOL("replayed", true);
    if (atomic_load(&call->cancelled))
        fields[count++] = LOG_BOOL("caller_gone", true);
    for (unsigned i = 0; i < call->fact_count; i++)
        fields[count++] = LOG_STR(call->facts[i].key, call->facts[i].value);
    log_write(level, "call", fields, count);
}
