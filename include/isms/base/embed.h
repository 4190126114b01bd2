/* embed.h: files that the build puts into the program (isms_embed() in services/cmake/IsmsEmbed.cmake).
 *
 * A table of them ends with a row whose name is NULL and lives as long as the program. */
#ifndef ISMS_BASE_EMBED_H
#define ISMS_BASE_EMBED_H

#include <stddef.h>

struct embedded_file {
    const char *name; /* relative to the BASE given to isms_embed(), else the bare file name */
    const char *data; /* as in the file, with a NUL behind it that `length` does not count */
    size_t length;
};

#endif
