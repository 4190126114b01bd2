/* oscal_reader.h: OSCAL 1.1 in JSON: assessment-results, and plan-of-action-and-milestones.
 *
 * What becomes what is told in docs/import.md. Every value of the document has a place: where an input has no field for
 * it, its path and the value stand in the summary. An input is known by the uuid of what it was made of; what refers to
 * a uuid that is within another thing's refers to that thing's input. Nesting, size and number of values are bounded,
 * and so is the memory that the document takes. */
#ifndef ISMS_INPUTS_OSCAL_READER_H
#define ISMS_INPUTS_OSCAL_READER_H

#include <isms/base/attributes.h>
#include <isms/base/err.h>

#include "import_read.h"

enum { OSCAL_BYTES_MAX = 8 * 1024 * 1024, OSCAL_DEPTH_MAX = 64, OSCAL_VALUES_MAX = 200 * 1000 };

/* As import_read(). */
int oscal_read(const struct import_reading *reading, struct import_errors *errors, struct import_outcome *outcome,
               struct err *err) MUST_CHECK;

#endif
