/* fetch.h: small documents by HTTPS; private to the auth layer, and the one door to libcurl.
 *
 * A fetcher belongs to one thread. It follows no redirect, takes no other protocol, verifies certificates, and bounds
 * size and time. Proxies are those of the environment (https_proxy, no_proxy). */
#ifndef ISMS_AUTH_FETCH_H
#define ISMS_AUTH_FETCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <isms/base/attributes.h>
#include <isms/base/buf.h>
#include <isms/base/err.h>

enum { FETCH_URL_SIZE = 512, FETCH_CONNECT_TIMEOUT_MS = 3000, FETCH_TIMEOUT_MS = 5000 };

struct fetch_options {
    const char *ca_file; /* "": the system's certificates */
    bool allow_http;     /* from loopback addresses, for tests and development */
    const atomic_bool *stopping; /* ends a fetch that is under way */
};

struct fetcher;

/* Copies nothing: what the options point at outlives the fetcher. NULL when out of memory. */
struct fetcher *fetcher_new(const struct fetch_options *options);
void fetcher_free(struct fetcher *fetcher); /* accepts NULL */

/* FIELD_INVALID unless the address may be fetched from: https, or http where that is allowed; no user, no password. */
int fetch_url_check(const char *url, bool allow_http, struct err *err) MUST_CHECK;

/* Appends the document to `body`, whose maximum is the document's. *ret_max_age_s is Cache-Control's, negative where it
 * has none. UNAVAILABLE errors (ISSUER_UNAVAILABLE) are for operators: they name the address. */
int fetch_document(struct fetcher *fetcher, const char *url, struct buf *body, int64_t *ret_max_age_s,
                   struct err *err) MUST_CHECK;

#endif
