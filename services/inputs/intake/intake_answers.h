/* intake_answers.h: what somebody outside submits, judged against its form, and as the text of an input.
 *
 * Plain logic on messages: no database, no gRPC. Whatever comes in is foreign: it is measured, and never read as
 * anything but text. What refers to the submission's texts is the arena's or the submission's own. */
#ifndef ISMS_INPUTS_INTAKE_ANSWERS_H
#define ISMS_INPUTS_INTAKE_ANSWERS_H

#include <stdint.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/err.h>
#include <isms/inputs/v1/statements.pb-c.h>

/* Whether the form takes one more at that time: WRONG_STATE after its end, LIMIT_REACHED where it has had all, or all
 * of its day (of UTC); then err->retry_after_ms is until the next. */
int intake_room_check(const Isms__Inputs__V1__IntakeStanding *standing, int64_t now_us, struct err *err) MUST_CHECK;

/* Whether each answer is of a question and fits it, no question has two, and each that is required has one. One
 * violation a wrong answer ("answers[2].choice"). */
int intake_answers_check(const Isms__Inputs__V1__IntakeForm *form,
                         const Isms__Inputs__V1__SubmitIntakeRequest *submission, struct err *err) MUST_CHECK;

/* The submission as it is stored: the answers in the questions' order, each with its question, without the empty ones;
 * the title and the summary of the input that it becomes. The answers must have been checked. */
int intake_compose(const Isms__Inputs__V1__IntakeForm *form,
                   const Isms__Inputs__V1__SubmitIntakeRequest *submission, struct arena *arena,
                   Isms__Inputs__V1__NewIntakeSubmission *ret_new, struct err *err) MUST_CHECK;

#endif
