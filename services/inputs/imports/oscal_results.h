/* oscal_results.h: assessment results: audits, and what each of them found. */
#ifndef ISMS_INPUTS_OSCAL_RESULTS_H
#define ISMS_INPUTS_OSCAL_RESULTS_H

#include "oscal_document.h"

/* All but the document itself. */
void oscal_results_make(struct oscal *oscal);

#endif
