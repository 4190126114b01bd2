/* snapshot.c: CreateSnapshot, which freezes what a review considers.
 *
 * Reading and computing take their time in one REPEATABLE READ transaction that blocks nobody; only then is
 * the organisation's writer order taken, for two inserts. What is changed in between is not in the snapshot,
 * and need not be: the snapshot says which sequence it was taken at, and names revisions, which are kept for
 * ever.
 *
 * Memory. Of 10,000 inputs and 400 metrics the items take 3 MB, the trends 10 and the content 5: so the trends are
 * given back as soon as they are written into the content, and the answer has the content only. */
#include <isms/base/clock.h>
#include <isms/base/uuid.h>
#include <isms/inputs/v1/statements.pb-c.h>

#include "service.h"
#include "snapshot_content.h"
#include "trends.h"

static int no_memory(struct err *err)
{
    return err_setf(err, ERR_MESSAGE_TOO_LARGE, "The snapshot needs more memory than a call may use.");
}

/* 1: there is one already, and *response is it; 0: there is none. */
static int stored_read(struct call *call, const Isms__Inputs__V1__CreateSnapshotRequest *request,
                       ProtobufCMessage *response, struct err *err)
{
    if (call_begin_read(call, err) < 0)
        return -1;
    int result = call_statement(call, "StoredSnapshot", &request->base, response, err);
    call_end(call);
    if (result == 0)
        return 1;
    if (err->reason != ERR_NOT_FOUND)
        return -1;
    *err = (struct err){0};
    return 0;
}

static int content_read(struct call *call, const Isms__Inputs__V1__CreateSnapshotRequest *request,
                        Isms__Inputs__V1__SnapshotContent *content, struct err *err)
{
    struct arena *arena = call_arena(call);
    Isms__Inputs__V1__GetRiskSchemeRequest risk = ISMS__INPUTS__V1__GET_RISK_SCHEME_REQUEST__INIT;
    Isms__Inputs__V1__GetImprovementSchemeRequest improvement =
        ISMS__INPUTS__V1__GET_IMPROVEMENT_SCHEME_REQUEST__INIT;
    content->trends = ARENA_NEW(arena, Isms__Inputs__V1__Trends);
    content->risk_scheme = ARENA_NEW(arena, Isms__Inputs__V1__RiskScheme);
    content->improvement_scheme = ARENA_NEW(arena, Isms__Inputs__V1__ImprovementScheme);
    if (arena_exhausted(arena))
        return no_memory(err);
    isms__inputs__v1__risk_scheme__init(content->risk_scheme);
    isms__inputs__v1__improvement_scheme__init(content->improvement_scheme);
    if (call_statement(call, "GetRiskScheme", &risk.base, &content->risk_scheme->base, err) < 0 ||
        call_statement(call, "GetImprovementScheme", &improvement.base, &content->improvement_scheme->base, err) < 0)
        return -1;
    return trends_all(call, request->period, ISMS__INPUTS__V1__GRANULARITY__GRANULARITY_MONTH, content->trends, err);
}

/* Fills what of the snapshot follows from its content, which lies in the arena afterwards; sha256 has room for it. */
static int content_freeze(struct call *call, const Isms__Inputs__V1__CreateSnapshotRequest *request,
                          const Isms__Inputs__V1__FrozenInputs *frozen, Isms__Inputs__V1__Snapshot *snapshot,
                          struct err *err)
{
    Isms__Inputs__V1__SnapshotContent content = ISMS__INPUTS__V1__SNAPSHOT_CONTENT__INIT;
    struct arena_mark mark = arena_mark(call_arena(call));
    struct buf bytes CLEANUP(buf_release);
    buf_init(&bytes, SNAPSHOT_CONTENT_MAX);
    content.review_id = request->review_id;
    content.opening_id = request->opening_id;
    content.period = request->period;
    content.as_of = snapshot->as_of;
    content.tenant = frozen->tenant;
    content.sequence = frozen->sequence;
    content.items = frozen->items;
    content.n_items = frozen->n_items;
    content.parties = frozen->parties;
    content.n_parties = frozen->n_parties;
    if (content_read(call, request, &content, err) < 0 ||
        snapshot_content_write(inputs_descriptors(call), &content, &bytes, snapshot->sha256, err) < 0)
        return -1;
    arena_rewind(call_arena(call), &mark);
    snapshot->content.data = arena_memdup(call_arena(call), bytes.data, bytes.length);
    snapshot->content.len = bytes.length;
    return snapshot->content.data ? 0 : no_memory(err);
}

static int snapshot_store(struct call *call, const Isms__Inputs__V1__FrozenInputs *frozen,
                          Isms__Inputs__V1__Snapshot *snapshot, struct err *err)
{
    Isms__Inputs__V1__StoreSnapshotRequest store = ISMS__INPUTS__V1__STORE_SNAPSHOT_REQUEST__INIT;
    Isms__Inputs__V1__Snapshot stored = ISMS__INPUTS__V1__SNAPSHOT__INIT;
    store.snapshot = snapshot;
    store.items = frozen->items;
    store.n_items = frozen->n_items;
    store.states = frozen->states;
    store.n_states = frozen->n_states;
    if (call_begin_write(call, err) < 0)
        return -1;
    return call_statement(call, "StoreSnapshot", &store.base, &stored.base, err);
}

int create_snapshot(struct call *call, const ProtobufCMessage *message, ProtobufCMessage *response,
                    struct err *err)
{
    const Isms__Inputs__V1__CreateSnapshotRequest *request =
        (const Isms__Inputs__V1__CreateSnapshotRequest *)message;
    Isms__Inputs__V1__Snapshot *snapshot = (Isms__Inputs__V1__Snapshot *)response;
    Isms__Inputs__V1__FrozenInputs frozen = ISMS__INPUTS__V1__FROZEN_INPUTS__INIT;
    if (period_check(request->period, err) < 0)
        return -1;
    int found = stored_read(call, request, response, err);
    if (found != 0)
        return found < 0 ? -1 : 0;

    int64_t now_us = call_now_us(call);
    snapshot->id = arena_alloc(call_arena(call), UUID_TEXT_SIZE);
    snapshot->sha256 = arena_alloc(call_arena(call), SHA256_HEX_SIZE);
    snapshot->as_of = ARENA_NEW(call_arena(call), Google__Protobuf__Timestamp);
    if (arena_exhausted(call_arena(call)))
        return no_memory(err);
    uuid_format(call_new_id(call, 1), snapshot->id);
    google__protobuf__timestamp__init(snapshot->as_of);
    snapshot->as_of->seconds = now_us / 1000000;
    snapshot->as_of->nanos = (int32_t)(now_us % 1000000) * 1000;
    if (call_begin_snapshot(call, err) < 0 ||
        call_statement(call, "FreezeInputs", &request->base, &frozen.base, err) < 0 ||
        content_freeze(call, request, &frozen, snapshot, err) < 0)
        return -1;
    call_end(call);

    snapshot->review_id = request->review_id;
    snapshot->opening_id = request->opening_id;
    snapshot->period = request->period;
    snapshot->sequence = frozen.sequence;
    snapshot->item_count = (int32_t)frozen.n_items;
    call_log(call, "snapshot_sha256", "%s", snapshot->sha256);
    return snapshot_store(call, &frozen, snapshot, err);
}
