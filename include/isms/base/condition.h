/* condition.h: condition variables that are waited for on clock_monotonic_us()'s clock.
 *
 * A pthread_cond_t as it comes waits on the wall clock, which may be set. */
#ifndef ISMS_BASE_CONDITION_H
#define ISMS_BASE_CONDITION_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

void condition_init(pthread_cond_t *condition);

/* With the lock held, as pthread_cond_wait(). false: that time has come. */
bool condition_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until_us);

#endif
