/* review_facts.c: the statements that the API itself has, run one after the other in one transaction. */
#include "review_facts.h"

#include <string.h>

#include <isms/auth/principal.h>
#include <isms/base/buf.h>

#include "conformity.h"

enum { DECISIONS_MAX = 99 }; /* RecordDecision.sql's limit */

int review_read(struct call *call, const char *review_id, Isms__Reviews__V1__Review *ret_review,
                struct err *err)
{
    Isms__Reviews__V1__GetReviewRequest get = ISMS__REVIEWS__V1__GET_REVIEW_REQUEST__INIT;
    get.id = (char *)review_id;
    isms__reviews__v1__review__init(ret_review);
    return call_statement(call, "GetReview", &get.base, &ret_review->base, err);
}

static int programme_read(struct call *call, struct review_facts *facts, struct err *err)
{
    Isms__Reviews__V1__GetProgrammeRequest get = ISMS__REVIEWS__V1__GET_PROGRAMME_REQUEST__INIT;
    get.id = facts->review.programme_id;
    get.revision = facts->review.programme_revision;
    isms__reviews__v1__programme__init(&facts->programme);
    return call_statement(call, "GetProgramme", &get.base, &facts->programme.base, err);
}

static int decisions_read(struct call *call, struct review_facts *facts, struct err *err)
{
    Isms__Reviews__V1__ListDecisionsRequest list = ISMS__REVIEWS__V1__LIST_DECISIONS_REQUEST__INIT;
    list.review_id = facts->review.id;
    list.page_size = DECISIONS_MAX;
    isms__reviews__v1__list_decisions_response__init(&facts->decisions);
    return call_statement(call, "ListDecisions", &list.base, &facts->decisions.base, err);
}

/* --- the members that the review names ------------------------------------------------------------------ */

struct members {
    char **ids;
    size_t count;
};

static void member_add(struct members *members, char *id)
{
    if (id[0])
        members->ids[members->count++] = id;
}

static size_t members_max(const struct review_facts *facts)
{
    const Isms__Reviews__V1__Review *review = &facts->review;
    size_t max = 3 + review->n_attendance + review->n_previous_actions + review->n_waivers +
                 facts->decisions.n_decisions;
    for (size_t i = 0; i < facts->decisions.n_decisions; i++)
        max += facts->decisions.decisions[i]->n_actions;
    return max;
}

static void members_collect(struct members *members, struct review_facts *facts)
{
    const Isms__Reviews__V1__Review *review = &facts->review;
    member_add(members, facts->caller_id);
    member_add(members, review->chair_id);
    member_add(members, review->preparer_id);
    for (size_t i = 0; i < review->n_attendance; i++)
        member_add(members, review->attendance[i]->member_id);
    for (size_t i = 0; i < review->n_previous_actions; i++)
        member_add(members, review->previous_actions[i]->owner_id);
    for (size_t i = 0; i < review->n_waivers; i++)
        member_add(members, review->waivers[i]->member_id);
    for (size_t i = 0; i < facts->decisions.n_decisions; i++) {
        const Isms__Reviews__V1__Decision *decision = facts->decisions.decisions[i];
        member_add(members, decision->owner_id);
        for (size_t j = 0; j < decision->n_actions; j++)
            member_add(members, decision->actions[j]->owner_id);
    }
}

static int signing_read(struct call *call, struct review_facts *facts, struct err *err)
{
    Isms__Reviews__V1__SigningFactsRequest get = ISMS__REVIEWS__V1__SIGNING_FACTS_REQUEST__INIT;
    struct members members = {.ids = ARENA_ARRAY(call_arena(call), members_max(facts), char *)};
    if (!members.ids)
        return err_setf(err, ERR_MESSAGE_TOO_LARGE, "The review needs more memory than a call may use.");
    members_collect(&members, facts);
    get.review_id = facts->review.id;
    get.member_ids = members.ids;
    get.n_member_ids = members.count;
    isms__reviews__v1__signing_facts__init(&facts->signing);
    return call_statement(call, "GetSigningFacts", &get.base, &facts->signing.base, err);
}

/* --- */

int review_facts_read(struct call *call, const char *review_id, struct review_facts *ret_facts, struct err *err)
{
    const struct principal *principal = call_principal(call);
    ret_facts->caller_id[0] = '\0';
    if (!uuid_is_nil(principal->id))
        uuid_format(principal->id, ret_facts->caller_id);
    if (review_read(call, review_id, &ret_facts->review, err) < 0 || programme_read(call, ret_facts, err) < 0 ||
        decisions_read(call, ret_facts, err) < 0)
        return -1;
    return signing_read(call, ret_facts, err);
}

static const char *state_name(int state)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(&isms__reviews__v1__review_state__descriptor, state);
    return value ? value->name + strlen("REVIEW_STATE_") : "";
}

int review_require_state(const Isms__Reviews__V1__Review *review, unsigned states, struct err *err)
{
    if (states >> review->state & 1)
        return 0;
    char text[88];
    struct buf allowed;
    buf_init_fixed(&allowed, text, sizeof(text));
    for (int state = 1; states >> state; state++)
        if (states >> state & 1)
            buf_printf(&allowed, "%s%s", allowed.length ? "," : "", state_name(state));
    err_set(err, ERR_WRONG_STATE);
    err_fact(err, "state", "%s", state_name((int)review->state));
    err_fact(err, "allowed", "%s", text);
    return -1;
}

int review_conformity(struct call *call, const struct review_facts *facts,
                      Isms__Reviews__V1__Conformity *ret_conformity, struct err *err)
{
    /* Whoever could not sign anyway asks for the one who will. */
    bool signs = permission_set_has(call_principal(call)->permissions, PERMISSION_REVIEWS_SIGN);
    struct conformity_facts conformity = {
        .review = &facts->review,
        .programme = &facts->programme,
        .decisions = facts->decisions.decisions,
        .decision_count = facts->decisions.n_decisions,
        .participants = facts->signing.participants,
        .participant_count = facts->signing.n_participants,
        .signer_id = signs ? facts->caller_id : "",
    };
    return conformity_check(&conformity, call_arena(call), ret_conformity, err);
}
