/* organisation.c: organisations, of which a new one comes with a key that is shown once; and who the caller is.
 *
 * The answer that is kept for a repeated request must not hold the secret, nor personal data that could not be erased
 * there: both are put in after the commit. */
#include "service.h"

#include <stdio.h>
#include <string.h>

#include <isms/auth/api_key.h>
#include <isms/auth/principal.h>
#include <isms/reviews/v1/internal.pb-c.h>
#include <isms/reviews/v1/reviews.pb-c.h>

int organisation_create(struct call *call, const ProtobufCMessage *request, ProtobufCMessage *response,
                        struct err *err)
{
    const Isms__Reviews__V1__CreateOrganisationRequest *create = (const void *)request;
    Isms__Reviews__V1__CreateOrganisationResponse *created = (void *)response;
    Isms__Reviews__V1__NewOrganisation add = ISMS__REVIEWS__V1__NEW_ORGANISATION__INIT;
    Isms__Reviews__V1__StoredKey stored = ISMS__REVIEWS__V1__STORED_KEY__INIT;
    Isms__Reviews__V1__Key described = ISMS__REVIEWS__V1__KEY__INIT;
    Isms__Reviews__V1__Role role = ISMS__REVIEWS__V1__ROLE__ROLE_TENANT_ADMIN;
    struct uuid tenant = call_new_id(call, 1);
    struct api_key key CLEANUP(api_key_clear) = api_key_make(tenant, call_new_id(call, 3));
    struct sha256 hash = api_key_hash(&key);

    described.name = "First administrator";
    described.roles = &role;
    described.n_roles = 1;
    stored.id = uuid_text(call, key.id);
    stored.key = &described;
    stored.secret_sha256 = (ProtobufCBinaryData){.data = hash.bytes, .len = sizeof(hash.bytes)};
    add.id = uuid_text(call, tenant);
    add.organisation = create->organisation;
    add.administrator_id = uuid_text(call, call_new_id(call, 2));
    add.administrator = create->administrator;
    add.key = &stored;
    char *text = key_text(call, &key);
    if (!stored.id || !add.id || !add.administrator_id || !text)
        return out_of_memory(err);

    if (call_begin_write(call, err) < 0 ||
        call_statement(call, "AddOrganisation", &add.base, response, err) < 0)
        return -1;
    Isms__Reviews__V1__Member *administrator = created->administrator;
    Isms__Reviews__V1__Member kept = ISMS__REVIEWS__V1__MEMBER__INIT;
    kept.id = administrator->id;
    created->administrator = &kept;
    int result = call_commit(call, response, err);
    created->administrator = administrator;
    if (result == 0)
        created->api_key = text;
    return result;
}

static int organisation_move(struct call *call, char *id, bool active, ProtobufCMessage *response, struct err *err)
{
    Isms__Reviews__V1__Organisation move = ISMS__REVIEWS__V1__ORGANISATION__INIT;
    move.id = id;
    move.state = active ? ISMS__REVIEWS__V1__ORGANISATION_STATE__ORGANISATION_STATE_ACTIVE
                        : ISMS__REVIEWS__V1__ORGANISATION_STATE__ORGANISATION_STATE_SUSPENDED;
    if (call_begin_write(call, err) < 0)
        return -1;
    return call_statement(call, "MoveOrganisation", &move.base, response, err);
}

int organisation_suspend(struct call *call, const ProtobufCMessage *request, ProtobufCMessage *response,
                         struct err *err)
{
    const Isms__Reviews__V1__SuspendOrganisationRequest *suspend = (const void *)request;
    return organisation_move(call, suspend->id, false, response, err);
}

int organisation_resume(struct call *call, const ProtobufCMessage *request, ProtobufCMessage *response,
                        struct err *err)
{
    const Isms__Reviews__V1__ResumeOrganisationRequest *resume = (const void *)request;
    return organisation_move(call, resume->id, true, response, err);
}

int organisation_erase(struct call *call, const ProtobufCMessage *request, ProtobufCMessage *response,
                       struct err *err)
{
    if (call_begin_write(call, err) < 0)
        return -1;
    return call_statement(call, "EraseOrganisation", request, response, err);
}

int organisation_limit(struct call *call, const ProtobufCMessage *request, ProtobufCMessage *response,
                       struct err *err)
{
    if (call_begin_write(call, err) < 0)
        return -1;
    return call_statement(call, "SetOrganisationLimits", request, response, err);
}

/* The role as the API has it: the names are the same. */
static int role_value(enum role role)
{
    char name[64];
    snprintf(name, sizeof(name), "ROLE_%s", role_name(role));
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value_by_name(&isms__reviews__v1__role__descriptor, name);
    return value ? value->value : 0;
}

int self_get(struct call *call, const ProtobufCMessage *request UNUSED, ProtobufCMessage *response,
             struct err *err)
{
    if (call_begin_read(call, err) < 0) /* is the remembered credential still good? */
        return -1;
    call_end(call);
    const struct principal *principal = call_principal(call);
    Isms__Reviews__V1__Self *self = (void *)response;
    self->roles = ARENA_ARRAY(call_arena(call), ROLE_COUNT, Isms__Reviews__V1__Role);
    self->permissions = ARENA_ARRAY(call_arena(call), PERMISSION_COUNT, char *);
    self->organisation_id = uuid_text(call, principal->tenant);
    self->id = uuid_text(call, principal->id);
    self->kind = (char *)principal_kind_name(principal->kind);
    if (arena_exhausted(call_arena(call)))
        return out_of_memory(err);
    for (enum role role = 0; role < ROLE_COUNT; role++)
        if (role_set_has(principal->roles, role))
            self->roles[self->n_roles++] = (Isms__Reviews__V1__Role)role_value(role);
    for (enum permission permission = 0; permission < PERMISSION_COUNT; permission++)
        if (permission_set_has(principal->permissions, permission))
            self->permissions[self->n_permissions++] = (char *)permission_name(permission);
    return 0;
}
