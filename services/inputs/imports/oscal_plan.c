/* oscal_plan.c: the plan's risks and findings, and its items, which refer to them. */
#include "oscal_plan.h"

#include <stdio.h>
#include <string.h>

#include "oscal_draft.h"
#include "oscal_evidence.h"
#include "oscal_finding.h"
#include "oscal_risk.h"
#include "oscal_text.h"

static void poam_item_make(struct oscal *oscal, const json_t *item)
{
    static const char *const taken[] = {"uuid", "title", "description", "related-observations", "related-risks",
                                        "related-findings", NULL};
    const char *risk_id = oscal_text(json_array_get(json_object_get(item, "related-risks"), 0), "risk-uuid");
    const char *owner = json_string_value(json_object_get(oscal->owners, risk_id));
    const json_t *risk;
    size_t index;
    struct oscal_draft draft;
    char day[11];
    oscal->level = LEVEL_PLAN;
    oscal_draft_init(&draft, item, oscal_text(item, "title"));
    json_array_foreach(json_object_get(oscal->root, "risks"), index, risk)
        if (owner && strcmp(owner, oscal_text(risk, "uuid")) == 0)
            oscal_draft_set(&draft, "due_date", oscal_day(risk, "deadline", day));
    oscal_rest_append(&draft.summary, item, taken);
    oscal_draft_detail(&draft, "treatment", json_object());
    oscal_evidence_add(oscal, &draft, item);
    oscal_draft_relate(oscal, &draft, item, "related-risks", "risk-uuid", "treatment.risk_id");
    oscal_draft_relate(oscal, &draft, item, "related-findings", "finding-uuid", NULL);
    oscal_draft_finish(oscal, &draft);
}

void oscal_plan_make(struct oscal *oscal)
{
    const json_t *thing;
    size_t index;
    snprintf(oscal->audit_id, sizeof(oscal->audit_id), "%s", oscal_text(oscal->root, "uuid"));
    oscal_document_own(oscal, json_object_get(oscal->root, "risks"));
    oscal_document_own(oscal, json_object_get(oscal->root, "findings"));
    json_array_foreach(json_object_get(oscal->root, "risks"), index, thing)
        oscal_risk_make(oscal, thing);
    oscal_remediations_make(oscal, json_object_get(oscal->root, "risks"));
    json_array_foreach(json_object_get(oscal->root, "findings"), index, thing)
        oscal_finding_make(oscal, oscal->root, thing);
    json_array_foreach(json_object_get(oscal->root, "findings"), index, thing)
        oscal_compliance_make(oscal, oscal->root, thing);
    json_array_foreach(json_object_get(oscal->root, "poam-items"), index, thing)
        poam_item_make(oscal, thing);
}
