/* report_figures.c: what a reader wants to know before anything else, each counted from what the report says
 * below. */
#include "report_figures.h"

#include <string.h>

#include "report_inputs.h"

static void figure(struct document *document, struct block *block, const char *name, const char *value,
                   const char *detail, enum tone tone)
{
    document_row(document, block,
                 (struct cell[]){CELL(name), {.text = value, .detail = detail, .tone = tone}});
}

static void agenda_figure(struct document *document, const struct report_facts *facts, struct block *block)
{
    unsigned required = 0;
    unsigned considered = 0;

    for (size_t i = 0; i < facts->review->n_agenda; i++) {
        const Isms__Reviews__V1__AgendaItem *item = facts->review->agenda[i];
        required += item->required ? 1 : 0;
        considered += item->required && item->considered;
    }
    figure(document, block, "Required items considered",
           arena_printf(document->arena, "%u of %u", considered, required), "of clause 9.3.2",
           considered < required ? TONE_WARNING : TONE_PLAIN);
}

static void actions_figure(struct document *document, const struct report_facts *facts, struct block *block)
{
    struct arena *arena = document->arena;
    size_t count = facts->review->n_previous_actions;
    unsigned done = 0;
    unsigned effective = 0;
    unsigned overdue = 0;

    for (size_t i = 0; i < count; i++) {
        const Isms__Reviews__V1__PreviousAction *one = facts->review->previous_actions[i];
        bool is_effective = strcmp(one->state, "VERIFIED_EFFECTIVE") == 0;
        effective += is_effective;
        done += is_effective || strcmp(one->state, "DONE") == 0;
        overdue += one->days_overdue > 0;
    }
    if (count > 0)
        figure(document, block, "Earlier actions done", arena_printf(arena, "%u of %zu", done, count),
               arena_printf(arena, "%u found effective, %u overdue", effective, overdue),
               overdue ? TONE_WARNING : TONE_PLAIN);
}

static void metrics_figure(struct document *document, const struct report_facts *facts, struct block *block)
{
    struct arena *arena = document->arena;
    unsigned judged = 0;
    unsigned met = 0;
    unsigned improving = 0;
    unsigned worsening = 0;

    for (size_t i = 0; facts->snapshot->trends && i < facts->snapshot->trends->n_metrics; i++) {
        const Isms__Inputs__V1__Trend *trend = facts->snapshot->trends->metrics[i];
        met += trend->target_attainment == ISMS__INPUTS__V1__TARGET_ATTAINMENT__TARGET_ATTAINMENT_MET;
        judged +=
            trend->target_attainment != ISMS__INPUTS__V1__TARGET_ATTAINMENT__TARGET_ATTAINMENT_UNSPECIFIED;
        improving += trend->direction == ISMS__INPUTS__V1__DIRECTION__DIRECTION_IMPROVING;
        worsening += trend->direction == ISMS__INPUTS__V1__DIRECTION__DIRECTION_WORSENING;
    }
    if (judged > 0)
        figure(document, block, "Metrics on target", arena_printf(arena, "%u of %u", met, judged),
               arena_printf(arena, "%u improving, %u worsening", improving, worsening),
               met < judged ? TONE_WARNING : TONE_GOOD);
}

static void nonconformities_figure(struct document *document, const struct report_facts *facts,
                                   struct block *block)
{
    const Isms__Inputs__V1__InputTrend *trend =
        report_trend_of(facts, ISMS__INPUTS__V1__INPUT_KIND__INPUT_KIND_NONCONFORMITY);
    struct arena *arena = document->arena;

    if (trend && !trend->left_out)
        figure(document, block, "Open nonconformities", arena_printf(arena, "%d", trend->open_at_end),
               arena_printf(arena, "%d at the start, %d overdue", trend->open_at_start, trend->overdue_at_end),
               trend->overdue_at_end ? TONE_WARNING : TONE_PLAIN);
}

static void decisions_figure(struct document *document, const struct report_facts *facts, struct block *block)
{
    struct arena *arena = document->arena;
    size_t decisions = 0;
    size_t actions = 0;

    for (size_t i = 0; i < facts->decision_count; i++) {
        decisions += !facts->decisions[i]->withdrawn;
        actions += facts->decisions[i]->withdrawn ? 0 : facts->decisions[i]->n_actions;
    }
    figure(document, block, "Decisions taken", arena_printf(arena, "%zu", decisions),
           arena_printf(arena, "with %zu action%s", actions, actions == 1 ? "" : "s"), TONE_PLAIN);
}

void report_figures(struct document *document, const struct report_facts *facts, struct block *section)
{
    if (!facts->snapshot)
        return;
    struct block *block = document_figures(document, section);
    agenda_figure(document, facts, block);
    actions_figure(document, facts, block);
    nonconformities_figure(document, facts, block);
    metrics_figure(document, facts, block);
    decisions_figure(document, facts, block);
}
