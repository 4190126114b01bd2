/* import_source.h: the bytes of a file, wherever they are kept. */
#ifndef ISMS_INPUTS_IMPORT_SOURCE_H
#define ISMS_INPUTS_IMPORT_SOURCE_H

#include <stddef.h>
#include <stdint.h>

struct import_source {
    int64_t length;
    /* Up to `size` bytes from `offset` on. How many there are; 0: at the end. -1: they cannot be had. */
    int64_t (*read)(void *context, int64_t offset, void *into, size_t size);
    void *context;
};

#endif
