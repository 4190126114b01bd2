/* ageing.h: how long things took, or have taken so far. Pure. */
#ifndef ISMS_INPUTS_AGEING_H
#define ISMS_INPUTS_AGEING_H

#include <stddef.h>

enum { AGEING_BUCKETS = 5 }; /* up to 30, 90, 180 and 365 days, and above */

struct ageing {
    size_t count;
    double median_days;
    double p90_days; /* nine of ten took no longer: the nearest rank */
    double longest_days;
    int buckets[AGEING_BUCKETS];
};

/* Sorts `days`. All 0 of none. */
struct ageing ageing_of(double *days, size_t count);

#endif
