/* tls.h: the certificates of one side of TLS, from files that may change under us.
 *
 * A `struct tls` holds a certificate with its key, a bundle of CAs, or both, as they were when last read and found
 * good. tls_look() reads the files again when they have changed; what is half written or does not fit together
 * leaves the old ones in force, is logged once, counted, and shows in tls_state(). A server asks at every handshake
 * what is in force; clients make a new channel when it has changed and let the old one end with its last call. No
 * connection is cut. Any thread may call. */
#ifndef ISMS_RPC_TLS_H
#define ISMS_RPC_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include <isms/base/attributes.h>
#include <isms/base/certificate.h>
#include <isms/base/err.h>

struct tls;

struct tls_options {
    const char *use;              /* "server", "peers": in the log and as a metric's label */
    const char *certificate_file; /* a chain, leaf first; NULL or "": none, for a client that stays anonymous */
    const char *key_file;         /* its private key */
    const char *ca_file;          /* whom to trust; a server without asks no client for a certificate */
};

/* The options' texts outlive it. -1: the files are not good; the error says which and why. */
int tls_new(const struct tls_options *options, struct tls **ret_tls, struct err *err) MUST_CHECK;
void tls_free(struct tls *tls); /* after the servers and clients that use it; accepts NULL */
void tls_freep(struct tls **tls);

/* Reads again what has changed. To be called every second or so. */
void tls_look(struct tls *tls);

/* A server's: whether it asks its clients for a certificate, which it then verifies. */
bool tls_asks_clients(const struct tls *tls);

struct tls_state {
    struct certificate_life life; /* of the certificate in force; zeros: none */
    bool troubled;                /* what lies in the files now is not good */
};

struct tls_state tls_state(struct tls *tls);

#endif
