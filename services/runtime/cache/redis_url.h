/* redis_url.h: redis://[[user]:password@]host[:port][/db]; private to the cache layer. */
#ifndef ISMS_CACHE_REDIS_URL_H
#define ISMS_CACHE_REDIS_URL_H

#include <isms/base/attributes.h>
#include <isms/base/err.h>

struct redis_url {
    char host[256]; /* a name or address, without the brackets of an IPv6 one */
    int port;
    char user[128];     /* "": none */
    char password[256]; /* "": none */
    int database;
};

/* FIELD_INVALID; the message never repeats the text, which may hold a password. */
int redis_url_parse(const char *text, struct redis_url *ret_url, struct err *err) MUST_CHECK;

#endif
