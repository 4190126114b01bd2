/* tenants.h: the organisations that have been calling lately, and how much of what they may ask they have used.
 *
 * Each has a token bucket (calls a second), a count (calls under way), and a flow in each lane's queue. What our own
 * services ask on an organisation's behalf queues in its flow like the rest, and is neither rated nor counted: the
 * call that it serves was.
 *
 * Intake tokens are in the hands of people outside. Each has a bucket of its own, and all of an organisation's together
 * one entry for calls under way and flows: whoever floods with one takes neither calls nor turns from the members, and
 * issuing many gives an organisation no more turns.
 *
 * The table is bounded. An organisation is forgotten when its place is needed and nothing is lost by it: no call is
 * under way and its bucket is full again. Where all places are taken by others, newcomers share one entry.
 *
 * Any thread. A lock covers the table and the buckets; what a call gives back at its end takes none. */
#ifndef ISMS_RPC_TENANTS_H
#define ISMS_RPC_TENANTS_H

#include <stdatomic.h>
#include <stdint.h>

#include <isms/auth/principal.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/base/uuid.h>
#include <isms/cache/budget.h>
#include <isms/rpc/methods.h>

#include "bucket.h"
#include "fair.h"

enum { TENANTS_MAX = 16384 };

struct tenant {
    struct fair_flow flows[RPC_LANE_COUNT]; /* each under its lane's lock */
    struct fair_flow stream_flow;           /* its streams, before their connections; under the pool's lock */
    atomic_uint refs;      /* calls and batches that point here */
    atomic_uint in_flight; /* calls that are counted */
    atomic_uint held_up;   /* writes that wait for the organisation's sequence in the exclusive lane */

    /* under the table's lock */
    struct uuid id;
    struct tenant *same_hash;
    struct limits limits; /* as the last caller brought them, defaults filled in */
    struct bucket bucket;
    unsigned spent;             /* tokens that the shared budget has not been told of */
    struct tenant *spender_next;
};

struct tenants;

/* `defaults`: of organisations that have no limits of their own; `max`: at most TENANTS_MAX. NULL: out of memory. */
struct tenants *tenants_new(struct limits defaults, unsigned max);
void tenants_free(struct tenants *tenants);

/* A reference to the principal's organisation, or to the entry of that organisation's intake tokens. */
struct tenant *tenants_get(struct tenants *tenants, const struct principal *principal, int64_t now_us);
void tenant_ref(struct tenant *tenant);
void tenant_unref(struct tenant *tenant); /* accepts NULL */

/* One more call of the principal that `tenant` is of: a place among those under way and a token. TOO_MANY_IN_FLIGHT, or
 * RATE_LIMITED with the time until there is a token; both say in words what the limit is. tenant_leave() gives the
 * place back. */
int tenants_enter(struct tenants *tenants, struct tenant *tenant, const struct principal *principal, int64_t now_us,
                  struct err *err) MUST_CHECK;
void tenant_leave(struct tenant *tenant);

/* What organisations spend, for the budget that the replicas share, and what is left of it. */
struct budget_source tenants_budget(struct tenants *tenants);

#endif
