/* oscal_risk.h: risks and their remediations, which both kinds of document have. */
#ifndef ISMS_INPUTS_OSCAL_RISK_H
#define ISMS_INPUTS_OSCAL_RISK_H

#include "oscal_document.h"

void oscal_risk_make(struct oscal *oscal, const json_t *risk);

/* Of all the risks: treatments. */
void oscal_remediations_make(struct oscal *oscal, const json_t *risks);

#endif
