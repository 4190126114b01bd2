/* backoff.h: when to try again after a failure: 50 ms doubling to 2 s, each shortened at random by up to
 * half, so that a hundred connections that failed together do not come back together.
 *
 * Plain data, clock and randomness given by the caller; times are clock_monotonic_us(). */
#ifndef ISMS_DB_BACKOFF_H
#define ISMS_DB_BACKOFF_H

#include <stdint.h>

enum { BACKOFF_FIRST_US = 50 * 1000, BACKOFF_MAX_US = 2 * 1000 * 1000 };

struct backoff { /* zeroed: ready */
    unsigned failures;
    int64_t not_before_us;
};

/* µs still to wait; 0: try now. */
int64_t backoff_remaining(const struct backoff *backoff, int64_t now_us);

/* Notes one more failure. `random` is any uniformly distributed number. */
void backoff_failed(struct backoff *backoff, int64_t now_us, uint32_t random);

void backoff_succeeded(struct backoff *backoff);

#endif
