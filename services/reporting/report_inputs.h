/* report_inputs.h: the sections of a report on what clause 9.3.2 b) to g) wants considered, and what report.c
 * and they share. */
#ifndef ISMS_REPORTING_REPORT_INPUTS_H
#define ISMS_REPORTING_REPORT_INPUTS_H

#include "report.h"

void report_inputs_build(const struct report_facts *facts, struct document *document);

/* NULL: the snapshot has no trend of the kind, or there is no snapshot. */
const Isms__Inputs__V1__InputTrend *report_trend_of(const struct report_facts *facts, Isms__Inputs__V1__InputKind kind);

/* A section with the title and clause of the agenda's item, and what was said on it. */
struct block *report_section(struct document *document, const struct report_facts *facts, const char *key,
                             const char *title);

/* The member's name; "–" for no member, "(name erased)" for one whose name is gone. */
const char *report_person(const struct report_facts *facts, const char *id);

/* NULL where it is not known. Of a signed review only the names in its record are. */
const char *report_person_name(const struct report_facts *facts, const char *id);

#endif
