/* cache.c: a stack of idle connections, a breaker, and the thread that mends both.
 *
 * Callers take a connection, use it, and give it back, or close it and count a failure; they never make one.
 * When none is idle the answer is a miss, since waiting would cost more than the cache saves. Three failures
 * in a row open the breaker: idle connections are closed, and everything misses at once. Closing it again
 * (connect, authenticate, ping) is the thread's business, so that no caller ever pays for the trial. */
#include <isms/cache/cache.h>

#include <pthread.h>

#include <isms/base/bug.h>
#include <isms/base/clock.h>
#include <isms/base/condition.h>
#include <isms/base/crypto.h>
#include <isms/obs/log.h>
#include <isms/obs/metrics.h>

#include "redis.h"

enum {
    CONNECTIONS_DEFAULT = 4,
    FAILURES_MAX = 3,
    TIMEOUT_DEFAULT_US = 50 * 1000,
    CONNECT_TIMEOUT_US = 1000 * 1000, /* of the thread, which may wait */
    RETRY_US = 1000 * 1000,
    RETRY_JITTER_US = 500 * 1000, /* so that replicas do not all come back at once */
    KEY_SIZE = 320
};

struct cache {
    struct redis_url url;
    int64_t timeout_us;
    unsigned wanted; /* connections; 0: off */

    pthread_mutex_t mutex; /* of all that follows */
    pthread_cond_t wake;   /* the thread: a connection is missing, or it is to end */
    redisContext *idle[CACHE_CONNECTIONS_MAX];
    unsigned idle_count;
    unsigned open_count; /* idle and in use */
    unsigned failures;   /* in a row */
    int64_t retry_at_us; /* monotonic; the thread connects no earlier */
    bool up;
    bool ending;
    pthread_t thread;
};

static void up_set(struct cache *cache, bool up)
{
    cache->up = up;
    metric_set(METRIC_SERIES(isms_cache_up), up);
}

/* Under the mutex, like all that take no lock of their own. */
static void retry_later(struct cache *cache)
{
    uint32_t random;
    random_bytes(&random, sizeof(random));
    cache->retry_at_us = clock_monotonic_us() + RETRY_US + random % RETRY_JITTER_US;
}

/* Opens the breaker. Connections in use are closed when they come back. */
static void give_up(struct cache *cache, const char *cause)
{
    retry_later(cache);
    while (cache->idle_count > 0) {
        redisFree(cache->idle[--cache->idle_count]);
        cache->open_count--;
    }
    if (cache->up)
        LOG(WARNING, "the cache is away", LOG_STR("cause", cause));
    up_set(cache, false);
}

/* Adds one connection. Called and returns with the mutex held, gives it up in between. */
static void connection_add(struct cache *cache)
{
    redisContext *redis = NULL;
    struct err err = {0};
    pthread_mutex_unlock(&cache->mutex);
    int result = redis_connect(&cache->url, CONNECT_TIMEOUT_US, &redis, &err);
    pthread_mutex_lock(&cache->mutex);
    if (result < 0) {
        if (cache->open_count == 0)
            give_up(cache, err.message);
        else
            retry_later(cache); /* those that are left may still do */
        return;
    }
    cache->idle[cache->idle_count++] = redis;
    cache->open_count++;
    if (cache->up)
        return;
    LOG(INFO, "the cache is there", LOG_STR("host", cache->url.host));
    cache->failures = 0;
    up_set(cache, true);
}

static void *mend(void *context)
{
    struct cache *cache = context;
    pthread_mutex_lock(&cache->mutex);
    while (!cache->ending) {
        int64_t now_us = clock_monotonic_us();
        if (cache->open_count >= cache->wanted) {
            pthread_cond_wait(&cache->wake, &cache->mutex);
        } else if (now_us < cache->retry_at_us) {
            condition_wait_until(&cache->wake, &cache->mutex, cache->retry_at_us);
        } else {
            connection_add(cache);
        }
    }
    pthread_mutex_unlock(&cache->mutex);
    return NULL;
}

static int thread_start(struct cache *cache, struct err *err)
{
    BUG_IF(pthread_mutex_init(&cache->mutex, NULL) != 0);
    condition_init(&cache->wake);
    if (cache->wanted == 0 || pthread_create(&cache->thread, NULL, mend, cache) == 0)
        return 0;
    cache->wanted = 0;
    return err_setf(err, ERR_INTERNAL, "The cache's thread cannot be started.");
}

int cache_new(const struct cache_options *options, struct cache **ret_cache, struct err *err)
{
    bool on = options->url && *options->url;
    struct redis_url url = {0};
    if (on && redis_url_parse(options->url, &url, err) < 0)
        return -1;
    struct cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        return err_set(err, ERR_INTERNAL);
    cache->url = url;
    cache->timeout_us = options->timeout_us ? options->timeout_us : TIMEOUT_DEFAULT_US;
    if (on)
        cache->wanted = options->connections ? options->connections : CONNECTIONS_DEFAULT;
    if (cache->wanted > CACHE_CONNECTIONS_MAX)
        cache->wanted = CACHE_CONNECTIONS_MAX;
    up_set(cache, false);
    if (thread_start(cache, err) < 0) {
        cache_free(cache);
        return -1;
    }
    *ret_cache = cache;
    return 0;
}

void cache_free(struct cache *cache)
{
    if (!cache)
        return;
    if (cache->wanted > 0) {
        pthread_mutex_lock(&cache->mutex);
        cache->ending = true;
        pthread_cond_signal(&cache->wake);
        pthread_mutex_unlock(&cache->mutex);
        pthread_join(cache->thread, NULL);
    }
    while (cache->idle_count > 0)
        redisFree(cache->idle[--cache->idle_count]);
    pthread_cond_destroy(&cache->wake);
    pthread_mutex_destroy(&cache->mutex);
    free(cache);
}

void cache_freep(struct cache **cache)
{
    cache_free(*cache);
}

static redisContext *connection_take(struct cache *cache)
{
    pthread_mutex_lock(&cache->mutex);
    redisContext *redis = cache->up && cache->idle_count > 0 ? cache->idle[--cache->idle_count] : NULL;
    pthread_mutex_unlock(&cache->mutex);
    return redis;
}

/* Gives a connection back that is in order (works), or closes it. */
static void connection_return(struct cache *cache, redisContext *redis, bool works)
{
    pthread_mutex_lock(&cache->mutex);
    if (works)
        cache->failures = 0;
    if (works && cache->up) {
        cache->idle[cache->idle_count++] = redis;
        redis = NULL;
    } else {
        cache->open_count--;
        if (!works && ++cache->failures >= FAILURES_MAX)
            give_up(cache, redis->err ? redis->errstr : "no well-formed answer in time");
        pthread_cond_signal(&cache->wake);
    }
    pthread_mutex_unlock(&cache->mutex);
    if (redis)
        redisFree(redis);
}

/* One command on a connection of the pool. NULL: it could not be asked, or the answer was an error. An error is
 * an answer all the same (out of memory, read-only replica): the connection is in order. */
static redisReply *ask(struct cache *cache, const struct slice *arguments, int count)
{
    int64_t deadline_us = clock_monotonic_us() + cache->timeout_us;
    redisContext *redis = connection_take(cache);
    if (!redis)
        return NULL;
    redisReply *reply = redis_command(redis, arguments, count, deadline_us);
    connection_return(cache, redis, reply != NULL);
    if (!reply || reply->type != REDIS_REPLY_ERROR)
        return reply;
    freeReplyObject(reply);
    return NULL;
}

/* The one place that makes keys. {tenant} keeps a tenant's entries together in a Redis cluster. */
static bool key_make(const struct cache *cache, const struct cache_key *key, struct buf *text)
{
    if (cache->wanted == 0 || uuid_is_nil(key->tenant) || strlen(key->name) > CACHE_NAME_MAX)
        return false;
    char tenant[UUID_TEXT_SIZE];
    uuid_format(key->tenant, tenant);
    buf_printf(text, "isms:1:{%s}:%lld:%s", tenant, (long long)key->sequence, key->name);
    return !text->failed;
}

/* Takes the value out of a stored entry, "<key>\n<value>". */
static bool value_append(const redisReply *reply, const struct buf *key, struct buf *value)
{
    if (reply->type != REDIS_REPLY_STRING || reply->len <= key->length ||
        memcmp(reply->str, key->data, key->length) != 0 || reply->str[key->length] != '\n')
        return false;
    size_t length = reply->len - key->length - 1;
    if (value->failed || length > value->max - value->length)
        return false;
    buf_append(value, reply->str + key->length + 1, length);
    return !value->failed;
}

bool cache_get(struct cache *cache, const struct cache_key *key, struct buf *value)
{
    char storage[KEY_SIZE];
    struct buf text;
    bool hit = false;
    const char *result = "miss";
    buf_init_fixed(&text, storage, sizeof(storage));
    if (key_make(cache, key, &text)) {
        struct slice command[] = {slice_of("GET"), {text.data, text.length}};
        redisReply *reply = ask(cache, command, (int)ARRAY_SIZE(command));
        hit = reply && value_append(reply, &text, value);
        result = hit ? "hit" : reply ? "miss" : "error";
        if (reply)
            freeReplyObject(reply);
    }
    metric_add(METRIC_SERIES(isms_cache_requests_total, result), 1);
    return hit;
}

void cache_set(struct cache *cache, const struct cache_key *key, struct slice value, int64_t ttl_s)
{
    char storage[KEY_SIZE], ttl[24];
    struct buf text;
    buf_init_fixed(&text, storage, sizeof(storage));
    if (value.length > CACHE_VALUE_MAX || !key_make(cache, key, &text))
        return;
    struct buf entry CLEANUP(buf_release);
    buf_init(&entry, CACHE_VALUE_MAX + KEY_SIZE);
    buf_append(&entry, text.data, text.length);
    buf_char(&entry, '\n');
    buf_append(&entry, value.data, value.length);
    snprintf(ttl, sizeof(ttl), "%lld", (long long)(ttl_s > 0 ? ttl_s : 1));
    if (entry.failed)
        return;
    struct slice command[] = {slice_of("SET"), {text.data, text.length}, {entry.data, entry.length},
                              slice_of("EX"), slice_of(ttl)};
    redisReply *reply = ask(cache, command, (int)ARRAY_SIZE(command));
    if (reply)
        freeReplyObject(reply);
}

enum cache_state cache_state(struct cache *cache)
{
    if (cache->wanted == 0)
        return CACHE_OFF;
    pthread_mutex_lock(&cache->mutex);
    bool up = cache->up;
    pthread_mutex_unlock(&cache->mutex);
    return up ? CACHE_UP : CACHE_DOWN;
}

const char *cache_state_name(enum cache_state state)
{
    switch (state) {
    case CACHE_OFF:
        return "off";
    case CACHE_DOWN:
        return "down";
    case CACHE_UP:
        break;
    }
    return "up";
}
