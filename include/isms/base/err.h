/* err.h: one error, as a caller of the API will read it.
 *
 * A fallible function returns 0, or -1 with *err filled in; its ret_ parameters are untouched on
 * failure. `struct err` is plain data on the caller's stack: it owns nothing and needs no release. Text
 * that does not fit is cut at a UTF-8 boundary, never overrun.
 *
 * The set of reasons is closed: errors.def is the one table, and gives every reason its gRPC code, its
 * standing text and what a person can do about it. Texts must never hold SQL, paths, secrets or another
 * tenant's data. */
#ifndef ISMS_BASE_ERR_H
#define ISMS_BASE_ERR_H

#include <stdbool.h>
#include <stdint.h>

#include <isms/base/attributes.h>

/* ERR_OK, then one constant a row of errors.def. */
enum err_reason {
    ERR_OK = 0,
#define X(name, grpc_code, text, advice) ERR_##name,
#include <isms/base/errors.def>
#undef X
    ERR_REASON_COUNT
};

enum {
    ERR_MESSAGE_MAX = 512,
    ERR_VIOLATIONS_MAX = 8,  /* a request may have more wrong fields; the rest are counted, not listed */
    ERR_METADATA_MAX = 6
};

/* One wrong field of a request (google.rpc.BadRequest.FieldViolation). */
struct err_violation {
    char field[128];       /* path as the client writes it: "action.title", "inputs[3].due_date" */
    char description[160]; /* what is wrong with it, and what is accepted */
};

/* One fact for programs (google.rpc.ErrorInfo.metadata). */
struct err_metadata {
    char key[40];
    char value[88];
};

struct err {
    enum err_reason reason;
    char message[ERR_MESSAGE_MAX];
    int64_t retry_after_ms; /* 0: no RetryInfo */
    unsigned violation_count; /* may exceed ERR_VIOLATIONS_MAX */
    struct err_violation violations[ERR_VIOLATIONS_MAX];
    unsigned metadata_count;
    struct err_metadata metadata[ERR_METADATA_MAX];
};

/* Makes *err the given reason with its standing text. Always returns -1: `return err_set(err, ERR_X);`. */
int err_set(struct err *err, enum err_reason reason);

/* The same with a text of its own. */
int err_setf(struct err *err, enum err_reason reason, const char *format, ...) PRINTF_LIKE(3, 4);

/* Adds a wrong field; on the first one makes the error INVALID_ARGUMENT (reason FIELD_INVALID). Returns -1. */
int err_field(struct err *err, const char *field, const char *format, ...) PRINTF_LIKE(3, 4);

/* Adds what the reason is about, and the reason stays: a field with a reference that leads nowhere, whose limit it was.
 * It goes out as the violation that fits the reason's code: of BadRequest, PreconditionFailure or QuotaFailure. */
void err_violation(struct err *err, const char *subject, const char *format, ...) PRINTF_LIKE(3, 4);

/* Adds a fact; silently dropped beyond ERR_METADATA_MAX. */
void err_fact(struct err *err, const char *key, const char *format, ...) PRINTF_LIKE(3, 4);

/* The reason's UPPER_SNAKE name, as ErrorInfo.reason shows it; "OK" for ERR_OK. */
const char *err_reason_name(enum err_reason reason);

/* The reason of that name, or ERR_OK when there is none. */
enum err_reason err_reason_from_name(const char *name);

/* The gRPC status code (0 to 16, https://grpc.github.io/grpc/core/md_doc_statuscodes.html) of a reason. */
int err_grpc_code(enum err_reason reason);

const char *err_reason_text(enum err_reason reason);
const char *err_reason_advice(enum err_reason reason);

#endif
