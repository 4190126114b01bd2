/* fair.c: a ring of the flows that have an item waiting and a worker to spare. Every operation is O(1), or O(batch). */
#include "fair.h"

#include <stddef.h>

#include <isms/base/bug.h>

/* At the end of the round. */
static void ring_add(struct fair_queue *queue, struct fair_flow *flow)
{
    if (!queue->turn) {
        queue->turn = flow->next = flow->previous = flow;
        return;
    }
    flow->next = queue->turn;
    flow->previous = queue->turn->previous;
    flow->previous->next = flow;
    flow->next->previous = flow;
}

static void ring_remove(struct fair_queue *queue, struct fair_flow *flow)
{
    if (queue->turn == flow)
        queue->turn = flow->next == flow ? NULL : flow->next;
    flow->previous->next = flow->next;
    flow->next->previous = flow->previous;
    flow->next = flow->previous = NULL;
}

static void flow_settle(struct fair_queue *queue, struct fair_flow *flow)
{
    bool wanted = flow->first && flow->workers < queue->share;
    if (wanted && !flow->next)
        ring_add(queue, flow);
    else if (!wanted && flow->next)
        ring_remove(queue, flow);
}

static void flow_unlink(struct fair_flow *flow, struct fair_item *item)
{
    if (item->previous)
        item->previous->next = item->next;
    else
        flow->first = item->next;
    if (item->next)
        item->next->previous = item->previous;
    else
        flow->last = item->previous;
    flow->length--;
    *item = (struct fair_item){0};
}

void fair_push(struct fair_queue *queue, struct fair_flow *flow, struct fair_item *item)
{
    BUG_IF(item->flow);
    *item = (struct fair_item){.previous = flow->last, .flow = flow};
    if (flow->last)
        flow->last->next = item;
    else
        flow->first = item;
    flow->last = item;
    flow->length++;
    flow_settle(queue, flow);
}

static void batch_add(struct fair_batch *batch, struct fair_flow *flow, struct fair_item *item)
{
    batch->items[batch->count++] = item;
    for (unsigned i = 0; i < batch->flow_count; i++)
        if (batch->flows[i] == flow)
            return;
    batch->flows[batch->flow_count++] = flow;
    flow->workers++;
}

bool fair_take(struct fair_queue *queue, unsigned max, struct fair_batch *ret_batch)
{
    struct fair_batch batch = {0};
    BUG_IF(max > FAIR_BATCH_MAX);
    while (batch.count < max && queue->turn) {
        struct fair_flow *flow = queue->turn;
        struct fair_item *item = flow->first;
        flow_unlink(flow, item);
        batch_add(&batch, flow, item);
        queue->turn = flow->next;
        if (!flow->first)
            ring_remove(queue, flow);
    }
    for (unsigned i = 0; i < batch.flow_count; i++)
        flow_settle(queue, batch.flows[i]); /* only now: a batch is one worker, whatever is in it */
    *ret_batch = batch;
    return batch.count > 0;
}

void fair_done(struct fair_queue *queue, struct fair_batch *batch)
{
    for (unsigned i = 0; i < batch->flow_count; i++) {
        BUG_IF(batch->flows[i]->workers == 0);
        batch->flows[i]->workers--;
        flow_settle(queue, batch->flows[i]);
    }
    *batch = (struct fair_batch){0};
}

void fair_remove(struct fair_queue *queue, struct fair_item *item)
{
    struct fair_flow *flow = item->flow;
    flow_unlink(flow, item);
    flow_settle(queue, flow);
}
