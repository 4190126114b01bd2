/* import_work.h: one import, from where it stands to its end. */
#ifndef ISMS_INPUTS_IMPORT_WORK_H
#define ISMS_INPUTS_IMPORT_WORK_H

#include <isms/app/job.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/base/uuid.h>
#include <isms/rpc/call.h>

struct running_import {
    struct uuid tenant;
    struct uuid actor; /* who started it: a member or key, or the platform */
    char id[UUID_TEXT_SIZE];
};

/* 0: it has ended, here or elsewhere, whatever became of it. -1: it has to wait, or this replica is stopping; what is
 * done of it is kept. */
int import_work(struct job_run *run, const struct running_import *running, struct err *err) MUST_CHECK;

/* An rpc_job_run for the import's tenant; `context` is its id. Takes away what nothing needs of an import that has
 * ended: the file, and the contents of its rows. Nothing while it runs or is uploaded. */
int import_clear(struct call *call, void *context, struct err *err) MUST_CHECK;

#endif
