/* report_inputs.c: one table a kind of input, in the order of clause 9.3.2, and the trends.
 *
 * A kind is a row of `kinds`: its columns and the function that fills a row's cells. Every frozen input is in
 * the report: nothing is cut off silently. */
#include "report_inputs.h"

#include <stdlib.h>
#include <string.h>

#include <isms/base/clock.h>

#include "wording.h"

enum { COLUMNS_MAX = 6 };

struct kind {
    Isms__Inputs__V1__InputKind kind;
    const char *title;
    const char *columns[COLUMNS_MAX]; /* after number and title */
    void (*fill)(const struct report_facts *facts, struct arena *arena, const Isms__Inputs__V1__Input *input,
                 struct cell *cells);
};

#define WORD(type, value) CELL(word_of_enum(arena, &isms__inputs__v1__##type##__descriptor, (int)(value)))

/* The grade, and how much it matters. */
static struct cell grade_cell(struct arena *arena, const Isms__Inputs__V1__Input *input, const char *grade)
{
    struct cell cell = CELL(grade);

    if (input->severity != ISMS__INPUTS__V1__SEVERITY__SEVERITY_UNSPECIFIED)
        cell.detail =
            arena_printf(arena, "%s severity",
                         word_of_enum(arena, &isms__inputs__v1__severity__descriptor, (int)input->severity));
    if (input->severity >= ISMS__INPUTS__V1__SEVERITY__SEVERITY_HIGH)
        cell.tone = TONE_BAD;
    return cell;
}

static struct cell state_cell(struct arena *arena, const Isms__Inputs__V1__Input *input)
{
    struct cell cell = WORD(input_state, input->state);

    if (input->state == ISMS__INPUTS__V1__INPUT_STATE__INPUT_STATE_CLOSED)
        cell = (struct cell){.text = "Closed", .detail = input->closed_date, .tone = TONE_MUTED};
    else if (*input->due_date)
        cell.detail = arena_printf(arena, "due %s", input->due_date);
    return cell;
}

static const char *owner_of(const struct report_facts *facts, const Isms__Inputs__V1__Input *input)
{
    return or_dash(*input->owner_name ? input->owner_name : report_person_name(facts, input->owner_id));
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
static const char *input_number(const struct report_facts *facts, const char *id)
{
    const Isms__Inputs__V1__Input *input = input_find(facts, id);

    return input ? input->number : or_dash(NULL);
}

static void context_issue(const struct report_facts *facts UNUSED, struct arena *arena,
                          const Isms__Inputs__V1__Input *input, struct cell *cells)
{
    cells[0] = WORD(context_issue__origin, input->context_issue->origin);
    cells[1] = WORD(context_issue__topic, input->context_issue->topic);
    cells[2] = CELL(or_dash(input->context_issue->impact));
    cells[3] = input->risk_impact ? WORD(risk_impact__disposition, input->risk_impact->disposition)
                                  : CELL(or_dash(NULL));
}

static void requirement(const struct report_facts *facts UNUSED, struct arena *arena,
                        const Isms__Inputs__V1__Input *input, struct cell *cells)
{
    cells[0] = CELL(input->requirement->interested_party);
    cells[1] = WORD(requirement__change, input->requirement->change);
    cells[2] = input->requirement->addressed ? CELL_TONE("Yes", TONE_GOOD) : CELL_TONE("No", TONE_WARNING);
    cells[3] = CELL(or_dash(input->requirement->how_addressed));
}

static void nonconformity(const struct report_facts *facts UNUSED, struct arena *arena,
                          const Isms__Inputs__V1__Input *input, struct cell *cells)
{
    cells[0] = grade_cell(arena, input, WORD(nonconformity__grade, input->nonconformity->grade).text);
    cells[1] = CELL(or_dash(input->nonconformity->cause));
    cells[2] = CELL(or_dash(input->nonconformity->corrective_action));
    cells[3] = state_cell(arena, input);
    if (input->nonconformity->effectiveness)
        cells[3].detail = arena_printf(arena, "%s\n%s", cells[3].detail ? cells[3].detail : "",
                                       WORD(effectiveness, input->nonconformity->effectiveness).text);
}

static void audit(const struct report_facts *facts UNUSED, struct arena *arena,
                  const Isms__Inputs__V1__Input *input, struct cell *cells)
{
    cells[0] = WORD(audit__type, input->audit->type);
    cells[1] = CELL(or_dash(input->effective_date));
    cells[2] = CELL(or_dash(input->audit->auditor));
    cells[3] = CELL(or_dash(input->audit->conclusion));
}

static void finding(const struct report_facts *facts, struct arena *arena, const Isms__Inputs__V1__Input *input,
                    struct cell *cells)
{
    cells[0] = grade_cell(arena, input, WORD(finding__grade, input->finding->grade).text);
    cells[1] = CELL(or_dash(input->finding->reference));
    cells[2] = CELL(input_number(facts, input->finding->audit_id));
    cells[3] =
        CELL(or_dash(*input->finding->response ? input->finding->response : input->finding->recommendation));
    cells[4] = state_cell(arena, input);
}

static void objective(const struct report_facts *facts UNUSED, struct arena *arena,
                      const Isms__Inputs__V1__Input *input, struct cell *cells)
{
    static const enum tone tones[] = {TONE_PLAIN, TONE_MUTED, TONE_GOOD, TONE_WARNING, TONE_BAD, TONE_GOOD};
    unsigned attainment = (unsigned)input->objective->attainment;

    cells[0] = CELL(or_dash(input->objective->measure));
    cells[1] = CELL(or_dash(input->objective->target));
    cells[2] = CELL(or_dash(input->objective->current));
    cells[3] = WORD(objective__attainment, attainment);
    cells[3].tone = attainment < ARRAY_SIZE(tones) ? tones[attainment] : TONE_PLAIN;
    cells[4] = CELL(or_dash(input->objective->business_goal));
}

static void feedback(const struct report_facts *facts UNUSED, struct arena *arena,
                     const Isms__Inputs__V1__Input *input, struct cell *cells)
{
    cells[0] = CELL(input->feedback->interested_party);
    cells[1] = CELL(or_dash(input->feedback->channel));
    cells[2] = WORD(feedback__sentiment, input->feedback->sentiment);
    cells[3] = CELL(or_dash(input->feedback->response));
}

static const char *level(struct arena *arena, int value)
{
    return value ? arena_printf(arena, "%d", value) : or_dash(NULL);
}

static void risk(const struct report_facts *facts, struct arena *arena, const Isms__Inputs__V1__Input *input,
                 struct cell *cells)
{
    const Isms__Inputs__V1__Risk *one = input->risk;
    bool above = one->current_level > one->target_level && one->target_level > 0;

    cells[0] = CELL(level(arena, one->inherent_level));
    cells[1] = CELL_TONE(level(arena, one->current_level), above ? TONE_WARNING : TONE_PLAIN);
    cells[2] = CELL(level(arena, one->target_level));
    cells[3] = WORD(risk_response, one->response);
    if (one->emerging)
        cells[3].detail = "new or emerging";
    cells[4] = CELL(owner_of(facts, input));
}

static void treatment(const struct report_facts *facts, struct arena *arena,
                      const Isms__Inputs__V1__Input *input, struct cell *cells)
{
    cells[0] = CELL(input_number(facts, input->treatment->risk_id));
    cells[1] = CELL(or_dash(input->treatment->control));
    cells[2] = CELL(arena_printf(arena, "%d %%", input->treatment->percent_complete));
    cells[3] = state_cell(arena, input);
    cells[4] = CELL(or_dash(input->treatment->status_note));
}

static void improvement(const struct report_facts *facts UNUSED, struct arena *arena,
                        const Isms__Inputs__V1__Input *input, struct cell *cells)
{
    cells[0] = CELL(or_dash(input->improvement->benefit));
    cells[1] = CELL(or_dash(input->improvement->effort));
    cells[2] = CELL(or_dash(input->improvement->cost));
    cells[3] = CELL(level(arena, input->improvement->score));
}

#define KIND(name) ISMS__INPUTS__V1__INPUT_KIND__INPUT_KIND_##name

static const struct kind kinds[] = {
    {KIND(CONTEXT_ISSUE), NULL, {"Origin", "Topic", "Impact on the ISMS", "Risk"}, context_issue},
    {KIND(REQUIREMENT), NULL, {"Interested party", "Change", "Addressed", "How"}, requirement},
    {KIND(NONCONFORMITY), NULL, {"Grade", "Cause", "Corrective action", "Status"}, nonconformity},
    {KIND(AUDIT), "Audits", {"Type", "Date", "Auditor", "Conclusion"}, audit},
    {KIND(FINDING), "Findings", {"Grade", "Reference", "Audit", "Response", "State"}, finding},
    {KIND(OBJECTIVE), NULL, {"Measure", "Target", "Now", "Attainment", "Business goal"}, objective},
    {KIND(FEEDBACK), NULL, {"From", "Channel", "Sentiment", "Response"}, feedback},
    {KIND(RISK), "Risks", {"Inherent", "Current", "Target", "Response", "Owner"}, risk},
    {KIND(TREATMENT), "Risk treatment plan", {"Risk", "Control", "Done", "State", "Status"}, treatment},
    {KIND(IMPROVEMENT), NULL, {"Benefit", "Effort", "Cost", "Score"}, improvement},
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

static void kind_build(const struct report_facts *facts, struct document *document, struct block *section,
                       Isms__Inputs__V1__InputKind wanted)
{
    const struct kind *kind = kinds;
    struct block *table = NULL;

    while (kind->kind != wanted)
        kind++;
    for (size_t i = 0; i < facts->input_count; i++) {
        const Isms__Inputs__V1__Input *input = facts->inputs[i];
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
        kind->fill(facts, document->arena, input, cells + 2);
        document_row(document, table, cells);
    }
    if (!table)
        document_paragraph(document, section,
                           facts->snapshot ? "Nothing of this kind was recorded for the period."
                                           : "The inputs are frozen when the meeting opens.");
}

static struct cell direction_cell(struct arena *arena, Isms__Inputs__V1__Direction direction)
{
    struct cell cell = WORD(direction, direction);

    cell.tone = direction == ISMS__INPUTS__V1__DIRECTION__DIRECTION_IMPROVING   ? TONE_GOOD
                : direction == ISMS__INPUTS__V1__DIRECTION__DIRECTION_WORSENING ? TONE_BAD
                                                                                : TONE_MUTED;
    return cell;
}

static const char *target_text(struct arena *arena, const Isms__Inputs__V1__Trend *trend)
{
    const Isms__Inputs__V1__Target *target = trend->target;

    if (!target)
        return or_dash(NULL);
    switch (target->operator_) {
    case ISMS__INPUTS__V1__TARGET__OPERATOR__OPERATOR_AT_MOST:
        return arena_printf(arena, "≤ %.6g", target->value);
    case ISMS__INPUTS__V1__TARGET__OPERATOR__OPERATOR_AT_LEAST:
        return arena_printf(arena, "≥ %.6g", target->value);
    case ISMS__INPUTS__V1__TARGET__OPERATOR__OPERATOR_BETWEEN:
        return arena_printf(arena, "%.6g to %.6g", target->value, target->upper);
    default: return or_dash(NULL);
    }
}

static const char *data_text(struct arena *arena, const Isms__Inputs__V1__Trend *trend)
{
    const char *points = trend->expected_points ? arena_printf(arena, "%d of %d points", trend->present_points,
                                                               trend->expected_points)
                                                : arena_printf(arena, "%d points", trend->present_points);

    return trend->late_points ? arena_printf(arena, "%s, %d late", points, trend->late_points) : points;
}

static void trend_row(struct document *document, struct block *table, const Isms__Inputs__V1__Trend *trend)
{
    struct arena *arena = document->arena;
    bool missed = trend->target_attainment == ISMS__INPUTS__V1__TARGET_ATTAINMENT__TARGET_ATTAINMENT_MISSED;
    bool met = trend->target_attainment == ISMS__INPUTS__V1__TARGET_ATTAINMENT__TARGET_ATTAINMENT_MET;

    document_row(document, table,
                 (struct cell[]){
                     CELL(trend->number), CELL(trend->title),
                     trend->present_points ? CELL(arena_printf(arena, "%.6g → %.6g %s", trend->first_value,
                                                               trend->last_value, trend->unit))
                                           : CELL(or_dash(NULL)),
                     direction_cell(arena, trend->direction),
                     CELL_TONE(arena_printf(arena, "%s%s", target_text(arena, trend),
                                            missed ? ", missed" : met ? ", met" : ""),
                               missed ? TONE_BAD : met ? TONE_GOOD : TONE_PLAIN),
                     CELL(data_text(arena, trend)),
                 });
}

static void trend_chart(struct document *document, struct block *section, const Isms__Inputs__V1__Trend *trend)
{
    struct chart_point *points = ARENA_ARRAY(document->arena, trend->n_points, struct chart_point);
    const Isms__Inputs__V1__Target *target = trend->target;
    struct chart chart = {.unit = trend->unit, .points = points, .point_count = trend->n_points};

    if (!points || trend->n_points < 2)
        return;
    for (size_t i = 0; i < trend->n_points; i++)
        points[i] =
            (struct chart_point){(double)trend->points[i]->time->seconds / 86400, trend->points[i]->value};
    if (target) {
        bool between = target->operator_ == ISMS__INPUTS__V1__TARGET__OPERATOR__OPERATOR_BETWEEN;
        chart.has_target = true;
        chart.target_low = target->value;
        chart.target_high = between ? target->upper : target->value;
    }
    chart.tone = direction_cell(document->arena, trend->direction).tone;
    document_chart(document, section, arena_printf(document->arena, "%s %s", trend->number, trend->title),
                   &chart);
}

static void measurements(const struct report_facts *facts, struct document *document)
{
    static const char *const columns[] = {"Number", "Metric", "From → to", "Trend", "Target", "Data"};
    struct block *section = report_section(document, facts, "measurements", "Monitoring and measurement");

    if (!facts->snapshot || facts->snapshot->n_trends == 0) {
        document_paragraph(document, section, "No metric was recorded for the period.");
        return;
    }
    struct block *table = document_table(document, section, columns, 6);
    for (size_t i = 0; i < facts->snapshot->n_trends; i++)
        trend_row(document, table, facts->snapshot->trends[i]);
    for (size_t i = 0; i < facts->snapshot->n_trends; i++)
        trend_chart(document, section, facts->snapshot->trends[i]);
}

/* How many were open at the months' ends. */
static void nonconformity_chart(struct document *document, struct block *section,
                                const Isms__Inputs__V1__NonconformityTrend *trend)
{
    struct chart_point *points = ARENA_ARRAY(document->arena, trend->n_months, struct chart_point);
    struct chart chart = {.unit = "at the end of the month", .points = points};

    for (size_t i = 0; points && i < trend->n_months; i++) {
        struct date first;
        if (date_parse(trend->months[i]->month, &first))
            points[chart.point_count++] = (struct chart_point){
                (double)date_to_days(date_add_months(first, 1)) - 1, trend->months[i]->open};
    }
    if (chart.point_count < 2)
        return;
    chart.tone = direction_cell(document->arena, trend->direction).tone;
    document_chart(document, section, "Open nonconformities", &chart);
}

static void nonconformity_trend(const struct report_facts *facts, struct document *document,
                                struct block *section)
{
    static const char *const columns[] = {"Month", "Opened", "Closed", "Open at the end"};
    const Isms__Inputs__V1__NonconformityTrend *trend =
        facts->snapshot ? facts->snapshot->nonconformities : NULL;
    struct arena *arena = document->arena;

    if (!trend || trend->n_months == 0)
        return;
    struct block *figures = document_facts(document, section);
    document_fact(document, figures, "Opened in the period", arena_printf(arena, "%d", trend->opened));
    document_fact(document, figures, "Closed in the period", arena_printf(arena, "%d", trend->closed));
    document_fact(document, figures, "Open at the end",
                  arena_printf(arena, "%d (%d at the start), %d of them overdue", trend->open_at_end,
                               trend->open_at_start, trend->overdue_at_end));
    if (trend->closed)
        document_fact(document, figures, "Median time to close",
                      word_of_number(arena, trend->median_days_to_close, "days"));
    document_row(document, figures,
                 (struct cell[]){CELL("Trend of open ones"), direction_cell(arena, trend->direction)});
    struct block *table = document_table(document, section, columns, 4);
    for (size_t i = 0; i < trend->n_months; i++) {
        const Isms__Inputs__V1__NonconformityTrend__Month *month = trend->months[i];
        document_row(document, table,
                     (struct cell[]){CELL(arena_strndup(arena, month->month, 7)),
                                     CELL(arena_printf(arena, "%d", month->opened)),
                                     CELL(arena_printf(arena, "%d", month->closed)),
                                     CELL(arena_printf(arena, "%d", month->open))});
    }
    nonconformity_chart(document, section, trend);
}

void report_inputs_build(const struct report_facts *facts, struct document *document)
{
    kind_build(facts, document, report_section(document, facts, "context", "External and internal issues"),
               KIND(CONTEXT_ISSUE));
    kind_build(facts, document, report_section(document, facts, "interested_parties", "Interested parties"),
               KIND(REQUIREMENT));
    struct block *section =
        report_section(document, facts, "nonconformities", "Nonconformities and corrective actions");
    nonconformity_trend(facts, document, section);
    kind_build(facts, document, section, KIND(NONCONFORMITY));
    measurements(facts, document);
    section = report_section(document, facts, "audits", "Audit results");
    kind_build(facts, document, section, KIND(AUDIT));
    kind_build(facts, document, section, KIND(FINDING));
    kind_build(facts, document, report_section(document, facts, "objectives", "Objectives"), KIND(OBJECTIVE));
    kind_build(facts, document, report_section(document, facts, "feedback", "Feedback"), KIND(FEEDBACK));
    section = report_section(document, facts, "risks", "Risk assessment and treatment");
    kind_build(facts, document, section, KIND(RISK));
    kind_build(facts, document, section, KIND(TREATMENT));
    kind_build(facts, document, report_section(document, facts, "improvement", "Opportunities for improvement"),
               KIND(IMPROVEMENT));
}
