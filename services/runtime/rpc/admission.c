/* admission.c: see admission.h.
 *
 * Of a lane's places, or those of streams, a flow may hold four times as many as are free: four fifths when it is
 * alone, and however many flows flood a lane, there is a place for one that does not (dynamic thresholds, Choudhury and
 * Hahne, 1998). */
#include "admission.h"

enum { RETRY_AFTER_MS = 200, HELD_PER_FREE = 4 };

void admission_init(struct admission *admission, unsigned calls_max, unsigned waiting_max)
{
    *admission = (struct admission){.calls_max = calls_max, .waiting_max = waiting_max};
    admission->calls_metric = METRIC_SERIES(isms_calls_in_flight);
    admission->accepted_metric = METRIC_SERIES(isms_admission_total, "accepted", "OK");
    for (enum rpc_lane lane = 0; lane < RPC_LANE_COUNT; lane++)
        admission->waiting_metric[lane] = METRIC_SERIES(isms_lane_waiting, rpc_lane_name(lane));
}

static int refuse(struct err *err, const char *limit)
{
    err_set(err, ERR_OVERLOADED);
    err_fact(err, "limit", "%s", limit);
    err->retry_after_ms = RETRY_AFTER_MS;
    return -1;
}

int admission_enter(struct admission *admission, struct admission_ticket *ticket, struct err *err)
{
    if (atomic_fetch_add(&admission->calls, 1) >= admission->calls_max) {
        atomic_fetch_sub(&admission->calls, 1);
        return refuse(err, "calls");
    }
    metric_add(admission->calls_metric, 1);
    ticket->admitted = true;
    return 0;
}

bool admission_has_place(unsigned max, unsigned all, unsigned own)
{
    unsigned room = all < max ? max - all : 0;
    return own / HELD_PER_FREE < room;
}

int admission_wait(struct admission *admission, struct admission_ticket *ticket, enum rpc_lane lane,
                   struct fair_flow *flow, struct err *err)
{
    unsigned all = atomic_fetch_add(&admission->waiting[lane], 1);
    unsigned own = atomic_fetch_add(&flow->waiting, 1);
    if (!admission_has_place(admission->waiting_max, all, own)) {
        atomic_fetch_sub(&flow->waiting, 1);
        atomic_fetch_sub(&admission->waiting[lane], 1);
        return refuse(err, rpc_lane_name(lane));
    }
    admission_taken(admission, ticket);
    metric_add(admission->waiting_metric[lane], 1);
    ticket->waiting = true;
    ticket->lane = lane;
    ticket->flow = flow;
    return 0;
}

void admission_taken(struct admission *admission, struct admission_ticket *ticket)
{
    if (!ticket->waiting)
        return;
    ticket->waiting = false;
    atomic_fetch_sub(&ticket->flow->waiting, 1);
    atomic_fetch_sub(&admission->waiting[ticket->lane], 1);
    metric_add(admission->waiting_metric[ticket->lane], -1);
}

void admission_held_up(struct admission_ticket *ticket)
{
    if (!ticket->held_up)
        atomic_fetch_add(&ticket->tenant->held_up, 1);
    ticket->held_up = true;
}

void admission_leave(struct admission *admission, struct admission_ticket *ticket)
{
    admission_taken(admission, ticket);
    if (ticket->held_up)
        atomic_fetch_sub(&ticket->tenant->held_up, 1);
    if (ticket->stream)
        atomic_fetch_sub(&ticket->tenant->stream_flow.waiting, 1);
    if (ticket->counted)
        tenant_leave(ticket->tenant);
    tenant_unref(ticket->tenant);
    if (ticket->admitted) {
        atomic_fetch_sub(&admission->calls, 1);
        metric_add(admission->calls_metric, -1);
    }
    *ticket = (struct admission_ticket){0};
}
