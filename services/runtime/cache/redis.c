/* redis.c: hiredis with poll(2) around it.
 *
 * hiredis' own timeouts are socket timeouts: they start again with every read, so that a server that sends a
 * byte now and then holds its caller for ever. Here the socket does not block, and one deadline covers the
 * whole command. An answer may be as large as the largest value, and nothing may follow it. */
#include "redis.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

#include <isms/base/bug.h>
#include <isms/base/clock.h>
#include <isms/cache/cache.h>

enum { ARGUMENTS_MAX = 8, REPLY_MAX = CACHE_VALUE_MAX + 4096 };

/* 1: ready, 0: the deadline passed or the socket broke. */
static int socket_wait(const redisContext *redis, short events, int64_t deadline_us)
{
    for (;;) {
        int64_t left_us = deadline_us - clock_monotonic_us();
        if (left_us <= 0)
            return 0;
        struct pollfd socket = {.fd = redis->fd, .events = events};
        int count = poll(&socket, 1, (int)((left_us + 999) / 1000));
        if (count > 0)
            return 1;
        if (count < 0 && errno != EINTR)
            return 0;
    }
}

bool redis_append(redisContext *redis, const struct slice *arguments, int count)
{
    const char *texts[ARGUMENTS_MAX];
    size_t lengths[ARGUMENTS_MAX];
    BUG_IF(count > ARGUMENTS_MAX);
    for (int i = 0; i < count; i++) {
        texts[i] = arguments[i].data;
        lengths[i] = arguments[i].length;
    }
    return redisAppendCommandArgv(redis, count, texts, lengths) == REDIS_OK;
}

bool redis_flush(redisContext *redis, int64_t deadline_us)
{
    int done = 0;
    for (;;) {
        if (redisBufferWrite(redis, &done) != REDIS_OK)
            return false;
        if (done)
            return true;
        if (!socket_wait(redis, POLLOUT, deadline_us))
            return false;
    }
}

redisReply *redis_next(redisContext *redis, int64_t deadline_us)
{
    void *reply = NULL;
    for (;;) {
        if (redisGetReplyFromReader(redis, &reply) != REDIS_OK)
            return NULL;
        if (reply)
            return reply;
        if (redis->reader->len > REPLY_MAX || !socket_wait(redis, POLLIN, deadline_us) ||
            redisBufferRead(redis) != REDIS_OK)
            return NULL;
    }
}

redisReply *redis_command(redisContext *redis, const struct slice *arguments, int count, int64_t deadline_us)
{
    if (!redis_append(redis, arguments, count) || !redis_flush(redis, deadline_us))
        return NULL;
    redisReply *reply = redis_next(redis, deadline_us);
    if (reply && redis->reader->pos != redis->reader->len) { /* an answer to a question nobody asked */
        freeReplyObject(reply);
        return NULL;
    }
    return reply;
}

/* Runs a command that must not be answered with an error. */
static int command_succeed(redisContext *redis, const struct slice *arguments, int count, int64_t deadline_us,
                           struct err *err)
{
    redisReply *reply = redis_command(redis, arguments, count, deadline_us);
    if (!reply)
        return err_setf(err, ERR_PEER_UNAVAILABLE, "%s was not answered", arguments[0].data);
    int result = 0;
    if (reply->type == REDIS_REPLY_ERROR)
        result = err_setf(err, ERR_PEER_UNAVAILABLE, "%s: %.200s", arguments[0].data, reply->str);
    freeReplyObject(reply);
    return result;
}

static int session_begin(redisContext *redis, const struct redis_url *url, int64_t deadline_us, struct err *err)
{
    char database[12];
    snprintf(database, sizeof(database), "%d", url->database);
    struct slice auth[] = {slice_of("AUTH"), slice_of(url->user), slice_of(url->password)};
    struct slice auth_default[] = {slice_of("AUTH"), slice_of(url->password)};
    struct slice select[] = {slice_of("SELECT"), slice_of(database)};
    struct slice ping[] = {slice_of("PING")};

    if (url->user[0] && command_succeed(redis, auth, 3, deadline_us, err) < 0)
        return -1;
    if (!url->user[0] && url->password[0] && command_succeed(redis, auth_default, 2, deadline_us, err) < 0)
        return -1;
    if (url->database != 0 && command_succeed(redis, select, 2, deadline_us, err) < 0)
        return -1;
    return command_succeed(redis, ping, 1, deadline_us, err);
}

int redis_connect(const struct redis_url *url, int64_t timeout_us, redisContext **ret_redis, struct err *err)
{
    struct timeval timeout = {.tv_sec = timeout_us / 1000000, .tv_usec = timeout_us % 1000000};
    redisContext *redis = redisConnectWithTimeout(url->host, url->port, timeout);
    int result = 0;
    if (!redis || redis->err) {
        result = err_setf(err, ERR_PEER_UNAVAILABLE, "%s", redis ? redis->errstr : "out of memory");
    } else {
        int flags = fcntl(redis->fd, F_GETFL);
        redis->flags &= ~REDIS_BLOCK; /* tells hiredis that EAGAIN is no failure */
        (void)redisEnableKeepAlive(redis);
        if (flags < 0 || fcntl(redis->fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
            fcntl(redis->fd, F_SETFD, FD_CLOEXEC) < 0)
            result = err_setf(err, ERR_PEER_UNAVAILABLE, "%s", strerror(errno));
        else
            result = session_begin(redis, url, clock_monotonic_us() + timeout_us, err);
    }
    if (result < 0) {
        if (redis)
            redisFree(redis);
        return -1;
    }
    *ret_redis = redis;
    return 0;
}
