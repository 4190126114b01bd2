/* lane.c: the workers.
 *
 * Calls of the read and write lanes complete on a queue of the lane that does no network I/O of its own; a
 * worker blocks on it for the first call and then takes whatever else is ready, so that one round trip to the
 * database serves them all, and a lone call waits for nobody. Calls of the exclusive lane belong to the
 * poller's queue, so that it sees their cancellation while the worker is busy; they are handed over by a list
 * under the server's lock, whose length admission bounds.
 *
 * A worker connects when it starts and, by db_connection_ensure()'s back-off, looks after its connection
 * while it has nothing to do, so that the first call after a failover does not pay for the reconnect. */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <isms/base/bug.h>
#include <isms/base/clock.h>

enum {
    IDLE_CHECK_MS = 500,
    CONNECT_TIMEOUT_US = 3 * 1000 * 1000,
    IO_MARGIN_US = 5 * 1000 * 1000 /* beyond the longest statement_timeout: the connection is dead */
};

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

static gpr_timespec idle_check_time(void)
{
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(IDLE_CHECK_MS, GPR_TIMESPAN));
}

/* Up to RPC_BATCH_MAX calls whose requests are there. false: the lane is being ended. */
static bool batch_take(struct worker *worker, struct call *calls[static RPC_BATCH_MAX], unsigned *ret_count)
{
    grpc_completion_queue *queue = worker->server->lanes[worker->lane].queue;
    unsigned count = 0;
    bool open = true;
    while (count < RPC_BATCH_MAX) {
        gpr_timespec until = count > 0 ? gpr_time_0(GPR_CLOCK_MONOTONIC) : idle_check_time();
        grpc_event event = grpc_completion_queue_next(queue, until, NULL);
        if (event.type != GRPC_OP_COMPLETE) {
            open = event.type != GRPC_QUEUE_SHUTDOWN;
            break;
        }
        struct tag *tag = event.tag;
        TAG_TAKEN(tag);
        BUG_IF(tag->magic != TAG_MAGIC);
        struct call *call = tag_handle(tag, event.success != 0);
        if (call) {
            admission_taken(&worker->server->admission, &call->ticket);
            calls[count++] = call;
        }
    }
    *ret_count = count;
    return open;
}

static void *batch_worker_main(void *argument)
{
    struct worker *worker = argument;
    struct metric_series *busy = worker->server->lanes[worker->lane].busy;
    struct call *calls[RPC_BATCH_MAX];
    unsigned count = 0;
    worker_connect(worker);
    while (batch_take(worker, calls, &count)) {
        if (count > 0) {
            metric_add(busy, 1);
            calls_execute(calls, count, worker->connection);
            metric_add(busy, -1);
        }
        if (count == 0 || !db_connection_is_up(worker->connection))
            worker_connect(worker);
    }
    BUG_IF(count > 0); /* the queue is shut down only when no call is open */
    return NULL;
}

/* --- the exclusive lane --------------------------------------------------------------------------------- */

void lane_queue_push(struct rpc_server *server, struct call *call)
{
    pthread_mutex_lock(&server->lock);
    call->queue_next = NULL;
    *server->queue_last = call;
    server->queue_last = &call->queue_next;
    pthread_cond_signal(&server->queue_changed);
    pthread_mutex_unlock(&server->lock);
}

/* The next call, or NULL after IDLE_CHECK_MS without one. false: the lane is being ended. */
static bool queue_take(struct worker *worker, struct call **ret_call)
{
    struct rpc_server *server = worker->server;
    int64_t until_us = clock_monotonic_us() + IDLE_CHECK_MS * INT64_C(1000);
    struct timespec until = {.tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000};
    pthread_mutex_lock(&server->lock);
    int waited = 0;
    while (!server->queue_first && !server->queue_closed && waited == 0)
        waited = pthread_cond_timedwait(&server->queue_changed, &server->lock, &until);
    struct call *call = server->queue_first;
    if (call) {
        server->queue_first = call->queue_next;
        if (!server->queue_first)
            server->queue_last = &server->queue_first;
        call->wake_fd = worker->wake_fd;
    }
    bool open = call || !server->queue_closed;
    pthread_mutex_unlock(&server->lock);
    if (call)
        admission_taken(&server->admission, &call->ticket);
    *ret_call = call;
    return open;
}

static void exclusive_run(struct worker *worker, struct call *call)
{
    eventfd_t value;
    while (eventfd_read(worker->wake_fd, &value) == 0) /* what was meant for the call before */
        ;
    if (call->served->rpc->run)
        handler_execute(call, worker->connection);
    else
        calls_execute(&call, 1, worker->connection);
}

static void *exclusive_worker_main(void *argument)
{
    struct worker *worker = argument;
    struct metric_series *busy = worker->server->lanes[worker->lane].busy;
    struct call *call;
    worker_connect(worker);
    while (queue_take(worker, &call)) {
        if (call) {
            metric_add(busy, 1);
            exclusive_run(worker, call);
            metric_add(busy, -1);
        }
        if (!call || !db_connection_is_up(worker->connection))
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
        .connect_timeout_us = CONNECT_TIMEOUT_US,
        .io_timeout_us = server->options.deadline_max_us + IO_MARGIN_US,
    };
    options.statements =
        rpc_methods_statements(server->context->methods, worker->lane, &options.statement_count);
    worker->connection = db_connection_new(&options);
    worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!worker->connection || worker->wake_fd < 0)
        return err_setf(err, ERR_INTERNAL, "out of memory or files");
    metric_add(METRIC_SERIES(isms_db_connections, rpc_lane_name(worker->lane), "down"), 1);
    void *(*run)(void *) = worker->lane == RPC_EXCLUSIVE ? exclusive_worker_main : batch_worker_main;
    if (pthread_create(&worker->thread, NULL, run, worker) != 0)
        return err_setf(err, ERR_INTERNAL, "cannot start a thread");
    worker->started = true;
    return 0;
}

static grpc_completion_queue *queue_make(void)
{
    grpc_completion_queue_attributes attributes = {
        .version = 1, .cq_completion_type = GRPC_CQ_NEXT, .cq_polling_type = GRPC_CQ_NON_POLLING};
    return grpc_completion_queue_create(grpc_completion_queue_factory_lookup(&attributes), &attributes, NULL);
}

int lanes_start(struct rpc_server *server, struct err *err)
{
    for (enum rpc_lane name = 0; name < RPC_LANE_COUNT; name++) {
        struct lane *lane = &server->lanes[name];
        lane->busy = METRIC_SERIES(isms_lane_busy, rpc_lane_name(name));
        if (name != RPC_EXCLUSIVE)
            lane->queue = queue_make();
        BUG_IF(server->options.workers[name] == 0 || server->options.workers[name] > RPC_WORKERS_MAX);
        lane->workers = calloc(server->options.workers[name], sizeof(*lane->workers));
        if (!lane->workers)
            return err_setf(err, ERR_INTERNAL, "out of memory");
        for (unsigned i = 0; i < server->options.workers[name]; i++) {
            struct worker *worker = &lane->workers[lane->worker_count++];
            *worker = (struct worker){.server = server, .lane = name, .wake_fd = -1};
            if (worker_start(worker, err) < 0)
                return -1;
        }
    }
    return 0;
}

void lanes_stop(struct rpc_server *server)
{
    pthread_mutex_lock(&server->lock);
    server->queue_closed = true;
    pthread_cond_broadcast(&server->queue_changed);
    pthread_mutex_unlock(&server->lock);
    for (enum rpc_lane name = 0; name < RPC_LANE_COUNT; name++) {
        struct lane *lane = &server->lanes[name];
        if (lane->queue)
            grpc_completion_queue_shutdown(lane->queue);
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
        if (lane->queue)
            grpc_completion_queue_destroy(lane->queue);
    }
}
