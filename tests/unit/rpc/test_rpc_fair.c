/* Whoever has many calls waiting holds up its own, not another's, and never has all the workers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <isms/base/attributes.h>

#include "fair.h"

enum { ITEMS_MAX = 200 };

static struct fair_item items[4][ITEMS_MAX];
static struct fair_flow flows[4];
static struct fair_queue queue;

static int setup(void **state UNUSED)
{
    queue = (struct fair_queue){.share = 1};
    for (int flow = 0; flow < 4; flow++) {
        flows[flow] = (struct fair_flow){0};
        for (int i = 0; i < ITEMS_MAX; i++)
            items[flow][i] = (struct fair_item){0};
    }
    return 0;
}

static void push(int flow, int first, int count)
{
    for (int i = first; i < first + count; i++)
        fair_push(&queue, &flows[flow], &items[flow][i]);
}

static unsigned of_flow(const struct fair_batch *batch, int flow)
{
    unsigned count = 0;
    for (unsigned i = 0; i < batch->count; i++)
        count += batch->items[i] >= items[flow] && batch->items[i] < items[flow] + ITEMS_MAX;
    return count;
}

static void a_single_call_is_among_the_next(void **state UNUSED)
{
    struct fair_batch batch = {0};
    push(0, 0, ITEMS_MAX);
    assert_true(fair_take(&queue, 8, &batch));
    fair_done(&queue, &batch);
    push(1, 0, 1);
    assert_true(fair_take(&queue, 8, &batch));
    assert_int_equal(of_flow(&batch, 1), 1);
    assert_int_equal(of_flow(&batch, 0), 7);
}

static void a_batch_goes_round(void **state UNUSED)
{
    struct fair_batch batch = {0};
    push(0, 0, 20);
    push(1, 0, 3);
    push(2, 0, 1);
    assert_true(fair_take(&queue, 8, &batch));
    assert_int_equal(of_flow(&batch, 0), 4);
    assert_int_equal(of_flow(&batch, 1), 3);
    assert_int_equal(of_flow(&batch, 2), 1);
    assert_ptr_equal(batch.items[0], &items[0][0]); /* each flow's own order is kept */
    assert_ptr_equal(batch.items[3], &items[0][1]);
}

static void a_flow_has_no_more_workers_than_its_share(void **state UNUSED)
{
    struct fair_batch first = {0}, second = {0}, third = {0};
    queue.share = 2;
    push(0, 0, 40);
    assert_true(fair_take(&queue, 8, &first));
    assert_true(fair_take(&queue, 8, &second));
    assert_false(fair_take(&queue, 8, &third)); /* 24 wait, and a worker stays free for others */
    push(1, 0, 1);
    assert_true(fair_take(&queue, 8, &third));
    assert_int_equal(third.count, 1);
    assert_int_equal(of_flow(&third, 1), 1);
    fair_done(&queue, &third);
    fair_done(&queue, &second);
    assert_true(fair_take(&queue, 8, &second));
    assert_int_equal(of_flow(&second, 0), 8);
}

static void a_batch_of_many_is_one_worker(void **state UNUSED)
{
    struct fair_batch batch = {0};
    push(0, 0, 8);
    assert_true(fair_take(&queue, 8, &batch));
    assert_int_equal(batch.count, 8);
    assert_int_equal(batch.flow_count, 1);
    fair_done(&queue, &batch);
    assert_int_equal(flows[0].workers, 0);
}

static void what_is_removed_does_not_come(void **state UNUSED)
{
    struct fair_batch batch = {0};
    push(0, 0, 3);
    push(1, 0, 1);
    fair_remove(&queue, &items[0][1]);
    fair_remove(&queue, &items[1][0]); /* its flow's only one */
    assert_true(fair_take(&queue, 8, &batch));
    assert_int_equal(batch.count, 2);
    assert_ptr_equal(batch.items[0], &items[0][0]);
    assert_ptr_equal(batch.items[1], &items[0][2]);
    fair_done(&queue, &batch);
    assert_false(fair_take(&queue, 8, &batch));
}

/* Every order of pushes, takes, removals and ends leaves each item taken once, within every share. */
static void any_order_of_events_keeps_the_rules(void **state UNUSED)
{
    struct fair_batch batches[3] = {{0}};
    unsigned pushed = 0, taken = 0, removed = 0;
    int next[4] = {0};
    uint32_t random = 1;
    queue.share = 2;
    for (int step = 0; step < 20000; step++) {
        random = random * 1664525 + 1013904223;
        int flow = random >> 24 & 3, worker = (int)(random >> 20 & 15) % 3;
        if ((random >> 16 & 3) > 1 && next[flow] < ITEMS_MAX) {
            push(flow, next[flow]++, 1);
            pushed++;
        } else if ((random >> 16 & 3) == 1 && next[flow] > 0 && items[flow][next[flow] - 1].flow) {
            fair_remove(&queue, &items[flow][next[flow] - 1]);
            removed++;
        } else {
            fair_done(&queue, &batches[worker]);
            fair_take(&queue, 8, &batches[worker]);
            taken += batches[worker].count;
        }
        for (int i = 0; i < 4; i++)
            assert_in_range(flows[i].workers, 0, queue.share);
        for (int i = 0; i < 4; i++) /* as long as work waits that may be done, somebody's turn it is */
            assert_true(queue.turn || !flows[i].first || flows[i].workers == queue.share);
        if (pushed == taken + removed)
            for (int i = 0; i < 4; i++)
                next[i] = 0;
    }
    for (int i = 0; i < 3; i++)
        fair_done(&queue, &batches[i]);
    while (fair_take(&queue, 8, &batches[0])) {
        taken += batches[0].count;
        fair_done(&queue, &batches[0]);
    }
    assert_int_equal(pushed, taken + removed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_single_call_is_among_the_next, setup),
        cmocka_unit_test_setup(a_batch_goes_round, setup),
        cmocka_unit_test_setup(a_flow_has_no_more_workers_than_its_share, setup),
        cmocka_unit_test_setup(a_batch_of_many_is_one_worker, setup),
        cmocka_unit_test_setup(what_is_removed_does_not_come, setup),
        cmocka_unit_test_setup(any_order_of_events_keeps_the_rules, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
