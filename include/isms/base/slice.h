/* slice.h: a view of bytes that somebody else owns. */
#ifndef ISMS_BASE_SLICE_H
#define ISMS_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *data;
    size_t length;
};

static inline struct slice slice_of(const char *text)
{
    return (struct slice){.data = text, .length = text ? strlen(text) : 0};
}

static inline bool slice_equals(struct slice slice, const char *text)
{
    return slice.length == strlen(text) && memcmp(slice.data, text, slice.length) == 0;
}

#endif
