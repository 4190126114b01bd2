"""What changed since the last review: snapshots are listed, paged through and compared, with each other and with now;
nothing is left out, and what is told is what was done."""

import datetime

import pytest
import story
from csv_import import everything
from isms_client import Organisation, Refused, new_id

ADDED, CHANGED, CLOSED, REMOVED, LEFT_OUT = (
    f"SNAPSHOT_CHANGE_KIND_{name}" for name in ("ADDED", "CHANGED", "CLOSED", "REMOVED", "LEFT_OUT"))


def kind_name(change):
    return change.DESCRIPTOR.fields_by_name["change"].enum_type.values_by_number[change.change].name


def input_kind(item):
    return item.DESCRIPTOR.fields_by_name["kind"].enum_type.values_by_number[item.kind].name.removeprefix("INPUT_KIND_")


class World:
    """Two reviews, with changes of every kind between their openings."""

    def __init__(self):
        self.organisation = Organisation("Wiedehopf")
        self.manager, self.chair = self.organisation.person("ISMS_MANAGER"), self.organisation.person("TOP_MANAGEMENT")
        caller = self.manager
        self.inputs = story.record_inputs(caller)
        self.measure([(-80, 9), (-60, 7), (-40, 5), (-20, 4)])
        self.long_closed = self.finding("Closed when it came", state="INPUT_STATE_CLOSED", closed_date=story.day(-300))
        self.soon_closed = self.finding("Closed between the reviews")
        self.closed_unseen = self.finding("Closed, and before the second period")
        self.deleted = self.finding("Deleted between the reviews")
        self.back_and_forth = self.finding("Changed and changed back")
        self.first = self.review(-365)
        for item, more in ((self.soon_closed, {}), (self.closed_unseen, {"closed_date": story.day(-200)})):
            caller.UpdateInput(id=item.id, input={"state": "INPUT_STATE_CLOSED", **more},
                               update_mask="state,closedDate" if more else "state")
        caller.DeleteInput(id=self.deleted.id)
        caller.UpdateInput(id=self.inputs["risk"].id,
                           input={"title": "Renamed", "labels": ["new"], "risk": {"category": "A"}},
                           update_mask="title,labels,risk.category")
        for title in ("In between", self.back_and_forth.title):
            caller.UpdateInput(id=self.back_and_forth.id, input={"title": title}, update_mask="title")
        self.came = self.finding("Came in between")
        self.measure([(-3, 30), (-2, 40), (-1, 50)])
        self.second = self.review(-100)

    def finding(self, title, **more):
        return self.manager.CreateInput(input={"title": title, "finding": {"grade": "GRADE_MINOR"}, **more})

    def measure(self, points):
        self.manager.AddMeasurements(measurements=[
            {"metric_id": self.inputs["metric"].id, "value": value, "observed_time": f"{story.day(offset)}T12:00:00Z"}
            for offset, value in points])

    def review(self, since):
        review = story.Review(self.manager, self.chair)
        review.review = self.manager.ScheduleReview(review={
            "title": "Review", "programme_id": review.programme, "chair_id": self.chair.member,
            "planned_date": story.day(), "period": {"start_date": story.day(since), "end_date": story.day()}})
        review.id = review.review.id
        review.open()
        return review

    def diff(self, caller=None, **fields):
        """All pages: ({input id: change}, the first page)."""
        call = (caller or self.manager).DiffSnapshots
        first = call(page_size=2, **fields)
        changes, token = list(first.changes), first.next_page_token
        while token:
            page = call(page_size=2, page_token=token, **fields)
            assert not page.counts and not page.trends
            changes, token = changes + list(page.changes), page.next_page_token
        assert len({change.input_id for change in changes}) == len(changes)
        return {change.input_id: change for change in changes}, first

    def snapshot(self, review):
        return self.manager.GetSnapshot(review_id=review.id, opening_id=review.review.opening_id)


@pytest.fixture(scope="module")
def world():
    return World()


@pytest.fixture(scope="module")
def snapshots(world):
    return world.snapshot(world.first), world.snapshot(world.second)


# --- lists -----------------------------------------------------------------------------------------------

def test_snapshots_are_listed_newest_first(world, snapshots):
    listed = everything(world.manager.ListSnapshots, "snapshots")
    assert [snapshot.id for snapshot in listed] == [snapshots[1].id, snapshots[0].id]
    for short, whole in zip(listed, reversed(snapshots)):
        assert not short.content and short.sha256 == whole.sha256 and short.item_count == whole.item_count
        assert (short.as_of, short.period, short.sequence) == (whole.as_of, whole.period, whole.sequence)
    pages, token = [], ""
    while not pages or token:
        page = world.manager.ListSnapshots(page_size=1, page_token=token)
        pages, token = pages + [snapshot.id for snapshot in page.snapshots], page.next_page_token
    assert pages == [snapshot.id for snapshot in listed]
    of_first = world.manager.ListSnapshots(review_id=world.first.id).snapshots
    assert [snapshot.id for snapshot in of_first] == [snapshots[0].id]


def test_the_inputs_of_a_kind_or_an_agenda_item_are_a_part_of_all(world):
    def listed(**fields):
        return [item.id for item in everything(world.manager.ListSnapshotInputs, "inputs",
                                               review_id=world.second.id, **fields)]
    whole = everything(world.manager.ListSnapshotInputs, "inputs", review_id=world.second.id)
    for kind in {input_kind(item) for item in whole}:
        assert listed(kind=f"INPUT_KIND_{kind}") == [item.id for item in whole if input_kind(item) == kind]
    assert listed(agenda_item="risks") == [item.id for item in whole if input_kind(item) in ("RISK", "TREATMENT")]
    assert listed(agenda_item="no such item") == []
    assert listed(agenda_item="risks", kind="INPUT_KIND_FINDING") == []


def test_one_input_is_shown_as_it_was_frozen(world, snapshots):
    risk = world.inputs["risk"].id
    shown = [world.manager.GetSnapshotInput(snapshot_id=snapshot.id, input_id=risk) for snapshot in snapshots]
    assert [item.title for item in shown] == [world.inputs["risk"].title, "Renamed"]
    assert shown[0] == world.inputs["risk"]
    for snapshot_id, input_id in ((snapshots[0].id, world.came.id), (new_id(), risk), (snapshots[0].id, new_id())):
        with pytest.raises(Refused) as refused:
            world.manager.GetSnapshotInput(snapshot_id=snapshot_id, input_id=input_id)
        assert refused.value.reason == "NOT_FOUND"


# --- the difference --------------------------------------------------------------------------------------

def expected(world):
    return {world.came.id: ADDED, world.inputs["risk"].id: CHANGED, world.back_and_forth.id: CHANGED,
            world.soon_closed.id: CLOSED, world.closed_unseen.id: CLOSED, world.deleted.id: REMOVED,
            world.long_closed.id: LEFT_OUT}


def test_every_change_since_the_last_review_is_told_and_nothing_else(world, snapshots):
    changes, first = world.diff(later_snapshot_id=snapshots[1].id)
    assert first.earlier.id == snapshots[0].id and first.later.id == snapshots[1].id
    assert {id: kind_name(change) for id, change in changes.items()} == expected(world)
    named, _ = world.diff(earlier_snapshot_id=snapshots[0].id, later_snapshot_id=snapshots[1].id)
    assert named == changes


def test_each_change_says_what_it_is_of(world, snapshots):
    changes, _ = world.diff(later_snapshot_id=snapshots[1].id)
    risk, came, deleted = (changes[item.id] for item in (world.inputs["risk"], world.came, world.deleted))
    assert (risk.earlier_revision, risk.later_revision, risk.title) == (1, 2, "Renamed")
    assert (risk.number, input_kind(risk), risk.agenda_item) == (world.inputs["risk"].number, "RISK", "risks")
    assert (came.earlier_revision, came.later_revision, came.title) == (0, 1, "Came in between")
    assert (deleted.earlier_revision, deleted.later_revision) == (1, 0)
    assert deleted.title == "Deleted between the reviews"


def test_a_change_is_told_field_by_field(world, snapshots):
    changes, _ = world.diff(later_snapshot_id=snapshots[1].id)
    fields = {field.path: (getattr(field, "from"), field.to) for field in changes[world.inputs["risk"].id].fields}
    assert fields == {"title": (world.inputs["risk"].title, "Renamed"), "labels[0]": ("", "new"),
                      "risk.category": (world.inputs["risk"].risk.category, "A")}
    assert not changes[world.back_and_forth.id].fields
    closed = {field.path: field.to for field in changes[world.soon_closed.id].fields}
    assert closed == {"state": "CLOSED", "closed_date": world.manager.GetInput(id=world.soon_closed.id).closed_date}


def test_the_counts_are_those_of_the_list_and_of_the_snapshots(world, snapshots):
    changes, first = world.diff(later_snapshot_id=snapshots[1].id)
    for count in first.counts:
        of_kind = [kind_name(change) for change in changes.values() if change.kind == count.kind]
        for name, told in ((ADDED, count.added), (CHANGED, count.changed), (CLOSED, count.closed),
                           (REMOVED, count.removed), (LEFT_OUT, count.left_out)):
            assert of_kind.count(name) == told
    assert sum(count.unchanged + count.changed + count.added for count in first.counts) + 1 == snapshots[1].item_count
    assert [count.kind for count in first.counts] == sorted(count.kind for count in first.counts)
    assert {input_kind(count): count.agenda_item for count in first.counts}["FINDING"] == "audits"


def test_changes_are_filtered_by_kind_agenda_item_and_way(world, snapshots):
    changes, _ = world.diff(later_snapshot_id=snapshots[1].id)
    for fields, wanted in (({"kind": "INPUT_KIND_RISK"}, {world.inputs["risk"].id}),
                           ({"agenda_item": "audits"}, set(changes) - {world.inputs["risk"].id}),
                           ({"change": CLOSED}, {world.soon_closed.id, world.closed_unseen.id}),
                           ({"change": ADDED, "agenda_item": "risks"}, set())):
        some, first = world.diff(later_snapshot_id=snapshots[1].id, **fields)
        assert set(some) == wanted
        assert sum(count.added for count in first.counts) == 1, "counts are of everything"


def test_the_trends_that_moved_are_told_with_both_directions(world, snapshots):
    _, first = world.diff(later_snapshot_id=snapshots[1].id)
    move = next(move for move in first.trends if move.metric_id == world.inputs["metric"].id)
    assert (move.earlier_value, move.later_value) == (4, 50)
    assert (move.earlier_direction, move.later_direction) != (0, 0)


def test_since_the_newest_snapshot_until_now(world, snapshots):
    changes, first = world.diff()
    assert first.earlier.id == snapshots[1].id and not first.HasField("later") and changes == {}
    new = world.finding("After the second review")
    world.manager.UpdateInput(id=world.inputs["objective"].id, input={"title": "Renamed now"}, update_mask="title")
    changes, first = world.diff()
    assert {id: kind_name(change) for id, change in changes.items()} == {
        new.id: ADDED, world.inputs["objective"].id: CHANGED}
    assert changes[world.inputs["objective"].id].title == "Renamed now"
    changes, _ = world.diff(earlier_snapshot_id=snapshots[0].id)
    assert set(expected(world)) - set(changes) == {world.long_closed.id}, "its period has it in both"


def test_now_is_the_day_that_it_is_where_the_organisation_is(world, snapshots):
    """In the evenings of Europe it is tomorrow there: what was measured just now counts all the same."""
    def move(zone):
        world.organisation.admin.UpdateOrganisation(organisation={"time_zone": zone}, update_mask="timeZone")

    move("Pacific/Kiritimati")
    metric = world.manager.CreateInput(input={"title": "Measured now", "metric": {
        "unit": "h", "polarity": "POLARITY_LOWER_IS_BETTER", "frequency": "FREQUENCY_DAILY"}}).id
    at = datetime.datetime.now(datetime.timezone.utc).isoformat()
    world.manager.AddMeasurements(measurements=[{"metric_id": metric, "value": 7, "observed_time": at}])
    _, first = world.diff(earlier_snapshot_id=snapshots[1].id)
    assert [moved.later_value for moved in first.trends if moved.metric_id == metric] == [7]
    world.manager.DeleteInput(id=metric)
    move("Europe/Berlin")


def test_ends_that_make_no_difference_are_refused(world, snapshots):
    for fields in ({"earlier_snapshot_id": snapshots[1].id, "later_snapshot_id": snapshots[0].id},
                   {"earlier_snapshot_id": snapshots[0].id, "later_snapshot_id": snapshots[0].id}):
        with pytest.raises(Refused) as refused:
            world.manager.DiffSnapshots(**fields)
        assert refused.value.fields == {"earlier_snapshot_id": "is not older than the later snapshot"}
    for fields in ({"later_snapshot_id": snapshots[0].id}, {"later_snapshot_id": new_id()},
                   {"earlier_snapshot_id": new_id()}):
        with pytest.raises(Refused) as refused:
            world.manager.DiffSnapshots(**fields)
        assert refused.value.reason == "NOT_FOUND", fields


# --- an auditor ------------------------------------------------------------------------------------------

def auditor_of(world, name, *reviews):
    auditor = world.organisation.person("AUDITOR", name)
    world.organisation.admin.UpdateMember(id=auditor.member, member={"review_ids": [review.id for review in reviews]},
                                          update_mask="reviewIds")
    return auditor


def test_an_auditor_sees_what_was_frozen_and_not_what_came_of_it(world, snapshots):
    auditor = auditor_of(world, "Of the first", world.first)
    shown = auditor.GetSnapshotInput(snapshot_id=snapshots[0].id, input_id=world.inputs["risk"].id)
    assert shown == world.inputs["risk"]
    assert [item.id for item in everything(auditor.ListSnapshots, "snapshots")] == [snapshots[0].id]
    for refused in (lambda: auditor.GetInput(id=world.inputs["risk"].id),
                    lambda: auditor.GetSnapshotInput(snapshot_id=snapshots[1].id, input_id=world.inputs["risk"].id),
                    lambda: auditor.DiffSnapshots(later_snapshot_id=snapshots[1].id),
                    lambda: auditor.VerifySnapshot(snapshot_id=snapshots[1].id)):
        with pytest.raises(Refused) as error:
            refused()
        assert error.value.reason == "NOT_FOUND"
    assert everything(auditor.ListInputs, "inputs") == []
    with pytest.raises(Refused) as error:
        auditor.DiffSnapshots(earlier_snapshot_id=snapshots[0].id)
    assert list(error.value.fields) == ["later_snapshot_id"]


def test_an_auditor_of_both_reviews_compares_them(world, snapshots):
    auditor = auditor_of(world, "Of both", world.first, world.second)
    changes, first = world.diff(auditor, later_snapshot_id=snapshots[1].id)
    everybodys, their_first = world.diff(later_snapshot_id=snapshots[1].id)
    assert changes == everybodys and list(first.counts) == list(their_first.counts)


def test_an_auditor_sees_the_measurements_that_were_there_at_the_freeze(world):
    metric = world.inputs["metric"].id
    auditor = auditor_of(world, "Of measurements", world.first)
    seen = [m.value for m in everything(auditor.ListMeasurements, "measurements", metric_id=metric)]
    assert sorted(seen) == [4, 5, 7, 9]
    assert len(everything(world.manager.ListMeasurements, "measurements", metric_id=metric)) == 7
