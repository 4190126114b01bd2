"""Trends against values that are worked out here, by other means: slopes by a Theil–Sen of our own, days and months
by Python's calendar and zoneinfo, counts by looking at every input on every last day of a span."""

import calendar
import datetime
import itertools
import math
import random
import statistics
import zoneinfo

import pytest
from isms_client import Organisation, Refused, stack

DAY = datetime.timedelta(days=1)
UTC = datetime.timezone.utc
INSUFFICIENT, IMPROVING, STABLE, WORSENING = 1, 2, 3, 4
MONTHS = {"GRANULARITY_MONTH": 1, "GRANULARITY_QUARTER": 3, "GRANULARITY_YEAR": 12}


class World:
    """An organisation in a time zone."""

    def __init__(self, zone):
        self.organisation = Organisation(f"Trends in {zone}")
        self.organisation.admin.UpdateOrganisation(organisation={"time_zone": zone}, update_mask="timeZone")
        self.zone = zoneinfo.ZoneInfo(zone)
        self.manager = self.organisation.person("ISMS_MANAGER")
        self.today = datetime.datetime.now(self.zone).date()

    def metric(self, **fields):
        return self.manager.CreateInput(input={"title": "A metric", "metric": {
            "unit": "hours", "polarity": "POLARITY_LOWER_IS_BETTER", "frequency": "FREQUENCY_MONTHLY",
            **fields}}).id

    def measure(self, metric, points, **fields):
        """Points are (time, value); each recorded when it was observed, unless said otherwise."""
        given = [{"metric_id": metric, "observed_time": stamp(time), "recorded_time": stamp(time), "value": value,
                  **fields} for time, value in points]
        added = []
        for start in range(0, len(given), 1000):
            added += self.manager.AddMeasurements(measurements=given[start:start + 1000]).measurements
        return added

    def trend(self, metric, start, end, granularity="GRANULARITY_MONTH"):
        return self.manager.GetMetricTrend(metric_id=metric, period=days(start, end), granularity=granularity)

    def inputs(self, kind, start, end, granularity="GRANULARITY_MONTH"):
        return self.manager.GetInputTrend(kind=f"INPUT_KIND_{kind}", period=days(start, end), granularity=granularity)


@pytest.fixture(scope="module")
def berlin():
    return World("Europe/Berlin")


def stamp(time):
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def days(start, end):
    return {"start_date": str(start), "end_date": str(end)}


def date(text):
    return datetime.date.fromisoformat(text)


def theil_sen(points):
    """Of (days, value), per day."""
    slopes = [(b - a) / (u - t) for (t, a), (u, b) in itertools.combinations(points, 2) if t != u]
    return statistics.median(slopes)


def spans(start, end, granularity):
    """The first and last day of each span of the calendar, cut to the period."""
    months, found, day = MONTHS[granularity], [], start
    while day <= end:
        last_month = (day.month - 1) // months * months + months
        last = datetime.date(day.year, last_month, calendar.monthrange(day.year, last_month)[1])
        found.append((day, min(last, end)))
        day = last + DAY
    return found


def assert_near(got, expected):
    assert math.isclose(got, expected, rel_tol=1e-9, abs_tol=1e-9), (got, expected)


# --- metrics --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("granularity", MONTHS)
@pytest.mark.parametrize("polarity, slope", [("HIGHER", 3), ("HIGHER", -3), ("LOWER", 3), ("LOWER", -3)])
def test_slope_direction_and_spans_of_a_known_series(berlin, granularity, polarity, slope):
    generator = random.Random(f"{granularity}{polarity}{slope}")
    start, end = date("2024-01-01"), date("2025-12-31")
    times = [datetime.datetime(2024 + m // 12, m % 12 + 1, 15, 12, tzinfo=berlin.zone) for m in range(24)]
    gaps = set(generator.sample(range(1, 23), 4))
    points = [(time, 200 + slope * i + generator.uniform(-2, 2)) for i, time in enumerate(times) if i not in gaps]
    points[7] = (points[7][0], 1e6)  # one wild value
    metric = berlin.metric(polarity=f"POLARITY_{polarity}_IS_BETTER")
    berlin.measure(metric, generator.sample(points, len(points)))
    trend = berlin.trend(metric, start, end, granularity)

    expected = theil_sen([(time.timestamp() / 86400, value) for time, value in points])
    assert_near(trend.slope_per_30_days, expected * 30)
    assert trend.direction == (IMPROVING if (slope > 0) == (polarity == "HIGHER") else WORSENING)
    assert (trend.first_value, trend.last_value) == (points[0][1], points[-1][1])
    assert_near(trend.mean_value, statistics.mean(value for _, value in points))
    quality = trend.quality
    assert (quality.expected_points, quality.present_points, quality.late_points) == (24, 20, 0)

    assert len(trend.spans) == len(spans(start, end, granularity))
    for span, (first, last) in zip(trend.spans, spans(start, end, granularity)):
        within = [value for time, value in points if first <= time.date() <= last]
        assert (span.days.start_date, span.days.end_date, span.points) == (str(first), str(last), len(within))
        if within:
            assert_near(span.mean, statistics.mean(within))
            assert (span.minimum, span.maximum, span.last) == (min(within), max(within), within[-1])


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Tokyo", "Pacific/Apia"])
def test_a_value_belongs_to_the_day_it_was_in_the_organisation(zone):
    world = World(zone)
    edges = ["2024-02-28", "2024-02-29", "2024-03-01", "2024-12-31", "2025-01-01", "2025-02-28", "2025-03-09",
             "2025-03-30", "2025-10-26", "2025-11-02", "2025-03-31", "2025-06-30"]
    points = []
    for edge in edges:  # the first and last moments of each day, and the hour that the clocks leave out or repeat
        midnight = datetime.datetime.combine(date(edge), datetime.time(), world.zone)
        next_midnight = datetime.datetime.combine(date(edge) + DAY, datetime.time(), world.zone)
        moments = [midnight, next_midnight.astimezone(UTC) - datetime.timedelta(microseconds=1),
                   *(midnight.astimezone(UTC) + datetime.timedelta(minutes=30 * i) for i in range(2, 9))]
        points += [(moment, len(points) + i) for i, moment in enumerate(moments)]
    metric = world.metric(frequency="FREQUENCY_IRREGULAR")
    world.measure(metric, points)
    for granularity in MONTHS:
        trend = world.trend(metric, date("2024-01-01"), date("2025-12-31"), granularity)
        assert sum(span.points for span in trend.spans) == len(points)
        for span in trend.spans:
            first, last = date(span.days.start_date), date(span.days.end_date)
            within = [time for time, _ in points if first <= time.astimezone(world.zone).date() <= last]
            assert span.points == len(within), (span.days, granularity)
    for edge in edges:
        within = [1 for time, _ in points if time.astimezone(world.zone).date() == date(edge)]
        trend = world.trend(metric, edge, edge)
        assert trend.spans[0].points == len(within) and trend.quality.present_points == len(within)


def test_late_is_what_was_recorded_after_the_grace_and_history_may_say_when(berlin):
    metric = berlin.metric(grace_days=5)
    observed = [datetime.datetime(2025, month, 28, 12, tzinfo=berlin.zone) for month in range(1, 7)]
    due = [datetime.datetime(2025, month + 1, 5, 23, 59, tzinfo=berlin.zone) for month in range(1, 7)]
    for month, (time, last) in enumerate(zip(observed, due)):
        recorded = last if month % 2 else last + datetime.timedelta(minutes=2)
        berlin.measure(metric, [(time, month)], recorded_time=stamp(recorded))
    trend = berlin.trend(metric, "2025-01-01", "2025-06-30")
    assert [point.late for point in trend.points] == [True, False] * 3
    assert (trend.quality.late_points, trend.quality.present_points) == (3, 6)
    # Recorded now, it is late; what a source says of the future is refused.
    berlin.manager.AddMeasurements(measurements=[
        {"metric_id": metric, "observed_time": "2025-07-15T12:00:00Z", "value": 9}])
    assert berlin.trend(metric, "2025-01-01", "2025-07-31").quality.late_points == 4
    with pytest.raises(Refused) as refused:
        berlin.measure(metric, [(observed[0] + DAY, 1)], recorded_time=stamp(datetime.datetime.now(UTC) + 2 * DAY))
    assert refused.value.reason == "FIELD_INVALID"
    assert list(refused.value.fields) == ["measurements[0].recorded_time"]


def test_a_correction_takes_the_place_of_what_it_corrects(berlin):
    metric = berlin.metric(grace_days=3)
    times = [datetime.datetime(2025, month, 20, 8, tzinfo=berlin.zone) for month in range(1, 13)]
    added = berlin.measure(metric, [(time, 10 + i) for i, time in enumerate(times)])
    before = berlin.trend(metric, "2025-01-01", "2025-12-31")
    assert before.quality.corrected_points == 0 and before.last_value == 21
    correction = {"metric_id": metric, "observed_time": stamp(times[11]), "value": 5, "corrects_id": added[11].id}
    with pytest.raises(Refused) as refused:
        berlin.manager.AddMeasurements(measurements=[{**correction, "recorded_time": "2025-12-21T00:00:00Z"}])
    assert list(refused.value.fields) == ["measurements[0].recorded_time"]
    berlin.manager.AddMeasurements(measurements=[correction])
    after = berlin.trend(metric, "2025-01-01", "2025-12-31")
    assert (after.last_value, after.quality.present_points) == (5, 12)
    assert (after.quality.corrected_points, after.quality.late_points) == (1, 0)
    assert [point.corrected for point in after.points] == [False] * 11 + [True]


def test_other_periods_are_compared_by_the_calendar(berlin):
    metric = berlin.metric(polarity="POLARITY_HIGHER_IS_BETTER", unit="%")
    times = [datetime.datetime(2023 + m // 12, m % 12 + 1, calendar.monthrange(2023 + m // 12, m % 12 + 1)[1], 23, 30,
                               tzinfo=berlin.zone) for m in range(24)]
    points = [(time, 50 + (i * 7) % 11) for i, time in enumerate(times)]
    berlin.measure(metric, points)

    def within(first, last):
        return [value for time, value in points if date(first) <= time.date() <= date(last)]

    for period, before, last_year in [
            (("2024-04-01", "2024-06-30"), ("2024-01-01", "2024-03-31"), ("2023-04-01", "2023-06-30")),
            (("2024-02-01", "2024-02-29"), ("2024-01-01", "2024-01-31"), ("2023-02-01", "2023-02-28")),
            (("2024-01-01", "2024-12-31"), ("2023-01-01", "2023-12-31"), ("2023-01-01", "2023-12-31")),
            (("2024-03-10", "2024-04-08"), ("2024-02-09", "2024-03-09"), ("2023-03-10", "2023-04-08"))]:
        trend = berlin.trend(metric, *period)
        for compared, expected in ((trend.previous_period, before), (trend.same_period_last_year, last_year)):
            values = within(*expected)
            assert (compared.period.start_date, compared.period.end_date) == expected
            assert (compared.points, compared.last_value) == (len(values), values[-1])
            assert_near(compared.mean_value, statistics.mean(values))
            assert_near(compared.last_change, within(*period)[-1] - values[-1])
            assert_near(compared.mean_change, statistics.mean(within(*period)) - statistics.mean(values))
            change = compared.last_change
            assert compared.comparison == (1 if change > 0 else 2 if change == 0 else 3)
            assert compared.quality.present_points == len(values)


@pytest.mark.parametrize("operator, value, met", [
    ("AT_MOST", 10, 1), ("AT_MOST", 11, 2), ("AT_LEAST", 10, 1), ("AT_LEAST", 9, 2), ("BELOW", 10, 2), ("BELOW", 9, 1),
    ("ABOVE", 10, 2), ("ABOVE", 11, 1), ("EQUAL", 10, 1), ("EQUAL", 10.5, 2), ("BETWEEN", 10, 1), ("BETWEEN", 21, 2),
    ("TEXT", 10, 0)])
def test_last_value_against_target_benchmark_and_thresholds(berlin, operator, value, met):
    target = {"operator": f"OPERATOR_{operator}", "value": 10, "upper": 20}
    if operator == "TEXT":
        target = {"operator": "OPERATOR_TEXT", "text": "As good as last year"}
    elif operator != "BETWEEN":
        target.pop("upper")
    metric = berlin.metric(target=target, benchmark={"value": 10.25, "source": "A survey"},
                           thresholds={"warning": 10, "critical": 11})
    berlin.measure(metric, [(datetime.datetime(2025, 5, 5, tzinfo=UTC), value)])
    trend = berlin.trend(metric, "2025-01-01", "2025-12-31")
    assert trend.target_attainment == met and trend.target.text == target.get("text", "")
    assert trend.direction == INSUFFICIENT and trend.quality.minimum_points == 3
    assert trend.benchmark_difference == value - 10.25
    assert trend.benchmark_comparison == (1 if value < 10.25 else 3)
    assert trend.threshold_state == (3 if value >= 11 else 2 if value >= 10 else 1)


def test_lists_of_trends_are_paged_and_complete():
    world = World("UTC")
    ids = [world.metric(unit=f"unit {i}") for i in range(7)]
    seen, token = [], ""
    while True:
        page = world.manager.ListMetricTrends(period=days("2025-01-01", "2025-12-31"), page_size=3, page_token=token)
        assert len(page.trends) <= 3
        seen += [trend.metric_id for trend in page.trends]
        token = page.next_page_token
        if not token:
            break
    assert seen == ids


# --- inputs ---------------------------------------------------------------------------------------------------------

def open_on(item, day):
    return item["opened"] <= day and (item["closed"] is None or item["closed"] > day)


@pytest.mark.parametrize("kind, graded, category", [
    ("NONCONFORMITY", ("nonconformity", "grade", "GRADE_"), "cause"),
    ("FINDING", ("finding", "grade", "GRADE_"), "cause"), ("INCIDENT", ("incident", None, None), "cause")])
def test_registers_are_counted_as_by_hand(kind, graded, category):
    world = World("America/New_York")
    generator = random.Random(kind)
    member, field, prefix = graded
    grades = ["MINOR", "MAJOR", "OBSERVATION"]
    causes = ["Access review", "access REVIEW", "Backup", "Élan", "élan", ""]
    items = []
    for _ in range(40):
        opened = date("2023-11-01") + generator.randrange(800) * DAY
        closed = opened + generator.randrange(300) * DAY
        item = {"opened": opened, "closed": closed if generator.random() < .6 and closed <= world.today else None,
                "due": opened + generator.randrange(200) * DAY, "grade": generator.choice(grades),
                "cause": generator.choice(causes)}
        items.append(item)
        detail = {"cause": {"category": item["cause"], "description": "Because"}}
        if field:
            detail[field] = prefix + item["grade"]
        world.manager.CreateInput(input={
            "title": "One", "effective_date": str(opened), "due_date": str(item["due"]), member: detail,
            **({"state": "INPUT_STATE_CLOSED", "closed_date": str(item["closed"])} if item["closed"] else {})})
    start, end = date("2024-01-01"), date("2025-12-31")
    for granularity in MONTHS:
        trend = world.inputs(kind, start, end, granularity)
        assert len(trend.spans) == len(spans(start, end, granularity))
        for index, (span, (first, last)) in enumerate(zip(trend.spans, spans(start, end, granularity))):
            opened = [item for item in items if first <= item["opened"] <= last]
            closed = [item for item in items if item["closed"] and first <= item["closed"] <= last]
            still = [item for item in items if open_on(item, last)]
            assert (span.opened, span.closed, span.open) == (len(opened), len(closed), len(still)), span.days
            assert span.overdue == len([item for item in still if item["due"] < last])
            by_cause = next(d for d in trend.dimensions if d.name == category)
            for cause in by_cause.categories:
                same = [item for item in opened if item["cause"].lower() == cause.name.lower()]
                assert cause.opened[index] == len(same), (cause.name, span.days)
            if field:
                for grade in next(d for d in trend.dimensions if d.name == "grade").categories:
                    assert grade.open[index] == len([item for item in still if item["grade"] == grade.name])
        before = [item for item in items if open_on(item, start - DAY)]
        assert trend.open_at_start == len(before)
        assert trend.open_at_end == trend.open_at_start + trend.opened - trend.closed
        # All of it was recorded today: every span that counts one rests on late records.
        assert trend.quality.late_points == len([span for span in trend.spans if span.opened + span.closed + span.open])

        took = sorted((item["closed"] - item["opened"]).days for item in items
                      if item["closed"] and start <= item["closed"] <= end)
        assert trend.time_to_close.count == len(took)
        assert_near(trend.time_to_close.median_days, statistics.median(took))
        assert trend.time_to_close.p90_days == took[math.ceil(.9 * len(took)) - 1]
        ages = [(end - item["opened"]).days for item in items if open_on(item, end)]
        assert list(trend.age.buckets) == [len([age for age in ages if low < age <= high]) for low, high in
                                           ((-1, 30), (30, 90), (90, 180), (180, 365), (365, 9999))]
        for recurrence in trend.recurrences:
            same = sorted(item["opened"] for item in items
                          if recurrence.cause and item["cause"].lower() == recurrence.cause.lower())
            if same:
                within = [day for day in same if start <= day <= end]
                earlier = [day for day in same if day < start]
                assert (recurrence.opened, recurrence.earlier) == (len(within), len(earlier))
                assert recurrence.recurred == len(within) - (0 if earlier else 1)


def test_direction_of_a_register_is_that_of_the_number_open():
    world = World("UTC")
    for month in range(1, 13):
        world.manager.CreateInput(input={"title": "One", "effective_date": f"2025-{month:02}-10", "nonconformity": {}})
    trend = world.inputs("NONCONFORMITY", "2025-01-01", "2025-12-31")
    ends = [(last - date("2025-01-01")).days for _, last in spans(date("2025-01-01"), date("2025-12-31"),
                                                                 "GRANULARITY_MONTH")]
    assert trend.direction == WORSENING
    assert_near(trend.slope_per_30_days, 30 * theil_sen(list(zip(ends, range(1, 13)))))
    assert world.inputs("NONCONFORMITY", "2025-01-01", "2025-02-28").direction == INSUFFICIENT


def measure_of(trend, name):
    found = next(measure for measure in trend.measures if measure.name == name)
    return dict(zip(found.span, found.value))


def recorded_on(item, revision, day):
    """As if that revision had been recorded on another day: only the database's owner of all can do so."""
    done = stack().sql(f"set session_replication_role = replica; update core.change set change_time = '{day} 03:00Z' "
                       f"where row_id = '{item.id}' and revision = {revision}")
    assert done.returncode == 0, done.stderr


def test_risks_are_counted_at_the_level_they_had_at_the_time():
    world = World("Asia/Tokyo")
    start, end = world.today - 400 * DAY, world.today
    update = world.manager.UpdateInput

    def risk(likelihood, opened, recorded):
        made = world.manager.CreateInput(input={"title": "A risk", "effective_date": str(opened), "risk": {
            "current": {"likelihood": likelihood, "impact": 5}}})
        recorded_on(made, 1, recorded)
        return made

    falls, rises = (risk(likelihood, start - 10 * DAY, start - 10 * DAY) for likelihood in (5, 1))
    new = risk(4, start + 100 * DAY, start + 200 * DAY)  # recorded a hundred days late
    gone = risk(5, start - 10 * DAY, start - 10 * DAY)
    update(id=gone.id, update_mask="state,closedDate",
           input={"state": "INPUT_STATE_CLOSED", "closed_date": str(start + 50 * DAY)})
    update(id=falls.id, update_mask="risk.current", input={"risk": {"current": {"likelihood": 1, "impact": 5}}})
    recorded_on(falls, 2, start + 300 * DAY)
    # Recorded today, but assessed ninety days ago.
    update(id=rises.id, update_mask="risk.current,risk.assessedDate", input={"risk": {
        "current": {"likelihood": 4, "impact": 5}, "assessed_date": str(end - 90 * DAY)}})

    def above(day):
        return ((day < start + 300 * DAY) + (day >= end - 90 * DAY) + (day >= start + 100 * DAY)
                + (day < start + 50 * DAY))

    trend = world.inputs("RISK", start, end)
    levels = next(d for d in trend.dimensions if d.name == "level")
    assert [category.name for category in levels.categories] == ["Medium", "Critical"]
    assert (trend.opened, trend.closed, trend.open_at_start, trend.open_at_end) == (1, 1, 3, 3)
    counted = measure_of(trend, "above_appetite")
    for index, span in enumerate(trend.spans):
        first, last = date(span.days.start_date), date(span.days.end_date)
        assert counted[index] == above(last) == levels.categories[1].open[index], span.days
        assert levels.categories[0].open[index] == span.open - above(last)
        assert span.improved == (first <= start + 300 * DAY <= last)
        assert span.worsened == (first <= end - 90 * DAY <= last)
        late = (new_is_late(last, start), last < end and last >= end - 90 * DAY)
        assert span.late_records == sum(late), span.days
    assert {(getattr(m, "from"), m.to): m.count for m in trend.movements} == {
        ("Critical", "Medium"): 1, ("Medium", "Critical"): 1}
    assert new.number and gone.number


def new_is_late(last, start):
    return start + 100 * DAY <= last < start + 200 * DAY


def test_shares_and_means_of_the_other_kinds():
    world = World("UTC")
    create = world.manager.CreateInput

    for opened, sentiment in (("2025-01-10", "POSITIVE"), ("2025-01-20", "NEGATIVE"), ("2025-01-31", "NEGATIVE"),
                              ("2025-02-01", "MIXED"), ("2025-03-05", "POSITIVE")):
        create(input={"title": "Said", "effective_date": opened, "feedback": {
            "interested_party": "Customers", "theme": "Onboarding", "sentiment": f"SENTIMENT_{sentiment}"}})
    trend = world.inputs("FEEDBACK", "2025-01-01", "2025-04-30")
    assert measure_of(trend, "net_sentiment_percent") == {0: pytest.approx(-100 / 3), 1: 0, 2: 100}
    assert [c.name for c in next(d for d in trend.dimensions if d.name == "sentiment").categories] == [
        "POSITIVE", "MIXED", "NEGATIVE"]
    pairs = next(d for d in trend.dimensions if d.name == "theme_and_sentiment").categories
    assert {c.name: sum(c.opened) for c in pairs} == {
        "Onboarding: POSITIVE": 2, "Onboarding: NEGATIVE": 2, "Onboarding: MIXED": 1}

    for percent, state in ((40, {}), (80, {}), (10, {"state": "INPUT_STATE_CLOSED", "closed_date": "2025-02-10"})):
        create(input={"title": "Plan", "effective_date": "2025-01-05", **state,
                      "treatment": {"percent_complete": percent}})
    trend = world.inputs("TREATMENT", "2025-01-01", "2025-03-31")
    assert measure_of(trend, "mean_percent_complete") == {0: pytest.approx(130 / 3), 1: pytest.approx(220 / 3), 2: 60}

    for status in ("COMPLIANT", "COMPLIANT", "NOT_COMPLIANT", "NOT_APPLICABLE"):
        create(input={"title": "Clause", "effective_date": "2025-01-05", "compliance": {
            "framework": "ISO/IEC 27001:2022", "reference": "4.1", "status": f"STATUS_{status}",
            "assessed_date": "2025-01-05", "gap": "None"}})
    trend = world.inputs("COMPLIANCE", "2025-01-01", "2025-03-31")
    assert measure_of(trend, "compliant_percent") == {index: pytest.approx(200 / 3) for index in range(3)}

    for attainment, closed in (("ON_TRACK", ""), ("AT_RISK", ""), ("ACHIEVED", "2025-02-10")):
        create(input={"title": "Aim", "effective_date": "2025-01-05", "due_date": "2025-12-31",
                      "objective": {"attainment": f"ATTAINMENT_{attainment}"},
                      **({"state": "INPUT_STATE_CLOSED", "closed_date": closed} if closed else {})})
    trend = world.inputs("OBJECTIVE", "2025-01-01", "2025-03-31")
    assert measure_of(trend, "on_course_percent") == {0: pytest.approx(200 / 3), 1: pytest.approx(200 / 3), 2: 50}
    assert measure_of(trend, "achieved_percent") == {1: 100}

    for hour in (1, 3, 8):
        create(input={"title": "Incident", "effective_date": "2025-02-10", "incident": {
            "occurred_time": "2025-02-10T00:00:00Z", "detected_time": f"2025-02-10T0{hour}:00:00Z",
            "resolved_time": "2025-02-10T09:00:00Z"}})
    trend = world.inputs("INCIDENT", "2025-01-01", "2025-03-31")
    assert measure_of(trend, "median_hours_to_detect") == {1: 3}
    assert measure_of(trend, "median_hours_to_resolve") == {1: 6}

    audit = create(input={"title": "Audit", "effective_date": "2025-02-01", "audit": {"type": "TYPE_CERTIFICATION"}})
    create(input={"title": "Found", "effective_date": "2025-02-02", "finding": {"audit_id": audit.id}})
    trend = world.inputs("FINDING", "2025-01-01", "2025-03-31")
    assert [c.name for c in next(d for d in trend.dimensions if d.name == "audit_type").categories] == ["CERTIFICATION"]


def test_corrected_days_are_told_and_deleted_inputs_do_not_count():
    world = World("UTC")
    item = world.manager.CreateInput(input={"title": "One", "effective_date": str(world.today - 70 * DAY),
                                            "nonconformity": {"grade": "GRADE_MINOR"}})
    start, end = world.today - 90 * DAY, world.today
    assert world.inputs("NONCONFORMITY", start, end).opened == 1
    world.manager.DeleteInput(id=item.id)
    trend = world.inputs("NONCONFORMITY", start, end)
    assert (trend.opened, trend.quality.present_points) == (0, 0)
    assert trend.direction == INSUFFICIENT


def test_what_cannot_be_asked_for_is_refused_by_name(berlin):
    for fields, kind in ((days("2025-02-01", "2025-01-31"), "RISK"), (days("2001-01-01", "2025-12-31"), "RISK"),
                         (days("2025-01-01", "2025-12-31"), "METRIC")):
        with pytest.raises(Refused) as refused:
            berlin.manager.GetInputTrend(kind=f"INPUT_KIND_{kind}", period=fields)
        assert refused.value.reason == "FIELD_INVALID"
        assert list(refused.value.fields)[0] in ("period.end_date", "period", "kind")
    with pytest.raises(Refused) as refused:
        berlin.organisation.person("AUDITOR").GetInputTrend(kind="INPUT_KIND_RISK",
                                                            period=days("2025-01-01", "2025-12-31"))
    assert refused.value.reason == "PERMISSION_DENIED"
