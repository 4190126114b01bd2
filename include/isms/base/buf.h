/* buf.h: a byte buffer that grows up to a maximum.
 *
 * Appending never fails visibly: past the maximum (or without memory) the buffer turns `failed`, ignores
 * what follows, and the caller checks once at the end. The content is always NUL-terminated, though it
 * may hold NULs. Either the heap or an arena backs it; an arena's buffer needs no release. */
#ifndef ISMS_BASE_BUF_H
#define ISMS_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>

struct buf {
    char *data; /* never NULL after buf_init*, NUL-terminated */
    size_t length;
    size_t capacity;
    size_t max;
    struct arena *arena; /* NULL: heap */
    bool failed;
};

void buf_init(struct buf *buf, size_t max);
void buf_init_arena(struct buf *buf, struct arena *arena, size_t max);
/* Over `size` (at least 1) bytes of the caller's; never grows, needs no release. */
void buf_init_fixed(struct buf *buf, char *storage, size_t size);
void buf_release(struct buf *buf); /* fits CLEANUP(); accepts a zeroed buf */
void buf_clear(struct buf *buf);   /* empty, not failed, memory kept */

void buf_append(struct buf *buf, const void *data, size_t length);
void buf_text(struct buf *buf, const char *text);
void buf_char(struct buf *buf, char character);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *buf, const char *format, va_list arguments) PRINTF_LIKE(2, 0);

/* A whole file. FIELD_INVALID, for operators, where it cannot be read or does not fit. */
int buf_append_file(struct buf *buf, const char *path, struct err *err) MUST_CHECK;

/* Takes the content out (heap buffers only; free() it); the buffer is empty afterwards. NULL if failed. */
char *buf_take(struct buf *buf, size_t *ret_length);

#endif
