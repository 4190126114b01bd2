/* quality.h: what can be wrong with the data before a review, as quality.def lists it. Pure.
 *
 * The issues themselves are found by SQL (sql/quality.*.sql), which knows a check by its name; how severe it is and
 * what is said of it is known here only. */
#ifndef ISMS_INPUTS_QUALITY_H
#define ISMS_INPUTS_QUALITY_H

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/inputs/v1/quality.pb-c.h>
#include <isms/inputs/v1/statements.pb-c.h>

/* Fills `checks` and `severities` of the question with the checks that are wanted, in the order of quality.def;
 * UNSPECIFIED wants all. None may be left: then nothing is found. In the arena; MESSAGE_TOO_LARGE. */
int quality_choose(Isms__Inputs__V1__QualityCheck check, Isms__Inputs__V1__QualitySeverity severity,
                   struct arena *arena, Isms__Inputs__V1__QualityQuestion *question, struct err *err) MUST_CHECK;

/* Makes the issue as a statement gave it, with what belongs behind the sentence in `problem`, into one that a person
 * reads: severity, problem and advice. In the arena; MESSAGE_TOO_LARGE. */
int quality_explain(struct arena *arena, Isms__Inputs__V1__QualityIssue *issue, struct err *err) MUST_CHECK;

#endif
