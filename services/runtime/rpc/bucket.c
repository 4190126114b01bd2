/* bucket.c: see bucket.h. Microseconds times tokens a second are millionths of a token, so nothing is ever rounded
 * away, however often a bucket is looked at. */
#include "bucket.h"

static void bucket_fill(struct bucket *bucket, struct bucket_rate rate, int64_t now_us)
{
    const int64_t full = (int64_t)rate.burst * BUCKET_TOKEN;
    int64_t elapsed_us = now_us - bucket->filled_us;
    if (elapsed_us > 0) {
        bucket->filled_us = now_us;
        if (bucket->level < full && elapsed_us <= (full - bucket->level) / rate.per_second)
            bucket->level += elapsed_us * rate.per_second;
        else
            bucket->level = full;
    }
    if (bucket->level > full) /* the limit was lowered */
        bucket->level = full;
}

struct bucket bucket_full(struct bucket_rate rate, int64_t now_us)
{
    return (struct bucket){.level = (int64_t)rate.burst * BUCKET_TOKEN, .filled_us = now_us};
}

bool bucket_take(struct bucket *bucket, struct bucket_rate rate, int64_t now_us, int64_t *ret_wait_us)
{
    bucket_fill(bucket, rate, now_us);
    if (bucket->level < BUCKET_TOKEN) {
        *ret_wait_us = (BUCKET_TOKEN - bucket->level + rate.per_second - 1) / rate.per_second;
        return false;
    }
    bucket->level -= BUCKET_TOKEN;
    return true;
}

bool bucket_is_full(struct bucket *bucket, struct bucket_rate rate, int64_t now_us)
{
    bucket_fill(bucket, rate, now_us);
    return bucket->level == (int64_t)rate.burst * BUCKET_TOKEN;
}

void bucket_lower(struct bucket *bucket, struct bucket_rate rate, int64_t level, int64_t now_us)
{
    bucket_fill(bucket, rate, now_us);
    if (bucket->level > level)
        bucket->level = level;
}
