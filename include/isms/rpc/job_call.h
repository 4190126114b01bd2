/* job_call.h: work that no caller waits for, as a struct call.
 *
 * A job acts for one tenant at a time as principal kind "job", on a connection of its own, so that the
 * statements and transactions of call.h serve it as they serve handlers. What it does for a member or key it
 * does as principal kind "service": each transaction is refused with CREDENTIAL_INVALID once that one may not
 * act any more. Across tenants there is no tenant context at all: a transaction may only read, and sees what
 * the connection's role may see. */
#ifndef ISMS_RPC_JOB_CALL_H
#define ISMS_RPC_JOB_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/base/uuid.h>
#include <isms/db/connection.h>
#include <isms/rpc/call.h>
#include <isms/rpc/server.h>

struct rpc_job {
    const char *name;    /* "seal": stands for the method in logs and in core.change */
    int64_t timeout_us;  /* of one call */
    bool across_tenants; /* no tenant */
    struct uuid actor;   /* the member or key whose work it does; nil: nobody's */
    bool (*is_stopping)(void *context); /* may be NULL */
    void *stopping_context;
};

typedef int rpc_job_run(struct call *call, void *context, struct err *err);

/* Runs `run` with a call for the tenant. A writing or appending transaction that it leaves open is committed
 * when it returns 0, and rolled back when not. The connection must have been made with the statements of
 * RPC_EXCLUSIVE. */
int rpc_job_call(const struct rpc_context *context, const struct rpc_job *job, struct db_connection *connection,
                 struct uuid tenant, rpc_job_run *run, void *run_context, struct err *err) MUST_CHECK;

#endif
