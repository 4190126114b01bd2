/* bucket.h: a token bucket: so many calls a second, and so many at once after a pause.
 *
 * Plain arithmetic on whole millionths of a token, with the time as a parameter. A level below zero is owed: what
 * other replicas have spent of a budget that all share. */
#ifndef ISMS_RPC_BUCKET_H
#define ISMS_RPC_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

enum { BUCKET_TOKEN = 1000 * 1000 };

struct bucket {
    int64_t level;     /* millionths of a token, at `filled_us` */
    int64_t filled_us; /* monotonic */
};

struct bucket_rate {
    unsigned per_second; /* at least 1 */
    unsigned burst;      /* at least 1: what a full bucket holds */
};

struct bucket bucket_full(struct bucket_rate rate, int64_t now_us);

/* Takes one token. false: there is none, and will be one in *ret_wait_us unless somebody else takes it. */
bool bucket_take(struct bucket *bucket, struct bucket_rate rate, int64_t now_us, int64_t *ret_wait_us);

bool bucket_is_full(struct bucket *bucket, struct bucket_rate rate, int64_t now_us);

/* The bucket holds no more than `level` now. */
void bucket_lower(struct bucket *bucket, struct bucket_rate rate, int64_t level, int64_t now_us);

#endif
