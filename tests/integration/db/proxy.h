/* proxy.h: a TCP proxy in front of the server that breaks connections where a test says so.
 *
 * It serves one connection at a time, on a thread of its own. */
#ifndef ISMS_TEST_DB_PROXY_H
#define ISMS_TEST_DB_PROXY_H

#include <stdbool.h>

struct proxy;

enum proxy_direction { PROXY_TO_SERVER, PROXY_TO_CLIENT };

struct proxy *proxy_new(const char *host, int port);
void proxy_freep(struct proxy **proxy);
const char *proxy_address(const struct proxy *proxy); /* host:port */

/* From now on passes `bytes` in that direction, then cuts the connection. Once. */
void proxy_cut(struct proxy *proxy, enum proxy_direction direction, long bytes);

/* Swallows what the server says from now on, until the connection is closed. */
void proxy_silence(struct proxy *proxy);

/* Puts the message in front of the server's next ReadyForQuery. `message` outlives the proxy. */
void proxy_inject(struct proxy *proxy, const void *message, long length);

/* Connections taken so far. */
int proxy_accepted(const struct proxy *proxy);

#endif
