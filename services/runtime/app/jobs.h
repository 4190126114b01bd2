/* jobs.h: starting and stopping a service's jobs; inside of this folder. */
#ifndef ISMS_APP_JOBS_H
#define ISMS_APP_JOBS_H

#include <isms/app/job.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/config/settings.h>
#include <isms/rpc/server.h>

struct jobs_options {
    const struct rpc_context *context;
    const struct settings *settings;
    const struct job *jobs; /* ended by {0}; may be NULL */
};

struct jobs;

int jobs_start(const struct jobs_options *options, struct jobs **ret_jobs, struct err *err) MUST_CHECK;

/* Tells the jobs to stop, and waits for them. Accepts NULL. */
void jobs_stop(struct jobs *jobs);

#endif
