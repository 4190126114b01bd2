/* binding_plan.h: how the columns of a described statement become a response. */
#ifndef ISMS_PROTO_BINDING_PLAN_H
#define ISMS_PROTO_BINDING_PLAN_H

#include "binding_internal.h"

/* Reads one value into its place: a member of a message, or an item of an array. -1: it does not fit. */
typedef int reader(const struct field_type *field, const char *data, size_t length, struct arena *arena,
                   void *slot);

enum column_kind {
    COLUMN_ONEOF_CASE, /* text: the member's name */
    COLUMN_ONEOF_JSON, /* jsonb {"member": ...} */
    COLUMN_VALUE,
    COLUMN_NUMERIC, /* the value's text comes from the database layer */
    COLUMN_ARRAY,
    COLUMN_JSON,
    COLUMN_TOTAL /* of a list response, beside its items */
};

struct column {
    enum column_kind kind;
    unsigned index; /* in the result */
    const char *name;
    uint32_t type;
    struct location location;
    unsigned guarded; /* bits: hops (then the field) that are read only if they are their oneof's case */
    const struct field_type *field; /* the field itself, or the value inside its wrapper */
    reader *read;
};

struct fact {
    unsigned index;
    const char *name;
};

struct column_plan {
    struct column_plan *older;
    struct arena arena;
    unsigned result_columns;
    uint32_t *types;
    unsigned column_count;
    struct column *columns;
    int outcome; /* -1: none */
    unsigned fact_count;
    struct fact facts[ERR_METADATA_MAX];
    unsigned page_count;
    int pages[PAGE_KEYS_MAX];
};

/* binding_readers.c: the reader for a value of a SQL type; NULL: the two do not go together. */
reader *reader_for(const struct field_type *field, uint32_t type);
uint32_t element_type(uint32_t array); /* 0: not an array that is read here */
bool is_text_type(uint32_t type);

/* Binary integers, as PostgreSQL sends them. */
uint64_t number_of(const char *data, size_t length);
int64_t integer_of(const char *data, size_t length); /* sign-extended, whatever its size */

#endif
