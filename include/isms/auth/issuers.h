/* issuers.h: the issuers whose access tokens are accepted, as an operator lists them, with their keys kept fresh.
 *
 * They fill a verifier's list of issuers (jwt.h), and fill it anew when the issuers file has changed. Keys come from a
 * file, or are fetched in the background from where the issuer's discovery document says: by HTTPS, as often as the
 * issuer's Cache-Control asks for, held between a minute and an hour, and early when a token names a key that the set
 * lacks, at most every 5 seconds. While an issuer is away its keys stay in force up to `stale_max_us`. What is fetched
 * never changes what a call waits for: calls see the keys that are there.
 *
 * issuers_reload() and issuers_free() belong to one thread; issuers_problem() may be called from any. */
#ifndef ISMS_AUTH_ISSUERS_H
#define ISMS_AUTH_ISSUERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isms/auth/jwt.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>

/* Texts are never NULL; "" where nothing is set. They outlive the issuers. */
struct issuers_options {
    struct jwt_verifier *verifier;
    const char *file; /* docs/identity.md */

    /* One issuer without a file. */
    const char *issuer; /* "": none */
    const char *audience;
    const char *algorithms;
    const char *tenant_claim;
    const char *jwks_file; /* "": by discovery */

    const char *ca_file; /* "": the system's certificates */
    bool allow_http;     /* from loopback addresses */
    int64_t stale_max_us;
};

struct issuers;

/* Reads and checks everything but what has to be fetched, and starts fetching that. FIELD_INVALID, for operators. */
int issuers_new(const struct issuers_options *options, struct issuers **ret_issuers, struct err *err) MUST_CHECK;
/* Stops fetching. The verifier must not be used any more. Accepts NULL. */
void issuers_free(struct issuers *issuers);

/* Reads the files again. What cannot be read stays as it was, and is logged. */
void issuers_reload(struct issuers *issuers);

/* Whether the keys of some issuer are missing or could not be fetched last time; says which. */
bool issuers_problem(struct issuers *issuers, char *ret_text, size_t size);

#endif
