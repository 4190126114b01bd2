/* log.h: one JSON object a line on standard error.
 *
 *     LOG(INFO, "listening", LOG_STR("address", address), LOG_INT("port", port));
 *     LOG(ERROR, "the seal failed", LOG_ERR(&err));
 *
 * gives {"time":"2026-03-01T12:00:00.000000Z","level":"info","service":"isms-actions","message":"listening",
 * "address":"127.0.0.1","port":9090}. A line is written by one write(2), so that lines of several threads never
 * mix, and is at most LOG_LINE_MAX bytes: what does not fit is cut or left out, and "truncated":true says so.
 * Names and messages are constants of this code; values may hold anything. Never pass payloads or secrets.
 * Any thread may log; log_init() is called before there are several. */
#ifndef ISMS_OBS_LOG_H
#define ISMS_OBS_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/base/slice.h>

enum { LOG_LINE_MAX = 8192 };

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

enum log_format {
    LOG_FORMAT_JSON,
    LOG_FORMAT_TEXT /* "12:00:00.000 info listening address=127.0.0.1 port=9090", for people at a terminal */
};

enum log_kind { LOG_KIND_TEXT, LOG_KIND_INTEGER, LOG_KIND_BOOL };

struct log_field {
    const char *name;
    enum log_kind kind;
    struct slice text; /* data NULL: null */
    int64_t integer;   /* also the bool */
};

#define LOG_SLICE(field, slice) \
    (struct log_field){.name = (field), .kind = LOG_KIND_TEXT, .text = (slice)}
#define LOG_STR(field, string) LOG_SLICE(field, slice_of(string))
#define LOG_INT(field, value) \
    (struct log_field){.name = (field), .kind = LOG_KIND_INTEGER, .integer = (int64_t)(value)}
#define LOG_BOOL(field, value) \
    (struct log_field){.name = (field), .kind = LOG_KIND_BOOL, .integer = (value) ? 1 : 0}
/* Two fields: the reason's name and the text of a struct err. */
#define LOG_ERR(err) LOG_STR("reason", err_reason_name((err)->reason)), LOG_STR("error", (err)->message)

/* level: DEBUG, INFO, WARNING or ERROR. The fields are not evaluated when the level is not logged. */
#define LOG(level, message, ...) \
    do { \
        if (log_enabled(LOG_LEVEL_##level)) { \
            const struct log_field log_fields_[] = {{0}, __VA_ARGS__}; \
            log_write(LOG_LEVEL_##level, (message), log_fields_ + 1, ARRAY_SIZE(log_fields_) - 1); \
        } \
    } while (0)

/* Before it is called: no service name, from INFO on, JSON. `service` must live as long as the process. */
void log_init(const char *service, enum log_level minimum, enum log_format format);

bool log_enabled(enum log_level level);

/* A line that cannot be written is lost: logging never fails and never blocks a caller with retries. */
void log_write(enum log_level level, const char *message, const struct log_field *fields, size_t count);

/* "debug", "info", "warning", "error"; "json", "text". false: not one. */
bool log_level_parse(const char *name, enum log_level *ret_level);
bool log_format_parse(const char *name, enum log_format *ret_format);

#endif
