/* api_key.c: a fixed layout, so that parsing is comparing offsets. The secret's alphabet holds '_' too,
 * which splitting at separators would get wrong. */
#include <isms/auth/api_key.h>

#include <openssl/crypto.h>

#include <isms/base/buf.h>
#include <isms/base/err.h>

#define PREFIX "isms_"

enum {
    PREFIX_LENGTH = sizeof(PREFIX) - 1,
    UUID_HEX_LENGTH = 32,
    TENANT_AT = PREFIX_LENGTH,
    ID_AT = TENANT_AT + UUID_HEX_LENGTH + 1,
    SECRET_AT = ID_AT + UUID_HEX_LENGTH + 1,
    TEXT_LENGTH = API_KEY_TEXT_SIZE - 1
};

struct api_key api_key_make(struct uuid tenant, struct uuid id)
{
    struct api_key key = {.tenant = tenant, .id = id};
    random_bytes(key.secret, sizeof(key.secret));
    return key;
}

void api_key_format(const struct api_key *key, char text[static API_KEY_TEXT_SIZE])
{
    char tenant[UUID_HEX_LENGTH + 1], id[UUID_HEX_LENGTH + 1];
    hex_encode(key->tenant.bytes, sizeof(key->tenant.bytes), tenant);
    hex_encode(key->id.bytes, sizeof(key->id.bytes), id);

    struct buf buf;
    buf_init_fixed(&buf, text, API_KEY_TEXT_SIZE);
    buf_printf(&buf, PREFIX "%s_%s_", tenant, id);
    base64url_encode(&buf, key->secret, sizeof(key->secret));
}

bool api_key_has_prefix(const char *text, size_t length)
{
    return length >= PREFIX_LENGTH && memcmp(text, PREFIX, PREFIX_LENGTH) == 0;
}

static bool uuid_from_lower_hex(const char *text, struct uuid *ret_uuid)
{
    for (size_t i = 0; i < UUID_HEX_LENGTH; i++)
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
            return false;
    return hex_decode(text, UUID_HEX_LENGTH, ret_uuid->bytes);
}

bool api_key_parse(const char *text, size_t length, struct api_key *ret_key)
{
    struct api_key key CLEANUP(api_key_clear);
    if (length != TEXT_LENGTH || !api_key_has_prefix(text, length) || text[ID_AT - 1] != '_' ||
        text[SECRET_AT - 1] != '_')
        return false;
    if (!uuid_from_lower_hex(text + TENANT_AT, &key.tenant) || !uuid_from_lower_hex(text + ID_AT, &key.id))
        return false;

    char storage[API_KEY_SECRET_SIZE + 1];
    struct buf secret;
    struct err err;
    buf_init_fixed(&secret, storage, sizeof(storage));
    bool parsed = base64url_decode(&secret, text + SECRET_AT, length - SECRET_AT, &err) == 0 &&
                  !secret.failed && secret.length == API_KEY_SECRET_SIZE;
    if (parsed) {
        memcpy(key.secret, storage, API_KEY_SECRET_SIZE);
        *ret_key = key;
    }
    OPENSSL_cleanse(storage, sizeof(storage));
    return parsed;
}

struct sha256 api_key_hash(const struct api_key *key)
{
    return sha256_of(key->secret, sizeof(key->secret));
}

bool api_key_matches(const struct api_key *key, const struct sha256 *stored)
{
    struct sha256 hash = api_key_hash(key);
    return equal_constant_time(&hash, stored, sizeof(hash));
}

void api_key_clear(struct api_key *key)
{
    OPENSSL_cleanse(key, sizeof(*key));
}
