/* certificates.h: what a process shows and trusts in TLS, as its settings say; inside of this folder. */
#ifndef ISMS_APP_CERTIFICATES_H
#define ISMS_APP_CERTIFICATES_H

#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/config/settings.h>
#include <isms/obs/admin.h>
#include <isms/rpc/identity.h>
#include <isms/rpc/tls.h>

struct certificates {
    struct tls *server; /* NULL: the server listens in plain TCP */
    struct tls *peers;  /* NULL: the other services are called in plain TCP */
    struct peer_identities identities;
};

/* The texts of errors are for operators. On failure *certificates can be released. */
int certificates_init(struct certificates *certificates, const struct settings *settings,
                      struct err *err) MUST_CHECK;
void certificates_release(struct certificates *certificates); /* accepts zeroed ones */

/* Reads again what has changed. */
void certificates_look(struct certificates *certificates);

/* For readiness: degraded when one is about to end, or the files hold some that are not good. */
enum admin_state certificates_check(const struct certificates *certificates,
                                    char detail[static ADMIN_DETAIL_SIZE]);

#endif
