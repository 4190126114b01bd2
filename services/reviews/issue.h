/* issue.h: a signed review's proposed actions become actions. */
#ifndef ISMS_REVIEWS_ISSUE_H
#define ISMS_REVIEWS_ISSUE_H

#include <isms/app/job.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/rpc/call.h>

#include "review_facts.h"

/* Issues them all. Ids and numbers follow from review and decisions alone: repeating it makes nothing twice.
 * Outside transactions. */
int review_issue(struct call *call, const Isms__Reviews__V1__Review *review,
                 Isms__Reviews__V1__Decision *const *decisions, size_t decision_count,
                 struct err *err) MUST_CHECK;

/* The job: takes care of whatever a crash or an absent service left between signing and issuing. */
int issue_run(struct job_run *run, struct err *err);

#endif
