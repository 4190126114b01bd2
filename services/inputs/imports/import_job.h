/* import_job.h: the jobs that carry imports out, in whichever replica holds their lease.
 *
 * An import is read, checked and stored in portions, each a transaction of its own that says how far it has come: a
 * replica that ends leaves the rest to the next. Each transaction acts for who started the import. What fails waits a
 * second and then twice as long each time, and is given up in the end (import_failure.h). */
#ifndef ISMS_INPUTS_IMPORT_JOB_H
#define ISMS_INPUTS_IMPORT_JOB_H

#include <stdint.h>

#include <isms/app/job.h>

/* For struct job: one for small files, which shall not wait until somebody's large one is through, and one for large
 * ones. */
int import_small_run(struct job_run *run, struct err *err);
int import_large_run(struct job_run *run, struct err *err);

/* The job `clean_imports` (import_clean.c): ends uploads that nobody has touched for evidence_keep, and removes the
 * files of imports that have ended. Looks as often as for evidence files. */
int64_t import_clean_interval(const struct settings *settings);
int import_clean_run(struct job_run *run, struct err *err);

#endif
