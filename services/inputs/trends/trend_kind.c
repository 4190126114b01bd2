/* trend_kind.c: the table, and the few functions that pick a measure's share out of a moment. */
#include "trend_kind.h"

#include <math.h>
#include <string.h>

#include <isms/base/attributes.h>

#define KIND(name) ISMS__INPUTS__V1__INPUT_KIND__INPUT_KIND_##name
#define HIGHER ISMS__INPUTS__V1__POLARITY__POLARITY_HIGHER_IS_BETTER
#define LOWER ISMS__INPUTS__V1__POLARITY__POLARITY_LOWER_IS_BETTER
#define NEITHER ISMS__INPUTS__V1__POLARITY__POLARITY_UNSPECIFIED

/* --- measures ---------------------------------------------------------------------------------------------------- */

static double open_sample(const struct moment *moment)
{
    return moment->open;
}

static double opened_sample(const struct moment *moment)
{
    return moment->opened;
}

static double overdue_sample(const struct moment *moment)
{
    return moment->overdue;
}

static double days_to_close_sample(const struct moment *moment)
{
    return moment->closed ? moment->days_to_close : NAN;
}

static double recurring_sample(const struct moment *moment)
{
    return moment->opened ? 100.0 * moment->recurs : NAN;
}

static double good_share(const struct moment *moment)
{
    return moment->rank < 0 ? NAN : moment->rank < moment->ranking->good ? 100 : 0;
}

static double good_sample(const struct moment *moment)
{
    return moment->open || moment->closed ? good_share(moment) : NAN;
}

static double marked_good_sample(const struct moment *moment)
{
    return moment->marked ? good_share(moment) : NAN;
}

static double closed_good_sample(const struct moment *moment)
{
    return moment->closed ? 100.0 * (moment->rank == 0) : NAN;
}

/* Good ones less bad ones, of all. */
static double balance_sample(const struct moment *moment)
{
    if (!moment->opened || moment->rank < 0)
        return NAN;
    return moment->rank < moment->ranking->good ? 100 : moment->rank >= moment->ranking->bad ? -100 : 0;
}

static double above_limit_sample(const struct moment *moment)
{
    return moment->open && moment->value > moment->limit; /* a NAN is not above anything */
}

static double value_sample(const struct moment *moment)
{
    return moment->open ? moment->value : NAN;
}

/* Of what is in the plan; what was closed in the span is done. */
static double progress_sample(const struct moment *moment)
{
    if (moment->open)
        return isnan(moment->value) ? 0 : moment->value;
    return moment->closed ? 100 : NAN;
}

static double opened_value_sample(const struct moment *moment)
{
    return moment->opened ? moment->value : NAN;
}

static double opened_limit_sample(const struct moment *moment)
{
    return moment->opened ? moment->limit : NAN;
}

/* What there ought to be less of; and what is counted only, since more of it may be as good as less. */
static const struct measure open = {"open", "", LOWER, REDUCTION_SUM, open_sample};
static const struct measure opened = {"opened", "", LOWER, REDUCTION_EVENTS, opened_sample};
static const struct measure counted = {"open", "", NEITHER, REDUCTION_SUM, open_sample};
static const struct measure newly_counted = {"opened", "", NEITHER, REDUCTION_EVENTS, opened_sample};
static const struct measure overdue = {"overdue", "", LOWER, REDUCTION_SUM, overdue_sample};
static const struct measure days_to_close = {"median_days_to_close", "days", LOWER, REDUCTION_MEDIAN,
                                             days_to_close_sample};
static const struct measure recurring = {"recurring_percent", "%", LOWER, REDUCTION_MEAN, recurring_sample};
static const struct measure effective = {"effective_percent", "%", HIGHER, REDUCTION_MEAN, marked_good_sample};
static const struct measure compliant = {"compliant_percent", "%", HIGHER, REDUCTION_MEAN, good_sample};
static const struct measure working = {"effective_percent", "%", HIGHER, REDUCTION_MEAN, good_sample};
static const struct measure adequate = {"adequate_percent", "%", HIGHER, REDUCTION_MEAN, good_sample};
static const struct measure addressed = {"addressed_percent", "%", HIGHER, REDUCTION_MEAN, good_sample};
static const struct measure on_course = {"on_course_percent", "%", HIGHER, REDUCTION_MEAN, good_sample};
static const struct measure achieved = {"achieved_percent", "%", HIGHER, REDUCTION_MEAN, closed_good_sample};
static const struct measure attained = {"mean_percent_attained", "%", HIGHER, REDUCTION_MEAN, value_sample};
static const struct measure sentiment = {"net_sentiment_percent", "%", HIGHER, REDUCTION_MEAN, balance_sample};
static const struct measure above_appetite = {"above_appetite", "", LOWER, REDUCTION_SUM, above_limit_sample};
static const struct measure mean_level = {"mean_level", "", LOWER, REDUCTION_MEAN, value_sample};
static const struct measure progress = {"mean_percent_complete", "%", HIGHER, REDUCTION_MEAN, progress_sample};
static const struct measure hours_to_detect = {"median_hours_to_detect", "hours", LOWER, REDUCTION_MEDIAN,
                                               opened_value_sample};
static const struct measure hours_to_resolve = {"median_hours_to_resolve", "hours", LOWER, REDUCTION_MEDIAN,
                                                opened_limit_sample};

/* --- rankings, best first ---------------------------------------------------------------------------------------- */

static const struct ranking effectiveness = {{"EFFECTIVE", "NOT_EFFECTIVE"}, 1, 1};
static const struct ranking verdict = {{"EFFECTIVE", "PARTLY_EFFECTIVE", "INEFFECTIVE"}, 1, 2};
static const struct ranking compliance = {{"COMPLIANT", "PARTLY_COMPLIANT", "NOT_COMPLIANT"}, 1, 2};
static const struct ranking attainment = {{"ACHIEVED", "ON_TRACK", "AT_RISK", "MISSED"}, 2, 3};
static const struct ranking feeling = {{"POSITIVE", "NEUTRAL", "MIXED", "NEGATIVE"}, 1, 3};
static const struct ranking adequacy = {{"ADEQUATE", "STRAINED", "INADEQUATE"}, 1, 2};
static const struct ranking addressing = {{"ADDRESSED", "PARTLY_ADDRESSED", "PLANNED", "NOT_ADDRESSED"}, 1, 3};
static const struct ranking outcome = {{"ACHIEVED", "PARTLY_ACHIEVED", "NOT_ACHIEVED"}, 1, 2};

/* --- the kinds --------------------------------------------------------------------------------------------------- */

#define BY(name, path) {name, path, false}
#define IN_ORDER(name, path) {name, path, true}

static const struct trend_kind kinds[] = {
    {.kind = KIND(CONTEXT_ISSUE), .has_history = true,
     .dimensions = {BY("topic", "detail.context_issue.topic"), BY("effect", "detail.context_issue.effect")},
     .measures = {&counted}},
    {.kind = KIND(REQUIREMENT), .has_history = true,
     .dimensions = {BY("addressing", "detail.requirement.addressing"), BY("type", "detail.requirement.type")},
     .ranking = &addressing, .movement = MOVEMENT_RANK, .measures = {&addressed, &counted}},
    {.kind = KIND(NONCONFORMITY),
     .dimensions = {BY("grade", "detail.nonconformity.grade"), BY("cause", "detail.nonconformity.cause.category"),
                    BY("source", "detail.nonconformity.source"),
                    BY("effectiveness", "detail.nonconformity.effectiveness")},
     .ranked = 3, .ranking = &effectiveness, .cause = 1, .day_path = "detail.nonconformity.effectiveness_date",
     .measures = {&open, &days_to_close, &effective, &recurring}},
    {.kind = KIND(INCIDENT),
     .dimensions = {BY("severity", "severity"), BY("category", "detail.incident.category"),
                    BY("cause", "detail.incident.cause.category")},
     .cause = 2, .value_path = "hours.to_detect", .limit_path = "hours.to_resolve",
     .measures = {&opened, &hours_to_detect, &hours_to_resolve, &recurring}},
    {.kind = KIND(CONTROL), .has_history = true,
     .dimensions = {BY("operation", "detail.control.operation"), BY("design", "detail.control.design")},
     .ranking = &verdict, .day_path = "detail.control.tested_date", .movement = MOVEMENT_RANK,
     .measures = {&working, &counted}},
    {.kind = KIND(TRAINING),
     .dimensions = {BY("type", "detail.training.type"), BY("effectiveness", "detail.training.effectiveness")},
     .ranked = 1, .ranking = &effectiveness, .measures = {&newly_counted}},
    {.kind = KIND(AUDIT),
     .dimensions = {BY("type", "detail.audit.type"), BY("verdict", "detail.audit.verdict")},
     .measures = {&newly_counted}},
    {.kind = KIND(FINDING),
     .dimensions = {BY("grade", "detail.finding.grade"), BY("audit_type", "audit.type"),
                    BY("cause", "detail.finding.cause.category")},
     .cause = 2, .measures = {&open, &opened, &days_to_close, &recurring}},
    {.kind = KIND(COMPLIANCE), .has_history = true,
     .dimensions = {BY("status", "detail.compliance.status"), BY("framework", "detail.compliance.framework"),
                    BY("framework_and_status", "pair")},
     .ranking = &compliance, .day_path = "detail.compliance.assessed_date", .movement = MOVEMENT_RANK,
     .measures = {&compliant, &counted}},
    {.kind = KIND(OBJECTIVE), .has_history = true,
     .dimensions = {BY("attainment", "detail.objective.attainment"),
                    BY("business_goal", "detail.objective.business_goal")},
     .ranking = &attainment, .value_path = "detail.objective.percent_attained", .movement = MOVEMENT_RANK,
     .measures = {&on_course, &achieved, &attained, &overdue}},
    {.kind = KIND(FEEDBACK),
     .dimensions = {BY("sentiment", "detail.feedback.sentiment"), BY("theme", "detail.feedback.theme"),
                    BY("theme_and_sentiment", "pair"),
                    BY("channel", "detail.feedback.channel")},
     .ranking = &feeling, .measures = {&sentiment, &newly_counted}},
    {.kind = KIND(RISK), .has_history = true,
     .dimensions = {IN_ORDER("level", "band.name"), BY("response", "detail.risk.response"),
                    BY("category", "detail.risk.category"), BY("novelty", "detail.risk.novelty")},
     .day_path = "detail.risk.assessed_date", .value_path = "detail.risk.current.level",
     .limit_path = "appetite", .movement = MOVEMENT_LOWER_IS_BETTER,
     .measures = {&above_appetite, &mean_level, &counted}},
    {.kind = KIND(TREATMENT), .has_history = true,
     .dimensions = {BY("state", "state")}, .value_path = "detail.treatment.percent_complete",
     .movement = MOVEMENT_HIGHER_IS_BETTER, .measures = {&progress, &overdue, &open}},
    {.kind = KIND(IMPROVEMENT), .has_history = true, .dimensions = {BY("state", "state")}, .measures = {&counted}},
    {.kind = KIND(OUTCOME), .has_history = true, .dimensions = {BY("verdict", "detail.outcome.verdict")},
     .ranking = &outcome, .movement = MOVEMENT_RANK, .measures = {&counted}},
    {.kind = KIND(POLICY), .has_history = true,
     .dimensions = {BY("status", "detail.policy.status"), BY("type", "detail.policy.type")},
     .measures = {&overdue, &counted}},
    {.kind = KIND(RESOURCE), .has_history = true,
     .dimensions = {BY("adequacy", "detail.resource.adequacy"), BY("type", "detail.resource.type")},
     .ranking = &adequacy, .movement = MOVEMENT_RANK, .measures = {&adequate, &counted}},
};

#undef BY
#undef IN_ORDER

const struct trend_kind *trend_kind_of(Isms__Inputs__V1__InputKind kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (kinds[i].kind == kind)
            return &kinds[i];
    return NULL;
}

size_t trend_kind_dimensions(const struct trend_kind *kind)
{
    size_t count = 0;
    while (count < DIMENSIONS_MAX && kind->dimensions[count].name)
        count++;
    return count;
}

int ranking_of(const struct ranking *ranking, const char *name)
{
    for (int i = 0; ranking && i < NAMES_MAX && ranking->names[i]; i++)
        if (strcmp(ranking->names[i], name) == 0)
            return i;
    return -1;
}
