/* lane.c: the queues of calls, and the workers behind them.
 *
 * Whoever has a call ready pushes it: the poller one whose message has come, or whose credential has to be looked
 * up; a worker one that it cannot go on with. A lane is a fair queue (fair.h) under a lock, and workers that sleep
 * until there is something to take. A worker of the read and write lanes takes all that is ready, up to
 * RPC_BATCH_MAX calls, so that one round trip to the database serves them, and a lone call waits for nobody. One of
 * the exclusive and admission lanes takes one call.
 *
 * An organisation may have so many of a lane's workers at once: half in the write and exclusive lanes, where a lock or
 * a peer may hold a worker for long; in the others all but one. (Its writers go one after the other, on its sequence:
 * with one worker it lost a fifth of the calls a second of a mix, measured, with two of four nothing.)
 *
 * A worker connects when it starts and, by db_connection_ensure()'s back-off, looks after its connection
 * while it has nothing to do, so that the first call after a failover does not pay for the reconnect. */
#include "internal.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <isms/base/bug.h>
#include <isms/base/clock.h>
#include <isms/base/condition.h>

enum {
    IDLE_CHECK_MS = 500,
    PARKED_MAX = 256,
    PARKED_US = 100 * 1000,
    IO_MARGIN_US = 5 * 1000 * 1000 /* beyond the longest statement_timeout: the connection is dead */
};

/* --- the queue ------------------------------------------------------------------------------------------ */

static struct call *call_of(struct fair_item *item)
{
    return (struct call *)(void *)((char *)item - offsetof(struct call, item));
}

void lane_push(struct call *call)
{
    struct lane *lane = &call->server->lanes[call->ticket.lane];
    pthread_mutex_lock(&lane->lock);
    call->queued_us = clock_monotonic_us();
    fair_push(&lane->queue, call->ticket.flow, &call->item);
    atomic_store(&call->queued_in, lane);
    pthread_cond_signal(&lane->changed);
    pthread_mutex_unlock(&lane->lock);
}

bool lane_withdraw(struct call *call)
{
    struct lane *lane = atomic_load(&call->queued_in);
    if (!lane)
        return false;
    pthread_mutex_lock(&lane->lock);
    bool found = atomic_load(&call->queued_in) == lane; /* and no worker came first */
    if (found) {
        fair_remove(&lane->queue, &call->item);
        atomic_store(&call->queued_in, NULL);
    }
    pthread_mutex_unlock(&lane->lock);
    return found;
}

bool lane_park(struct call *call)
{
    struct lane *lane = &call->server->lanes[RPC_ADMISSION];
    pthread_mutex_lock(&lane->lock);
    bool room = lane->parked.length < PARKED_MAX;
    if (room) {
        if (lane->parked.length == 0)
            lane->unpark_us = clock_monotonic_us() + PARKED_US;
        fair_push(&lane->queue, &lane->parked, &call->item);
        atomic_store(&call->queued_in, lane);
        pthread_cond_signal(&lane->changed); /* whoever waits, waits no longer than that */
    }
    pthread_mutex_unlock(&lane->lock);
    return room;
}

/* Those whose time has come queue again. */
static void unpark(struct lane *lane, int64_t now_us)
{
    while (lane->parked.length > 0 && now_us >= lane->unpark_us) {
        struct fair_item *item = lane->parked.first;
        fair_remove(&lane->queue, item);
        call_of(item)->queued_us = now_us;
        fair_push(&lane->queue, call_of(item)->ticket.flow, item);
    }
}

static void lane_wait(struct lane *lane, int64_t until_us)
{
    if (lane->parked.length > 0 && lane->unpark_us < until_us)
        until_us = lane->unpark_us;
    condition_wait_until(&lane->changed, &lane->lock, until_us);
}

/* What a worker has taken. The organisations outlive their calls, until their flows are given back. */
struct batch {
    struct fair_batch fair;
    struct call *calls[FAIR_BATCH_MAX];
    struct tenant *tenants[FAIR_BATCH_MAX];
    unsigned count;
};

static void batch_own(struct batch *batch, struct lane *lane, int64_t now_us)
{
    batch->count = batch->fair.count;
    for (unsigned i = 0; i < batch->count; i++) {
        struct call *call = call_of(batch->fair.items[i]);
        atomic_store(&call->queued_in, NULL);
        batch->calls[i] = call;
        batch->tenants[i] = call->ticket.tenant;
        if (call->ticket.tenant)
            tenant_ref(call->ticket.tenant);
        metric_observe(lane->wait, now_us - call->queued_us);
        admission_taken(&call->server->admission, &call->ticket);
    }
}

/* Gives back what the batch was and takes the next; it is empty after IDLE_CHECK_MS without a call. false: the lane is
 * being ended. */
static bool batch_next(struct lane *lane, struct batch *batch)
{
    int64_t now_us = clock_monotonic_us();
    int64_t until_us = now_us + IDLE_CHECK_MS * INT64_C(1000);
    struct tenant *before[FAIR_BATCH_MAX];
    unsigned before_count = batch->count;
    memcpy(before, batch->tenants, sizeof(before));

    pthread_mutex_lock(&lane->lock);
    fair_done(&lane->queue, &batch->fair);
    for (;; now_us = clock_monotonic_us()) {
        unpark(lane, now_us);
        if (fair_take(&lane->queue, lane->batch_max, &batch->fair) || lane->closed || now_us >= until_us)
            break;
        lane_wait(lane, until_us);
    }
    batch_own(batch, lane, now_us);
    if (lane->queue.turn)
        pthread_cond_signal(&lane->changed); /* there is more: for another worker */
    bool open = batch->count > 0 || !lane->closed;
    pthread_mutex_unlock(&lane->lock);

    for (unsigned i = 0; i < before_count; i++)
        tenant_unref(before[i]);
    return open;
}

/* --- the workers ---------------------------------------------------------------------------------------- */

static void worker_connect(struct worker *worker)
{
    struct err err;
    bool up = db_connection_ensure(worker->connection, &err) == 0;
    const char *problem = db_connection_problem(worker->connection);
    if (problem[0] && !worker->troubled)
        LOG(WARNING, "database", LOG_STR("lane", rpc_lane_name(worker->lane)), LOG_STR("detail", problem));
    worker->troubled = !up; /* one line for one trouble, however often it is met */
    if (up != atomic_load(&worker->connected)) {
        metric_add(METRIC_SERIES(isms_db_connections, rpc_lane_name(worker->lane), "up"), up ? 1 : -1);
        metric_add(METRIC_SERIES(isms_db_connections, rpc_lane_name(worker->lane), "down"), up ? -1 : 1);
        atomic_store(&worker->connected, up);
    }
}

static void exclusive_run(struct worker *worker, struct call *call)
{
    eventfd_t value;
    while (eventfd_read(worker->wake_fd, &value) == 0) /* what was meant for the call before */
        ;
    pthread_mutex_lock(&worker->server->lock);
    call->wake_fd = worker->wake_fd;
    pthread_mutex_unlock(&worker->server->lock);
    if (call->served->rpc->run)
        handler_execute(call, worker->connection);
    else
        calls_execute(&call, 1, worker->connection);
}

static void batch_run(struct worker *worker, struct batch *batch)
{
    switch (worker->lane) {
    case RPC_EXCLUSIVE: exclusive_run(worker, batch->calls[0]); return;
    case RPC_ADMISSION: call_examine(batch->calls[0], worker->connection); return;
    default: calls_execute(batch->calls, batch->count, worker->connection);
    }
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    struct lane *lane = &worker->server->lanes[worker->lane];
    struct batch batch = {.count = 0};
    worker_connect(worker);
    while (batch_next(lane, &batch)) {
        if (batch.count > 0) {
            metric_add(lane->busy, 1);
            batch_run(worker, &batch);
            metric_add(lane->busy, -1);
        }
        if (batch.count == 0 || !db_connection_is_up(worker->connection))
            worker_connect(worker);
    }
    return NULL;
}

/* --- start and end -------------------------------------------------------------------------------------- */

static int worker_start(struct worker *worker, struct err *err)
{
    const struct rpc_server *server = worker->server;
    struct db_options options = {
        .url = server->options.database_url,
        .application_name = server->context->service,
        .io_timeout_us = server->options.deadline_max_us + IO_MARGIN_US,
        .health = server->context->database,
    };
    options.statements =
        rpc_methods_statements(server->context->methods, worker->lane, &options.statement_count);
    worker->connection = db_connection_new(&options);
    worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!worker->connection || worker->wake_fd < 0)
        return err_setf(err, ERR_INTERNAL, "out of memory or files");
    metric_add(METRIC_SERIES(isms_db_connections, rpc_lane_name(worker->lane), "down"), 1);
    if (pthread_create(&worker->thread, NULL, worker_main, worker) != 0)
        return err_setf(err, ERR_INTERNAL, "cannot start a thread");
    worker->started = true;
    return 0;
}

static unsigned share_of(enum rpc_lane lane, unsigned workers)
{
    unsigned share = lane == RPC_WRITE || lane == RPC_EXCLUSIVE ? workers / 2 : workers - 1;
    return share > 0 ? share : 1;
}

static int lane_start(struct rpc_server *server, enum rpc_lane name, struct err *err)
{
    struct lane *lane = &server->lanes[name];
    unsigned workers = server->options.workers[name];
    BUG_IF(workers == 0 || workers > RPC_WORKERS_MAX);
    lane->busy = METRIC_SERIES(isms_lane_busy, rpc_lane_name(name));
    lane->wait = METRIC_SERIES(isms_lane_wait_seconds, rpc_lane_name(name));
    lane->queue.share = share_of(name, workers);
    lane->batch_max = name == RPC_READ || name == RPC_WRITE ? RPC_BATCH_MAX : 1;
    lane->parked.workers = RPC_WORKERS_MAX; /* its turn never comes by itself */
    lane->workers = calloc(workers, sizeof(*lane->workers));
    if (!lane->workers)
        return err_setf(err, ERR_INTERNAL, "out of memory");
    for (unsigned i = 0; i < workers; i++) {
        struct worker *worker = &lane->workers[lane->worker_count++];
        *worker = (struct worker){.server = server, .lane = name, .wake_fd = -1};
        if (worker_start(worker, err) < 0)
            return -1;
    }
    return 0;
}

void lanes_init(struct rpc_server *server)
{
    for (enum rpc_lane name = 0; name < RPC_LANE_COUNT; name++) {
        pthread_mutex_init(&server->lanes[name].lock, NULL);
        condition_init(&server->lanes[name].changed);
    }
}

int lanes_start(struct rpc_server *server, struct err *err)
{
    for (enum rpc_lane name = 0; name < RPC_LANE_COUNT; name++)
        if (lane_start(server, name, err) < 0)
            return -1;
    return 0;
}

void lanes_stop(struct rpc_server *server)
{
    for (enum rpc_lane name = 0; name < RPC_LANE_COUNT; name++) {
        struct lane *lane = &server->lanes[name];
        pthread_mutex_lock(&lane->lock);
        lane->closed = true;
        pthread_cond_broadcast(&lane->changed);
        pthread_mutex_unlock(&lane->lock);
        for (unsigned i = 0; i < lane->worker_count; i++)
            if (lane->workers[i].started)
                pthread_join(lane->workers[i].thread, NULL);
    }
}

void lanes_free(struct rpc_server *server)
{
    for (enum rpc_lane name = 0; name < RPC_LANE_COUNT; name++) {
        struct lane *lane = &server->lanes[name];
        for (unsigned i = 0; i < lane->worker_count; i++) {
            db_connection_free(lane->workers[i].connection);
            if (lane->workers[i].wake_fd >= 0)
                close(lane->workers[i].wake_fd);
        }
        free(lane->workers);
        pthread_cond_destroy(&lane->changed);
        pthread_mutex_destroy(&lane->lock);
    }
}
