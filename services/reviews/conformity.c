/* conformity.c: one function a part of the review, each adding the gaps it finds to one list. */
#include "conformity.h"

#include <string.h>
#include <strings.h>

#include <isms/base/bug.h>

static const struct {
    const char *name;
    const char *clause;
    bool blocking;
    bool waivable;
    const char *text;
} rules[] = {
#define X(name, clause, blocking, waivable, text) {#name, clause, blocking, waivable, text},
#include "conformity.def"
#undef X
};

/* The list being made; as long as the longest that the facts allow. */
struct gaps {
    const struct conformity_facts *facts;
    struct arena *arena;
    Isms__Reviews__V1__Gap **items;
    size_t count;
    size_t max;
};

const char *conformity_rule_name(enum conformity_rule rule)
{
    return rules[rule].name;
}

bool conformity_rule_is_waivable(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
        if (strcmp(rules[i].name, name) == 0)
            return rules[i].waivable;
    return false;
}

static bool is_waived(const Isms__Reviews__V1__Review *review, enum conformity_rule rule, const char *subject)
{
    for (size_t i = 0; i < review->n_waivers; i++)
        if (strcmp(review->waivers[i]->rule, rules[rule].name) == 0 &&
            strcmp(review->waivers[i]->subject, subject) == 0)
            return rules[rule].waivable;
    return false;
}

/* `clause` NULL: the rule's own. */
static void gap_add(struct gaps *gaps, enum conformity_rule rule, const char *subject, const char *clause)
{
    BUG_IF(gaps->count == gaps->max);
    Isms__Reviews__V1__Gap *gap = ARENA_NEW(gaps->arena, Isms__Reviews__V1__Gap);
    if (!gap)
        return; /* the arena remembers */
    isms__reviews__v1__gap__init(gap);
    gap->rule = (char *)rules[rule].name;
    gap->subject = (char *)subject;
    gap->clause = (char *)(clause && clause[0] ? clause : rules[rule].clause);
    gap->message = (char *)rules[rule].text;
    gap->blocking = rules[rule].blocking;
    gap->waived = is_waived(gaps->facts->review, rule, subject);
    gaps->items[gaps->count++] = gap;
}

static bool is_active(const struct conformity_facts *facts, const char *member_id)
{
    for (size_t i = 0; i < facts->participant_count; i++)
        if (strcasecmp(facts->participants[i]->id, member_id) == 0) /* decisions hold ids as they were sent */
            return facts->participants[i]->active;
    return false;
}

static void attendance_check(struct gaps *gaps)
{
    const Isms__Reviews__V1__Review *review = gaps->facts->review;
    const Isms__Reviews__V1__Programme *programme = gaps->facts->programme;
    int members = 0;
    int top_management = 0;
    bool chair = false;
    for (size_t i = 0; i < review->n_attendance; i++) {
        const Isms__Reviews__V1__Attendance *attendance = review->attendance[i];
        if (!attendance->present)
            continue;
        members++;
        top_management += attendance->top_management;
        chair |= strcmp(attendance->member_id, review->chair_id) == 0;
    }
    if (top_management < (programme->quorum_top_management > 0 ? programme->quorum_top_management : 1))
        gap_add(gaps, RULE_NO_TOP_MANAGEMENT, "", NULL);
    if (members < (programme->quorum_members > 0 ? programme->quorum_members : 1))
        gap_add(gaps, RULE_NO_QUORUM, "", NULL);
    if (!chair)
        gap_add(gaps, RULE_CHAIR_ABSENT, "", NULL);
}

static void agenda_check(struct gaps *gaps)
{
    const Isms__Reviews__V1__Review *review = gaps->facts->review;
    for (size_t i = 0; i < review->n_agenda; i++)
        if (review->agenda[i]->required && !review->agenda[i]->considered)
            gap_add(gaps, RULE_AGENDA_ITEM_NOT_CONSIDERED, review->agenda[i]->key, review->agenda[i]->clause);
}

static void previous_actions_check(struct gaps *gaps)
{
    const Isms__Reviews__V1__Review *review = gaps->facts->review;
    for (size_t i = 0; i < review->n_previous_actions; i++) {
        const Isms__Reviews__V1__PreviousAction *action = review->previous_actions[i];
        if (action->disposition == ISMS__REVIEWS__V1__DISPOSITION__DISPOSITION_UNSPECIFIED)
            gap_add(gaps, RULE_PREVIOUS_ACTION_OPEN, action->action_id, NULL);
        else if (action->disposition == ISMS__REVIEWS__V1__DISPOSITION__DISPOSITION_REPLAN &&
                 !action->new_due_date[0])
            gap_add(gaps, RULE_REPLAN_WITHOUT_DATE, action->action_id, NULL);
    }
}

static void conclusions_check(struct gaps *gaps)
{
    static const struct {
        Isms__Reviews__V1__Aspect aspect;
        const char *name;
    } aspects[] = {
        {ISMS__REVIEWS__V1__ASPECT__ASPECT_SUITABILITY, "SUITABILITY"},
        {ISMS__REVIEWS__V1__ASPECT__ASPECT_ADEQUACY, "ADEQUACY"},
        {ISMS__REVIEWS__V1__ASPECT__ASPECT_EFFECTIVENESS, "EFFECTIVENESS"},
    };
    const Isms__Reviews__V1__Review *review = gaps->facts->review;
    for (size_t i = 0; i < ARRAY_SIZE(aspects); i++) {
        bool found = false;
        for (size_t j = 0; j < review->n_conclusions; j++)
            found |= review->conclusions[j]->aspect == aspects[i].aspect;
        if (!found)
            gap_add(gaps, RULE_CONCLUSION_MISSING, aspects[i].name, NULL);
    }
}

/* A proposed action is named by its decision's number and its place: "MR-2026-01-D02/1". */
static void proposed_actions_check(struct gaps *gaps, const Isms__Reviews__V1__Decision *decision)
{
    for (size_t i = 0; i < decision->n_actions; i++) {
        const Isms__Reviews__V1__DecisionAction *action = decision->actions[i];
        const char *subject = arena_printf(gaps->arena, "%s/%zu", decision->number, i + 1);
        if (!subject)
            return;
        if (!is_active(gaps->facts, action->owner_id))
            gap_add(gaps, RULE_ACTION_WITHOUT_OWNER, subject, NULL);
        if (!action->due_date[0])
            gap_add(gaps, RULE_ACTION_WITHOUT_DUE_DATE, subject, NULL);
    }
}

static void decisions_check(struct gaps *gaps)
{
    const struct conformity_facts *facts = gaps->facts;
    bool decided = false;
    for (size_t i = 0; i < facts->decision_count; i++) {
        const Isms__Reviews__V1__Decision *decision = facts->decisions[i];
        if (decision->withdrawn)
            continue;
        decided = true;
        if (!is_active(facts, decision->owner_id))
            gap_add(gaps, RULE_DECISION_WITHOUT_OWNER, decision->number, NULL);
        if (!decision->due_date[0])
            gap_add(gaps, RULE_DECISION_WITHOUT_DUE_DATE, decision->number, NULL);
        proposed_actions_check(gaps, decision);
    }
    if (!decided)
        gap_add(gaps, RULE_NO_DECISION, "", NULL);
}

/* The named preparer, and who did the preparing under another's name. */
static bool signer_prepared(const struct conformity_facts *facts)
{
    const char *signer = facts->signer_id;
    if (!signer[0])
        return false;
    for (size_t i = 0; i < facts->participant_count; i++)
        if (facts->participants[i]->prepared && strcmp(facts->participants[i]->id, signer) == 0)
            return true;
    return strcmp(facts->review->preparer_id, signer) == 0;
}

static void review_check(struct gaps *gaps)
{
    const Isms__Reviews__V1__Review *review = gaps->facts->review;
    if (!review->input_snapshot_sha256[0] || !review->action_snapshot_sha256[0])
        gap_add(gaps, RULE_SNAPSHOT_MISSING, "", NULL);
    attendance_check(gaps);
    agenda_check(gaps);
    previous_actions_check(gaps);
    conclusions_check(gaps);
    decisions_check(gaps);
    if (!review->minutes[0])
        gap_add(gaps, RULE_MINUTES_MISSING, "", NULL);
    if (gaps->facts->programme->four_eyes && signer_prepared(gaps->facts))
        gap_add(gaps, RULE_PREPARER_SIGNS, "", NULL);
    if (!review->next_review_date[0])
        gap_add(gaps, RULE_NO_NEXT_REVIEW_DATE, "", NULL);
}

/* Each rule once, and every item of the lists with all that can be wrong with it. */
static size_t gaps_max(const struct conformity_facts *facts)
{
    size_t max = CONFORMITY_RULE_COUNT + 2 /* more aspects */ + facts->review->n_agenda +
                 facts->review->n_previous_actions + 2 * facts->decision_count;
    for (size_t i = 0; i < facts->decision_count; i++)
        max += 2 * facts->decisions[i]->n_actions;
    return max;
}

int conformity_check(const struct conformity_facts *facts, struct arena *arena,
                     Isms__Reviews__V1__Conformity *ret_conformity, struct err *err)
{
    struct gaps gaps = {.facts = facts, .arena = arena, .max = gaps_max(facts)};
    gaps.items = ARENA_ARRAY(arena, gaps.max, Isms__Reviews__V1__Gap *);
    if (gaps.items)
        review_check(&gaps);
    if (arena_exhausted(arena))
        return err_setf(err, ERR_MESSAGE_TOO_LARGE, "The review needs more memory than a call may use.");
    ret_conformity->gaps = gaps.items;
    ret_conformity->n_gaps = gaps.count;
    ret_conformity->conforming = true;
    for (size_t i = 0; i < gaps.count; i++)
        if (gaps.items[i]->blocking && !gaps.items[i]->waived)
            ret_conformity->conforming = false;
    return 0;
}
