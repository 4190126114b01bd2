/* import_read.h: a file of any format as inputs or measurements. */
#ifndef ISMS_INPUTS_IMPORT_READ_H
#define ISMS_INPUTS_IMPORT_READ_H

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/inputs/v1/imports.pb-c.h>
#include <isms/proto/descriptors.h>

#include "import_errors.h"
#include "import_map.h"
#include "import_source.h"

struct import_reading {
    const struct descriptors *descriptors;
    const Isms__Inputs__V1__Import *import; /* format, what rows are, source, columns, table */
    const struct import_source *source;
    struct arena *arena; /* of the items, for on_item to clear */
    import_item_fn *on_item;
    void *context;
};

struct import_outcome {
    int rows;          /* of data in the file */
    size_t path_count; /* the fields that items may have, for the update of what is there already */
    char **paths;      /* in `errors->arena` */
};

/* 0: the whole file was read, or as far as it can be; what is wrong with it is in `errors`, and then nothing of it is
 * to be stored. -1: memory or the source failed, or on_item gave up; `err` is left alone then. */
int import_read(const struct import_reading *reading, struct import_errors *errors, struct import_outcome *ret_outcome,
                struct err *err) MUST_CHECK;

#endif
