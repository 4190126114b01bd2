"""What a very large organisation freezes. The inputs service has an eighth of its memory here, so that a small world is
too large for it to be computed at once."""

import json

import pytest
import story
from isms_client import ROOT, Organisation, Refused, stack

METRICS, POINTS = 45, 1200  # a third of the points in the period, a third in the year before it
DENSE_POINTS, STATES = 20160, 14000
MAKE = (ROOT / "tests/lib/large_inputs.sql").read_text()

# Every value of the dense metric is 5, but for one each 30 days that is 0 and one that is 20: only who looks at all of
# them knows the extremes.
DENSE = """
insert into inputs.measurement (tenant_id, id, metric_id, observed_time, value, recorded_time, create_time)
select m.tenant_id, pg_temp.large_id(p, m.id), m.id, t.observed,
       case p % 8640 when 4000 then 0 when 4001 then 20 else 5 end, t.observed, t.observed
from inputs.input m
cross join generate_series(1, {points}) p
cross join lateral (select now() - p * interval '5 minutes' as observed) t
where m.tenant_id = '{tenant}' and m.id = '{metric}'
"""

# Of ten policies the status changed every day.
STATES_OF_POLICIES = """
create temp table kept on commit drop as
select i.id, row_number() over (order by i.number) - 1 as place from inputs.input i
where i.tenant_id = '{tenant}' and i.kind = 'POLICY' order by i.number limit 10;
insert into core.change (tenant_id, sequence, ordinal, service, method, table_name, row_id, revision, operation,
                         actor_kind, on_behalf_of, change_time, content, content_sha256)
select '{tenant}', 0, 100000 + n, 'inputs', 'UpdateInput', 'inputs.input', k.id, 2 + n / 10, 'UPDATE', 'job', '',
       now() - make_interval(days => {states} / 10 - n / 10), c.content, sha256(convert_to(c.content, 'UTF8'))
from generate_series(0, {states} - 1) n
join kept k on k.place = n % 10
cross join lateral (select format('{{"detail": {{"policy": {{"status": "%s"}}}}}}',
                                  (array['DRAFT', 'IN_FORCE'])[1 + n / 10 % 2]) as content) c;
update inputs.input i set closed_date = null, state = 'OPEN', effective_date = current_date - 2000,
                          revision = 1 + {states} / 10
from kept k where i.tenant_id = '{tenant}' and i.id = k.id
"""


@pytest.fixture(scope="module")
def world():
    organisation = Organisation("Albatros")
    organisation.manager = organisation.person("ISMS_MANAGER")
    organisation.dense = organisation.manager.CreateInput(input={"title": "Dense", "metric": {
        "unit": "ms", "polarity": "POLARITY_LOWER_IS_BETTER", "frequency": "FREQUENCY_DAILY"}}).id
    tenant = organisation.id
    done = stack().sql("; ".join([
        f"{MAKE}; set session_replication_role = replica; begin; "
        f"select pg_temp.large_inputs('{{{tenant}}}', {METRICS * 25}, {POINTS}, true)",
        DENSE.format(tenant=tenant, metric=organisation.dense, points=DENSE_POINTS),
        STATES_OF_POLICIES.format(tenant=tenant, states=STATES), "commit; analyze inputs.input, inputs.measurement"]))
    assert done.returncode == 0, done.stderr
    return organisation


@pytest.fixture(scope="module")
def snapshot(world):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ISMS_CALL_MEMORY_MAX", str(4 << 20))
        stack().control("restart", "inputs")
        try:
            review = story.Review(world.manager, world.person("TOP_MANAGEMENT"))
            review.open()
            with pytest.raises(Refused) as world.refused:
                world.manager.GetInputTrend(kind="INPUT_KIND_POLICY", period={
                    "start_date": story.day(-365), "end_date": story.day()})
        finally:
            patch.undo()
            stack().control("restart", "inputs")
    world.review = review
    return world.manager.GetSnapshot(review_id=review.id)


def test_a_very_large_organisation_opens_its_meeting_with_all_trends(world, snapshot):
    assert len(snapshot.trends.metrics) == METRICS + 1
    kinds = {item["kind"] for item in json.loads(snapshot.content)["items"]} - {"METRIC"}
    assert len(snapshot.trends.inputs) == len(kinds)
    assert all(trend.points and trend.previous_period.points for trend in snapshot.trends.metrics
               if trend.metric_id != world.dense)


def test_a_trend_of_too_many_states_is_left_out_and_says_so(world, snapshot):
    [policies] = [trend for trend in snapshot.trends.inputs if trend.left_out]
    assert policies.kind == 17 and not policies.spans and not policies.HasField("quality")
    assert '"left_out":true' in snapshot.content.decode()
    assert world.refused.value.reason == "LIMIT_REACHED", "who asks for that trend alone is told as well"


def test_a_dense_metric_is_told_by_days_and_hides_no_extreme(world, snapshot):
    [dense] = [trend for trend in snapshot.trends.metrics if trend.metric_id == world.dense]
    assert dense.points_are_days and dense.quality.present_points == len(dense.points) in (70, 71)
    assert all(not trend.points_are_days for trend in snapshot.trends.metrics if trend.metric_id != world.dense)
    assert min(span.minimum for span in dense.spans if span.points) == 0
    assert max(span.maximum for span in dense.spans if span.points) == 20
    assert sorted(point.value for point in dense.points)[10:-10] == [5] * (len(dense.points) - 20)
    assert 4.9 < dense.mean_value < 5.1
