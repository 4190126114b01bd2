/* open.c: OpenReview, a saga over the services whose data the meeting looks at.
 *
 * Both freeze by the review's id, so that a repetition after any failure finds what is there already. Only when
 * both snapshots have come back whole does one transaction move the review; a snapshot that is left without a
 * meeting harms nobody. */
#include "service.h"

#include <string.h>

#include <isms/actions/v1/actions.pb-c.h>
#include <isms/inputs/v1/inputs.pb-c.h>
#include <isms/reviews/v1/reviews.pb-c.h>

#include "review_facts.h"

/* The request_id of one step of the saga: the same in every repetition. */
static int step_id(struct call *call, const char *review_id, const char *step, char **ret_id, struct err *err)
{
    struct uuid review;
    char *text = arena_alloc(call_arena(call), UUID_TEXT_SIZE);
    if (!text || !uuid_parse(review_id, &review))
        return err_set(err, ERR_INTERNAL);
    uuid_format(uuid_v5(review, step, strlen(step)), text);
    *ret_id = text;
    return 0;
}

/* A snapshot is only good as a whole: of this review, and with the hash of its content. */
static int snapshot_check(const char *service, const char *review_id, const char *answered_id,
                          const ProtobufCBinaryData *content, const char *sha256, struct err *err)
{
    char hex[SHA256_HEX_SIZE];
    struct sha256 hash = sha256_of(content->data, content->len);
    hex_encode(&hash, sizeof(hash), hex);
    if (content->len > 0 && strcmp(review_id, answered_id) == 0 && strcmp(hex, sha256) == 0)
        return 0;
    err_set(err, ERR_FREEZE_INCOMPLETE);
    err_fact(err, "service", "%s", service);
    return -1;
}

static int inputs_freeze(struct call *call, const Isms__Reviews__V1__Review *review,
                         Isms__Inputs__V1__Snapshot *ret_snapshot, struct err *err)
{
    Isms__Inputs__V1__CreateSnapshotRequest create = ISMS__INPUTS__V1__CREATE_SNAPSHOT_REQUEST__INIT;
    create.review_id = review->id;
    create.period = review->period;
    if (step_id(call, review->id, "input snapshot", &create.request_id, err) < 0 ||
        call_peer(call, PEER_INPUTS, "/isms.inputs.v1.SnapshotService/CreateSnapshot", &create.base,
                  &ret_snapshot->base, err) < 0)
        return -1;
    return snapshot_check("inputs", review->id, ret_snapshot->review_id, &ret_snapshot->content,
                          ret_snapshot->sha256, err);
}

static int actions_freeze(struct call *call, const Isms__Reviews__V1__Review *review,
                          Isms__Actions__V1__ActionSnapshot *ret_snapshot, struct err *err)
{
    Isms__Actions__V1__CreateActionSnapshotRequest create =
        ISMS__ACTIONS__V1__CREATE_ACTION_SNAPSHOT_REQUEST__INIT;
    create.review_id = review->id;
    create.period = review->period;
    if (step_id(call, review->id, "action snapshot", &create.request_id, err) < 0 ||
        call_peer(call, PEER_ACTIONS, "/isms.actions.v1.ActionSnapshotService/CreateActionSnapshot",
                  &create.base, &ret_snapshot->base, err) < 0)
        return -1;
    return snapshot_check("actions", review->id, ret_snapshot->review_id, &ret_snapshot->content,
                          ret_snapshot->sha256, err);
}

static const char *action_state_name(Isms__Actions__V1__ActionState state)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(&isms__actions__v1__action_state__descriptor, (int)state);
    return value ? value->name + strlen("ACTION_STATE_") : "";
}

/* What the meeting has before it: each earlier action as it stood. */
static int previous_actions_fill(struct call *call, const Isms__Actions__V1__ActionSnapshot *snapshot,
                                 Isms__Reviews__V1__Review *review, struct err *err)
{
    Isms__Reviews__V1__PreviousAction *actions =
        ARENA_ARRAY(call_arena(call), snapshot->n_actions, Isms__Reviews__V1__PreviousAction);
    review->previous_actions =
        ARENA_ARRAY(call_arena(call), snapshot->n_actions, Isms__Reviews__V1__PreviousAction *);
    if (!actions || !review->previous_actions)
        return err_setf(err, ERR_MESSAGE_TOO_LARGE,
                        "The earlier actions need more memory than a call may use.");
    for (size_t i = 0; i < snapshot->n_actions; i++) {
        const Isms__Actions__V1__FrozenAction *frozen = snapshot->actions[i];
        if (!frozen->action)
            return err_set(err, ERR_FREEZE_INCOMPLETE);
        isms__reviews__v1__previous_action__init(&actions[i]);
        actions[i].action_id = frozen->action->id;
        actions[i].number = frozen->action->number;
        actions[i].title = frozen->action->title;
        actions[i].state = (char *)action_state_name(frozen->action->state);
        actions[i].owner_id = frozen->action->owner_id;
        actions[i].due_date = frozen->action->due_date;
        actions[i].days_overdue = frozen->days_overdue;
        actions[i].age_days = frozen->age_days;
        actions[i].reschedule_count = frozen->action->reschedule_count;
        review->previous_actions[i] = &actions[i];
    }
    review->n_previous_actions = snapshot->n_actions;
    return 0;
}

int review_open(struct call *call, const ProtobufCMessage *request, ProtobufCMessage *response, struct err *err)
{
    const Isms__Reviews__V1__OpenReviewRequest *open = (const void *)request;
    Isms__Reviews__V1__Review review;
    Isms__Inputs__V1__Snapshot inputs = ISMS__INPUTS__V1__SNAPSHOT__INIT;
    Isms__Actions__V1__ActionSnapshot actions = ISMS__ACTIONS__V1__ACTION_SNAPSHOT__INIT;
    Isms__Reviews__V1__Review frozen = ISMS__REVIEWS__V1__REVIEW__INIT;

    if (call_begin_read(call, err) < 0 || review_read(call, open->id, &review, err) < 0)
        return -1;
    call_end(call);
    /* In any other state nothing is frozen, and the writing below finds out whether this is a repeated request,
     * which has its answer, or one in the wrong state. */
    if (review.state == ISMS__REVIEWS__V1__REVIEW_STATE__REVIEW_STATE_PREPARING &&
        (inputs_freeze(call, &review, &inputs, err) < 0 || actions_freeze(call, &review, &actions, err) < 0))
        return -1;

    frozen.id = review.id;
    frozen.input_snapshot_sha256 = inputs.sha256;
    frozen.action_snapshot_sha256 = actions.sha256;
    if (previous_actions_fill(call, &actions, &frozen, err) < 0 || call_begin_write(call, err) < 0)
        return -1;
    return call_statement(call, "FreezeReview", &frozen.base, response, err);
}
