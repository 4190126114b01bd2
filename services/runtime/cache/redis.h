/* redis.h: one connection to Redis, with a deadline on everything; private to the cache layer.
 *
 * Whatever goes wrong on a connection, it is to be closed: an answer that comes late must never be taken for
 * the answer to the next question. */
#ifndef ISMS_CACHE_REDIS_H
#define ISMS_CACHE_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hiredis/hiredis.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/base/slice.h>

#include "redis_url.h"

/* Connects, authenticates, selects the database and pings. May take longer than the timeout while the name is
 * resolved. PEER_UNAVAILABLE with the cause as text. */
int redis_connect(const struct redis_url *url, int64_t timeout_us, redisContext **ret_redis,
                  struct err *err) MUST_CHECK;

/* Sends one command and waits for its answer until `deadline_us` of the monotonic clock. NULL: close the
 * connection. Else freeReplyObject() it; it may be of REDIS_REPLY_ERROR. */
redisReply *redis_command(redisContext *redis, const struct slice *arguments, int count,
                          int64_t deadline_us) MUST_CHECK;

/* The same in steps, for several commands in one go: append them, flush, and take as many answers. */
bool redis_append(redisContext *redis, const struct slice *arguments, int count) MUST_CHECK;
bool redis_flush(redisContext *redis, int64_t deadline_us) MUST_CHECK;
redisReply *redis_next(redisContext *redis, int64_t deadline_us) MUST_CHECK;

#endif
