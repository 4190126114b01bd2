"""A meeting that could not be opened leaves half a freeze behind. What happens until the next attempt must be before
the meeting all the same, whether somebody forgot or meant to leave it out."""

import pytest
import story
from csv_import import everything
from isms_client import SERVICES, Organisation, Refused, new_id, stack, until

IN_SESSION, PREPARING = 3, 2
NONCONFORMITY = 3  # of InputKind


@pytest.fixture(scope="module")
def organisation():
    made = Organisation()
    story.record_inputs(made.person("ISMS_MANAGER"))
    return made


@pytest.fixture(autouse=True)
def everything_runs():
    yield
    for name in SERVICES:
        stack().control("start", name)


@pytest.fixture
def half_frozen(organisation, manager):
    """A review whose inputs were frozen, but not its actions; and the request that did it."""
    review = story.Review(manager, organisation.person("TOP_MANAGEMENT"))
    manager.PrepareReview(id=review.id)
    request = new_id()
    stack().control("stop", "actions")
    with pytest.raises(Refused) as refused:
        manager.OpenReview(id=review.id, request_id=request, timeout=20)
    assert (refused.value.reason, refused.value.facts["service"]) == ("PEER_UNAVAILABLE", "actions")
    assert manager.GetReview(id=review.id).state == PREPARING
    assert manager.GetSnapshot(review_id=review.id).item_count > 0
    stack().control("start", "actions")
    return review, request


def opened_when_back(manager, review, request):
    """The same request while reviews finds that actions is back."""
    def call():
        try:
            return manager.OpenReview(id=review.id, request_id=request)
        except Refused as refused:
            if refused.reason != "PEER_UNAVAILABLE":
                raise
            return None
    return until(call, what="the meeting to open")


def titles(manager, review, opening):
    return {item.title for item in everything(manager.ListSnapshotInputs, "inputs", review_id=review.id,
                                              opening_id=opening)}


def test_a_later_attempt_freezes_what_came_in_between(manager, half_frozen):
    review, _ = half_frozen
    stale = manager.GetSnapshot(review_id=review.id)
    title = f"Came between {review.id}"
    manager.CreateInput(input={"title": title, "effective_date": story.day(),
                               "nonconformity": {"grade": "GRADE_MAJOR", "clause": "8.1"}})
    request = new_id()
    opened = opened_when_back(manager, review, request)
    assert opened.state == IN_SESSION and opened.opening_id != stale.opening_id
    frozen = manager.GetSnapshot(review_id=review.id, opening_id=opened.opening_id)
    assert frozen.sha256 == opened.input_snapshot_sha256 != stale.sha256
    raised = [next(trend for trend in snapshot.trends.inputs if trend.kind == NONCONFORMITY).opened
              for snapshot in (stale, frozen)]
    assert raised[1] > raised[0]
    assert title in titles(manager, review, opened.opening_id)
    assert title not in titles(manager, review, stale.opening_id)
    assert manager.GetSnapshot(review_id=review.id, opening_id=stale.opening_id) == stale
    assert title in manager.RenderReport(review_id=review.id).content.decode()
    assert manager.OpenReview(id=review.id, request_id=request) == opened


def test_the_same_request_goes_on_with_what_it_froze(manager, half_frozen):
    review, request = half_frozen
    frozen = manager.GetSnapshot(review_id=review.id)
    opened = opened_when_back(manager, review, request)
    assert (opened.opening_id, opened.input_snapshot_sha256) == (frozen.opening_id, frozen.sha256)
    assert manager.OpenReview(id=review.id, request_id=request) == opened


def test_the_same_request_long_after_does_not_open_the_meeting(organisation, manager, half_frozen):
    review, request = half_frozen
    aged = stack().sql(f"set session_replication_role = replica; update inputs.snapshot "
                       f"set as_of = as_of - interval '16 minutes' where review_id = '{review.id}'")
    assert aged.returncode == 0, aged.stderr
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            opened_when_back(manager, review, request)
        assert (refused.value.code.name, refused.value.reason) == ("FAILED_PRECONDITION", "FREEZE_INCOMPLETE")
        assert "request_id" in refused.value.text and refused.value.facts["service"] == "inputs"
        assert manager.GetReview(id=review.id).state == PREPARING
    assert opened_when_back(manager, review, new_id()).state == IN_SESSION
