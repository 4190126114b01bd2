/* err.c: the table of reasons, and how an error is filled in.
 *
 * Texts are formatted beside the error first and copied then: callers wrap an error's own message ("%s: ..."),
 * and formatting a buffer into itself is undefined. */
#include <isms/base/err.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <isms/base/bug.h>
#include <isms/base/utf8.h>

struct reason {
    const char *name;
    int grpc_code;
    const char *text;
    const char *advice;
};

static const struct reason reasons[ERR_REASON_COUNT] = {
    [ERR_OK] = {"OK", 0, "", ""},
#define X(name, grpc_code, text, advice) [ERR_##name] = {#name, grpc_code, text, advice},
#include <isms/base/errors.def>
#undef X
};

static const struct reason *reason_of(enum err_reason reason)
{
    BUG_IF((unsigned)reason >= ERR_REASON_COUNT);
    return &reasons[reason];
}

/* vsnprintf() that cuts between characters, not inside one. */
static void PRINTF_LIKE(3, 0) text_format(char *text, size_t size, const char *format, va_list arguments)
{
    char whole[ERR_MESSAGE_MAX];
    BUG_IF(size > sizeof(whole));
    int length = vsnprintf(whole, size, format, arguments);
    size_t kept = length < 0 ? 0 : (size_t)length;
    if (kept >= size)
        kept = utf8_cut(whole, size - 1, size - 1);
    memcpy(text, whole, kept);
    text[kept] = '\0';
}

int err_set(struct err *err, enum err_reason reason)
{
    return err_setf(err, reason, "%s", reason_of(reason)->text);
}

int err_setf(struct err *err, enum err_reason reason, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_format(err->message, sizeof(err->message), format, arguments);
    va_end(arguments);
    err->reason = reason;
    err->retry_after_ms = 0;
    err->violation_count = 0;
    err->metadata_count = 0;
    return -1;
}

static void violation_add(struct err *err, const char *field, const char *format, va_list arguments)
{
    if (err->violation_count++ >= ERR_VIOLATIONS_MAX)
        return;
    struct err_violation *violation = &err->violations[err->violation_count - 1];
    size_t length = utf8_cut(field, strlen(field), sizeof(violation->field) - 1);
    memcpy(violation->field, field, length);
    violation->field[length] = '\0';
    text_format(violation->description, sizeof(violation->description), format, arguments);
}

int err_field(struct err *err, const char *field, const char *format, ...)
{
    if (err->reason != ERR_FIELD_INVALID)
        err_set(err, ERR_FIELD_INVALID);
    va_list arguments;
    va_start(arguments, format);
    violation_add(err, field, format, arguments);
    va_end(arguments);
    return -1;
}

void err_violation(struct err *err, const char *subject, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    violation_add(err, subject, format, arguments);
    va_end(arguments);
}

void err_fact(struct err *err, const char *key, const char *format, ...)
{
    if (err->metadata_count >= ERR_METADATA_MAX)
        return;
    struct err_metadata *fact = &err->metadata[err->metadata_count++];
    snprintf(fact->key, sizeof(fact->key), "%s", key);

    va_list arguments;
    va_start(arguments, format);
    text_format(fact->value, sizeof(fact->value), format, arguments);
    va_end(arguments);
}

const char *err_reason_name(enum err_reason reason)
{
    return reason_of(reason)->name;
}

enum err_reason err_reason_from_name(const char *name)
{
    for (enum err_reason reason = ERR_OK + 1; reason < ERR_REASON_COUNT; reason++)
        if (strcmp(reasons[reason].name, name) == 0)
            return reason;
    return ERR_OK;
}

int err_grpc_code(enum err_reason reason)
{
    return reason_of(reason)->grpc_code;
}

const char *err_reason_text(enum err_reason reason)
{
    return reason_of(reason)->text;
}

const char *err_reason_advice(enum err_reason reason)
{
    return reason_of(reason)->advice;
}
