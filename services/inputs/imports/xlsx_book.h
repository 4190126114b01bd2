/* xlsx_book.h: what there is in a workbook: where the wanted sheet is, and which of its cells are dates. */
#ifndef ISMS_INPUTS_XLSX_BOOK_H
#define ISMS_INPUTS_XLSX_BOOK_H

#include <stdbool.h>
#include <stddef.h>

#include <isms/base/attributes.h>

#include "xlsx_package.h"

enum { XLSX_NAME_SIZE = 400, XLSX_STYLES_MAX = 65536, XLSX_FORMATS_MAX = 2000 };

struct xlsx_book {
    char workbook[XLSX_NAME_SIZE]; /* the parts' names */
    char sheet[XLSX_NAME_SIZE];
    char strings[XLSX_NAME_SIZE]; /* "" where there are none */
    char styles[XLSX_NAME_SIZE];
    bool is_1904;
    size_t style_count;
    bool *dates; /* of each cell style */
};

void xlsx_book_release(struct xlsx_book *book);

/* `sheet`: by name without case, "" the first. As xlsx_package_read(). */
int xlsx_book_read(struct xlsx_book *book, struct xlsx_package *package, const char *sheet,
                   const char **ret_fault) MUST_CHECK;

#endif
