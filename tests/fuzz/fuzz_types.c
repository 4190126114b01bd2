/* fuzz_types.c: the methods as a ring of hashes. */
#include "fuzz_types.h"

#include <stdlib.h>
#include <string.h>

#include <isms/base/bug.h>
#include <isms/base/crypto.h>

const struct descriptors *fuzz_descriptors(void)
{
    static struct descriptors *descriptors;
    struct err err;
    BUG_IF(!descriptors && descriptors_new(&isms_descriptors_source, &descriptors, &err) < 0);
    return descriptors;
}

static uint16_t method_hash(const struct method *method)
{
    struct sha256 hash = sha256_of(method->path, strlen(method->path));
    return (uint16_t)(hash.bytes[0] << 8 | hash.bytes[1]);
}

struct place {
    uint16_t hash;
    const struct method *method;
};

static int place_compare(const void *a, const void *b)
{
    const struct place *left = a, *right = b;
    return left->hash != right->hash ? left->hash - right->hash : strcmp(left->method->path, right->method->path);
}

const struct message_type *fuzz_type(const uint8_t *data, size_t size, bool response)
{
    static struct place ring[1024];
    static unsigned count;
    if (count == 0) {
        unsigned method_count;
        const struct method *methods = descriptors_methods(fuzz_descriptors(), &method_count);
        for (unsigned i = 0; i < method_count; i++)
            if (strncmp(methods[i].package, "isms.", strlen("isms.")) == 0) {
                BUG_IF(count == sizeof(ring) / sizeof(ring[0]));
                ring[count++] = (struct place){method_hash(&methods[i]), &methods[i]};
            }
        qsort(ring, count, sizeof(ring[0]), place_compare);
    }
    if (size < FUZZ_PICK_SIZE)
        return NULL;
    unsigned wanted = (unsigned)(data[0] << 8 | data[1]);
    unsigned i = 0;
    while (i < count && ring[i].hash < wanted)
        i++;
    const struct method *method = ring[i % count].method;
    return response ? method->response : method->request;
}
