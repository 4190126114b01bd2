/* budget.h: rate limits that the replicas of a service share, by Redis.
 *
 * Whether a call may go on is decided by the process alone, on a bucket of its own; nothing on a call's path waits for
 * Redis. Behind that a thread tells Redis about ten times a second what each organisation has spent here since, all
 * in one pipeline, and is told what is left of the one bucket that all replicas book on; the local one then holds no
 * more than that. What several replicas spent too much between two exchanges is owed: the shared bucket goes below
 * zero, by at most one burst, and nobody has a token until that is paid.
 *
 * The bound: with n replicas, in any span of t seconds, an organisation makes at most
 *     rate * t + n * (burst + rate * interval)
 * calls (interval: a quarter of a second, all in all), n * burst of them only when it calls all replicas at once after
 * a pause; over long spans it is the rate.
 * What was spent in an exchange that fails is not booked again, since it may have been booked.
 *
 * With Redis away, each replica goes on with its own bucket and the full rate, and isms_budget_up says so. */
#ifndef ISMS_CACHE_BUDGET_H
#define ISMS_CACHE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/base/uuid.h>

/* One organisation's: what it spent, and what is left. */
struct budget_share {
    struct uuid tenant;
    unsigned spent;
    unsigned per_second;
    unsigned burst;
    bool told;    /* Redis has booked it, and `left` is what it says */
    int64_t left; /* millionths of a call, from -burst to burst */
};

/* Where the shares come from and go to; both are called by the budget's thread. */
struct budget_source {
    unsigned (*spent)(void *context, struct budget_share *shares, unsigned max); /* 0: nothing more, for now */
    void (*settle)(void *context, const struct budget_share *shares, unsigned count);
    void *context;
};

struct budget_options {
    const char *url;     /* as cache_options'; NULL or "": nothing is shared */
    const char *service; /* whose replicas share */
    int64_t interval_us; /* 0: 100 ms */
    struct budget_source source; /* outlives the budget */
};

struct budget;

/* Does not wait for Redis. FIELD_INVALID for a URL that cannot be used. */
int budget_new(const struct budget_options *options, struct budget **ret_budget, struct err *err) MUST_CHECK;

/* Ends the thread. Accepts NULL. */
void budget_free(struct budget *budget);
void budget_freep(struct budget **budget);

#endif
