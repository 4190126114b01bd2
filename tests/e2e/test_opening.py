"""Opening a meeting freezes what it looks at: each attempt for itself, and the review says which succeeded."""

import threading
import uuid

import pytest
import story
from csv_import import everything
from evidence import content, downloaded, stored
from held import Held
from isms_client import Organisation, Refused, new_id, stack, until

IN_SESSION = 3


@pytest.fixture(scope="module")
def organisation():
    made = Organisation("Wiedehopf")
    story.record_inputs(made.person("ISMS_MANAGER"))
    return made


def prepared(manager, chair, title):
    review = story.Review(manager, chair, title=title)
    manager.PrepareReview(id=review.id)
    return review


def test_the_review_names_the_freeze_that_it_adopted(manager, chair):
    review, request = prepared(manager, chair, "Named"), new_id()
    assert not manager.GetReview(id=review.id).opening_id
    opened = manager.OpenReview(id=review.id, request_id=request)
    assert opened.opening_id == str(uuid.uuid5(uuid.UUID(review.id), request))
    ids = {"review_id": review.id, "opening_id": opened.opening_id}
    assert manager.GetSnapshot(**ids) == manager.GetSnapshot(review_id=review.id)
    assert manager.GetSnapshot(**ids).sha256 == opened.input_snapshot_sha256
    assert manager.GetActionSnapshot(**ids).sha256 == opened.action_snapshot_sha256
    assert manager.GetActionSnapshot(**ids).opening_id == opened.opening_id
    assert len(everything(manager.ListSnapshotInputs, "inputs", **ids)) == manager.GetSnapshot(**ids).item_count > 0
    assert manager.OpenReview(id=review.id, request_id=request) == opened


def test_another_opening_is_not_found(manager, chair):
    review = prepared(manager, chair, "Not found")
    manager.OpenReview(id=review.id)
    for call in (manager.GetSnapshot, manager.ListSnapshotInputs, manager.GetActionSnapshot):
        with pytest.raises(Refused) as refused:
            call(review_id=review.id, opening_id=new_id())
        assert refused.value.code.name == "NOT_FOUND"


def test_of_two_at_once_one_opens_the_meeting_with_its_own_freeze(manager, chair):
    for round in range(3):
        review = prepared(manager, chair, f"Two at once {round}")
        requests, answers = [new_id() for _ in range(4)], {}

        def opens(request):
            try:
                answers[request] = manager.OpenReview(id=review.id, request_id=request)
            except Refused as refused:
                answers[request] = refused

        threads = [threading.Thread(target=opens, args=(request,)) for request in requests]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        won = [request for request in requests if not isinstance(answers[request], Refused)]
        assert len(won) == 1, answers
        assert {answer.reason for answer in answers.values() if isinstance(answer, Refused)} <= {"WRONG_STATE",
                                                                                                "CONFLICT"}
        shown = manager.GetReview(id=review.id)
        assert shown == answers[won[0]] and shown.state == IN_SESSION
        assert shown.opening_id == str(uuid.uuid5(uuid.UUID(review.id), won[0]))
        ids = {"review_id": review.id, "opening_id": shown.opening_id}
        assert manager.GetSnapshot(**ids).sha256 == shown.input_snapshot_sha256
        assert manager.GetActionSnapshot(**ids).sha256 == shown.action_snapshot_sha256
        assert manager.RenderReport(review_id=review.id).content  # which checks both


@pytest.mark.parametrize("start, end", [("2006-01-01", "2026-01-01"), ("2026-01-02", "2026-01-01"),
                                        ("0001-01-01", "9999-12-31")])
def test_a_review_that_could_never_open_is_not_scheduled(manager, chair, start, end):
    review = story.Review(manager, chair).review
    with pytest.raises(Refused) as refused:
        manager.ScheduleReview(review={"title": "Too long", "programme_id": review.programme_id,
                                       "chair_id": chair.member, "planned_date": story.day(),
                                       "period": {"start_date": start, "end_date": end}})
    assert (refused.value.code.name, refused.value.reason) == ("INVALID_ARGUMENT", "FIELD_INVALID")
    assert "review.period" in str(refused.value)


@pytest.mark.parametrize("start, end", [("2007-01-01", "2026-12-31"), ("2006-06-01", "2026-05-31"),
                                        ("9980-01-01", "9999-12-31")])
def test_the_longest_period_opens(manager, chair, start, end):
    review = story.Review(manager, chair).review
    longest = manager.ScheduleReview(review={"title": "Long", "programme_id": review.programme_id,
                                             "chair_id": chair.member, "planned_date": story.day(),
                                             "period": {"start_date": start, "end_date": end}})
    manager.PrepareReview(id=longest.id)
    assert manager.OpenReview(id=longest.id).state == IN_SESSION


def test_evidence_that_is_given_up_while_a_meeting_is_opened_is_not_missing_from_what_was_frozen(manager, chair):
    """Whoever is quicker: the file stays, or the opening does not adopt a freeze that names it."""
    file = stored(manager, content(1000))
    finding = manager.CreateInput(input={"title": "Shown", "finding": {},
                                         "evidence": [{"title": "Screenshot", "file_id": file.id}]})
    review, outcome = prepared(manager, chair, "While it is opened"), []

    def opens():
        try:
            outcome.append(manager.OpenReview(id=review.id))
        except Refused as refused:
            outcome.append(refused)

    with Held() as held:
        held.run("lock table inputs.measurement in access exclusive mode")  # what the freeze reads after the inputs
        opening = threading.Thread(target=opens)
        opening.start()
        until(lambda: not opening.is_alive() or stack().sql(
            "select count(*) from pg_locks where relation = 'inputs.measurement'::regclass and not granted"
        ).stdout.strip() != "0", what="the freeze to wait")
        manager.UpdateInput(id=finding.id, input={"title": "Shown"}, update_mask="evidence")
        manager.DeleteEvidenceFile(id=file.id)
    opening.join()
    if isinstance(outcome[0], Refused):
        opened = manager.OpenReview(id=review.id)
        assert opened.state == IN_SESSION
    frozen = {item.id: item for item in everything(manager.ListSnapshotInputs, "inputs", review_id=review.id)}
    assert all(downloaded(manager, evidence.file_id) == content(1000) for evidence in frozen[finding.id].evidence)
