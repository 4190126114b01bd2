/* import_keys.c: an open hash table that grows by doubling; the hash is the key. */
#include "import_keys.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <isms/base/crypto.h>

enum { FIRST_ROOM = 1024 };

struct entry {
    uint64_t hash[2];
    int line;
    int count; /* 0: free */
};

struct import_keys {
    unsigned max;
    size_t used;
    size_t room; /* a power of two */
    struct entry *entries;
};

struct import_keys *import_keys_new(unsigned max)
{
    struct import_keys *keys = calloc(1, sizeof(*keys));
    if (!keys)
        return NULL;
    keys->max = max;
    keys->room = FIRST_ROOM;
    keys->entries = calloc(keys->room, sizeof(*keys->entries));
    if (!keys->entries) {
        free(keys);
        return NULL;
    }
    return keys;
}

void import_keys_free(struct import_keys *keys)
{
    if (keys)
        free(keys->entries);
    free(keys);
}

static struct entry *entry_find(struct entry *entries, size_t room, const uint64_t hash[2])
{
    size_t place = (size_t)hash[0] & (room - 1);
    while (entries[place].count > 0 && memcmp(entries[place].hash, hash, sizeof(entries[place].hash)) != 0)
        place = (place + 1) & (room - 1);
    return &entries[place];
}

static bool keys_grow(struct import_keys *keys)
{
    size_t room = 2 * keys->room;
    struct entry *entries = calloc(room, sizeof(*entries));
    if (!entries)
        return false;
    for (size_t i = 0; i < keys->room; i++)
        if (keys->entries[i].count > 0)
            *entry_find(entries, room, keys->entries[i].hash) = keys->entries[i];
    free(keys->entries);
    keys->entries = entries;
    keys->room = room;
    return true;
}

int import_keys_add(struct import_keys *keys, struct slice key, int line, int *ret_first_line)
{
    struct sha256 digest = sha256_of(key.data, key.length);
    uint64_t hash[2];
    memcpy(hash, digest.bytes, sizeof(hash));
    if (2 * (keys->used + 1) > keys->room && !keys_grow(keys))
        return -1;
    struct entry *entry = entry_find(keys->entries, keys->room, hash);
    if (entry->count == 0) {
        if (keys->used == keys->max)
            return -1;
        memcpy(entry->hash, hash, sizeof(hash));
        entry->line = line;
        keys->used++;
    }
    *ret_first_line = entry->line;
    return entry->count++;
}
