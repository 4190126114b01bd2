/* arena.c: a bump allocator over a list of blocks.
 *
 * Blocks double from 4 KiB to 1 MiB, so that a small call costs one malloc() and a large one few. A request
 * larger than the next block gets a block of exactly its size, put behind the newest one, whose rest stays in
 * use. The maximum counts what was taken from the system, headers included: that is what a hostile request
 * could make us spend. */
#include <isms/base/arena.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <isms/base/bug.h>

enum { BLOCK_MIN = 4096, BLOCK_MAX = 1024 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t size; /* of data */
    size_t used;
    _Alignas(max_align_t) char data[];
};

void arena_init(struct arena *arena, size_t max)
{
    *arena = (struct arena){.max = max};
}

static void blocks_free(struct arena_block *block, const struct arena_block *end)
{
    while (block != end) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void arena_clear(struct arena *arena)
{
    blocks_free(arena->block, NULL);
    arena_init(arena, arena->max);
}

void arena_release(struct arena *arena)
{
    arena_clear(arena);
}

static struct arena_block *block_new(struct arena *arena, size_t size)
{
    size_t left = arena->max > arena->used ? arena->max - arena->used : 0;
    size_t whole = arena->block ? 2 * (arena->block->size + sizeof(struct arena_block)) : BLOCK_MIN;
    if (whole > BLOCK_MAX)
        whole = BLOCK_MAX;
    if (whole > left)
        whole = left;
    bool exact = whole < sizeof(struct arena_block) || size > whole - sizeof(struct arena_block);
    if (exact) {
        if (left < sizeof(struct arena_block) || size > left - sizeof(struct arena_block))
            return NULL;
        whole = size + sizeof(struct arena_block);
    }

    struct arena_block *block = calloc(1, whole);
    if (!block)
        return NULL;
    block->size = whole - sizeof(struct arena_block);
    arena->used += whole;
    if (exact && arena->block) {
        block->next = arena->block->next;
        arena->block->next = block;
    } else {
        block->next = arena->block;
        arena->block = block;
    }
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    const size_t alignment = _Alignof(max_align_t);
    if (size > SIZE_MAX / 2)
        goto exhausted;
    size = size ? (size + alignment - 1) / alignment * alignment : alignment;

    struct arena_block *block = arena->block;
    if (!block || size > block->size - block->used)
        block = block_new(arena, size);
    if (!block)
        goto exhausted;
    void *memory = block->data + block->used;
    block->used += size;
    return memory;

exhausted:
    arena->exhausted = true;
    return NULL;
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        arena->exhausted = true;
        return NULL;
    }
    return arena_alloc(arena, total);
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_memdup(arena, text, strlen(text) + 1);
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
    length = strnlen(text, length);
    char *copy = arena_alloc(arena, length + 1); /* zeroed, hence terminated */
    if (copy)
        memcpy(copy, text, length);
    return copy;
}

void *arena_memdup(struct arena *arena, const void *data, size_t length)
{
    void *copy = arena_alloc(arena, length);
    if (copy && length)
        memcpy(copy, data, length);
    return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = arena_vprintf(arena, format, arguments);
    va_end(arguments);
    return text;
}

char *arena_vprintf(struct arena *arena, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    BUG_IF(length < 0);
    char *text = arena_alloc(arena, (size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

struct arena_mark arena_mark(const struct arena *arena)
{
    struct arena_block *block = arena->block;
    return (struct arena_mark){
        .block = block,
        .next = block ? block->next : NULL,
        .block_used = block ? block->used : 0,
        .used = arena->used,
        .exhausted = arena->exhausted,
    };
}

void arena_rewind(struct arena *arena, const struct arena_mark *mark)
{
    blocks_free(arena->block, mark->block);
    arena->block = mark->block;
    arena->used = mark->used;
    arena->exhausted = mark->exhausted;
    if (!mark->block)
        return;
    blocks_free(mark->block->next, mark->next); /* those of a size of their own went behind it */
    mark->block->next = mark->next;
    memset(mark->block->data + mark->block_used, 0, mark->block->used - mark->block_used);
    mark->block->used = mark->block_used;
}

bool arena_exhausted(const struct arena *arena)
{
    return arena->exhausted;
}
