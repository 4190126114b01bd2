"""Signing: how the signer must have signed in, and that the rules are those of the day the meeting was opened
(invariant 5)."""

import json
import time

import pytest
import story
from isms_client import Caller, Organisation, Refused, as_dict, unverified_claims
from tokens import token

MINUTE = 60


@pytest.fixture(scope="module")
def organisation():
    made = Organisation("Wendehals")
    story.record_inputs(made.person("ISMS_MANAGER"))
    return made


def signed_in(chair, **claims):
    """The chair with another token, whose sign-in was `age` seconds ago."""
    subject = unverified_claims(chair.credential)["sub"]
    return Caller(token(subject, chair.tenant, **claims), chair.tenant, chair.member)


def ago(seconds):
    return int(time.time()) - seconds


def programme(manager, **fields):
    return manager.CreateProgramme(programme={"title": "Reviews", "interval_months": 6, **fields})


def ready(manager, chair, **rules):
    """A review that only waits for its signature."""
    review = story.Review(manager, chair, programme=programme(manager, **rules).id)
    review.open()
    review.discuss()
    review.minutes()
    return review


def refused(call, *arguments, **fields):
    with pytest.raises(Refused) as caught:
        call(*arguments, **fields)
    return caught.value


def insufficient(review, signer):
    wrong = refused(review.sign, signer)
    assert (wrong.code.name, wrong.reason) == ("UNAUTHENTICATED", "AUTHENTICATION_INSUFFICIENT")
    return {name: value for name, value in wrong.facts.items() if name in ("max_age", "acr_values")}


def record_of(manager, review):
    return json.loads(manager.GetRecord(review_id=review.id).content)


# --- the policy ------------------------------------------------------------------------------------------

def test_a_signature_needs_a_recent_sign_in_unless_the_programme_says_how_recent(manager):
    made = programme(manager)
    assert as_dict(made)["sign_off"] == {"max_auth_age_seconds": 900}
    changed = manager.UpdateProgramme(id=made.id, update_mask="signOff.acrValues",
                                      programme={"sign_off": {"acr_values": ["gold"], "max_auth_age_seconds": 5}})
    assert as_dict(changed)["sign_off"] == {"max_auth_age_seconds": 900, "acr_values": ["gold"]}
    changed = manager.UpdateProgramme(id=made.id, update_mask="signOff",
                                      programme={"sign_off": {"max_auth_age_seconds": 60}})
    assert as_dict(changed)["sign_off"] == {"max_auth_age_seconds": 60}
    changed = manager.UpdateProgramme(id=made.id, update_mask="signOff", programme={})
    assert as_dict(changed)["sign_off"] == {"max_auth_age_seconds": 900}


@pytest.mark.parametrize("sign_off, field", [
    ({"max_auth_age_seconds": -1}, "max_auth_age_seconds"), ({"max_auth_age_seconds": 86401}, "max_auth_age_seconds"),
    ({"acr_values": ["two words"]}, "acr_values[0]"), ({"acr_values": ["gold", ""]}, "acr_values[1]"),
    ({"acr_values": ["x" * 81]}, "acr_values[0]")])
def test_a_policy_that_no_token_could_meet_is_refused(manager, sign_off, field):
    wrong = refused(programme, manager, sign_off=sign_off)
    assert wrong.reason == "FIELD_INVALID" and list(wrong.fields) == [f"programme.sign_off.{field}"]


# --- signing ---------------------------------------------------------------------------------------------

def test_an_old_sign_in_does_not_sign_and_a_fresh_one_does(manager, chair):
    review = ready(manager, chair)
    assert insufficient(review, signed_in(chair, auth_time=ago(16 * MINUTE))) == {"max_age": "900"}
    assert insufficient(review, signed_in(chair, auth_time=None)) == {"max_age": "900"}
    assert not manager.GetReview(id=review.id).record_sha256
    review.sign(signed_in(chair, auth_time=ago(14 * MINUTE)))
    assert review.review.record_sha256


def test_a_sign_in_of_the_wrong_class_does_not_sign(manager, chair):
    review = ready(manager, chair, sign_off={"max_auth_age_seconds": 300, "acr_values": ["gold", "platinum"]})
    asked = {"max_age": "300", "acr_values": "gold platinum"}
    for claims in (dict(acr="2"), dict(acr=None), dict(acr="Gold"), dict(acr="gold platinum"),
                   dict(acr="gold", auth_time=ago(6 * MINUTE)), dict(acr="gold", auth_time=None)):
        assert insufficient(review, signed_in(chair, **claims)) == asked, claims
    review.sign(signed_in(chair, acr="platinum"))


def test_the_record_states_the_policy_and_what_the_token_said(manager, chair):
    review = ready(manager, chair, sign_off={"acr_values": ["gold"], "max_auth_age_seconds": 600})
    moment = ago(MINUTE)
    review.sign(signed_in(chair, acr="gold", auth_time=moment))
    record = record_of(manager, review)
    assert record["programme"]["sign_off"] == {"acr_values": ["gold"], "max_auth_age_seconds": 600}
    said = record["signer"]["authentication"]
    assert said["acr"] == "gold"
    assert said["auth_time"].startswith(time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)))
    assert "limits" not in record["organisation"]


def test_whoever_may_not_sign_is_not_told_to_sign_in_again(manager, chair):
    review = ready(manager, chair, sign_off={"acr_values": ["gold"]})
    assert refused(review.sign, manager).reason == "PERMISSION_DENIED"


# --- the rules of the day --------------------------------------------------------------------------------

def test_rules_that_are_relaxed_during_a_meeting_change_nothing_for_it(organisation, manager, chair):
    strict = {"quorum_members": 3, "quorum_top_management": 2, "four_eyes": True, "sign_off": {"acr_values": ["gold"]}}
    relaxed = {"quorum_members": 1, "quorum_top_management": 1, "four_eyes": False, "sign_off": {}}
    rules = programme(manager, **strict)
    review = story.Review(manager, chair, programme=rules.id)
    manager.PrepareReview(id=review.id, preparer_id=chair.member)
    assert not manager.GetReview(id=review.id).programme_revision
    review.review = manager.OpenReview(id=review.id)
    assert review.review.programme_revision == 1
    changed = manager.UpdateProgramme(id=rules.id, programme={"title": "Reviews", "interval_months": 6, **relaxed})
    assert (changed.revision, changed.four_eyes) == (2, False)
    review.discuss()
    review.minutes()

    gaps = {gap.rule for gap in chair.CheckConformity(id=review.id).gaps if gap.blocking}
    assert {"NO_TOP_MANAGEMENT", "NO_QUORUM", "PREPARER_SIGNS"} <= gaps
    assert insufficient(review, chair)["acr_values"] == "gold"
    assert refused(review.sign, signed_in(chair, acr="gold")).reason == "FOUR_EYES_REQUIRED"

    second, third = organisation.person("TOP_MANAGEMENT", "Second"), organisation.person("TOP_MANAGEMENT", "Third")
    manager.RecordAttendance(id=review.id, attendance=[{"member_id": one.member, "present": True}
                                                       for one in (second, third)])
    assert insufficient(review, second)["acr_values"] == "gold"
    review.sign(signed_in(second, acr="gold"))
    record = record_of(manager, review)
    assert record["programme"]["revision"] == "1" and record["programme"]["four_eyes"] is True
    assert manager.GetProgramme(id=rules.id).revision == 2
    assert manager.GetProgramme(id=rules.id, revision=1) == rules
    assert refused(manager.GetProgramme, id=rules.id, revision=3).reason == "NOT_FOUND"


def test_rules_that_are_relaxed_before_the_meeting_count(manager, chair):
    rules = programme(manager, quorum_members=5, sign_off={"acr_values": ["gold"]})
    review = story.Review(manager, chair, programme=rules.id)
    manager.UpdateProgramme(id=rules.id, update_mask="quorumMembers,signOff",
                            programme={"quorum_members": 2, "sign_off": {}})
    review.open()
    assert review.review.programme_revision == 2
    review.discuss()
    review.minutes()
    review.sign()


def test_rules_that_are_tightened_during_a_meeting_count_for_the_next(manager, chair):
    review = ready(manager, chair)
    manager.UpdateProgramme(id=review.programme, update_mask="quorumMembers", programme={"quorum_members": 9})
    review.sign()
    later = story.Review(manager, chair, programme=review.programme)
    later.open()
    later.discuss()
    later.minutes()
    assert "NO_QUORUM" in {gap.rule for gap in chair.CheckConformity(id=later.id).gaps if gap.blocking}
