/* report_figures.h: the figures at the head of a report. */
#ifndef ISMS_REPORTING_REPORT_FIGURES_H
#define ISMS_REPORTING_REPORT_FIGURES_H

#include "report.h"

/* Adds a block of them; of what a review does not have yet there is none. */
void report_figures(struct document *document, const struct report_facts *facts, struct block *section);

#endif
