/* oscal_evidence.h: observations as evidence of what rests on them. */
#ifndef ISMS_INPUTS_OSCAL_EVIDENCE_H
#define ISMS_INPUTS_OSCAL_EVIDENCE_H

#include "oscal_document.h"
#include "oscal_draft.h"

/* The observations that the thing refers to. */
void oscal_evidence_add(struct oscal *oscal, struct oscal_draft *draft, const json_t *thing);

/* The holder's observations that nothing refers to, which are evidence of the holder itself. */
void oscal_evidence_add_others(struct oscal *oscal, struct oscal_draft *draft, const json_t *holder);

#endif
