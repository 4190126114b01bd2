/* report_kinds.c: one table a kind of input.
 *
 * A kind is a row of `kinds`: its columns and the function that fills a row's cells. Every frozen input is in
 * the report: nothing is cut off silently. */
#include "report_kinds.h"

#include <string.h>

#include <isms/base/clock.h>

#include "report_inputs.h"
#include "wording.h"

enum { COLUMNS_MAX = 6 };

/* What a row's cells are made from. */
struct source {
    const struct report_facts *facts;
    struct arena *arena;
    const Isms__Inputs__V1__Input *input;
};

struct kind {
    Isms__Inputs__V1__InputKind kind;
    bool expected; /* clause 9.3.2 asks for it by name: that there is none is said */
    const char *title;
    const char *columns[COLUMNS_MAX]; /* after number and title */
    void (*fill)(const struct source *from, struct cell *cells);
};

#define WORD(type, value) CELL(word_of_enum(from->arena, &isms__inputs__v1__##type##__descriptor, (int)(value)))

/* The word of an enum whose values each have a tone; `tones` begins with that of UNSPECIFIED. */
#define WORD_TONE(type, value, ...)                                                                          \
    CELL_TONE(WORD(type, value).text,                                                                        \
              tone_of((const enum tone[]){__VA_ARGS__}, sizeof((const enum tone[]){__VA_ARGS__}), (int)(value)))

static enum tone tone_of(const enum tone *tones, size_t size, int value)
{
    return value >= 0 && (size_t)value < size / sizeof *tones ? tones[value] : TONE_PLAIN;
}

/* --- what several kinds have ---------------------------------------------------------------------------------- */

/* How much it matters, beside something else. */
static struct cell severity_beside(const struct source *from, const char *text)
{
    struct cell cell = CELL(text);
    Isms__Inputs__V1__Severity severity = from->input->severity;

    if (severity != ISMS__INPUTS__V1__SEVERITY__SEVERITY_UNSPECIFIED)
        cell.detail = arena_printf(from->arena, "%s severity", WORD(severity, severity).text);
    if (severity >= ISMS__INPUTS__V1__SEVERITY__SEVERITY_HIGH)
        cell.tone = TONE_BAD;
    return cell;
}

static struct cell state_cell(const struct source *from)
{
    const Isms__Inputs__V1__Input *input = from->input;
    struct cell cell = WORD(input_state, input->state);

    if (input->state == ISMS__INPUTS__V1__INPUT_STATE__INPUT_STATE_CLOSED)
        cell = (struct cell){.text = "Closed", .detail = input->closed_date, .tone = TONE_MUTED};
    else if (*input->due_date)
        cell.detail = arena_printf(from->arena, "due %s", input->due_date);
    return cell;
}

static const char *owner_of(const struct source *from)
{
    const Isms__Inputs__V1__Input *input = from->input;

    return or_dash(*input->owner_name ? input->owner_name : report_person_name(from->facts, input->owner_id));
}

static const Isms__Inputs__V1__Input *input_find(const struct report_facts *facts, const char *id)
{
    for (size_t i = 0; i < facts->input_count; i++)
        if (strcmp(facts->inputs[i]->id, id) == 0)
            return facts->inputs[i];
    return NULL;
}

const char *report_input_name(const struct report_facts *facts, struct arena *arena, const char *id)
{
    const Isms__Inputs__V1__Input *input = input_find(facts, id);

    return input ? arena_printf(arena, "%s %s", input->number, input->title) : id;
}

/* Of an input that was not frozen nothing is known here but that it is referred to. */
static const char *input_number(const struct source *from, const char *id)
{
    const Isms__Inputs__V1__Input *input = input_find(from->facts, id);

    return input ? input->number : or_dash(NULL);
}

static const char *cause_text(const Isms__Inputs__V1__Cause *cause)
{
    return or_dash(cause ? cause->description : NULL);
}

/* By which method it was found; NULL: not said. */
static const char *cause_method(const struct source *from, const Isms__Inputs__V1__Cause *cause)
{
    if (!cause || !cause->method)
        return NULL;
    return *cause->method_name ? cause->method_name : WORD(cause_method, cause->method).text;
}

/* In groups of three, as ISO 80000-1 writes numbers: with narrow blanks at which no line breaks. */
static const char *grouped(struct arena *arena, int64_t number)
{
    if (number < 1000)
        return arena_printf(arena, "%lld", (long long)number);
    return arena_printf(arena, "%s\u202f%03lld", grouped(arena, number / 1000), (long long)(number % 1000));
}

static const char *money(const struct source *from, const Isms__Type__V1__Money *amount)
{
    if (!amount)
        return or_dash(NULL);
    return arena_printf(from->arena, "%s %s.%02lld", amount->currency, grouped(from->arena, amount->hundredths / 100),
                        (long long)(amount->hundredths % 100));
}

/* "on 2026-03-01", for the small print; NULL for no day. */
static const char *on_day(const struct source *from, const char *day)
{
    return *day ? arena_printf(from->arena, "on %s", day) : NULL;
}

/* "2.5 of 5, target 4"; NULL: not scored. */
static const char *score_text(const struct source *from, double score, double target, double maximum)
{
    if (maximum <= 0)
        return NULL;
    return target > 0 ? arena_printf(from->arena, "%.4g of %.4g, target %.4g", score, maximum, target)
                      : arena_printf(from->arena, "%.4g of %.4g", score, maximum);
}

/* --- 9.3.2 b) to d) --------------------------------------------------------------------------------------------- */

static void context_issue(const struct source *from, struct cell *cells)
{
    const Isms__Inputs__V1__ContextIssue *one = from->input->context_issue;
    const Isms__Inputs__V1__RiskImpact *impact = from->input->risk_impact;

    cells[0] = WORD(context_issue__origin, one->origin);
    cells[1] = WORD(context_issue__topic, one->topic);
    cells[2] = CELL(or_dash(one->impact));
    cells[3] = impact ? WORD_TONE(risk_impact__disposition, impact->disposition, TONE_PLAIN, TONE_WARNING)
                      : CELL(or_dash(NULL));
    if (one->change)
        cells[0].detail = WORD(change, one->change).text;
    if (one->effect)
        cells[1].detail = WORD(context_issue__effect, one->effect).text;
    if (impact && impact->n_risk_ids > 0)
        cells[3].detail = input_number(from, impact->risk_ids[0]);
}

static void requirement(const struct source *from, struct cell *cells)
{
    const Isms__Inputs__V1__Requirement *one = from->input->requirement;

    cells[0] = CELL_DETAIL(one->interested_party, one->reference);
    cells[1] = WORD(change, one->change);
    cells[2] = WORD_TONE(requirement__addressing, one->addressing, TONE_PLAIN, TONE_BAD, TONE_WARNING, TONE_WARNING,
                         TONE_GOOD, TONE_MUTED);
    cells[3] = CELL(or_dash(one->how_addressed));
}

static void nonconformity(const struct source *from, struct cell *cells)
{
    const Isms__Inputs__V1__Nonconformity *one = from->input->nonconformity;

    cells[0] = severity_beside(from, WORD(grade, one->grade).text);
    cells[1] = CELL_DETAIL(cause_text(one->cause), cause_method(from, one->cause));
    cells[2] = CELL(or_dash(one->corrective_action));
    cells[3] = state_cell(from);
    if (one->effectiveness)
        cells[3].detail = arena_printf(from->arena, "%s\n%s", cells[3].detail ? cells[3].detail : "",
                                       WORD(effectiveness, one->effectiveness).text);
}

/* "3 hours": how long after the first the second was, in the largest fitting unit. */
static const char *time_between(const struct source *from, const Google__Protobuf__Timestamp *first,
                                const Google__Protobuf__Timestamp *second)
{
    static const struct {
        const char *unit;
        double seconds;
    } units[] = {{"days", 86400}, {"hours", 3600}, {"minutes", 60}};
    double seconds = (double)(second->seconds - first->seconds);
    size_t i = 0;

    while (i + 1 < ARRAY_SIZE(units) && seconds < 2 * units[i].seconds)
        i++;
    return arena_printf(from->arena, "%.0f %s", seconds / units[i].seconds, units[i].unit);
}

/* When it was noticed, and how long it took from where it began. */
static struct cell incident_times(const struct source *from)
{
    const Isms__Inputs__V1__Incident *one = from->input->incident;
    const Google__Protobuf__Timestamp *start = one->occurred_time ? one->occurred_time : one->detected_time;
    struct cell cell = CELL(or_dash(start ? word_of_time(from->arena, start) : from->input->effective_date));
    const char *noticed = "";

    if (start && one->detected_time && start != one->detected_time)
        noticed = arena_printf(from->arena, "noticed after %s", time_between(from, start, one->detected_time));
    if (start && one->resolved_time)
        cell.detail = arena_printf(from->arena, "%s%sresolved after %s", noticed, *noticed ? "\n" : "",
                                   time_between(from, start, one->resolved_time));
    else if (*noticed)
        cell.detail = noticed;
    return cell;
}

static const char *incident_affected(const struct source *from)
{
    const Isms__Inputs__V1__Incident *one = from->input->incident;
    const struct {
        bool affected;
        const char *what;
    } all[] = {{one->confidentiality_affected, "confidentiality"},
               {one->integrity_affected, "integrity"},
               {one->availability_affected, "availability"},
               {one->personal_data_affected, "personal data"}};
    const char *text = "";

    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        if (all[i].affected)
            text = arena_printf(from->arena, "%s%s%s", text, *text ? ", " : "affects ", all[i].what);
    return text;
}

static void incident(const struct source *from, struct cell *cells)
{
    const Isms__Inputs__V1__Incident *one = from->input->incident;

    cells[0] = severity_beside(from, or_dash(one->category));
    cells[1] = incident_times(from);
    cells[2] = CELL_DETAIL(or_dash(one->impact), incident_affected(from));
    cells[3] = CELL(cause_text(one->cause));
    cells[4] = CELL(or_dash(one->lessons_learned));
    cells[5] = state_cell(from);
}

#define VERDICT_TONES TONE_PLAIN, TONE_MUTED, TONE_GOOD, TONE_WARNING, TONE_BAD

static void control(const struct source *from, struct cell *cells)
{
    const Isms__Inputs__V1__Control *one = from->input->control;

    cells[0] = CELL(one->reference);
    cells[1] = WORD_TONE(control__verdict, one->design, VERDICT_TONES);
    cells[2] = WORD_TONE(control__verdict, one->operation, VERDICT_TONES);
    cells[3] = CELL_DETAIL(or_dash(one->test), on_day(from, one->tested_date));
    cells[4] = CELL_DETAIL(or_dash(one->result),
                           score_text(from, one->score, one->target_score, one->maximum_score));
}

static const char *share(const struct source *from, int part, int whole)
{
    if (whole == 0)
        return or_dash(NULL);
    return arena_printf(from->arena, "%d of %d (%.0f %%)", part, whole, 100.0 * part / whole);
}

static void training(const struct source *from, struct cell *cells)
{
    const Isms__Inputs__V1__Training *one = from->input->training;

    cells[0] = WORD(training__type, one->type);
    cells[0].detail = from->input->effective_date;
    cells[1] = CELL(or_dash(one->audience));
    cells[2] = CELL(share(from, one->completed, one->invited));
    cells[3] = one->passed ? CELL(share(from, one->passed, one->completed)) : CELL(or_dash(NULL));
    cells[4] = WORD_TONE(effectiveness, one->effectiveness, TONE_PLAIN, TONE_MUTED, TONE_GOOD, TONE_BAD);
    cells[5] = CELL(or_dash(one->result));
}

static void audit(const struct source *from, struct cell *cells)
{
    const Isms__Inputs__V1__Audit *one = from->input->audit;

    cells[0] = WORD(audit__type, one->type);
    cells[1] = CELL(or_dash(from->input->effective_date));
    cells[2] = CELL(or_dash(one->auditor));
    cells[3] = CELL(or_dash(one->conclusion));
    if (one->verdict)
        cells[3].detail = WORD(audit__verdict, one->verdict).text;
}

static void finding(const struct source *from, struct cell *cells)
{
    const Isms__Inputs__V1__Finding *one = from->input->finding;

    cells[0] = severity_beside(from, WORD(grade, one->grade).text);
    cells[1] = CELL(or_dash(one->reference));
    cells[2] = CELL(input_number(from, one->audit_id));
    cells[3] = CELL(or_dash(*one->response ? one->response : one->recommendation));
    cells[4] = state_cell(from);
}

static void compliance(const struct source *from, struct cell *cells)
{
    const Isms__Inputs__V1__Compliance *one = from->input->compliance;

    cells[0] = CELL_DETAIL(one->framework, one->reference);
    cells[1] = WORD_TONE(compliance__status, one->status, TONE_PLAIN, TONE_WARNING, TONE_GOOD, TONE_WARNING, TONE_BAD,
                         TONE_MUTED);
    cells[1].detail = on_day(from, one->assessed_date);
    cells[2] = CELL_DETAIL(or_dash(one->gap), score_text(from, one->score, one->target_score, one->maximum_score));
    cells[3] = CELL(or_dash(one->plan));
    cells[4] = state_cell(from);
}

static void objective(const struct source *from, struct cell *cells)
{
    const Isms__Inputs__V1__Objective *one = from->input->objective;

    cells[0] = CELL(or_dash(one->measure));
    cells[1] = CELL(or_dash(one->target));
    cells[2] = CELL(or_dash(one->current));
    cells[3] = WORD_TONE(objective__attainment, one->attainment, TONE_PLAIN, TONE_MUTED, TONE_GOOD, TONE_WARNING,
                         TONE_BAD, TONE_GOOD);
    if (one->percent_attained)
        cells[3].detail = arena_printf(from->arena, "%d %% of the way", one->percent_attained);
    cells[4] = CELL(or_dash(one->business_goal));
}

/* --- 9.3.2 e) to g), and what the management system needs ------------------------------------------------------ */

static void feedback(const struct source *from, struct cell *cells)
{
    const Isms__Inputs__V1__Feedback *one = from->input->feedback;

    cells[0] = CELL(one->interested_party);
    cells[1] = CELL_DETAIL(or_dash(one->channel), one->theme);
    cells[2] =
        WORD_TONE(feedback__sentiment, one->sentiment, TONE_PLAIN, TONE_BAD, TONE_WARNING, TONE_PLAIN, TONE_GOOD);
    cells[3] = CELL_DETAIL(or_dash(one->response), on_day(from, one->responded_date));
}

static int level_of(const Isms__Inputs__V1__RiskLevel *one)
{
    return one ? one->level : 0;
}

static struct cell level_cell(const struct source *from, const Isms__Inputs__V1__RiskLevel *one)
{
    if (level_of(one) == 0)
        return CELL(or_dash(NULL));
    return CELL_DETAIL(arena_printf(from->arena, "%d", one->level), one->band);
}

static struct cell current_level_cell(const struct source *from)
{
    const Isms__Inputs__V1__Risk *one = from->input->risk;
    struct cell cell = level_cell(from, one->current);

    if (level_of(one->current) == 0)
        return CELL("Not assessed");
    if (one->above_appetite)
        cell.detail = arena_printf(from->arena, "%s%sabove the appetite", cell.detail, *cell.detail ? ", " : "");
    cell.tone = one->above_appetite                                                           ? TONE_BAD
                : level_of(one->target) > 0 && level_of(one->current) > level_of(one->target) ? TONE_WARNING
                                                                                              : TONE_PLAIN;
    return cell;
}

static void risk(const struct source *from, struct cell *cells)
{
    const Isms__Inputs__V1__Risk *one = from->input->risk;

    cells[0] = level_cell(from, one->inherent);
    cells[1] = current_level_cell(from);
    cells[2] = level_cell(from, one->residual);
    cells[3] = level_cell(from, one->target);
    cells[4] = WORD(risk_response, one->response);
    if (one->novelty > ISMS__INPUTS__V1__RISK__NOVELTY__NOVELTY_KNOWN)
        cells[4].detail = WORD(risk__novelty, one->novelty).text;
    cells[5] = CELL(owner_of(from));
}

static void treatment(const struct source *from, struct cell *cells)
{
    const Isms__Inputs__V1__Treatment *one = from->input->treatment;

    cells[0] = CELL(input_number(from, one->risk_id));
    cells[1] = CELL(or_dash(one->control));
    cells[2] = CELL(arena_printf(from->arena, "%d %%", one->percent_complete));
    if (one->cost)
        cells[2].detail = money(from, one->cost);
    cells[3] = state_cell(from);
    cells[4] = CELL(or_dash(one->status_note));
}

static void improvement(const struct source *from, struct cell *cells)
{
    const Isms__Inputs__V1__Improvement *one = from->input->improvement;

    cells[0] = CELL(or_dash(one->benefit));
    cells[1] = CELL(or_dash(one->effort));
    cells[2] = CELL(money(from, one->cost));
    cells[3] = CELL(one->score > 0 ? arena_printf(from->arena, "%.4g", one->score) : or_dash(NULL));
}

static void outcome(const struct source *from, struct cell *cells)
{
    const Isms__Inputs__V1__Outcome *one = from->input->outcome;

    cells[0] = CELL_DETAIL(input_number(from, one->improvement_id), one->decision_number);
    cells[1] = CELL(or_dash(one->expected));
    cells[2] = CELL(or_dash(one->result));
    cells[3] = WORD_TONE(outcome__verdict, one->verdict, TONE_PLAIN, TONE_MUTED, TONE_GOOD, TONE_WARNING, TONE_BAD);
}

/* The day that the inputs were frozen. */
static bool is_past(const struct source *from, const char *day)
{
    char today[CLOCK_DATE_SIZE];

    if (!*day || !from->facts->snapshot || !from->facts->snapshot->as_of)
        return false;
    date_format(date_of(from->facts->snapshot->as_of->seconds * 1000000), today);
    return strcmp(day, today) < 0;
}

static void policy(const struct source *from, struct cell *cells)
{
    const Isms__Inputs__V1__Policy *one = from->input->policy;
    const char *due = from->input->due_date;

    cells[0] = WORD(policy__type, one->type);
    cells[1] = CELL(or_dash(one->version));
    cells[1].detail = one->status ? WORD(policy__status, one->status).text : NULL;
    cells[2] = is_past(from, due) ? (struct cell){.text = due, .detail = "overdue", .tone = TONE_BAD}
                                  : CELL(or_dash(due));
    cells[3] = CELL(owner_of(from));
    cells[4] = CELL(or_dash(one->change_needed));
}

static void resource(const struct source *from, struct cell *cells)
{
    const Isms__Inputs__V1__Resource *one = from->input->resource;

    cells[0] = WORD(resource__type, one->type);
    cells[1] = WORD_TONE(resource__adequacy, one->adequacy, TONE_PLAIN, TONE_GOOD, TONE_WARNING, TONE_BAD);
    cells[2] = CELL(or_dash(one->need));
    cells[3] = CELL(money(from, one->planned));
    cells[4] = CELL(money(from, one->used));
    if (one->used && one->planned && one->planned->hundredths > 0)
        cells[4].detail = arena_printf(from->arena, "%.0f %% of the plan",
                                       100 * (double)one->used->hundredths / (double)one->planned->hundredths);
}

/* --- the tables ----------------------------------------------------------------------------------------------- */

static const struct kind kinds[] = {
    {KIND(CONTEXT_ISSUE), true, NULL, {"Origin", "Topic", "Impact on the ISMS", "Risk"}, context_issue},
    {KIND(REQUIREMENT), true, NULL, {"Interested party", "Change", "Addressed", "How"}, requirement},
    {KIND(NONCONFORMITY), true, NULL, {"Grade", "Cause", "Corrective action", "Status"}, nonconformity},
    {KIND(INCIDENT), false, "Information security incidents",
     {"Category", "Began", "Impact", "Cause", "Lessons learned", "State"}, incident},
    {KIND(CONTROL), false, "Effectiveness of controls", {"Control", "Design", "Operation", "Test", "Result"}, control},
    {KIND(TRAINING), false, "Training and awareness",
     {"Type", "Audience", "Completed", "Passed", "Effect", "Result"}, training},
    {KIND(AUDIT), true, "Audits", {"Type", "Date", "Auditor", "Conclusion"}, audit},
    {KIND(FINDING), true, "Findings", {"Grade", "Reference", "Audit", "Response", "State"}, finding},
    {KIND(COMPLIANCE), false, "Compliance", {"Requirement", "Status", "Gap", "Plan", "State"}, compliance},
    {KIND(OBJECTIVE), true, NULL, {"Measure", "Target", "Now", "Attainment", "Business goal"}, objective},
    {KIND(FEEDBACK), true, NULL, {"From", "Channel", "Sentiment", "Response"}, feedback},
    {KIND(RISK), true, "Risks", {"Inherent", "Current", "Residual", "Target", "Response", "Owner"}, risk},
    {KIND(TREATMENT), true, "Risk treatment plan", {"Risk", "Control", "Done", "State", "Status"}, treatment},
    {KIND(IMPROVEMENT), true, NULL, {"Benefit", "Effort", "Cost", "Score"}, improvement},
    {KIND(OUTCOME), false, "Results of earlier improvements", {"Improvement", "Expected", "Result", "Verdict"},
     outcome},
    {KIND(POLICY), false, NULL, {"Type", "Version", "Next review", "Owner", "Change needed"}, policy},
    {KIND(RESOURCE), false, NULL, {"Type", "Adequacy", "Need", "Planned", "Used"}, resource},
};

/* Columns of the table: number, title, the kind's own. */
static const char **columns_of(struct arena *arena, const struct kind *kind, unsigned *ret_count)
{
    const char **columns = ARENA_ARRAY(arena, COLUMNS_MAX + 2, const char *);
    unsigned count = 0;

    while (count < COLUMNS_MAX && kind->columns[count])
        count++;
    if (columns) {
        columns[0] = "Number";
        columns[1] = "Title";
        memcpy(columns + 2, kind->columns, count * sizeof *columns);
    }
    *ret_count = count + 2;
    return columns;
}

void report_kind_build(const struct report_facts *facts, struct document *document, struct block *section,
                       Isms__Inputs__V1__InputKind wanted)
{
    const struct kind *kind = kinds;
    struct block *table = NULL;

    while (kind->kind != wanted)
        kind++;
    for (size_t i = 0; i < facts->input_count; i++) {
        const Isms__Inputs__V1__Input *input = facts->inputs[i];
        struct source from = {.facts = facts, .arena = document->arena, .input = input};
        struct cell cells[COLUMNS_MAX + 2] = {CELL(input->number), CELL_DETAIL(input->title, input->summary)};
        if (input->kind != wanted || input->detail_case == ISMS__INPUTS__V1__INPUT__DETAIL__NOT_SET)
            continue;
        if (!table) {
            unsigned count;
            const char **columns = columns_of(document->arena, kind, &count);
            if (kind->title)
                section = document_section(document, section, kind->title, NULL);
            table = document_table(document, section, columns, count);
        }
        kind->fill(&from, cells + 2);
        document_row(document, table, cells);
    }
    if (!table && kind->expected)
        document_paragraph(document, section,
                           facts->snapshot ? "Nothing of this kind was recorded for the period."
                                           : "The inputs are frozen when the meeting opens.");
}
