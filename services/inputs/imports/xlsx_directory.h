/* xlsx_directory.h: how many parts a zip archive says that it has, before libzip takes memory for them. */
#ifndef ISMS_INPUTS_XLSX_DIRECTORY_H
#define ISMS_INPUTS_XLSX_DIRECTORY_H

#include <isms/base/attributes.h>

#include "import_source.h"

enum {
    XLSX_PARTS_MAX = 10000,
    /* Bytes of the archive that may be read to find its parts: XLSX_PARTS_MAX of them take less, and what libzip keeps
     * of what fits is less than 16 MiB. */
    XLSX_DIRECTORY_MAX = 2 * 1024 * 1024
};

/* 0: no more than XLSX_PARTS_MAX, or it is no such archive, which libzip will say. 1: more. -1: the source or memory
 * has failed. Archives without the 64-bit record, in which a count has 16 bits, are not judged: they are bounded by
 * XLSX_DIRECTORY_MAX alone. */
int xlsx_directory_check(const struct import_source *source) MUST_CHECK;

#endif
