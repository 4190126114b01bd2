/* main.c: isms-interop, a server of grpc.testing.TestService. Settings as the services have them; no database. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <isms/base/clock.h>
#include <isms/config/settings.h>

#include "certificates.h"
#include "server_options.h"
#include "service.h"

struct interop {
    struct settings settings;
    struct certificates certificates;
    struct descriptors *descriptors;
    struct rpc_methods *methods;
    struct rpc_context context;
    struct rpc_server *server;
};

static int interop_start(struct interop *interop, struct err *err)
{
    struct rpc_methods_options methods = {.service = "interop", .package = "none"};
    if (certificates_init(&interop->certificates, &interop->settings, err) < 0 ||
        descriptors_new(&interop_descriptors_source, &interop->descriptors, err) < 0)
        return -1;
    methods.descriptors = interop->descriptors;
    if (rpc_methods_new(&methods, &interop->methods, err) < 0)
        return -1;
    interop->context = (struct rpc_context){
        .service = "interop",
        .descriptors = interop->descriptors,
        .methods = interop->methods,
        .call_memory_max = (size_t)interop->settings.call_memory_max,
    };
    struct rpc_options options = server_options_of(&interop->settings, &interop->certificates);
    options.context = &interop->context;
    options.built_ins = interop_built_ins;
    options.database_url = "host=127.0.0.1 port=1"; /* nobody asks for it */
    if (rpc_server_new(&options, &interop->server, err) < 0)
        return -1;
    rpc_server_serving(interop->server, true);
    return 0;
}

/* Until SIGTERM; meanwhile SIGHUP takes the health away, and gives it back. */
static void interop_run(struct interop *interop, const sigset_t *signals)
{
    const struct timespec second = {.tv_nsec = 200 * 1000 * 1000};
    bool serving = true;
    int number;
    printf("listening on port %d\n", rpc_server_port(interop->server));
    fflush(stdout);
    while ((number = sigtimedwait(signals, NULL, &second)) != SIGTERM) {
        certificates_look(&interop->certificates);
        if (number == SIGHUP)
            rpc_server_serving(interop->server, serving = !serving);
    }
}

int main(int argc, char **argv)
{
    static struct interop interop;
    struct settings_program program = {
        .name = "isms-interop", .purpose = "gRPC's interop test service on this runtime", .version = "test",
        .required = ""};
    struct err err = {0};
    sigset_t signals;
    int status;
    if (!settings_start(&program, argc, argv, &interop.settings, &status))
        return status;
    log_init("isms-interop", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
    metrics_init("interop", "test");
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (interop_start(&interop, &err) < 0) {
        fprintf(stderr, "isms-interop: %s\n", err.message);
        return EXIT_FAILURE;
    }
    interop_run(&interop, &signals);
    rpc_server_serving(interop.server, false);
    usleep((useconds_t)interop.settings.drain_delay);
    if (rpc_server_stop(interop.server, interop.settings.drain_timeout) < 0)
        _exit(EXIT_FAILURE);
    rpc_server_free(interop.server);
    rpc_methods_free(interop.methods);
    descriptors_free(interop.descriptors);
    certificates_release(&interop.certificates);
    settings_release(&interop.settings);
    return EXIT_SUCCESS;
}
