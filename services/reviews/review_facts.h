/* review_facts.h: everything that is known of one review, read at once.
 *
 * What conformity is judged by, records are made of and actions are issued from. Memory is the call's. */
#ifndef ISMS_REVIEWS_REVIEW_FACTS_H
#define ISMS_REVIEWS_REVIEW_FACTS_H

#include <stdbool.h>

#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/reviews/v1/internal.pb-c.h>
#include <isms/reviews/v1/reviews.pb-c.h>
#include <isms/rpc/call.h>

struct review_facts {
    Isms__Reviews__V1__Review review;
    Isms__Reviews__V1__Programme programme; /* as it was when the meeting was opened; before that, as it is */
    Isms__Reviews__V1__ListDecisionsResponse decisions; /* all of them, by number */
    Isms__Reviews__V1__SigningFacts signing;
    char caller_id[37]; /* the member or key that calls; "" in jobs */
};

/* One bit a state, for review_require_state(). */
#define STATE(name) (1u << ISMS__REVIEWS__V1__REVIEW_STATE__REVIEW_STATE_##name)

/* NOT_FOUND. A transaction must be open. */
int review_read(struct call *call, const char *review_id, Isms__Reviews__V1__Review *ret_review,
                struct err *err) MUST_CHECK;
int review_facts_read(struct call *call, const char *review_id, struct review_facts *ret_facts,
                      struct err *err) MUST_CHECK;

/* WRONG_STATE with the facts `state` and `allowed`. */
int review_require_state(const Isms__Reviews__V1__Review *review, unsigned states, struct err *err) MUST_CHECK;

/* Which gaps there are, for the caller as the signer where they may sign at all. */
int review_conformity(struct call *call, const struct review_facts *facts,
                      Isms__Reviews__V1__Conformity *ret_conformity, struct err *err) MUST_CHECK;

#endif
