/* oscal_evidence.c: what a note has no room for stands in the summary. */
#include "oscal_evidence.h"

#include <stdio.h>
#include <string.h>

#include "oscal_text.h"

enum { NOTE_MAX = 2000 };

static void observation_add(struct oscal_draft *draft, const json_t *observation)
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
    buf_init(&note, OSCAL_TEXT_MAX);
    buf_text(&note, strlen(name) > length ? name : "");
    buf_printf(&note, "%s%s", note.length > 0 ? "\n" : "", description);
    oscal_rest_append(&note, observation, taken);
    draft->summary.failed |= note.failed;
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

void oscal_evidence_add(struct oscal *oscal, struct oscal_draft *draft, const json_t *thing)
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

void oscal_evidence_add_others(struct oscal *oscal, struct oscal_draft *draft, const json_t *holder)
{
    const json_t *observation;
    size_t index;
    json_array_foreach(json_object_get(holder, "observations"), index, observation)
        if (!json_object_get(oscal->referred, oscal_text(observation, "uuid")))
            observation_add(draft, observation);
}
