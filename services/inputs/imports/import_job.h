/* import_job.h: the job that carries imports out, in whichever replica holds its lease.
 *
 * An import is read, checked and stored in portions, each a transaction of its own that says how far it has come: a
 * replica that ends leaves the rest to the next. Each transaction acts for who started the import. */
#ifndef ISMS_INPUTS_IMPORT_JOB_H
#define ISMS_INPUTS_IMPORT_JOB_H

#include <isms/app/job.h>

/* For struct job: one for small files, which shall not wait until somebody's large one is through, and one for large
 * ones. */
int import_small_run(struct job_run *run, struct err *err);
int import_large_run(struct job_run *run, struct err *err);

#endif
