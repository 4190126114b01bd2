"""What others read: the report of a signed review, the cached dashboard, the change log and its seals."""

import hashlib
import json
import subprocess

import pytest
import story
from isms_client import Organisation, Refused, stack, until


@pytest.fixture(scope="module")
def told():
    organisation = Organisation("Reporting GmbH")
    manager, chair = organisation.person("ISMS_MANAGER"), organisation.person("TOP_MANAGEMENT", "Carla Chair")
    inputs = story.record_inputs(manager)
    story.measure(manager, inputs["metric"], [81, 62, 29, 12, 9, 7])
    review = story.Review(manager, chair, title="Review to report on")
    review.hold(("Automate the leaver process", "Connect HR to the directory"))
    until(lambda: manager.ListActions(review_id=review.id).actions, what="issued actions")
    return {"organisation": organisation, "manager": manager, "chair": chair, "inputs": inputs,
            "review": review}


def pages(call, field, **arguments):
    """Every item of a list, by small pages."""
    token, items = "", []
    while True:
        page = call(page_size=7, page_token=token, **arguments)
        items += getattr(page, field)
        token = page.next_page_token
        if not token:
            return items


# --- the report ---------------------------------------------------------------------------------------------


def test_a_signed_report_stays_the_same_whatever_is_changed_afterwards(told):
    manager, admin, review = told["manager"], told["organisation"].admin, told["review"]
    before = {form: manager.RenderReport(review_id=review.id, format=form)
              for form in ("REPORT_FORMAT_HTML", "REPORT_FORMAT_JSON")}
    for made in told["inputs"].values():
        manager.UpdateInput(id=made.id, input={"title": "Renamed since"}, update_mask="title")
    manager.DeleteInput(id=told["inputs"]["risk"].id)
    admin.UpdateOrganisation(organisation={"name": "Renamed AG", "isms_scope": "Another scope"},
                             update_mask="name,ismsScope")
    manager.UpdateProgramme(id=review.programme, programme={"title": "Another programme"}, update_mask="title")
    manager.CloseReview(id=review.id)
    for form, first in before.items():
        again = manager.RenderReport(review_id=review.id, format=form)
        assert again.content == first.content and again.sha256 == first.sha256
    assert before["REPORT_FORMAT_HTML"].file_name == f"{review.review.number}.html"
    assert b"Carla Chair" in before["REPORT_FORMAT_HTML"].content


def test_reports_are_readable_before_the_review_is_signed(told):
    draft = story.Review(told["manager"], told["chair"], programme=told["review"].programme,
                         title="Planned only")
    page = told["manager"].RenderReport(review_id=draft.id).content.decode()
    assert "Draft, not signed: Planned" in page and "Planned only" in page


def test_report_of_a_review_that_is_not_the_callers_is_not_found(told):
    auditor = told["organisation"].person("AUDITOR")
    with pytest.raises(Refused) as refused:
        auditor.RenderReport(review_id=told["review"].id)
    assert refused.value.reason == "NOT_FOUND"


# --- the dashboard ------------------------------------------------------------------------------------------


def test_dashboard_is_kept_until_something_changes(told):
    manager = told["manager"]
    until(lambda: manager.GetDashboard().cached, what="a cached dashboard")
    kept = manager.GetDashboard()
    assert kept.cached and kept.last_signed_review.number == told["review"].review.number
    assert kept.actions.open == 1 and kept.trends[0].direction == 2
    counts = {figures.kind: (figures.open, figures.closed) for figures in kept.inputs}
    assert counts[3] == (1, 0) and 13 not in counts, "one nonconformity is open, the only risk is deleted"
    manager.CreateAction(action={"title": "Overdue", "owner_id": manager.member, "due_date": story.day(-3)})
    fresh = manager.GetDashboard()
    assert not fresh.cached and fresh.sequence > kept.sequence
    assert (fresh.actions.open, fresh.actions.overdue) == (2, 1)


def test_nobody_sees_through_the_cache_what_they_may_not_see(told):
    manager, auditor = told["manager"], told["organisation"].person("AUDITOR", "Anna Auditor")
    until(lambda: manager.GetDashboard().cached, what="a cached dashboard")
    seen = auditor.GetDashboard()
    assert not seen.cached
    assert not seen.HasField("last_signed_review") and not seen.trends and not seen.inputs
    assert seen.actions.open == 0
    assert manager.GetDashboard().trends


# --- the change log and its seals ---------------------------------------------------------------------------


def test_changes_are_listed_whole_newest_first(told):
    manager = told["manager"]
    changes = pages(manager.ListChanges, "changes")
    places = [(change.sequence, change.ordinal) for change in changes]
    assert places == sorted(places, reverse=True) and len(set(places)) == len(places)
    assert changes[-1].table == "core.organisation" and changes[-1].revision == 1
    one = told["inputs"]["finding"].id
    history = pages(manager.ListChanges, "changes", row_id=one)
    assert [change.revision for change in history] == [2, 1]
    assert history[0].previous_sha256 == history[1].content_sha256
    assert hashlib.sha256(history[0].content.encode()).hexdigest() == history[0].content_sha256
    chair = told["chair"].member
    assert {change.actor_id for change in pages(manager.ListChanges, "changes", actor_id=chair)} == {chair}
    assert len(pages(manager.ListChanges, "changes", actor_id=chair)) == \
        len([change for change in changes if change.actor_id == chair])


def test_the_log_has_no_personal_names_in_it(told):
    text = "".join(change.content for change in pages(told["manager"].ListChanges, "changes"))
    assert "Carla Chair" not in text and "example.com\"" not in text


def test_an_auditor_sees_the_changes_of_the_reviews_it_was_given(told):
    organisation, review = told["organisation"], told["review"]
    auditor = organisation.person("AUDITOR", "Named Auditor")
    assert not auditor.ListChanges().changes
    organisation.admin.UpdateMember(id=auditor.member, member={"review_ids": [review.id]},
                                    update_mask="reviewIds")
    changes = pages(auditor.ListChanges, "changes")
    assert {change.table for change in changes} >= {"reviews.review", "reviews.decision", "actions.action"}
    assert not {change.table for change in changes} & {"core.member", "core.key", "inputs.input"}
    for change in changes:
        assert review.id in (change.row_id, json.loads(change.content).get("review_id"))


def leaf(change):
    """The line of a change as docs/seals.md has it, written anew."""
    time = change.change_time.ToDatetime().strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"
    texts = [str(change.sequence), str(change.ordinal), change.service, change.method, change.table,
             change.row_id, str(change.revision), change.operation, change.actor_id, change.actor_kind,
             change.on_behalf_of, change.request_id, time, change.content_sha256, change.previous_sha256]
    line = json.dumps(texts, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(b"\0" + line.encode()).digest()


def root(leaves):
    """RFC 6962, section 2.1, as it is written there."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256().digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\1" + root(leaves[:split]) + root(leaves[split:])).digest()


def test_seals_cover_every_change_and_verify_without_us(told, tmp_path):
    manager = told["manager"]

    def sealed():
        newest = manager.ListSeals(page_size=1).seals
        last = manager.ListChanges(page_size=1).changes[0].sequence
        return newest and newest[0].last_sequence >= last

    until(sealed, what="a seal over the last change")
    seals = list(reversed(pages(manager.ListSeals, "seals")))
    changes = list(reversed(pages(manager.ListChanges, "changes")))
    before, covered = "", 0
    for number, seal in enumerate(seals, 1):
        content = json.loads(seal.content)
        assert (seal.number, content["number"], content["tenant"]) == (number, number, told["organisation"].id)
        assert seal.first_sequence == covered + 1 == content["first_sequence"]
        assert content["previous_sha256"] == before == seal.previous_sha256
        assert hashlib.sha256(seal.content.encode()).hexdigest() == seal.sha256
        leaves = [leaf(change) for change in changes
                  if seal.first_sequence <= change.sequence <= seal.last_sequence]
        assert root(leaves).hex() == content["merkle_root"] and len(leaves) == content["change_count"]
        before, covered = seal.sha256, seal.last_sequence
    for change in changes:
        assert change.sequence <= covered
        assert hashlib.sha256(change.content.encode()).hexdigest() == change.content_sha256
    (tmp_path / "signed").write_bytes(b"isms-review seal v1\0" + bytes.fromhex(seals[-1].sha256))
    (tmp_path / "signature").write_bytes(seals[-1].signature)
    key = stack().folder / "keys/installation.pub.pem"
    subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(key), "-rawin",
                    "-in", str(tmp_path / "signed"), "-sigfile", str(tmp_path / "signature")],
                   check=True, capture_output=True)


def test_seals_and_changes_cannot_be_changed_in_the_database(told):
    tenant = told["organisation"].id
    until(lambda: told["manager"].ListSeals().seals, what="a seal")
    for role in ("isms_reporting", "isms_reviews", "isms_jobs"):
        for statement in ("update core.seal set change_count = 0", "delete from core.seal",
                          "delete from core.change", "update core.change set content = ''"):
            done = stack().sql(f"begin; select set_config('app.tenant_id', '{tenant}', true); {statement}",
                               role=role)
            assert done.returncode != 0, f"{role}: {statement}"


def test_nothing_is_unsealed_for_long():
    def metric():
        for line in stack().admin("reporting", "/metrics").splitlines():
            if line.startswith("isms_unsealed_changes "):
                return float(line.split()[1])

    until(lambda: metric() == 0, what="a change log that is sealed to its end")
