/* health.c: a few numbers that many threads write and none waits for. What is lost in a race between two of them
 * (a silence declared in the moment of an answer) the next answer puts right. */
#include <isms/db/health.h>

#include <stddef.h>

#include <isms/base/clock.h>

enum { RETRY_AFTER_MS = 1000, SILENCE_US = 1500 * 1000 /* that means something */ };

int db_health_check(const struct db_health *health, struct err *err)
{
    bool away = health && (atomic_load(&health->silent_us) != 0 ||
                           (atomic_load(&health->up) == 0 && atomic_load(&health->refused)));
    if (!away)
        return 0;
    err_set(err, ERR_DATABASE_UNAVAILABLE);
    err->retry_after_ms = RETRY_AFTER_MS;
    return -1;
}

void db_health_heard(struct db_health *health)
{
    if (!health)
        return;
    atomic_store(&health->answered_us, clock_monotonic_us());
    if (atomic_load(&health->silent_us) != 0)
        atomic_store(&health->silent_us, 0);
}

void db_health_up(struct db_health *health)
{
    if (!health)
        return;
    atomic_fetch_add(&health->up, 1);
    atomic_store(&health->refused, false);
    atomic_store(&health->connected_us, clock_monotonic_us());
}

bool db_health_came_up(const struct db_health *health, int64_t since_us)
{
    return health && atomic_load(&health->connected_us) > since_us;
}

void db_health_down(struct db_health *health)
{
    if (health)
        atomic_fetch_sub(&health->up, 1);
}

void db_health_refused(struct db_health *health)
{
    if (health)
        atomic_store(&health->refused, true);
}

void db_health_waited(struct db_health *health, int64_t since_us)
{
    int64_t now_us = clock_monotonic_us();
    if (health && now_us - since_us >= SILENCE_US && atomic_load(&health->answered_us) < since_us)
        atomic_store(&health->silent_us, now_us);
}

bool db_health_is_in_vain(const struct db_health *health, int64_t since_us)
{
    int64_t silent_us = health ? atomic_load(&health->silent_us) : 0;
    return silent_us != 0 && since_us < silent_us;
}
