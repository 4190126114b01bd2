/* conformity.h: what still stands between a review and its signing.
 *
 * The rules are the rows of conformity.def, the same for everybody who asks: CheckConformity, WaiveGap and
 * SignReview. Pure: the same facts give the same gaps, in the order of the review's own parts. */
#ifndef ISMS_REVIEWS_CONFORMITY_H
#define ISMS_REVIEWS_CONFORMITY_H

#include <stdbool.h>
#include <stddef.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/reviews/v1/internal.pb-c.h>
#include <isms/reviews/v1/reviews.pb-c.h>

enum conformity_rule {
#define X(name, clause, blocking, waivable, text) RULE_##name,
#include "conformity.def"
#undef X
    CONFORMITY_RULE_COUNT
};

/* All borrowed. */
struct conformity_facts {
    const Isms__Reviews__V1__Review *review;
    const Isms__Reviews__V1__Programme *programme;
    Isms__Reviews__V1__Decision *const *decisions;
    size_t decision_count;
    Isms__Reviews__V1__Participant *const *participants; /* the members that review and decisions name */
    size_t participant_count;
    const char *signer_id; /* who signs, or would; "" where it cannot be known */
};

/* Fills an initialised message; what hangs below it is in the arena or borrowed. -1 only for want of memory. */
int conformity_check(const struct conformity_facts *facts, struct arena *arena,
                     Isms__Reviews__V1__Conformity *ret_conformity, struct err *err) MUST_CHECK;

const char *conformity_rule_name(enum conformity_rule rule);

/* false: no such rule, or one that nobody can waive. */
bool conformity_rule_is_waivable(const char *name);

#endif
