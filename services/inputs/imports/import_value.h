/* import_value.h: the text of a cell as the JSON value of a field. */
#ifndef ISMS_INPUTS_IMPORT_VALUE_H
#define ISMS_INPUTS_IMPORT_VALUE_H

#include <stdbool.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/buf.h>
#include <isms/base/slice.h>
#include <isms/proto/descriptors.h>

/* A cell can hold a value of the field: a scalar, a time, a list of texts, or any list in JSON. */
bool import_value_accepts(const struct field_type *field);

/* Appends the value of the text, which is trimmed and not empty; *ret_is_local says of a time whether it is local, see
 * import_date.h. Else what is wrong with it (in the arena, where it is not constant), with a null appended. */
const char *import_value_append(const struct field_type *field, struct slice text, struct buf *json,
                                struct arena *arena, bool *ret_is_local) MUST_CHECK;

#endif
