/* fair.h: a queue that serves its flows in turn, however long each has made its own line.
 *
 * An item waits in its flow (an organisation's calls of one lane) in the order of arrival; flows take turns, one
 * item each. A worker takes a batch, and while it has items of a flow it counts as that flow's worker; a flow that
 * has its `share` of workers is passed over until one of them is done. So a flow can fill neither the queue's head
 * nor all the workers behind it.
 *
 * Items and flows lie in their owners' memory, and nothing here allocates; the caller locks. */
#ifndef ISMS_RPC_FAIR_H
#define ISMS_RPC_FAIR_H

#include <stdatomic.h>
#include <stdbool.h>

enum { FAIR_BATCH_MAX = 8 };

struct fair_item {
    struct fair_item *next;
    struct fair_item *previous;
    struct fair_flow *flow; /* that it waits in; NULL: in none */
};

/* All zeros: empty. */
struct fair_flow {
    struct fair_item *first;
    struct fair_item *last;
    unsigned length;
    unsigned workers;            /* that have items of it */
    struct fair_flow *next;      /* in the ring of those whose turn will come; NULL: it is not among them */
    struct fair_flow *previous;
    atomic_uint waiting; /* admission's: calls that have a place here, queued or still on their way */
};

struct fair_queue {
    unsigned share;         /* workers that a flow may have at once, at least 1 */
    struct fair_flow *turn; /* whose turn it is; NULL: nobody's */
};

/* What a worker has taken. All zeros: nothing. */
struct fair_batch {
    unsigned count;
    struct fair_item *items[FAIR_BATCH_MAX];
    unsigned flow_count;
    struct fair_flow *flows[FAIR_BATCH_MAX];
};

void fair_push(struct fair_queue *queue, struct fair_flow *flow, struct fair_item *item);

/* Up to `max` items, going round the flows; false: there is none that may be taken now. */
bool fair_take(struct fair_queue *queue, unsigned max, struct fair_batch *ret_batch);

/* The worker is done with what it took. The items may be gone, the flows must not. Clears the batch. */
void fair_done(struct fair_queue *queue, struct fair_batch *batch);

/* Takes an item out that waits. */
void fair_remove(struct fair_queue *queue, struct fair_item *item);

#endif
