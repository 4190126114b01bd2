/* page_token.c: HMAC over everything a token is bound to and everything it holds.
 *
 * Layout: version (1), made at, in microseconds (8, big-endian), MAC (16), then each value as its length plus
 * one (2, big-endian; 0 stands for NULL) and bytes. The MAC's input prefixes what has no fixed length, so that
 * no two scopes give the same input. */
#include <isms/proto/page_token.h>

#include <string.h>

#include <isms/base/buf.h>

enum { VERSION = 1, MAC_SIZE = 16, TIME_SIZE = 8, HEAD_SIZE = 1 + TIME_SIZE + MAC_SIZE,
       TOKEN_MAX = HEAD_SIZE + PAGE_KEYS_MAX * (2 + PAGE_KEY_LENGTH_MAX) };

static void number_append(struct buf *buf, uint64_t value, unsigned size)
{
    for (unsigned i = size; i-- > 0;)
        buf_char(buf, (char)(value >> (8 * i)));
}

static uint64_t number_read(const unsigned char *bytes, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

static int mac_make(const struct page_secret *secret, const struct page_scope *scope, uint64_t made_at,
                    const void *values, size_t length, struct arena *arena, struct sha256 *ret_mac)
{
    struct buf input;
    buf_init_arena(&input, arena, TOKEN_MAX + 1024);
    number_append(&input, VERSION, 1);
    number_append(&input, made_at, TIME_SIZE);
    buf_append(&input, scope->tenant.bytes, sizeof(scope->tenant.bytes));
    number_append(&input, strlen(scope->method), 2);
    buf_text(&input, scope->method);
    buf_append(&input, scope->query.bytes, sizeof(scope->query.bytes));
    buf_append(&input, values, length);
    if (input.failed)
        return -1;
    *ret_mac = hmac_sha256(secret->bytes, sizeof(secret->bytes), input.data, input.length);
    return 0;
}

int page_token_make(const struct page_secret *secret, const struct page_scope *scope,
                    const struct page_keys *keys, struct arena *arena, char **ret_token, struct err *err)
{
    struct buf values;
    buf_init_arena(&values, arena, TOKEN_MAX);
    for (unsigned i = 0; i < keys->count; i++) {
        size_t length = keys->values[i] ? strlen(keys->values[i]) : 0;
        if (length > PAGE_KEY_LENGTH_MAX)
            return err_setf(err, ERR_INTERNAL, "a page key is too long");
        number_append(&values, keys->values[i] ? length + 1 : 0, 2);
        buf_append(&values, keys->values[i], length);
    }
    struct sha256 mac;
    uint64_t made_at = (uint64_t)scope->now_us;
    if (values.failed || mac_make(secret, scope, made_at, values.data, values.length, arena, &mac) < 0)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);

    struct buf token;
    struct buf text;
    buf_init_arena(&token, arena, TOKEN_MAX);
    buf_init_arena(&text, arena, 2 * TOKEN_MAX);
    number_append(&token, VERSION, 1);
    number_append(&token, made_at, TIME_SIZE);
    buf_append(&token, mac.bytes, MAC_SIZE);
    buf_append(&token, values.data, values.length);
    base64url_encode(&text, token.data, token.length);
    if (token.failed || text.failed)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    *ret_token = text.data;
    return 0;
}

/* The MAC was right: the values are ours, but are still read with care. */
static int values_read(const unsigned char *at, const unsigned char *end, struct arena *arena,
                       struct page_keys *ret_keys)
{
    struct page_keys keys = {0};
    while (at < end) {
        if (end - at < 2 || keys.count == PAGE_KEYS_MAX)
            return -1;
        size_t length = (size_t)number_read(at, 2);
        at += 2;
        const char *value = NULL;
        if (length-- > 0) {
            if (length > (size_t)(end - at))
                return -1;
            value = arena_strndup(arena, (const char *)at, length);
            if (!value)
                return -1;
            at += length;
        }
        keys.values[keys.count++] = value;
    }
    *ret_keys = keys;
    return 0;
}

int page_token_check(const struct page_secret *secret, const struct page_scope *scope, const char *token,
                     struct arena *arena, struct page_keys *ret_keys, struct err *err)
{
    struct buf buf;
    struct err ignored = {0};
    buf_init_arena(&buf, arena, TOKEN_MAX);
    if (base64url_decode(&buf, token, strlen(token), &ignored) < 0 || buf.failed || buf.length < HEAD_SIZE)
        return err_set(err, ERR_PAGE_TOKEN_INVALID);
    const unsigned char *bytes = (const unsigned char *)buf.data;
    const unsigned char *end = bytes + buf.length;
    uint64_t made_at = number_read(bytes + 1, TIME_SIZE);
    struct sha256 mac;
    if (mac_make(secret, scope, made_at, bytes + HEAD_SIZE, buf.length - HEAD_SIZE, arena, &mac) < 0 ||
        bytes[0] != VERSION || !equal_constant_time(mac.bytes, bytes + 1 + TIME_SIZE, MAC_SIZE))
        return err_set(err, ERR_PAGE_TOKEN_INVALID);
    if (secret->lifetime_us && scope->now_us - (int64_t)made_at > secret->lifetime_us)
        return err_set(err, ERR_PAGE_TOKEN_INVALID);
    if (values_read(bytes + HEAD_SIZE, end, arena, ret_keys) < 0)
        return err_set(err, ERR_PAGE_TOKEN_INVALID);
    return 0;
}
