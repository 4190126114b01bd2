/* target.h: what a value means, by the metric's polarity, target and thresholds. Pure functions. */
#ifndef ISMS_INPUTS_TARGET_H
#define ISMS_INPUTS_TARGET_H

#include <stdbool.h>

#include <isms/inputs/v1/trends.pb-c.h>

/* Whether the target can be computed with: there is one (it may be NULL), and it is not in words only. */
bool target_has_number(const Isms__Inputs__V1__Target *target);

/* How far the value is from where the target has it; 0 where it is good. BELOW and ABOVE have their bound as the
 * limit of the distance, though the bound itself misses them. Of a target with a number. */
double target_distance(const Isms__Inputs__V1__Target *target, double value);

/* UNSPECIFIED without a number. */
Isms__Inputs__V1__TargetAttainment target_judge(const Isms__Inputs__V1__Target *target, double value);

/* UNSPECIFIED without thresholds (NULL), and where a range is good but there is none. */
Isms__Inputs__V1__ThresholdState thresholds_judge(const Isms__Inputs__V1__Thresholds *thresholds,
                                                  Isms__Inputs__V1__Polarity polarity,
                                                  const Isms__Inputs__V1__Target *target, double value);

/* Whether `value` is better than `other`; UNSPECIFIED where a range is good but there is none. */
Isms__Inputs__V1__Comparison values_compare(Isms__Inputs__V1__Polarity polarity,
                                            const Isms__Inputs__V1__Target *target, double value, double other);

#endif
