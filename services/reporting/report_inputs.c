/* report_inputs.c: the sections on what clause 9.3.2 b) to g) wants considered, with the trends. The tables of the
 * single kinds are report_kinds.c's. */
#include "report_inputs.h"

#include <stdlib.h>
#include <string.h>

#include <isms/base/clock.h>

#include "report_kinds.h"
#include "wording.h"

#define WORD(type, value) CELL(word_of_enum(arena, &isms__inputs__v1__##type##__descriptor, (int)(value)))

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
    case ISMS__INPUTS__V1__TARGET__OPERATOR__OPERATOR_BELOW: return arena_printf(arena, "< %.6g", target->value);
    case ISMS__INPUTS__V1__TARGET__OPERATOR__OPERATOR_ABOVE: return arena_printf(arena, "> %.6g", target->value);
    case ISMS__INPUTS__V1__TARGET__OPERATOR__OPERATOR_EQUAL: return arena_printf(arena, "= %.6g", target->value);
    case ISMS__INPUTS__V1__TARGET__OPERATOR__OPERATOR_TEXT: return target->text;
    default: return or_dash(NULL);
    }
}

static const char *data_text(struct arena *arena, const Isms__Inputs__V1__Trend *trend)
{
    const Isms__Inputs__V1__DataQuality *quality = trend->quality;

    if (!quality)
        return or_dash(NULL);
    const char *points = quality->expected_points ? arena_printf(arena, "%d of %d points", quality->present_points,
                                                                 quality->expected_points)
                                                  : arena_printf(arena, "%d points", quality->present_points);
    if (quality->late_points)
        points = arena_printf(arena, "%s, %d late", points, quality->late_points);
    if (quality->corrected_points)
        points = arena_printf(arena, "%s, %d corrected", points, quality->corrected_points);
    return trend->points_are_days ? arena_printf(arena, "%s; means of days", points) : points;
}

static void trend_row(struct document *document, struct block *table, const Isms__Inputs__V1__Trend *trend)
{
    struct arena *arena = document->arena;
    bool missed = trend->target_attainment == ISMS__INPUTS__V1__TARGET_ATTAINMENT__TARGET_ATTAINMENT_MISSED;
    bool met = trend->target_attainment == ISMS__INPUTS__V1__TARGET_ATTAINMENT__TARGET_ATTAINMENT_MET;

    document_row(document, table,
                 (struct cell[]){
                     CELL(trend->number), CELL(trend->title),
                     trend->n_points ? CELL(arena_printf(arena, "%.6g → %.6g %s", trend->first_value, trend->last_value,
                                                         trend->unit))
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
    if (target && target->operator_ != ISMS__INPUTS__V1__TARGET__OPERATOR__OPERATOR_TEXT) {
        bool between = target->operator_ == ISMS__INPUTS__V1__TARGET__OPERATOR__OPERATOR_BETWEEN;
        chart.has_target = true;
        chart.target_low = target->value;
        chart.target_high = between ? target->upper : target->value;
    }
    chart.tone = direction_cell(document->arena, trend->direction).tone;
    document_chart(document, section, arena_printf(document->arena, "%s %s", trend->number, trend->title),
                   &chart);
}

static void measurements(const struct report_facts *facts, struct document *document, struct block *section)
{
    static const char *const columns[] = {"Number", "Metric", "From → to", "Trend", "Target", "Data"};

    if (!facts->snapshot || !facts->snapshot->trends || facts->snapshot->trends->n_metrics == 0) {
        document_paragraph(document, section, "No metric was recorded for the period.");
        return;
    }
    struct block *table = document_table(document, section, columns, 6);
    for (size_t i = 0; i < facts->snapshot->trends->n_metrics; i++)
        trend_row(document, table, facts->snapshot->trends->metrics[i]);
    for (size_t i = 0; i < facts->snapshot->trends->n_metrics; i++)
        trend_chart(document, section, facts->snapshot->trends->metrics[i]);
}

const Isms__Inputs__V1__InputTrend *report_trend_of(const struct report_facts *facts, Isms__Inputs__V1__InputKind kind)
{
    const Isms__Inputs__V1__Trends *trends = facts->snapshot ? facts->snapshot->trends : NULL;

    for (size_t i = 0; trends && i < trends->n_inputs; i++)
        if (trends->inputs[i]->kind == kind)
            return trends->inputs[i];
    return NULL;
}

/* How many were open at the months' ends. */
static void nonconformity_chart(struct document *document, struct block *section,
                                const Isms__Inputs__V1__InputTrend *trend)
{
    struct chart_point *points = ARENA_ARRAY(document->arena, trend->n_spans, struct chart_point);
    struct chart chart = {.unit = "at the end of the month", .points = points};

    for (size_t i = 0; points && i < trend->n_spans; i++) {
        struct date last;
        if (date_parse(trend->spans[i]->days->end_date, &last))
            points[chart.point_count++] =
                (struct chart_point){(double)date_to_days(last), trend->spans[i]->open};
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
    const Isms__Inputs__V1__InputTrend *trend = report_trend_of(facts, KIND(NONCONFORMITY));
    struct arena *arena = document->arena;

    if (trend && trend->left_out)
        document_paragraph(document, section, "The trend is left out: more states were recorded than one is made of.");
    if (!trend || trend->n_spans == 0)
        return;
    struct block *figures = document_facts(document, section);
    document_fact(document, figures, "Opened in the period", arena_printf(arena, "%d", trend->opened));
    document_fact(document, figures, "Closed in the period", arena_printf(arena, "%d", trend->closed));
    document_fact(document, figures, "Open at the end",
                  arena_printf(arena, "%d (%d at the start), %d of them overdue", trend->open_at_end,
                               trend->open_at_start, trend->overdue_at_end));
    if (trend->closed && trend->time_to_close)
        document_fact(document, figures, "Median time to close",
                      word_of_number(arena, trend->time_to_close->median_days, "days"));
    document_row(document, figures,
                 (struct cell[]){CELL("Trend of open ones"), direction_cell(arena, trend->direction)});
    struct block *table = document_table(document, section, columns, 4);
    for (size_t i = 0; i < trend->n_spans; i++) {
        const Isms__Inputs__V1__TrendSpan *month = trend->spans[i];
        document_row(document, table,
                     (struct cell[]){CELL(arena_strndup(arena, month->days->start_date, 7)),
                                     CELL(arena_printf(arena, "%d", month->opened)),
                                     CELL(arena_printf(arena, "%d", month->closed)),
                                     CELL(arena_printf(arena, "%d", month->open))});
    }
    nonconformity_chart(document, section, trend);
}

void report_inputs_build(const struct report_facts *facts, struct document *document)
{
    report_kind_build(facts, document, report_section(document, facts, "context", "External and internal issues"),
                      KIND(CONTEXT_ISSUE));
    report_kind_build(facts, document, report_section(document, facts, "interested_parties", "Interested parties"),
                      KIND(REQUIREMENT));
    struct block *section =
        report_section(document, facts, "nonconformities", "Nonconformities and corrective actions");
    nonconformity_trend(facts, document, section);
    report_kind_build(facts, document, section, KIND(NONCONFORMITY));
    report_kind_build(facts, document, section, KIND(INCIDENT));
    section = report_section(document, facts, "measurements", "Monitoring and measurement");
    measurements(facts, document, section);
    report_kind_build(facts, document, section, KIND(CONTROL));
    report_kind_build(facts, document, section, KIND(TRAINING));
    section = report_section(document, facts, "audits", "Audit results");
    report_kind_build(facts, document, section, KIND(AUDIT));
    report_kind_build(facts, document, section, KIND(FINDING));
    report_kind_build(facts, document, section, KIND(COMPLIANCE));
    report_kind_build(facts, document, report_section(document, facts, "objectives", "Objectives"), KIND(OBJECTIVE));
    report_kind_build(facts, document, report_section(document, facts, "feedback", "Feedback"), KIND(FEEDBACK));
    section = report_section(document, facts, "risks", "Risk assessment and treatment");
    report_kind_build(facts, document, section, KIND(RISK));
    report_kind_build(facts, document, section, KIND(TREATMENT));
    section = report_section(document, facts, "improvement", "Opportunities for improvement");
    report_kind_build(facts, document, section, KIND(IMPROVEMENT));
    report_kind_build(facts, document, section, KIND(OUTCOME));
    report_kind_build(facts, document, report_section(document, facts, "policy", "Policy and objectives"),
                      KIND(POLICY));
    report_kind_build(facts, document, report_section(document, facts, "resources", "Resources"), KIND(RESOURCE));
}
