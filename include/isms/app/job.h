/* job.h: background work of a service.
 *
 * Each job has a thread in every replica, and runs in the one that holds its lease: a session-level advisory
 * lock on the job's connection, which PostgreSQL gives up when the connection or the process dies. (The
 * connection must not go through a pooler in transaction mode.) A run that fails is logged and counted, and
 * tried again after the interval. call_wake_jobs() shortens that. Jobs use job_database_url for what they read
 * across tenants, and the service's own role for the work on one tenant. */
#ifndef ISMS_APP_JOB_H
#define ISMS_APP_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/base/uuid.h>
#include <isms/config/settings.h>
#include <isms/proto/descriptors.h>
#include <isms/rpc/call.h>
#include <isms/rpc/job_call.h>

struct job_run;

struct job {
    const char *name;        /* "seal": in metrics, logs and the lease */
    int64_t interval_us;     /* between the end of a run and the next */
    int64_t (*interval)(const struct settings *settings); /* instead of interval_us; may be NULL */
    int64_t timeout_us;      /* of one tenant's work, and of one read across tenants */
    int (*run)(struct job_run *run, struct err *err);
};

/* Work across tenants: `fn` gets a call without a tenant, that may only read. */
int job_across_tenants(struct job_run *run, rpc_job_run *fn, void *context, struct err *err) MUST_CHECK;

/* Work on one tenant. `fn` may read and write; a writing transaction left open is committed when it returns
 * 0. */
int job_for_tenant(struct job_run *run, struct uuid tenant, rpc_job_run *fn, void *context,
                   struct err *err) MUST_CHECK;

/* The same for a member or key of the tenant, who is named by the change log; see job_call.h. */
int job_for_actor(struct job_run *run, struct uuid tenant, struct uuid actor, rpc_job_run *fn, void *context,
                  struct err *err) MUST_CHECK;

const struct descriptors *job_descriptors(const struct job_run *run);

/* The process is ending: return soon. */
bool job_is_stopping(const struct job_run *run);

#endif
