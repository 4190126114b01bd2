/* bell.h: wakes threads that wait for something to do, within one process.
 *
 * A ring is heard once by every thread that waits or comes to wait later: each brings the number of rings it has
 * heard. Any thread may ring. */
#ifndef ISMS_BASE_BELL_H
#define ISMS_BASE_BELL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct bell {
    pthread_mutex_t lock;
    pthread_cond_t rung;
    uint64_t rings;
};

void bell_init(struct bell *bell);
void bell_release(struct bell *bell);
void bell_ring(struct bell *bell);

/* Waits for a ring beyond *heard, or until that time of clock_monotonic_us(). Afterwards *heard has all there were. */
void bell_wait(struct bell *bell, int64_t until_us, uint64_t *heard);

#endif
