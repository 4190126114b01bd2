/* xlsx_package.h: the parts of an Office Open XML package (ISO/IEC 29500-2), a zip archive of XML files, read one after
 * the other and never whole.
 *
 * Refused: what is no zip archive, encrypted packages, archives of more parts than xlsx_directory.h allows, parts that
 * are compressed otherwise than by deflate or inflate to more than their limit, markup that takes the XML parser more
 * than XLSX_MEMORY_MAX, and document type declarations, which no office program writes and attackers do. */
#ifndef ISMS_INPUTS_XLSX_PACKAGE_H
#define ISMS_INPUTS_XLSX_PACKAGE_H

#include <stdbool.h>
#include <stddef.h>

#include <isms/base/attributes.h>

#include "import_source.h"

/* Bytes that reading a part may hold for its markup: the longest tag, comment or attribute, and all names that differ.
 * An ordinary sheet, however long, needs less than 256 KiB. */
enum { XLSX_MEMORY_MAX = 16 * 1024 * 1024 };

struct xlsx_package;

/* What is read out of a part. Names come without their namespace's prefix. */
struct xlsx_handlers {
    void (*start)(void *context, const char *name, const char **attributes);
    void (*end)(void *context, const char *name);
    void (*text)(void *context, const char *text, int length);
    bool (*is_done)(void *context); /* nothing more is wanted; may be NULL */
};

/* NULL: *ret_fault says what is wrong with the file, or (NULL) the source has failed. */
struct xlsx_package *xlsx_package_open(const struct import_source *source, const char **ret_fault);
void xlsx_package_close(struct xlsx_package *package);

bool xlsx_package_has(struct xlsx_package *package, const char *part);

/* 0, or -1: as above, or memory has failed. A thread reads one part at a time: the handlers read no other. */
int xlsx_package_read(struct xlsx_package *package, const char *part, size_t bytes_max,
                      const struct xlsx_handlers *handlers, void *context, const char **ret_fault) MUST_CHECK;

/* The most of XLSX_MEMORY_MAX that was held for the part that this thread read last. For tests. */
size_t xlsx_memory_most(void);

/* The attribute's value; "" where there is none. The name is compared without prefix. */
const char *xlsx_attribute(const char **attributes, const char *name);

#endif
