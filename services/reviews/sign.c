/* sign.c: what stands between a review and its signing, and the signing.
 *
 * SignReview reads, judges, signs and stores under the organisation's writer order, in one transaction: nothing
 * can change between what was judged and what is signed. Only after the commit are the proposed actions issued;
 * if that fails the signature stands, and the job issues them (issue.c). */
#include "service.h"

#include <stdio.h>
#include <string.h>

#include <isms/auth/principal.h>
#include <isms/base/bug.h>
#include <isms/proto/message.h>
#include <isms/reviews/v1/reviews.pb-c.h>

#include "conformity.h"
#include "issue.h"
#include "review_facts.h"
#include "sign_off.h"

enum { CONTENT_MAX = 16 * 1024 * 1024 };

int conformity_get(struct call *call, const ProtobufCMessage *request, ProtobufCMessage *response,
                   struct err *err)
{
    const Isms__Reviews__V1__CheckConformityRequest *check = (const void *)request;
    struct review_facts facts;
    if (call_begin_snapshot(call, err) < 0 || review_facts_read(call, check->id, &facts, err) < 0)
        return -1;
    call_end(call);
    return review_conformity(call, &facts, (void *)response, err);
}

/* A waiver is for a gap that is there, so that a slip of the pen cannot lie in the record. */
static int waivable_require(const Isms__Reviews__V1__Conformity *conformity,
                            const Isms__Reviews__V1__WaiveGapRequest *waive, struct err *err)
{
    const char *field = "rule";
    if (conformity_rule_is_waivable(waive->rule)) {
        field = "subject";
        for (size_t i = 0; i < conformity->n_gaps; i++)
            if (strcmp(conformity->gaps[i]->rule, waive->rule) == 0 &&
                strcmp(conformity->gaps[i]->subject, waive->subject) == 0)
                return 0;
    }
    err_setf(err, ERR_REFERENCE_INVALID, "There is no such gap that could be waived.");
    err_fact(err, "field", "%s", field);
    return -1;
}

int gap_waive(struct call *call, const ProtobufCMessage *request, ProtobufCMessage *response, struct err *err)
{
    const Isms__Reviews__V1__WaiveGapRequest *waive = (const void *)request;
    struct review_facts facts;
    Isms__Reviews__V1__Conformity conformity = ISMS__REVIEWS__V1__CONFORMITY__INIT;
    if (call_begin_write(call, err) < 0 || review_facts_read(call, waive->id, &facts, err) < 0 ||
        review_require_state(&facts.review, STATE(IN_SESSION) | STATE(MINUTES_DRAFTED), err) < 0 ||
        review_conformity(call, &facts, &conformity, err) < 0 || waivable_require(&conformity, waive, err) < 0)
        return -1;
    return call_statement(call, "WaiveGap", request, response, err);
}

/* --- signing -------------------------------------------------------------------------------------------- */

/* NOT_CONFORMING with a precondition violation for each blocking gap. */
static int conformity_refuse(const Isms__Reviews__V1__Conformity *conformity, struct err *err)
{
    unsigned blocking = 0;
    for (size_t i = 0; i < conformity->n_gaps; i++) {
        const Isms__Reviews__V1__Gap *gap = conformity->gaps[i];
        if (!gap->blocking || gap->waived)
            continue;
        char subject[128];
        snprintf(subject, sizeof(subject), "%s%s%s", gap->rule, gap->subject[0] ? ":" : "", gap->subject);
        err_field(err, subject, "%s %s", gap->clause, gap->message);
        blocking++;
    }
    err->reason = ERR_NOT_CONFORMING;
    snprintf(err->message, sizeof(err->message), "%s", err_reason_text(ERR_NOT_CONFORMING));
    err_fact(err, "gaps", "%u", blocking);
    return -1;
}

/* May this caller sign this review, as it is now? */
static int signing_require(struct call *call, const Isms__Reviews__V1__SignReviewRequest *sign,
                           const struct review_facts *facts, struct err *err)
{
    const struct principal *principal = call_principal(call);
    Isms__Reviews__V1__Conformity conformity = ISMS__REVIEWS__V1__CONFORMITY__INIT;
    if (principal_require_person(principal, err) < 0 ||
        review_require_state(&facts->review, STATE(MINUTES_DRAFTED), err) < 0)
        return -1;
    if (strcmp(facts->review.etag, sign->etag) != 0)
        return err_set(err, ERR_ETAG_MISMATCH);
    if (!role_set_has(principal->roles, ROLE_TOP_MANAGEMENT)) {
        err_set(err, ERR_PERMISSION_DENIED);
        err_fact(err, "role", "%s", role_name(ROLE_TOP_MANAGEMENT));
        return -1;
    }
    if (sign_off_check(facts->programme.sign_off, principal->acr, principal->auth_time_us, call_now_us(call), err) < 0)
        return -1;
    if (review_conformity(call, facts, &conformity, err) < 0)
        return -1;
    for (size_t i = 0; i < conformity.n_gaps; i++)
        if (strcmp(conformity.gaps[i]->rule, conformity_rule_name(RULE_PREPARER_SIGNS)) == 0)
            return err_set(err, ERR_FOUR_EYES_REQUIRED);
    return conformity.conforming ? 0 : conformity_refuse(&conformity, err);
}

/* The message as it goes into the record: without its etag, which is the revision again. */
static int message_json(struct call *call, const ProtobufCMessage *message, json_t **ret_json, struct err *err)
{
    const struct reviews *reviews = call_service_data(call);
    struct buf text;
    buf_init_arena(&text, call_arena(call), CONTENT_MAX);
    const struct message_type *type = descriptors_message_of(reviews->descriptors, message->descriptor);
    if (message_canonical(type, message, &text, err) < 0)
        return -1;
    json_t *json = json_loadb(text.data, text.length, JSON_DECODE_INT_AS_REAL, NULL);
    if (!json)
        return err_set(err, ERR_INTERNAL);
    json_object_del(json, "etag");
    *ret_json = json;
    return 0;
}

/* The review without its state, which the signing changes. */
static int review_json(struct call *call, const Isms__Reviews__V1__Review *review, json_t **ret_json,
                       struct err *err)
{
    Isms__Reviews__V1__Review signed_review = *review;
    signed_review.state = ISMS__REVIEWS__V1__REVIEW_STATE__REVIEW_STATE_UNSPECIFIED;
    return message_json(call, &signed_review.base, ret_json, err);
}

static int decisions_json(struct call *call, const struct review_facts *facts, json_t *decisions,
                          struct err *err)
{
    for (size_t i = 0; i < facts->decisions.n_decisions; i++) {
        json_t *decision;
        if (message_json(call, &facts->decisions.decisions[i]->base, &decision, err) < 0)
            return -1;
        json_array_append_new(decisions, decision);
    }
    return 0;
}

static struct record_person *people_of(struct call *call, const struct review_facts *facts)
{
    struct record_person *people =
        ARENA_ARRAY(call_arena(call), facts->signing.n_participants, struct record_person);
    for (size_t i = 0; people && i < facts->signing.n_participants; i++) {
        const Isms__Reviews__V1__Participant *participant = facts->signing.participants[i];
        people[i] = (struct record_person){
            .member_id = participant->id,
            .name = participant->name,
            .salt = participant->salt.data,
            .salt_length = participant->salt.len,
        };
    }
    return people;
}

static json_t *roles_json(struct role_set roles)
{
    json_t *names = json_array();
    for (enum role role = 0; role < ROLE_COUNT; role++)
        if (role_set_has(roles, role))
            json_array_append_new(names, json_string(role_name(role)));
    return names;
}

/* The organisation without its limits, which say nothing about the review. */
static int organisation_json(struct call *call, json_t **ret_json, struct err *err)
{
    Isms__Reviews__V1__GetOrganisationRequest get = ISMS__REVIEWS__V1__GET_ORGANISATION_REQUEST__INIT;
    Isms__Reviews__V1__Organisation organisation = ISMS__REVIEWS__V1__ORGANISATION__INIT;
    if (call_statement(call, "GetOrganisation", &get.base, &organisation.base, err) < 0)
        return -1;
    organisation.limits = NULL;
    return message_json(call, &organisation.base, ret_json, err);
}

static int content_build(struct call *call, const struct review_facts *facts, struct buf *content,
                         struct err *err)
{
    const struct principal *principal = call_principal(call);
    json_auto_t *organisation = NULL;
    json_auto_t *programme = NULL;
    json_auto_t *review = NULL;
    json_auto_t *decisions = json_array();
    json_auto_t *roles = roles_json(principal->roles);
    struct record_person *people = people_of(call, facts);
    if (!people || organisation_json(call, &organisation, err) < 0 ||
        message_json(call, &facts->programme.base, &programme, err) < 0 ||
        review_json(call, &facts->review, &review, err) < 0 || decisions_json(call, facts, decisions, err) < 0)
        return people ? -1 : err_set(err, ERR_MESSAGE_TOO_LARGE);
    struct record_parts parts = {
        .organisation = organisation,
        .programme = programme,
        .review = review,
        .decisions = decisions,
        .seal_number = facts->signing.seal_number,
        .seal_sha256 = facts->signing.seal_sha256,
        .signer = {.member_id = facts->caller_id, .roles = roles, .sign_time_us = call_now_us(call),
                   .issuer = principal->issuer, .acr = principal->acr, .amr = principal->amr,
                   .auth_time_us = principal->auth_time_us},
        .people = people,
        .person_count = facts->signing.n_participants,
    };
    return record_build(&parts, content, err);
}

/* Signs the content and stores it; the response is the review as it is then. */
static int record_store(struct call *call, const struct review_facts *facts, const struct buf *content,
                        ProtobufCMessage *response, struct err *err)
{
    struct reviews *reviews = call_service_data(call);
    Isms__Reviews__V1__SignedRecord record = ISMS__REVIEWS__V1__SIGNED_RECORD__INIT;
    Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    char hex[SHA256_HEX_SIZE];
    struct sha256 hash = sha256_of(content->data, content->length);
    hex_encode(&hash, sizeof(hash), hex);
    if (record_sign(reviews->installation_key, &hash, signature, err) < 0)
        return -1;
    time.seconds = call_now_us(call) / 1000000;
    time.nanos = (int32_t)(call_now_us(call) % 1000000) * 1000;
    record.review_id = facts->review.id;
    record.number = facts->review.number;
    record.content = (ProtobufCBinaryData){.data = (uint8_t *)content->data, .len = content->length};
    record.sha256 = hex;
    record.signature = (ProtobufCBinaryData){.data = signature, .len = sizeof(signature)};
    record.public_key = (ProtobufCBinaryData){.data = reviews->public_key, .len = sizeof(reviews->public_key)};
    record.key_id = reviews->key_id;
    record.sign_time = &time;
    return call_statement(call, "StoreRecord", &record.base, response, err);
}

int review_sign(struct call *call, const ProtobufCMessage *request, ProtobufCMessage *response, struct err *err)
{
    const Isms__Reviews__V1__SignReviewRequest *sign = (const void *)request;
    struct review_facts facts;
    struct buf content;
    buf_init_arena(&content, call_arena(call), CONTENT_MAX);
    if (call_begin_write(call, err) < 0 || review_facts_read(call, sign->id, &facts, err) < 0 ||
        signing_require(call, sign, &facts, err) < 0 || content_build(call, &facts, &content, err) < 0 ||
        record_store(call, &facts, &content, response, err) < 0 || call_commit(call, response, err) < 0)
        return -1;
    struct err failure;
    if (review_issue(call, &facts.review, facts.decisions.decisions, facts.decisions.n_decisions, &failure) < 0)
        call_log(call, "issuing", "%s", err_reason_name(failure.reason));
    return 0;
}
