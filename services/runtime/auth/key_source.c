/* key_source.c: a thread around refresh.c, fetch.c and discovery.c.
 *
 * The discovery document is fetched every time before the keys: an issuer may move them, and two small requests over
 * one connection are nothing beside deciding when to trust what it said last time.
 *
 * The thread looks at the wall clock every second rather than sleeping until the next fetch is due: that is a time of
 * the wall clock, which may be set. */
#include "key_source.h"

#include <pthread.h>
#include <stdatomic.h>

#include <isms/base/buf.h>
#include <isms/base/bug.h>
#include <isms/base/clock.h>
#include <isms/base/condition.h>
#include <isms/obs/log.h>
#include <isms/obs/metrics.h>

#include "discovery.h"
#include "fetch.h"
#include "jws.h"
#include "refresh.h"

enum { LOOK_US = 1000 * 1000 };

struct key_source {
    struct key_source_options options;
    struct fetcher *fetcher;
    atomic_bool stopping;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    struct refresh refresh;
    char problem[ERR_MESSAGE_MAX];
};

/* --- fetching: the thread, without the lock -------------------------------------------------------------- */

static int keys_fetch(struct key_source *source, struct jwks **ret_keys, int64_t *ret_max_age_s, struct err *err)
{
    struct buf document CLEANUP(buf_release) = {0}, keys CLEANUP(buf_release) = {0};
    char jwks_uri[FETCH_URL_SIZE];
    int64_t ignored;
    buf_init(&document, DISCOVERY_TEXT_MAX);
    buf_init(&keys, JWKS_TEXT_MAX);
    if (fetch_document(source->fetcher, source->options.discovery, &document, &ignored, err) < 0 ||
        discovery_read(document.data, document.length, source->options.issuer, jwks_uri, sizeof(jwks_uri), err) < 0 ||
        fetch_url_check(jwks_uri, source->options.allow_http, err) < 0 ||
        fetch_document(source->fetcher, jwks_uri, &keys, ret_max_age_s, err) < 0)
        return -1;
    return jwks_parse(keys.data, keys.length, ret_keys, err);
}

/* Puts a set into force. Principals that are remembered by a set that has changed are not good any more. */
static void keys_publish(struct key_source *source, struct jwks *keys, int64_t fetch_time_us)
{
    struct jwks *before CLEANUP(jwks_unrefp) = jwks_slot_get(source->options.slot);
    bool news = !jwks_same(before, keys);
    jwks_set_fetch_time(keys, fetch_time_us);
    if (news)
        LOG(INFO, "an issuer's keys are new", LOG_STR("issuer", source->options.issuer),
            LOG_INT("keys", jwks_count(keys)));
    jwks_slot_set(source->options.slot, keys);
    if (news)
        jwt_verifier_renewed(source->options.verifier);
}

static void problem_note(struct key_source *source, const char *problem)
{
    if (problem[0] && strcmp(problem, source->problem) != 0)
        LOG(WARNING, "an issuer's keys cannot be fetched; the old ones stay in force",
            LOG_STR("issuer", source->options.issuer), LOG_STR("error", problem));
    snprintf(source->problem, sizeof(source->problem), "%s", problem);
}

/* Called and returns with the lock held, gives it up in between. */
static void source_refresh(struct key_source *source)
{
    struct jwks *keys = NULL;
    struct err err = {0};
    int64_t max_age_s = -1, began_us = clock_now_us();
    uint32_t random;
    random_bytes(&random, sizeof(random));
    refresh_begin(&source->refresh, began_us);
    pthread_mutex_unlock(&source->lock);
    int result = keys_fetch(source, &keys, &max_age_s, &err);
    if (result == 0)
        keys_publish(source, keys, began_us);
    metric_add(METRIC_SERIES(isms_issuer_fetches_total, result == 0 ? "ok" : "failed"), 1);
    pthread_mutex_lock(&source->lock);
    if (result == 0)
        refresh_succeeded(&source->refresh, max_age_s, clock_now_us(), random);
    else
        refresh_failed(&source->refresh, clock_now_us(), random);
    if (!atomic_load(&source->stopping))
        problem_note(source, result == 0 ? "" : err.message);
}

static void *source_main(void *context)
{
    struct key_source *source = context;
    pthread_mutex_lock(&source->lock);
    while (!atomic_load(&source->stopping)) {
        int64_t wait_us = refresh_wait(&source->refresh, clock_now_us());
        if (wait_us == 0) {
            source_refresh(source);
            continue;
        }
        int64_t until_us = clock_monotonic_us() + (wait_us < LOOK_US ? wait_us : LOOK_US);
        condition_wait_until(&source->wake, &source->lock, until_us);
    }
    pthread_mutex_unlock(&source->lock);
    return NULL;
}

/* --- start and stop -------------------------------------------------------------------------------------- */

static void source_release(struct key_source *source)
{
    fetcher_free(source->fetcher);
    pthread_cond_destroy(&source->wake);
    pthread_mutex_destroy(&source->lock);
    free(source);
}

int key_source_new(const struct key_source_options *options, struct key_source **ret_source, struct err *err)
{
    struct key_source *source = calloc(1, sizeof(*source));
    if (!source)
        return err_set(err, ERR_INTERNAL);
    source->options = *options;
    atomic_init(&source->stopping, false);
    BUG_IF(pthread_mutex_init(&source->lock, NULL) != 0);
    condition_init(&source->wake);
    struct fetch_options fetch = {
        .ca_file = options->ca_file, .allow_http = options->allow_http, .stopping = &source->stopping};
    source->fetcher = fetcher_new(&fetch);
    if (!source->fetcher || pthread_create(&source->thread, NULL, source_main, source) != 0) {
        source_release(source);
        return err_setf(err, ERR_INTERNAL, "fetching the keys of %s cannot be started", options->issuer);
    }
    *ret_source = source;
    return 0;
}

void key_source_free(struct key_source *source)
{
    if (!source)
        return;
    pthread_mutex_lock(&source->lock);
    atomic_store(&source->stopping, true);
    pthread_cond_signal(&source->wake);
    pthread_mutex_unlock(&source->lock);
    pthread_join(source->thread, NULL);
    source_release(source);
}

/* --- asked by those who verify --------------------------------------------------------------------------- */

static int refuse_for_now(struct err *err, enum token_cause cause, int64_t retry_us)
{
    token_refuse(err, cause);
    err->retry_after_ms = retry_us / 1000 + 1;
    return -1;
}

int key_source_check(struct key_source *source, const struct jwks *keys, int64_t now_us, struct err *err)
{
    if (keys && now_us <= jwks_fetch_time(keys) + source->options.stale_max_us)
        return 0;
    pthread_mutex_lock(&source->lock);
    int64_t retry_us = refresh_hasten(&source->refresh, now_us);
    pthread_cond_signal(&source->wake);
    pthread_mutex_unlock(&source->lock);
    return refuse_for_now(err, TOKEN_KEYS_AWAY, retry_us);
}

int key_source_ask(struct key_source *source, const struct jwks *keys, const struct sha256 *token, int64_t now_us,
                   struct err *err)
{
    int64_t retry_us = 0;
    pthread_mutex_lock(&source->lock);
    bool lacks = refresh_lacks(&source->refresh, jwks_fetch_time(keys), token, now_us, &retry_us);
    pthread_cond_signal(&source->wake);
    pthread_mutex_unlock(&source->lock);
    return lacks ? token_refuse(err, TOKEN_KEY) : refuse_for_now(err, TOKEN_KEY_PENDING, retry_us);
}

int64_t key_source_state(struct key_source *source, char *problem, size_t size)
{
    struct jwks *keys CLEANUP(jwks_unrefp) = jwks_slot_get(source->options.slot);
    pthread_mutex_lock(&source->lock);
    snprintf(problem, size, "%s", source->problem);
    pthread_mutex_unlock(&source->lock);
    return keys ? jwks_fetch_time(keys) : 0;
}
