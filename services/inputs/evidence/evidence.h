/* evidence.h: the rpcs of EvidenceService that are more than a statement, and their clean-up. docs/evidence.md. */
#ifndef ISMS_INPUTS_EVIDENCE_H
#define ISMS_INPUTS_EVIDENCE_H

#include <isms/app/job.h>
#include <isms/rpc/call.h>
#include <isms/rpc/stream.h>

rpc_run create_evidence_file; /* evidence_upload.c */
rpc_run upload_evidence_file;
rpc_run finish_evidence_file;
rpc_run read_evidence_file;   /* evidence_read.c */
rpc_stream_run download_evidence_file;

/* The job `clean_evidence` (evidence_job.c): takes away what was given up evidence_keep ago, or begun and not finished
 * since. */
int64_t evidence_clean_interval(const struct settings *settings);
int evidence_clean(struct job_run *run, struct err *err);

#endif
