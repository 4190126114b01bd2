/* sample.h: a realistic review of a made-up company (sample.json), as the facts that a report is built from. */
#ifndef ISMS_TESTS_REPORTING_SAMPLE_H
#define ISMS_TESTS_REPORTING_SAMPLE_H

#include <isms/base/buf.h>
#include <isms/proto/descriptors.h>

#include "report.h"

enum sample_kind {
    SAMPLE_SIGNED,
    SAMPLE_DRAFT,  /* held, not signed */
    SAMPLE_PLANNED /* nothing but the plan */
};

struct sample {
    struct arena arena;
    struct descriptors *descriptors;
    struct report_facts facts;
    Isms__Reviews__V1__Review *review; /* facts.review and what follows, to be changed */
    Isms__Inputs__V1__Input **inputs;
};

/* Ends the process where the file cannot be read. */
void sample_load(struct sample *sample, enum sample_kind kind);
void sample_release(struct sample *sample); /* fits CLEANUP() */

/* The report on it; in the sample's arena. */
struct document sample_document(struct sample *sample);
struct buf sample_html(struct sample *sample);
struct buf sample_json(struct sample *sample);

#endif
