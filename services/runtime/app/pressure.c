/* pressure.c: see pressure.h. */
#include "pressure.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <isms/base/clock.h>
#include <isms/base/condition.h>
#include <isms/obs/log.h>
#include <isms/rpc/connections.h>

#include "process.h"

enum {
    LOOK_INTERVAL_US = 25 * 1000,
    CAPTURED_US = 50 * 1000, /* of the poller's work without one event: it takes thousands a second */
    RETURN_INTERVAL_US = 1000 * 1000,
    HEAVY_BYTES = 64 * 1024,  /* in one interval, or sent and not read yet */
    LIGHT_BYTES = 4 * 1024,   /* less does not do this */
    RECENT_US = 1000 * 1000,  /* an older look does not say who sends now */
    DESCRIPTORS_MAX = 1 << 16 /* those above are not told apart from new ones */
};

struct pressure {
    struct rpc_server *server;
    size_t memory_max;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
    int64_t returned_us;
    int64_t looked_us; /* at the connections */
    uint64_t events; /* of the server's poller, when it last had taken some */
    int64_t cpu_us;  /* which it had used then */
    uint64_t received[DESCRIPTORS_MAX]; /* by each descriptor's connection, when last looked at */
};

static size_t resident_bytes(void)
{
    unsigned long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    if (fscanf(file, "%lu %lu", &size, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static uint64_t received_bytes(int descriptor)
{
    struct tcp_info_received { /* linux/tcp.h, which does not go with netinet/tcp.h */
        struct tcp_info known;
        uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
    } info = {0};
    socklen_t length = sizeof(info);
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0 || length < sizeof(info))
        return 0;
    return info.bytes_received;
}

struct look {
    struct pressure *pressure;
    bool end;
    uint64_t most;
    int heaviest; /* that has sent `most` */
};

/* Notes what a connection has received; says which to end, if told to: those that sent much since the last time. */
static bool connection_look(void *context, int descriptor)
{
    struct look *look = context;
    uint64_t bytes = received_bytes(descriptor);
    uint64_t *last = descriptor < DESCRIPTORS_MAX ? &look->pressure->received[descriptor] : NULL;
    uint64_t before = last && *last <= bytes ? *last : 0;
    if (last)
        *last = bytes;
    int unread = 0;
    (void)ioctl(descriptor, FIONREAD, &unread);
    uint64_t weight = bytes - before + (uint64_t)unread;
    if (weight > look->most) {
        look->most = weight;
        look->heaviest = descriptor;
    }
    return look->end && weight >= HEAVY_BYTES;
}

static bool is_heaviest(void *context, int descriptor)
{
    const struct look *look = context;
    return descriptor == look->heaviest;
}

/* Ends, if told to, those that sent much, else the one that sent most. A first look ends none: it only learns what each
 * has received so far, which may be the work of hours. */
static unsigned connections_look(struct pressure *pressure, bool end, int64_t now_us)
{
    struct look look = {.pressure = pressure, .end = end && now_us - pressure->looked_us < RECENT_US};
    pressure->looked_us = now_us;
    uint16_t port = (uint16_t)rpc_server_port(pressure->server);
    unsigned count = connections_end(port, connection_look, &look);
    if (look.end && count == 0 && look.most >= LIGHT_BYTES)
        count = connections_end(port, is_heaviest, &look);
    return count;
}

/* For how much CPU time the poller has taken no event. */
static int64_t captured_us(struct pressure *pressure)
{
    uint64_t events;
    int64_t cpu_us;
    rpc_server_poller(pressure->server, &events, &cpu_us);
    if (events != pressure->events) {
        pressure->events = events;
        pressure->cpu_us = cpu_us;
    }
    return cpu_us - pressure->cpu_us;
}

static void pressure_look(struct pressure *pressure)
{
    size_t resident = resident_bytes();
    int64_t captive_us = captured_us(pressure);
    if (resident < pressure->memory_max / 2 && captive_us < CAPTURED_US / 2)
        return;
    int64_t now_us = clock_monotonic_us();
    if (resident > pressure->memory_max && now_us - pressure->returned_us > RETURN_INTERVAL_US) {
        process_memory_return();
        pressure->returned_us = now_us;
        resident = resident_bytes();
    }
    bool end = resident > pressure->memory_max || captive_us >= CAPTURED_US;
    unsigned ended = connections_look(pressure, end, now_us);
    if (ended > 0)
        LOG(WARNING, "too much to read: the connections that sent most were ended", LOG_INT("connections", ended),
            LOG_INT("resident_bytes", (int64_t)resident), LOG_INT("captive_us", captive_us));
}

static void *pressure_main(void *argument)
{
    struct pressure *pressure = argument;
    pthread_mutex_lock(&pressure->lock);
    while (!pressure->stopping) {
        condition_wait_until(&pressure->changed, &pressure->lock, clock_monotonic_us() + LOOK_INTERVAL_US);
        pthread_mutex_unlock(&pressure->lock);
        pressure_look(pressure);
        pthread_mutex_lock(&pressure->lock);
    }
    pthread_mutex_unlock(&pressure->lock);
    return NULL;
}

int pressure_start(struct rpc_server *server, size_t memory_max, struct pressure **ret_pressure, struct err *err)
{
    struct pressure *pressure = calloc(1, sizeof(*pressure));
    if (!pressure)
        return err_setf(err, ERR_INTERNAL, "out of memory");
    pressure->server = server;
    pressure->memory_max = memory_max;
    pthread_mutex_init(&pressure->lock, NULL);
    condition_init(&pressure->changed);
    if (pthread_create(&pressure->thread, NULL, pressure_main, pressure) != 0) {
        pthread_cond_destroy(&pressure->changed);
        pthread_mutex_destroy(&pressure->lock);
        free(pressure);
        return err_setf(err, ERR_INTERNAL, "cannot start a thread");
    }
    *ret_pressure = pressure;
    return 0;
}

void pressure_free(struct pressure *pressure)
{
    if (!pressure)
        return;
    pthread_mutex_lock(&pressure->lock);
    pressure->stopping = true;
    pthread_cond_signal(&pressure->changed);
    pthread_mutex_unlock(&pressure->lock);
    pthread_join(pressure->thread, NULL);
    pthread_cond_destroy(&pressure->changed);
    pthread_mutex_destroy(&pressure->lock);
    free(pressure);
}
