/* intake_answers.c: see intake_answers.h. A form has at most 20 questions, so that looking through them is enough. */
#include "intake_answers.h"

#include <stdio.h>
#include <string.h>

#include <isms/base/buf.h>
#include <isms/base/utf8.h>

typedef Isms__Inputs__V1__IntakeForm form_proto;
typedef Isms__Inputs__V1__IntakeQuestion question_proto;
typedef Isms__Inputs__V1__IntakeAnswer answer_proto;
typedef Isms__Inputs__V1__SubmitIntakeRequest submission_proto;

enum {
    SUMMARY_MAX = 20000 - 3, /* bytes, so that it fits whatever the letters are; and room for an ellipsis */
    EXCERPT_MAX = 200,       /* of an answer in the title: with the form's title less than a title may have */
    FIELD_SIZE = 40
};
#define DAY_US (INT64_C(86400) * 1000000)
static const char ellipsis[] = "\xe2\x80\xa6";

/* --- is there room -------------------------------------------------------------------------------------- */

static int refuse_full(struct err *err, const char *limit, int value)
{
    err_setf(err, ERR_LIMIT_REACHED, "The form has had all the submissions that it accepts.");
    err_fact(err, "limit", "%s", limit);
    err_fact(err, "value", "%d", value);
    return -1;
}

int intake_room_check(const Isms__Inputs__V1__IntakeStanding *standing, int64_t now_us, struct err *err)
{
    const form_proto *form = standing->form;
    if (form->open_until && form->open_until->seconds * INT64_C(1000000) + form->open_until->nanos / 1000 <= now_us) {
        err_setf(err, ERR_WRONG_STATE, "The form has ended.");
        err_fact(err, "state", "ENDED");
        return -1;
    }
    if (form->submissions >= form->maximum_submissions)
        return refuse_full(err, "maximum_submissions", form->maximum_submissions);
    if (standing->submissions_today >= form->daily_maximum) {
        refuse_full(err, "daily_maximum", form->daily_maximum);
        err->retry_after_ms = (DAY_US - now_us % DAY_US + 999) / 1000;
        return -1;
    }
    return 0;
}

/* --- do the answers fit --------------------------------------------------------------------------------- */

static const question_proto *question_find(const form_proto *form, const char *key)
{
    for (size_t i = 0; i < form->n_questions; i++)
        if (strcmp(form->questions[i]->key, key) == 0)
            return form->questions[i];
    return NULL;
}

static bool is_given(const answer_proto *answer)
{
    switch (answer->value_case) {
    case ISMS__INPUTS__V1__INTAKE_ANSWER__VALUE_TEXT:
        return answer->text[strspn(answer->text, " \t\r\n")] != '\0';
    case ISMS__INPUTS__V1__INTAKE_ANSWER__VALUE_CHOICE:
        return answer->choice[0] != '\0';
    case ISMS__INPUTS__V1__INTAKE_ANSWER__VALUE_SCALE:
        return true;
    default:
        return false;
    }
}

/* The answer to the question among those submitted; NULL: there is none. */
static const answer_proto *answer_find(const submission_proto *submission, const question_proto *question)
{
    for (size_t i = 0; i < submission->n_answers; i++)
        if (strcmp(submission->answers[i]->key, question->key) == 0 && is_given(submission->answers[i]))
            return submission->answers[i];
    return NULL;
}

/* Lines may end as they do anywhere; nothing else that is no letter has a place in what people write. */
static bool has_control_character(const char *text)
{
    for (; *text; text++)
        if (((unsigned char)*text < ' ' && !strchr("\t\r\n", *text)) || *text == 0x7f)
            return true;
    return false;
}

static bool has_choice(const question_proto *question, const char *choice)
{
    for (size_t i = 0; i < question->n_choices; i++)
        if (strcmp(question->choices[i], choice) == 0)
            return true;
    return false;
}

static int value_check(const question_proto *question, const answer_proto *answer, const char *field, struct err *err)
{
    char path[FIELD_SIZE + 10];
    bool fits;
    switch (question->type) {
    case ISMS__INPUTS__V1__INTAKE_QUESTION__TYPE__TYPE_TEXT:
        snprintf(path, sizeof(path), "%s.text", field);
        if (answer->value_case != ISMS__INPUTS__V1__INTAKE_ANSWER__VALUE_TEXT)
            return err_field(err, path, "is the answer that the question asks for");
        return has_control_character(answer->text) ? err_field(err, path, "has control characters") : 0;
    case ISMS__INPUTS__V1__INTAKE_QUESTION__TYPE__TYPE_CHOICE:
        snprintf(path, sizeof(path), "%s.choice", field);
        fits = answer->value_case == ISMS__INPUTS__V1__INTAKE_ANSWER__VALUE_CHOICE &&
               has_choice(question, answer->choice);
        return fits ? 0 : err_field(err, path, "must be one of the question's choices");
    default:
        snprintf(path, sizeof(path), "%s.scale", field);
        fits = answer->value_case == ISMS__INPUTS__V1__INTAKE_ANSWER__VALUE_SCALE &&
               answer->scale >= question->scale_minimum && answer->scale <= question->scale_maximum;
        return fits ? 0 : err_field(err, path, "must be a number from %d to %d", (int)question->scale_minimum,
                                    (int)question->scale_maximum);
    }
}

static int answer_check(const form_proto *form, const submission_proto *submission, size_t index, struct err *err)
{
    const answer_proto *answer = submission->answers[index];
    const question_proto *question = question_find(form, answer->key);
    char field[FIELD_SIZE], key[FIELD_SIZE + 10];
    snprintf(field, sizeof(field), "answers[%zu]", index);
    snprintf(key, sizeof(key), "%s.key", field);
    if (!question)
        return err_field(err, key, "is no question of the form");
    for (size_t i = 0; i < index; i++)
        if (strcmp(submission->answers[i]->key, answer->key) == 0)
            return err_field(err, key, "is answered already");
    return is_given(answer) ? value_check(question, answer, field, err) : 0;
}

int intake_answers_check(const form_proto *form, const submission_proto *submission, struct err *err)
{
    int result = 0;
    for (size_t i = 0; i < submission->n_answers; i++)
        if (answer_check(form, submission, i, err) < 0)
            result = -1;
    for (size_t i = 0; i < form->n_questions; i++)
        if (form->questions[i]->required && !answer_find(submission, form->questions[i]))
            result = err_field(err, "answers", "must answer \"%.50s\"", form->questions[i]->key);
    if (has_control_character(submission->contact))
        result = err_field(err, "contact", "has control characters");
    return result;
}

/* --- as an input ---------------------------------------------------------------------------------------- */

static void value_write(const answer_proto *answer, struct buf *buf)
{
    if (answer->value_case == ISMS__INPUTS__V1__INTAKE_ANSWER__VALUE_TEXT)
        buf_text(buf, answer->text);
    else if (answer->value_case == ISMS__INPUTS__V1__INTAKE_ANSWER__VALUE_CHOICE)
        buf_text(buf, answer->choice);
    else
        buf_printf(buf, "%d", (int)answer->scale);
}

/* "Form's title: how the first text begins". */
static void title_write(const form_proto *form, const Isms__Inputs__V1__NewIntakeSubmission *new, struct buf *buf)
{
    buf_text(buf, form->title);
    for (size_t i = 0; i < new->n_answers; i++) {
        if (new->answers[i]->value_case != ISMS__INPUTS__V1__INTAKE_ANSWER__VALUE_TEXT)
            continue;
        const char *text = new->answers[i]->text + strspn(new->answers[i]->text, " \t\r\n");
        size_t line = strcspn(text, "\t\r\n");
        size_t length = utf8_cut(text, line, EXCERPT_MAX);
        buf_text(buf, ": ");
        buf_append(buf, text, length);
        if (length < line)
            buf_text(buf, ellipsis);
        return;
    }
}

/* What is cut off in the end is not written: all that a form may ask and be answered would be half a megabyte. */
static void summary_write(const Isms__Inputs__V1__NewIntakeSubmission *new, struct buf *buf)
{
    for (size_t i = 0; i < new->n_answers && buf->length <= SUMMARY_MAX; i++) {
        buf_printf(buf, "%s%s\n", i > 0 ? "\n\n" : "", new->answers[i]->question);
        value_write(new->answers[i], buf);
    }
}

/* The buffer's text, cut at `max` bytes; NULL: out of memory. */
static char *text_take(struct buf *buf, struct arena *arena, size_t max)
{
    if (buf->failed)
        return NULL;
    size_t length = utf8_cut(buf->data, buf->length, max);
    char *text = arena_alloc(arena, length + sizeof(ellipsis));
    if (text) {
        memcpy(text, buf->data, length);
        memcpy(text + length, ellipsis, sizeof(ellipsis));
        if (length == buf->length)
            text[length] = '\0';
    }
    return text;
}

int intake_compose(const form_proto *form, const submission_proto *submission, struct arena *arena,
                   Isms__Inputs__V1__NewIntakeSubmission *ret_new, struct err *err)
{
    Isms__Inputs__V1__NewIntakeSubmission new = ISMS__INPUTS__V1__NEW_INTAKE_SUBMISSION__INIT;
    struct buf title, summary;
    new.contact = submission->contact;
    new.answers = ARENA_ARRAY(arena, form->n_questions, answer_proto *);
    for (size_t i = 0; new.answers && i < form->n_questions; i++) {
        const answer_proto *given = answer_find(submission, form->questions[i]);
        answer_proto *kept = given ? ARENA_NEW(arena, answer_proto) : NULL;
        if (!kept)
            continue;
        *kept = *given;
        kept->question = form->questions[i]->text;
        new.answers[new.n_answers++] = kept;
    }
    buf_init_arena(&title, arena, 2000);
    buf_init_arena(&summary, arena, 64 * 1024); /* to SUMMARY_MAX, and one question with its answer */
    title_write(form, &new, &title);
    summary_write(&new, &summary);
    new.title = text_take(&title, arena, title.length);
    new.summary = text_take(&summary, arena, SUMMARY_MAX);
    if (arena_exhausted(arena) || !new.title || !new.summary)
        return err_setf(err, ERR_MESSAGE_TOO_LARGE, "The request needs more memory than a call may use.");
    *ret_new = new;
    return 0;
}
