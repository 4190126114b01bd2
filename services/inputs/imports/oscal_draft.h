/* oscal_draft.h: an input in the making: proto JSON, which is checked like anybody's, and what it refers to.
 *
 * Between _init and _finish, which releases it. Empty values are left out. */
#ifndef ISMS_INPUTS_OSCAL_DRAFT_H
#define ISMS_INPUTS_OSCAL_DRAFT_H

#include <stdbool.h>

#include <jansson.h>

#include <isms/base/buf.h>

#include "oscal_document.h"

struct oscal_draft {
    json_t *input;
    json_t *references; /* [{"field": …, "keys": [external id, …]}, …] */
    struct buf summary;
};

/* Of `thing` come external id and the beginning of the summary; NULL: neither. */
void oscal_draft_init(struct oscal_draft *draft, const json_t *thing, const char *title);

void oscal_draft_set(struct oscal_draft *draft, const char *field, const char *value);

/* "name=value" */
void oscal_draft_label(struct oscal_draft *draft, const char *name, const char *value);

/* Takes `detail` over, and answers it: what makes it the kind it is. */
json_t *oscal_draft_detail(struct oscal_draft *draft, const char *kind, json_t *detail);
void oscal_detail_set(json_t *detail, const char *field, const char *value);

/* The input that has the uuid, to `field`; false: nothing in the document has it. */
bool oscal_draft_refer(struct oscal *oscal, struct oscal_draft *draft, const char *field, const char *uuid);

/* Refers to what the thing names under `list`, the first of it by `first_field` (NULL: as the others); what the
 * document does not have is said in the summary. */
void oscal_draft_relate(struct oscal *oscal, struct oscal_draft *draft, const json_t *thing, const char *list,
                        const char *member, const char *first_field);

/* Gives it to who reads the file, unless something is wrong with it: that is told. */
void oscal_draft_finish(struct oscal *oscal, struct oscal_draft *draft);

#endif
