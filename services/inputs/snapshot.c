/* snapshot.c: CreateSnapshot, which freezes what a review considers.
 *
 * Reading and computing take their time in one REPEATABLE READ transaction that blocks nobody; only then is
 * the organisation's writer order taken, for two inserts. What is changed in between is not in the snapshot,
 * and need not be: the snapshot says which sequence it was taken at, and names revisions, which are kept for
 * ever. */
#include <string.h>

#include <isms/base/uuid.h>
#include <isms/inputs/v1/statements.pb-c.h>

#include "service.h"
#include "snapshot_content.h"
#include "trends.h"

/* 1: there is one already, and *response is it; 0: there is none. */
static int stored_read(struct call *call, const Isms__Inputs__V1__CreateSnapshotRequest *request,
                       ProtobufCMessage *response, struct err *err)
{
    Isms__Inputs__V1__GetSnapshotRequest get = ISMS__INPUTS__V1__GET_SNAPSHOT_REQUEST__INIT;
    get.review_id = request->review_id;
    get.opening_id = request->opening_id;
    if (call_begin_read(call, err) < 0)
        return -1;
    int result = call_statement(call, "GetSnapshot", &get.base, response, err);
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
    Isms__Inputs__V1__NonconformityTrend *nonconformities =
        ARENA_NEW(call_arena(call), Isms__Inputs__V1__NonconformityTrend);
    if (!nonconformities)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    if (call_statement(call, "FreezeInputs", &request->base, &content->base, err) < 0 ||
        trends_of_metrics(call, "", request->period, &content->trends, &content->n_trends, err) < 0)
        return -1;
    content->nonconformities = nonconformities;
    return trend_of_nonconformities(call, request->period, nonconformities, err);
}

static int snapshot_store(struct call *call, const Isms__Inputs__V1__SnapshotContent *content,
                          struct slice bytes, char *sha256, ProtobufCMessage *response, struct err *err)
{
    char id[UUID_TEXT_SIZE];
    uuid_format(call_new_id(call, 1), id);
    Isms__Inputs__V1__Snapshot snapshot = ISMS__INPUTS__V1__SNAPSHOT__INIT;
    snapshot.id = id;
    snapshot.review_id = content->review_id;
    snapshot.opening_id = content->opening_id;
    snapshot.period = content->period;
    snapshot.as_of = content->as_of;
    snapshot.sequence = content->sequence;
    snapshot.item_count = (int32_t)content->n_items;
    snapshot.content = (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)bytes.data, .len = bytes.length};
    snapshot.sha256 = sha256;
    Isms__Inputs__V1__StoreSnapshotRequest store = ISMS__INPUTS__V1__STORE_SNAPSHOT_REQUEST__INIT;
    store.snapshot = &snapshot;
    store.items = content->items;
    store.n_items = content->n_items;
    Isms__Inputs__V1__Snapshot stored = ISMS__INPUTS__V1__SNAPSHOT__INIT;
    Isms__Inputs__V1__GetSnapshotRequest get = ISMS__INPUTS__V1__GET_SNAPSHOT_REQUEST__INIT;
    get.review_id = content->review_id;
    get.opening_id = content->opening_id;
    if (call_begin_write(call, err) < 0 ||
        call_statement(call, "StoreSnapshot", &store.base, &stored.base, err) < 0)
        return -1;
    return call_statement(call, "GetSnapshot", &get.base, response, err);
}

int create_snapshot(struct call *call, const ProtobufCMessage *message, ProtobufCMessage *response,
                    struct err *err)
{
    const Isms__Inputs__V1__CreateSnapshotRequest *request =
        (const Isms__Inputs__V1__CreateSnapshotRequest *)message;
    if (period_check(request->period, err) < 0)
        return -1;
    int found = stored_read(call, request, response, err);
    if (found != 0)
        return found < 0 ? -1 : 0;

    Isms__Inputs__V1__SnapshotContent content = ISMS__INPUTS__V1__SNAPSHOT_CONTENT__INIT;
    if (call_begin_snapshot(call, err) < 0 || content_read(call, request, &content, err) < 0)
        return -1;
    call_end(call);

    int64_t now_us = call_now_us(call);
    Google__Protobuf__Timestamp as_of = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    as_of.seconds = now_us / 1000000;
    as_of.nanos = (int32_t)(now_us % 1000000) * 1000;
    content.review_id = request->review_id;
    content.opening_id = request->opening_id;
    content.period = request->period;
    content.as_of = &as_of;
    struct slice bytes;
    char sha256[SHA256_HEX_SIZE];
    if (snapshot_content_write(call_service_data(call), &content, call_arena(call), &bytes, sha256, err) < 0)
        return -1;
    call_log(call, "snapshot_sha256", "%s", sha256);
    return snapshot_store(call, &content, bytes, sha256, response, err);
}
