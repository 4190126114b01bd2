/* tenants.c: a hash table with chaining in one allocation, and a clock hand that looks for a place to reuse. */
#include "tenants.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <isms/base/bug.h>
#include <isms/base/clock.h>

enum {
    HASH_SIZE = TENANTS_MAX,
    LOOKS_MAX = 64,
    IN_FLIGHT_RETRY_MS = 100,
    LIMIT_MAX = 1000 * 1000,
    /* The shared bucket hears of a call some time after it was made, and has not refilled meanwhile if it was full.
     * That is not another replica's doing, and whoever was told when to come back shall be let in. */
    BOOKED_LATE_US = 150 * 1000
};

struct tenants {
    struct limits defaults;
    pthread_mutex_t lock;
    unsigned max;
    unsigned count;
    unsigned hand;
    struct tenant *spenders; /* have something to tell the budget */
    struct tenant shared;    /* of those that find no place */
    struct tenant *heads[HASH_SIZE];
    struct tenant entries[];
};

static unsigned limit_of(unsigned own, unsigned otherwise)
{
    unsigned limit = own > 0 ? own : otherwise;
    return limit < LIMIT_MAX ? limit : LIMIT_MAX;
}

static struct limits limits_of(const struct tenants *tenants, struct limits own)
{
    return (struct limits){.calls_per_second = limit_of(own.calls_per_second, tenants->defaults.calls_per_second),
                           .burst = limit_of(own.burst, tenants->defaults.burst),
                           .in_flight = limit_of(own.in_flight, tenants->defaults.in_flight)};
}

static struct bucket_rate rate_of(const struct tenant *tenant)
{
    return (struct bucket_rate){.per_second = tenant->limits.calls_per_second, .burst = tenant->limits.burst};
}

struct tenants *tenants_new(struct limits defaults, unsigned max)
{
    BUG_IF(max == 0 || max > TENANTS_MAX || defaults.calls_per_second == 0 || defaults.burst == 0 ||
           defaults.in_flight == 0);
    struct tenants *tenants = calloc(1, sizeof(*tenants) + max * sizeof(struct tenant));
    if (!tenants)
        return NULL;
    tenants->max = max;
    tenants->defaults = defaults;
    tenants->shared.limits = defaults;
    BUG_IF(pthread_mutex_init(&tenants->lock, NULL) != 0);
    return tenants;
}

void tenants_free(struct tenants *tenants)
{
    if (!tenants)
        return;
    pthread_mutex_destroy(&tenants->lock);
    free(tenants);
}

/* --- the table; under its lock -------------------------------------------------------------------------- */

static struct tenant **head_of(struct tenants *tenants, struct uuid id)
{
    uint32_t tail; /* the end of a version 7 UUID is random; nobody picks an organisation's id for a collision */
    memcpy(&tail, id.bytes + sizeof(id.bytes) - sizeof(tail), sizeof(tail));
    return &tenants->heads[tail % HASH_SIZE];
}

static struct tenant *tenant_find(struct tenants *tenants, struct uuid id)
{
    struct tenant *tenant = *head_of(tenants, id);
    while (tenant && !uuid_equals(tenant->id, id))
        tenant = tenant->same_hash;
    return tenant;
}

static void tenant_forget(struct tenants *tenants, struct tenant *tenant)
{
    struct tenant **link = head_of(tenants, tenant->id);
    while (*link != tenant)
        link = &(*link)->same_hash;
    *link = tenant->same_hash;
}

/* A place nobody misses, looking at a few: NULL where none of them is. */
static struct tenant *place_find(struct tenants *tenants, int64_t now_us)
{
    if (tenants->count < tenants->max)
        return &tenants->entries[tenants->count++];
    for (unsigned i = 0; i < LOOKS_MAX; i++) {
        struct tenant *tenant = &tenants->entries[tenants->hand++ % tenants->max];
        if (atomic_load(&tenant->refs) == 0 && tenant->spent == 0 &&
            bucket_is_full(&tenant->bucket, rate_of(tenant), now_us)) {
            tenant_forget(tenants, tenant);
            return tenant;
        }
    }
    return NULL;
}

static bool is_intake(const struct principal *principal)
{
    return role_set_has(principal->roles, ROLE_INTAKE);
}

/* The entry's id. All intake tokens of an organisation have one, beside its members': no UUID, so nobody else's. */
static struct uuid line_of(const struct principal *principal)
{
    struct uuid id = principal->tenant;
    for (size_t i = 0; is_intake(principal) && i < sizeof(id.bytes); i++)
        id.bytes[i] ^= 0xff;
    return id;
}

/* The entry of that id, a new one with these limits; `own` NULL where the caller does not know them. */
static struct tenant *entry_get(struct tenants *tenants, struct uuid id, const struct limits *own, int64_t now_us)
{
    struct tenant *tenant = tenant_find(tenants, id);
    struct limits limits = limits_of(tenants, own ? *own : (struct limits){0});
    if (tenant) {
        if (own)
            tenant->limits = limits;
        return tenant;
    }
    tenant = place_find(tenants, now_us);
    if (!tenant)
        return &tenants->shared;
    struct tenant **head = head_of(tenants, id);
    memset(tenant, 0, sizeof(*tenant));
    tenant->id = id;
    tenant->limits = limits;
    tenant->bucket = bucket_full(rate_of(tenant), now_us);
    tenant->same_hash = *head;
    *head = tenant;
    return tenant;
}

struct tenant *tenants_get(struct tenants *tenants, const struct principal *principal, int64_t now_us)
{
    bool service = principal->kind == PRINCIPAL_SERVICE || principal->kind == PRINCIPAL_JOB; /* knows no limits */
    pthread_mutex_lock(&tenants->lock);
    struct tenant *tenant = entry_get(tenants, line_of(principal), service ? NULL : &principal->limits, now_us);
    tenant_ref(tenant);
    pthread_mutex_unlock(&tenants->lock);
    return tenant;
}

void tenant_ref(struct tenant *tenant)
{
    atomic_fetch_add(&tenant->refs, 1);
}

void tenant_unref(struct tenant *tenant)
{
    if (tenant)
        atomic_fetch_sub(&tenant->refs, 1);
}

/* --- limits --------------------------------------------------------------------------------------------- */

struct subject {
    char text[sizeof("organisation:") + UUID_TEXT_SIZE];
};

static struct subject subject_of(const char *kind, struct uuid id)
{
    struct subject subject;
    snprintf(subject.text, sizeof(subject.text), "%s:", kind);
    uuid_format(id, subject.text + strlen(subject.text));
    return subject;
}

static int refuse_in_flight(const struct principal *principal, unsigned limit, struct err *err)
{
    err_set(err, ERR_TOO_MANY_IN_FLIGHT);
    if (is_intake(principal))
        err_setf(err, ERR_TOO_MANY_IN_FLIGHT,
                 "The organisation's intake tokens have too many calls under way at once.");
    err_violation(err, subject_of("organisation", principal->tenant).text, "At most %u calls under way at once.",
                  limit);
    err_fact(err, "limit", "%u", limit);
    err->retry_after_ms = IN_FLIGHT_RETRY_MS;
    return -1;
}

static int refuse_rate(const struct principal *principal, struct limits limits, int64_t wait_us, struct err *err)
{
    bool intake = is_intake(principal);
    struct subject subject =
        intake ? subject_of("token", principal->id) : subject_of("organisation", principal->tenant);
    err_set(err, ERR_RATE_LIMITED);
    if (intake)
        err_setf(err, ERR_RATE_LIMITED, "The token's calls come faster than its limit.");
    err_violation(err, subject.text, "At most %u calls a second, and %u at once after a pause.",
                  limits.calls_per_second, limits.burst);
    err_fact(err, "limit", "%u", limits.calls_per_second);
    err->retry_after_ms = (wait_us + 999) / 1000;
    return -1;
}

static void spend(struct tenants *tenants, struct tenant *tenant)
{
    if (tenant->spent++ == 0 && tenant != &tenants->shared) {
        tenant->spender_next = tenants->spenders;
        tenants->spenders = tenant;
    }
}

int tenants_enter(struct tenants *tenants, struct tenant *tenant, const struct principal *principal, int64_t now_us,
                  struct err *err)
{
    int64_t wait_us;
    int result = 0;
    pthread_mutex_lock(&tenants->lock);
    struct tenant *rated = tenant;
    if (is_intake(principal))
        rated = entry_get(tenants, principal->id, &principal->limits, now_us);
    if (atomic_load(&tenant->in_flight) >= tenant->limits.in_flight)
        result = refuse_in_flight(principal, tenant->limits.in_flight, err);
    else if (!bucket_take(&rated->bucket, rate_of(rated), now_us, &wait_us))
        result = refuse_rate(principal, rated->limits, wait_us, err);
    else {
        atomic_fetch_add(&tenant->in_flight, 1);
        spend(tenants, rated);
    }
    pthread_mutex_unlock(&tenants->lock);
    return result;
}

void tenant_leave(struct tenant *tenant)
{
    atomic_fetch_sub(&tenant->in_flight, 1);
}

/* --- the shared budget ---------------------------------------------------------------------------------- */

static unsigned tenants_spent(void *context, struct budget_share *shares, unsigned max)
{
    struct tenants *tenants = context;
    unsigned count = 0;
    pthread_mutex_lock(&tenants->lock);
    while (count < max && tenants->spenders) {
        struct tenant *tenant = tenants->spenders;
        tenants->spenders = tenant->spender_next;
        shares[count++] = (struct budget_share){.tenant = tenant->id,
                                                .spent = tenant->spent,
                                                .per_second = tenant->limits.calls_per_second,
                                                .burst = tenant->limits.burst};
        tenant->spent = 0;
    }
    pthread_mutex_unlock(&tenants->lock);
    return count;
}

static void tenants_settle(void *context, const struct budget_share *shares, unsigned count)
{
    struct tenants *tenants = context;
    int64_t now_us = clock_monotonic_us();
    pthread_mutex_lock(&tenants->lock);
    for (unsigned i = 0; i < count; i++) {
        struct tenant *tenant = shares[i].told ? tenant_find(tenants, shares[i].tenant) : NULL;
        if (!tenant)
            continue;
        int64_t unheard = tenant->spent * (int64_t)BUCKET_TOKEN; /* spent meanwhile */
        int64_t late = tenant->limits.calls_per_second * (int64_t)BOOKED_LATE_US;
        bucket_lower(&tenant->bucket, rate_of(tenant), shares[i].left - unheard + late, now_us);
    }
    pthread_mutex_unlock(&tenants->lock);
}

struct budget_source tenants_budget(struct tenants *tenants)
{
    return (struct budget_source){.spent = tenants_spent, .settle = tenants_settle, .context = tenants};
}
