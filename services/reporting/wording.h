/* wording.h: the words of enums, dates and numbers in a report. */
#ifndef ISMS_REPORTING_WORDING_H
#define ISMS_REPORTING_WORDING_H

#include <protobuf-c/protobuf-c.h>

#include <google/protobuf/timestamp.pb-c.h>
#include <isms/base/arena.h>

#include "document.h"

/* "Partly done" for ACTION_STATE_PARTLY_DONE: the value's name without the enum's, in words. "–" for
 * UNSPECIFIED. */
const char *word_of_enum(struct arena *arena, const ProtobufCEnumDescriptor *type, int value);

/* The same for a name without its enum: "PARTLY_DONE". */
const char *word_of_name(struct arena *arena, const char *name);

/* "2026-03-01 09:30 UTC"; "" for NULL. */
const char *word_of_time(struct arena *arena, const Google__Protobuf__Timestamp *time);

/* At most six digits that mean something, with the unit. */
const char *word_of_number(struct arena *arena, double value, const char *unit);

/* "–" for an empty text. */
const char *or_dash(const char *text);

#endif
