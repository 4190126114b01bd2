/* provisioning.c: groups of the identity provider to roles of ours.
 *
 * The operator lists which value gives which role; a value that is not listed gives nothing. The platform's roles and
 * that of intake tokens cannot be given: an identity provider speaks for people of organisations. An organisation's
 * administrator is made by a listed value only, since everybody's default would be everybody an administrator. */
#include "provisioning.h"

#include <string.h>

#include "json_members.h"

static struct role_set role_one(enum role role)
{
    return role_set_add((struct role_set){0}, role);
}

static int role_read(const json_t *value, enum role *ret_role, struct err *err)
{
    const char *name = json_string_value(value);
    if (!name || !role_from_name(slice_of(name), ret_role))
        return err_setf(err, ERR_FIELD_INVALID, "\"%.40s\" is not a role.", name ? name : "(not a text)");
    if (*ret_role == ROLE_PLATFORM_ADMIN || *ret_role == ROLE_PLATFORM_AGENT || *ret_role == ROLE_INTAKE)
        return err_setf(err, ERR_FIELD_INVALID, "the role %s cannot be given by an issuer.", name);
    return 0;
}

static int mapping_read(json_t *map, struct arena *arena, struct provisioning *to, struct err *err)
{
    const char *value;
    json_t *name;
    if (map && (!json_is_object(map) || json_object_size(map) > PROVISIONING_ROLES_MAX))
        return err_setf(err, ERR_FIELD_INVALID, "\"roles\" must be an object of at most %d members.",
                        PROVISIONING_ROLES_MAX);
    if ((json_object_size(map) > 0) != (to->roles_claim != NULL))
        return err_setf(err, ERR_FIELD_INVALID, "\"roles_claim\" and \"roles\" go together.");
    json_object_foreach(map, value, name) {
        enum role role;
        if (role_read(name, &role, err) < 0)
            return -1;
        to->mapped[to->mapped_count].value = arena_strdup(arena, value);
        to->mapped[to->mapped_count++].role = role;
        to->managed = role_set_add(to->managed, role);
    }
    return 0;
}

static int defaults_read(const json_t *list, struct provisioning *to, struct err *err)
{
    if (list && !json_is_array(list))
        return err_setf(err, ERR_FIELD_INVALID, "\"default_roles\" must be a list.");
    for (size_t i = 0; i < json_array_size(list); i++) {
        enum role role;
        if (role_read(json_array_get(list, i), &role, err) < 0)
            return -1;
        if (role == ROLE_TENANT_ADMIN)
            return err_setf(err, ERR_FIELD_INVALID,
                            "\"default_roles\" cannot hold TENANT_ADMIN; list it in \"roles\".");
        to->default_roles = role_set_add(to->default_roles, role);
    }
    to->managed.bits |= to->default_roles.bits;
    return 0;
}

static int when_read(const json_t *value, struct provisioning *to, struct err *err)
{
    const char *text = value ? json_string_value(value) : "first";
    if (text && strcmp(text, "first") == 0)
        to->when = JWT_PROVISION_FIRST;
    else if (text && strcmp(text, "always") == 0)
        to->when = JWT_PROVISION_ALWAYS;
    else
        return err_setf(err, ERR_FIELD_INVALID, "\"update\" must be \"first\" or \"always\".");
    return 0;
}

int provisioning_read(const json_t *object, struct arena *arena, struct provisioning **ret_provisioning,
                      struct err *err)
{
    static const char *const members[] = {"roles_claim", "roles", "default_roles", "update", NULL};
    struct provisioning *to = ARENA_NEW(arena, struct provisioning);
    if (!to)
        return err_set(err, ERR_INTERNAL);
    if (json_members_check(object, members, err) < 0 ||
        json_member_text(object, "roles_claim", arena, &to->roles_claim, err) < 0 ||
        mapping_read(json_object_get(object, "roles"), arena, to, err) < 0 ||
        defaults_read(json_object_get(object, "default_roles"), to, err) < 0 ||
        when_read(json_object_get(object, "update"), to, err) < 0)
        return -1;
    if (to->managed.bits == 0)
        return err_setf(err, ERR_FIELD_INVALID, "there must be \"roles\" or \"default_roles\".");
    *ret_provisioning = to;
    return 0;
}

static struct role_set roles_of_value(const struct provisioning *provisioning, const char *value)
{
    struct role_set roles = {0};
    for (size_t i = 0; value && i < provisioning->mapped_count; i++)
        if (strcmp(provisioning->mapped[i].value, value) == 0)
            roles.bits |= role_one(provisioning->mapped[i].role).bits;
    return roles;
}

void provisioning_apply(const struct provisioning *provisioning, const json_t *payload, struct jwt_claims *claims)
{
    if (!provisioning)
        return;
    const json_t *given = provisioning->roles_claim ? json_object_get(payload, provisioning->roles_claim) : NULL;
    claims->provision = provisioning->when;
    claims->roles_managed = provisioning->managed;
    claims->roles = provisioning->default_roles;
    claims->roles.bits |= roles_of_value(provisioning, json_string_value(given)).bits;
    for (size_t i = 0; i < json_array_size(given); i++)
        claims->roles.bits |= roles_of_value(provisioning, json_string_value(json_array_get(given, i))).bits;
}
