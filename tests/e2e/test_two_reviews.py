"""The main job by a client that is not ours: one organisation through two consecutive reviews."""

import hashlib
import json

import pytest
import story
from isms_client import Organisation, Refused, as_dict, until


@pytest.fixture(scope="module")
def told():
    """Both reviews, held once for all tests of this module."""
    organisation = Organisation("Nordlicht Logistik GmbH")
    manager, chair = organisation.person("ISMS_MANAGER"), organisation.person("TOP_MANAGEMENT")
    inputs = story.record_inputs(manager)
    story.measure(manager, inputs["metric"], [81, 62, 29, 12, 9, 7])
    first = story.Review(manager, chair, title="First review")
    first.hold(("Automate the leaver process", "Connect HR to the directory", "Train the service desk"),
               ("Buy a second SIEM licence", "Order it"))
    actions = sorted(until(lambda: manager.ListActions(review_id=first.id).actions, what="issued actions"),
                     key=lambda action: action.number)
    evidence = [{"title": "Change record", "uri": "https://example.com/CHG-1"}]
    manager.RecordProgress(id=actions[0].id, note="Half way", percent_complete=50)
    manager.CompleteAction(id=actions[1].id, evidence=evidence)
    chair.VerifyAction(id=actions[1].id, effective=True, note="No late leavers since")
    manager.RescheduleAction(id=actions[2].id, due_date=story.day(120), reason="The supplier is late")
    second = story.Review(manager, chair, programme=first.programme, title="Second review")
    second.hold(("Review the scope", "Draft a new scope statement"))
    return {"organisation": organisation, "manager": manager, "chair": chair, "inputs": inputs, "first": first,
            "second": second, "actions": actions}


def test_decided_actions_are_issued_with_their_numbers(told):
    number = told["first"].review.number
    assert [action.number for action in told["actions"]] == [f"{number}-A0{n}" for n in (1, 2, 3)]
    assert {action.review_id for action in told["actions"]} == {told["first"].id}


def test_second_review_reports_the_true_status_of_the_first_ones_actions(told):
    status = {action.number: action for action in told["second"].review.previous_actions}
    a, b, c = (action.number for action in told["actions"])
    assert (status[a].state, status[b].state, status[c].state) == ("IN_PROGRESS", "VERIFIED_EFFECTIVE", "OPEN")
    assert status[c].reschedule_count == 1
    assert len(status) == 3


def test_report_holds_both_reviews_facts(told):
    report = told["manager"].RenderReport(review_id=told["second"].id)
    page = report.content.decode()
    assert report.media_type.startswith("text/html")
    assert hashlib.sha256(report.content).hexdigest() == report.sha256
    for action in told["actions"]:
        assert action.number in page and action.title in page
    for expected in ("Second review", "Review the scope", "Draft a new scope statement", "Time to detect",
                     "Floods near the data centre", "Übersicht", "<svg"):
        assert expected in page, expected
    for loading in ("<link", "<script", "<img", "<iframe", "src=", "url(", "@import"):
        assert loading not in page, f"the page loads something from elsewhere: {loading}"


def test_report_is_the_same_bytes_again_and_json_has_the_same_facts(told):
    manager, review = told["manager"], told["second"].id
    once = manager.RenderReport(review_id=review)
    assert manager.RenderReport(review_id=review).content == once.content
    report = manager.RenderReport(review_id=review, format="REPORT_FORMAT_JSON")
    tree = json.dumps(json.loads(report.content), ensure_ascii=False)
    for action in told["actions"]:
        assert action.number in tree
    assert "Draft a new scope statement" in tree


def test_trend_in_the_snapshot_knows_what_is_good(told):
    snapshot = told["manager"].GetSnapshot(review_id=told["second"].id)
    assert [trend.direction for trend in snapshot.trends.metrics] == [2], as_dict(snapshot)["trends"]
    assert hashlib.sha256(snapshot.content).hexdigest() == snapshot.sha256


def test_wrong_state_is_refused_with_the_reason(told):
    with pytest.raises(Refused) as refused:
        told["manager"].OpenReview(id=told["second"].id)
    assert refused.value.reason == "WRONG_STATE"
    assert refused.value.code.name == "FAILED_PRECONDITION"
    assert refused.value.facts["state"] == "SIGNED"


def test_closing_ends_it(told):
    assert told["manager"].CloseReview(id=told["first"].id).state == 6


def test_preparer_may_not_sign_where_four_eyes_are_asked_for(told):
    organisation = told["organisation"]
    chair = told["chair"]
    both = organisation.person("TOP_MANAGEMENT", "Both Hats")
    organisation.admin.UpdateMember(id=both.member, member={"roles": ["ROLE_TOP_MANAGEMENT", "ROLE_ISMS_MANAGER"]},
                                    update_mask="roles")
    review = story.Review(both, chair, programme=told["first"].programme, title="Third review")
    review.open()
    review.discuss()
    review.minutes()
    with pytest.raises(Refused) as refused:
        review.sign(both)
    assert refused.value.reason in ("FOUR_EYES_REQUIRED", "NOT_CONFORMING")
    assert review.sign(chair).state == 5


def test_naming_another_as_preparer_does_not_help(told):
    organisation = told["organisation"]
    both = organisation.person("TOP_MANAGEMENT", "Two Hats")
    organisation.admin.UpdateMember(id=both.member, member={"roles": ["ROLE_TOP_MANAGEMENT", "ROLE_ISMS_MANAGER"]},
                                    update_mask="roles")
    review = story.Review(both, told["chair"], programme=told["first"].programme, title="Fourth review")
    both.PrepareReview(id=review.id, preparer_id=told["manager"].member)
    review.review = both.OpenReview(id=review.id)
    review.discuss()
    review.minutes()
    with pytest.raises(Refused) as refused:
        review.sign(both)
    assert refused.value.reason == "FOUR_EYES_REQUIRED"


def test_gaps_block_the_signature_and_are_named(told):
    review = story.Review(told["manager"], told["chair"], programme=told["first"].programme, title="Incomplete")
    review.open()
    review.minutes()
    gaps = told["manager"].CheckConformity(id=review.id)
    assert not gaps.conforming
    rules = {gap.rule for gap in gaps.gaps if gap.blocking}
    assert {"AGENDA_ITEM_NOT_CONSIDERED"} <= rules
    with pytest.raises(Refused) as refused:
        review.sign()
    assert refused.value.reason == "NOT_CONFORMING"


def test_an_api_key_cannot_sign(told):
    key = told["organisation"].key("TOP_MANAGEMENT")
    with pytest.raises(Refused) as refused:
        key.SignReview(id=told["first"].id, etag="1")
    assert refused.value.reason == "PERSON_REQUIRED"
