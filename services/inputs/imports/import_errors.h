/* import_errors.h: what is wrong with a file: all counted, the first hundred kept. */
#ifndef ISMS_INPUTS_IMPORT_ERRORS_H
#define ISMS_INPUTS_IMPORT_ERRORS_H

#include <stddef.h>

#include <isms/base/arena.h>
#include <isms/inputs/v1/imports.pb-c.h>

enum { IMPORT_ERRORS_MAX = 100 };

struct import_errors {
    struct arena arena;
    int count;
    size_t listed;
    Isms__Inputs__V1__ImportError *errors[IMPORT_ERRORS_MAX];
};

void import_errors_init(struct import_errors *errors);
void import_errors_release(struct import_errors *errors);

/* Texts are copied; a message longer than a person reads is cut. */
void import_errors_add(struct import_errors *errors, int line, int row, const char *column, const char *message);

#endif
