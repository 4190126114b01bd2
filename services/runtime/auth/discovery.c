/* discovery.c: of the whole document, two members matter. That `issuer` must be ours is what keeps a document that was
 * copied, or fetched from the wrong place, from speaking for another issuer. */
#include "discovery.h"

#include <string.h>

#include "json_members.h"

int discovery_url(const char *issuer, char *ret_url, size_t size, struct err *err)
{
    size_t length = strlen(issuer);
    if (length > 0 && issuer[length - 1] == '/')
        length--;
    int written = snprintf(ret_url, size, "%.*s/.well-known/openid-configuration", (int)length, issuer);
    return written > 0 && (size_t)written < size ? 0 : err_setf(err, ERR_FIELD_INVALID, "the issuer is too long.");
}

static int members_read(const json_t *document, const char *issuer, char *ret_jwks_uri, size_t size, struct err *err)
{
    const char *named = json_string_value(json_object_get(document, "issuer"));
    if (!document)
        return err_setf(err, ERR_FIELD_INVALID, "the discovery document is not a JSON object");
    if (!named || strcmp(named, issuer) != 0)
        return err_setf(err, ERR_FIELD_INVALID, "the discovery document is of the issuer %.200s, not of %.200s",
                        named ? named : "(none)", issuer);
    if (!json_text_copy(json_object_get(document, "jwks_uri"), ret_jwks_uri, size))
        return err_setf(err, ERR_FIELD_INVALID, "the discovery document has no jwks_uri that fits");
    return 0;
}

int discovery_read(const char *text, size_t length, const char *issuer, char *ret_jwks_uri, size_t size,
                   struct err *err)
{
    bool no_memory; /* is as good as a document that is none: it is fetched again */
    json_t *document = json_object_read(text, length, &no_memory);
    int result = members_read(document, issuer, ret_jwks_uri, size, err);
    json_decref(document);
    return result;
}
