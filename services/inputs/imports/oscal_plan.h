/* oscal_plan.h: a plan of action and milestones: what is to be done about risks. */
#ifndef ISMS_INPUTS_OSCAL_PLAN_H
#define ISMS_INPUTS_OSCAL_PLAN_H

#include "oscal_document.h"

/* All but the document itself. */
void oscal_plan_make(struct oscal *oscal);

#endif
