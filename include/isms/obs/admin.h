/* admin.h: the HTTP port for operators: /metrics, /livez, /readyz.
 *
 * It answers on a thread of its own, so that a service that is busy or stuck can still be looked into. /livez
 * says 200 as long as that thread runs. /readyz asks every check and says 200, or 503 when one failed, with all of
 * them listed as JSON:
 *
 *     {"status":"not ready","checks":[{"name":"database","state":"failed","detail":"connection refused"}]}
 *
 * The port carries no tenant's data and asks for no credential: bind it where only operators reach it. */
#ifndef ISMS_OBS_ADMIN_H
#define ISMS_OBS_ADMIN_H

#include <stddef.h>
#include <stdint.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>

enum { ADMIN_CHECKS_MAX = 16, ADMIN_DETAIL_SIZE = 256 };

enum admin_state {
    ADMIN_OK,
    ADMIN_DEGRADED, /* works, with something missing (the cache is away): still ready */
    ADMIN_FAILED    /* send no traffic here */
};

/* Says how something is, now; may print a reason into `detail`, which comes empty. Runs on the admin thread,
 * one at a time: must not block, must be safe beside whatever else uses `context`. */
typedef enum admin_state admin_check_fn(void *context, char detail[static ADMIN_DETAIL_SIZE]);

struct admin_check {
    const char *name;
    admin_check_fn *check;
    void *context;
};

struct admin;

/* Listens on `address`, "host:port" with a numeric host ("127.0.0.1:9091", "[::]:9091"); port 0 takes a free one.
 * Ready by `count` checks (at most ADMIN_CHECKS_MAX), which are copied; their names and contexts outlive `admin`.
 * All of them are asked from the first answer on: who was told "ready" for a moment would send calls already. */
int admin_start(const char *address, const struct admin_check *checks, size_t count, struct admin **ret_admin,
                struct err *err) MUST_CHECK;

uint16_t admin_port(const struct admin *admin);

/* Stops answering; afterwards no check runs any more. Accepts NULL. */
void admin_free(struct admin *admin);
void admin_freep(struct admin **admin);

#endif
