/* quality.c: the table, and the two things that are read from it. The numbers of QualityCheck are its rows' places. */
#include "quality.h"

#include <isms/base/bug.h>

#define SEVERITY(name) ISMS__INPUTS__V1__QUALITY_SEVERITY__QUALITY_SEVERITY_##name

static const struct {
    Isms__Inputs__V1__QualityCheck number;
    Isms__Inputs__V1__QualitySeverity severity;
    const char *name;
    const char *text;
    const char *hint;
} checks[] = {
#define X(name, severity, kinds, text, hint) \
    {ISMS__INPUTS__V1__QUALITY_CHECK__QUALITY_CHECK_##name, SEVERITY(severity), #name, text, hint},
#include "quality.def"
#undef X
};

int quality_choose(Isms__Inputs__V1__QualityCheck check, Isms__Inputs__V1__QualitySeverity severity,
                   struct arena *arena, Isms__Inputs__V1__QualityQuestion *question, struct err *err)
{
    question->checks = ARENA_ARRAY(arena, ARRAY_SIZE(checks), char *);
    question->severities = ARENA_ARRAY(arena, ARRAY_SIZE(checks), int32_t);
    if (!question->checks || !question->severities)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
        if ((check && checks[i].number != check) || (severity && checks[i].severity != severity))
            continue;
        question->checks[count] = (char *)(uintptr_t)checks[i].name;
        question->severities[count++] = (int32_t)checks[i].severity;
    }
    question->n_checks = question->n_severities = count;
    return 0;
}

int quality_explain(struct arena *arena, Isms__Inputs__V1__QualityIssue *issue, struct err *err)
{
    size_t place = (size_t)issue->check - 1;
    BUG_IF(place >= ARRAY_SIZE(checks) || checks[place].number != issue->check); /* only these were asked for */
    issue->severity = checks[place].severity;
    issue->problem = arena_printf(arena, "%s%s%s.", checks[place].text, issue->problem[0] ? ": " : "", issue->problem);
    issue->advice = (char *)(uintptr_t)checks[place].hint;
    return issue->problem ? 0 : err_set(err, ERR_MESSAGE_TOO_LARGE);
}
