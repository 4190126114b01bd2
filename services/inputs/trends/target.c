/* target.c: every operator is a lower bound, an upper bound or both; only whether the bound itself is met differs. */
#include "target.h"

#include <stddef.h>

#define OPERATOR(name) ISMS__INPUTS__V1__TARGET__OPERATOR__OPERATOR_##name
#define POLARITY(name) ISMS__INPUTS__V1__POLARITY__POLARITY_##name##_IS_BETTER

bool target_has_number(const Isms__Inputs__V1__Target *target)
{
    return target && target->operator_ >= OPERATOR(AT_MOST) && target->operator_ <= OPERATOR(EQUAL);
}

double target_distance(const Isms__Inputs__V1__Target *target, double value)
{
    bool has_lower = target->operator_ != OPERATOR(AT_MOST) && target->operator_ != OPERATOR(BELOW);
    bool has_upper = target->operator_ != OPERATOR(AT_LEAST) && target->operator_ != OPERATOR(ABOVE);
    double upper = target->operator_ == OPERATOR(BETWEEN) ? target->upper : target->value;
    if (has_lower && value < target->value)
        return target->value - value;
    return has_upper && value > upper ? value - upper : 0;
}

Isms__Inputs__V1__TargetAttainment target_judge(const Isms__Inputs__V1__Target *target, double value)
{
    if (!target_has_number(target))
        return ISMS__INPUTS__V1__TARGET_ATTAINMENT__TARGET_ATTAINMENT_UNSPECIFIED;
    bool strict = target->operator_ == OPERATOR(BELOW) || target->operator_ == OPERATOR(ABOVE);
    bool met = target_distance(target, value) == 0 && !(strict && value == target->value);
    return met ? ISMS__INPUTS__V1__TARGET_ATTAINMENT__TARGET_ATTAINMENT_MET
               : ISMS__INPUTS__V1__TARGET_ATTAINMENT__TARGET_ATTAINMENT_MISSED;
}

Isms__Inputs__V1__ThresholdState thresholds_judge(const Isms__Inputs__V1__Thresholds *thresholds,
                                                  Isms__Inputs__V1__Polarity polarity,
                                                  const Isms__Inputs__V1__Target *target, double value)
{
    bool in_range = polarity == POLARITY(IN_RANGE);
    if (!thresholds || (in_range && !target_has_number(target)))
        return ISMS__INPUTS__V1__THRESHOLD_STATE__THRESHOLD_STATE_UNSPECIFIED;
    double sign = polarity == POLARITY(HIGHER) ? -1 : 1; /* then more is worse */
    double badness = in_range ? target_distance(target, value) : sign * value;
    if (badness >= sign * thresholds->critical)
        return ISMS__INPUTS__V1__THRESHOLD_STATE__THRESHOLD_STATE_CRITICAL;
    return badness >= sign * thresholds->warning ? ISMS__INPUTS__V1__THRESHOLD_STATE__THRESHOLD_STATE_WARNING
                                                 : ISMS__INPUTS__V1__THRESHOLD_STATE__THRESHOLD_STATE_OK;
}

Isms__Inputs__V1__Comparison values_compare(Isms__Inputs__V1__Polarity polarity,
                                            const Isms__Inputs__V1__Target *target, double value, double other)
{
    if (polarity == POLARITY(IN_RANGE)) {
        if (!target_has_number(target))
            return ISMS__INPUTS__V1__COMPARISON__COMPARISON_UNSPECIFIED;
        value = target_distance(target, value);
        other = target_distance(target, other);
    }
    if (value == other)
        return ISMS__INPUTS__V1__COMPARISON__COMPARISON_EQUAL;
    return (value > other) == (polarity == POLARITY(HIGHER)) ? ISMS__INPUTS__V1__COMPARISON__COMPARISON_BETTER
                                                             : ISMS__INPUTS__V1__COMPARISON__COMPARISON_WORSE;
}
