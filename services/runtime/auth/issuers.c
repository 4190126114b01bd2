/* issuers.c: from the list to verifiers, slots and key sources.
 *
 * A reading of the list is made whole beside the one in force, takes over the keys that were fetched for it, and then
 * takes its place; one that is wrong changes nothing. */
#include <isms/auth/issuers.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <isms/base/buf.h>
#include <isms/base/bug.h>
#include <isms/base/crypto.h>
#include <isms/obs/log.h>
#include <isms/obs/metrics.h>

#include "issuer_file.h"
#include "key_source.h"

enum { ARENA_MAX = 4 << 20 };

/* One reading of the list. */
struct reading {
    struct arena arena;
    struct sha256 file_hash;
    size_t count;
    struct issuer issuers[JWT_ISSUERS_MAX];
    struct jwks_slot *slots[JWT_ISSUERS_MAX];
    struct key_source *sources[JWT_ISSUERS_MAX]; /* NULL: the keys are of a file */
};

struct issuers {
    struct issuers_options options;
    pthread_mutex_t lock; /* of `reading`, for those who are not its owner */
    struct reading *reading;
};

static void reading_free(struct reading *reading)
{
    if (!reading)
        return;
    for (size_t i = 0; i < reading->count; i++) {
        key_source_free(reading->sources[i]);
        jwks_slot_free(reading->slots[i]);
    }
    arena_release(&reading->arena);
    free(reading);
}

static void reading_freep(struct reading **reading)
{
    reading_free(*reading);
}

/* The issuer of the settings. */
static int single_read(const struct issuers_options *options, struct reading *reading, struct err *err)
{
    struct issuer *to = &reading->issuers[0];
    if (!options->issuer[0])
        return 0;
    *to = (struct issuer){
        .issuer = options->issuer,
        .audience = options->audience,
        .tenant_claim = options->tenant_claim,
        .jwks_file = options->jwks_file[0] ? options->jwks_file : NULL,
    };
    struct err cause = {0};
    reading->count = 1;
    if (jwt_algorithms_parse(options->algorithms, &to->algorithms, err) < 0)
        return -1;
    if (issuer_complete(to, options->allow_http, &reading->arena, &cause) < 0)
        return err_setf(err, cause.reason, "The issuer %s: %s", to->issuer, cause.message);
    return 0;
}

static int list_read(const struct issuers_options *options, const struct buf *text, struct reading *reading,
                     struct err *err)
{
    struct err cause = {0};
    size_t count = 0;
    if (single_read(options, reading, err) < 0)
        return -1;
    if (options->file[0] &&
        issuer_file_read(text->data, text->length, options->allow_http, &reading->arena,
                         reading->issuers + reading->count, JWT_ISSUERS_MAX - reading->count, &count, &cause) < 0)
        return err_setf(err, cause.reason, "%s: %s", options->file, cause.message);
    reading->count += count;
    return 0;
}

static int names_check(const struct reading *reading, struct err *err)
{
    for (size_t i = 0; i < reading->count; i++)
        for (size_t other = 0; other < i; other++)
            if (strcmp(reading->issuers[i].issuer, reading->issuers[other].issuer) == 0)
                return err_setf(err, ERR_FIELD_INVALID, "The issuer %s is listed twice.", reading->issuers[i].issuer);
    return 0;
}

/* A slot with the keys that are there already: the file's, or those that the reading before has fetched. */
static int slot_make(const struct issuer *issuer, const struct reading *before, struct jwks_slot **ret_slot,
                     struct err *err)
{
    struct jwks *keys = NULL;
    if (issuer->jwks_file && jwks_load(issuer->jwks_file, &keys, err) < 0)
        return -1;
    for (size_t i = 0; !issuer->jwks_file && before && i < before->count; i++)
        if (before->sources[i] && strcmp(before->issuers[i].issuer, issuer->issuer) == 0 &&
            strcmp(before->issuers[i].discovery, issuer->discovery) == 0)
            keys = jwks_slot_get(before->slots[i]);
    *ret_slot = jwks_slot_new(keys);
    if (*ret_slot)
        return 0;
    jwks_unref(keys);
    return err_set(err, ERR_INTERNAL);
}

static int source_make(const struct issuers_options *options, struct reading *reading, size_t i, struct err *err)
{
    const struct issuer *issuer = &reading->issuers[i];
    struct key_source_options source = {
        .issuer = issuer->issuer,
        .discovery = issuer->discovery,
        .slot = reading->slots[i],
        .verifier = options->verifier,
        .ca_file = options->ca_file,
        .allow_http = options->allow_http,
        .stale_max_us = options->stale_max_us,
    };
    return issuer->jwks_file ? 0 : key_source_new(&source, &reading->sources[i], err);
}

static int reading_use(const struct issuers_options *options, const struct reading *reading, struct err *err)
{
    struct jwt_issuer issuers[JWT_ISSUERS_MAX];
    for (size_t i = 0; i < reading->count; i++) {
        const struct issuer *from = &reading->issuers[i];
        issuers[i] = (struct jwt_issuer){
            .issuer = from->issuer,
            .audience = from->audience,
            .algorithms = from->algorithms,
            .tenant_claim = from->tenant_claim,
            .keys = reading->slots[i],
            .tenants = from->tenants,
            .tenant_count = from->tenant_count,
            .source = reading->sources[i],
            .provisioning = from->provisioning,
        };
    }
    return jwt_verifier_replace(options->verifier, issuers, reading->count, err);
}

static int reading_make(const struct issuers_options *options, const struct buf *text, const struct reading *before,
                        struct reading **ret_reading, struct err *err)
{
    struct reading *reading CLEANUP(reading_freep) = calloc(1, sizeof(*reading));
    if (!reading)
        return err_set(err, ERR_INTERNAL);
    arena_init(&reading->arena, ARENA_MAX);
    reading->file_hash = sha256_of(text->data, text->length);
    if (list_read(options, text, reading, err) < 0 || names_check(reading, err) < 0)
        return -1;
    for (size_t i = 0; i < reading->count; i++)
        if (slot_make(&reading->issuers[i], before, &reading->slots[i], err) < 0 ||
            source_make(options, reading, i, err) < 0)
            return -1;
    if (reading_use(options, reading, err) < 0)
        return -1;
    *ret_reading = reading;
    reading = NULL;
    return 0;
}

int issuers_new(const struct issuers_options *options, struct issuers **ret_issuers, struct err *err)
{
    struct buf text CLEANUP(buf_release);
    buf_init(&text, ISSUER_FILE_MAX);
    if (options->file[0] && buf_append_file(&text, options->file, err) < 0)
        return -1;
    struct issuers *issuers = calloc(1, sizeof(*issuers));
    if (!issuers)
        return err_set(err, ERR_INTERNAL);
    issuers->options = *options;
    BUG_IF(pthread_mutex_init(&issuers->lock, NULL) != 0);
    if (reading_make(options, &text, NULL, &issuers->reading, err) < 0) {
        issuers_free(issuers);
        return -1;
    }
    *ret_issuers = issuers;
    return 0;
}

void issuers_free(struct issuers *issuers)
{
    if (!issuers)
        return;
    reading_free(issuers->reading);
    pthread_mutex_destroy(&issuers->lock);
    free(issuers);
}

static void file_slots_reload(struct issuers *issuers)
{
    struct reading *reading = issuers->reading;
    for (size_t i = 0; i < reading->count; i++) {
        const char *path = reading->issuers[i].jwks_file;
        struct jwks *before CLEANUP(jwks_unrefp) = jwks_slot_get(reading->slots[i]);
        struct jwks *keys CLEANUP(jwks_unrefp) = NULL;
        struct err err = {0};
        if (!path)
            continue;
        if (jwks_load(path, &keys, &err) < 0) {
            LOG(WARNING, "an issuer's keys cannot be read again; the old ones stay in force", LOG_ERR(&err));
        } else if (!jwks_same(before, keys)) {
            jwks_slot_set(reading->slots[i], jwks_ref(keys));
            jwt_verifier_renewed(issuers->options.verifier);
        }
    }
}

/* The new list in place of the old one, if there is a new one. */
static int list_reload(struct issuers *issuers, struct err *err)
{
    struct buf text CLEANUP(buf_release);
    buf_init(&text, ISSUER_FILE_MAX);
    if (!issuers->options.file[0])
        return 0;
    if (buf_append_file(&text, issuers->options.file, err) < 0)
        return -1;
    struct reading *before = issuers->reading, *reading;
    struct sha256 hash = sha256_of(text.data, text.length);
    if (memcmp(&hash, &before->file_hash, sizeof(hash)) == 0)
        return 0;
    if (reading_make(&issuers->options, &text, before, &reading, err) < 0)
        return -1;
    pthread_mutex_lock(&issuers->lock);
    issuers->reading = reading;
    pthread_mutex_unlock(&issuers->lock);
    reading_free(before);
    LOG(INFO, "the issuers of access tokens are new", LOG_INT("issuers", reading->count));
    return 0;
}

/* The time of the issuer's keys that are oldest; a metric. */
static void keys_observe(const struct reading *reading)
{
    char problem[ERR_MESSAGE_MAX];
    int64_t oldest_us = INT64_MAX;
    for (size_t i = 0; i < reading->count; i++) {
        int64_t fetched_us = reading->sources[i] ? key_source_state(reading->sources[i], problem, sizeof(problem))
                                                 : INT64_MAX;
        oldest_us = fetched_us < oldest_us ? fetched_us : oldest_us;
    }
    if (oldest_us != INT64_MAX)
        metric_set(METRIC_SERIES(isms_issuer_keys_fetched_seconds), oldest_us / 1000000);
}

void issuers_reload(struct issuers *issuers)
{
    struct err err = {0};
    if (list_reload(issuers, &err) < 0)
        LOG(WARNING, "the issuers of access tokens cannot be read again; the old ones stay in force", LOG_ERR(&err));
    file_slots_reload(issuers);
    keys_observe(issuers->reading);
}

bool issuers_problem(struct issuers *issuers, char *ret_text, size_t size)
{
    bool found = false;
    pthread_mutex_lock(&issuers->lock);
    const struct reading *reading = issuers->reading;
    for (size_t i = 0; !found && i < reading->count; i++) {
        char problem[ERR_MESSAGE_MAX];
        if (!reading->sources[i])
            continue;
        int64_t fetched_us = key_source_state(reading->sources[i], problem, sizeof(problem));
        found = fetched_us == 0 || problem[0];
        if (found)
            snprintf(ret_text, size, "%s of %s: %s", fetched_us ? "old keys" : "no keys", reading->issuers[i].issuer,
                     problem[0] ? problem : "not fetched yet");
    }
    pthread_mutex_unlock(&issuers->lock);
    return found;
}
