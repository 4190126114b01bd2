/* backoff.c: exponential back-off with jitter. */
#include <isms/db/backoff.h>

int64_t backoff_remaining(const struct backoff *backoff, int64_t now_us)
{
    return backoff->not_before_us > now_us ? backoff->not_before_us - now_us : 0;
}

void backoff_failed(struct backoff *backoff, int64_t now_us, uint32_t random)
{
    int64_t delay = BACKOFF_FIRST_US;
    for (unsigned i = 0; i < backoff->failures && delay < BACKOFF_MAX_US; i++)
        delay *= 2;
    if (delay >= BACKOFF_MAX_US)
        delay = BACKOFF_MAX_US;
    else
        backoff->failures++;
    backoff->not_before_us = now_us + delay - delay / 2 * random / UINT32_MAX;
}

void backoff_succeeded(struct backoff *backoff)
{
    *backoff = (struct backoff){0};
}
