/* monitor.c: see monitor.h. The database is asked on a connection of the monitor's own, so that busy lanes
 * do not look like a missing database. */
#include "monitor.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <isms/base/clock.h>
#include <isms/base/condition.h>
#include <isms/obs/log.h>

#include "process.h"

enum {
    LOOK_INTERVAL_US = 1000 * 1000,
    LOOKS_PER_RELOAD = 30, /* of the public keys */
    LOOKS_PER_RETURN = 10, /* of memory */
    IO_TIMEOUT_US = 3 * 1000 * 1000 /* for what takes a database no time: it is away */
};

struct monitor {
    struct monitor_options options;
    unsigned schema_count;
    struct db_connection *connection;
    pthread_t thread;
    atomic_bool draining;
    atomic_bool stopping;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool schema_good;
    char schema_detail[ADMIN_DETAIL_SIZE];
};

/* --- the schema ----------------------------------------------------------------------------------------- */

static int schema_look(struct monitor *monitor, struct err *err)
{
    struct rpc_methods *methods = monitor->options.context->methods;
    if (db_connection_ensure(monitor->connection, err) < 0 ||
        schema_check(monitor->connection, monitor->options.schemas, monitor->schema_count, err) < 0)
        return -1;
    return rpc_methods_are_ready(methods) ? 0 : rpc_methods_describe(methods, monitor->connection, err);
}

static void schema_note(struct monitor *monitor, bool good, const char *detail)
{
    pthread_mutex_lock(&monitor->lock);
    bool news = good != monitor->schema_good || strcmp(detail, monitor->schema_detail) != 0;
    monitor->schema_good = good;
    snprintf(monitor->schema_detail, sizeof(monitor->schema_detail), "%s", detail);
    pthread_mutex_unlock(&monitor->lock);
    if (news && good)
        LOG(INFO, "ready: the database fits");
    else if (news)
        LOG(WARNING, "not ready", LOG_STR("detail", detail));
}

static void monitor_look(struct monitor *monitor)
{
    struct err err = {0};
    bool good = schema_look(monitor, &err) == 0;
    const char *problem = db_connection_problem(monitor->connection);
    bool up = db_connection_is_up(monitor->connection);
    db_results_clear(monitor->connection);
    if (good)
        schema_note(monitor, true, "");
    else if (up) {
        /* The database answers, and is not what we know: a migration is under way, or never was. */
        rpc_methods_not_ready(monitor->options.context->methods);
        schema_note(monitor, false, problem[0] ? problem : err.message);
    } else if (problem[0])
        schema_note(monitor, false, problem);
    pthread_mutex_lock(&monitor->lock); /* not past monitor_drain() */
    rpc_server_serving(monitor->options.server, good && !atomic_load(&monitor->draining));
    pthread_mutex_unlock(&monitor->lock);
}

static bool monitor_wait(struct monitor *monitor)
{
    int64_t until_us = clock_monotonic_us() + LOOK_INTERVAL_US;
    bool waiting = true;
    pthread_mutex_lock(&monitor->lock);
    while (!atomic_load(&monitor->stopping) && waiting)
        waiting = condition_wait_until(&monitor->changed, &monitor->lock, until_us);
    pthread_mutex_unlock(&monitor->lock);
    return !atomic_load(&monitor->stopping);
}

static void *monitor_main(void *argument)
{
    struct monitor *monitor = argument;
    unsigned looks = 0;
    do {
        monitor_look(monitor);
        certificates_look(monitor->options.certificates);
        if (looks % LOOKS_PER_RETURN == 0)
            process_memory_return();
        if (++looks % LOOKS_PER_RELOAD == 0)
            keys_reload(monitor->options.keys, monitor->options.settings);
    } while (monitor_wait(monitor));
    return NULL;
}

/* --- the checks of /readyz ------------------------------------------------------------------------------ */

static enum admin_state check_database(void *context, char detail[static ADMIN_DETAIL_SIZE])
{
    struct monitor *monitor = context;
    unsigned workers;
    unsigned connected = rpc_server_connected(monitor->options.server, &workers);
    if (connected == workers)
        return ADMIN_OK;
    snprintf(detail, ADMIN_DETAIL_SIZE, "%u of %u workers are connected", connected, workers);
    return connected > 0 ? ADMIN_DEGRADED : ADMIN_FAILED;
}

static enum admin_state check_schema(void *context, char detail[static ADMIN_DETAIL_SIZE])
{
    struct monitor *monitor = context;
    pthread_mutex_lock(&monitor->lock);
    bool good = monitor->schema_good;
    memcpy(detail, monitor->schema_detail, ADMIN_DETAIL_SIZE);
    pthread_mutex_unlock(&monitor->lock);
    return good ? ADMIN_OK : ADMIN_FAILED;
}

static enum admin_state check_cache(void *context, char detail[static ADMIN_DETAIL_SIZE])
{
    struct monitor *monitor = context;
    enum cache_state state = cache_state(monitor->options.cache);
    snprintf(detail, ADMIN_DETAIL_SIZE, "%s", cache_state_name(state));
    return state == CACHE_DOWN ? ADMIN_DEGRADED : ADMIN_OK;
}

static enum admin_state check_peers(void *context, char detail[static ADMIN_DETAIL_SIZE])
{
    struct monitor *monitor = context;
    struct buf text;
    buf_init_fixed(&text, detail, ADMIN_DETAIL_SIZE);
    for (enum peer peer = 0; peer < PEER_COUNT; peer++)
        if (rpc_peers_state(monitor->options.context->peers, peer) == RPC_PEER_DOWN)
            buf_printf(&text, "%s%s", text.length > 0 ? ", " : "not connected: ", peer_name(peer));
    return text.length > 0 ? ADMIN_DEGRADED : ADMIN_OK;
}

static enum admin_state check_certificates(void *context, char detail[static ADMIN_DETAIL_SIZE])
{
    const struct monitor *monitor = context;
    return certificates_check(monitor->options.certificates, detail);
}

static enum admin_state check_issuers(void *context, char detail[static ADMIN_DETAIL_SIZE])
{
    struct monitor *monitor = context;
    return issuers_problem(monitor->options.keys->issuers, detail, ADMIN_DETAIL_SIZE) ? ADMIN_DEGRADED : ADMIN_OK;
}

static enum admin_state check_drain(void *context, char detail[static ADMIN_DETAIL_SIZE])
{
    struct monitor *monitor = context;
    if (!atomic_load(&monitor->draining))
        return ADMIN_OK;
    snprintf(detail, ADMIN_DETAIL_SIZE, "shutting down");
    return ADMIN_FAILED;
}

int monitor_listen(struct monitor *monitor, const char *address, struct admin **ret_admin, struct err *err)
{
    const struct admin_check checks[] = {
        {"database", check_database, monitor}, {"schema", check_schema, monitor},
        {"cache", check_cache, monitor},       {"peers", check_peers, monitor},
        {"certificates", check_certificates, monitor},
        {"issuers", check_issuers, monitor},   {"running", check_drain, monitor},
    };
    return admin_start(address, checks, sizeof(checks) / sizeof(*checks), ret_admin, err);
}

/* --- start and stop ------------------------------------------------------------------------------------- */

int monitor_start(const struct monitor_options *options, struct monitor **ret_monitor, struct err *err)
{
    struct monitor *monitor = calloc(1, sizeof(*monitor));
    if (!monitor)
        return err_setf(err, ERR_INTERNAL, "out of memory");
    struct db_options database = {
        .url = options->settings->database_url,
        .application_name = "isms-monitor",
        .io_timeout_us = IO_TIMEOUT_US,
        .health = options->context->database,
    };
    database.statements =
        rpc_methods_statements(options->context->methods, RPC_EXCLUSIVE, &database.statement_count);
    monitor->options = *options;
    while (options->schemas && options->schemas[monitor->schema_count].schema)
        monitor->schema_count++;
    snprintf(monitor->schema_detail, sizeof(monitor->schema_detail), "not looked at yet");
    pthread_mutex_init(&monitor->lock, NULL);
    condition_init(&monitor->changed);
    monitor->connection = db_connection_new(&database);
    if (!monitor->connection || pthread_create(&monitor->thread, NULL, monitor_main, monitor) != 0) {
        db_connection_free(monitor->connection);
        free(monitor);
        return err_setf(err, ERR_INTERNAL, "the monitor cannot be started");
    }
    *ret_monitor = monitor;
    return 0;
}

void monitor_drain(struct monitor *monitor)
{
    pthread_mutex_lock(&monitor->lock);
    atomic_store(&monitor->draining, true);
    rpc_server_serving(monitor->options.server, false);
    pthread_mutex_unlock(&monitor->lock);
}

void monitor_stop(struct monitor *monitor)
{
    if (!monitor)
        return;
    pthread_mutex_lock(&monitor->lock);
    atomic_store(&monitor->stopping, true);
    pthread_cond_broadcast(&monitor->changed);
    pthread_mutex_unlock(&monitor->lock);
    pthread_join(monitor->thread, NULL);
    db_connection_free(monitor->connection);
    pthread_cond_destroy(&monitor->changed);
    pthread_mutex_destroy(&monitor->lock);
    free(monitor);
}
