/* open.c: OpenReview, a saga over the services whose data the meeting looks at.
 *
 * Both freeze by the opening's id, which comes of the review's and the request's: a request that is repeated after
 * any failure finds what it froze already, and another one freezes anew, so that no meeting opens on what an
 * attempt of days ago has left. Only when both snapshots have come back whole and of now does one transaction move
 * the review; a snapshot that is left without a meeting harms nobody. */
#include "service.h"

#include <string.h>

#include <isms/actions/v1/actions.pb-c.h>
#include <isms/inputs/v1/snapshots.pb-c.h>
#include <isms/reviews/v1/reviews.pb-c.h>

#include "review_facts.h"

/* How long a repeated request may go on with what it froze; and both snapshots are of that time. */
enum { SNAPSHOT_AGE_MAX_S = 15 * 60 };

/* One request to open a review. */
struct opening {
    const Isms__Reviews__V1__Review *review;
    struct uuid uuid;
    char id[UUID_TEXT_SIZE];
};

/* What the check needs of either service's snapshot. */
struct frozen {
    const char *service;
    const char *review_id;
    const char *opening_id;
    const Google__Protobuf__Timestamp *as_of;
    ProtobufCBinaryData content;
    const char *sha256;
};

static int opening_init(struct opening *opening, const Isms__Reviews__V1__Review *review, const char *request_id,
                        struct err *err)
{
    struct uuid name_space, request;
    if (!uuid_parse(review->id, &name_space) || !uuid_parse(request_id, &request))
        return err_set(err, ERR_INTERNAL);
    opening->review = review;
    uuid_format(request, opening->id); /* however the caller wrote it */
    opening->uuid = uuid_v5(name_space, opening->id, strlen(opening->id));
    uuid_format(opening->uuid, opening->id);
    return 0;
}

/* The request_id of one step of the saga: the same in every repetition. */
static void step_id(const struct opening *opening, const char *step, char ret_id[static UUID_TEXT_SIZE])
{
    uuid_format(uuid_v5(opening->uuid, step, strlen(step)), ret_id);
}

/* A snapshot is only good as a whole: of this opening, with the hash of its content, and not of long ago. */
static int snapshot_check(struct call *call, const struct opening *opening, const struct frozen *frozen,
                          struct err *err)
{
    char hex[SHA256_HEX_SIZE];
    struct sha256 hash = sha256_of(frozen->content.data, frozen->content.len);
    hex_encode(&hash, sizeof(hash), hex);
    if (frozen->content.len == 0 || !frozen->as_of || strcmp(opening->review->id, frozen->review_id) != 0 ||
        strcmp(opening->id, frozen->opening_id) != 0 || strcmp(hex, frozen->sha256) != 0)
        err_set(err, ERR_FREEZE_INCOMPLETE);
    else if (frozen->as_of->seconds < call_now_us(call) / 1000000 - SNAPSHOT_AGE_MAX_S)
        err_setf(err, ERR_FREEZE_INCOMPLETE,
                 "What this request froze is too old to open the meeting with: use a new request_id.");
    else
        return 0;
    err_fact(err, "service", "%s", frozen->service);
    return -1;
}

static int inputs_freeze(struct call *call, const struct opening *opening,
                         Isms__Inputs__V1__Snapshot *ret_snapshot, struct err *err)
{
    char request_id[UUID_TEXT_SIZE];
    Isms__Inputs__V1__CreateSnapshotRequest create = ISMS__INPUTS__V1__CREATE_SNAPSHOT_REQUEST__INIT;
    step_id(opening, "input snapshot", request_id);
    create.review_id = opening->review->id;
    create.opening_id = (char *)opening->id;
    create.period = opening->review->period;
    create.request_id = request_id;
    if (call_peer(call, PEER_INPUTS, "/isms.inputs.v1.SnapshotService/CreateSnapshot", &create.base,
                  &ret_snapshot->base, err) < 0)
        return -1;
    struct frozen frozen = {.service = "inputs",
                            .review_id = ret_snapshot->review_id,
                            .opening_id = ret_snapshot->opening_id,
                            .as_of = ret_snapshot->as_of,
                            .content = ret_snapshot->content,
                            .sha256 = ret_snapshot->sha256};
    return snapshot_check(call, opening, &frozen, err);
}

static int actions_freeze(struct call *call, const struct opening *opening,
                          Isms__Actions__V1__ActionSnapshot *ret_snapshot, struct err *err)
{
    char request_id[UUID_TEXT_SIZE];
    Isms__Actions__V1__CreateActionSnapshotRequest create =
        ISMS__ACTIONS__V1__CREATE_ACTION_SNAPSHOT_REQUEST__INIT;
    step_id(opening, "action snapshot", request_id);
    create.review_id = opening->review->id;
    create.opening_id = (char *)opening->id;
    create.period = opening->review->period;
    create.request_id = request_id;
    if (call_peer(call, PEER_ACTIONS, "/isms.actions.v1.ActionSnapshotService/CreateActionSnapshot",
                  &create.base, &ret_snapshot->base, err) < 0)
        return -1;
    struct frozen frozen = {.service = "actions",
                            .review_id = ret_snapshot->review_id,
                            .opening_id = ret_snapshot->opening_id,
                            .as_of = ret_snapshot->as_of,
                            .content = ret_snapshot->content,
                            .sha256 = ret_snapshot->sha256};
    return snapshot_check(call, opening, &frozen, err);
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
    struct opening opening;
    Isms__Inputs__V1__Snapshot inputs = ISMS__INPUTS__V1__SNAPSHOT__INIT;
    Isms__Actions__V1__ActionSnapshot actions = ISMS__ACTIONS__V1__ACTION_SNAPSHOT__INIT;
    Isms__Reviews__V1__Review frozen = ISMS__REVIEWS__V1__REVIEW__INIT;

    if (call_begin_read(call, err) < 0 || review_read(call, open->id, &review, err) < 0)
        return -1;
    call_end(call);
    if (opening_init(&opening, &review, open->request_id, err) < 0)
        return -1;
    /* In any other state nothing is frozen, and the writing below finds out whether this is a repeated request,
     * which has its answer, or one in the wrong state. */
    if (review.state == ISMS__REVIEWS__V1__REVIEW_STATE__REVIEW_STATE_PREPARING &&
        (inputs_freeze(call, &opening, &inputs, err) < 0 || actions_freeze(call, &opening, &actions, err) < 0))
        return -1;

    frozen.id = review.id;
    frozen.opening_id = opening.id;
    frozen.input_snapshot_sha256 = inputs.sha256;
    frozen.action_snapshot_sha256 = actions.sha256;
    if (previous_actions_fill(call, &actions, &frozen, err) < 0 || call_begin_write(call, err) < 0)
        return -1;
    return call_statement(call, "FreezeReview", &frozen.base, response, err);
}
