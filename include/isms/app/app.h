/* app.h: a service's whole process, from main() to exit.
 *
 * A service is a table: its name, its SQL files, its handlers, its jobs. app_main() does what all four have
 * in common: settings, log, keys; compiling the methods; the gRPC server, the admin port, the jobs; and on
 * SIGTERM or SIGINT the drain: health NOT_SERVING, wait drain_delay, refuse new calls, let those under way
 * end within drain_timeout, cancel the rest. It exits with 0 after a clean drain, 1 when it could not start
 * or end cleanly, 2 for wrong settings. A database that is away or at another schema makes it not ready,
 * never exit. */
#ifndef ISMS_APP_APP_H
#define ISMS_APP_APP_H

#include <stdint.h>

#include <isms/app/job.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/cache/cache.h>
#include <isms/config/settings.h>
#include <isms/db/schema.h>
#include <isms/proto/descriptors.h>
#include <isms/proto/sql_file.h>
#include <isms/rpc/methods.h>

/* What a service's start hook may use; all of it lives until after its stop hook. */
struct app_parts {
    const struct settings *settings;
    const struct descriptors *descriptors;
    struct cache *cache;
};

struct app_service {
    const char *name;    /* "actions": of the program isms-actions, the statements, the assertions */
    const char *purpose; /* one line for --help */
    const char *version;
    const char *package; /* "isms.actions.v1" */
    const struct descriptors_source *descriptors; /* NULL: the product's */
    const char *required_settings; /* names separated by spaces, beside database_url; may be NULL */
    const struct sql_text *sql;         /* ended by {0} */
    const struct rpc_handler *handlers; /* ended by {0}; may be NULL */
    const struct rpc_stream_handler *streams; /* the same, of the methods that answer with a stream */
    const struct job *jobs;             /* ended by {0}; may be NULL */
    const struct schema_version *schemas; /* what the database must be at; ended by {0}; may be NULL */

    /* The service's own data, call_service_data(): made before the first call, freed after the last. May be
     * NULL. */
    int (*start)(const struct app_parts *parts, void **ret_data, struct err *err);
    void (*stop)(void *data);
};

int app_main(int argc, char **argv, const struct app_service *service);

/* Are the service's rpcs, SQL files, handlers and permissions complete and in order? For a unit test of each
 * service; needs no database. -1: the first thing that is wrong. */
int app_check(const struct app_service *service, struct err *err) MUST_CHECK;

#endif
