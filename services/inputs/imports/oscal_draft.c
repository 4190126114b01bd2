/* oscal_draft.c: inputs are written as proto JSON, and held to the rules of their fields. */
#include "oscal_draft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <isms/proto/json.h>
#include <isms/proto/validate.h>

#include "oscal_text.h"

void oscal_draft_init(struct oscal_draft *draft, const json_t *thing, const char *title)
{
    draft->input = json_pack("{s:s, s:s, s:[], s:[]}", "title", title, "external_id", oscal_text(thing, "uuid"),
                             "labels", "evidence");
    draft->references = json_array();
    buf_init(&draft->summary, OSCAL_TEXT_MAX);
    buf_text(&draft->summary, oscal_text(thing, "description"));
}

void oscal_draft_set(struct oscal_draft *draft, const char *field, const char *value)
{
    if (*value)
        json_object_set_new(draft->input, field, json_string(value));
}

void oscal_draft_label(struct oscal_draft *draft, const char *name, const char *value)
{
    if (*value)
        json_array_append_new(json_object_get(draft->input, "labels"), json_sprintf("%s=%s", name, value));
}

json_t *oscal_draft_detail(struct oscal_draft *draft, const char *kind, json_t *detail)
{
    json_object_set_new(draft->input, kind, detail);
    return detail;
}

void oscal_detail_set(json_t *detail, const char *field, const char *value)
{
    if (*value)
        json_object_set_new(detail, field, json_string(value));
}

bool oscal_draft_refer(struct oscal *oscal, struct oscal_draft *draft, const char *field, const char *uuid)
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

void oscal_draft_relate(struct oscal *oscal, struct oscal_draft *draft, const json_t *thing, const char *list,
                        const char *member, const char *first_field)
{
    const json_t *related;
    size_t index;
    json_array_foreach(json_object_get(thing, list), index, related) {
        const char *uuid = oscal_text(related, member);
        const char *owner = json_string_value(json_object_get(oscal->owners, uuid));
        bool known = oscal_draft_refer(oscal, draft, index == 0 && first_field ? first_field : "related_ids", uuid);
        if (!known || strcmp(owner, uuid) != 0) /* the uuid itself is not lost where it is of a part */
            buf_printf(&draft->summary, "\n%s[%zu].%s: %s", list, index, member, uuid);
    }
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

/* Of two things with one uuid, the second would be stored over the first. */
static bool id_is_own(struct oscal *oscal, const char *id)
{
    const json_t *first = json_object_get(oscal->ids, id);
    char message[60];
    if (*id && !first) {
        oscal->failed |= json_object_set_new(oscal->ids, id, json_integer(oscal->made)) < 0;
        return !oscal->failed;
    }
    snprintf(message, sizeof(message), "is that of item %" JSON_INTEGER_FORMAT " as well", json_integer_value(first));
    draft_fault(oscal, "uuid", *id ? message : "is required");
    return false;
}

static char *text_keep(struct oscal *oscal, json_t *value)
{
    char *text = json_dumps(value, 0);
    char *kept = text ? arena_strdup(oscal->reading->arena, text) : NULL;
    free(text);
    return kept;
}

static void item_give(struct oscal *oscal, struct oscal_draft *draft)
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
        if (!id_is_own(oscal, input->external_id))
            return;
        if (message_validate(oscal->type, message, &err) == 0) {
            struct import_item item = {
                .message = message, .row = oscal->made, .level = (int)oscal->level, .references = references,
                .local_times = ""};
            oscal->failed = oscal->errors->count == 0 &&
                            oscal->reading->on_item(oscal->reading->context, &item) < 0;
            return;
        }
    }
    oscal->failed |= arena_exhausted(oscal->reading->arena);
    violations_note(oscal, &err);
}

void oscal_draft_finish(struct oscal *oscal, struct oscal_draft *draft)
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
