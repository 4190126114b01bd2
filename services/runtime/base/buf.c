/* buf.c: growth by doubling, in one place (buf_reserve), with the failure remembered in the buffer.
 *
 * An empty buffer points at a shared empty string, so that `data` is always a C string and an unused buffer
 * costs no memory. `capacity` counts the terminating NUL; 0 means that `data` is that shared string and must
 * not be written to. */
#include <isms/base/buf.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <isms/base/bug.h>

enum { CAPACITY_MIN = 64 };

static char empty[1];

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.data = empty, .max = max};
}

void buf_init_arena(struct buf *buf, struct arena *arena, size_t max)
{
    *buf = (struct buf){.data = empty, .max = max, .arena = arena};
}

void buf_init_fixed(struct buf *buf, char *storage, size_t size)
{
    BUG_IF(size == 0);
    *buf = (struct buf){.data = storage, .capacity = size, .max = size - 1};
    storage[0] = '\0';
}

void buf_release(struct buf *buf)
{
    if (buf->capacity && !buf->arena)
        free(buf->data);
    buf_init(buf, buf->max);
}

void buf_clear(struct buf *buf)
{
    buf->length = 0;
    buf->failed = false;
    if (buf->capacity)
        buf->data[0] = '\0';
}

/* Makes room for `more` bytes and a NUL. */
static bool buf_reserve(struct buf *buf, size_t more)
{
    if (buf->failed || more > buf->max - buf->length) {
        buf->failed = true;
        return false;
    }
    size_t needed = buf->length + more + 1;
    if (needed <= buf->capacity)
        return true;

    size_t capacity = buf->capacity ? 2 * buf->capacity : CAPACITY_MIN;
    if (capacity < needed)
        capacity = needed;
    if (capacity - 1 > buf->max)
        capacity = buf->max + 1;

    char *data;
    if (buf->arena) {
        data = arena_alloc(buf->arena, capacity);
        if (data)
            memcpy(data, buf->data, buf->length);
    } else {
        data = realloc(buf->capacity ? buf->data : NULL, capacity);
    }
    if (!data) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

void buf_append(struct buf *buf, const void *data, size_t length)
{
    if (length == 0 || !buf_reserve(buf, length))
        return;
    memcpy(buf->data + buf->length, data, length);
    buf->length += length;
    buf->data[buf->length] = '\0';
}

void buf_text(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_char(struct buf *buf, char character)
{
    buf_append(buf, &character, 1);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    buf_vprintf(buf, format, arguments);
    va_end(arguments);
}

void buf_vprintf(struct buf *buf, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    size_t room = buf->capacity ? buf->capacity - buf->length : 0;
    int printed = vsnprintf(room ? buf->data + buf->length : NULL, room, format, arguments);
    BUG_IF(printed < 0);
    size_t length = (size_t)printed;
    if (buf_reserve(buf, length)) {
        if (length >= room)
            vsnprintf(buf->data + buf->length, length + 1, format, again);
        buf->length += length;
    } else if (room) {
        buf->data[buf->length] = '\0'; /* what vsnprintf() left of a text that does not fit */
    }
    va_end(again);
}

int buf_append_file(struct buf *buf, const char *path, struct err *err)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return err_setf(err, ERR_FIELD_INVALID, "%s cannot be opened: %s.", path, strerror(errno));
    char block[4096];
    for (size_t got; !buf->failed && (got = fread(block, 1, sizeof(block), file)) > 0;)
        buf_append(buf, block, got);
    bool complete = !ferror(file) && !buf->failed;
    fclose(file);
    return complete ? 0 : err_setf(err, ERR_FIELD_INVALID, "%s cannot be read whole.", path);
}

char *buf_take(struct buf *buf, size_t *ret_length)
{
    BUG_IF(buf->arena);
    char *data = NULL;
    if (!buf->failed)
        data = buf->capacity ? buf->data : calloc(1, 1);
    if (!data) {
        buf_release(buf);
        return NULL;
    }
    if (ret_length)
        *ret_length = buf->length;
    buf_init(buf, buf->max);
    return data;
}
