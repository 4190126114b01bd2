/* remembered.c: a set-associative table, as processors have them.
 *
 * The hash is SHA-256 of something only its owner can make, so nobody can aim at a set, and no chains, no
 * resizing and no list of recent use are needed: the whole table is one allocation, an operation looks at
 * eight entries, and what must go is the entry that would expire first. */
#include "remembered.h"

#include <pthread.h>

#include <isms/base/bug.h>

enum { WAYS = 8, LOCKS = 16 };

struct entry {
    struct sha256 hash;
    int64_t expire_time_us; /* 0: empty */
    struct principal principal;
};

struct remembered {
    size_t set_mask;
    pthread_mutex_t locks[LOCKS];
    struct entry entries[];
};

struct remembered *remembered_new(unsigned max)
{
    size_t sets = LOCKS;
    while (sets * WAYS < max)
        sets *= 2;
    struct remembered *remembered = calloc(1, sizeof(*remembered) + sets * WAYS * sizeof(struct entry));
    if (!remembered)
        return NULL;
    remembered->set_mask = sets - 1;
    for (size_t i = 0; i < LOCKS; i++)
        BUG_IF(pthread_mutex_init(&remembered->locks[i], NULL) != 0);
    return remembered;
}

void remembered_free(struct remembered *remembered)
{
    if (!remembered)
        return;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&remembered->locks[i]);
    free(remembered);
}

static struct entry *set_lock(struct remembered *remembered, const struct sha256 *hash,
                              pthread_mutex_t **ret_lock)
{
    size_t set;
    memcpy(&set, hash->bytes, sizeof(set));
    set &= remembered->set_mask;
    *ret_lock = &remembered->locks[set % LOCKS];
    pthread_mutex_lock(*ret_lock);
    return &remembered->entries[set * WAYS];
}

static struct entry *set_find(struct entry *set, const struct sha256 *hash)
{
    for (struct entry *entry = set; entry < set + WAYS; entry++)
        if (entry->expire_time_us != 0 && memcmp(&entry->hash, hash, sizeof(*hash)) == 0)
            return entry;
    return NULL;
}

bool remembered_get(struct remembered *remembered, const struct sha256 *hash, int64_t now_us,
                    struct principal *ret_principal)
{
    pthread_mutex_t *lock;
    const struct entry *entry = set_find(set_lock(remembered, hash, &lock), hash);
    bool found = entry && now_us < entry->expire_time_us;
    if (found)
        *ret_principal = entry->principal;
    pthread_mutex_unlock(lock);
    return found;
}

void remembered_put(struct remembered *remembered, const struct sha256 *hash, int64_t expire_time_us,
                    const struct principal *principal)
{
    pthread_mutex_t *lock;
    struct entry *set = set_lock(remembered, hash, &lock);
    struct entry *entry = set_find(set, hash);
    if (!entry) {
        entry = set;
        for (struct entry *other = set + 1; other < set + WAYS; other++)
            if (other->expire_time_us < entry->expire_time_us)
                entry = other;
    }
    *entry = (struct entry){.hash = *hash, .expire_time_us = expire_time_us, .principal = *principal};
    pthread_mutex_unlock(lock);
}

void remembered_drop(struct remembered *remembered, const struct sha256 *hash)
{
    pthread_mutex_t *lock;
    struct entry *entry = set_find(set_lock(remembered, hash, &lock), hash);
    if (entry)
        *entry = (struct entry){0};
    pthread_mutex_unlock(lock);
}
