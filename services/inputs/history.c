/* history.c: ListInputChanges, the change log of one input with what each write changed. */
#include <isms/inputs/v1/statements.pb-c.h>

#include "input_diff.h"
#include "service.h"

static int change_fill(struct arena *arena, const Isms__Inputs__V1__InputRevision *revision,
                       Isms__Inputs__V1__InputChange *change, struct err *err)
{
    struct input_diff diff;
    if (input_diff(revision->before, revision->content, arena, &diff, err) < 0)
        return -1;
    isms__inputs__v1__input_change__init(change);
    change->revision = revision->revision;
    change->operation = diff.operation;
    change->change_time = revision->change_time;
    change->actor_id = revision->actor_id;
    change->actor_name = revision->actor_name;
    change->actor_kind = revision->actor_kind;
    change->on_behalf_of = revision->on_behalf_of;
    change->method = revision->method;
    change->request_id = revision->request_id;
    change->sequence = revision->sequence;
    change->fields = diff.fields;
    change->n_fields = diff.count;
    return 0;
}

int list_input_changes(struct call *call, const ProtobufCMessage *request, ProtobufCMessage *answer,
                       struct err *err)
{
    struct arena *arena = call_arena(call);
    Isms__Inputs__V1__ListInputChangesResponse *response = (Isms__Inputs__V1__ListInputChangesResponse *)answer;
    Isms__Inputs__V1__InputRevisionList list = ISMS__INPUTS__V1__INPUT_REVISION_LIST__INIT;
    if (call_begin_read(call, err) < 0 ||
        call_statement(call, "ListInputChanges", request, &list.base, err) < 0)
        return -1;
    call_end(call);
    Isms__Inputs__V1__InputChange *changes = ARENA_ARRAY(arena, list.n_revisions, Isms__Inputs__V1__InputChange);
    response->changes = ARENA_ARRAY(arena, list.n_revisions, Isms__Inputs__V1__InputChange *);
    if (arena_exhausted(arena))
        return err_setf(err, ERR_MESSAGE_TOO_LARGE, "The page is too large; ask for a smaller one.");
    for (size_t i = 0; i < list.n_revisions; i++) {
        if (change_fill(arena, list.revisions[i], &changes[i], err) < 0)
            return -1;
        response->changes[i] = &changes[i];
    }
    response->n_changes = list.n_revisions;
    response->next_page_token = list.next_page_token;
    return 0;
}
