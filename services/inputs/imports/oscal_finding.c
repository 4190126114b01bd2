/* oscal_finding.c: a finding, and the compliance status that it states. */
#include "oscal_finding.h"

#include <stdio.h>
#include <string.h>

#include "oscal_draft.h"
#include "oscal_evidence.h"
#include "oscal_text.h"

void oscal_finding_make(struct oscal *oscal, const json_t *result, const json_t *finding)
{
    static const char *const taken[] = {"uuid", "title", "description", "related-observations", "related-risks", NULL};
    const json_t *target = json_object_get(finding, "target");
    bool satisfied = strcmp(oscal_text(json_object_get(target, "status"), "state"), "satisfied") == 0;
    struct oscal_draft draft;
    char day[11];
    oscal->level = LEVEL_FINDING;
    oscal_draft_init(&draft, finding, oscal_text(finding, "title"));
    if (!*oscal_day(result, "end", day))
        oscal_day(result, "start", day);
    oscal_draft_set(&draft, "effective_date", day);
    oscal_draft_set(&draft, "state", satisfied ? "CLOSED" : "OPEN");
    oscal_draft_set(&draft, "closed_date", satisfied ? day : "");
    oscal_rest_append(&draft.summary, finding, taken);
    json_t *detail = oscal_draft_detail(&draft, "finding", json_object());
    oscal_detail_set(detail, "reference", oscal_text(target, "target-id"));
    oscal_evidence_add(oscal, &draft, finding);
    oscal_draft_refer(oscal, &draft, "finding.audit_id", oscal->audit_id);
    oscal_draft_relate(oscal, &draft, finding, "related-risks", "risk-uuid", NULL);
    oscal_draft_finish(oscal, &draft);
}

void oscal_compliance_make(struct oscal *oscal, const json_t *result, const json_t *finding)
{
    const json_t *target = json_object_get(finding, "target");
    const char *state = oscal_text(json_object_get(target, "status"), "state");
    const char *plan = oscal_text(json_object_get(oscal->root, "import-ap"), "href");
    struct oscal_draft draft;
    char day[11];
    char assessor[OSCAL_NAME_SIZE];
    char id[OSCAL_ID_SIZE];
    if (!*state || !*oscal_text(target, "target-id"))
        return;
    oscal->level = LEVEL_PLAN;
    oscal_draft_init(&draft, NULL, oscal_text(finding, "title"));
    snprintf(id, sizeof(id), "%.60s/target", oscal_text(finding, "uuid"));
    oscal_draft_set(&draft, "external_id", id);
    if (!*oscal_day(result, "end", day))
        oscal_day(result, "start", day);
    oscal_draft_set(&draft, "effective_date", day);
    bool satisfied = strcmp(state, "satisfied") == 0;
    json_t *detail = oscal_draft_detail(&draft, "compliance",
                                  json_pack("{s:s, s:s, s:s}", "framework", *plan ? plan : "OSCAL assessment plan",
                                            "reference", oscal_text(target, "target-id"), "status",
                                            satisfied ? "COMPLIANT" : "NOT_COMPLIANT"));
    oscal_detail_set(detail, "assessed_date", day);
    oscal_document_assessors(oscal, assessor);
    oscal_detail_set(detail, "assessor", assessor);
    oscal_detail_set(detail, "gap", satisfied ? "" : oscal_text(target, "description"));
    oscal_draft_refer(oscal, &draft, "related_ids", oscal_text(finding, "uuid"));
    oscal_draft_refer(oscal, &draft, "related_ids", oscal->audit_id);
    oscal_draft_finish(oscal, &draft);
}
