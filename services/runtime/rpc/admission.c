/* admission.c: see admission.h. */
#include "admission.h"

enum { RETRY_AFTER_MS = 200 };

void admission_init(struct admission *admission, unsigned calls_max, unsigned waiting_max)
{
    *admission = (struct admission){.calls_max = calls_max, .waiting_max = waiting_max};
    admission->calls_metric = METRIC_SERIES(isms_calls_in_flight);
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

int admission_enter_unlaned(struct admission *admission, struct admission_ticket *ret_ticket, struct err *err)
{
    if (atomic_load(&admission->calls) >= admission->calls_max)
        return refuse(err, "calls");
    atomic_fetch_add(&admission->calls, 1);
    metric_add(admission->calls_metric, 1);
    *ret_ticket = (struct admission_ticket){.admitted = true};
    return 0;
}

int admission_enter(struct admission *admission, enum rpc_lane lane, struct admission_ticket *ret_ticket,
                    struct err *err)
{
    if (atomic_load(&admission->waiting[lane]) >= admission->waiting_max)
        return refuse(err, rpc_lane_name(lane));
    if (admission_enter_unlaned(admission, ret_ticket, err) < 0)
        return -1;
    atomic_fetch_add(&admission->waiting[lane], 1);
    metric_add(admission->waiting_metric[lane], 1);
    ret_ticket->waiting = true;
    ret_ticket->lane = lane;
    return 0;
}

void admission_taken(struct admission *admission, struct admission_ticket *ticket)
{
    if (!ticket->waiting)
        return;
    ticket->waiting = false;
    atomic_fetch_sub(&admission->waiting[ticket->lane], 1);
    metric_add(admission->waiting_metric[ticket->lane], -1);
}

void admission_leave(struct admission *admission, struct admission_ticket *ticket)
{
    admission_taken(admission, ticket);
    if (!ticket->admitted)
        return;
    ticket->admitted = false;
    atomic_fetch_sub(&admission->calls, 1);
    metric_add(admission->calls_metric, -1);
}
