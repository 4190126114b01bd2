/* admission.h: how many calls there may be, and how many may wait.
 *
 * Refusing early is what keeps the others' calls fast: a call beyond the limits is answered
 * RESOURCE_EXHAUSTED before a byte of its body is read. Counts only, no lock; the poller admits, any thread
 * gives back. A ticket remembers what its call still holds, so that nothing is given back twice or
 * forgotten. */
#ifndef ISMS_RPC_ADMISSION_H
#define ISMS_RPC_ADMISSION_H

#include <stdatomic.h>
#include <stdbool.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/obs/metrics.h>
#include <isms/rpc/methods.h>

struct admission {
    unsigned calls_max;
    unsigned waiting_max; /* of each lane */
    atomic_uint calls;
    atomic_uint waiting[RPC_LANE_COUNT];
    struct metric_series *calls_metric; /* may be NULL */
    struct metric_series *waiting_metric[RPC_LANE_COUNT];
};

struct admission_ticket {
    bool admitted;
    bool waiting;
    enum rpc_lane lane;
};

void admission_init(struct admission *admission, unsigned calls_max, unsigned waiting_max);

/* OVERLOADED with a time to retry after. One thread only. */
int admission_enter(struct admission *admission, enum rpc_lane lane, struct admission_ticket *ret_ticket,
                    struct err *err) MUST_CHECK;
/* The same for a call that waits in no lane. */
int admission_enter_unlaned(struct admission *admission, struct admission_ticket *ret_ticket,
                            struct err *err) MUST_CHECK;

/* A worker has taken the call. */
void admission_taken(struct admission *admission, struct admission_ticket *ticket);

/* The call is over; accepts a ticket of a call that was never admitted. */
void admission_leave(struct admission *admission, struct admission_ticket *ticket);

#endif
