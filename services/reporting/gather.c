/* gather.c: a report's facts.
 *
 * Of a signed review they come out of the record itself, once it has been verified, and out of the snapshots
 * whose hashes it holds: what was renamed, moved or closed since does not show, so that the same record is the
 * same report. Of any other review they are what the services say now. */
#include "gather.h"

#include <string.h>

#include <isms/base/crypto.h>
#include <isms/proto/json.h>
#include <isms/reporting/v1/internal.pb-c.h>

#include "record.h"
#include "service.h"

enum { PAGE_SIZE = 200, ITEMS_MIN = 64 };

/* Messages of several pages. */
struct items {
    void **messages;
    size_t count;
    size_t capacity;
};

static int no_memory(struct err *err)
{
    return err_setf(err, ERR_MESSAGE_TOO_LARGE, "The report needs more memory than a call may use.");
}

/* `page` is the response's array of pointers to messages. */
static int items_add(struct call *call, struct items *items, void *page, size_t count, struct err *err)
{
    if (items->count + count > items->capacity) {
        size_t capacity = 2 * items->capacity + count + ITEMS_MIN;
        void **messages = ARENA_ARRAY(call_arena(call), capacity, void *);
        if (!messages)
            return no_memory(err);
        if (items->count > 0)
            memcpy(messages, items->messages, items->count * sizeof(*messages));
        items->messages = messages;
        items->capacity = capacity;
    }
    if (count > 0)
        memcpy(items->messages + items->count, page, count * sizeof(void *));
    items->count += count;
    return 0;
}

static int corrupt(struct err *err, const char *what)
{
    return err_setf(err, ERR_DATA_CORRUPT, "The report cannot be made: %s.", what);
}

/* --- lists ---------------------------------------------------------------------------------------------- */

static int decisions_list(struct call *call, char *review_id, struct items *items, struct err *err)
{
    Isms__Reviews__V1__ListDecisionsRequest list = ISMS__REVIEWS__V1__LIST_DECISIONS_REQUEST__INIT;
    list.review_id = review_id;
    list.page_size = PAGE_SIZE;
    do {
        Isms__Reviews__V1__ListDecisionsResponse page = ISMS__REVIEWS__V1__LIST_DECISIONS_RESPONSE__INIT;
        if (call_peer(call, PEER_REVIEWS, "/isms.reviews.v1.ReviewService/ListDecisions", &list.base,
                      &page.base, err) < 0 ||
            items_add(call, items, page.decisions, page.n_decisions, err) < 0)
            return -1;
        list.page_token = page.next_page_token;
    } while (list.page_token[0]);
    return 0;
}

static int members_list(struct call *call, struct items *items, struct err *err)
{
    Isms__Reviews__V1__ListMembersRequest list = ISMS__REVIEWS__V1__LIST_MEMBERS_REQUEST__INIT;
    list.page_size = PAGE_SIZE;
    do {
        Isms__Reviews__V1__ListMembersResponse page = ISMS__REVIEWS__V1__LIST_MEMBERS_RESPONSE__INIT;
        if (call_peer(call, PEER_REVIEWS, "/isms.reviews.v1.MemberService/ListMembers", &list.base, &page.base,
                      err) < 0 ||
            items_add(call, items, page.members, page.n_members, err) < 0)
            return -1;
        list.page_token = page.next_page_token;
    } while (list.page_token[0]);
    return 0;
}

static int inputs_list(struct call *call, const Isms__Inputs__V1__Snapshot *snapshot, struct items *items,
                       struct err *err)
{
    Isms__Inputs__V1__ListSnapshotInputsRequest list = ISMS__INPUTS__V1__LIST_SNAPSHOT_INPUTS_REQUEST__INIT;
    list.review_id = snapshot->review_id;
    list.opening_id = snapshot->opening_id;
    list.page_size = PAGE_SIZE;
    do {
        Isms__Inputs__V1__ListSnapshotInputsResponse page =
            ISMS__INPUTS__V1__LIST_SNAPSHOT_INPUTS_RESPONSE__INIT;
        if (call_peer(call, PEER_INPUTS, "/isms.inputs.v1.SnapshotService/ListSnapshotInputs", &list.base,
                      &page.base, err) < 0 ||
            items_add(call, items, page.inputs, page.n_inputs, err) < 0)
            return -1;
        list.page_token = page.next_page_token;
    } while (list.page_token[0]);
    return 0;
}

/* --- a signed review ------------------------------------------------------------------------------------ */

static int record_check(struct call *call, const Isms__Reviews__V1__SignedRecord *record, struct err *err)
{
    struct record_person *people = ARENA_ARRAY(call_arena(call), record->n_people, struct record_person);
    struct record_evidence evidence = {
        .review_id = record->review_id,
        .number = record->number,
        .content = record->content.data,
        .content_length = record->content.len,
        .sha256 = record->sha256,
        .signature = record->signature.data,
        .signature_length = record->signature.len,
        .public_key = record->public_key.data,
        .public_key_length = record->public_key.len,
        .key_id = record->key_id,
        .people = people,
        .person_count = record->n_people,
    };
    if (!people)
        return no_memory(err);
    if (!record->sign_time)
        return corrupt(err, "the record does not say when it was signed");
    evidence.sign_time_us = record->sign_time->seconds * 1000000 + record->sign_time->nanos / 1000;
    for (size_t i = 0; i < record->n_people; i++)
        people[i] = (struct record_person){.member_id = record->people[i]->member_id,
                                           .name = record->people[i]->name,
                                           .salt = record->people[i]->salt.data,
                                           .salt_length = record->people[i]->salt.len};
    return record_verify(&evidence, err);
}

static int record_people(struct call *call, const Isms__Reviews__V1__SignedRecord *record,
                         struct report_facts *facts, struct err *err)
{
    struct person *people = ARENA_ARRAY(call_arena(call), record->n_people, struct person);
    if (!people)
        return no_memory(err);
    for (size_t i = 0; i < record->n_people; i++)
        people[i] = (struct person){.id = record->people[i]->member_id, .name = record->people[i]->name};
    facts->people = people;
    facts->people_count = record->n_people;
    return 0;
}

static int signed_gather(struct call *call, char *review_id, struct report_facts *facts, struct err *err)
{
    const struct reporting *reporting = call_service_data(call);
    const ProtobufCMessageDescriptor *descriptor = &isms__reporting__v1__record_content__descriptor;
    Isms__Reviews__V1__GetRecordRequest get = ISMS__REVIEWS__V1__GET_RECORD_REQUEST__INIT;
    Isms__Reviews__V1__SignedRecord *record = ARENA_NEW(call_arena(call), Isms__Reviews__V1__SignedRecord);
    ProtobufCMessage *message;
    if (!record)
        return no_memory(err);
    isms__reviews__v1__signed_record__init(record);
    get.review_id = review_id;
    if (call_peer(call, PEER_REVIEWS, "/isms.reviews.v1.ReviewService/GetRecord", &get.base, &record->base,
                  err) < 0 ||
        record_check(call, record, err) < 0)
        return -1;
    if (json_read(descriptors_message_of(reporting->descriptors, descriptor),
                  (const char *)record->content.data, record->content.len, true, call_arena(call), &message,
                  err) < 0)
        return err->reason == ERR_FIELD_INVALID ? corrupt(err, "the record cannot be read") : -1;
    const Isms__Reporting__V1__RecordContent *content = (const Isms__Reporting__V1__RecordContent *)message;
    if (!content->organisation || !content->programme || !content->review || !content->signer)
        return corrupt(err, "the record is not complete");
    facts->organisation = content->organisation;
    facts->programme = content->programme;
    facts->review = content->review;
    facts->decisions = content->decisions;
    facts->decision_count = content->n_decisions;
    facts->record = record;
    facts->signer_id = content->signer->member_id;
    facts->seal_number = content->seal ? content->seal->number : 0;
    facts->seal_sha256 = content->seal ? content->seal->sha256 : "";
    return record_people(call, record, facts, err);
}

/* --- any other review ----------------------------------------------------------------------------------- */

static int members_gather(struct call *call, struct report_facts *facts, struct err *err)
{
    struct items members = {0};
    if (members_list(call, &members, err) < 0)
        return -1;
    struct person *people = ARENA_ARRAY(call_arena(call), members.count, struct person);
    if (!people)
        return no_memory(err);
    for (size_t i = 0; i < members.count; i++) {
        const Isms__Reviews__V1__Member *member = members.messages[i];
        people[i] = (struct person){.id = member->id, .name = member->name};
    }
    facts->people = people;
    facts->people_count = members.count;
    return 0;
}

static int draft_gather(struct call *call, Isms__Reviews__V1__Review *review, struct report_facts *facts,
                        struct err *err)
{
    Isms__Reviews__V1__GetOrganisationRequest get = ISMS__REVIEWS__V1__GET_ORGANISATION_REQUEST__INIT;
    Isms__Reviews__V1__GetProgrammeRequest get_programme = ISMS__REVIEWS__V1__GET_PROGRAMME_REQUEST__INIT;
    Isms__Reviews__V1__Organisation *organisation =
        ARENA_NEW(call_arena(call), Isms__Reviews__V1__Organisation);
    Isms__Reviews__V1__Programme *programme = ARENA_NEW(call_arena(call), Isms__Reviews__V1__Programme);
    struct items decisions = {0};
    if (!organisation || !programme)
        return no_memory(err);
    isms__reviews__v1__organisation__init(organisation);
    isms__reviews__v1__programme__init(programme);
    get_programme.id = review->programme_id;
    get_programme.revision = review->programme_revision;
    if (call_peer(call, PEER_REVIEWS, "/isms.reviews.v1.OrganisationService/GetOrganisation", &get.base,
                  &organisation->base, err) < 0 ||
        call_peer(call, PEER_REVIEWS, "/isms.reviews.v1.ProgrammeService/GetProgramme", &get_programme.base,
                  &programme->base, err) < 0 ||
        decisions_list(call, review->id, &decisions, err) < 0)
        return -1;
    facts->organisation = organisation;
    facts->programme = programme;
    facts->review = review;
    facts->decisions = (Isms__Reviews__V1__Decision *const *)decisions.messages;
    facts->decision_count = decisions.count;
    return members_gather(call, facts, err);
}

/* --- what was frozen ------------------------------------------------------------------------------------ */

/* Is this the snapshot that the review was opened with? */
static int hash_check(const ProtobufCBinaryData *content, const char *expected, struct err *err)
{
    char hex[SHA256_HEX_SIZE];
    struct sha256 hash = sha256_of(content->data, content->len);
    hex_encode(&hash, sizeof(hash), hex);
    return strcmp(hex, expected) == 0
               ? 0
               : corrupt(err, "a snapshot is not the one that the review was opened with");
}

static int inputs_gather(struct call *call, char *review_id, struct report_facts *facts, struct err *err)
{
    Isms__Inputs__V1__GetSnapshotRequest get = ISMS__INPUTS__V1__GET_SNAPSHOT_REQUEST__INIT;
    Isms__Inputs__V1__Snapshot *snapshot = ARENA_NEW(call_arena(call), Isms__Inputs__V1__Snapshot);
    struct items inputs = {0};
    if (!snapshot)
        return no_memory(err);
    isms__inputs__v1__snapshot__init(snapshot);
    get.review_id = review_id;
    get.opening_id = facts->review->opening_id;
    if (call_peer(call, PEER_INPUTS, "/isms.inputs.v1.SnapshotService/GetSnapshot", &get.base, &snapshot->base,
                  err) < 0 ||
        hash_check(&snapshot->content, facts->review->input_snapshot_sha256, err) < 0 ||
        inputs_list(call, snapshot, &inputs, err) < 0)
        return -1;
    if (inputs.count != (size_t)snapshot->item_count)
        return corrupt(err, "not every frozen input could be read");
    facts->snapshot = snapshot;
    facts->inputs = (Isms__Inputs__V1__Input *const *)inputs.messages;
    facts->input_count = inputs.count;
    return 0;
}

static int actions_gather(struct call *call, char *review_id, struct report_facts *facts, struct err *err)
{
    Isms__Actions__V1__GetActionSnapshotRequest get = ISMS__ACTIONS__V1__GET_ACTION_SNAPSHOT_REQUEST__INIT;
    Isms__Actions__V1__ActionSnapshot *snapshot =
        ARENA_NEW(call_arena(call), Isms__Actions__V1__ActionSnapshot);
    if (!snapshot)
        return no_memory(err);
    isms__actions__v1__action_snapshot__init(snapshot);
    get.review_id = review_id;
    get.opening_id = facts->review->opening_id;
    if (call_peer(call, PEER_ACTIONS, "/isms.actions.v1.ActionSnapshotService/GetActionSnapshot", &get.base,
                  &snapshot->base, err) < 0 ||
        hash_check(&snapshot->content, facts->review->action_snapshot_sha256, err) < 0)
        return -1;
    facts->actions = snapshot;
    return 0;
}

int report_gather(struct call *call, const char *review_id, struct report_facts *ret_facts, struct err *err)
{
    Isms__Reviews__V1__GetReviewRequest get = ISMS__REVIEWS__V1__GET_REVIEW_REQUEST__INIT;
    Isms__Reviews__V1__Review *review = ARENA_NEW(call_arena(call), Isms__Reviews__V1__Review);
    struct report_facts facts = {0};
    if (!review)
        return no_memory(err);
    isms__reviews__v1__review__init(review);
    get.id = (char *)review_id;
    if (call_peer(call, PEER_REVIEWS, "/isms.reviews.v1.ReviewService/GetReview", &get.base, &review->base,
                  err) < 0 ||
        (review->record_sha256[0] ? signed_gather(call, review->id, &facts, err)
                                  : draft_gather(call, review, &facts, err)) < 0 ||
        (facts.review->input_snapshot_sha256[0] && inputs_gather(call, review->id, &facts, err) < 0) ||
        (facts.review->action_snapshot_sha256[0] && actions_gather(call, review->id, &facts, err) < 0))
        return -1;
    *ret_facts = facts;
    return 0;
}
