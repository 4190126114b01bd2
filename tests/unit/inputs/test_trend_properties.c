/* test_trend_properties.c: what must hold of any data, tried on a thousand random sets. A failure prints the seed's
 * round; the numbers are those of a generator of our own, so that they are the same everywhere. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include <isms/base/clock.h>

#include "heading.h"
#include "input_trend.h"

#define DIRECTION(name) ISMS__INPUTS__V1__DIRECTION__DIRECTION_##name
#define POLARITY(name) ISMS__INPUTS__V1__POLARITY__POLARITY_##name##_IS_BETTER
#define FREQUENCY(name) ISMS__INPUTS__V1__FREQUENCY__FREQUENCY_##name
#define KIND(name) ISMS__INPUTS__V1__INPUT_KIND__INPUT_KIND_##name

enum { ROUNDS = 1000, POINTS_MAX = 60, INPUTS_MAX = 60, STATES_MAX = 4, NAMES = 6 };

static const int64_t us_per_day = INT64_C(86400000000);

static struct arena arena;
static uint64_t seed;

/* xorshift64* (Vigna 2016). */
static uint64_t random_next(void)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return seed * UINT64_C(2685821657736338717);
}

static int random_below(int limit)
{
    return (int)((random_next() >> 33) % (uint64_t)limit);
}

/* --- slopes and directions --------------------------------------------------------------------------------------- */

/* Whole numbers at whole days, so that shifting and scaling by powers of two is exact. */
static size_t points_random(struct heading_point *points)
{
    size_t count = 3 + (size_t)random_below(POINTS_MAX - 3);
    int slope = random_below(21) - 10;
    for (size_t i = 0; i < count; i++) {
        int on = random_below(1000);
        points[i] = (struct heading_point){on * us_per_day, 5000 + slope * on + random_below(2000)};
    }
    return count;
}

static struct heading head(Isms__Inputs__V1__Polarity polarity, const struct heading_point *points,
                           size_t count)
{
    struct heading_question question = {.polarity = polarity};
    struct heading heading;
    struct err err = {0};
    assert_int_equal(heading_compute(&question, points, count, &heading, &err), 0);
    return heading;
}

static void shuffle(struct heading_point *points, size_t count)
{
    for (size_t i = count - 1; i > 0; i--) {
        size_t other = (size_t)random_below((int)i + 1);
        struct heading_point kept = points[i];
        points[i] = points[other];
        points[other] = kept;
    }
}

static Isms__Inputs__V1__Direction reversed(Isms__Inputs__V1__Direction direction)
{
    return direction == DIRECTION(IMPROVING)   ? DIRECTION(WORSENING)
           : direction == DIRECTION(WORSENING) ? DIRECTION(IMPROVING)
                                               : direction;
}

static void assert_same(struct heading one, struct heading other)
{
    assert_int_equal(one.direction, other.direction);
    assert_memory_equal(&one.slope_per_30_days, &other.slope_per_30_days, sizeof(double));
}

static void order_and_shifts_in_time_mean_nothing(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct heading_point points[POINTS_MAX];
        size_t count = points_random(points);
        struct heading before = head(POLARITY(HIGHER), points, count);
        shuffle(points, count);
        assert_same(before, head(POLARITY(HIGHER), points, count));
        int64_t shift = (random_below(20000) - 10000) * us_per_day;
        for (size_t i = 0; i < count; i++)
            points[i].time_us += shift;
        assert_same(before, head(POLARITY(HIGHER), points, count));
    }
}

static void scaling_values_scales_the_slope(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct heading_point points[POINTS_MAX];
        size_t count = points_random(points);
        struct heading before = head(POLARITY(HIGHER), points, count);
        double factor = ldexp(1, random_below(20) - 10);
        for (size_t i = 0; i < count; i++)
            points[i].value *= factor;
        before.slope_per_30_days *= factor;
        assert_same(before, head(POLARITY(HIGHER), points, count));
        for (size_t i = 0; i < count; i++)
            points[i].value = -points[i].value;
        struct heading mirrored = head(POLARITY(HIGHER), points, count);
        assert_int_equal(mirrored.direction, reversed(before.direction));
        assert_true(mirrored.slope_per_30_days == -before.slope_per_30_days);
    }
}

static void polarity_swaps_better_and_worse(void **state)
{
    (void)state;
    int moved = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct heading_point points[POINTS_MAX];
        size_t count = points_random(points);
        struct heading higher = head(POLARITY(HIGHER), points, count);
        struct heading lower = head(POLARITY(LOWER), points, count);
        assert_int_equal(lower.direction, reversed(higher.direction));
        assert_true(lower.slope_per_30_days == higher.slope_per_30_days);
        moved += higher.direction == DIRECTION(IMPROVING) || higher.direction == DIRECTION(WORSENING);
    }
    assert_true(moved > ROUNDS / 10); /* else nothing was tried */
}

static void one_wild_value_among_ten_changes_no_direction(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct heading_point points[10];
        int slope = random_below(2) ? 100 + random_below(100) : -100 - random_below(100);
        for (int i = 0; i < 10; i++)
            points[i] = (struct heading_point){30 * i * us_per_day, 3000 + slope * i + random_below(40)};
        struct heading before = head(POLARITY(HIGHER), points, 10);
        assert_int_equal(before.direction, slope > 0 ? DIRECTION(IMPROVING) : DIRECTION(WORSENING));
        points[random_below(10)].value = random_below(2) ? 1e9 : -1e9;
        assert_int_equal(head(POLARITY(HIGHER), points, 10).direction, before.direction);
    }
}

/* --- spans of values --------------------------------------------------------------------------------------------- */

static void coarser_spans_are_sums_of_finer_ones(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS / 10; round++) {
        struct period period = {date_to_days((struct date){2023, 1 + random_below(12), 1 + random_below(28)}), 0};
        period.end = period.start + random_below(1500);
        struct trend_point points[POINTS_MAX] = {0};
        size_t count = (size_t)random_below(POINTS_MAX);
        for (size_t i = 0; i < count; i++) {
            points[i].day = period.start + random_below((int)(period.end - period.start) + 1);
            points[i].time_us = points[i].day * us_per_day;
            points[i].value = random_below(1000);
        }
        trend_points_sort(points, count);
        static const Isms__Inputs__V1__Frequency all[] = {FREQUENCY(MONTHLY), FREQUENCY(QUARTERLY),
                                                          FREQUENCY(YEARLY)};
        for (size_t j = 0; j < 3; j++) {
            const struct value_span *spans = trend_spans(period, all[j], points, count, &arena);
            size_t points_seen = 0;
            double sum = 0;
            double expected = 0;
            for (size_t i = 0; i < period_span_count(period, all[j]); i++) {
                points_seen += spans[i].count;
                sum += spans[i].mean * (double)spans[i].count;
            }
            for (size_t i = 0; i < count; i++)
                expected += points[i].value;
            assert_int_equal(points_seen, count);
            assert_true(fabs(sum - expected) < 1e-6 * (1 + expected));
        }
        arena_clear(&arena);
    }
}

/* --- counts of inputs -------------------------------------------------------------------------------------------- */

static const char *const names[NAMES] = {"", "COMPLIANT", "PARTLY_COMPLIANT", "NOT_COMPLIANT", "other", "more"};

static size_t states_random(struct input_state *states, int32_t from_day)
{
    size_t count = 0;
    int inputs = 1 + random_below(INPUTS_MAX);
    for (int32_t input = 0; input < inputs; input++) {
        int32_t opened = from_day + random_below(900);
        int32_t recorded = opened + random_below(100) - 20;
        int revisions = 1 + random_below(STATES_MAX);
        for (int i = 0; i < revisions; i++, recorded += 1 + random_below(200)) {
            states[count] = (struct input_state){
                .input = input, .recorded = recorded, .opened = opened, .closed = NO_DAY,
                .due = random_below(2) ? opened + random_below(300) : NO_DAY,
                .marked = random_below(2) ? recorded - random_below(60) : NO_DAY,
                .value = random_below(25), .limit = 9, .recurs = random_below(9) == 0};
            for (size_t j = 0; j < DIMENSIONS_MAX; j++)
                states[count].category[j] = random_below(NAMES);
            if (i == revisions - 1 && random_below(2))
                states[count].closed = opened + random_below(600) - 5;
            count++;
        }
    }
    return count;
}

static struct input_trend trend_of(const struct input_trend_question *question, struct input_state *states,
                                   size_t count)
{
    struct input_trend trend;
    struct err err = {0};
    assert_int_equal(input_trend_compute(question, states, count, &arena, &trend, &err), 0);
    return trend;
}

static void assert_balanced(const struct input_trend_question *question, const struct input_trend *trend)
{
    int open = trend->open_at_start;
    int opened = 0;
    int closed = 0;
    for (size_t i = 0; i < trend->span_count; i++) {
        const struct input_span *span = &trend->spans[i];
        open += span->opened - span->closed;
        opened += span->opened;
        closed += span->closed;
        assert_int_equal(span->open, open);
        assert_true(span->overdue <= span->open && span->improved + span->worsened <= span->open);
        for (size_t j = 0; j < trend_kind_dimensions(question->kind); j++) {
            int sums[3] = {0};
            for (size_t k = 0; k < trend->dimensions[j].count; k++) {
                sums[0] += trend->dimensions[j].categories[k].opened[i];
                sums[1] += trend->dimensions[j].categories[k].closed[i];
                sums[2] += trend->dimensions[j].categories[k].open[i];
            }
            assert_true(sums[0] == span->opened && sums[1] == span->closed && sums[2] == span->open);
        }
    }
    assert_true(opened == trend->opened && closed == trend->closed && open == trend->open_at_end);
    assert_int_equal(trend->age.count, trend->open_at_end);
    assert_int_equal(trend->time_to_close.count, trend->closed);
    assert_true(trend->quality.late <= trend->quality.present && trend->quality.present <= trend->quality.expected);
}

static void inputs_are_counted_once_and_balance(void **state)
{
    (void)state;
    static const Isms__Inputs__V1__InputKind kinds[] = {KIND(NONCONFORMITY), KIND(COMPLIANCE), KIND(RISK),
                                                        KIND(FEEDBACK),      KIND(OBJECTIVE),  KIND(TREATMENT)};
    for (int round = 0; round < ROUNDS; round++) {
        struct input_state states[INPUTS_MAX * STATES_MAX];
        int32_t from_day = (int32_t)date_to_days((struct date){2022, 12, 15});
        size_t count = states_random(states, from_day);
        struct input_trend_question question = {
            .kind = trend_kind_of(kinds[round % 6]),
            .period = {from_day + random_below(400), from_day + 400 + random_below(700)},
            .frequency = FREQUENCY(MONTHLY),
            .as_of_day = from_day + random_below(1200),
            .names = {{names, NAMES}, {names, NAMES}, {names, NAMES}, {names, NAMES}},
        };
        struct input_trend months = trend_of(&question, states, count);
        assert_balanced(&question, &months);
        question.frequency = FREQUENCY(QUARTERLY);
        struct input_trend quarters = trend_of(&question, states, count);
        assert_balanced(&question, &quarters);
        question.frequency = FREQUENCY(YEARLY);
        struct input_trend years = trend_of(&question, states, count);
        assert_balanced(&question, &years);

        assert_true(months.opened == quarters.opened && quarters.opened == years.opened);
        assert_true(months.closed == quarters.closed && quarters.closed == years.closed);
        assert_true(months.open_at_end == years.open_at_end && months.overdue_at_end == years.overdue_at_end);
        for (size_t i = 0; i < quarters.span_count; i++) {
            int opened = 0;
            for (size_t j = 0; j < months.span_count; j++)
                opened += period_span_of(question.period, FREQUENCY(QUARTERLY), months.spans[j].days.start) == i
                              ? months.spans[j].opened
                              : 0;
            assert_int_equal(opened, quarters.spans[i].opened);
        }
        arena_clear(&arena);
    }
}

static int setup(void **state)
{
    (void)state;
    seed = UINT64_C(0x9e3779b97f4a7c15);
    arena_init(&arena, 32 * 1024 * 1024);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(order_and_shifts_in_time_mean_nothing),
        TEST(scaling_values_scales_the_slope),
        TEST(polarity_swaps_better_and_worse),
        TEST(one_wild_value_among_ten_changes_no_direction),
        TEST(coarser_spans_are_sums_of_finer_ones),
        TEST(inputs_are_counted_once_and_balance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
