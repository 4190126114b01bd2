/* budget.c: see budget.h. The thread has a connection of its own, so that it can be as slow as Redis is and pipelines
 * as it likes. What cannot be booked is dropped, not saved up: booked later, it would hold the organisation to
 * account for the time that Redis was away. */
#include <isms/cache/budget.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <isms/base/buf.h>
#include <isms/base/bug.h>
#include <isms/base/clock.h>
#include <isms/base/condition.h>
#include <isms/base/crypto.h>
#include <isms/obs/log.h>
#include <isms/obs/metrics.h>

#include "redis.h"

enum {
    INTERVAL_US = 100 * 1000,
    TIMEOUT_US = 1000 * 1000, /* of connecting, and of one exchange */
    RETRY_US = 1000 * 1000,
    RETRY_JITTER_US = 500 * 1000, /* so that replicas do not all come back at once */
    SHARES_MAX = 512,             /* of one pipeline */
    SHA1_HEX = 40
};

/* Redis' own clock, so that the replicas' need not agree. A bucket that is full again need not be kept. */
static const char SCRIPT[] =
    "local rate, full, spent = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])\n"
    "local time = redis.call('TIME')\n"
    "local now = time[1] * 1000000 + time[2]\n"
    "local known = redis.call('HMGET', KEYS[1], 'left', 'at')\n"
    "local left, at = tonumber(known[1] or ''), tonumber(known[2] or '')\n" /* nil where there is no number */
    "left = left and at and left + math.max(0, now - at) * rate / 1000000 or full\n"
    "left = math.max(math.min(full, left) - spent, -full)\n"
    "redis.call('HSET', KEYS[1], 'left', string.format('%.6f', left), 'at', string.format('%.0f', now))\n"
    "redis.call('PEXPIRE', KEYS[1], math.ceil((full - left) * 1000 / rate) + 1000)\n"
    "return math.floor(left * 1000000)\n";

struct budget {
    struct budget_options options;
    char service[32];
    struct redis_url url;
    struct metric_series *errors;
    struct metric_series *up;
    pthread_mutex_t mutex; /* of `ending` */
    pthread_cond_t wake;
    bool ending;
    bool started;
    pthread_t thread;

    /* the thread's */
    redisContext *redis; /* NULL: not connected */
    int64_t retry_at_us;
    bool loaded;
    bool good; /* as the last exchange went */
    char sha[SHA1_HEX + 1];
    struct budget_share shares[SHARES_MAX];
};

static void good_set(struct budget *budget, bool good, const char *cause)
{
    metric_set(budget->up, good);
    if (good != budget->good && good)
        LOG(INFO, "rate limits are shared with the other replicas");
    else if (good != budget->good)
        LOG(WARNING, "rate limits are this replica's own", LOG_STR("cause", cause));
    if (!good)
        metric_add(budget->errors, 1);
    budget->good = good;
}

static void disconnect(struct budget *budget, const char *cause)
{
    uint32_t random;
    random_bytes(&random, sizeof(random));
    budget->retry_at_us = clock_monotonic_us() + RETRY_US + random % RETRY_JITTER_US;
    good_set(budget, false, cause);
    if (budget->redis)
        redisFree(budget->redis);
    budget->redis = NULL;
    budget->loaded = false;
}

static bool script_load(struct budget *budget)
{
    struct slice command[] = {slice_of("SCRIPT"), slice_of("LOAD"), slice_of(SCRIPT)};
    redisReply *reply =
        redis_command(budget->redis, command, (int)ARRAY_SIZE(command), clock_monotonic_us() + TIMEOUT_US);
    budget->loaded = reply && reply->type == REDIS_REPLY_STRING && reply->len == SHA1_HEX;
    if (budget->loaded)
        memcpy(budget->sha, reply->str, SHA1_HEX + 1);
    if (reply)
        freeReplyObject(reply);
    return budget->loaded;
}

static bool connected(struct budget *budget)
{
    struct err err = {0};
    if (!budget->redis && clock_monotonic_us() < budget->retry_at_us)
        return false;
    if (!budget->redis && redis_connect(&budget->url, TIMEOUT_US, &budget->redis, &err) < 0)
        disconnect(budget, err.message);
    else if (!budget->loaded && !script_load(budget))
        disconnect(budget, "the script cannot be loaded");
    return budget->redis != NULL;
}

static bool share_ask(struct budget *budget, const struct budget_share *share)
{
    char key[96], tenant[UUID_TEXT_SIZE], rate[12], burst[12], spent[12];
    uuid_format(share->tenant, tenant);
    snprintf(key, sizeof(key), "isms:limit:%s:{%s}", budget->service, tenant);
    snprintf(rate, sizeof(rate), "%u", share->per_second);
    snprintf(burst, sizeof(burst), "%u", share->burst);
    snprintf(spent, sizeof(spent), "%u", share->spent);
    struct slice command[] = {slice_of("EVALSHA"), slice_of(budget->sha), slice_of("1"), slice_of(key),
                              slice_of(rate), slice_of(burst), slice_of(spent)};
    return redis_append(budget->redis, command, (int)ARRAY_SIZE(command));
}

/* What Redis says of one share. false: the connection is out of order. */
static bool share_read(struct budget *budget, struct budget_share *share, int64_t deadline_us, bool *good)
{
    redisReply *reply = redis_next(budget->redis, deadline_us);
    if (!reply)
        return false;
    int64_t full = share->burst * INT64_C(1000000);
    share->told = reply->type == REDIS_REPLY_INTEGER && reply->integer <= full && reply->integer >= -full;
    share->left = share->told ? reply->integer : 0;
    if (!share->told) {
        *good = false;
        budget->loaded = false; /* NOSCRIPT: somebody has flushed the scripts */
    }
    freeReplyObject(reply);
    return true;
}

static bool exchange(struct budget *budget, unsigned count)
{
    int64_t deadline_us = clock_monotonic_us() + TIMEOUT_US;
    bool good = true;
    for (unsigned i = 0; i < count; i++)
        if (!share_ask(budget, &budget->shares[i]))
            return false;
    if (!redis_flush(budget->redis, deadline_us))
        return false;
    for (unsigned i = 0; i < count; i++)
        if (!share_read(budget, &budget->shares[i], deadline_us, &good))
            return false;
    good_set(budget, good, "Redis refused to book");
    return true;
}

static void shares_exchange(struct budget *budget)
{
    const struct budget_source *source = &budget->options.source;
    bool ready = connected(budget);
    unsigned count;
    while ((count = source->spent(source->context, budget->shares, SHARES_MAX)) > 0) {
        if (ready && exchange(budget, count))
            source->settle(source->context, budget->shares, count);
        else if (ready)
            disconnect(budget, "no well-formed answer in time");
        ready = budget->redis && budget->loaded;
    }
}

static void *budget_main(void *context)
{
    struct budget *budget = context;
    pthread_mutex_lock(&budget->mutex);
    while (!budget->ending) {
        pthread_mutex_unlock(&budget->mutex);
        shares_exchange(budget);
        int64_t until_us = clock_monotonic_us() + budget->options.interval_us;
        pthread_mutex_lock(&budget->mutex);
        if (!budget->ending)
            condition_wait_until(&budget->wake, &budget->mutex, until_us);
    }
    pthread_mutex_unlock(&budget->mutex);
    return NULL;
}

int budget_new(const struct budget_options *options, struct budget **ret_budget, struct err *err)
{
    bool on = options->url && *options->url;
    struct redis_url url = {0};
    if (on && redis_url_parse(options->url, &url, err) < 0)
        return -1;
    struct budget *budget = calloc(1, sizeof(*budget));
    if (!budget)
        return err_set(err, ERR_INTERNAL);
    budget->options = *options;
    budget->url = url;
    snprintf(budget->service, sizeof(budget->service), "%s", options->service);
    if (!budget->options.interval_us)
        budget->options.interval_us = INTERVAL_US;
    budget->errors = METRIC_SERIES(isms_budget_errors_total);
    budget->up = METRIC_SERIES(isms_budget_up);
    BUG_IF(pthread_mutex_init(&budget->mutex, NULL) != 0);
    condition_init(&budget->wake);
    budget->started = on && pthread_create(&budget->thread, NULL, budget_main, budget) == 0;
    if (on && !budget->started) {
        budget_free(budget);
        return err_setf(err, ERR_INTERNAL, "The budget's thread cannot be started.");
    }
    *ret_budget = budget;
    return 0;
}

void budget_free(struct budget *budget)
{
    if (!budget)
        return;
    if (budget->started) {
        pthread_mutex_lock(&budget->mutex);
        budget->ending = true;
        pthread_cond_signal(&budget->wake);
        pthread_mutex_unlock(&budget->mutex);
        pthread_join(budget->thread, NULL);
    }
    if (budget->redis)
        redisFree(budget->redis);
    pthread_cond_destroy(&budget->wake);
    pthread_mutex_destroy(&budget->mutex);
    free(budget);
}

void budget_freep(struct budget **budget)
{
    budget_free(*budget);
    *budget = NULL;
}
