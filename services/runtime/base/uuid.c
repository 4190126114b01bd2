/* uuid.c: RFC 9562 sections 5.5 (version 5) and 5.7 (version 7).
 *
 * A version 7 id is 48 bits of milliseconds, 12 bits of a millisecond's fraction (section 6.2, method 3) and 62
 * random bits. The first 60 bits never repeat or go back within a process, whatever the wall clock does: ids
 * made one after the other sort in that order, which keeps index pages warm and lists stable. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <isms/base/uuid.h>

#include <openssl/sha.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <isms/base/bug.h>
#include <isms/base/clock.h>
#include <isms/base/crypto.h>

/* The time now in units of 1/4096 ms, or the successor of the last one handed out if that is later. */
static uint64_t tick_next(void)
{
    static _Atomic uint64_t last;
    uint64_t now_us = (uint64_t)clock_now_us();
    uint64_t now = now_us / 1000 << 12 | now_us % 1000 * 4096 / 1000;
    uint64_t before = atomic_load(&last);
    uint64_t tick;
    do {
        tick = now > before ? now : before + 1;
    } while (!atomic_compare_exchange_weak(&last, &before, tick));
    return tick;
}

static void version_set(struct uuid *uuid, unsigned version)
{
    uuid->bytes[6] = (uint8_t)((uuid->bytes[6] & 0x0F) | version << 4);
    uuid->bytes[8] = (uint8_t)((uuid->bytes[8] & 0x3F) | 0x80);
}

struct uuid uuid_v7(void)
{
    struct uuid uuid;
    uint64_t tick = tick_next();
    for (int i = 0; i < 6; i++)
        uuid.bytes[i] = (uint8_t)(tick >> (52 - 8 * i));
    uuid.bytes[6] = (uint8_t)(tick >> 8 & 0x0F);
    uuid.bytes[7] = (uint8_t)tick;
    random_bytes(uuid.bytes + 8, 8);
    version_set(&uuid, 7);
    return uuid;
}

struct uuid uuid_v5(struct uuid name_space, const void *name, size_t length)
{
    uint8_t text[16 + 1024];
    uint8_t digest[SHA_DIGEST_LENGTH];
    struct uuid uuid;
    BUG_IF(length > sizeof(text) - sizeof(name_space.bytes));
    memcpy(text, name_space.bytes, sizeof(name_space.bytes));
    if (length)
        memcpy(text + sizeof(name_space.bytes), name, length);
    SHA_CTX sum; /* the functions that take no memory, as in crypto.c */
    SHA1_Init(&sum);
    SHA1_Update(&sum, text, sizeof(name_space.bytes) + length);
    SHA1_Final(digest, &sum);
    memcpy(uuid.bytes, digest, sizeof(uuid.bytes));
    version_set(&uuid, 5);
    return uuid;
}

bool uuid_parse(const char *text, struct uuid *ret_uuid)
{
    static const unsigned char groups[] = {4, 2, 2, 2, 6}; /* bytes between the hyphens */
    struct uuid uuid;
    uint8_t *byte = uuid.bytes;
    if (strnlen(text, UUID_TEXT_SIZE) != UUID_TEXT_SIZE - 1)
        return false;
    for (size_t i = 0; i < sizeof(groups); i++) {
        if (i > 0 && *text++ != '-')
            return false;
        if (!hex_decode(text, 2 * (size_t)groups[i], byte))
            return false;
        text += 2 * groups[i];
        byte += groups[i];
    }
    *ret_uuid = uuid;
    return true;
}

void uuid_format(struct uuid uuid, char text[static UUID_TEXT_SIZE])
{
    char hex[2 * sizeof(uuid.bytes) + 1];
    hex_encode(uuid.bytes, sizeof(uuid.bytes), hex);
    snprintf(text, UUID_TEXT_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

bool uuid_is_nil(struct uuid uuid)
{
    return uuid_equals(uuid, (struct uuid){{0}});
}

bool uuid_equals(struct uuid a, struct uuid b)
{
    return memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}
