/* oscal_finding.h: findings, which both kinds of document have. */
#ifndef ISMS_INPUTS_OSCAL_FINDING_H
#define ISMS_INPUTS_OSCAL_FINDING_H

#include "oscal_document.h"

/* `result`: where it was found, which says when. */
void oscal_finding_make(struct oscal *oscal, const json_t *result, const json_t *finding);

/* What the finding says of the fulfilment of its target is a compliance status of its own. */
void oscal_compliance_make(struct oscal *oscal, const json_t *result, const json_t *finding);

#endif
