/* report.h: the management review report as a document.
 *
 * Pure: from what the services answered to a tree of blocks. A section for each subject of clause 9.3.2 and of
 * a review's results (clause 9.3.3), whether or not there was anything to say: "nothing" is a statement too. */
#ifndef ISMS_REPORTING_REPORT_H
#define ISMS_REPORTING_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include <isms/actions/v1/actions.pb-c.h>
#include <isms/inputs/v1/snapshots.pb-c.h>
#include <isms/reviews/v1/reviews.pb-c.h>

#include "document.h"

/* A name for the id of a member. */
struct person {
    const char *id;
    const char *name;
};

/* All that a report is made of. What a review does not have yet (a snapshot before it was opened, a record
 * before it was signed) is NULL. */
struct report_facts {
    const Isms__Reviews__V1__Organisation *organisation;
    const Isms__Reviews__V1__Programme *programme;
    const Isms__Reviews__V1__Review *review;
    Isms__Reviews__V1__Decision *const *decisions;
    size_t decision_count;
    const Isms__Inputs__V1__Snapshot *snapshot;
    Isms__Inputs__V1__Input *const *inputs; /* as they were frozen */
    size_t input_count;
    const Isms__Actions__V1__ActionSnapshot *actions;
    const Isms__Reviews__V1__SignedRecord *record;
    const char *signer_id;   /* of the record */
    int64_t seal_number;     /* the newest seal that the record names; 0: none */
    const char *seal_sha256;
    const struct person *people;
    size_t people_count;
};

void report_build(const struct report_facts *facts, struct document *document);

#endif
