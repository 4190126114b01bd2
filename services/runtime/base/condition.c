/* condition.c: see condition.h. What can fail here is only what is our bug. */
#include <isms/base/condition.h>

#include <errno.h>
#include <time.h>

#include <isms/base/bug.h>

void condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    BUG_IF(pthread_condattr_init(&attributes) != 0);
    BUG_IF(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) != 0);
    BUG_IF(pthread_cond_init(condition, &attributes) != 0);
    pthread_condattr_destroy(&attributes);
}

bool condition_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until_us)
{
    struct timespec until = {.tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000};
    int result = pthread_cond_timedwait(condition, lock, &until);
    BUG_IF(result != 0 && result != ETIMEDOUT);
    return result == 0;
}
