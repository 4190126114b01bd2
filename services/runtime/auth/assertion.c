/* assertion.c: a JWS with our own claims. Written by hand, since its texts are few and known; read with the
 * same code as the tokens of strangers, since whoever holds one service's key should get no further with a
 * malformed assertion than with a malformed token.
 *
 * Everything is required and exact: both sides are ours, and what one side leaves out the other must not
 * fill in. */
#include <isms/auth/assertion.h>

#include <isms/auth/jwt.h>
#include <isms/base/json_text.h>

#include "json_members.h"
#include "jws.h"

#define TYPE "isms-assertion+jwt"

static const int64_t SECOND_US = 1000000;

static void json_member(struct buf *json, const char *name, const char *text)
{
    buf_printf(json, ",\"%s\":", name);
    json_text_append(json, text, strlen(text));
}

static void header_write(struct buf *json, const struct assertion *assertion)
{
    buf_text(json, "{\"alg\":\"EdDSA\",\"typ\":\"" TYPE "\"");
    json_member(json, "kid", assertion->service);
    buf_char(json, '}');
}

static void payload_write(struct buf *json, const struct assertion *assertion, int64_t now_us)
{
    char uuid[UUID_TEXT_SIZE];
    int64_t now_s = now_us / SECOND_US;
    buf_printf(json, "{\"iat\":%lld,\"exp\":%lld,\"rev\":%lld,\"job\":%s", (long long)now_s,
               (long long)(now_s + ASSERTION_LIFETIME_S), (long long)assertion->actor_revision,
               assertion->job ? "true" : "false");
    json_member(json, "iss", assertion->service);
    json_member(json, "aud", assertion->audience);
    json_member(json, "method", assertion->method);
    uuid_format(assertion->tenant, uuid);
    json_member(json, "tenant", uuid);
    uuid_format(assertion->actor, uuid);
    json_member(json, "actor", uuid);
    json_member(json, "scope", scope_name(assertion->scope));
    json_member(json, "request_id", assertion->request_id);
    uuid_format(uuid_v7(), uuid);
    json_member(json, "jti", uuid);
    buf_text(json, ",\"roles\":[");
    const char *separator = "";
    for (unsigned role = 0; role < ROLE_COUNT; role++) {
        if (!role_set_has(assertion->roles, role))
            continue;
        buf_printf(json, "%s\"%s\"", separator, role_name(role));
        separator = ",";
    }
    buf_text(json, "]}");
}

int assertion_issue(const struct signing_key *key, const struct assertion *assertion, int64_t now_us,
                    struct buf *text, struct err *err)
{
    char storage[ASSERTION_TEXT_MAX], signed_storage[ASSERTION_TEXT_MAX];
    struct buf json, signed_part;
    buf_init_fixed(&json, storage, sizeof(storage));
    buf_init_fixed(&signed_part, signed_storage, sizeof(signed_storage));
    header_write(&json, assertion);
    base64url_encode(&signed_part, json.data, json.length);
    buf_char(&signed_part, '.');
    buf_clear(&json);
    payload_write(&json, assertion, now_us);
    base64url_encode(&signed_part, json.data, json.length);

    uint8_t signature[ED25519_SIGNATURE_SIZE];
    if (json.failed || signed_part.failed)
        return err_set(err, ERR_INTERNAL);
    if (ed25519_sign(key, signed_part.data, signed_part.length, signature, err) < 0)
        return -1;
    buf_append(text, signed_part.data, signed_part.length);
    buf_char(text, '.');
    base64url_encode(text, signature, sizeof(signature));
    return text->failed ? err_set(err, ERR_MESSAGE_TOO_LARGE) : 0; /* for a call's memory */
}

static bool uuid_read(const json_t *value, struct uuid *ret_uuid)
{
    const char *text = json_string_value(value);
    return text && uuid_parse(text, ret_uuid);
}

static bool roles_read(const json_t *list, struct role_set *ret_roles)
{
    struct role_set roles = {0};
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        enum role role;
        if (!name || !role_from_name(slice_of(name), &role))
            return false;
        roles = role_set_add(roles, role);
    }
    *ret_roles = roles;
    return json_is_array(list);
}

/* "" is a value here, unlike for json_text_copy(). */
static bool request_id_read(const json_t *value, char *ret_text, size_t size)
{
    ret_text[0] = '\0';
    return json_is_string(value) &&
           (json_string_length(value) == 0 || json_text_copy(value, ret_text, size));
}

static bool claims_read(const json_t *payload, struct assertion *ret_assertion)
{
    const json_t *revision = json_object_get(payload, "rev"), *job = json_object_get(payload, "job");
    const char *scope = json_string_value(json_object_get(payload, "scope"));
    struct assertion *to = ret_assertion;
    to->job = json_is_true(job);
    to->actor_revision = json_integer_value(revision);
    return json_is_boolean(job) && json_is_integer(revision) && scope &&
           scope_from_name(slice_of(scope), &to->scope) &&
           json_text_copy(json_object_get(payload, "iss"), to->service, sizeof(to->service)) &&
           json_text_copy(json_object_get(payload, "aud"), to->audience, sizeof(to->audience)) &&
           json_text_copy(json_object_get(payload, "method"), to->method, sizeof(to->method)) &&
           uuid_read(json_object_get(payload, "tenant"), &to->tenant) &&
           uuid_read(json_object_get(payload, "actor"), &to->actor) &&
           to->job == uuid_is_nil(to->actor) &&
           roles_read(json_object_get(payload, "roles"), &to->roles) &&
           request_id_read(json_object_get(payload, "request_id"), to->request_id, sizeof(to->request_id)) &&
           json_is_string(json_object_get(payload, "jti"));
}

static int times_check(const json_t *payload, int64_t now_us, int64_t *ret_expire_us, struct err *err)
{
    int64_t issued_us, expire_us;
    if (!json_numeric_date(json_object_get(payload, "iat"), &issued_us) ||
        !json_numeric_date(json_object_get(payload, "exp"), &expire_us) ||
        expire_us > issued_us + ASSERTION_LIFETIME_S * SECOND_US)
        return token_refuse(err, TOKEN_CLAIM);
    if (issued_us > now_us + ASSERTION_SKEW_S * SECOND_US)
        return token_refuse(err, TOKEN_NOT_YET_VALID);
    if (now_us >= expire_us + ASSERTION_SKEW_S * SECOND_US)
        return token_refuse(err, TOKEN_EXPIRED);
    *ret_expire_us = expire_us;
    return 0;
}

int assertion_verify(const struct jwks *keys, const char *text, size_t length, const char *audience,
                     const char *method, int64_t now_us, struct assertion *ret_assertion, struct err *err)
{
    struct jws jws CLEANUP(jws_release) = {0};
    if (jws_parse(text, length, ASSERTION_TEXT_MAX, &jws, err) < 0)
        return -1;
    if (!jws.type || strcmp(jws.type, TYPE) != 0)
        return token_refuse(err, TOKEN_TYPE);
    if (jws.algorithm != JWT_EDDSA)
        return token_refuse(err, TOKEN_ALGORITHM);
    if (!jws.kid)
        return token_refuse(err, TOKEN_KEY);
    if (jws_verify(&jws, keys, err) < 0)
        return -1;

    struct assertion assertion = {0};
    if (!claims_read(jws.payload, &assertion))
        return token_refuse(err, TOKEN_CLAIM);
    if (strcmp(assertion.service, jws.kid) != 0)
        return token_refuse(err, TOKEN_ISSUER); /* one service speaking as another */
    if (strcmp(assertion.audience, audience) != 0)
        return token_refuse(err, TOKEN_AUDIENCE);
    if (strcmp(assertion.method, method) != 0)
        return token_refuse(err, TOKEN_METHOD);
    if (times_check(jws.payload, now_us, &assertion.expire_time_us, err) < 0)
        return -1;
    *ret_assertion = assertion;
    return 0;
}
