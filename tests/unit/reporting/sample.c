/* sample.c: reads sample.json, a member a message, in the proto JSON of the API. */
#include "sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <isms/proto/json.h>
#include <isms/reporting/v1/internal.pb-c.h>

#include "html.h"
#include "json.h"

enum { MEMORY_MAX = 64 * 1024 * 1024, REPORT_MAX = 8 * 1024 * 1024 };

static void *die(const char *what, const char *why)
{
    fprintf(stderr, "sample.json: %s: %s\n", what, why);
    exit(1);
}

static void *message_read(struct sample *sample, const json_t *json, const char *name,
                          const ProtobufCMessageDescriptor *descriptor)
{
    struct err err = {0};
    ProtobufCMessage *message;
    char *text = json_dumps(json, JSON_ENCODE_ANY);
    if (!text)
        die(name, "missing");
    if (json_read(descriptors_message_of(sample->descriptors, descriptor), text, strlen(text), false,
                  &sample->arena, &message, &err) < 0)
        die(name, err.violation_count ? err.violations[0].field : err.message);
    free(text);
    return message;
}

static void *messages_read(struct sample *sample, const json_t *json, const char *name,
                           const ProtobufCMessageDescriptor *descriptor, size_t *ret_count)
{
    size_t count = json_array_size(json);
    void **messages = ARENA_ARRAY(&sample->arena, count, void *);
    for (size_t i = 0; i < count; i++)
        messages[i] = message_read(sample, json_array_get(json, i), name, descriptor);
    *ret_count = count;
    return messages;
}

static void people_of(struct sample *sample, const Isms__Reviews__V1__SignedRecord *record)
{
    struct person *people = ARENA_ARRAY(&sample->arena, record->n_people, struct person);
    for (size_t i = 0; i < record->n_people; i++)
        people[i] = (struct person){.id = record->people[i]->member_id, .name = record->people[i]->name};
    sample->facts.people = people;
    sample->facts.people_count = record->n_people;
}

static void frozen_read(struct sample *sample, const json_t *json)
{
    struct report_facts *facts = &sample->facts;
    facts->snapshot = message_read(sample, json_object_get(json, "snapshot"), "snapshot",
                                   &isms__inputs__v1__snapshot__descriptor);
    sample->inputs = messages_read(sample, json_object_get(json, "inputs"), "inputs",
                                   &isms__inputs__v1__input__descriptor, &facts->input_count);
    facts->inputs = sample->inputs;
    facts->actions = message_read(sample, json_object_get(json, "actions"), "actions",
                                  &isms__actions__v1__action_snapshot__descriptor);
    facts->decisions = messages_read(sample, json_object_get(json, "decisions"), "decisions",
                                     &isms__reviews__v1__decision__descriptor, &facts->decision_count);
}

/* Back to how the review was before anything was done. */
static void unhold(json_t *review)
{
    static const char *const later[] = {
        "attendance",  "previous_actions", "conclusions",           "waivers",               "minutes",
        "open_time",   "opening_id",       "input_snapshot_sha256", "action_snapshot_sha256", "preparer_id"};
    json_t *item;
    size_t i;
    for (i = 0; i < ARRAY_SIZE(later); i++)
        json_object_del(review, later[i]);
    json_array_foreach(json_object_get(review, "agenda"), i, item)
    {
        json_object_del(item, "considered");
        json_object_del(item, "discussion");
    }
}

void sample_load(struct sample *sample, enum sample_kind kind)
{
    json_error_t error;
    struct err err = {0};
    json_t *json = json_load_file(SAMPLE, 0, &error);
    if (!json)
        die("file", error.text);
    *sample = (struct sample){0};
    arena_init(&sample->arena, MEMORY_MAX);
    if (descriptors_new(&isms_descriptors_source, &sample->descriptors, &err) < 0)
        die("descriptors", err.message);
    struct report_facts *facts = &sample->facts;
    facts->organisation = message_read(sample, json_object_get(json, "organisation"), "organisation",
                                       &isms__reviews__v1__organisation__descriptor);
    facts->programme = message_read(sample, json_object_get(json, "programme"), "programme",
                                    &isms__reviews__v1__programme__descriptor);
    json_t *review = json_object_get(json, "review");
    if (kind == SAMPLE_PLANNED)
        unhold(review);
    sample->review = message_read(sample, review, "review", &isms__reviews__v1__review__descriptor);
    facts->review = sample->review;
    const Isms__Reviews__V1__SignedRecord *record = message_read(
        sample, json_object_get(json, "record"), "record", &isms__reviews__v1__signed_record__descriptor);
    people_of(sample, record);
    if (kind == SAMPLE_SIGNED) {
        facts->record = record;
        facts->signer_id = sample->review->chair_id;
        facts->seal_number = 12;
        facts->seal_sha256 = record->sha256;
    }
    if (kind != SAMPLE_PLANNED)
        frozen_read(sample, json);
    sample->review->state = kind == SAMPLE_SIGNED ? ISMS__REVIEWS__V1__REVIEW_STATE__REVIEW_STATE_UNSPECIFIED
                            : kind == SAMPLE_DRAFT
                                ? ISMS__REVIEWS__V1__REVIEW_STATE__REVIEW_STATE_MINUTES_DRAFTED
                                : ISMS__REVIEWS__V1__REVIEW_STATE__REVIEW_STATE_PLANNED;
    json_decref(json);
}

void sample_release(struct sample *sample)
{
    descriptors_free(sample->descriptors);
    arena_release(&sample->arena);
}

struct document sample_document(struct sample *sample)
{
    struct document document;
    document_init(&document, &sample->arena, "Management review report");
    report_build(&sample->facts, &document);
    return document;
}

struct buf sample_html(struct sample *sample)
{
    struct document document = sample_document(sample);
    struct buf buf;
    buf_init_arena(&buf, &sample->arena, REPORT_MAX);
    html_render(&document, &buf);
    return buf;
}

struct buf sample_json(struct sample *sample)
{
    struct document document = sample_document(sample);
    struct buf buf;
    buf_init_arena(&buf, &sample->arena, REPORT_MAX);
    json_render(&document, &buf);
    return buf;
}
