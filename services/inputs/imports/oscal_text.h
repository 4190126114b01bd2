/* oscal_text.h: what inputs have no field for, as text that people can read and programs can find again. */
#ifndef ISMS_INPUTS_OSCAL_TEXT_H
#define ISMS_INPUTS_OSCAL_TEXT_H

#include <stdbool.h>

#include <jansson.h>

#include <isms/base/buf.h>

/* Appends "path: value" lines for every value of the object but those of the members named by `taken` (ended by NULL;
 * may be NULL). */
void oscal_rest_append(struct buf *text, const json_t *object, const char *const *taken);

/* The member's text; "" where it is none. */
const char *oscal_text(const json_t *object, const char *member);

/* The day as the document writes it, in its own offset; "" where there is none. */
const char *oscal_day(const json_t *object, const char *member, char storage[static 11]);

#endif
