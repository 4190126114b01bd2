/* status.c: google.rpc.Status out of a struct err, and back.
 *
 * A struct err is bounded, and so is its encoding: the largest one fits STATUS_DETAILS_MAX whole (the unit
 * test fills every field), so nothing has to be cut here. Decoding takes what a peer sent: memory comes from
 * an arena with a maximum, texts are checked, and what is not understood counts for nothing. */
#include <isms/rpc/status.h>

#include <stdint.h>
#include <string.h>

#include <isms/base/arena.h>
#include <isms/base/bug.h>
#include <isms/base/utf8.h>
#include <isms/proto/message.h>

#include "google_rpc.pb-c.h"

enum { DETAILS_MAX = 5, DECODE_MEMORY_MAX = 256 * 1024, CODE_FAILED_PRECONDITION = 9 };

#define TYPE_PREFIX "type.googleapis.com/google.rpc."

/* The details under construction; the packed values lie one behind the other in `storage`. */
struct details {
    Google__Rpc__Any items[DETAILS_MAX];
    Google__Rpc__Any *pointers[DETAILS_MAX];
    size_t count;
    uint8_t storage[STATUS_DETAILS_MAX];
    size_t used;
};

/* protobuf-c's structs hold what they only read as plain char pointers. */
static char *unconst(const char *text)
{
    return (char *)(uintptr_t)text;
}

static void details_add(struct details *details, const ProtobufCMessage *message, const char *type_url)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    BUG_IF(details->count == DETAILS_MAX || size > sizeof(details->storage) - details->used);
    uint8_t *value = details->storage + details->used;
    details->used += protobuf_c_message_pack(message, value);
    Google__Rpc__Any *any = &details->items[details->count];
    google__rpc__any__init(any);
    any->type_url = unconst(type_url);
    any->value = (ProtobufCBinaryData){.len = size, .data = value};
    details->pointers[details->count++] = any;
}

static void add_error_info(struct details *details, const struct err *err, const char *trace_id)
{
    Google__Rpc__ErrorInfo__MetadataEntry entries[ERR_METADATA_MAX + 1];
    Google__Rpc__ErrorInfo__MetadataEntry *pointers[ERR_METADATA_MAX + 1];
    size_t count = 0;
    for (; count < err->metadata_count && count < ERR_METADATA_MAX; count++) {
        google__rpc__error_info__metadata_entry__init(&entries[count]);
        entries[count].key = unconst(err->metadata[count].key);
        entries[count].value = unconst(err->metadata[count].value);
    }
    if (trace_id[0]) {
        google__rpc__error_info__metadata_entry__init(&entries[count]);
        entries[count].key = unconst("trace_id");
        entries[count++].value = unconst(trace_id);
    }
    for (size_t i = 0; i < count; i++)
        pointers[i] = &entries[i];

    Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
    info.reason = unconst(err_reason_name(err->reason));
    info.domain = unconst(STATUS_DOMAIN);
    info.n_metadata = count;
    info.metadata = pointers;
    details_add(details, &info.base, TYPE_PREFIX "ErrorInfo");
}

static unsigned violations_kept(const struct err *err)
{
    return err->violation_count < ERR_VIOLATIONS_MAX ? err->violation_count : ERR_VIOLATIONS_MAX;
}

static void add_bad_request(struct details *details, const struct err *err)
{
    Google__Rpc__BadRequest__FieldViolation violations[ERR_VIOLATIONS_MAX];
    Google__Rpc__BadRequest__FieldViolation *pointers[ERR_VIOLATIONS_MAX];
    unsigned count = violations_kept(err);
    for (unsigned i = 0; i < count; i++) {
        google__rpc__bad_request__field_violation__init(&violations[i]);
        violations[i].field = unconst(err->violations[i].field);
        violations[i].description = unconst(err->violations[i].description);
        pointers[i] = &violations[i];
    }
    Google__Rpc__BadRequest request = GOOGLE__RPC__BAD_REQUEST__INIT;
    request.n_field_violations = count;
    request.field_violations = pointers;
    details_add(details, &request.base, TYPE_PREFIX "BadRequest");
}

/* Every FAILED_PRECONDITION has one: the violations that were listed, or the error itself. */
static void add_precondition(struct details *details, const struct err *err)
{
    Google__Rpc__PreconditionFailure__Violation violations[ERR_VIOLATIONS_MAX];
    Google__Rpc__PreconditionFailure__Violation *pointers[ERR_VIOLATIONS_MAX];
    unsigned count = violations_kept(err);
    for (unsigned i = 0; i < (count ? count : 1); i++) {
        google__rpc__precondition_failure__violation__init(&violations[i]);
        violations[i].type = unconst(err_reason_name(err->reason));
        violations[i].subject = unconst(count ? err->violations[i].field : "");
        violations[i].description =
            unconst(count ? err->violations[i].description : err_reason_text(err->reason));
        pointers[i] = &violations[i];
    }
    Google__Rpc__PreconditionFailure failure = GOOGLE__RPC__PRECONDITION_FAILURE__INIT;
    failure.n_violations = count ? count : 1;
    failure.violations = pointers;
    details_add(details, &failure.base, TYPE_PREFIX "PreconditionFailure");
}

static void add_retry(struct details *details, const struct err *err)
{
    Google__Rpc__Duration delay = GOOGLE__RPC__DURATION__INIT;
    delay.seconds = err->retry_after_ms / 1000;
    delay.nanos = (int32_t)(err->retry_after_ms % 1000) * 1000000;
    Google__Rpc__RetryInfo retry = GOOGLE__RPC__RETRY_INFO__INIT;
    retry.retry_delay = &delay;
    details_add(details, &retry.base, TYPE_PREFIX "RetryInfo");
}

/* The limits that were listed, or the one that the first fact names. */
static void add_quota(struct details *details, const struct err *err)
{
    Google__Rpc__QuotaFailure__Violation violations[ERR_VIOLATIONS_MAX];
    Google__Rpc__QuotaFailure__Violation *pointers[ERR_VIOLATIONS_MAX];
    unsigned count = violations_kept(err);
    for (unsigned i = 0; i < (count ? count : 1); i++) {
        google__rpc__quota_failure__violation__init(&violations[i]);
        violations[i].subject = unconst(count ? err->violations[i].field
                                              : err->metadata_count ? err->metadata[0].value : "");
        violations[i].description = unconst(count ? err->violations[i].description : err_reason_text(err->reason));
        pointers[i] = &violations[i];
    }
    Google__Rpc__QuotaFailure failure = GOOGLE__RPC__QUOTA_FAILURE__INIT;
    failure.n_violations = count ? count : 1;
    failure.violations = pointers;
    details_add(details, &failure.base, TYPE_PREFIX "QuotaFailure");
}

static bool is_quota(const struct err *err)
{
    return err->reason == ERR_LIMIT_REACHED || err->reason == ERR_OVERLOADED || err->reason == ERR_RATE_LIMITED ||
           err->reason == ERR_TOO_MANY_IN_FLIGHT;
}

void status_encode(const struct err *err, const char *trace_id, struct buf *ret_details)
{
    struct details details;
    details.count = 0;
    details.used = 0;
    int code = err_grpc_code(err->reason);
    add_error_info(&details, err, trace_id);
    if (code == CODE_FAILED_PRECONDITION)
        add_precondition(&details, err);
    else if (is_quota(err))
        add_quota(&details, err);
    else if (err->violation_count > 0)
        add_bad_request(&details, err);
    if (err->retry_after_ms > 0)
        add_retry(&details, err);

    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
    status.code = code;
    status.message = unconst(err->message);
    status.n_details = details.count;
    status.details = details.pointers;
    uint8_t packed[STATUS_DETAILS_MAX];
    BUG_IF(protobuf_c_message_get_packed_size(&status.base) > sizeof(packed));
    buf_append(ret_details, packed, protobuf_c_message_pack(&status.base, packed));
}

/* --- the way back --------------------------------------------------------------------------------------- */

/* What a status without usable details stands for. */
static enum err_reason reason_of_code(int code)
{
    switch (code) {
    case 1: return ERR_CANCELLED;
    case 3: case 11: return ERR_FIELD_INVALID;
    case 4: return ERR_DEADLINE_EXCEEDED;
    case 5: return ERR_NOT_FOUND;
    case 6: return ERR_ALREADY_EXISTS;
    case 7: return ERR_PERMISSION_DENIED;
    case 8: return ERR_OVERLOADED;
    case 9: return ERR_WRONG_STATE;
    case 10: return ERR_CONFLICT;
    case 12: return ERR_METHOD_UNKNOWN;
    case 14: return ERR_PEER_UNAVAILABLE;
    case 15: return ERR_DATA_CORRUPT;
    case 16: return ERR_CREDENTIAL_INVALID;
    default: return ERR_INTERNAL;
    }
}

/* The detail of that type, unpacked, or NULL. */
static ProtobufCMessage *detail_find(const Google__Rpc__Status *status, const char *type_url,
                                     const ProtobufCMessageDescriptor *type, struct arena *arena)
{
    for (size_t i = 0; i < status->n_details; i++) {
        const Google__Rpc__Any *any = status->details[i];
        struct err ignored;
        ProtobufCMessage *message;
        if (strcmp(any->type_url, type_url) == 0 &&
            message_unpack(type, any->value.data, any->value.len, arena, &message, &ignored) == 0)
            return message;
    }
    return NULL;
}

static void text_copy(char *target, size_t size, const char *text)
{
    size_t length = utf8_cut(text, strlen(text), size - 1);
    memcpy(target, text, length);
    target[length] = '\0';
}

static void violation_add(struct err *err, const char *field, const char *description)
{
    if (err->violation_count < ERR_VIOLATIONS_MAX) {
        struct err_violation *violation = &err->violations[err->violation_count];
        text_copy(violation->field, sizeof(violation->field), field);
        text_copy(violation->description, sizeof(violation->description), description);
    }
    err->violation_count++;
}

static void details_read(const Google__Rpc__Status *status, const Google__Rpc__ErrorInfo *info,
                         struct arena *arena, struct err *err)
{
    for (size_t i = 0; i < info->n_metadata; i++)
        if (strcmp(info->metadata[i]->key, "trace_id") != 0)
            err_fact(err, info->metadata[i]->key, "%s", info->metadata[i]->value);

    ProtobufCMessage *found =
        detail_find(status, TYPE_PREFIX "BadRequest", &google__rpc__bad_request__descriptor, arena);
    if (found) {
        const Google__Rpc__BadRequest *request = (const Google__Rpc__BadRequest *)found;
        for (size_t i = 0; i < request->n_field_violations; i++)
            violation_add(err, request->field_violations[i]->field, request->field_violations[i]->description);
    }
    found = detail_find(status, TYPE_PREFIX "PreconditionFailure",
                        &google__rpc__precondition_failure__descriptor, arena);
    if (found) {
        const Google__Rpc__PreconditionFailure *failure = (const Google__Rpc__PreconditionFailure *)found;
        for (size_t i = 0; i < failure->n_violations; i++)
            if (failure->violations[i]->subject[0])
                violation_add(err, failure->violations[i]->subject, failure->violations[i]->description);
    }
    found = detail_find(status, TYPE_PREFIX "QuotaFailure", &google__rpc__quota_failure__descriptor, arena);
    if (found) {
        const Google__Rpc__QuotaFailure *failure = (const Google__Rpc__QuotaFailure *)found;
        for (size_t i = 0; i < failure->n_violations; i++)
            violation_add(err, failure->violations[i]->subject, failure->violations[i]->description);
    }
    found = detail_find(status, TYPE_PREFIX "RetryInfo", &google__rpc__retry_info__descriptor, arena);
    if (found) {
        const Google__Rpc__Duration *delay = ((const Google__Rpc__RetryInfo *)found)->retry_delay;
        if (delay && delay->seconds >= 0 && delay->seconds < 86400 && delay->nanos >= 0)
            err->retry_after_ms = delay->seconds * 1000 + delay->nanos / 1000000;
    }
}

int status_decode(int code, const char *message, size_t message_length, const void *details,
                  size_t details_length, struct err *err)
{
    BUG_IF(code == 0);
    struct arena arena CLEANUP(arena_release);
    arena_init(&arena, DECODE_MEMORY_MAX);
    struct err ignored;
    ProtobufCMessage *status = NULL;
    const Google__Rpc__ErrorInfo *info = NULL;
    if (details_length > 0 && message_unpack(&google__rpc__status__descriptor, details, details_length, &arena,
                                             &status, &ignored) == 0)
        info = (const Google__Rpc__ErrorInfo *)detail_find((const Google__Rpc__Status *)status,
                                                           TYPE_PREFIX "ErrorInfo",
                                                           &google__rpc__error_info__descriptor, &arena);
    enum err_reason reason = ERR_OK;
    if (info && strcmp(info->domain, STATUS_DOMAIN) == 0)
        reason = err_reason_from_name(info->reason);
    bool understood = reason != ERR_OK && err_grpc_code(reason) == code;
    if (!understood)
        reason = reason_of_code(code);

    size_t kept = message_length < ERR_MESSAGE_MAX ? message_length : ERR_MESSAGE_MAX;
    if (message_length > 0 && utf8_is_valid(message, message_length) && !memchr(message, '\0', message_length))
        err_setf(err, reason, "%.*s", (int)kept, message);
    else
        err_set(err, reason);
    if (understood)
        details_read((const Google__Rpc__Status *)status, info, &arena, err);
    return -1;
}
