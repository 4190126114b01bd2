/* certificate.h: X.509 certificates in PEM, as far as they are judged before TLS gets them.
 *
 * TLS libraries find out at a handshake that a key is not the certificate's; here it is found out when the files are
 * read. Whom a certificate belongs to and who vouches for it is TLS's to say. Texts of errors are for operators. */
#ifndef ISMS_BASE_CERTIFICATE_H
#define ISMS_BASE_CERTIFICATE_H

#include <stdint.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>

/* The life of a certificate, Unix microseconds. */
struct certificate_life {
    int64_t begin_us;
    int64_t end_us;
};

/* A chain, its leaf first, and the leaf's private key. -1: not PEM, or the key is another's. */
int certificate_check(const char *chain, const char *key, struct certificate_life *ret_life,
                      struct err *err) MUST_CHECK;

/* A bundle of CA certificates: at least one, and nothing in it that is none. */
int certificate_bundle_check(const char *bundle, struct err *err) MUST_CHECK;

#endif
