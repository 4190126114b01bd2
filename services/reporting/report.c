/* report.c: the order and the words of the report; one function a section. */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report_figures.h"
#include "report_inputs.h"
#include "report_kinds.h"
#include "wording.h"

const char *report_person_name(const struct report_facts *facts, const char *id)
{
    for (size_t i = 0; i < facts->people_count; i++)
        if (strcmp(facts->people[i].id, id) == 0)
            return facts->people[i].name;
    return NULL;
}

const char *report_person(const struct report_facts *facts, const char *id)
{
    const char *name = text_is_empty(id) ? or_dash(NULL) : report_person_name(facts, id);

    return name ? name : "(name erased)";
}

static const Isms__Reviews__V1__AgendaItem *agenda_item(const struct report_facts *facts, const char *key)
{
    for (size_t i = 0; i < facts->review->n_agenda; i++)
        if (strcmp(facts->review->agenda[i]->key, key) == 0)
            return facts->review->agenda[i];
    return NULL;
}

struct block *report_section(struct document *document, const struct report_facts *facts, const char *key,
                             const char *title)
{
    const Isms__Reviews__V1__AgendaItem *item = agenda_item(facts, key);
    struct block *section = document_section(document, &document->root, item ? item->title : title,
                                             item && *item->clause ? item->clause : NULL);

    if (item && item->considered)
        document_paragraph(document, section, item->discussion);
    else if (item && item->required)
        document_paragraph(document, section, "Not considered yet.");
    return section;
}

static const char *plural(struct arena *arena, size_t count, const char *one, const char *many)
{
    return arena_printf(arena, "%zu %s", count, count == 1 ? one : many);
}

static void overview(struct document *document, const struct report_facts *facts)
{
    struct arena *arena = document->arena;
    const Isms__Reviews__V1__Review *review = facts->review;
    const Isms__Reviews__V1__Programme *programme = facts->programme;
    struct block *section = document_section(document, &document->root, "Overview", NULL);
    struct block *table = document_facts(document, section);

    document_fact(document, table, "Date of the review",
                  review->open_time ? word_of_time(arena, review->open_time) : review->planned_date);
    document_fact(document, table, "Period under review",
                  review->period
                      ? arena_printf(arena, "%s to %s", review->period->start_date, review->period->end_date)
                      : "");
    document_fact(document, table, "Place", review->location);
    document_fact(document, table, "Chair", report_person(facts, review->chair_id));
    document_fact(document, table, "Prepared by",
                  *review->preparer_id ? report_person(facts, review->preparer_id) : "");
    document_fact(document, table, "Scope of the ISMS", facts->organisation->isms_scope);
    document_fact(document, table, "Programme",
                  arena_printf(arena, "%s, every %s", programme->title,
                               plural(arena, (size_t)programme->interval_months, "month", "months")));
    document_fact(document, table, "Next review", review->next_review_date);
    document_fact(document, table, "Cancelled because", review->cancel_reason);
    report_figures(document, facts, section);
}

/* A management review without top management is none: 0 asks for one. */
static const char *quorum_text(struct arena *arena, const Isms__Reviews__V1__Programme *programme)
{
    int members = programme->quorum_members > 0 ? programme->quorum_members : 1;
    int top = programme->quorum_top_management > 0 ? programme->quorum_top_management : 1;

    return arena_printf(arena, "The quorum is %s, of them %d of top management.%s",
                        plural(arena, (size_t)members, "participant", "participants"), top,
                        programme->four_eyes ? " Whoever prepared the review does not sign it." : "");
}

static void participants(struct document *document, const struct report_facts *facts)
{
    static const char *const columns[] = {"Name", "Capacity", "Top management", "Attendance"};
    struct block *section = document_section(document, &document->root, "Participants", NULL);

    if (facts->review->n_attendance == 0) {
        document_paragraph(document, section, "Nobody's attendance was noted.");
        return;
    }
    document_paragraph(document, section, quorum_text(document->arena, facts->programme));
    struct block *table = document_table(document, section, columns, 4);
    for (size_t i = 0; i < facts->review->n_attendance; i++) {
        const Isms__Reviews__V1__Attendance *one = facts->review->attendance[i];
        document_row(document, table,
                     (struct cell[]){CELL(report_person(facts, one->member_id)), CELL(or_dash(one->capacity)),
                                     one->top_management ? CELL("Yes") : CELL_TONE("–", TONE_MUTED),
                                     one->present ? CELL("Present") : CELL_TONE("Absent", TONE_MUTED)});
    }
}

static void agenda(struct document *document, const struct report_facts *facts)
{
    static const char *const columns[] = {"Item", "Clause", "Considered"};
    struct block *section = document_section(document, &document->root, "Agenda", NULL);
    struct block *table = document_table(document, section, columns, 3);

    for (size_t i = 0; i < facts->review->n_agenda; i++) {
        const Isms__Reviews__V1__AgendaItem *item = facts->review->agenda[i];
        document_row(document, table,
                     (struct cell[]){CELL(item->title), CELL(or_dash(item->clause)),
                                     item->considered ? CELL_TONE("Yes", TONE_GOOD)
                                     : item->required ? CELL_TONE("Not yet", TONE_BAD)
                                                      : CELL_TONE("–", TONE_MUTED)});
    }
}

static const Isms__Actions__V1__Action *frozen_action(const struct report_facts *facts, const char *id)
{
    for (size_t i = 0; facts->actions && i < facts->actions->n_actions; i++) {
        const Isms__Actions__V1__Action *action = facts->actions->actions[i]->action;
        if (action && strcmp(action->id, id) == 0)
            return action;
    }
    return NULL;
}

/* The state, how it got there, and what whoever verified or blocked it had to say. */
static struct cell state_cell(struct arena *arena, const struct report_facts *facts,
                              const Isms__Reviews__V1__PreviousAction *one)
{
    const Isms__Actions__V1__Action *frozen = frozen_action(facts, one->action_id);
    const char *words = !frozen ? "" : *frozen->verification_note ? frozen->verification_note : frozen->reason;
    const char *moved = one->reschedule_count
                            ? arena_printf(arena, ", moved %s",
                                           plural(arena, (size_t)one->reschedule_count, "time", "times"))
                            : "";
    struct cell cell = CELL_DETAIL(word_of_name(arena, one->state),
                                   arena_printf(arena, "%s old%s%s%s",
                                                plural(arena, (size_t)one->age_days, "day", "days"), moved,
                                                *words ? "\n" : "", words));

    cell.tone = strcmp(one->state, "VERIFIED_EFFECTIVE") == 0                                    ? TONE_GOOD
                : strcmp(one->state, "NOT_EFFECTIVE") == 0 || strcmp(one->state, "BLOCKED") == 0 ? TONE_BAD
                : strcmp(one->state, "CANCELLED") == 0                                           ? TONE_MUTED
                                                                                                 : TONE_PLAIN;
    return cell;
}

static struct cell due_cell(struct arena *arena, const Isms__Reviews__V1__PreviousAction *one)
{
    if (one->days_overdue <= 0)
        return CELL(one->due_date);
    return (struct cell){.text = one->due_date,
                         .detail = arena_printf(arena, "%s overdue",
                                                plural(arena, (size_t)one->days_overdue, "day", "days")),
                         .tone = TONE_BAD};
}

static struct cell disposition_cell(struct arena *arena, const Isms__Reviews__V1__PreviousAction *one)
{
    const char *decided =
        word_of_enum(arena, &isms__reviews__v1__disposition__descriptor, (int)one->disposition);

    if (*one->new_due_date)
        decided = arena_printf(arena, "%s to %s", decided, one->new_due_date);
    return CELL_DETAIL(decided, one->note);
}

static void previous_actions(struct document *document, const struct report_facts *facts)
{
    static const char *const columns[] = {"Number", "Action", "Owner", "Due", "Status", "Decided now"};
    struct arena *arena = document->arena;
    struct block *section =
        report_section(document, facts, "previous_actions", "Actions from previous reviews");

    if (facts->review->n_previous_actions == 0) {
        document_paragraph(document, section,
                           *facts->review->action_snapshot_sha256
                               ? "There were no actions from earlier reviews to follow up."
                               : "The status of earlier actions is frozen when the meeting opens.");
        return;
    }
    struct block *table = document_table(document, section, columns, 6);
    for (size_t i = 0; i < facts->review->n_previous_actions; i++) {
        const Isms__Reviews__V1__PreviousAction *one = facts->review->previous_actions[i];
        document_row(document, table,
                     (struct cell[]){CELL(one->number), CELL(one->title),
                                     CELL(report_person(facts, one->owner_id)), due_cell(arena, one),
                                     state_cell(arena, facts, one), disposition_cell(arena, one)});
    }
}

static void decision(struct document *document, const struct report_facts *facts, struct block *parent,
                     const Isms__Reviews__V1__Decision *one)
{
    static const char *const score_columns[] = {"Criterion", "Score", "Note"};
    struct arena *arena = document->arena;
    struct block *section =
        document_section(document, parent, arena_printf(arena, "%s %s", one->number, one->title),
                         word_of_enum(arena, &isms__reviews__v1__decision_kind__descriptor, (int)one->kind));
    document_paragraph(document, section, one->rationale);
    struct block *table = document_facts(document, section);
    document_fact(document, table, "Responsible", report_person(facts, one->owner_id));
    document_fact(document, table, "By", one->due_date);
    document_fact(document, table, "Resources", one->resources);
    const char *inputs = "";
    for (size_t i = 0; inputs && i < one->n_input_ids; i++)
        inputs = arena_printf(arena, "%s%s%s", inputs, i ? "\n" : "",
                              report_input_name(facts, arena, one->input_ids[i]));
    document_fact(document, table, "Rests on", inputs);
    if (one->n_scores > 0) {
        struct block *scores = document_table(document, section, score_columns, 3);
        for (size_t i = 0; i < one->n_scores; i++)
            document_row(document, scores,
                         (struct cell[]){CELL(one->scores[i]->criterion),
                                         CELL(arena_printf(arena, "%d", one->scores[i]->score)),
                                         CELL(one->scores[i]->note)});
    }
}

static void decisions(struct document *document, const struct report_facts *facts)
{
    struct arena *arena = document->arena;
    struct block *section = document_section(document, &document->root,
                                             "Decisions on improvement and changes to the ISMS", "9.3.3");
    const char *criteria = "";
    unsigned taken = 0;

    for (size_t i = 0; criteria && i < facts->programme->n_decision_criteria; i++)
        criteria =
            arena_printf(arena, "%s%s%s", criteria, i ? ", " : "", facts->programme->decision_criteria[i]);
    if (!text_is_empty(criteria))
        document_paragraph(document, section,
                           arena_printf(arena, "The organisation weighs improvements by: %s.", criteria));
    for (size_t i = 0; i < facts->decision_count; i++) {
        if (facts->decisions[i]->withdrawn)
            continue;
        decision(document, facts, section, facts->decisions[i]);
        taken++;
    }
    if (taken == 0)
        document_paragraph(document, section, "No decision was taken.");
}

static void action_items(struct document *document, const struct report_facts *facts)
{
    static const char *const columns[] = {"Number", "Action", "Responsible", "Due", "Priority", "From"};
    struct arena *arena = document->arena;
    struct block *section = document_section(document, &document->root, "Action items and follow-up", NULL);
    struct block *table = NULL;
    unsigned number = 0;

    for (size_t i = 0; i < facts->decision_count; i++) {
        const Isms__Reviews__V1__Decision *one = facts->decisions[i];
        for (size_t j = 0; !one->withdrawn && j < one->n_actions; j++) {
            const Isms__Reviews__V1__DecisionAction *action = one->actions[j];
            const char *priority =
                word_of_enum(arena, &isms__reviews__v1__action_priority__descriptor, (int)action->priority);
            if (!table)
                table = document_table(document, section, columns, 6);
            document_row(document, table,
                         (struct cell[]){CELL(arena_printf(arena, "%s-A%02u", facts->review->number, ++number)),
                                         CELL_DETAIL(action->title, action->description),
                                         CELL(report_person(facts, action->owner_id)),
                                         CELL(or_dash(action->due_date)), CELL(priority), CELL(one->number)});
        }
    }
    if (!table)
        document_paragraph(document, section, "The decisions ask for no actions.");
}

static void conclusions(struct document *document, const struct report_facts *facts)
{
    static const enum tone tones[] = {TONE_PLAIN, TONE_GOOD, TONE_WARNING, TONE_BAD};
    static const char *const columns[] = {"The ISMS", "Verdict", "Reasons"};
    struct arena *arena = document->arena;
    struct block *section = document_section(document, &document->root, "Conclusion", "9.3.1");

    if (facts->review->n_conclusions == 0) {
        document_paragraph(document, section, "No conclusion was drawn yet.");
        return;
    }
    struct block *table = document_table(document, section, columns, 3);
    for (size_t i = 0; i < facts->review->n_conclusions; i++) {
        const Isms__Reviews__V1__Conclusion *one = facts->review->conclusions[i];
        unsigned verdict = (unsigned)one->verdict < 4 ? (unsigned)one->verdict : 0;
        document_row(
            document, table,
            (struct cell[]){
                CELL(word_of_enum(arena, &isms__reviews__v1__aspect__descriptor, (int)one->aspect)),
                CELL_TONE(word_of_enum(arena, &isms__reviews__v1__verdict__descriptor, (int)one->verdict),
                          tones[verdict]),
                CELL(one->reasons)});
    }
}

static void waivers(struct document *document, const struct report_facts *facts)
{
    static const char *const columns[] = {"Gap", "About", "Accepted by", "Reason"};
    struct block *section;
    struct block *table;

    if (facts->review->n_waivers == 0)
        return;
    section = document_section(document, &document->root, "Accepted gaps", NULL);
    table = document_table(document, section, columns, 4);
    for (size_t i = 0; i < facts->review->n_waivers; i++) {
        const Isms__Reviews__V1__Waiver *one = facts->review->waivers[i];
        document_row(document, table,
                     (struct cell[]){CELL(word_of_name(document->arena, one->rule)),
                                     CELL(or_dash(one->subject)), CELL(report_person(facts, one->member_id)),
                                     CELL(one->reason)});
    }
}

static const char *hex_of(struct arena *arena, ProtobufCBinaryData data)
{
    char *text = arena_alloc(arena, 2 * data.len + 1);

    for (size_t i = 0; text && i < data.len; i++)
        snprintf(text + 2 * i, 3, "%02x", data.data[i]);
    return text;
}

static void evidence(struct document *document, const struct report_facts *facts)
{
    struct arena *arena = document->arena;
    struct block *section = document_section(document, &document->root, "Evidence", "9.3.3");
    struct block *table = document_facts(document, section);

    document_fact(document, table, "Inputs frozen at",
                  facts->snapshot ? word_of_time(arena, facts->snapshot->as_of) : "");
    document_fact(document, table, "Hash of the inputs", facts->review->input_snapshot_sha256);
    document_fact(document, table, "Hash of the actions", facts->review->action_snapshot_sha256);
    if (!facts->record) {
        document_paragraph(document, section,
                           "This review is not signed. The report is a draft and no evidence yet.");
        return;
    }
    document_fact(document, table, "Signed by", report_person(facts, facts->signer_id));
    document_fact(document, table, "Signed at", word_of_time(arena, facts->record->sign_time));
    document_fact(document, table, "Hash of the record", facts->record->sha256);
    document_fact(document, table, "Signature (Ed25519)", hex_of(arena, facts->record->signature));
    document_fact(document, table, "Key of the installation", facts->record->key_id);
    if (facts->seal_number > 0) {
        document_fact(document, table, "Last seal of the log",
                      arena_printf(arena, "No. %" PRId64, facts->seal_number));
        document_fact(document, table, "Hash of that seal", facts->seal_sha256);
    }
    document_paragraph(document, section,
                       "Hashes are SHA-256. The record itself, which these belong to, can be "
                       "verified without the service that made it.");
}

static void head(struct document *document, const struct report_facts *facts)
{
    struct arena *arena = document->arena;
    const char *state =
        word_of_enum(arena, &isms__reviews__v1__review_state__descriptor, (int)facts->review->state);

    document->owner = facts->organisation->name;
    document->subtitle = arena_printf(arena, "%s · %s", facts->review->number, facts->review->title);
    if (facts->record) {
        document->status = arena_printf(arena, "Signed by %s, %s", report_person(facts, facts->signer_id),
                                        word_of_time(arena, facts->record->sign_time));
        document->status_tone = TONE_GOOD;
    } else if (facts->review->state == ISMS__REVIEWS__V1__REVIEW_STATE__REVIEW_STATE_CANCELLED) {
        document->status = state;
        document->status_tone = TONE_MUTED;
    } else {
        document->status = arena_printf(arena, "Draft, not signed: %s", state);
        document->status_tone = TONE_WARNING;
    }
}

/* Items that an organisation added to its agenda: the sections above are those of the standard one. */
static void other_items(struct document *document, const struct report_facts *facts)
{
    static const char *const standard[] = {
        "opening", "previous_minutes", "previous_actions", "context", "interested_parties", "nonconformities",
        "measurements", "audits", "objectives", "feedback", "risks", "improvement", "policy", "resources",
        "closing"};

    for (size_t i = 0; i < facts->review->n_agenda; i++) {
        const char *key = facts->review->agenda[i]->key;
        bool known = false;
        for (size_t j = 0; j < ARRAY_SIZE(standard); j++)
            known |= strcmp(key, standard[j]) == 0;
        if (!known)
            report_section(document, facts, key, key);
    }
}

void report_build(const struct report_facts *facts, struct document *document)
{
    head(document, facts);
    overview(document, facts);
    conclusions(document, facts);
    participants(document, facts);
    agenda(document, facts);
    report_section(document, facts, "opening", "Opening");
    report_section(document, facts, "previous_minutes", "Previous minutes");
    previous_actions(document, facts);
    report_inputs_build(facts, document);
    other_items(document, facts);
    decisions(document, facts);
    action_items(document, facts);
    report_section(document, facts, "closing", "Closing");
    if (*facts->review->minutes)
        document_paragraph(document, document_section(document, &document->root, "Minutes", NULL),
                           facts->review->minutes);
    waivers(document, facts);
    evidence(document, facts);
}
