/* oscal_results.c: level by level over all results, since rows are stored in the order of their levels. */
#include "oscal_results.h"

#include <stdio.h>

#include "oscal_draft.h"
#include "oscal_evidence.h"
#include "oscal_finding.h"
#include "oscal_risk.h"
#include "oscal_text.h"

static void result_make(struct oscal *oscal, const json_t *result)
{
    static const char *const taken[] = {"uuid", "title", "description", "observations", "risks", "findings", NULL};
    struct oscal_draft draft;
    char day[11];
    char assessor[OSCAL_NAME_SIZE];
    oscal->level = LEVEL_AUDIT;
    oscal_draft_init(&draft, result, oscal_text(result, "title"));
    oscal_draft_set(&draft, "effective_date", oscal_day(result, "start", day));
    if (*oscal_day(result, "end", day)) {
        oscal_draft_set(&draft, "state", "CLOSED");
        oscal_draft_set(&draft, "closed_date", day);
    }
    oscal_rest_append(&draft.summary, result, taken);
    json_t *detail = oscal_draft_detail(&draft, "audit", json_pack("{s:s}", "type", "OTHER"));
    oscal_document_assessors(oscal, assessor);
    oscal_detail_set(detail, "auditor", assessor);
    oscal_detail_set(detail, "criteria", oscal_text(json_object_get(oscal->root, "import-ap"), "href"));
    oscal_draft_refer(oscal, &draft, "related_ids", oscal_text(oscal->root, "uuid"));
    oscal_evidence_add_others(oscal, &draft, result);
    oscal_draft_finish(oscal, &draft);
}

void oscal_results_make(struct oscal *oscal)
{
    const json_t *results = json_object_get(oscal->root, "results");
    const json_t *result;
    const json_t *thing;
    size_t i;
    size_t j;
    json_array_foreach(results, i, result) {
        oscal_document_observe(oscal, result);
        json_object_set_new(oscal->owners, oscal_text(result, "uuid"), json_string(oscal_text(result, "uuid")));
        oscal_document_own(oscal, json_object_get(result, "risks"));
        oscal_document_own(oscal, json_object_get(result, "findings"));
    }
    json_array_foreach(results, i, result)
        result_make(oscal, result);
    for (enum oscal_level level = LEVEL_RISK; level <= LEVEL_PLAN; level++)
        json_array_foreach(results, i, result) {
            snprintf(oscal->audit_id, sizeof(oscal->audit_id), "%s", oscal_text(result, "uuid"));
            if (level == LEVEL_RISK)
                json_array_foreach(json_object_get(result, "risks"), j, thing)
                    oscal_risk_make(oscal, thing);
            if (level == LEVEL_FINDING)
                oscal_remediations_make(oscal, json_object_get(result, "risks"));
            json_array_foreach(json_object_get(result, "findings"), j, thing) {
                if (level == LEVEL_FINDING)
                    oscal_finding_make(oscal, result, thing);
                if (level == LEVEL_PLAN)
                    oscal_compliance_make(oscal, result, thing);
            }
        }
}
