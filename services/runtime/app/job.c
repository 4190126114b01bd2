/* job.c: the threads of the background jobs.
 *
 * The lease is asked for before every run and never given back: while this replica lives and keeps its
 * connection, it stays the one that does the work, and takes over within one interval when another one dies.
 * Asking again for a lock that is held costs nothing. */
#include "jobs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <isms/base/bell.h>
#include <isms/base/clock.h>
#include <isms/db/connection.h>
#include <isms/obs/log.h>
#include <isms/obs/metrics.h>

enum {
    JOB_TIMEOUT_US = 60 * 1000 * 1000,
    IO_MARGIN_US = 5 * 1000 * 1000,
    LEASE_NAME_SIZE = 128
};

struct job_run {
    const struct job *job;
    struct jobs *jobs;
    int64_t interval_us;
    int64_t timeout_us;
    char lease[LEASE_NAME_SIZE];
    struct db_connection *wide; /* as the jobs' role: the lease, and what is read across tenants */
    struct db_connection *own;  /* as the service's role: the work on one tenant */
    bool started;
    pthread_t thread;
};

struct jobs {
    struct jobs_options options;
    atomic_bool stopping;
    struct bell own_bell; /* where the context has none */
    struct bell *bell;
    unsigned count;
    struct job_run *runs;
};

static bool jobs_are_stopping(void *context)
{
    const struct jobs *jobs = context;
    return atomic_load(&jobs->stopping);
}

bool job_is_stopping(const struct job_run *run)
{
    return jobs_are_stopping(run->jobs);
}

static int job_call(struct job_run *run, struct db_connection *connection, const struct uuid *tenant,
                    struct uuid actor, rpc_job_run *fn, void *context, struct err *err)
{
    if (job_is_stopping(run))
        return err_set(err, ERR_SHUTTING_DOWN);
    struct rpc_job job = {
        .name = run->job->name,
        .timeout_us = run->timeout_us,
        .across_tenants = tenant == NULL,
        .actor = actor,
        .is_stopping = jobs_are_stopping,
        .stopping_context = run->jobs,
    };
    return rpc_job_call(run->jobs->options.context, &job, connection, tenant ? *tenant : (struct uuid){0}, fn,
                        context, err);
}

int job_across_tenants(struct job_run *run, rpc_job_run *fn, void *context, struct err *err)
{
    return job_call(run, run->wide, NULL, (struct uuid){0}, fn, context, err);
}

int job_for_tenant(struct job_run *run, struct uuid tenant, rpc_job_run *fn, void *context, struct err *err)
{
    return job_call(run, run->own, &tenant, (struct uuid){0}, fn, context, err);
}

int job_for_actor(struct job_run *run, struct uuid tenant, struct uuid actor, rpc_job_run *fn, void *context,
                  struct err *err)
{
    return job_call(run, run->own, &tenant, actor, fn, context, err);
}

const struct descriptors *job_descriptors(const struct job_run *run)
{
    return run->jobs->options.context->descriptors;
}

/* --- the thread ----------------------------------------------------------------------------------------- */

/* 1: this replica holds the lease; 0: another one does; -1: the database cannot be asked. */
static int lease_ask(struct job_run *run, struct err *err)
{
    static const struct db_statement try_lock = {
        .name = NULL, .sql = "select pg_try_advisory_lock(hashtextextended($1, 0))"};
    struct db_value value = {.data = run->lease};
    struct db_query query = {.statement = &try_lock, .values = &value, .value_count = 1};
    int result = db_query(run->wide, &query, 1, NULL, err);
    if (result == 0)
        result = db_result_int(query.result, 0, 0) != 0;
    db_results_clear(run->wide);
    return result;
}

static void job_report(const struct job_run *run, int result, const struct err *err)
{
    const char *name = run->job->name;
    metric_add(METRIC_SERIES(isms_job_runs_total, name, result == 0 ? "ok" : "failed"), 1);
    if (result == 0)
        metric_set(METRIC_SERIES(isms_job_last_success_seconds, name), clock_now_us() / 1000000);
    else
        LOG(ERROR, "a job failed", LOG_STR("job", name), LOG_ERR(err));
}

static void job_try(struct job_run *run)
{
    struct err err = {0};
    if (!rpc_methods_are_ready(run->jobs->options.context->methods))
        return;
    int lease = lease_ask(run, &err);
    if (lease == 0)
        return;
    int result = lease < 0 ? -1 : run->job->run(run, &err);
    if (result < 0 && job_is_stopping(run))
        return; /* it was told to */
    job_report(run, result, &err);
}

/* false: stop. */
static bool job_wait(const struct job_run *run, uint64_t *heard)
{
    bell_wait(run->jobs->bell, clock_monotonic_us() + run->interval_us, heard);
    return !job_is_stopping(run);
}

static void *job_main(void *argument)
{
    struct job_run *run = argument;
    uint64_t heard = 0;
    while (job_wait(run, &heard))
        job_try(run);
    return NULL;
}

/* --- start and stop ------------------------------------------------------------------------------------- */

static int job_start(struct job_run *run, struct err *err)
{
    const struct jobs_options *options = &run->jobs->options;
    const struct job *job = run->job;
    run->interval_us = job->interval ? job->interval(options->settings) : job->interval_us;
    run->timeout_us = job->timeout_us > 0 ? job->timeout_us : JOB_TIMEOUT_US;
    snprintf(run->lease, sizeof(run->lease), "isms-%s.%s", options->context->service, job->name);
    struct db_options database = {
        .url = options->settings->job_database_url[0] ? options->settings->job_database_url
                                                      : options->settings->database_url,
        .application_name = run->lease,
        .io_timeout_us = run->timeout_us + IO_MARGIN_US,
        .health = options->context->database,
    };
    run->wide = db_connection_new(&database); /* prepares what it is asked to run, when it is */
    database.url = options->settings->database_url;
    database.statements =
        rpc_methods_statements(options->context->methods, RPC_EXCLUSIVE, &database.statement_count);
    run->own = db_connection_new(&database);
    if (!run->wide || !run->own)
        return err_setf(err, ERR_INTERNAL, "out of memory");
    if (pthread_create(&run->thread, NULL, job_main, run) != 0)
        return err_setf(err, ERR_INTERNAL, "cannot start a thread");
    run->started = true;
    return 0;
}

int jobs_start(const struct jobs_options *options, struct jobs **ret_jobs, struct err *err)
{
    struct jobs *jobs = calloc(1, sizeof(*jobs));
    unsigned count = 0;
    while (options->jobs && options->jobs[count].name)
        count++;
    struct job_run *runs = calloc(count + 1, sizeof(*runs));
    if (!jobs || !runs) {
        free(jobs);
        free(runs);
        return err_setf(err, ERR_INTERNAL, "out of memory");
    }
    jobs->options = *options;
    jobs->runs = runs;
    bell_init(&jobs->own_bell);
    jobs->bell = options->context->jobs_bell ? options->context->jobs_bell : &jobs->own_bell;
    for (; jobs->count < count; jobs->count++) {
        struct job_run *run = &runs[jobs->count];
        *run = (struct job_run){.job = &options->jobs[jobs->count], .jobs = jobs};
        if (job_start(run, err) < 0) {
            jobs->count++;
            jobs_stop(jobs);
            return -1;
        }
    }
    *ret_jobs = jobs;
    return 0;
}

void jobs_stop(struct jobs *jobs)
{
    if (!jobs)
        return;
    atomic_store(&jobs->stopping, true);
    bell_ring(jobs->bell);
    for (unsigned i = 0; i < jobs->count; i++) {
        if (jobs->runs[i].started)
            pthread_join(jobs->runs[i].thread, NULL);
        db_connection_free(jobs->runs[i].wide);
        db_connection_free(jobs->runs[i].own);
    }
    bell_release(&jobs->own_bell);
    free(jobs->runs);
    free(jobs);
}
