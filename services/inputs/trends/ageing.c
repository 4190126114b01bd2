/* ageing.c: once sorted, everything is a look at a place. */
#include "ageing.h"

#include "heading.h"

struct ageing ageing_of(double *days, size_t count)
{
    static const double limits[AGEING_BUCKETS - 1] = {30, 90, 180, 365};
    struct ageing ageing = {.count = count, .median_days = median_of(days, count)};
    if (count == 0)
        return ageing;
    ageing.p90_days = p90_of_sorted(days, count);
    ageing.longest_days = days[count - 1];
    for (size_t i = 0; i < count; i++) {
        size_t bucket = 0;
        while (bucket < AGEING_BUCKETS - 1 && days[i] > limits[bucket])
            bucket++;
        ageing.buckets[bucket]++;
    }
    return ageing;
}
