/* log.c: a line is put together in a fixed buffer on the stack and leaves by one write(2).
 *
 * No lock and no memory: what is logged when memory has run out, or by a thread that dies, still comes out.
 * Each field is written whole or taken back, so that a line that ran full remains well-formed JSON. */
#include <isms/obs/log.h>

#include <errno.h>
#include <unistd.h>

#include <isms/base/buf.h>
#include <isms/base/clock.h>
#include <isms/base/json_text.h>
#include <isms/base/utf8.h>

enum { VALUE_MAX = 2048, TAIL_MAX = 32 }; /* TAIL: the closing of a line, "truncated" included */

static const char *const level_names[] = {
    [LOG_LEVEL_DEBUG] = "debug",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_ERROR] = "error",
};

static const char *const format_names[] = {[LOG_FORMAT_JSON] = "json", [LOG_FORMAT_TEXT] = "text"};

static struct {
    const char *service;
    enum log_level minimum;
    enum log_format format;
} settings = {.service = "", .minimum = LOG_LEVEL_INFO, .format = LOG_FORMAT_JSON};

struct line {
    struct buf buf;
    bool truncated;
};

void log_init(const char *service, enum log_level minimum, enum log_format format)
{
    settings.service = service;
    settings.minimum = minimum;
    settings.format = format;
}

bool log_enabled(enum log_level level)
{
    return level >= settings.minimum;
}

static void text_append(struct line *line, struct slice text)
{
    if (!text.data) {
        buf_text(&line->buf, "null");
        return;
    }
    size_t length = text.length;
    if (length > VALUE_MAX) {
        length = utf8_cut(text.data, length, VALUE_MAX);
        line->truncated = true;
    }
    json_text_append(&line->buf, text.data, length);
}

static void value_append(struct line *line, const struct log_field *field)
{
    switch (field->kind) {
    case LOG_KIND_TEXT:
        text_append(line, field->text);
        break;
    case LOG_KIND_INTEGER:
        buf_printf(&line->buf, "%lld", (long long)field->integer);
        break;
    case LOG_KIND_BOOL:
        buf_text(&line->buf, field->integer ? "true" : "false");
        break;
    }
}

/* One field, or nothing of it when the line has no room. */
static void field_append(struct line *line, const struct log_field *field)
{
    struct buf before = line->buf;
    if (settings.format == LOG_FORMAT_JSON) {
        buf_char(&line->buf, ',');
        text_append(line, slice_of(field->name));
        buf_char(&line->buf, ':');
    } else {
        buf_printf(&line->buf, " %s=", field->name);
    }
    value_append(line, field);
    if (line->buf.failed) {
        line->buf = before;
        line->buf.data[line->buf.length] = '\0';
        line->truncated = true;
    }
}

static void head_append_json(struct line *line, enum log_level level, const char *message)
{
    char time[CLOCK_TEXT_SIZE];
    clock_format(clock_now_us(), time);
    buf_printf(&line->buf, "{\"time\":\"%s\"", time);
    field_append(line, &LOG_STR("level", level_names[level]));
    field_append(line, &LOG_STR("service", settings.service));
    field_append(line, &LOG_STR("message", message));
}

static void head_append_text(struct line *line, enum log_level level, const char *message)
{
    char time[CLOCK_TEXT_SIZE];
    clock_format(clock_now_us(), time);
    buf_printf(&line->buf, "%.12s %-7s ", time + 11, level_names[level]); /* HH:MM:SS.mmm */
    buf_printf(&line->buf, "%.*s", (int)utf8_cut(message, strlen(message), VALUE_MAX), message);
}

void log_write(enum log_level level, const char *message, const struct log_field *fields, size_t count)
{
    char storage[LOG_LINE_MAX];
    struct line line = {0};
    bool json = settings.format == LOG_FORMAT_JSON;
    buf_init_fixed(&line.buf, storage, sizeof(storage));
    line.buf.max -= TAIL_MAX;
    if (json)
        head_append_json(&line, level, message);
    else
        head_append_text(&line, level, message);
    for (size_t i = 0; i < count; i++)
        field_append(&line, &fields[i]);
    line.buf.max += TAIL_MAX;
    if (line.truncated)
        buf_text(&line.buf, json ? ",\"truncated\":true" : " truncated=true");
    buf_text(&line.buf, json ? "}\n" : "\n");

    ssize_t written;
    do
        written = write(STDERR_FILENO, line.buf.data, line.buf.length);
    while (written < 0 && errno == EINTR);
}

bool log_level_parse(const char *name, enum log_level *ret_level)
{
    for (size_t i = 0; i < ARRAY_SIZE(level_names); i++)
        if (strcmp(level_names[i], name) == 0) {
            *ret_level = (enum log_level)i;
            return true;
        }
    return false;
}

bool log_format_parse(const char *name, enum log_format *ret_format)
{
    for (size_t i = 0; i < ARRAY_SIZE(format_names); i++)
        if (strcmp(format_names[i], name) == 0) {
            *ret_format = (enum log_format)i;
            return true;
        }
    return false;
}
