/* input_diff.h: what a write changed of an input, field by field.
 *
 * Takes two revisions as the change log holds them and names every single value in which they differ, by the path that
 * an update mask would use. Nothing here knows the fields: what a kind gains later is compared all the same.
 *
 * The dry run of an import compares in SQL instead (inputs.differences()): of 100,000 rows it would otherwise carry
 * both revisions out of the database and the differences back. Matching the items of lists, on the other hand, is a
 * loop with a state, which SQL does badly. tests/e2e/test_differences.py holds both to the same answers over every
 * field of every kind. */
#ifndef ISMS_INPUTS_INPUT_DIFF_H
#define ISMS_INPUTS_INPUT_DIFF_H

#include <stddef.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/inputs/v1/inputs.pb-c.h>

struct input_diff {
    Isms__Inputs__V1__InputChange__Operation operation;
    size_t count;
    Isms__Inputs__V1__FieldChange **fields;
};

/* From `before` ("": there was nothing) to `after`, both rows of inputs.input in canonical form. Columns that every
 * write changes, and those that the operation itself says, are left out. Of two lists, what is alike at their
 * beginning and at their end stays where it is, and the items between are compared in order; so one item that was
 * added or removed is told as one. All memory is the arena's. DATA_CORRUPT on what is no JSON object. */
int input_diff(const char *before, const char *after, struct arena *arena, struct input_diff *ret_diff,
               struct err *err) MUST_CHECK;

#endif
