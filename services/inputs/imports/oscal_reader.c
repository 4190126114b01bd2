/* oscal_reader.c: the document is read whole, within its limits, and its things are made inputs in the order in which
 * they may refer to each other. Inputs are written as proto JSON, and checked like any other. */
#include "oscal_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <isms/base/buf.h>
#include <isms/proto/json.h>
#include <isms/proto/validate.h>

#include "oscal_text.h"

enum { TEXT_MAX = 64 * 1024, NOTE_MAX = 2000, ID_SIZE = 80 };

/* Where a thing's input may refer to: those of lower levels. */
enum level { LEVEL_DOCUMENT, LEVEL_AUDIT, LEVEL_RISK, LEVEL_FINDING, LEVEL_PLAN };

struct oscal {
    const struct import_reading *reading;
    struct import_errors *errors;
    const struct message_type *type;
    enum level level; /* that is being made */
    int made;
    bool failed;
    const json_t *root; /* the document's one member */
    json_t *owners;     /* uuid → external id of the input that has it */
    json_t *observations; /* uuid → observation */
    json_t *referred;   /* observations that something refers to */
    char audit_id[ID_SIZE]; /* of the result, or of the document */
};

/* An input in the making. */
struct draft {
    json_t *input;
    json_t *references;
    struct buf summary;
};

/* --- drafts --------------------------------------------------------------------------------------------- */

static void draft_init(struct draft *draft, const json_t *thing, const char *title)
{
    draft->input = json_pack("{s:s, s:s, s:[], s:[]}", "title", title, "external_id", oscal_text(thing, "uuid"),
                             "labels", "evidence");
    draft->references = json_array();
    buf_init(&draft->summary, TEXT_MAX);
    buf_text(&draft->summary, oscal_text(thing, "description"));
}

static void draft_set(struct draft *draft, const char *field, const char *value)
{
    if (*value)
        json_object_set_new(draft->input, field, json_string(value));
}

static void draft_label(struct draft *draft, const char *name, const char *value)
{
    if (*value)
        json_array_append_new(json_object_get(draft->input, "labels"), json_sprintf("%s=%s", name, value));
}

/* Takes `detail` over: what makes it the kind it is. */
static json_t *draft_detail(struct draft *draft, const char *kind, json_t *detail)
{
    json_object_set_new(draft->input, kind, detail);
    return detail;
}

static void detail_set(json_t *detail, const char *field, const char *value)
{
    if (*value)
        json_object_set_new(detail, field, json_string(value));
}

/* The owner of the uuid, to `field`; false: nothing in the document has it. */
static bool draft_refer(struct oscal *oscal, struct draft *draft, const char *field, const char *uuid)
{
    const char *owner = json_string_value(json_object_get(oscal->owners, uuid));
    json_t *reference;
    size_t index;
    if (!owner)
        return false;
    json_array_foreach(draft->references, index, reference)
        if (strcmp(oscal_text(reference, "field"), field) == 0) {
            json_array_append_new(json_object_get(reference, "keys"), json_string(owner));
            return true;
        }
    json_array_append_new(draft->references, json_pack("{s:s, s:[s]}", "field", field, "keys", owner));
    return true;
}

static void draft_fault(struct oscal *oscal, const char *field, const char *message)
{
    import_errors_add(oscal->errors, 0, oscal->made, field, message);
}

static void violations_note(struct oscal *oscal, const struct err *err)
{
    if (err->violation_count == 0)
        draft_fault(oscal, "", err->message);
    for (unsigned i = 0; i < err->violation_count; i++) {
        if (i < ERR_VIOLATIONS_MAX)
            draft_fault(oscal, err->violations[i].field, err->violations[i].description);
        else
            oscal->errors->count++;
    }
}

static char *text_keep(struct oscal *oscal, json_t *value)
{
    char *text = json_dumps(value, 0);
    char *kept = text ? arena_strdup(oscal->reading->arena, text) : NULL;
    free(text);
    return kept;
}

static void item_give(struct oscal *oscal, struct draft *draft)
{
    struct err err = {0};
    ProtobufCMessage *message = NULL;
    char *references = json_array_size(draft->references) > 0 ? text_keep(oscal, draft->references) : "";
    char *text = text_keep(oscal, draft->input);
    oscal->failed |= !text || !references;
    if (oscal->failed)
        return;
    if (json_read(oscal->type, text, strlen(text), false, oscal->reading->arena, &message, &err) == 0) {
        Isms__Inputs__V1__Input *input = (Isms__Inputs__V1__Input *)message;
        input->source = oscal->reading->import->source;
        if (!*input->external_id) {
            draft_fault(oscal, "uuid", "is required");
            return;
        }
        if (message_validate(oscal->type, message, &err) == 0) {
            struct import_item item = {
                .message = message, .row = oscal->made, .level = (int)oscal->level, .references = references};
            oscal->failed = oscal->errors->count == 0 &&
                            oscal->reading->on_item(oscal->reading->context, &item) < 0;
            return;
        }
    }
    oscal->failed |= arena_exhausted(oscal->reading->arena);
    violations_note(oscal, &err);
}

static void draft_finish(struct oscal *oscal, struct draft *draft)
{
    oscal->made++;
    if (draft->summary.failed)
        draft_fault(oscal, "summary", "is too long");
    else if (draft->summary.length > 0)
        json_object_set_new(draft->input, "summary", json_stringn(draft->summary.data, draft->summary.length));
    if (!draft->summary.failed && !oscal->failed)
        item_give(oscal, draft);
    json_decref(draft->input);
    json_decref(draft->references);
    buf_release(&draft->summary);
}

/* --- evidence ------------------------------------------------------------------------------------------- */

static void observation_add(struct draft *draft, const json_t *observation)
{
    static const char *const taken[] = {"uuid", "title", "description", NULL};
    char title[300];
    struct buf note;
    const char *name = oscal_text(observation, "title");
    const char *description = oscal_text(observation, "description");
    size_t length = strlen(*name ? name : description);
    for (length = length < 290 ? length : 290; length > 0 && ((*name ? name : description)[length] & 0xC0) == 0x80;)
        length--;
    snprintf(title, sizeof(title), "%.*s", (int)length, *name ? name : description);
    buf_init(&note, TEXT_MAX);
    buf_text(&note, strlen(name) > length ? name : "");
    buf_printf(&note, "%s%s", note.length > 0 ? "\n" : "", description);
    oscal_rest_append(&note, observation, taken);
    json_t *evidence = json_pack("{s:s, s:s+}", "title", title, "uri", "urn:uuid:", oscal_text(observation, "uuid"));
    if (note.length <= NOTE_MAX && note.length > 0) {
        json_object_set_new(evidence, "note", json_stringn(note.data, note.length));
    } else if (note.length > 0) {
        json_object_set_new(evidence, "note", json_string("Told in the summary."));
        buf_printf(&draft->summary, "\n\nObservation %s\n%.*s", oscal_text(observation, "uuid"), (int)note.length,
                   note.data);
    }
    json_array_append_new(json_object_get(draft->input, "evidence"), evidence);
    buf_release(&note);
}

/* The observations that the thing refers to become evidence of its input. */
static void observations_add(struct oscal *oscal, struct draft *draft, const json_t *thing)
{
    const json_t *related;
    size_t index;
    json_array_foreach(json_object_get(thing, "related-observations"), index, related) {
        const char *uuid = oscal_text(related, "observation-uuid");
        const json_t *observation = json_object_get(oscal->observations, uuid);
        if (observation)
            observation_add(draft, observation);
        else
            buf_printf(&draft->summary, "\nrelated-observations[%zu].observation-uuid: %s", index, uuid);
        json_object_set_new(oscal->referred, uuid, json_true());
    }
}

static void observations_index(struct oscal *oscal, const json_t *holder)
{
    const json_t *observation;
    size_t index;
    json_array_foreach(json_object_get(holder, "observations"), index, observation)
        json_object_set(oscal->observations, oscal_text(observation, "uuid"), (json_t *)observation);
}

/* Which observations of the holder something refers to: the rest is evidence of the holder itself. */
static void referred_index(struct oscal *oscal, const json_t *holder)
{
    static const char *const lists[] = {"findings", "risks", "poam-items"};
    const json_t *thing;
    const json_t *related;
    size_t i;
    size_t j;
    for (size_t list = 0; list < ARRAY_SIZE(lists); list++)
        json_array_foreach(json_object_get(holder, lists[list]), i, thing)
            json_array_foreach(json_object_get(thing, "related-observations"), j, related)
                json_object_set_new(oscal->referred, oscal_text(related, "observation-uuid"), json_true());
}

static void others_add(struct oscal *oscal, struct draft *draft, const json_t *holder)
{
    const json_t *observation;
    size_t index;
    json_array_foreach(json_object_get(holder, "observations"), index, observation)
        if (!json_object_get(oscal->referred, oscal_text(observation, "uuid")))
            observation_add(draft, observation);
}

/* --- things --------------------------------------------------------------------------------------------- */

/* Every uuid within `value` is of the input with that external id, but for those of things with their own. */
static void owner_index(struct oscal *oscal, const json_t *value, const char *owner)
{
    const char *key;
    const json_t *item;
    size_t index;
    if (json_is_object(value)) {
        const char *uuid = oscal_text(value, "uuid");
        if (*uuid && !json_object_get(oscal->owners, uuid))
            json_object_set_new(oscal->owners, uuid, json_string(owner));
        json_object_foreach((json_t *)value, key, item)
            if (strcmp(key, "remediations") != 0)
                owner_index(oscal, item, owner);
    }
    json_array_foreach(value, index, item)
        owner_index(oscal, item, owner);
}

static void owners_index(struct oscal *oscal, const json_t *things)
{
    const json_t *thing;
    const json_t *remediation;
    size_t i;
    size_t j;
    json_array_foreach(things, i, thing) {
        owner_index(oscal, thing, oscal_text(thing, "uuid"));
        json_array_foreach(json_object_get(thing, "remediations"), j, remediation)
            owner_index(oscal, remediation, oscal_text(remediation, "uuid"));
    }
}

/* Refers to what the thing names under `list`; what the document does not have is said in the summary. */
static void related_add(struct oscal *oscal, struct draft *draft, const json_t *thing, const char *list,
                        const char *member, const char *first_field)
{
    const json_t *related;
    size_t index;
    json_array_foreach(json_object_get(thing, list), index, related) {
        const char *uuid = oscal_text(related, member);
        const char *owner = json_string_value(json_object_get(oscal->owners, uuid));
        bool known = draft_refer(oscal, draft, index == 0 && first_field ? first_field : "related_ids", uuid);
        if (!known || strcmp(owner, uuid) != 0) /* the uuid itself is not lost where it is of a part */
            buf_printf(&draft->summary, "\n%s[%zu].%s: %s", list, index, member, uuid);
    }
}

/* The document itself: documented information in the sense of clause 7.5. */
static void document_make(struct oscal *oscal, bool is_plan)
{
    static const char *const taken[] = {"uuid", "results", "observations", "risks", "findings", "poam-items", NULL};
    const json_t *metadata = json_object_get(oscal->root, "metadata");
    struct draft draft;
    char day[11];
    oscal->level = LEVEL_DOCUMENT;
    draft_init(&draft, oscal->root, oscal_text(metadata, "title"));
    draft_set(&draft, "effective_date", oscal_day(metadata, "last-modified", day));
    oscal_rest_append(&draft.summary, oscal->root, taken);
    json_t *detail = draft_detail(
        &draft, "policy", json_pack("{s:s, s:s}", "type", is_plan ? "PLAN" : "OTHER", "status", "IN_FORCE"));
    detail_set(detail, "version", oscal_text(metadata, "version"));
    if (is_plan)
        others_add(oscal, &draft, oscal->root);
    draft_finish(oscal, &draft);
}

/* The names of the parties in the role of assessor, separated by commas. */
static void assessor_name(const struct oscal *oscal, char *ret_name, size_t size)
{
    const json_t *metadata = json_object_get(oscal->root, "metadata");
    const json_t *responsible;
    const json_t *uuid;
    const json_t *party;
    size_t i;
    size_t j;
    size_t k;
    struct buf name;
    buf_init_fixed(&name, ret_name, size);
    json_array_foreach(json_object_get(metadata, "responsible-parties"), i, responsible) {
        if (strcmp(oscal_text(responsible, "role-id"), "assessor") != 0)
            continue;
        json_array_foreach(json_object_get(responsible, "party-uuids"), j, uuid)
            json_array_foreach(json_object_get(metadata, "parties"), k, party)
                if (json_is_string(uuid) && strcmp(oscal_text(party, "uuid"), json_string_value(uuid)) == 0)
                    buf_printf(&name, "%s%s", name.length ? ", " : "", oscal_text(party, "name"));
    }
    if (name.length == 0 || name.failed)
        ret_name[0] = '\0';
}

static void result_make(struct oscal *oscal, const json_t *result)
{
    static const char *const taken[] = {"uuid", "title", "description", "observations", "risks", "findings", NULL};
    struct draft draft;
    char day[11];
    char assessor[300];
    oscal->level = LEVEL_AUDIT;
    draft_init(&draft, result, oscal_text(result, "title"));
    draft_set(&draft, "effective_date", oscal_day(result, "start", day));
    if (*oscal_day(result, "end", day)) {
        draft_set(&draft, "state", "CLOSED");
        draft_set(&draft, "closed_date", day);
    }
    oscal_rest_append(&draft.summary, result, taken);
    json_t *detail = draft_detail(&draft, "audit", json_pack("{s:s}", "type", "OTHER"));
    assessor_name(oscal, assessor, sizeof(assessor));
    detail_set(detail, "auditor", assessor);
    detail_set(detail, "criteria", oscal_text(json_object_get(oscal->root, "import-ap"), "href"));
    draft_refer(oscal, &draft, "related_ids", oscal_text(oscal->root, "uuid"));
    others_add(oscal, &draft, result);
    draft_finish(oscal, &draft);
}

static void facets_label(struct draft *draft, const json_t *risk)
{
    const json_t *characterization;
    const json_t *facet;
    size_t i;
    size_t j;
    json_array_foreach(json_object_get(risk, "characterizations"), i, characterization)
        json_array_foreach(json_object_get(characterization, "facets"), j, facet)
            draft_label(draft, oscal_text(facet, "name"), oscal_text(facet, "value"));
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
                    detail_set(detail, "response", responses[k][1]);
                    detail_set(detail, "rationale", oscal_text(remediation, "description"));
                }
}

static void risk_make(struct oscal *oscal, const json_t *risk)
{
    static const char *const taken[] = {"uuid", "title", "description", "statement", "remediations",
                                        "related-observations", NULL};
    const char *status = oscal_text(risk, "status");
    struct draft draft;
    char day[11];
    oscal->level = LEVEL_RISK;
    draft_init(&draft, risk, oscal_text(risk, "title"));
    draft_set(&draft, "state", strcmp(status, "closed") == 0 ? "CLOSED"
                               : strcmp(status, "open") == 0 ? "OPEN"
                                                             : "IN_PROGRESS");
    draft_label(&draft, "status", status);
    facets_label(&draft, risk);
    draft_set(&draft, "due_date", oscal_day(risk, "deadline", day));
    oscal_rest_append(&draft.summary, risk, taken);
    json_t *detail = draft_detail(&draft, "risk", json_object());
    detail_set(detail, "scenario", oscal_text(risk, "statement"));
    response_set(detail, risk);
    observations_add(oscal, &draft, risk);
    draft_refer(oscal, &draft, "related_ids", oscal->audit_id);
    draft_finish(oscal, &draft);
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
    struct draft draft;
    char first[11];
    char last[11];
    oscal->level = LEVEL_FINDING;
    draft_init(&draft, remediation, oscal_text(remediation, "title"));
    tasks_days(remediation, first, last);
    draft_set(&draft, "effective_date", first);
    draft_set(&draft, "due_date", last);
    draft_set(&draft, "state", strcmp(lifecycle, "completed") == 0 ? "CLOSED" : "OPEN");
    oscal_rest_append(&draft.summary, remediation, taken);
    json_t *detail = draft_detail(&draft, "treatment", json_object());
    detail_set(detail, "status_note", lifecycle);
    draft_refer(oscal, &draft, "treatment.risk_id", oscal_text(risk, "uuid"));
    draft_finish(oscal, &draft);
}

static void finding_make(struct oscal *oscal, const json_t *result, const json_t *finding)
{
    static const char *const taken[] = {"uuid", "title", "description", "related-observations", "related-risks", NULL};
    const json_t *target = json_object_get(finding, "target");
    bool satisfied = strcmp(oscal_text(json_object_get(target, "status"), "state"), "satisfied") == 0;
    struct draft draft;
    char day[11];
    oscal->level = LEVEL_FINDING;
    draft_init(&draft, finding, oscal_text(finding, "title"));
    if (!*oscal_day(result, "end", day))
        oscal_day(result, "start", day);
    draft_set(&draft, "effective_date", day);
    draft_set(&draft, "state", satisfied ? "CLOSED" : "OPEN");
    draft_set(&draft, "closed_date", satisfied ? day : "");
    oscal_rest_append(&draft.summary, finding, taken);
    json_t *detail = draft_detail(&draft, "finding", json_object());
    detail_set(detail, "reference", oscal_text(target, "target-id"));
    observations_add(oscal, &draft, finding);
    draft_refer(oscal, &draft, "finding.audit_id", oscal->audit_id);
    related_add(oscal, &draft, finding, "related-risks", "risk-uuid", NULL);
    draft_finish(oscal, &draft);
}

/* What the finding says of the fulfilment of its target is a compliance status of its own. */
static void compliance_make(struct oscal *oscal, const json_t *result, const json_t *finding)
{
    const json_t *target = json_object_get(finding, "target");
    const char *state = oscal_text(json_object_get(target, "status"), "state");
    const char *plan = oscal_text(json_object_get(oscal->root, "import-ap"), "href");
    struct draft draft;
    char day[11];
    char assessor[300];
    char id[ID_SIZE];
    if (!*state || !*oscal_text(target, "target-id"))
        return;
    oscal->level = LEVEL_PLAN;
    draft_init(&draft, NULL, oscal_text(finding, "title"));
    snprintf(id, sizeof(id), "%.60s/target", oscal_text(finding, "uuid"));
    draft_set(&draft, "external_id", id);
    if (!*oscal_day(result, "end", day))
        oscal_day(result, "start", day);
    draft_set(&draft, "effective_date", day);
    bool satisfied = strcmp(state, "satisfied") == 0;
    json_t *detail = draft_detail(&draft, "compliance",
                                  json_pack("{s:s, s:s, s:s}", "framework", *plan ? plan : "OSCAL assessment plan",
                                            "reference", oscal_text(target, "target-id"), "status",
                                            satisfied ? "COMPLIANT" : "NOT_COMPLIANT"));
    detail_set(detail, "assessed_date", day);
    assessor_name(oscal, assessor, sizeof(assessor));
    detail_set(detail, "assessor", assessor);
    detail_set(detail, "gap", satisfied ? "" : oscal_text(target, "description"));
    draft_refer(oscal, &draft, "related_ids", oscal_text(finding, "uuid"));
    draft_refer(oscal, &draft, "related_ids", oscal->audit_id);
    draft_finish(oscal, &draft);
}

static void poam_item_make(struct oscal *oscal, const json_t *item)
{
    static const char *const taken[] = {"uuid", "title", "description", "related-observations", "related-risks",
                                        "related-findings", NULL};
    const char *risk_id = oscal_text(json_array_get(json_object_get(item, "related-risks"), 0), "risk-uuid");
    const char *owner = json_string_value(json_object_get(oscal->owners, risk_id));
    const json_t *risk;
    size_t index;
    struct draft draft;
    char day[11];
    oscal->level = LEVEL_PLAN;
    draft_init(&draft, item, oscal_text(item, "title"));
    json_array_foreach(json_object_get(oscal->root, "risks"), index, risk)
        if (owner && strcmp(owner, oscal_text(risk, "uuid")) == 0)
            draft_set(&draft, "due_date", oscal_day(risk, "deadline", day));
    oscal_rest_append(&draft.summary, item, taken);
    draft_detail(&draft, "treatment", json_object());
    observations_add(oscal, &draft, item);
    related_add(oscal, &draft, item, "related-risks", "risk-uuid", "treatment.risk_id");
    related_add(oscal, &draft, item, "related-findings", "finding-uuid", NULL);
    draft_finish(oscal, &draft);
}

/* --- documents ------------------------------------------------------------------------------------------ */

static void remediations_make(struct oscal *oscal, const json_t *risks)
{
    const json_t *risk;
    const json_t *remediation;
    size_t i;
    size_t j;
    json_array_foreach(risks, i, risk)
        json_array_foreach(json_object_get(risk, "remediations"), j, remediation)
            remediation_make(oscal, risk, remediation);
}

/* Level by level over all results, since rows are stored in the order of their levels. */
static void results_make(struct oscal *oscal)
{
    const json_t *results = json_object_get(oscal->root, "results");
    const json_t *result;
    const json_t *thing;
    size_t i;
    size_t j;
    json_array_foreach(results, i, result) {
        observations_index(oscal, result);
        referred_index(oscal, result);
        json_object_set_new(oscal->owners, oscal_text(result, "uuid"), json_string(oscal_text(result, "uuid")));
        owners_index(oscal, json_object_get(result, "risks"));
        owners_index(oscal, json_object_get(result, "findings"));
    }
    json_array_foreach(results, i, result)
        result_make(oscal, result);
    for (enum level level = LEVEL_RISK; level <= LEVEL_PLAN; level++)
        json_array_foreach(results, i, result) {
            snprintf(oscal->audit_id, sizeof(oscal->audit_id), "%s", oscal_text(result, "uuid"));
            if (level == LEVEL_RISK)
                json_array_foreach(json_object_get(result, "risks"), j, thing)
                    risk_make(oscal, thing);
            if (level == LEVEL_FINDING)
                remediations_make(oscal, json_object_get(result, "risks"));
            json_array_foreach(json_object_get(result, "findings"), j, thing) {
                if (level == LEVEL_FINDING)
                    finding_make(oscal, result, thing);
                if (level == LEVEL_PLAN)
                    compliance_make(oscal, result, thing);
            }
        }
}

static void plan_make(struct oscal *oscal)
{
    const json_t *thing;
    size_t index;
    snprintf(oscal->audit_id, sizeof(oscal->audit_id), "%s", oscal_text(oscal->root, "uuid"));
    owners_index(oscal, json_object_get(oscal->root, "risks"));
    owners_index(oscal, json_object_get(oscal->root, "findings"));
    json_array_foreach(json_object_get(oscal->root, "risks"), index, thing)
        risk_make(oscal, thing);
    remediations_make(oscal, json_object_get(oscal->root, "risks"));
    json_array_foreach(json_object_get(oscal->root, "findings"), index, thing)
        finding_make(oscal, oscal->root, thing);
    json_array_foreach(json_object_get(oscal->root, "findings"), index, thing)
        compliance_make(oscal, oscal->root, thing);
    json_array_foreach(json_object_get(oscal->root, "poam-items"), index, thing)
        poam_item_make(oscal, thing);
}

static void document_read(struct oscal *oscal, const json_t *document)
{
    const json_t *results = json_object_get(document, "assessment-results");
    const json_t *plan = json_object_get(document, "plan-of-action-and-milestones");
    oscal->root = results ? results : plan;
    if (!json_is_object(oscal->root)) {
        import_errors_add(oscal->errors, 1, 0, "", "has neither assessment-results nor plan-of-action-and-milestones");
        return;
    }
    const char *version = oscal_text(json_object_get(oscal->root, "metadata"), "oscal-version");
    if (strncmp(version, "1.", 2) != 0) {
        import_errors_add(oscal->errors, 1, 0, "oscal-version", "is not 1.1, nor another 1");
        return;
    }
    json_object_set_new(oscal->owners, oscal_text(oscal->root, "uuid"), json_string(oscal_text(oscal->root, "uuid")));
    if (plan) {
        observations_index(oscal, oscal->root);
        referred_index(oscal, oscal->root);
    }
    document_make(oscal, plan != NULL);
    if (results)
        results_make(oscal);
    else
        plan_make(oscal);
}

/* --- the file ------------------------------------------------------------------------------------------- */

/* What is wrong with the text before any memory is spent on what is in it; NULL: nothing. */
static const char *text_check(const char *text, size_t length)
{
    int depth = 0;
    int values = 0;
    bool in_text = false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (in_text) {
            i += c == '\\';
            in_text = c != '"';
            continue;
        }
        in_text = c == '"';
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        values += c == '{' || c == '[' || c == ',';
        if (depth > OSCAL_DEPTH_MAX)
            return "is nested too deeply";
        if (values > OSCAL_VALUES_MAX)
            return "has more values than a document to import may have";
    }
    return NULL;
}

static int file_take(const struct import_source *source, char *text)
{
    for (int64_t offset = 0; offset < source->length;) {
        int64_t size = source->read(source->context, offset, text + offset, (size_t)(source->length - offset));
        if (size <= 0)
            return -1;
        offset += size;
    }
    return 0;
}

static json_t *document_load(const struct import_source *source, char *text, struct import_errors *errors)
{
    json_error_t error;
    size_t length = (size_t)source->length;
    size_t mark = length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    const char *fault = text_check(text, length);
    json_t *document = fault ? NULL : json_loadb(text + mark, length - mark, JSON_REJECT_DUPLICATES, &error);
    if (fault)
        import_errors_add(errors, 1, 0, "", fault);
    else if (!document)
        import_errors_add(errors, error.line > 0 ? error.line : 1, 0, "", "is not JSON, or not whole");
    return document;
}

/* Of inputs that are there already, this is taken over: the rest is the organisation's own. */
static const char *const update_paths[] = {
    "title", "summary", "state", "effective_date", "due_date", "closed_date", "labels", "evidence", "related_ids",
    "policy.type", "policy.status", "policy.version", "audit.type", "audit.auditor", "audit.criteria", "risk.scenario",
    "risk.response", "risk.rationale", "treatment.risk_id", "treatment.status_note", "finding.audit_id",
    "finding.reference", "compliance.framework", "compliance.reference", "compliance.status",
    "compliance.assessed_date", "compliance.assessor", "compliance.gap"};

static int outcome_set(const struct oscal *oscal, struct import_outcome *outcome)
{
    outcome->rows = oscal->made;
    outcome->path_count = ARRAY_SIZE(update_paths);
    outcome->paths = ARENA_ARRAY(&oscal->errors->arena, ARRAY_SIZE(update_paths), char *);
    for (size_t i = 0; outcome->paths && i < ARRAY_SIZE(update_paths); i++)
        outcome->paths[i] = (char *)update_paths[i];
    return outcome->paths ? 0 : -1;
}

int oscal_read(const struct import_reading *reading, struct import_errors *errors, struct import_outcome *outcome,
               struct err *err)
{
    struct oscal oscal = {.reading = reading, .errors = errors};
    if (reading->source->length > OSCAL_BYTES_MAX || reading->source->length == 0) {
        import_errors_add(errors, 1, 0, "", reading->source->length ? "is larger than 8 MiB" : "is empty");
        return 0;
    }
    char *text = malloc((size_t)reading->source->length);
    if (!text || file_take(reading->source, text) < 0) {
        free(text);
        return err->reason == ERR_OK ? err_set(err, ERR_OVERLOADED) : -1;
    }
    json_t *document = document_load(reading->source, text, errors);
    free(text);
    if (!document)
        return 0;
    oscal.type = descriptors_message(reading->descriptors, "isms.inputs.v1.Input");
    oscal.owners = json_object();
    oscal.observations = json_object();
    oscal.referred = json_object();
    document_read(&oscal, document);
    json_decref(oscal.owners);
    json_decref(oscal.observations);
    json_decref(oscal.referred);
    json_decref(document);
    if (oscal.failed && err->reason == ERR_OK)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    return oscal.failed ? -1 : outcome_set(&oscal, outcome);
}
