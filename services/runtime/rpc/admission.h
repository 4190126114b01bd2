/* admission.h: what a call must hold before a byte of its body is read.
 *
 * Refusing early is what keeps the others' calls fast. A call takes, in this order, a place among the calls of the
 * process; where its credential has to be looked up, a place before the admission workers; its organisation's place
 * and token (tenants.h); and a place before the workers of its lane. A ticket remembers what its call holds, so that
 * nothing is given back twice or forgotten. No lock here; any thread, but one at a time for a ticket. */
#ifndef ISMS_RPC_ADMISSION_H
#define ISMS_RPC_ADMISSION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/obs/metrics.h>
#include <isms/rpc/methods.h>

#include "tenants.h"

struct admission {
    unsigned calls_max;
    unsigned waiting_max; /* of each lane */
    atomic_uint calls;
    atomic_uint waiting[RPC_LANE_COUNT];
    struct metric_series *calls_metric;
    struct metric_series *accepted_metric;
    struct metric_series *waiting_metric[RPC_LANE_COUNT];
};

struct admission_ticket {
    bool admitted;          /* among the calls of the process */
    bool waiting;           /* before a lane's workers */
    bool counted;           /* among the calls of its organisation */
    bool held_up;           /* waits for the organisation's sequence */
    bool stream;            /* among its organisation's streams */
    enum rpc_lane lane;     /* that it waits in, or was taken from */
    struct fair_flow *flow; /* its line there */
    struct tenant *tenant;
};

void admission_init(struct admission *admission, unsigned calls_max, unsigned waiting_max);

/* A place among the calls of the process; OVERLOADED with a time to retry after. */
int admission_enter(struct admission *admission, struct admission_ticket *ticket, struct err *err) MUST_CHECK;

/* A place before a lane's workers, in that flow, in exchange for the one it has. OVERLOADED, keeping what it has, where
 * all are taken, or so many of those by this flow that the rest is for the others. */
int admission_wait(struct admission *admission, struct admission_ticket *ticket, enum rpc_lane lane,
                   struct fair_flow *flow, struct err *err) MUST_CHECK;

/* Whether a flow that holds `own` of the `all` places that are taken may have one more of the `max` there are. */
bool admission_has_place(unsigned max, unsigned all, unsigned own);

/* A worker has taken the call. */
void admission_taken(struct admission *admission, struct admission_ticket *ticket);

/* The call waits until its organisation's sequence is free. */
void admission_held_up(struct admission_ticket *ticket);

/* The call is over; accepts a ticket of a call that was never admitted. */
void admission_leave(struct admission *admission, struct admission_ticket *ticket);

#endif
