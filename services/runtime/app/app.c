/* app.c: the order in which a service comes up and goes down.
 *
 * Up: what can be wrong in the program or its settings first, so that a bad rollout fails at once and before
 * it takes a call; then the outside world, which may be away. Down: in the reverse order. Signals are never
 * handled but waited for by the main thread, which has nothing else to do. */
#include <isms/app/app.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <isms/base/bell.h>
#include <isms/base/clock.h>
#include <isms/cache/budget.h>
#include <isms/obs/admin.h>
#include <isms/obs/log.h>
#include <isms/obs/metrics.h>
#include <isms/rpc/peers.h>
#include <isms/rpc/server.h>

#include "certificates.h"
#include "jobs.h"
#include "keys.h"
#include "monitor.h"
#include "pressure.h"
#include "process.h"
#include "server_options.h"

enum { EXIT_UNCLEAN = 1 };

struct app {
    const struct app_service *service;
    const struct settings *settings;
    struct descriptors *descriptors;
    struct certificates certificates;
    struct keys keys;
    struct rpc_methods *methods;
    struct rpc_peers *peers;
    struct cache *cache;
    void *service_data;
    struct bell jobs_bell;
    bool service_started;
    struct db_health database;
    struct rpc_context context;
    struct rpc_server *server;
    struct budget *budget;
    struct pressure *pressure;
    struct monitor *monitor;
    struct admin *admin;
    struct jobs *jobs;
};

/* --- the program's own ---------------------------------------------------------------------------------- */

static int app_compile(const struct app_service *service, const struct page_secret *secret,
                       struct descriptors **ret_descriptors, struct rpc_methods **ret_methods, struct err *err)
{
    const struct descriptors_source *source =
        service->descriptors ? service->descriptors : &isms_descriptors_source;
    if (descriptors_new(source, ret_descriptors, err) < 0)
        return -1;
    struct rpc_methods_options options = {
        .descriptors = *ret_descriptors,
        .service = service->name,
        .package = service->package,
        .sql = service->sql,
        .handlers = service->handlers,
        .streams = service->streams,
        .secret = secret,
    };
    return rpc_methods_new(&options, ret_methods, err);
}

int app_check(const struct app_service *service, struct err *err)
{
    struct descriptors *descriptors CLEANUP(descriptors_freep) = NULL;
    struct rpc_methods *methods CLEANUP(rpc_methods_freep) = NULL;
    static const struct page_secret secret;
    return app_compile(service, &secret, &descriptors, &methods, err);
}

/* --- up ------------------------------------------------------------------------------------------------- */

static int peers_init(struct app *app, struct err *err)
{
    const struct settings *settings = app->settings;
    struct rpc_peers_options options = {
        .service = app->service->name,
        .key = app->keys.service,
        .tls = app->certificates.peers,
        .identities = &app->certificates.identities,
        .addresses = {
            [PEER_INPUTS] = settings->inputs_address,
            [PEER_REVIEWS] = settings->reviews_address,
            [PEER_ACTIONS] = settings->actions_address,
            [PEER_REPORTING] = settings->reporting_address,
        },
    };
    for (enum peer peer = 0; peer < PEER_COUNT; peer++)
        if (slice_equals(slice_of(peer_name(peer)), app->service->name))
            options.addresses[peer] = NULL; /* nobody calls itself */
    return rpc_peers_new(&options, &app->peers, err);
}

static int service_start(struct app *app, struct err *err)
{
    struct app_parts parts = {
        .settings = app->settings, .descriptors = app->descriptors, .cache = app->cache};
    if (app->service->start && app->service->start(&parts, &app->service_data, err) < 0)
        return -1;
    app->service_started = true;
    return 0;
}

static int server_start(struct app *app, struct err *err)
{
    const struct settings *settings = app->settings;
    app->context = (struct rpc_context){
        .service = app->service->name,
        .descriptors = app->descriptors,
        .methods = app->methods,
        .authenticator = app->keys.authenticator,
        .database = &app->database,
        .peers = app->peers,
        .service_data = app->service_data,
        .jobs_bell = &app->jobs_bell,
        .call_memory_max = (size_t)settings->call_memory_max,
    };
    struct rpc_options options = server_options_of(settings, &app->certificates);
    options.context = &app->context;
    return rpc_server_new(&options, &app->server, err);
}

static int budget_start(struct app *app, struct err *err)
{
    const struct budget_options options = {.url = app->settings->redis_url,
                                           .service = app->service->name,
                                           .source = rpc_server_budget(app->server)};
    return budget_new(&options, &app->budget, err);
}

static int monitor_up(struct app *app, struct err *err)
{
    struct monitor_options options = {
        .settings = app->settings,
        .context = &app->context,
        .schemas = app->service->schemas,
        .server = app->server,
        .cache = app->cache,
        .keys = &app->keys,
        .certificates = &app->certificates,
    };
    if (monitor_start(&options, &app->monitor, err) < 0 ||
        monitor_listen(app->monitor, app->settings->admin_listen, &app->admin, err) < 0)
        return -1;
    return pressure_start(app->server, (size_t)app->settings->memory_max << 20, &app->pressure, err);
}

static int app_up(struct app *app, struct err *err)
{
    const struct cache_options cache = {.url = app->settings->redis_url};
    const struct jobs_options jobs = {
        .context = &app->context, .settings = app->settings, .jobs = app->service->jobs};
    if (keys_init(&app->keys, app->service->name, app->settings, err) < 0 ||
        app_compile(app->service, &app->keys.page_secret, &app->descriptors, &app->methods, err) < 0 ||
        certificates_init(&app->certificates, app->settings, err) < 0 || peers_init(app, err) < 0 ||
        cache_new(&cache, &app->cache, err) < 0 || service_start(app, err) < 0 ||
        server_start(app, err) < 0 || budget_start(app, err) < 0 || monitor_up(app, err) < 0 ||
        jobs_start(&jobs, &app->jobs, err) < 0)
        return -1;
    LOG(INFO, "listening", LOG_STR("address", app->settings->listen),
        LOG_INT("port", rpc_server_port(app->server)),
        LOG_STR("admin_address", app->settings->admin_listen), LOG_INT("admin_port", admin_port(app->admin)));
    return 0;
}

/* --- down ----------------------------------------------------------------------------------------------- */

/* What is under way gets drain_timeout to end; a second signal cuts it short. */
static void calls_wait(struct app *app, const sigset_t *signals)
{
    const struct timespec step = {.tv_nsec = 50 * 1000 * 1000};
    int64_t until_us = clock_monotonic_us() + app->settings->drain_timeout;
    while (!rpc_server_is_quiet(app->server) && clock_monotonic_us() < until_us)
        if (sigtimedwait(signals, NULL, &step) > 0) {
            LOG(WARNING, "a second signal: what is under way is ended now");
            return;
        }
}

/* false: there is work that cannot be ended. */
static bool app_stop(struct app *app, const sigset_t *signals)
{
    if (app->monitor)
        monitor_drain(app->monitor);
    if (app->server)
        rpc_server_drain(app->server);
    jobs_stop(app->jobs);
    app->jobs = NULL;
    if (!app->server)
        return true;
    calls_wait(app, signals);
    return rpc_server_stop(app->server, 0) == 0;
}

static void app_free(struct app *app)
{
    pressure_free(app->pressure);
    admin_free(app->admin);
    monitor_stop(app->monitor);
    budget_free(app->budget);
    rpc_server_free(app->server);
    if (app->service_started && app->service->stop)
        app->service->stop(app->service_data);
    cache_free(app->cache);
    rpc_peers_free(app->peers);
    rpc_methods_free(app->methods);
    descriptors_free(app->descriptors);
    certificates_release(&app->certificates);
    keys_release(&app->keys);
    bell_release(&app->jobs_bell);
}

/* Balancers get time to see that this process is not ready; a second signal cuts it short. */
static void drain_wait(struct app *app, const sigset_t *signals)
{
    monitor_drain(app->monitor);
    struct timespec delay = {
        .tv_sec = app->settings->drain_delay / 1000000, .tv_nsec = app->settings->drain_delay % 1000000 * 1000};
    if (app->settings->drain_delay > 0)
        sigtimedwait(signals, NULL, &delay);
}

static void signals_block(sigset_t *ret_signals)
{
    sigemptyset(ret_signals);
    sigaddset(ret_signals, SIGTERM);
    sigaddset(ret_signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, ret_signals, NULL); /* before there are threads: they inherit it */
    signal(SIGPIPE, SIG_IGN);
}

static int app_run(struct app *app)
{
    struct err err = {0};
    sigset_t signals;
    int result = EXIT_SUCCESS;
    signals_block(&signals);
    process_descriptors_raise();
    bell_init(&app->jobs_bell);
    if (app_up(app, &err) == 0) {
        int number = 0;
        sigwait(&signals, &number);
        LOG(INFO, "shutting down", LOG_INT("signal", number));
        drain_wait(app, &signals);
    } else {
        LOG(ERROR, "cannot start", LOG_ERR(&err));
        result = EXIT_UNCLEAN;
    }
    if (!app_stop(app, &signals)) {
        LOG(ERROR, "calls are still under way after the time to drain; leaving them");
        _exit(EXIT_UNCLEAN);
    }
    app_free(app);
    LOG(INFO, "ended");
    return result;
}

/* What the log, and --check-config, cannot do without. */
static void logging_start(const struct app_service *service, const char *name, const struct settings *settings)
{
    enum log_level level = LOG_LEVEL_INFO;
    enum log_format format = LOG_FORMAT_JSON;
    log_level_parse(settings->log_level, &level); /* settings.def has checked both */
    log_format_parse(settings->log_format, &format);
    log_init(name, level, format);
    metrics_init(name, service->version);
}

int app_main(int argc, char **argv, const struct app_service *service)
{
    struct settings settings CLEANUP(settings_release) = {0};
    static char name[64];
    static char required[256];
    int status;
    snprintf(name, sizeof(name), "isms-%s", service->name);
    snprintf(required, sizeof(required), "database_url %s",
             service->required_settings ? service->required_settings : "");
    struct settings_program program = {
        .name = name, .purpose = service->purpose, .version = service->version, .required = required};
    if (!settings_start(&program, argc, argv, &settings, &status))
        return status;
    logging_start(service, name, &settings);
    struct app app = {.service = service, .settings = &settings};
    return app_run(&app);
}
