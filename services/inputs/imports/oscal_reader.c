/* oscal_reader.c: the document is read whole, within its limits, and its things are made inputs in the order in which
 * they may refer to each other. */
#include "oscal_reader.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "oscal_draft.h"
#include "oscal_evidence.h"
#include "oscal_plan.h"
#include "oscal_results.h"
#include "oscal_text.h"

/* --- the document --------------------------------------------------------------------------------------- */

/* The document itself: documented information in the sense of clause 7.5. */
static void document_make(struct oscal *oscal, bool is_plan)
{
    static const char *const taken[] = {"uuid", "results", "observations", "risks", "findings", "poam-items", NULL};
    const json_t *metadata = json_object_get(oscal->root, "metadata");
    struct oscal_draft draft;
    char day[11];
    oscal->level = LEVEL_DOCUMENT;
    oscal_draft_init(&draft, oscal->root, oscal_text(metadata, "title"));
    oscal_draft_set(&draft, "effective_date", oscal_day(metadata, "last-modified", day));
    oscal_rest_append(&draft.summary, oscal->root, taken);
    json_t *detail = oscal_draft_detail(
        &draft, "policy", json_pack("{s:s, s:s}", "type", is_plan ? "PLAN" : "OTHER", "status", "IN_FORCE"));
    oscal_detail_set(detail, "version", oscal_text(metadata, "version"));
    if (is_plan)
        oscal_evidence_add_others(oscal, &draft, oscal->root);
    oscal_draft_finish(oscal, &draft);
}

/* Things that are listed elsewhere than in a list would be passed over without a word. */
static bool lists_check(struct oscal *oscal, const json_t *holder)
{
    static const char *const lists[] = {"results", "observations", "risks", "findings", "poam-items"};
    bool right = true;
    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        const json_t *list = json_object_get(holder, lists[i]);
        if (!list || json_is_array(list))
            continue;
        import_errors_add(oscal->errors, 1, 0, lists[i], "is not a list");
        right = false;
    }
    return right;
}

static bool document_check(struct oscal *oscal)
{
    const json_t *result;
    size_t i;
    bool right = lists_check(oscal, oscal->root);
    json_array_foreach(json_object_get(oscal->root, "results"), i, result)
        right = lists_check(oscal, result) && right;
    return right;
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
    if (results && plan) {
        import_errors_add(oscal->errors, 1, 0, "", "has two documents: import each by itself");
        return;
    }
    const char *version = oscal_text(json_object_get(oscal->root, "metadata"), "oscal-version");
    if (strncmp(version, "1.", 2) != 0) {
        import_errors_add(oscal->errors, 1, 0, "oscal-version", "is not 1.1, nor another 1");
        return;
    }
    if (!document_check(oscal))
        return;
    json_object_set_new(oscal->owners, oscal_text(oscal->root, "uuid"), json_string(oscal_text(oscal->root, "uuid")));
    if (plan)
        oscal_document_observe(oscal, oscal->root);
    document_make(oscal, plan != NULL);
    if (results)
        oscal_results_make(oscal);
    else
        oscal_plan_make(oscal);
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
    struct oscal oscal;
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
    oscal_document_init(&oscal, reading, errors);
    document_read(&oscal, document);
    oscal_document_release(&oscal);
    json_decref(document);
    if (oscal.failed && err->reason == ERR_OK)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    return oscal.failed ? -1 : outcome_set(&oscal, outcome);
}
