/* snapshot.c: freezes the previous actions of a review.
 *
 * Three steps, so that the organisation's other writers wait for the last only: what there is, read in one
 * REPEATABLE READ transaction; its canonical form and hash; the storing. The answer is then read back from what
 * was stored, by the statement that answers GetActionSnapshot, so that the two can never differ. */
#include "snapshot.h"

#include <google/protobuf/empty.pb-c.h>
#include <isms/actions/v1/actions.pb-c.h>
#include <isms/base/buf.h>
#include <isms/base/crypto.h>
#include <isms/proto/descriptors.h>
#include <isms/proto/message.h>

enum { CONTENT_MAX = 16 * 1024 * 1024 };

/* Fills content and sha256 from everything else. */
static int snapshot_hash(struct call *call, Isms__Actions__V1__ActionSnapshot *snapshot, struct err *err)
{
    const struct descriptors *descriptors = call_service_data(call);
    const struct message_type *type = descriptors_message_of(descriptors, snapshot->base.descriptor);
    struct buf content;
    buf_init_arena(&content, call_arena(call), CONTENT_MAX);
    if (message_canonical(type, &snapshot->base, &content, err) < 0)
        return -1;
    char *hex = arena_alloc(call_arena(call), SHA256_HEX_SIZE);
    if (!hex)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    struct sha256 hash = sha256_of(content.data, content.length);
    hex_encode(&hash, sizeof(hash), hex);
    snapshot->content = (ProtobufCBinaryData){.data = (uint8_t *)content.data, .len = content.length};
    snapshot->sha256 = hex;
    return 0;
}

int snapshot_create(struct call *call, const ProtobufCMessage *request, ProtobufCMessage *response,
                    struct err *err)
{
    const Isms__Actions__V1__CreateActionSnapshotRequest *create = (const void *)request;
    Isms__Actions__V1__ActionSnapshot frozen = ISMS__ACTIONS__V1__ACTION_SNAPSHOT__INIT;
    Isms__Actions__V1__GetActionSnapshotRequest get = ISMS__ACTIONS__V1__GET_ACTION_SNAPSHOT_REQUEST__INIT;
    Google__Protobuf__Empty nothing = GOOGLE__PROTOBUF__EMPTY__INIT;
    get.review_id = create->review_id;
    get.opening_id = create->opening_id;

    if (call_begin_snapshot(call, err) < 0 ||
        call_statement(call, "FreezeActions", request, &frozen.base, err) < 0)
        return -1;
    if (frozen.id[0])
        return call_statement(call, "GetActionSnapshot", &get.base, response, err);
    call_end(call);

    if (snapshot_hash(call, &frozen, err) < 0)
        return -1;
    call_log(call, "actions", "%d", frozen.item_count);

    if (call_begin_write(call, err) < 0 ||
        call_statement(call, "StoreActionSnapshot", &frozen.base, &nothing.base, err) < 0)
        return -1;
    return call_statement(call, "GetActionSnapshot", &get.base, response, err);
}
