/* monitor.h: is this process fit to take calls? Inside of this folder.
 *
 * A thread looks every second whether the database can be reached, is at the migrations that the program
 * knows, and agrees with its statements, and tells the gRPC server's health and the admin port's readiness. */
#ifndef ISMS_APP_MONITOR_H
#define ISMS_APP_MONITOR_H

#include <stdbool.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/cache/cache.h>
#include <isms/config/settings.h>
#include <isms/db/schema.h>
#include <isms/obs/admin.h>
#include <isms/rpc/server.h>

#include "certificates.h"
#include "keys.h"

struct monitor_options {
    const struct settings *settings;
    const struct rpc_context *context;
    const struct schema_version *schemas; /* ended by {0}; may be NULL */
    struct rpc_server *server;
    struct cache *cache;
    struct keys *keys;
    struct certificates *certificates;
};

struct monitor;

int monitor_start(const struct monitor_options *options, struct monitor **ret_monitor,
                  struct err *err) MUST_CHECK;

/* Opens the operators' port, whose readiness is what the monitor knows. The monitor must outlive `admin`. */
int monitor_listen(struct monitor *monitor, const char *address, struct admin **ret_admin,
                   struct err *err) MUST_CHECK;

/* From now on: not ready, NOT_SERVING. */
void monitor_drain(struct monitor *monitor);

/* Ends the thread. Accepts NULL. */
void monitor_stop(struct monitor *monitor);

#endif
