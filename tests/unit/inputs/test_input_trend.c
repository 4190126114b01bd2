/* test_input_trend.c: small registers, counted by hand. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include <isms/base/attributes.h>
#include <isms/base/clock.h>

#include "input_trend.h"

#define DIRECTION(name) ISMS__INPUTS__V1__DIRECTION__DIRECTION_##name
#define KIND(name) ISMS__INPUTS__V1__INPUT_KIND__INPUT_KIND_##name
#define MONTHLY ISMS__INPUTS__V1__FREQUENCY__FREQUENCY_MONTHLY

static struct arena arena;

static int32_t day(int year, int month, int number)
{
    return (int32_t)date_to_days((struct date){.year = year, .month = month, .day = number});
}

/* Recorded on the day it came up. */
static struct input_state state_of(int32_t input, int32_t opened, int32_t closed, int32_t due)
{
    return (struct input_state){.input = input,
                                .recorded = opened,
                                .opened = opened,
                                .closed = closed,
                                .due = due,
                                .marked = NO_DAY,
                                .value = NAN,
                                .limit = NAN};
}

static const char *const nothing[] = {""};

static struct input_trend_question question_of(Isms__Inputs__V1__InputKind kind, int32_t start, int32_t end)
{
    const struct names none = {nothing, 1};
    return (struct input_trend_question){.kind = trend_kind_of(kind),
                                         .period = {start, end},
                                         .frequency = MONTHLY,
                                         .as_of_day = day(2027, 1, 1),
                                         .names = {none, none, none, none}};
}

static struct input_trend compute(const struct input_trend_question *question, struct input_state *states,
                                  size_t count)
{
    struct input_trend trend;
    struct err err = {0};
    assert_int_equal(input_trend_compute(question, states, count, &arena, &trend, &err), 0);
    return trend;
}

static void months_are_counted(void **state)
{
    (void)state;
    struct input_state all[] = {
        state_of(1, day(2024, 11, 5), day(2024, 12, 1), NO_DAY),            /* over before the period */
        state_of(2, day(2024, 12, 5), day(2025, 1, 15), NO_DAY),            /* open at its start, 41 days */
        state_of(3, day(2024, 12, 24), NO_DAY, day(2025, 2, 1)),            /* open throughout, overdue */
        state_of(4, day(2025, 1, 10), day(2025, 2, 9), day(2025, 2, 9)),    /* 30 days */
        state_of(5, day(2025, 2, 1), day(2025, 2, 11), day(2025, 3, 1)),    /* 10 days */
        state_of(6, day(2025, 3, 31), day(2025, 4, 1), day(2025, 3, 31)),   /* due on its last day */
    };
    struct input_trend_question question = question_of(KIND(NONCONFORMITY), day(2025, 1, 1), day(2025, 3, 31));
    struct input_trend trend = compute(&question, all, ARRAY_SIZE(all));
    static const int counts[][4] = {{1, 1, 2, 0}, {1, 2, 1, 1}, {1, 0, 2, 1}};
    assert_int_equal(trend.span_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(trend.spans[i].opened, counts[i][0]);
        assert_int_equal(trend.spans[i].closed, counts[i][1]);
        assert_int_equal(trend.spans[i].open, counts[i][2]);
        assert_int_equal(trend.spans[i].overdue, counts[i][3]);
    }
    assert_int_equal(trend.open_at_start, 2);
    assert_int_equal(trend.open_at_end, 2);
    assert_int_equal(trend.opened, 3);
    assert_int_equal(trend.closed, 3);
    assert_int_equal(trend.overdue_at_end, 1);
    assert_true(trend.time_to_close.median_days == 30 && trend.time_to_close.p90_days == 41);
    assert_int_equal(trend.time_to_close.buckets[0], 2);
    assert_int_equal(trend.time_to_close.buckets[1], 1);
    assert_true(trend.age.count == 2 && trend.age.longest_days == 97 && trend.age.median_days == 48.5);
}

static void what_was_imported_later_counts_where_it_belongs_and_as_late(void **state)
{
    (void)state;
    struct input_state all[] = {
        state_of(1, day(2025, 1, 31), NO_DAY, NO_DAY),
        state_of(2, day(2025, 2, 1), NO_DAY, NO_DAY),
    };
    all[0].recorded = day(2025, 3, 1);
    struct input_trend_question question = question_of(KIND(FINDING), day(2025, 1, 1), day(2025, 3, 31));
    struct input_trend trend = compute(&question, all, 2);
    assert_int_equal(trend.spans[0].opened, 1);
    assert_int_equal(trend.spans[0].late, 1);
    assert_int_equal(trend.spans[1].opened, 1);
    assert_int_equal(trend.spans[1].late, 1); /* open in February, known in March */
    assert_int_equal(trend.spans[2].late, 0);
    assert_int_equal(trend.quality.present, 3);
    assert_int_equal(trend.quality.late, 2);
}

static void corrected_days_and_grades_are_told(void **state)
{
    (void)state;
    static const char *const grades[] = {"", "MAJOR", "MINOR"};
    struct input_state all[] = {
        state_of(1, day(2025, 1, 10), NO_DAY, NO_DAY), state_of(1, day(2025, 1, 10), NO_DAY, NO_DAY), /* regraded */
        state_of(2, day(2025, 1, 10), NO_DAY, NO_DAY), state_of(2, day(2025, 1, 10), day(2025, 2, 1), NO_DAY),
    };
    all[0].category[0] = 1;
    all[1].category[0] = 2;
    all[1].recorded = day(2025, 2, 2);
    all[3].recorded = day(2025, 2, 1); /* closed: no correction */
    struct input_trend_question question = question_of(KIND(FINDING), day(2025, 1, 1), day(2025, 3, 31));
    question.names[0] = (struct names){grades, 3};
    struct input_trend trend = compute(&question, all, 4);
    assert_int_equal(trend.spans[0].corrected, 1);
    assert_int_equal(trend.spans[1].corrected, 0);
    assert_int_equal(trend.quality.corrected, 1);
    assert_string_equal(trend.dimensions[0].categories[0].name, ""); /* one each: by name */
    assert_string_equal(trend.dimensions[0].categories[1].name, "MINOR");
    assert_int_equal(trend.dimensions[0].count, 2); /* as it is known now */
}

static void risks_are_what_they_were_at_the_time(void **state)
{
    (void)state;
    static const char *const bands[] = {"", "Low", "High"};
    struct input_state all[] = {
        state_of(1, day(2025, 1, 1), NO_DAY, NO_DAY),
        state_of(1, day(2025, 1, 1), NO_DAY, NO_DAY),
        state_of(2, day(2024, 6, 1), NO_DAY, NO_DAY),
        state_of(2, day(2024, 6, 1), NO_DAY, NO_DAY),
    };
    const double levels[] = {20, 4, 4, 12};
    for (size_t i = 0; i < 4; i++) {
        all[i].value = levels[i];
        all[i].limit = 9;
        all[i].category[0] = levels[i] > 9 ? 2 : 1;
    }
    all[1].recorded = day(2025, 3, 10); /* assessed anew in February, recorded in March */
    all[1].marked = day(2025, 2, 20);
    all[3].recorded = day(2025, 3, 31);
    struct input_trend_question question = question_of(KIND(RISK), day(2025, 1, 1), day(2025, 3, 31));
    question.names[0] = (struct names){bands, 3};
    struct input_trend trend = compute(&question, all, 4);
    const struct input_measure *above = &trend.measures[0];
    assert_string_equal(above->measure->name, "above_appetite");
    assert_int_equal(above->count, 3);
    assert_true(above->values[0] == 1 && above->values[1] == 0 && above->values[2] == 1);
    assert_int_equal(trend.spans[1].improved, 1);
    assert_int_equal(trend.spans[1].late, 1);
    assert_int_equal(trend.spans[2].worsened, 1);
    assert_int_equal(trend.movement_count, 1); /* the first came up in the period */
    assert_string_equal(trend.movements[0].from, "Low");
    assert_string_equal(trend.movements[0].to, "High");
    assert_string_equal(trend.dimensions[0].categories[0].name, "Low");
    assert_int_equal(trend.dimensions[0].categories[1].open[0], 1);
    assert_int_equal(trend.dimensions[0].categories[1].open[1], 0);
}

static void causes_that_return_are_recurrences(void **state)
{
    (void)state;
    static const char *const causes[] = {"", "access review not held", "untrained"};
    struct input_state all[] = {
        state_of(1, day(2024, 1, 1), day(2024, 2, 1), NO_DAY),
        state_of(2, day(2025, 1, 5), NO_DAY, NO_DAY),
        state_of(3, day(2025, 1, 5), NO_DAY, NO_DAY),
        state_of(4, day(2025, 2, 5), NO_DAY, NO_DAY),
        state_of(5, day(2025, 2, 6), NO_DAY, NO_DAY),
    };
    all[0].category[1] = all[1].category[1] = 1;
    all[2].category[1] = all[3].category[1] = 2;
    all[4].recurs = true; /* names the one it is a recurrence of */
    struct input_trend_question question = question_of(KIND(NONCONFORMITY), day(2025, 1, 1), day(2025, 3, 31));
    question.names[1] = (struct names){causes, 3};
    struct input_trend trend = compute(&question, all, 5);
    assert_int_equal(trend.recurrence_count, 3);
    static const int counts[][3] = {{1, 1, 0}, {1, 1, 1}, {2, 1, 0}};
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(trend.recurrences[i].cause, causes[i]);
        assert_int_equal(trend.recurrences[i].opened, counts[i][0]);
        assert_int_equal(trend.recurrences[i].recurred, counts[i][1]);
        assert_int_equal(trend.recurrences[i].earlier, counts[i][2]);
    }
    const struct input_measure *recurring = &trend.measures[3];
    assert_true(recurring->count == 2 && recurring->values[0] == 50 && recurring->values[1] == 100);
}

static void effectiveness_counts_when_it_was_verified(void **state)
{
    (void)state;
    static const char *const verdicts[] = {"", "EFFECTIVE", "NOT_EFFECTIVE", "NOT_VERIFIED"};
    struct input_state all[] = {
        state_of(1, day(2024, 1, 1), day(2024, 2, 1), NO_DAY),
        state_of(2, day(2024, 1, 5), day(2024, 3, 1), NO_DAY),
        state_of(3, day(2024, 1, 5), day(2024, 3, 1), NO_DAY),
    };
    for (int32_t i = 0; i < 3; i++) {
        all[i].category[3] = i + 1;
        all[i].marked = day(2025, 2, 10 + i);
    }
    struct input_trend_question question = question_of(KIND(NONCONFORMITY), day(2025, 1, 1), day(2025, 3, 31));
    question.names[3] = (struct names){verdicts, 4};
    struct input_trend trend = compute(&question, all, 3);
    const struct input_measure *effective = &trend.measures[2];
    assert_string_equal(effective->measure->name, "effective_percent");
    assert_true(effective->count == 1 && effective->spans[0] == 1 && effective->values[0] == 50);
}

static void too_many_names_are_counted_together(void **state)
{
    (void)state;
    enum { NAMES = 80 };
    static char texts[NAMES][8];
    const char *names[NAMES] = {""};
    struct input_state all[2 * NAMES];
    size_t count = 0;
    for (int i = 1; i < NAMES; i++) {
        snprintf(texts[i], sizeof(texts[i]), "theme%02d", i);
        names[i] = texts[i];
        for (int j = 0; j < 1 + (i <= 50); j++) { /* the first fifty come twice */
            all[count] = state_of((int32_t)count, day(2025, 1, 5), NO_DAY, NO_DAY);
            all[count++].category[1] = i;
        }
    }
    struct input_trend_question question = question_of(KIND(FEEDBACK), day(2025, 1, 1), day(2025, 3, 31));
    question.names[1] = (struct names){names, NAMES};
    struct input_trend trend = compute(&question, all, count);
    const struct input_dimension *themes = &trend.dimensions[1];
    assert_int_equal(themes->count, CATEGORIES_MAX + 1);
    assert_string_equal(themes->categories[0].name, "theme01");
    assert_int_equal(themes->categories[0].opened[0], 2);
    assert_int_equal(themes->categories[CATEGORIES_MAX].merged, NAMES - 1 - CATEGORIES_MAX);
    assert_int_equal(themes->categories[CATEGORIES_MAX].opened[0], NAMES - 1 - CATEGORIES_MAX);
}

static void fewer_open_is_better(void **state)
{
    (void)state;
    struct input_state all[6];
    for (int32_t i = 0; i < 6; i++)
        all[i] = state_of(i, day(2025, 1, 1), day(2025, 2 + (int)i, 2), NO_DAY);
    struct input_trend_question question = question_of(KIND(NONCONFORMITY), day(2025, 1, 1), day(2025, 7, 31));
    struct input_trend trend = compute(&question, all, 6);
    assert_int_equal(trend.measures[0].heading.direction, DIRECTION(IMPROVING));
    assert_true(trend.measures[0].heading.slope_per_30_days < 0);
    question.period = (struct period){day(2025, 1, 1), day(2025, 2, 28)};
    trend = compute(&question, all, 6);
    assert_int_equal(trend.measures[0].heading.direction, DIRECTION(INSUFFICIENT_DATA));
}

static void every_kind_but_metrics_has_a_trend(void **state)
{
    (void)state;
    for (unsigned kind = 1; kind < isms__inputs__v1__input_kind__descriptor.n_values; kind++) {
        const struct trend_kind *found = trend_kind_of((Isms__Inputs__V1__InputKind)kind);
        assert_true((found == NULL) == (kind == KIND(METRIC)));
        struct input_trend_question question;
        if (!found)
            continue;
        assert_true(found->measures[0] && trend_kind_dimensions(found) > 0);
        question = question_of((Isms__Inputs__V1__InputKind)kind, day(2025, 1, 1), day(2025, 3, 31));
        struct input_trend trend = compute(&question, NULL, 0);
        assert_int_equal(trend.quality.present, 0);
        assert_int_equal(trend.quality.expected, 3);
    }
}

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 16 * 1024 * 1024);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

/* Five in each month from January to March, still open. */
static struct input_trend five_a_month(Isms__Inputs__V1__InputKind kind, int32_t start, int32_t as_of)
{
    struct input_state all[15];
    for (int i = 0; i < 15; i++)
        all[i] = state_of(i + 1, day(2026, 1 + i / 5, 3 + 5 * (i % 5)), NO_DAY, NO_DAY);
    struct input_trend_question question = question_of(kind, start, day(2026, 12, 31));
    question.as_of_day = as_of;
    return compute(&question, all, ARRAY_SIZE(all));
}

static void a_month_that_has_only_begun_is_no_improvement(void **state)
{
    (void)state;
    struct input_trend trend = five_a_month(KIND(INCIDENT), day(2026, 1, 1), day(2026, 4, 2));
    assert_int_equal(trend.measures[0].count, 4); /* what there is so far is shown */
    assert_int_equal(trend.measures[0].heading.direction, DIRECTION(STABLE));
    trend = five_a_month(KIND(INCIDENT), day(2026, 1, 1), day(2026, 5, 1)); /* April is over, and had none */
    assert_int_equal(trend.measures[0].heading.direction, DIRECTION(IMPROVING));
}

static void the_rest_of_a_month_is_no_whole_month(void **state)
{
    (void)state;
    struct input_trend trend = five_a_month(KIND(INCIDENT), day(2026, 1, 20), day(2026, 4, 1));
    assert_int_equal(trend.measures[0].count, 4);
    assert_int_equal(trend.measures[0].heading.direction, DIRECTION(INSUFFICIENT_DATA)); /* two whole ones */
}

/* How many there are says nothing of better or worse. */
static void more_training_is_neither_better_nor_worse(void **state)
{
    (void)state;
    struct input_state all[6];
    for (int i = 0; i < 6; i++)
        all[i] = state_of(i + 1, day(2026, i == 0 ? 1 : i < 3 ? 2 : 3, 3 + i), NO_DAY, NO_DAY);
    static const Isms__Inputs__V1__InputKind counted[] = {KIND(TRAINING), KIND(AUDIT), KIND(IMPROVEMENT),
                                                          KIND(CONTEXT_ISSUE), KIND(OUTCOME)};
    for (size_t i = 0; i < ARRAY_SIZE(counted); i++) {
        struct input_trend_question question = question_of(counted[i], day(2026, 1, 1), day(2026, 3, 31));
        struct input_trend trend = compute(&question, all, ARRAY_SIZE(all));
        assert_int_equal(trend.measures[0].count, 3);
        assert_true(trend.measures[0].heading.slope_per_30_days > 0);
        assert_int_equal(trend.measures[0].heading.direction, DIRECTION(UNSPECIFIED));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(months_are_counted),
        TEST(what_was_imported_later_counts_where_it_belongs_and_as_late),
        TEST(corrected_days_and_grades_are_told),
        TEST(risks_are_what_they_were_at_the_time),
        TEST(causes_that_return_are_recurrences),
        TEST(effectiveness_counts_when_it_was_verified),
        TEST(too_many_names_are_counted_together),
        TEST(fewer_open_is_better),
        TEST(a_month_that_has_only_begun_is_no_improvement),
        TEST(the_rest_of_a_month_is_no_whole_month),
        TEST(more_training_is_neither_better_nor_worse),
        TEST(every_kind_but_metrics_has_a_trend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
