/* oscal_document.c: a walk through the document, by which a reference to any part of a thing finds the thing. */
#include "oscal_document.h"

#include <string.h>

#include <isms/base/buf.h>

#include "oscal_text.h"

void oscal_document_init(struct oscal *oscal, const struct import_reading *reading, struct import_errors *errors)
{
    *oscal = (struct oscal){
        .reading = reading,
        .errors = errors,
        .type = descriptors_message(reading->descriptors, "isms.inputs.v1.Input"),
        .owners = json_object(),
        .observations = json_object(),
        .referred = json_object(),
        .ids = json_object(),
    };
}

void oscal_document_release(struct oscal *oscal)
{
    json_decref(oscal->owners);
    json_decref(oscal->observations);
    json_decref(oscal->referred);
    json_decref(oscal->ids);
}

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

void oscal_document_observe(struct oscal *oscal, const json_t *holder)
{
    const json_t *observation;
    size_t index;
    json_array_foreach(json_object_get(holder, "observations"), index, observation)
        json_object_set(oscal->observations, oscal_text(observation, "uuid"), (json_t *)observation);
    referred_index(oscal, holder);
}

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

void oscal_document_own(struct oscal *oscal, const json_t *things)
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

void oscal_document_assessors(const struct oscal *oscal, char ret_name[static OSCAL_NAME_SIZE])
{
    const json_t *metadata = json_object_get(oscal->root, "metadata");
    const json_t *responsible;
    const json_t *uuid;
    const json_t *party;
    size_t i;
    size_t j;
    size_t k;
    struct buf name;
    buf_init_fixed(&name, ret_name, OSCAL_NAME_SIZE);
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
