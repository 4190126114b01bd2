/* arena.h: memory that lives exactly as long as one call.
 *
 * An arena hands out zeroed memory in ever larger blocks up to a maximum fixed at its making, and gives
 * all of it back at once. There is no free. Past the maximum, or when the system has none left, a
 * request for memory answers NULL and the arena remembers it (arena_exhausted), so that a sequence of
 * appends may be checked once at its end. One arena belongs to one thread at a time. */
#ifndef ISMS_BASE_ARENA_H
#define ISMS_BASE_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <isms/base/attributes.h>

struct arena_block;

struct arena {
    struct arena_block *block; /* newest first */
    size_t used;               /* bytes taken from the system so far */
    size_t max;
    bool exhausted;
};

/* An empty arena that will never hold more than `max` bytes. Takes no memory yet. */
void arena_init(struct arena *arena, size_t max);

/* Gives everything back, keeps the maximum: the arena can be used again. Accepts a zeroed arena. */
void arena_clear(struct arena *arena);

/* Gives everything back. Fits CLEANUP(). */
void arena_release(struct arena *arena);

/* Work in rounds: arena_rewind() gives back what was taken since arena_mark(), which must not be used any more.
 * Marks are rewound to in the reverse order of their making; one may be rewound to any number of times. */
struct arena_mark {
    struct arena_block *block;
    struct arena_block *next;
    size_t block_used;
    size_t used;
    bool exhausted;
};

struct arena_mark arena_mark(const struct arena *arena);
void arena_rewind(struct arena *arena, const struct arena_mark *mark);

/* Zeroed, aligned for any type; NULL past the maximum. size 0 gives a valid unique pointer. */
void *arena_alloc(struct arena *arena, size_t size);

/* count * size with the overflow checked. */
void *arena_alloc_array(struct arena *arena, size_t count, size_t size);

char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t length);
void *arena_memdup(struct arena *arena, const void *data, size_t length);
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
char *arena_vprintf(struct arena *arena, const char *format, va_list arguments) PRINTF_LIKE(2, 0);

bool arena_exhausted(const struct arena *arena);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, count, type) ((type *)arena_alloc_array((arena), (count), sizeof(type)))

#endif
