/* health.h: does the database answer? What the connections of a process to one database know together.
 *
 * A worker that waits for an answer finds out at its callers' deadline that none comes. The process knows sooner:
 * nothing has been heard on any connection since one of them, which should have had its answer at once, gave up;
 * or all are down and another attempt to connect has failed. From then on calls are refused at once, and who still
 * waits gives up. Connecting goes on all the while, by back-off, and the first sign of life ends it.
 *
 * Zeroed: ready. Any thread. It outlives the connections that were made with it. */
#ifndef ISMS_DB_HEALTH_H
#define ISMS_DB_HEALTH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>

struct db_health {
    atomic_uint up;               /* connections */
    atomic_bool refused;          /* the last attempt to connect that has ended failed */
    /* clock_monotonic_us() of the last of each */
    _Atomic int64_t connected_us;
    _Atomic int64_t answered_us;
    _Atomic int64_t silent_us;    /* since when it is known not to answer; 0: it does */
};

/* 0, or -1 with DATABASE_UNAVAILABLE and when to retry. `health` NULL: 0. */
int db_health_check(const struct db_health *health, struct err *err) MUST_CHECK;

/* For connections; `health` may be NULL. */
void db_health_heard(struct db_health *health);
void db_health_up(struct db_health *health);
void db_health_down(struct db_health *health);
void db_health_refused(struct db_health *health);

/* Whether a connection came up since then: no reason to go on waiting for the back-off. */
bool db_health_came_up(const struct db_health *health, int64_t since_us);

/* Somebody waited in vain since `since_us` for what takes no time. */
void db_health_waited(struct db_health *health, int64_t since_us);

/* Whether waiting on, which began at `since_us`, is in vain. What began after the silence was known goes on: it is
 * the attempt that may end it. */
bool db_health_is_in_vain(const struct db_health *health, int64_t since_us);

#endif
