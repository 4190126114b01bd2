/* issuer_file.c: a JSON list of issuers, held to what it may say.
 *
 * An issuer must say for whom it speaks: `tenant` for an enterprise's own, `tenant_claim` for one that names the
 * organisation in its tokens, with `tenants` where it may not name just any. There is no default for that, nor for its
 * algorithms: both are what keeps one issuer from doing another's harm. */
#include "issuer_file.h"

#include <jansson.h>

#include "discovery.h"
#include "fetch.h"
#include "json_members.h"
#include "provisioning.h"

static int algorithms_read(const json_t *list, unsigned *ret_algorithms, struct err *err)
{
    unsigned set = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        enum jwt_algorithm algorithm;
        if (!name || !jwt_algorithm_from_name(name, &algorithm))
            return err_setf(err, ERR_FIELD_INVALID,
                            "\"algorithms\": \"%.40s\" is none of RS256, PS256, ES256 and EdDSA.",
                            name ? name : "(not a text)");
        set |= algorithm;
    }
    *ret_algorithms = set;
    return set ? 0 : err_setf(err, ERR_FIELD_INVALID, "\"algorithms\" must list at least one.");
}

static int tenant_read(const json_t *value, struct uuid *ret_tenant, struct err *err)
{
    const char *text = json_string_value(value);
    if (!text || !uuid_parse(text, ret_tenant) || uuid_is_nil(*ret_tenant))
        return err_setf(err, ERR_FIELD_INVALID, "\"%.40s\" is not the id of an organisation.",
                        text ? text : "(not a text)");
    return 0;
}

static int tenants_read(const json_t *object, struct arena *arena, struct issuer *to, struct err *err)
{
    const json_t *one = json_object_get(object, "tenant"), *list = json_object_get(object, "tenants");
    if (!one == !to->tenant_claim)
        return err_setf(err, ERR_FIELD_INVALID, "it needs either \"tenant\" or \"tenant_claim\".");
    if (list && (one || !json_is_array(list) || json_array_size(list) == 0 ||
                 json_array_size(list) > ISSUER_TENANTS_MAX))
        return err_setf(err, ERR_FIELD_INVALID, "\"tenants\" is a list of 1 to %d, and goes with \"tenant_claim\".",
                        ISSUER_TENANTS_MAX);
    to->tenant_count = one ? 1 : json_array_size(list);
    to->tenants = to->tenant_count ? ARENA_ARRAY(arena, to->tenant_count, struct uuid) : NULL;
    if (to->tenant_count && !to->tenants)
        return err_set(err, ERR_INTERNAL);
    for (size_t i = 0; i < to->tenant_count; i++)
        if (tenant_read(one ? one : json_array_get(list, i), &to->tenants[i], err) < 0)
            return -1;
    return 0;
}

static int provisioning_member(const json_t *object, struct arena *arena, struct issuer *to, struct err *err)
{
    const json_t *value = json_object_get(object, "provisioning");
    struct err cause = {0};
    if (!value || provisioning_read(value, arena, &to->provisioning, &cause) == 0)
        return 0;
    return err_setf(err, cause.reason, "\"provisioning\": %s", cause.message);
}

int issuer_complete(struct issuer *issuer, bool allow_http, struct arena *arena, struct err *err)
{
    char url[FETCH_URL_SIZE];
    if (issuer->jwks_file)
        return issuer->discovery
                   ? err_setf(err, ERR_FIELD_INVALID, "\"jwks_file\" and \"discovery\" exclude each other.") : 0;
    if (!issuer->discovery) {
        if (discovery_url(issuer->issuer, url, sizeof(url), err) < 0)
            return -1;
        issuer->discovery = arena_strdup(arena, url);
    }
    return issuer->discovery ? fetch_url_check(issuer->discovery, allow_http, err) : err_set(err, ERR_INTERNAL);
}

static int issuer_read(const json_t *object, bool allow_http, struct arena *arena, struct issuer *to, struct err *err)
{
    static const char *const members[] = {"issuer",    "audience",  "algorithms",   "tenant", "tenant_claim",
                                          "tenants",   "jwks_file", "provisioning", "discovery", NULL};
    if (json_members_check(object, members, err) < 0 ||
        json_member_text(object, "issuer", arena, &to->issuer, err) < 0 ||
        json_member_text(object, "audience", arena, &to->audience, err) < 0 ||
        json_member_text(object, "tenant_claim", arena, &to->tenant_claim, err) < 0 ||
        json_member_text(object, "jwks_file", arena, &to->jwks_file, err) < 0 ||
        json_member_text(object, "discovery", arena, &to->discovery, err) < 0)
        return -1;
    if (!to->issuer || !to->audience)
        return err_setf(err, ERR_FIELD_INVALID, "\"%s\" is missing.", to->issuer ? "audience" : "issuer");
    if (algorithms_read(json_object_get(object, "algorithms"), &to->algorithms, err) < 0 ||
        tenants_read(object, arena, to, err) < 0 || provisioning_member(object, arena, to, err) < 0)
        return -1;
    return issuer_complete(to, allow_http, arena, err);
}

static int list_read(const json_t *list, bool allow_http, struct arena *arena, struct issuer *ret_issuers, size_t max,
                     struct err *err)
{
    if (!json_is_array(list) || json_array_size(list) > max)
        return err_setf(err, ERR_FIELD_INVALID, "This is not a JSON list of at most %zu issuers.", max);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct err cause = {0};
        ret_issuers[i] = (struct issuer){0};
        if (issuer_read(json_array_get(list, i), allow_http, arena, &ret_issuers[i], &cause) < 0)
            return err_setf(err, cause.reason, "Issuer %zu: %s", i + 1, cause.message);
    }
    return arena_exhausted(arena) ? err_set(err, ERR_INTERNAL) : 0;
}

int issuer_file_read(const char *text, size_t length, bool allow_http, struct arena *arena, struct issuer *ret_issuers,
                     size_t max, size_t *ret_count, struct err *err)
{
    json_error_t problem;
    json_t *list = json_loadb(text, length, JSON_REJECT_DUPLICATES, &problem);
    if (!list)
        return err_setf(err, ERR_FIELD_INVALID, "Line %d, column %d: %s.", problem.line, problem.column, problem.text);
    int result = list_read(list, allow_http, arena, ret_issuers, max, err);
    if (result == 0)
        *ret_count = json_array_size(list);
    json_decref(list);
    return result;
}
