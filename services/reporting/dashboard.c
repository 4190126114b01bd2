/* dashboard.c: GetDashboard, cached under the organisation's sequence.
 *
 * Everything on a dashboard is a function of the organisation's data, which the sequence counts the changes of,
 * of the day, and of what the caller may see; the cache's key names all three. A dashboard is kept only where
 * the sequence was the same after gathering it as before: then all of it is of that one moment. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <isms/auth/principal.h>
#include <isms/base/clock.h>
#include <isms/proto/message.h>
#include <isms/reporting/v1/internal.pb-c.h>
#include <isms/reporting/v1/reporting.pb-c.h>

#include "service.h"

enum { PERIOD_MONTHS = 12, TRENDS_PAGE = 100, KEPT_SECONDS = 24 * 3600, GATHERINGS_MAX = 2, REVIEWS_PAGE = 200 };

static int no_memory(struct err *err)
{
    return err_setf(err, ERR_MESSAGE_TOO_LARGE, "The dashboard needs more memory than a call may use.");
}

static int standing_read(struct call *call, Isms__Reporting__V1__Standing *ret_standing, struct err *err)
{
    Isms__Reporting__V1__StandingRequest get = ISMS__REPORTING__V1__STANDING_REQUEST__INIT;
    isms__reporting__v1__standing__init(ret_standing);
    if (call_begin_read(call, err) < 0 ||
        call_statement(call, "GetStanding", &get.base, &ret_standing->base, err) < 0)
        return -1;
    call_end(call);
    return 0;
}

/* --- the cache ------------------------------------------------------------------------------------------ */

/* Whoever does not see everything has entries of their own. */
static struct cache_key cache_key_of(const struct call *call, const Isms__Reporting__V1__Standing *standing,
                                     char name[static CACHE_NAME_MAX])
{
    const struct principal *principal = call_principal(call);
    char caller[UUID_TEXT_SIZE] = "";
    if (principal->scope != SCOPE_ALL)
        uuid_format(principal->id, caller);
    snprintf(name, CACHE_NAME_MAX, "dashboard:1:%s:%s:%s", standing->today, scope_name(principal->scope),
             caller);
    return (struct cache_key){.tenant = principal->tenant, .sequence = standing->sequence, .name = name};
}

static bool dashboard_find(struct call *call, const struct cache_key *key,
                           Isms__Reporting__V1__Dashboard *dashboard)
{
    const struct reporting *reporting = call_service_data(call);
    ProtobufCMessage *found;
    struct err ignored;
    struct buf value;
    buf_init_arena(&value, call_arena(call), CACHE_VALUE_MAX);
    if (!cache_get(reporting->cache, key, &value) ||
        message_unpack(&isms__reporting__v1__dashboard__descriptor, value.data, value.length, call_arena(call),
                       &found, &ignored) < 0)
        return false;
    *dashboard = *(const Isms__Reporting__V1__Dashboard *)found;
    dashboard->cached = true;
    return true;
}

static void dashboard_keep(struct call *call, const struct cache_key *key,
                           const Isms__Reporting__V1__Dashboard *dashboard)
{
    const struct reporting *reporting = call_service_data(call);
    struct err ignored;
    struct slice value;
    if (message_pack(&dashboard->base, call_arena(call), &value, &ignored) == 0)
        cache_set(reporting->cache, key, value, KEPT_SECONDS);
}

/* --- gathering ------------------------------------------------------------------------------------------ */

/* Under way before planned, and of those the one that has come furthest; of planned ones the next. */
static bool is_more_current(const Isms__Reviews__V1__Review *review, const Isms__Reviews__V1__Review *than)
{
    if (!than || review->state != than->state)
        return !than || review->state > than->state;
    return strcmp(review->planned_date, than->planned_date) < 0;
}

static bool is_signed_later(const Isms__Reviews__V1__Review *review, const Isms__Reviews__V1__Review *than)
{
    if (!review->sign_time)
        return false;
    if (!than || review->sign_time->seconds != than->sign_time->seconds)
        return !than || review->sign_time->seconds > than->sign_time->seconds;
    return review->sign_time->nanos > than->sign_time->nanos;
}

static int reviews_gather(struct call *call, Isms__Reporting__V1__Dashboard *dashboard, struct err *err)
{
    Isms__Reviews__V1__ListReviewsRequest list = ISMS__REVIEWS__V1__LIST_REVIEWS_REQUEST__INIT;
    list.page_size = REVIEWS_PAGE;
    do {
        Isms__Reviews__V1__ListReviewsResponse page = ISMS__REVIEWS__V1__LIST_REVIEWS_RESPONSE__INIT;
        if (call_peer(call, PEER_REVIEWS, "/isms.reviews.v1.ReviewService/ListReviews", &list.base, &page.base,
                      err) < 0)
            return -1;
        for (size_t i = 0; i < page.n_reviews; i++) {
            Isms__Reviews__V1__Review *review = page.reviews[i];
            if (review->state <= ISMS__REVIEWS__V1__REVIEW_STATE__REVIEW_STATE_MINUTES_DRAFTED) {
                if (is_more_current(review, dashboard->current_review))
                    dashboard->current_review = review;
            } else if (is_signed_later(review, dashboard->last_signed_review)) {
                dashboard->last_signed_review = review;
            }
        }
        list.page_token = page.next_page_token;
    } while (list.page_token[0]);
    return 0;
}

static int actions_gather(struct call *call, Isms__Reporting__V1__Dashboard *dashboard, struct err *err)
{
    Isms__Actions__V1__GetActionFiguresRequest get = ISMS__ACTIONS__V1__GET_ACTION_FIGURES_REQUEST__INIT;
    dashboard->actions = ARENA_NEW(call_arena(call), Isms__Actions__V1__ActionFigures);
    if (!dashboard->actions)
        return no_memory(err);
    isms__actions__v1__action_figures__init(dashboard->actions);
    return call_peer(call, PEER_ACTIONS, "/isms.actions.v1.ActionService/GetActionFigures", &get.base,
                     &dashboard->actions->base, err);
}

static int inputs_gather(struct call *call, Isms__Reporting__V1__Dashboard *dashboard, struct err *err)
{
    Isms__Inputs__V1__GetInputFiguresRequest get = ISMS__INPUTS__V1__GET_INPUT_FIGURES_REQUEST__INIT;
    Isms__Inputs__V1__GetInputFiguresResponse found = ISMS__INPUTS__V1__GET_INPUT_FIGURES_RESPONSE__INIT;
    if (call_peer(call, PEER_INPUTS, "/isms.inputs.v1.InputService/GetInputFigures", &get.base, &found.base,
                  err) < 0)
        return -1;
    dashboard->inputs = found.figures;
    dashboard->n_inputs = found.n_figures;
    return 0;
}

static int trends_append(struct call *call, const Isms__Inputs__V1__ListMetricTrendsResponse *page,
                         Isms__Reporting__V1__Dashboard *dashboard, struct err *err)
{
    size_t count = dashboard->n_trends + page->n_trends;
    Isms__Inputs__V1__Trend **all = ARENA_ARRAY(call_arena(call), count, Isms__Inputs__V1__Trend *);
    if (!all)
        return err_set(err, ERR_MESSAGE_TOO_LARGE);
    for (size_t i = 0; i < count; i++)
        all[i] = i < dashboard->n_trends ? dashboard->trends[i] : page->trends[i - dashboard->n_trends];
    dashboard->trends = all;
    dashboard->n_trends = count;
    return 0;
}

/* The twelve months that end today. */
static int trends_gather(struct call *call, const char *today, Isms__Reporting__V1__Dashboard *dashboard,
                         struct err *err)
{
    Isms__Inputs__V1__ListMetricTrendsRequest list = ISMS__INPUTS__V1__LIST_METRIC_TRENDS_REQUEST__INIT;
    Isms__Type__V1__DateRange period = ISMS__TYPE__V1__DATE_RANGE__INIT;
    char start[CLOCK_DATE_SIZE];
    struct date day;
    if (!date_parse(today, &day))
        return err_set(err, ERR_INTERNAL);
    date_format(date_from_days(date_to_days(date_add_months(day, -PERIOD_MONTHS)) + 1), start);
    period.start_date = start;
    period.end_date = (char *)today;
    list.period = &period;
    list.page_size = TRENDS_PAGE;
    do {
        Isms__Inputs__V1__ListMetricTrendsResponse page = ISMS__INPUTS__V1__LIST_METRIC_TRENDS_RESPONSE__INIT;
        if (call_peer(call, PEER_INPUTS, "/isms.inputs.v1.TrendService/ListMetricTrends", &list.base, &page.base,
                      err) < 0 ||
            trends_append(call, &page, dashboard, err) < 0)
            return -1;
        list.page_token = page.next_page_token;
    } while (list.page_token[0] != '\0');
    return 0;
}

static int dashboard_gather(struct call *call, const Isms__Reporting__V1__Standing *standing,
                            Isms__Reporting__V1__Dashboard *dashboard, struct err *err)
{
    isms__reporting__v1__dashboard__init(dashboard);
    dashboard->sequence = standing->sequence;
    dashboard->as_of = standing->as_of;
    return reviews_gather(call, dashboard, err) < 0 || actions_gather(call, dashboard, err) < 0 ||
                   inputs_gather(call, dashboard, err) < 0 ||
                   trends_gather(call, standing->today, dashboard, err) < 0
               ? -1
               : 0;
}

/* Where writers are busy, the last try is answered though parts of it may be a few changes newer than it says,
 * and is not kept. */
int dashboard_get(struct call *call, const ProtobufCMessage *request UNUSED, ProtobufCMessage *response,
                  struct err *err)
{
    Isms__Reporting__V1__Dashboard *dashboard = (void *)response;
    Isms__Reporting__V1__Standing before;
    Isms__Reporting__V1__Standing after;
    char name[CACHE_NAME_MAX];
    if (standing_read(call, &after, err) < 0)
        return -1;
    for (int i = 0; i < GATHERINGS_MAX; i++) {
        before = after;
        struct cache_key key = cache_key_of(call, &before, name);
        if (dashboard_find(call, &key, dashboard))
            break;
        if (dashboard_gather(call, &before, dashboard, err) < 0 || standing_read(call, &after, err) < 0)
            return -1;
        if (after.sequence == before.sequence) {
            dashboard_keep(call, &key, dashboard);
            break;
        }
    }
    call_log(call, "cached", "%s", dashboard->cached ? "yes" : "no");
    return 0;
}
