/* trend.c: one pass over the points, oldest first, for each thing that is said of them. */
#include "trend.h"

#include <math.h>
#include <stdlib.h>

#include "heading.h"
#include "span.h"

static int whole_compare(int64_t left, int64_t right)
{
    return (left > right) - (left < right);
}

/* Every field takes part, so that equal points are interchangeable. */
static int point_compare(const void *a, const void *b)
{
    const struct trend_point *left = a;
    const struct trend_point *right = b;
    int order = whole_compare(left->time_us, right->time_us);
    if (order == 0)
        order = whole_compare(left->recorded_day, right->recorded_day);
    if (order == 0)
        order = (left->value > right->value) - (left->value < right->value);
    return order ? order : left->corrected - right->corrected;
}

void trend_points_sort(struct trend_point *points, size_t count)
{
    if (count > 0)
        qsort(points, count, sizeof(*points), point_compare);
}

/* --- data quality ------------------------------------------------------------------------------------------------ */

/* The spans from `next` to `last` have no point: those that should have one by now. */
static int spans_missed(const struct trend_question *question, int64_t end_day, int64_t next, int64_t last)
{
    int missed = 0;
    for (; next <= last; next++) {
        int64_t last_day = span_last_day(question->frequency, next);
        if (last_day > end_day || last_day + question->grace_days >= question->as_of_day)
            break;
        missed++;
    }
    return missed;
}

static struct trend_quality irregular_judge(const struct trend_point *points, size_t count)
{
    struct trend_quality quality = {.expected = (int)count, .present = (int)count};
    for (size_t i = 0; i < count; i++)
        quality.corrected += points[i].corrected;
    return quality;
}

static struct trend_quality quality_judge(const struct trend_question *question, struct period period,
                                          struct trend_point *points, size_t count)
{
    if (question->frequency == ISMS__INPUTS__V1__FREQUENCY__FREQUENCY_IRREGULAR)
        return irregular_judge(points, count);
    struct trend_quality quality = {0};
    int64_t next = span_of_day(question->frequency, period.start); /* the first not looked at yet */
    for (size_t i = 0; i < count;) {
        int64_t span = span_of_day(question->frequency, points[i].day);
        int64_t due_day = span_last_day(question->frequency, span) + question->grace_days;
        bool late = true; /* unless one of its points is in time */
        bool corrected = false;
        for (; i < count && span_of_day(question->frequency, points[i].day) == span; i++) {
            points[i].late = points[i].recorded_day > due_day;
            late = late && points[i].late;
            corrected = corrected || points[i].corrected;
        }
        quality.present++;
        quality.late += late;
        quality.corrected += corrected;
        quality.expected += 1 + spans_missed(question, period.end, next, span - 1);
        next = span + 1;
    }
    quality.expected += spans_missed(question, period.end, next, span_of_day(question->frequency, period.end));
    return quality;
}

/* --- values ------------------------------------------------------------------------------------------------------ */

const struct trend_point *trend_points_thin(const struct trend_point *points, size_t count, size_t max,
                                            struct arena *arena, size_t *ret_count)
{
    *ret_count = count;
    if (count <= max)
        return points;
    struct trend_point *thinned = ARENA_ARRAY(arena, max, struct trend_point);
    for (size_t i = 0; thinned && i < max; i++)
        thinned[i] = points[i * (count - 1) / (max - 1)];
    *ret_count = max;
    return thinned;
}

/* The mean of `count` values, of the mean of all but the last and the last: no sum that could lose digits. */
static double mean_next(double mean, double value, size_t count)
{
    return mean + (value - mean) / (double)count;
}

static void values_state(struct trend *trend, const struct trend_point *points, size_t count)
{
    double first = trend->first_value = points[0].value;
    double last = trend->last_value = points[count - 1].value;
    double percent = first == 0 ? 0 : (last - first) / fabs(first) * 100;
    trend->change_percent = isfinite(percent) ? percent : 0; /* 1e-300 is as good as 0 */
    for (size_t i = 0; i < count; i++)
        trend->mean_value = mean_next(trend->mean_value, points[i].value, i + 1);
}

static int trend_head(const struct trend_question *question, struct trend *trend, struct err *err)
{
    struct heading_point points[HEADING_POINTS_MAX];
    struct heading heading;
    struct heading_question about = {question->polarity, question->target, question->percentage};
    for (size_t i = 0; i < trend->point_count; i++)
        points[i] = (struct heading_point){trend->points[i].time_us, trend->points[i].value};
    if (heading_compute(&about, points, trend->point_count, &heading, err) < 0)
        return -1;
    trend->direction = heading.direction;
    trend->slope_per_30_days = heading.slope_per_30_days;
    return 0;
}

int trend_compute(const struct trend_question *question, struct period period, struct trend_point *points,
                  size_t count, struct arena *arena, struct trend *ret_trend, struct err *err)
{
    struct trend trend = {
        .quality = quality_judge(question, period, points, count),
        .direction = ISMS__INPUTS__V1__DIRECTION__DIRECTION_INSUFFICIENT_DATA,
        .count = count,
    };
    trend.quality.minimum = question->minimum_points > 0 ? question->minimum_points : HEADING_MINIMUM_POINTS;
    trend.points = trend_points_thin(points, count, HEADING_POINTS_MAX, arena, &trend.point_count);
    if (count > 0 && !trend.points)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    if (count > 0)
        values_state(&trend, points, count);
    if (trend.quality.present >= trend.quality.minimum && trend_head(question, &trend, err) < 0)
        return -1;
    *ret_trend = trend;
    return 0;
}

struct value_span *trend_spans(struct period period, Isms__Inputs__V1__Frequency frequency,
                               const struct trend_point *points, size_t count, struct arena *arena)
{
    struct value_span *spans = ARENA_ARRAY(arena, period_span_count(period, frequency), struct value_span);
    for (size_t i = 0; spans && i < count; i++) {
        struct value_span *span = &spans[period_span_of(period, frequency, points[i].day)];
        span->count++;
        span->mean = mean_next(span->mean, points[i].value, span->count);
        span->minimum = span->count == 1 ? points[i].minimum : fmin(span->minimum, points[i].minimum);
        span->maximum = span->count == 1 ? points[i].maximum : fmax(span->maximum, points[i].maximum);
        span->last = points[i].value;
    }
    return spans;
}
