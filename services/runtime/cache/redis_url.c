/* redis_url.c: cut from the outside in: scheme, database, credentials, port, host. The credentials end at the
 * last '@', since passwords are often pasted without percent-encoding. */
#include "redis_url.h"

#include <stdbool.h>
#include <strings.h>

#include <isms/base/crypto.h>
#include <isms/base/slice.h>

enum { PORT_DEFAULT = 6379, PORT_MAX = 65535, DATABASE_MAX = 1023 };

/* Copies percent-decoded text that is not longer than it may be and holds no NUL. */
static bool text_copy(struct slice text, char *ret_text, size_t size)
{
    size_t length = 0;
    for (size_t i = 0; i < text.length; i++) {
        uint8_t byte = (uint8_t)text.data[i];
        if (byte == '%') {
            if (text.length - i < 3 || !hex_decode(text.data + i + 1, 2, &byte))
                return false;
            i += 2;
        }
        if (byte == '\0' || length + 1 >= size)
            return false;
        ret_text[length++] = (char)byte;
    }
    ret_text[length] = '\0';
    return true;
}

static bool number_read(struct slice text, int max, int *ret_number)
{
    int number = 0;
    if (text.length == 0 || text.length > 5)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        number = number * 10 + (text.data[i] - '0');
    }
    *ret_number = number;
    return number <= max;
}

/* Splits at the last `separator`: what follows it goes to *ret_rest. false: there is none. */
static bool split_last(struct slice *text, char separator, struct slice *ret_rest)
{
    const char *at = text->length ? memrchr(text->data, separator, text->length) : NULL;
    if (!at)
        return false;
    size_t length = (size_t)(at - text->data);
    *ret_rest = (struct slice){at + 1, text->length - length - 1};
    text->length = length;
    return true;
}

static bool credentials_read(struct slice text, struct redis_url *url)
{
    const char *colon = memchr(text.data, ':', text.length);
    if (!colon)
        return false;
    size_t user_length = (size_t)(colon - text.data);
    struct slice password = {colon + 1, text.length - user_length - 1};
    return text_copy((struct slice){text.data, user_length}, url->user, sizeof(url->user)) &&
           text_copy(password, url->password, sizeof(url->password)) && url->password[0] != '\0';
}

/* "host", "host:port", "[address]" or "[address]:port". */
static bool address_read(struct slice text, struct redis_url *url)
{
    bool bracketed = text.length > 0 && text.data[0] == '[';
    const char *end = text.length ? memchr(text.data, bracketed ? ']' : ':', text.length) : NULL;
    if (bracketed && !end)
        return false;
    size_t host_length = end ? (size_t)(end - text.data) : text.length;
    struct slice host = {text.data + bracketed, host_length - bracketed};
    struct slice rest = {text.data + host_length + bracketed, text.length - host_length - bracketed};
    if (host.length == 0 || memchr(host.data, '/', host.length) ||
        !text_copy(host, url->host, sizeof(url->host)))
        return false;
    if (rest.length == 0)
        return true;
    struct slice port = {rest.data + 1, rest.length - 1};
    return rest.data[0] == ':' && number_read(port, PORT_MAX, &url->port) && url->port > 0;
}

int redis_url_parse(const char *text, struct redis_url *ret_url, struct err *err)
{
    static const char scheme[] = "redis://", tls_scheme[] = "rediss://";
    if (strncasecmp(text, tls_scheme, sizeof(tls_scheme) - 1) == 0)
        return err_setf(err, ERR_FIELD_INVALID,
                        "A rediss:// URL cannot be used: this build has no TLS for Redis.");

    struct redis_url url = {.port = PORT_DEFAULT};
    bool valid = strncasecmp(text, scheme, sizeof(scheme) - 1) == 0;
    if (valid) {
        struct slice address = slice_of(text + sizeof(scheme) - 1), credentials = address, database;
        bool has_credentials = split_last(&credentials, '@', &address);
        if (split_last(&address, '/', &database))
            valid = database.length == 0 || number_read(database, DATABASE_MAX, &url.database);
        valid = valid && address_read(address, &url) &&
                (!has_credentials || credentials_read(credentials, &url));
    }
    if (!valid)
        return err_setf(err, ERR_FIELD_INVALID,
                        "The URL is not of the form redis://[[user]:password@]host[:port][/db].");
    *ret_url = url;
    return 0;
}
