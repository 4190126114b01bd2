/* discovery.h: what an issuer says about itself (OpenID Connect Discovery 1.0); private to the auth layer. */
#ifndef ISMS_AUTH_DISCOVERY_H
#define ISMS_AUTH_DISCOVERY_H

#include <stddef.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>

enum { DISCOVERY_TEXT_MAX = 256 * 1024 };

/* Where the document is by default: the issuer, without a last slash, and the well-known path (section 4). */
int discovery_url(const char *issuer, char *ret_url, size_t size, struct err *err) MUST_CHECK;

/* The address of the keys. FIELD_INVALID unless the document is an object whose `issuer` is exactly that one (section
 * 4.3) and which has a `jwks_uri` that fits. */
int discovery_read(const char *text, size_t length, const char *issuer, char *ret_jwks_uri, size_t size,
                   struct err *err) MUST_CHECK;

#endif
