/* Each rule of conformity.def is broken on its own in a review that has everything: its gap, and no other, appears. */
#include "conformity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define CHAIR "11111111-1111-4111-8111-111111111111"
#define MANAGER "22222222-2222-4222-8222-222222222222"
#define STRANGER "33333333-3333-4333-8333-333333333333"
#define SHA "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

enum { AGENDA = 2, CONCLUSIONS = 3 };

/* A review that may be signed by its chair. */
struct sample {
    Isms__Reviews__V1__Review review;
    Isms__Reviews__V1__Programme programme;
    Isms__Reviews__V1__AgendaItem agenda[AGENDA], *agenda_pointers[AGENDA];
    Isms__Reviews__V1__Attendance attendance[2], *attendance_pointers[2];
    Isms__Reviews__V1__PreviousAction previous, *previous_pointer;
    Isms__Reviews__V1__Conclusion conclusions[CONCLUSIONS], *conclusion_pointers[CONCLUSIONS];
    Isms__Reviews__V1__DecisionAction action, *action_pointer;
    Isms__Reviews__V1__Decision decision, *decision_pointer;
    Isms__Reviews__V1__Waiver waiver, *waiver_pointer;
    Isms__Reviews__V1__Participant participants[2], *participant_pointers[2];
    struct conformity_facts facts;
};

static void people_make(struct sample *sample)
{
    static char *const ids[] = {CHAIR, MANAGER};
    for (size_t i = 0; i < 2; i++) {
        isms__reviews__v1__attendance__init(&sample->attendance[i]);
        sample->attendance[i].member_id = ids[i];
        sample->attendance[i].present = true;
        sample->attendance_pointers[i] = &sample->attendance[i];
        isms__reviews__v1__participant__init(&sample->participants[i]);
        sample->participants[i].id = ids[i];
        sample->participants[i].active = true;
        sample->participant_pointers[i] = &sample->participants[i];
    }
    sample->attendance[0].top_management = true;
    sample->review.attendance = sample->attendance_pointers;
    sample->review.n_attendance = 2;
}

static void agenda_make(struct sample *sample)
{
    for (size_t i = 0; i < AGENDA; i++) {
        isms__reviews__v1__agenda_item__init(&sample->agenda[i]);
        sample->agenda_pointers[i] = &sample->agenda[i];
    }
    sample->agenda[0].key = "opening"; /* not required, and not considered */
    sample->agenda[1].key = "context";
    sample->agenda[1].clause = "9.3.2 b)";
    sample->agenda[1].required = true;
    sample->agenda[1].considered = true;
    sample->review.agenda = sample->agenda_pointers;
    sample->review.n_agenda = AGENDA;
    for (int i = 0; i < CONCLUSIONS; i++) {
        isms__reviews__v1__conclusion__init(&sample->conclusions[i]);
        sample->conclusions[i].aspect = (Isms__Reviews__V1__Aspect)(i + 1);
        sample->conclusion_pointers[i] = &sample->conclusions[i];
    }
    sample->review.conclusions = sample->conclusion_pointers;
    sample->review.n_conclusions = CONCLUSIONS;
}

static void outcome_make(struct sample *sample)
{
    isms__reviews__v1__previous_action__init(&sample->previous);
    sample->previous.action_id = STRANGER;
    sample->previous.disposition = ISMS__REVIEWS__V1__DISPOSITION__DISPOSITION_REPLAN;
    sample->previous.new_due_date = "2026-09-01";
    sample->previous_pointer = &sample->previous;
    sample->review.previous_actions = &sample->previous_pointer;
    sample->review.n_previous_actions = 1;
    isms__reviews__v1__decision_action__init(&sample->action);
    sample->action.owner_id = MANAGER;
    sample->action.due_date = "2026-06-30";
    sample->action_pointer = &sample->action;
    isms__reviews__v1__decision__init(&sample->decision);
    sample->decision.number = "MR-2026-01-D01";
    sample->decision.owner_id = MANAGER;
    sample->decision.due_date = "2026-06-30";
    sample->decision.actions = &sample->action_pointer;
    sample->decision.n_actions = 1;
    sample->decision_pointer = &sample->decision;
}

static void sample_make(struct sample *sample)
{
    memset(sample, 0, sizeof(*sample));
    isms__reviews__v1__review__init(&sample->review);
    isms__reviews__v1__programme__init(&sample->programme);
    isms__reviews__v1__waiver__init(&sample->waiver);
    sample->waiver_pointer = &sample->waiver;
    sample->review.chair_id = CHAIR;
    sample->review.preparer_id = MANAGER;
    sample->review.input_snapshot_sha256 = SHA;
    sample->review.action_snapshot_sha256 = SHA;
    sample->review.minutes = "All agreed.";
    sample->review.next_review_date = "2027-03-01";
    sample->programme.four_eyes = true;
    people_make(sample);
    agenda_make(sample);
    outcome_make(sample);
    sample->facts = (struct conformity_facts){
        .review = &sample->review, .programme = &sample->programme, .decisions = &sample->decision_pointer,
        .decision_count = 1, .participants = sample->participant_pointers, .participant_count = 2,
        .signer_id = CHAIR,
    };
}

static void break_inputs(struct sample *s) { s->review.input_snapshot_sha256 = ""; }
static void break_actions(struct sample *s) { s->review.action_snapshot_sha256 = ""; }
static void break_top_management(struct sample *s) { s->programme.quorum_top_management = 2; }
static void break_top_management_of_one(struct sample *s) { s->attendance[0].top_management = false; }
static void break_quorum(struct sample *s) { s->programme.quorum_members = 3; }
static void break_chair(struct sample *s) { s->review.chair_id = STRANGER; }
static void break_agenda(struct sample *s) { s->agenda[1].considered = false; }
static void break_conclusion(struct sample *s) { s->review.n_conclusions = 2; }
static void break_owner(struct sample *s) { s->decision.owner_id = ""; }
static void break_owner_stranger(struct sample *s) { s->decision.owner_id = STRANGER; }
static void break_due(struct sample *s) { s->decision.due_date = ""; }
static void break_action_owner(struct sample *s) { s->action.owner_id = ""; }
static void break_action_due(struct sample *s) { s->action.due_date = ""; }
static void break_minutes(struct sample *s) { s->review.minutes = ""; }
static void break_four_eyes(struct sample *s) { s->review.preparer_id = CHAIR; }
static void break_next(struct sample *s) { s->review.next_review_date = ""; }
static void break_decisions(struct sample *s) { s->decision.withdrawn = true; }
static void break_replan(struct sample *s) { s->previous.new_due_date = ""; }
static void break_disposition(struct sample *s)
{
    s->previous.disposition = ISMS__REVIEWS__V1__DISPOSITION__DISPOSITION_UNSPECIFIED;
}

static const struct {
    void (*break_it)(struct sample *sample);
    enum conformity_rule rule;
    const char *subject;
    const char *clause;
    bool blocking;
    bool waivable;
} cases[] = {
    {break_inputs, RULE_SNAPSHOT_MISSING, "", "9.3.2", true, false},
    {break_actions, RULE_SNAPSHOT_MISSING, "", "9.3.2", true, false},
    {break_top_management, RULE_NO_TOP_MANAGEMENT, "", "9.3.1", true, false},
    {break_top_management_of_one, RULE_NO_TOP_MANAGEMENT, "", "9.3.1", true, false},
    {break_quorum, RULE_NO_QUORUM, "", "9.3.1", true, true},
    {break_chair, RULE_CHAIR_ABSENT, "", "9.3.1", true, true},
    {break_agenda, RULE_AGENDA_ITEM_NOT_CONSIDERED, "context", "9.3.2 b)", true, true},
    {break_disposition, RULE_PREVIOUS_ACTION_OPEN, STRANGER, "9.3.2 a)", true, true},
    {break_replan, RULE_REPLAN_WITHOUT_DATE, STRANGER, "9.3.2 a)", true, true},
    {break_conclusion, RULE_CONCLUSION_MISSING, "EFFECTIVENESS", "9.3.1", true, true},
    {break_owner, RULE_DECISION_WITHOUT_OWNER, "MR-2026-01-D01", "9.3.3", true, true},
    {break_owner_stranger, RULE_DECISION_WITHOUT_OWNER, "MR-2026-01-D01", "9.3.3", true, true},
    {break_due, RULE_DECISION_WITHOUT_DUE_DATE, "MR-2026-01-D01", "9.3.3", true, true},
    {break_action_owner, RULE_ACTION_WITHOUT_OWNER, "MR-2026-01-D01/1", "9.3.3", true, false},
    {break_action_due, RULE_ACTION_WITHOUT_DUE_DATE, "MR-2026-01-D01/1", "9.3.3", true, false},
    {break_minutes, RULE_MINUTES_MISSING, "", "9.3.3", true, false},
    {break_four_eyes, RULE_PREPARER_SIGNS, "", "9.3.1", true, false},
    {break_decisions, RULE_NO_DECISION, "", "9.3.3", false, false},
    {break_next, RULE_NO_NEXT_REVIEW_DATE, "", "9.3.1", false, false},
};

static Isms__Reviews__V1__Conformity check(const struct sample *sample, struct arena *arena)
{
    Isms__Reviews__V1__Conformity conformity = ISMS__REVIEWS__V1__CONFORMITY__INIT;
    struct err err = {0};
    assert_int_equal(conformity_check(&sample->facts, arena, &conformity, &err), 0);
    return conformity;
}

static void a_whole_review_conforms(void **state UNUSED)
{
    struct arena arena CLEANUP(arena_release);
    struct sample sample;
    arena_init(&arena, 1 << 20);
    sample_make(&sample);
    Isms__Reviews__V1__Conformity conformity = check(&sample, &arena);
    assert_int_equal(conformity.n_gaps, 0);
    assert_true(conformity.conforming);
}

static void each_rule_is_found_alone_and_waived_only_where_it_may_be(void **state UNUSED)
{
    bool seen[CONFORMITY_RULE_COUNT] = {false};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena arena CLEANUP(arena_release);
        struct sample sample;
        arena_init(&arena, 1 << 20);
        sample_make(&sample);
        cases[i].break_it(&sample);
        Isms__Reviews__V1__Conformity conformity = check(&sample, &arena);
        assert_int_equal(conformity.n_gaps, 1);
        assert_string_equal(conformity.gaps[0]->rule, conformity_rule_name(cases[i].rule));
        assert_string_equal(conformity.gaps[0]->subject, cases[i].subject);
        assert_string_equal(conformity.gaps[0]->clause, cases[i].clause);
        assert_int_equal(conformity.gaps[0]->blocking, cases[i].blocking);
        assert_false(conformity.gaps[0]->waived);
        assert_int_equal(conformity.conforming, !cases[i].blocking);
        assert_int_equal(conformity_rule_is_waivable(conformity.gaps[0]->rule), cases[i].waivable);
        seen[cases[i].rule] = true;

        sample.waiver.rule = (char *)conformity_rule_name(cases[i].rule);
        sample.waiver.subject = (char *)cases[i].subject;
        sample.review.waivers = &sample.waiver_pointer;
        sample.review.n_waivers = 1;
        conformity = check(&sample, &arena);
        assert_int_equal(conformity.n_gaps, 1);
        assert_int_equal(conformity.gaps[0]->waived, cases[i].waivable);
        assert_int_equal(conformity.conforming, !cases[i].blocking || cases[i].waivable);

        sample.waiver.subject = "something else";
        assert_false(check(&sample, &arena).gaps[0]->waived);
    }
    for (size_t i = 0; i < CONFORMITY_RULE_COUNT; i++)
        if (!seen[i])
            fail_msg("no case for %s", conformity_rule_name((enum conformity_rule)i));
}

static void absent_people_do_not_count(void **state UNUSED)
{
    struct arena arena CLEANUP(arena_release);
    struct sample sample;
    arena_init(&arena, 1 << 20);
    sample_make(&sample);
    sample.attendance[0].present = false;
    sample.attendance[1].present = false;
    Isms__Reviews__V1__Conformity conformity = check(&sample, &arena);
    assert_int_equal(conformity.n_gaps, 3);
    assert_string_equal(conformity.gaps[0]->rule, "NO_TOP_MANAGEMENT");
    assert_string_equal(conformity.gaps[1]->rule, "NO_QUORUM");
    assert_string_equal(conformity.gaps[2]->rule, "CHAIR_ABSENT");
}

static void the_preparer_may_sign_where_four_eyes_are_not_asked_for(void **state UNUSED)
{
    struct arena arena CLEANUP(arena_release);
    struct sample sample;
    arena_init(&arena, 1 << 20);
    sample_make(&sample);
    break_four_eyes(&sample);
    sample.programme.four_eyes = false;
    assert_true(check(&sample, &arena).conforming);
}

static void a_review_without_anything_has_every_gap(void **state UNUSED)
{
    struct arena arena CLEANUP(arena_release);
    struct sample sample;
    arena_init(&arena, 1 << 20);
    sample_make(&sample);
    isms__reviews__v1__review__init(&sample.review);
    sample.facts.decision_count = 0;
    Isms__Reviews__V1__Conformity conformity = check(&sample, &arena);
    assert_false(conformity.conforming);
    assert_int_equal(conformity.n_gaps, 10); /* three of them conclusions */
}

static void memory_that_runs_out_is_an_error(void **state UNUSED)
{
    struct arena arena CLEANUP(arena_release);
    struct sample sample;
    Isms__Reviews__V1__Conformity conformity = ISMS__REVIEWS__V1__CONFORMITY__INIT;
    struct err err = {0};
    arena_init(&arena, 64);
    sample_make(&sample);
    break_agenda(&sample);
    assert_int_equal(conformity_check(&sample.facts, &arena, &conformity, &err), -1);
    assert_int_equal(err.reason, ERR_MESSAGE_TOO_LARGE);
}

static void unknown_rules_cannot_be_waived(void **state UNUSED)
{
    assert_false(conformity_rule_is_waivable(""));
    assert_false(conformity_rule_is_waivable("NO_QUORUM "));
    assert_true(conformity_rule_is_waivable("NO_QUORUM"));
}

static void every_rule_is_documented(void **state UNUSED)
{
    static char text[64 * 1024];
    FILE *file = fopen(DOCS "/conformity.md", "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
#define X(name, clause, blocking, waivable, message) \
    if (!strstr(text, "| `" #name "` | " clause " | " #blocking " | " #waivable " | " message)) \
        fail_msg("docs/conformity.md lacks: %s", #name);
#include "conformity.def"
#undef X
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_review_conforms),
        cmocka_unit_test(each_rule_is_found_alone_and_waived_only_where_it_may_be),
        cmocka_unit_test(absent_people_do_not_count),
        cmocka_unit_test(the_preparer_may_sign_where_four_eyes_are_not_asked_for),
        cmocka_unit_test(a_review_without_anything_has_every_gap),
        cmocka_unit_test(memory_that_runs_out_is_an_error),
        cmocka_unit_test(unknown_rules_cannot_be_waived),
        cmocka_unit_test(every_rule_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
