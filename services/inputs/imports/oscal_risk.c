/* oscal_risk.c: a risk's likelihood and impact are words on nobody's scale, and so are labels. */
#include "oscal_risk.h"

#include <string.h>

#include "oscal_draft.h"
#include "oscal_evidence.h"
#include "oscal_text.h"

static void facets_label(struct oscal_draft *draft, const json_t *risk)
{
    const json_t *characterization;
    const json_t *facet;
    size_t i;
    size_t j;
    json_array_foreach(json_object_get(risk, "characterizations"), i, characterization)
        json_array_foreach(json_object_get(characterization, "facets"), j, facet)
            oscal_draft_label(draft, oscal_text(facet, "name"), oscal_text(facet, "value"));
}

/* What the first remediation that says so does with the risk, and why. */
static void response_set(json_t *detail, const json_t *risk)
{
    static const char *const responses[][2] = {
        {"accept", "ACCEPT"}, {"mitigate", "MITIGATE"}, {"transfer", "TRANSFER"}, {"share", "TRANSFER"},
        {"avoid", "AVOID"}};
    const json_t *remediation;
    const json_t *prop;
    size_t i;
    size_t j;
    json_array_foreach(json_object_get(risk, "remediations"), i, remediation)
        json_array_foreach(json_object_get(remediation, "props"), j, prop)
            for (size_t k = 0; k < ARRAY_SIZE(responses); k++)
                if (strcmp(oscal_text(prop, "name"), "type") == 0 &&
                    strcmp(oscal_text(prop, "value"), responses[k][0]) == 0 && !json_object_get(detail, "response")) {
                    oscal_detail_set(detail, "response", responses[k][1]);
                    oscal_detail_set(detail, "rationale", oscal_text(remediation, "description"));
                }
}

void oscal_risk_make(struct oscal *oscal, const json_t *risk)
{
    static const char *const taken[] = {"uuid", "title", "description", "statement", "remediations",
                                        "related-observations", NULL};
    const char *status = oscal_text(risk, "status");
    struct oscal_draft draft;
    char day[11];
    oscal->level = LEVEL_RISK;
    oscal_draft_init(&draft, risk, oscal_text(risk, "title"));
    oscal_draft_set(&draft, "state", strcmp(status, "closed") == 0 ? "CLOSED"
                               : strcmp(status, "open") == 0 ? "OPEN"
                                                             : "IN_PROGRESS");
    oscal_draft_label(&draft, "status", status);
    facets_label(&draft, risk);
    oscal_draft_set(&draft, "due_date", oscal_day(risk, "deadline", day));
    oscal_rest_append(&draft.summary, risk, taken);
    json_t *detail = oscal_draft_detail(&draft, "risk", json_object());
    oscal_detail_set(detail, "scenario", oscal_text(risk, "statement"));
    response_set(detail, risk);
    oscal_evidence_add(oscal, &draft, risk);
    oscal_draft_refer(oscal, &draft, "related_ids", oscal->audit_id);
    oscal_draft_finish(oscal, &draft);
}

/* The first and the last day of the remediation's tasks. */
static void tasks_days(const json_t *remediation, char first[static 11], char last[static 11])
{
    static const char *const timings[] = {"within-date-range", "on-date"};
    const json_t *task;
    size_t index;
    char day[11];
    first[0] = last[0] = '\0';
    json_array_foreach(json_object_get(remediation, "tasks"), index, task)
        for (size_t i = 0; i < ARRAY_SIZE(timings); i++) {
            const json_t *timing = json_object_get(json_object_get(task, "timing"), timings[i]);
            if (*oscal_day(timing, i == 0 ? "start" : "date", day) && (!*first || strcmp(day, first) < 0))
                memcpy(first, day, sizeof(day));
            if (*oscal_day(timing, i == 0 ? "end" : "date", day) && strcmp(day, last) > 0)
                memcpy(last, day, sizeof(day));
        }
}

static void remediation_make(struct oscal *oscal, const json_t *risk, const json_t *remediation)
{
    static const char *const taken[] = {"uuid", "title", "description", "lifecycle", NULL};
    const char *lifecycle = oscal_text(remediation, "lifecycle");
    struct oscal_draft draft;
    char first[11];
    char last[11];
    oscal->level = LEVEL_FINDING;
    oscal_draft_init(&draft, remediation, oscal_text(remediation, "title"));
    tasks_days(remediation, first, last);
    oscal_draft_set(&draft, "effective_date", first);
    oscal_draft_set(&draft, "due_date", last);
    oscal_draft_set(&draft, "state", strcmp(lifecycle, "completed") == 0 ? "CLOSED" : "OPEN");
    oscal_rest_append(&draft.summary, remediation, taken);
    json_t *detail = oscal_draft_detail(&draft, "treatment", json_object());
    oscal_detail_set(detail, "status_note", lifecycle);
    oscal_draft_refer(oscal, &draft, "treatment.risk_id", oscal_text(risk, "uuid"));
    oscal_draft_finish(oscal, &draft);
}

void oscal_remediations_make(struct oscal *oscal, const json_t *risks)
{
    const json_t *risk;
    const json_t *remediation;
    size_t i;
    size_t j;
    json_array_foreach(risks, i, risk)
        json_array_foreach(json_object_get(risk, "remediations"), j, remediation)
            remediation_make(oscal, risk, remediation);
}
