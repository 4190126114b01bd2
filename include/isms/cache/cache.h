/* cache.h: Redis, for what can be computed again.
 *
 * Never needed for correctness: every failure is a miss, and no call blocks longer than the timeout. A few
 * connections are kept by a thread of the cache's own, which does whatever may be slow (resolving names,
 * connecting, authenticating), so that callers only ever use a connection that is ready. After three failures
 * in a row the cache is down and answers misses at once; the thread tries again about every second.
 *
 * Keys are made here, out of tenant, the tenant's sequence and a name, so that an entry without a tenant cannot
 * be made; an entry is right as long as its tenant is at that sequence. A stored value begins with its own
 * key and is not believed under any other: what a confused or tampered Redis returns is a miss.
 *
 * All functions may be called from any thread. The process ignores SIGPIPE. */
#ifndef ISMS_CACHE_CACHE_H
#define ISMS_CACHE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isms/base/attributes.h>
#include <isms/base/buf.h>
#include <isms/base/err.h>
#include <isms/base/slice.h>
#include <isms/base/uuid.h>

enum { CACHE_NAME_MAX = 200, CACHE_VALUE_MAX = 1 << 20, CACHE_CONNECTIONS_MAX = 64 };

struct cache;

struct cache_options {
    const char *url;      /* redis://[[user]:password@]host[:port][/db]; NULL or "": no cache, always misses */
    int64_t timeout_us;   /* of one get or set as a whole; 0: 50 ms */
    unsigned connections; /* calls under way at once, more are misses; 0: 4 */
};

/* Does not wait for Redis. FIELD_INVALID for a URL that cannot be used (rediss:// too, where this build has no
 * TLS for Redis); the text never shows the password. */
int cache_new(const struct cache_options *options, struct cache **ret_cache, struct err *err) MUST_CHECK;

/* Ends the thread, which can take as long as resolving a name does. No call may be under way. Accepts NULL. */
void cache_free(struct cache *cache);
void cache_freep(struct cache **cache);

struct cache_key {
    struct uuid tenant;  /* not nil */
    int64_t sequence;    /* the tenant's when the value was computed */
    const char *name;    /* what the value is, with everything it depends on: "dashboard:30d" */
};

/* true: the value was appended to `value`. A nil tenant, a name beyond CACHE_NAME_MAX and a value beyond the
 * buffer's maximum are misses. */
bool cache_get(struct cache *cache, const struct cache_key *key, struct buf *value);

/* Stores for `ttl_s` seconds (at least 1). What cannot be stored, or is beyond CACHE_VALUE_MAX, is not. */
void cache_set(struct cache *cache, const struct cache_key *key, struct slice value, int64_t ttl_s);

enum cache_state {
    CACHE_OFF,  /* no URL */
    CACHE_DOWN, /* not connected (yet), or given up on for now */
    CACHE_UP
};

enum cache_state cache_state(struct cache *cache);
const char *cache_state_name(enum cache_state state); /* "off", "down", "up" */

#endif
