/* The report: it says all that the review holds, in every format the same, and nothing it is given becomes
 * markup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include <isms/base/attributes.h>

#include "chart.h"
#include "html.h"
#include "json.h"
#include "sample.h"

enum { TEXT_MAX = 1 << 20 };

/* --- what a reader sees --------------------------------------------------------------------------------- */

/* The text of a page: tags taken out, entities put back, white space made one blank. */
static char *text_of(struct arena *arena, const char *html)
{
    static const char *const entities[][2] = {
        {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&#39;", "'"}};
    char *text = arena_alloc(arena, strlen(html) + 1);
    char *end = text;
    for (const char *at = strstr(html, "<body>"); *at;) {
        size_t skip = 1;
        if (*at == '<') {
            bool inside_word = strncmp(at, "<span class=\"ref", 16) == 0 || strncmp(at, "</span", 6) == 0 ||
                               strncmp(at, "<wbr", 4) == 0;
            at = strchr(at, '>') + 1;
            if (!inside_word)
                *end++ = ' ';
            continue;
        }
        *end = *at;
        for (size_t i = 0; i < ARRAY_SIZE(entities); i++)
            if (strncmp(at, entities[i][0], strlen(entities[i][0])) == 0) {
                *end = entities[i][1][0];
                skip = strlen(entities[i][0]);
            }
        end++;
        at += skip;
    }
    char *to = text;
    for (const char *from = text; from < end; from++)
        if (!strchr(" \n\t", *from))
            *to++ = *from;
        else if (to > text && to[-1] != ' ')
            *to++ = ' ';
    *to = '\0';
    return text;
}

static char *squeezed(struct arena *arena, const char *text)
{
    return text_of(arena, arena_printf(arena, "<body>%s", text));
}

static void assert_says(const char *page, const char *text)
{
    if (!strstr(page, text))
        fail_msg("the report does not say: %s", text);
}

static void assert_silent(const char *page, const char *text)
{
    if (strstr(page, text))
        fail_msg("the report says: %s", text);
}

/* --- content -------------------------------------------------------------------------------------------- */

static void signed_review_is_reported_whole(void **state UNUSED)
{
    struct sample sample CLEANUP(sample_release);
    sample_load(&sample, SAMPLE_SIGNED);
    struct buf html = sample_html(&sample);
    assert_false(html.failed || arena_exhausted(&sample.arena));
    char *page = text_of(&sample.arena, html.data);
    const struct report_facts *facts = &sample.facts;
    assert_says(page, "Nordlicht Logistik GmbH");
    assert_says(page, "Signed by Dr. Ines Hartmann, 2026-01-19 14:02 UTC");
    for (size_t i = 0; i < facts->review->n_agenda; i++) {
        assert_says(page, facts->review->agenda[i]->title);
        assert_says(page, facts->review->agenda[i]->discussion);
    }
    for (size_t i = 0; i < facts->review->n_previous_actions; i++) {
        assert_says(page, facts->review->previous_actions[i]->title);
        assert_says(page, facts->review->previous_actions[i]->note);
    }
    for (size_t i = 0; i < facts->review->n_conclusions; i++)
        assert_says(page, facts->review->conclusions[i]->reasons);
    for (size_t i = 0; i < facts->input_count; i++) {
        assert_says(page, facts->inputs[i]->number);
        assert_says(page, facts->inputs[i]->title);
    }
    for (size_t i = 0; i < facts->snapshot->trends->n_metrics; i++)
        assert_says(page, facts->snapshot->trends->metrics[i]->title);
    for (size_t i = 0; i < facts->decision_count; i++)
        for (size_t j = 0; j < facts->decisions[i]->n_actions; j++)
            assert_says(page, facts->decisions[i]->actions[j]->title);
    assert_says(page, squeezed(&sample.arena, facts->review->minutes));
    assert_says(page, "46 days overdue");
    assert_says(page, "moved 2 times");
    assert_says(page, "Sampled 20 leavers, all closed the same day."); /* what verification found */
    assert_says(page, "With reservations");
    assert_says(page, "8 of 12 points, 1 late");
    assert_says(page, "Insufficient data");
    assert_says(page, facts->record->sha256);
    assert_says(page, facts->review->input_snapshot_sha256);
    assert_silent(page, "Withdrawn draft");
    assert_silent(page, "Draft");
}

/* In the order of the columns: what a table says of an input, small print included. */
static void each_kind_is_shown_as_a_manager_asks_for_it(void **state UNUSED)
{
    static const char *const rows[] = {
        "Acquisition of the Kiel site Internal Organisation 38 people and a warehouse system of their own come into "
        "scope. Risk changed",
        "HR told IT by e-mail, and nobody owned the step. Five why",
        "Forged invoice was nearly paid Phishing High severity 2025-09-12 08:10 UTC noticed after 2 days resolved "
        "after 8 days 18 400 EUR stopped by the bank. affects integrity, personal data",
        "Backups are restored A.8.13 Effective Partly effective Rehearsal of one system on 2025-11-03 Complete, but "
        "too slow. 2.5 of 5, target 4",
        "Security films Awareness 2025-10-01 All staff 117 of 124 (94 %) 113 of 117 (97 %) Effective",
        "Directive (EU) 2022/2555 Article 21(2)(d) Not compliant on 2025-10-18 No register of suppliers.",
        "Failure of the payroll provider 20 Critical 15 High, above the appetite 10 High 8 Medium Mitigate",
        "Ransomware on file services 25 Critical 8 Medium – 8 Medium",
        "IM-2025-004 MR-2025-01-D02 Blind spots are found before others find them. Four blind spots closed. Partly "
        "achieved",
        "Policy 4.0 In force 2025-12-31 overdue Mara Lindqvist AI tools are missing.",
        "People Inadequate A second position. EUR 190\u202f000.00 EUR 95\u202f000.00 50 % of the plan",
    };
    struct sample sample CLEANUP(sample_release);
    sample_load(&sample, SAMPLE_SIGNED);
    char *page = text_of(&sample.arena, sample_html(&sample).data);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_says(page, rows[i]);
}

static void kinds_that_the_standard_does_not_name_are_not_missed(void **state UNUSED)
{
    struct sample sample CLEANUP(sample_release);
    sample_load(&sample, SAMPLE_SIGNED);
    sample.facts.input_count = 0;
    char *page = text_of(&sample.arena, sample_html(&sample).data);
    assert_says(page, "Nothing of this kind was recorded for the period.");
    assert_silent(page, "Information security incidents");
    assert_silent(page, "Training and awareness");
}

static void actions_are_numbered_as_they_will_be_issued(void **state UNUSED)
{
    struct sample sample CLEANUP(sample_release);
    sample_load(&sample, SAMPLE_SIGNED);
    char *page = text_of(&sample.arena, sample_html(&sample).data);
    assert_says(page, "MR-2026-01-A02 Restore the ERP database and measure the time");
    assert_says(page, "MR-2026-01-A03 Advertise and fill the position");
    assert_says(page, "MR-2026-01-A04 Connect the directory to the evidence store");
}

static void draft_is_called_a_draft(void **state UNUSED)
{
    struct sample sample CLEANUP(sample_release);
    sample_load(&sample, SAMPLE_DRAFT);
    char *page = text_of(&sample.arena, sample_html(&sample).data);
    assert_says(page, "Draft, not signed: Minutes drafted");
    assert_says(page, "This review is not signed.");
    assert_silent(page, "Signed by");
}

static void planned_review_claims_nothing(void **state UNUSED)
{
    struct sample sample CLEANUP(sample_release);
    sample_load(&sample, SAMPLE_PLANNED);
    char *page = text_of(&sample.arena, sample_html(&sample).data);
    assert_says(page, "Draft, not signed: Planned");
    assert_says(page, "The inputs are frozen when the meeting opens.");
    assert_says(page, "Not considered yet.");
    assert_says(page, "No conclusion was drawn yet.");
    assert_silent(page, "There were no actions from earlier reviews");
    assert_silent(page, "10 of 10");
}

static void erased_names_are_said_to_be(void **state UNUSED)
{
    struct sample sample CLEANUP(sample_release);
    sample_load(&sample, SAMPLE_SIGNED);
    sample.facts.people_count = 0;
    char *page = text_of(&sample.arena, sample_html(&sample).data);
    assert_says(page, "Chair (name erased)");
    assert_silent(page, "Hartmann,");
}

static void item_that_is_not_of_the_standard_is_not_lost(void **state UNUSED)
{
    struct sample sample CLEANUP(sample_release);
    sample_load(&sample, SAMPLE_SIGNED);
    sample.review->agenda[1]->key = "our_own_item";
    char *page = text_of(&sample.arena, sample_html(&sample).data);
    assert_says(page, sample.review->agenda[1]->discussion);
}

static void same_facts_are_the_same_bytes(void **state UNUSED)
{
    struct sample one CLEANUP(sample_release);
    struct sample other CLEANUP(sample_release);
    sample_load(&one, SAMPLE_SIGNED);
    sample_load(&other, SAMPLE_SIGNED);
    assert_string_equal(sample_html(&one).data, sample_html(&other).data);
    assert_string_equal(sample_json(&one).data, sample_json(&other).data);
}

/* --- one tree, two formats ------------------------------------------------------------------------------ */

/* Every text of the JSON, member names and the words of the format aside, is on the page. */
static unsigned texts_compare(struct arena *arena, const json_t *json, const char *page)
{
    unsigned count = 0;
    const char *name;
    const json_t *value;
    size_t i;
    if (json_is_array(json)) {
        json_array_foreach(json, i, value)
            count += texts_compare(arena, value, page);
    } else if (json_is_object(json)) {
        json_object_foreach((json_t *)json, name, value)
        {
            static const char *const words[] = {"format", "kind", "tone", "date"};
            bool word = false;
            for (i = 0; i < ARRAY_SIZE(words); i++)
                word |= strcmp(name, words[i]) == 0;
            if (!word)
                count += texts_compare(arena, value, page);
        }
    } else if (json_is_string(json) && json_string_length(json) > 0) {
        assert_says(page, squeezed(arena, json_string_value(json)));
        count++;
    }
    return count;
}

static void html_and_json_say_the_same(void **state UNUSED)
{
    struct sample sample CLEANUP(sample_release);
    sample_load(&sample, SAMPLE_SIGNED);
    struct buf json_text = sample_json(&sample);
    json_t *json = json_loads(json_text.data, 0, NULL);
    assert_non_null(json);
    char *page = text_of(&sample.arena, sample_html(&sample).data);
    assert_true(texts_compare(&sample.arena, json, page) > 300);
    assert_string_equal(json_string_value(json_object_get(json, "status")),
                        "Signed by Dr. Ines Hartmann, 2026-01-19 14:02 UTC");
    json_decref(json);
    for (size_t i = 0; i < sample.facts.input_count; i++)
        assert_says(json_text.data, sample.facts.inputs[i]->number);
}

/* --- escaping ------------------------------------------------------------------------------------------- */

static void text_is_never_markup(void **state UNUSED)
{
    static const char attack[] = "\"><script>alert('x')</script><img src=x onerror=alert(1)>&lt;\x01\x7f";
    struct sample sample CLEANUP(sample_release);
    sample_load(&sample, SAMPLE_SIGNED);
    sample.review->title = (char *)attack;
    sample.review->minutes = (char *)attack;
    sample.review->agenda[0]->discussion = (char *)attack;
    sample.review->conclusions[0]->reasons = (char *)attack;
    sample.inputs[0]->title = (char *)attack;
    sample.inputs[0]->summary = (char *)attack;
    sample.facts.snapshot->trends->metrics[0]->title = (char *)attack;
    sample.facts.snapshot->trends->metrics[0]->unit = (char *)attack;
    sample.facts.decisions[0]->title = (char *)attack;
    struct buf html = sample_html(&sample);
    assert_silent(html.data, "<script");
    assert_silent(html.data, "<img");
    assert_silent(html.data, "\x01");
    assert_silent(html.data, "\x7f");
    assert_says(html.data, "&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&lt;img src=x");
    struct buf json_text = sample_json(&sample);
    json_t *json = json_loads(json_text.data, 0, NULL);
    assert_non_null(json);
    json_decref(json);
}

static void page_needs_nothing_from_elsewhere(void **state UNUSED)
{
    static const char *const loads[] = {
        "http:", "https:", "src=", "href=", "@import", "url(", "<script", "<link"};
    struct sample sample CLEANUP(sample_release);
    sample_load(&sample, SAMPLE_SIGNED);
    struct buf html = sample_html(&sample);
    for (size_t i = 0; i < ARRAY_SIZE(loads); i++)
        assert_silent(html.data, loads[i]);
    assert_says(html.data, "default-src 'none'");
}

static void long_words_and_references_stay_whole_when_read(void **state UNUSED)
{
    static const char url[] =
        "https://example.com/a/very/long/path/without/any/space/to/break/at/übersicht/index";
    struct arena arena CLEANUP(arena_release);
    struct document document;
    struct buf html;
    arena_init(&arena, TEXT_MAX);
    document_init(&document, &arena, "Title");
    static const char *const columns[] = {"One", "Two"};
    struct block *table = document_table(&document, &document.root, columns, 2);
    document_row(&document, table, (struct cell[]){CELL("NC-2026-014"), CELL(url)});
    buf_init_arena(&html, &arena, TEXT_MAX);
    html_render(&document, &html);
    assert_says(html.data, "<wbr>");
    assert_says(html.data, "<span class=\"ref\">NC-2026-014</span>");
    assert_says(text_of(&arena, html.data), url);
}

static void too_large_a_report_fails_and_is_not_cut(void **state UNUSED)
{
    struct sample sample CLEANUP(sample_release);
    sample_load(&sample, SAMPLE_SIGNED);
    struct document document = sample_document(&sample);
    struct buf html CLEANUP(buf_release);
    buf_init(&html, 1000);
    html_render(&document, &html);
    assert_true(html.failed);

    sample.arena.max = sample.arena.used + 100; /* the next block of memory is refused */
    for (int i = 0; i < 1000 && !arena_exhausted(&sample.arena); i++)
        document = sample_document(&sample);
    assert_true(arena_exhausted(&sample.arena));
}

/* --- charts --------------------------------------------------------------------------------------------- */

static char *chart_of(struct arena *arena, const struct chart *chart)
{
    struct buf svg;
    buf_init_arena(&svg, arena, TEXT_MAX);
    chart_render(chart, "A chart", &svg);
    return svg.data;
}

/* Everything drawn lies inside of the picture, whatever the values. */
static void assert_inside(const char *svg)
{
    static const char *const attributes[] = {" x=\"",  " y=\"",  " x1=\"", " x2=\"",
                                             " y1=\"", " y2=\"", " cx=\"", " cy=\""};
    for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
        for (const char *at = svg; (at = strstr(at, attributes[i]));) {
            at += strlen(attributes[i]);
            double value = strtod(at, NULL);
            assert_true(value >= 0 && value <= (strchr(attributes[i], 'x') ? 440 : 190));
        }
    assert_silent(svg, "nan");
    assert_silent(svg, "inf");
}

static void charts_hold_any_series(void **state UNUSED)
{
    static const double series[][4] = {{1, 2, 3, 4},       {5, 5, 5, 5},      {0, 0, 0, 0},
                                       {-5, 0, 5, -10},    {1e15, -1e15, 0, 1}, {1e-9, 2e-9, 1e-9, 2e-9},
                                       {99.91, 99.95, 99.9, 99.99}};
    struct arena arena CLEANUP(arena_release);
    arena_init(&arena, 16 * TEXT_MAX);
    for (size_t i = 0; i < ARRAY_SIZE(series); i++)
        for (size_t count = 1; count <= 4; count++)
            for (int target = 0; target < 3; target++) {
                struct chart_point points[4];
                for (size_t j = 0; j < 4; j++)
                    points[j] = (struct chart_point){20000 + 30.0 * (double)j, series[i][j]};
                struct chart chart = {.unit = "h",
                                      .points = points,
                                      .point_count = count,
                                      .has_target = target > 0,
                                      .target_low = 3,
                                      .target_high = target > 1 ? 8 : 3};
                char *svg = chart_of(&arena, &chart);
                assert_inside(svg);
                assert_says(svg, "</svg>");
            }
}

static void chart_is_drawn_as_it_always_was(void **state UNUSED)
{
    static const struct chart_point points[] = {{20000, 10}, {20010, 20}, {20030, 0}};
    struct arena arena CLEANUP(arena_release);
    arena_init(&arena, TEXT_MAX);
    struct chart chart = {.unit = "h", .points = points, .point_count = 3, .tone = TONE_GOOD};
    char *svg = chart_of(&arena, &chart);
    assert_says(svg, "<polyline class=\"line good\" points=\"48.0,89.0 164.0,16.0 396.0,162.0\"/>");
    assert_says(svg, ">2024-10-04<");
    assert_says(svg, "aria-label=\"A chart: from 10 to 0 h\"");
    chart.point_count = 0;
    assert_string_equal(chart_of(&arena, &chart), "");
}

static void higher_values_stand_higher(void **state UNUSED)
{
    static const struct chart_point points[] = {{20000, 1}, {20010, 2}};
    struct arena arena CLEANUP(arena_release);
    arena_init(&arena, TEXT_MAX);
    struct chart chart = {.unit = "", .points = points, .point_count = 2};
    char *svg = strstr(chart_of(&arena, &chart), "points=\"") + 8;
    double first_y = strtod(strchr(svg, ',') + 1, NULL);
    double second_y = strtod(strchr(strchr(svg, ' '), ',') + 1, NULL);
    assert_true(second_y < first_y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signed_review_is_reported_whole),
        cmocka_unit_test(each_kind_is_shown_as_a_manager_asks_for_it),
        cmocka_unit_test(kinds_that_the_standard_does_not_name_are_not_missed),
        cmocka_unit_test(actions_are_numbered_as_they_will_be_issued),
        cmocka_unit_test(draft_is_called_a_draft),
        cmocka_unit_test(planned_review_claims_nothing),
        cmocka_unit_test(erased_names_are_said_to_be),
        cmocka_unit_test(item_that_is_not_of_the_standard_is_not_lost),
        cmocka_unit_test(same_facts_are_the_same_bytes),
        cmocka_unit_test(html_and_json_say_the_same),
        cmocka_unit_test(text_is_never_markup),
        cmocka_unit_test(page_needs_nothing_from_elsewhere),
        cmocka_unit_test(long_words_and_references_stay_whole_when_read),
        cmocka_unit_test(too_large_a_report_fails_and_is_not_cut),
        cmocka_unit_test(charts_hold_any_series),
        cmocka_unit_test(chart_is_drawn_as_it_always_was),
        cmocka_unit_test(higher_values_stand_higher),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
