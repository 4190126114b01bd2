/* oscal_document.h: a document under way, and which of its things have which uuids.
 *
 * Who reads it names first what is in it (_observe, _own), then makes its things inputs, those first that others may
 * refer to. */
#ifndef ISMS_INPUTS_OSCAL_DOCUMENT_H
#define ISMS_INPUTS_OSCAL_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include <isms/proto/descriptors.h>

#include "import_errors.h"
#include "import_read.h"

enum { OSCAL_TEXT_MAX = 64 * 1024, OSCAL_ID_SIZE = 80, OSCAL_NAME_SIZE = 300 };

/* Where a thing's input may refer to: those of lower levels. */
enum oscal_level { LEVEL_DOCUMENT, LEVEL_AUDIT, LEVEL_RISK, LEVEL_FINDING, LEVEL_PLAN };

struct oscal {
    const struct import_reading *reading;
    struct import_errors *errors;
    const struct message_type *type; /* Input */
    enum oscal_level level;          /* that is being made */
    int made;
    bool failed;
    const json_t *root;           /* the document's one member */
    json_t *owners;               /* uuid → external id of the input that has it */
    json_t *observations;         /* uuid → observation */
    json_t *referred;             /* observations that something refers to */
    json_t *ids;                  /* external id → the item that has it */
    char audit_id[OSCAL_ID_SIZE]; /* of the result, or of the document */
};

void oscal_document_init(struct oscal *oscal, const struct import_reading *reading, struct import_errors *errors);
void oscal_document_release(struct oscal *oscal);

/* The observations of a result, or of a plan of action, and which of them something in it refers to. */
void oscal_document_observe(struct oscal *oscal, const json_t *holder);

/* Each of the things has its own uuid and those within it; a risk's remediations have theirs. */
void oscal_document_own(struct oscal *oscal, const json_t *things);

/* The names of the parties in the role of assessor, separated by commas; "" where there are none, or too many. */
void oscal_document_assessors(const struct oscal *oscal, char ret_name[static OSCAL_NAME_SIZE]);

#endif
