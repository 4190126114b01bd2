/* bell.c: a counter under a lock; a thread that comes late sees by it that it was rung for. */
#include <isms/base/bell.h>

#include <isms/base/condition.h>

void bell_init(struct bell *bell)
{
    *bell = (struct bell){0};
    pthread_mutex_init(&bell->lock, NULL);
    condition_init(&bell->rung);
}

void bell_release(struct bell *bell)
{
    pthread_cond_destroy(&bell->rung);
    pthread_mutex_destroy(&bell->lock);
}

void bell_ring(struct bell *bell)
{
    pthread_mutex_lock(&bell->lock);
    bell->rings++;
    pthread_cond_broadcast(&bell->rung);
    pthread_mutex_unlock(&bell->lock);
}

void bell_wait(struct bell *bell, int64_t until_us, uint64_t *heard)
{
    bool waiting = true;
    pthread_mutex_lock(&bell->lock);
    while (waiting && bell->rings == *heard)
        waiting = condition_wait_until(&bell->rung, &bell->lock, until_us);
    *heard = bell->rings;
    pthread_mutex_unlock(&bell->lock);
}
