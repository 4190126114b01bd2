/* snapshot_diff.c: DiffSnapshots, what changed between two freezes, or since one.
 *
 * Which input changed in which way is found by SQL from the two lists of items; contents are looked at only of
 * those on the page. All is read in one REPEATABLE READ transaction, so that the counts are those of the list. */
#include <string.h>

#include <isms/base/bug.h>
#include <isms/base/clock.h>
#include <isms/inputs/v1/statements.pb-c.h>

#include "input_diff.h"
#include "service.h"
#include "trend_message.h"
#include "trends.h"

static int no_memory(struct err *err)
{
    return err_setf(err, ERR_MESSAGE_TOO_LARGE,
                    "The answer needs more memory than a call may use: ask for a smaller page.");
}

static int change_fill(struct call *call, const Isms__Inputs__V1__DiffRow *row,
                       Isms__Inputs__V1__SnapshotChange *change, struct err *err)
{
    isms__inputs__v1__snapshot_change__init(change);
    change->change = row->change;
    change->input_id = row->input_id;
    change->number = row->number;
    change->kind = row->kind;
    change->agenda_item = row->agenda_item;
    change->title = row->title;
    change->earlier_revision = row->earlier_revision;
    change->later_revision = row->later_revision;
    if (!row->earlier_content[0] || !row->later_content[0])
        return 0;
    struct input_diff diff;
    if (input_diff(row->earlier_content, row->later_content, call_arena(call), &diff, err) < 0)
        return -1;
    change->fields = diff.fields;
    change->n_fields = diff.count;
    return 0;
}

static int changes_fill(struct call *call, const Isms__Inputs__V1__DiffPage *page,
                        Isms__Inputs__V1__DiffSnapshotsResponse *diff, struct err *err)
{
    struct arena *arena = call_arena(call);
    Isms__Inputs__V1__SnapshotChange *changes = ARENA_ARRAY(arena, page->n_rows, Isms__Inputs__V1__SnapshotChange);
    diff->changes = ARENA_ARRAY(arena, page->n_rows, Isms__Inputs__V1__SnapshotChange *);
    if (!changes || !diff->changes)
        return no_memory(err);
    for (size_t i = 0; i < page->n_rows; i++) {
        if (change_fill(call, page->rows[i], &changes[i], err) < 0)
            return -1;
        diff->changes[i] = &changes[i];
    }
    diff->n_changes = page->n_rows;
    diff->next_page_token = page->next_page_token;
    return 0;
}

/* --- how the trends moved ------------------------------------------------------------------------------- */

static void metric_move_fill(const Isms__Inputs__V1__Trend *earlier, const Isms__Inputs__V1__Trend *later,
                             Isms__Inputs__V1__TrendMove *move)
{
    const Isms__Inputs__V1__Trend *newest = later ? later : earlier;
    isms__inputs__v1__trend_move__init(move);
    move->metric_id = newest->metric_id;
    move->number = newest->number;
    move->title = newest->title;
    move->kind = ISMS__INPUTS__V1__INPUT_KIND__INPUT_KIND_METRIC;
    move->earlier_direction = earlier ? earlier->direction : 0;
    move->later_direction = later ? later->direction : 0;
    move->earlier_value = earlier ? earlier->last_value : 0;
    move->later_value = later ? later->last_value : 0;
}

static void input_move_fill(const Isms__Inputs__V1__InputTrend *earlier,
                            const Isms__Inputs__V1__InputTrend *later, Isms__Inputs__V1__TrendMove *move)
{
    isms__inputs__v1__trend_move__init(move);
    move->kind = later ? later->kind : earlier->kind;
    move->earlier_direction = earlier ? earlier->direction : 0;
    move->later_direction = later ? later->direction : 0;
    move->earlier_value = earlier ? earlier->open_at_end : 0;
    move->later_value = later ? later->open_at_end : 0;
}

static Isms__Inputs__V1__Trend *metric_find(const Isms__Inputs__V1__Trends *trends, const char *metric_id)
{
    for (size_t i = 0; i < trends->n_metrics; i++)
        if (strcmp(trends->metrics[i]->metric_id, metric_id) == 0)
            return trends->metrics[i];
    return NULL;
}

static Isms__Inputs__V1__InputTrend *input_find(const Isms__Inputs__V1__Trends *trends,
                                                Isms__Inputs__V1__InputKind kind)
{
    for (size_t i = 0; i < trends->n_inputs; i++)
        if (trends->inputs[i]->kind == kind)
            return trends->inputs[i];
    return NULL;
}

/* Of a kind whose trend was left out of either nobody can say how it moved. */
static bool is_left_out(const Isms__Inputs__V1__InputTrend *trend)
{
    return trend && trend->left_out;
}

/* Fills as many as there are; the later ones first, then those that only the earlier snapshot has. */
static size_t moves_fill(const Isms__Inputs__V1__Trends *earlier, const Isms__Inputs__V1__Trends *later,
                         Isms__Inputs__V1__TrendMove *moves)
{
    size_t count = 0;
    for (size_t i = 0; i < later->n_metrics; i++)
        metric_move_fill(metric_find(earlier, later->metrics[i]->metric_id), later->metrics[i], &moves[count++]);
    for (size_t i = 0; i < earlier->n_metrics; i++)
        if (!metric_find(later, earlier->metrics[i]->metric_id))
            metric_move_fill(earlier->metrics[i], NULL, &moves[count++]);
    for (size_t i = 0; i < later->n_inputs; i++) {
        const Isms__Inputs__V1__InputTrend *before = input_find(earlier, later->inputs[i]->kind);
        if (!is_left_out(before) && !is_left_out(later->inputs[i]))
            input_move_fill(before, later->inputs[i], &moves[count++]);
    }
    for (size_t i = 0; i < earlier->n_inputs; i++)
        if (!input_find(later, earlier->inputs[i]->kind) && !is_left_out(earlier->inputs[i]))
            input_move_fill(earlier->inputs[i], NULL, &moves[count++]);
    return count;
}

/* As many days as the earlier snapshot's period has, until today. NULL for want of memory. */
static Isms__Type__V1__DateRange *period_until_today(struct call *call, const Isms__Inputs__V1__DiffEnds *ends)
{
    struct period earlier = period_of(ends->earlier->period);
    struct date today;
    BUG_IF(!date_parse(ends->today, &today)); /* a date in SQL */
    int64_t end = date_to_days(today);
    return date_range_new(call_arena(call), (struct period){end - (earlier.end - earlier.start), end});
}

/* Takes the trends off the ends, which the response shows without. */
static int trends_compare(struct call *call, Isms__Inputs__V1__DiffEnds *ends,
                          Isms__Inputs__V1__DiffSnapshotsResponse *diff, struct err *err)
{
    Isms__Inputs__V1__Trends earlier = ISMS__INPUTS__V1__TRENDS__INIT;
    Isms__Inputs__V1__Trends later = ISMS__INPUTS__V1__TRENDS__INIT;
    const Isms__Type__V1__DateRange *until_today = ends->later ? NULL : period_until_today(call, ends);
    if (!ends->later && !until_today)
        return no_memory(err);
    if (ends->earlier->trends)
        earlier = *ends->earlier->trends;
    ends->earlier->trends = NULL;
    if (ends->later && ends->later->trends)
        later = *ends->later->trends;
    if (ends->later)
        ends->later->trends = NULL;
    else if (trends_all(call, until_today, ISMS__INPUTS__V1__GRANULARITY__GRANULARITY_MONTH, &later, err) < 0)
        return -1;
    size_t count = earlier.n_metrics + later.n_metrics + earlier.n_inputs + later.n_inputs;
    Isms__Inputs__V1__TrendMove *moves = ARENA_ARRAY(call_arena(call), count, Isms__Inputs__V1__TrendMove);
    diff->trends = ARENA_ARRAY(call_arena(call), count, Isms__Inputs__V1__TrendMove *);
    if (!moves || !diff->trends)
        return no_memory(err);
    diff->n_trends = moves_fill(&earlier, &later, moves);
    for (size_t i = 0; i < diff->n_trends; i++)
        diff->trends[i] = &moves[i];
    return 0;
}

int diff_snapshots(struct call *call, const ProtobufCMessage *message, ProtobufCMessage *response, struct err *err)
{
    const Isms__Inputs__V1__DiffSnapshotsRequest *request =
        (const Isms__Inputs__V1__DiffSnapshotsRequest *)message;
    Isms__Inputs__V1__DiffSnapshotsResponse *diff = (Isms__Inputs__V1__DiffSnapshotsResponse *)response;
    Isms__Inputs__V1__DiffQuery query = ISMS__INPUTS__V1__DIFF_QUERY__INIT;
    Isms__Inputs__V1__DiffEnds ends = ISMS__INPUTS__V1__DIFF_ENDS__INIT;
    Isms__Inputs__V1__DiffCounts counts = ISMS__INPUTS__V1__DIFF_COUNTS__INIT;
    Isms__Inputs__V1__DiffPage page = ISMS__INPUTS__V1__DIFF_PAGE__INIT;
    query.earlier_snapshot_id = request->earlier_snapshot_id;
    query.later_snapshot_id = request->later_snapshot_id;
    query.trends = !request->page_token[0];
    if (call_begin_snapshot(call, err) < 0 || call_statement(call, "DiffEnds", &query.base, &ends.base, err) < 0)
        return -1;
    if (query.trends && (call_statement(call, "DiffCounts", &query.base, &counts.base, err) < 0 ||
                         trends_compare(call, &ends, diff, err) < 0))
        return -1;
    if (call_statement(call, "DiffPage", message, &page.base, err) < 0)
        return -1;
    diff->earlier = ends.earlier;
    diff->later = ends.later;
    diff->counts = counts.counts;
    diff->n_counts = counts.n_counts;
    return changes_fill(call, &page, diff, err);
}
