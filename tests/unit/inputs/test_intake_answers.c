/* What somebody outside submits is measured against the form, wrong answers by name, and becomes text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <isms/base/arena.h>

#include "intake_answers.h"

typedef Isms__Inputs__V1__IntakeForm form_proto;
typedef Isms__Inputs__V1__IntakeQuestion question_proto;
typedef Isms__Inputs__V1__IntakeAnswer answer_proto;
typedef Isms__Inputs__V1__SubmitIntakeRequest submission_proto;

#define TEXT ISMS__INPUTS__V1__INTAKE_QUESTION__TYPE__TYPE_TEXT
#define CHOICE ISMS__INPUTS__V1__INTAKE_QUESTION__TYPE__TYPE_CHOICE
#define SCALE ISMS__INPUTS__V1__INTAKE_QUESTION__TYPE__TYPE_SCALE
enum { ANSWERS_MAX = 6 };
#define NOON_US INT64_C(1767268800000000) /* 2026-01-01T12:00:00Z */

static char *choices[] = {"Yes", "No"};
static question_proto questions[3];
static question_proto *asked[] = {&questions[0], &questions[1], &questions[2]};
static form_proto form;
static answer_proto answers[ANSWERS_MAX];
static answer_proto *given[ANSWERS_MAX];
static submission_proto submission;
static struct err err;

static int setup(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(questions); i++)
        isms__inputs__v1__intake_question__init(&questions[i]);
    questions[0].key = (char *)"why", questions[0].text = (char *)"Why?", questions[0].type = TEXT;
    questions[1].key = (char *)"again", questions[1].text = (char *)"Again?", questions[1].type = CHOICE;
    questions[1].choices = choices, questions[1].n_choices = ARRAY_SIZE(choices);
    questions[2].key = (char *)"how_well", questions[2].text = (char *)"How well?", questions[2].type = SCALE;
    questions[2].scale_minimum = 0, questions[2].scale_maximum = 10, questions[2].required = true;
    isms__inputs__v1__intake_form__init(&form);
    form.title = (char *)"Customers 2026", form.questions = asked, form.n_questions = ARRAY_SIZE(asked);
    form.maximum_submissions = 10, form.daily_maximum = 3;
    isms__inputs__v1__submit_intake_request__init(&submission);
    submission.answers = given;
    err = (struct err){0};
    return 0;
}

static answer_proto *answer_add(const char *key, Isms__Inputs__V1__IntakeAnswer__ValueCase what)
{
    answer_proto *answer = &answers[submission.n_answers];
    isms__inputs__v1__intake_answer__init(answer);
    answer->key = (char *)(uintptr_t)key;
    answer->value_case = what;
    given[submission.n_answers++] = answer;
    return answer;
}

static void text_add(const char *key, const char *text)
{
    answer_add(key, ISMS__INPUTS__V1__INTAKE_ANSWER__VALUE_TEXT)->text = (char *)(uintptr_t)text;
}

static void choice_add(const char *key, const char *choice)
{
    answer_add(key, ISMS__INPUTS__V1__INTAKE_ANSWER__VALUE_CHOICE)->choice = (char *)(uintptr_t)choice;
}

static void scale_add(const char *key, int32_t scale)
{
    answer_add(key, ISMS__INPUTS__V1__INTAKE_ANSWER__VALUE_SCALE)->scale = scale;
}

/* The one violation that the answers are refused with. */
static void refused_for(const char *field, const char *description)
{
    assert_int_equal(intake_answers_check(&form, &submission, &err), -1);
    assert_int_equal(err.reason, ERR_FIELD_INVALID);
    assert_int_equal(err.violation_count, 1);
    assert_string_equal(err.violations[0].field, field);
    assert_string_equal(err.violations[0].description, description);
}

static void answers_that_fit_are_taken(void **state UNUSED)
{
    scale_add("how_well", 0);
    assert_int_equal(intake_answers_check(&form, &submission, &err), 0);
    choice_add("again", "No");
    text_add("why", "Line one\r\n\tline two");
    assert_int_equal(intake_answers_check(&form, &submission, &err), 0);
}

static void a_required_answer_is_missed(void **state UNUSED)
{
    text_add("why", "Because");
    refused_for("answers", "must answer \"how_well\"");
}

static void an_empty_required_answer_is_none(void **state UNUSED)
{
    questions[0].required = true;
    scale_add("how_well", 3);
    text_add("why", " \n");
    refused_for("answers", "must answer \"why\"");
}

static void a_key_that_is_no_question(void **state UNUSED)
{
    scale_add("how_well", 3);
    text_add("whynot", "x");
    refused_for("answers[1].key", "is no question of the form");
}

static void a_second_answer(void **state UNUSED)
{
    scale_add("how_well", 3);
    scale_add("how_well", 4);
    refused_for("answers[1].key", "is answered already");
}

static void a_choice_that_is_not_offered(void **state UNUSED)
{
    scale_add("how_well", 3);
    choice_add("again", "yes");
    refused_for("answers[1].choice", "must be one of the question's choices");
}

static void a_number_off_the_scale(void **state UNUSED)
{
    scale_add("how_well", 11);
    refused_for("answers[0].scale", "must be a number from 0 to 10");
}

static void an_answer_of_another_type(void **state UNUSED)
{
    scale_add("how_well", 3);
    choice_add("why", "Yes");
    refused_for("answers[1].text", "is the answer that the question asks for");
}

static void control_characters(void **state UNUSED)
{
    scale_add("how_well", 3);
    text_add("why", "red \x1b[31m");
    refused_for("answers[1].text", "has control characters");
}

static void every_wrong_answer_is_told(void **state UNUSED)
{
    submission.contact = (char *)"me\x07";
    text_add("none", "x");
    choice_add("again", "");
    scale_add("how_well", -1);
    assert_int_equal(intake_answers_check(&form, &submission, &err), -1);
    assert_int_equal(err.violation_count, 3);
    assert_string_equal(err.violations[2].field, "contact");
}

static void composed(const char *title, const char *summary)
{
    struct arena arena CLEANUP(arena_release);
    Isms__Inputs__V1__NewIntakeSubmission new;
    arena_init(&arena, 1 << 20);
    assert_int_equal(intake_compose(&form, &submission, &arena, &new, &err), 0);
    assert_string_equal(new.title, title);
    assert_string_equal(new.summary, summary);
    for (size_t i = 0; i < new.n_answers; i++)
        assert_true(strlen(new.answers[i]->question) > 0);
}

static void it_reads_in_the_forms_order(void **state UNUSED)
{
    scale_add("how_well", 9);
    text_add("why", "Fast answers,\nfriendly people");
    choice_add("again", "");
    composed("Customers 2026: Fast answers,", "Why?\nFast answers,\nfriendly people\n\nHow well?\n9");
}

static void without_a_text_the_title_is_the_forms(void **state UNUSED)
{
    scale_add("how_well", 0);
    composed("Customers 2026", "How well?\n0");
}

/* All answers that a form may ask for, as long as they may be: 300 kB in letters of three bytes. */
static void what_is_too_long_is_cut_at_a_letter(void **state UNUSED)
{
    struct arena arena CLEANUP(arena_release);
    Isms__Inputs__V1__NewIntakeSubmission new;
    static char text[3 * 5000 + 1], many[20][8];
    static question_proto more[20];
    static question_proto *all[20];
    static answer_proto long_answers[20];
    static answer_proto *long_given[20];
    for (size_t i = 0; i + 3 < sizeof(text); i += 3)
        memcpy(text + i, "\xe4\xb8\xad", 3);
    for (size_t i = 0; i < 20; i++) {
        snprintf(many[i], sizeof(many[i]), "q%zu", i);
        isms__inputs__v1__intake_question__init(&more[i]);
        more[i].key = more[i].text = many[i], more[i].type = TEXT;
        all[i] = &more[i];
        isms__inputs__v1__intake_answer__init(&long_answers[i]);
        long_answers[i].key = many[i], long_answers[i].text = text;
        long_answers[i].value_case = ISMS__INPUTS__V1__INTAKE_ANSWER__VALUE_TEXT;
        long_given[i] = &long_answers[i];
    }
    form.questions = all, form.n_questions = 20;
    submission.answers = long_given, submission.n_answers = 20;
    arena_init(&arena, 1 << 20);
    assert_int_equal(intake_compose(&form, &submission, &arena, &new, &err), 0);
    assert_int_equal(new.n_answers, 20);
    assert_in_range(strlen(new.summary), 19994, 20000);
    assert_string_equal(new.summary + strlen(new.summary) - 6, "\xe4\xb8\xad\xe2\x80\xa6");
    assert_int_equal(strlen(new.title), strlen("Customers 2026: ") + 198 + 3);
}

static int room(int submissions, int today, int64_t now_us)
{
    Isms__Inputs__V1__IntakeStanding standing = ISMS__INPUTS__V1__INTAKE_STANDING__INIT;
    form.submissions = submissions;
    standing.form = &form;
    standing.submissions_today = today;
    err = (struct err){0};
    return intake_room_check(&standing, now_us, &err);
}

static void a_form_has_an_end(void **state UNUSED)
{
    Google__Protobuf__Timestamp end = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    end.seconds = NOON_US / 1000000;
    form.open_until = &end;
    assert_int_equal(room(0, 0, NOON_US - 1), 0);
    assert_int_equal(room(0, 0, NOON_US), -1);
    assert_int_equal(err.reason, ERR_WRONG_STATE);
}

static void a_form_has_a_maximum(void **state UNUSED)
{
    assert_int_equal(room(9, 0, NOON_US), 0);
    assert_int_equal(room(10, 0, NOON_US), -1);
    assert_int_equal(err.reason, ERR_LIMIT_REACHED);
    assert_int_equal(err.retry_after_ms, 0); /* never again */
}

static void a_day_has_a_maximum_and_the_next_day_is_named(void **state UNUSED)
{
    assert_int_equal(room(3, 2, NOON_US), 0);
    assert_int_equal(room(3, 3, NOON_US), -1);
    assert_int_equal(err.reason, ERR_LIMIT_REACHED);
    assert_string_equal(err.metadata[0].value, "daily_maximum");
    assert_int_equal(err.retry_after_ms, 12 * 3600 * 1000);
    assert_int_equal(room(3, 3, NOON_US + err.retry_after_ms * 1000 - 1), -1);
    assert_int_equal(err.retry_after_ms, 1);
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_that_fit_are_taken),
        TEST(a_required_answer_is_missed),
        TEST(an_empty_required_answer_is_none),
        TEST(a_key_that_is_no_question),
        TEST(a_second_answer),
        TEST(a_choice_that_is_not_offered),
        TEST(a_number_off_the_scale),
        TEST(an_answer_of_another_type),
        TEST(control_characters),
        TEST(every_wrong_answer_is_told),
        TEST(it_reads_in_the_forms_order),
        TEST(without_a_text_the_title_is_the_forms),
        TEST(what_is_too_long_is_cut_at_a_letter),
        TEST(a_form_has_an_end),
        TEST(a_form_has_a_maximum),
        TEST(a_day_has_a_maximum_and_the_next_day_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
