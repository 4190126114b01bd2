/* report_kinds.h: the inputs of one kind as a table: the columns that a manager asks for. */
#ifndef ISMS_REPORTING_REPORT_KINDS_H
#define ISMS_REPORTING_REPORT_KINDS_H

#include "report.h"

#define KIND(name) ISMS__INPUTS__V1__INPUT_KIND__INPUT_KIND_##name

/* Adds a table of all frozen inputs of the kind to the section, under a title of its own where the section has other
 * kinds too. Where there are none it says so, but of the kinds that the standard does not ask for by name. */
void report_kind_build(const struct report_facts *facts, struct document *document, struct block *section,
                       Isms__Inputs__V1__InputKind kind);

/* "NC-2026-014 Backups were not restored" for an input that was frozen; its id for another. */
const char *report_input_name(const struct report_facts *facts, struct arena *arena, const char *id);

#endif
