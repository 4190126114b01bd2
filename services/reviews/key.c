/* key.c: API keys, whose secret is shown once.
 *
 * The answer that is kept for a repeated request must not hold the secret: it is put in after the commit.
 *
 * Whoever may manage keys hands out any role of the organisation's: administering is more than one's own work. Two
 * callers are held to what they have: a key that is narrowed, which would mean little if it could make itself a wider
 * one; and the platform's administrators, who see no organisation's content and get no secret of a key that does. */
#include "service.h"

#include <stdio.h>
#include <string.h>

#include <isms/auth/api_key.h>
#include <isms/auth/principal.h>
#include <isms/proto/mask.h>
#include <isms/reviews/v1/internal.pb-c.h>
#include <isms/reviews/v1/reviews.pb-c.h>

/* --- what a key is good for ----------------------------------------------------------------------------- */

static int permissions_check(const Isms__Reviews__V1__Key *key, struct err *err)
{
    int result = 0;
    for (size_t i = 0; i < key->n_permissions; i++) {
        enum permission permission;
        char field[40];
        snprintf(field, sizeof(field), "key.permissions[%zu]", i);
        if (!permission_from_name(slice_of(key->permissions[i]), &permission))
            result = err_field(err, field, "is not the name of a permission");
    }
    return result;
}

static struct role_set roles_of(const Isms__Reviews__V1__Key *key)
{
    struct role_set roles = {0};
    for (size_t i = 0; i < key->n_roles; i++) {
        const ProtobufCEnumValue *value =
            protobuf_c_enum_descriptor_get_value(&isms__reviews__v1__role__descriptor, (int)key->roles[i]);
        enum role role;
        if (value && role_from_name(slice_of(value->name + strlen("ROLE_")), &role))
            roles = role_set_add(roles, role);
    }
    return roles;
}

static struct permission_set permissions_of(const Isms__Reviews__V1__Key *key)
{
    struct permission_set mask = {.bits = key->n_permissions == 0 ? UINT64_MAX : 0};
    for (size_t i = 0; i < key->n_permissions; i++) {
        enum permission permission;
        if (permission_from_name(slice_of(key->permissions[i]), &permission))
            mask.bits |= UINT64_C(1) << permission;
    }
    return (struct permission_set){.bits = permissions_of_roles(roles_of(key)).bits & mask.bits};
}

/* May this caller hand out a key that is good for that much? */
static int permissions_require(const struct call *call, const Isms__Reviews__V1__Key *key, struct err *err)
{
    const struct principal *principal = call_principal(call);
    struct permission_set permissions = permissions_of(key);
    if (principal->permissions.bits == permissions_of_roles(principal->roles).bits)
        return 0; /* not narrowed */
    for (enum permission permission = 0; permission < PERMISSION_COUNT; permission++)
        if (permission_set_has(permissions, permission) && principal_require(principal, permission, err) < 0)
            return -1;
    return 0;
}

/* The same of a key that is there. One of the platform's that acts for organisations is nobody's to change. */
static int giving_require(const struct call *call, const Isms__Reviews__V1__Key *key, struct err *err)
{
    const struct principal *principal = call_principal(call);
    struct role_set roles = roles_of(key);
    for (enum role role = 0; uuid_is_nil(principal->tenant) && role < ROLE_COUNT; role++)
        if (role_set_has(roles, role) && !role_set_has(principal->roles, role)) {
            err_set(err, ERR_PERMISSION_DENIED);
            err_fact(err, "role", "%s", role_name(role));
            return -1;
        }
    return permissions_require(call, key, err);
}

/* --- the rpcs ------------------------------------------------------------------------------------------- */

char *uuid_text(struct call *call, struct uuid uuid)
{
    char *text = arena_alloc(call_arena(call), UUID_TEXT_SIZE);
    if (text)
        uuid_format(uuid, text);
    return text;
}

char *key_text(struct call *call, const struct api_key *key)
{
    char *text = arena_alloc(call_arena(call), API_KEY_TEXT_SIZE);
    if (text)
        api_key_format(key, text);
    return text;
}

static Isms__Reviews__V1__Key *key_message(struct call *call)
{
    Isms__Reviews__V1__Key *key = ARENA_NEW(call_arena(call), Isms__Reviews__V1__Key);
    if (key)
        isms__reviews__v1__key__init(key);
    return key;
}

int out_of_memory(struct err *err)
{
    return err_setf(err, ERR_MESSAGE_TOO_LARGE, "The request needs more memory than a call may use.");
}

/* The key as it is, under the writer order: nobody changes it until the commit. */
static int key_find(struct call *call, char *id, Isms__Reviews__V1__Key *ret_key, struct err *err)
{
    Isms__Reviews__V1__KeyRequest find = ISMS__REVIEWS__V1__KEY_REQUEST__INIT;
    find.id = id;
    isms__reviews__v1__key__init(ret_key);
    return call_statement(call, "FindKey", &find.base, &ret_key->base, err);
}

int key_create(struct call *call, const ProtobufCMessage *request, ProtobufCMessage *response, struct err *err)
{
    const Isms__Reviews__V1__CreateKeyRequest *create = (const void *)request;
    Isms__Reviews__V1__CreateKeyResponse *created = (void *)response;
    Isms__Reviews__V1__StoredKey stored = ISMS__REVIEWS__V1__STORED_KEY__INIT;
    struct uuid tenant = call_principal(call)->tenant;
    struct api_key key CLEANUP(api_key_clear) = api_key_make(tenant, call_new_id(call, 1));
    struct sha256 hash = api_key_hash(&key);

    stored.id = uuid_text(call, key.id);
    stored.key = create->key;
    stored.secret_sha256 = (ProtobufCBinaryData){.data = hash.bytes, .len = sizeof(hash.bytes)};
    char *text = key_text(call, &key);
    created->key = key_message(call);
    if (!stored.id || !text || !created->key)
        return out_of_memory(err);

    if (permissions_check(create->key, err) < 0 || call_begin_write(call, err) < 0 ||
        permissions_require(call, create->key, err) < 0 ||
        call_statement(call, "AddKey", &stored.base, &created->key->base, err) < 0 ||
        call_commit(call, response, err) < 0)
        return -1;
    created->api_key = text;
    return 0;
}

int key_update(struct call *call, const ProtobufCMessage *request, ProtobufCMessage *response, struct err *err)
{
    const Isms__Reviews__V1__UpdateKeyRequest *update = (const void *)request;
    Isms__Reviews__V1__Key key;
    bool narrows = mask_touches(update->update_mask, "permissions");
    if ((narrows && permissions_check(update->key, err) < 0) || call_begin_write(call, err) < 0 ||
        key_find(call, update->id, &key, err) < 0)
        return -1;
    if (narrows) {
        key.permissions = update->key->permissions;
        key.n_permissions = update->key->n_permissions;
    }
    if (giving_require(call, &key, err) < 0)
        return -1;
    return call_statement(call, "UpdateKey", request, response, err);
}

int key_rotate(struct call *call, const ProtobufCMessage *request, ProtobufCMessage *response, struct err *err)
{
    const Isms__Reviews__V1__RotateKeyRequest *rotate = (const void *)request;
    Isms__Reviews__V1__RotateKeyResponse *rotated = (void *)response;
    Isms__Reviews__V1__Rotation rotation = ISMS__REVIEWS__V1__ROTATION__INIT;
    Isms__Reviews__V1__Key key;
    struct uuid id;
    if (!uuid_parse(rotate->id, &id))
        return err_set(err, ERR_INTERNAL);
    struct api_key renewed CLEANUP(api_key_clear) = api_key_make(call_principal(call)->tenant, id);
    struct sha256 hash = api_key_hash(&renewed);

    rotation.id = rotate->id;
    rotation.secret_sha256 = (ProtobufCBinaryData){.data = hash.bytes, .len = sizeof(hash.bytes)};
    rotation.overlap_seconds = rotate->overlap_seconds;
    char *text = key_text(call, &renewed);
    rotated->key = key_message(call);
    if (!text || !rotated->key)
        return out_of_memory(err);

    if (call_begin_write(call, err) < 0 || key_find(call, rotate->id, &key, err) < 0 ||
        giving_require(call, &key, err) < 0 ||
        call_statement(call, "RotateKey", &rotation.base, &rotated->key->base, err) < 0 ||
        call_commit(call, response, err) < 0)
        return -1;
    rotated->api_key = text;
    return 0;
}
