/* xlsx_strings.h: the texts that a workbook's cells share, by their numbers. */
#ifndef ISMS_INPUTS_XLSX_STRINGS_H
#define ISMS_INPUTS_XLSX_STRINGS_H

#include <stddef.h>
#include <stdint.h>

#include <isms/base/attributes.h>
#include <isms/base/buf.h>

#include "xlsx_package.h"

enum { XLSX_STRINGS_MAX = 1000 * 1000, XLSX_STRINGS_BYTES_MAX = 32 * 1024 * 1024 };

struct xlsx_strings {
    struct buf text; /* each ended by NUL */
    uint32_t *starts;
    size_t count;
    size_t room;
    int texts; /* depth within <t> that counts */
    int phonetic;
    const char *fault;
};

void xlsx_strings_init(struct xlsx_strings *strings);
void xlsx_strings_release(struct xlsx_strings *strings);

/* As xlsx_package_read(). */
int xlsx_strings_read(struct xlsx_strings *strings, struct xlsx_package *package, const char *part,
                      const char **ret_fault) MUST_CHECK;

/* NULL for a number that is none, or of no text of the workbook's. */
const char *xlsx_string(const struct xlsx_strings *strings, const char *number);

#endif
