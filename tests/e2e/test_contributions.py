"""Who is asked for which inputs, who has delivered, and what becomes of it all when somebody leaves."""

import pytest
import story
from isms_client import Organisation, Refused, api, new_id, stack

REQUESTED, DELIVERED, WITHDRAWN = 1, 2, 3
ROLES = [value.name.removeprefix("ROLE_") for value in api().pool.FindEnumTypeByName("isms.reviews.v1.Role").values]


@pytest.fixture(scope="module")
def organisation():
    return Organisation()


@pytest.fixture(scope="module")
def contributor(organisation):
    return organisation.person("CONTRIBUTOR")


def refused(call, *arguments, **fields):
    with pytest.raises(Refused) as caught:
        call(*arguments, **fields)
    return caught.value


def asked(manager, member, due=30, **wanted):
    """One contribution."""
    return manager.CreateContributions(contributions=[
        {"assignee_id": member, "due_date": story.day(due), **(wanted or {"agenda_item": "risks"})}]).contributions[0]


def figures(caller, review):
    return {item.agenda_item: item for item in caller.GetContributionFigures(review_id=review).figures}


# --- asking -----------------------------------------------------------------------------------------------

def test_many_are_asked_at_once_and_told_in_their_order(organisation, manager, contributor):
    metric = story.record_inputs(manager)["metric"]
    review, wanted = new_id(), [{"agenda_item": "risks"}, {"kind": "INPUT_KIND_AUDIT"}, {"input_id": metric.id}]
    made = manager.CreateContributions(contributions=[
        {**what, "assignee_id": contributor.member, "due_date": story.day(n), "review_id": review, "note": f"Note {n}"}
        for n, what in enumerate(wanted, 10)]).contributions
    assert [one.WhichOneof("wanted") for one in made] == ["agenda_item", "kind", "input_id"]
    assert [(one.note, one.due_date, one.state, one.late) for one in made] == [
        (f"Note {n}", story.day(n), REQUESTED, False) for n in range(10, 13)]
    assert manager.GetContribution(id=made[1].id) == made[1]
    assert [one.id for one in contributor.ListContributions(mine=True, review_id=review).contributions] == [
        one.id for one in made]
    assert not manager.ListContributions(mine=True, review_id=review).contributions


def test_a_repeated_request_asks_once(manager, contributor):
    request = {"request_id": new_id(), "contributions": [
        {"assignee_id": contributor.member, "due_date": story.day(9), "agenda_item": "policy", "review_id": new_id()}]}
    first = manager.CreateContributions(**request)
    assert manager.CreateContributions(**request) == first
    review = first.contributions[0].review_id
    assert len(manager.ListContributions(review_id=review).contributions) == 1


def test_all_or_none_are_asked(organisation, manager, contributor):
    suspended = organisation.person("CONTRIBUTOR", "Gone already")
    organisation.admin.UpdateMember(id=suspended.member, update_mask="state", member={
        "name": "Gone", "roles": ["ROLE_CONTRIBUTOR"], "state": "MEMBER_STATE_SUSPENDED"})
    review, good = new_id(), {"assignee_id": contributor.member, "due_date": story.day(9), "agenda_item": "risks"}
    for wrong, field in ((
            {**good, "assignee_id": new_id()}, "assignee_id"),
            ({**good, "assignee_id": suspended.member}, "assignee_id"),
            ({"assignee_id": contributor.member, "due_date": story.day(9), "input_id": new_id()}, "input_id")):
        found = refused(manager.CreateContributions, contributions=[
            {**good, "review_id": review}, {**wrong, "review_id": review}])
        assert (found.reason, found.facts["field"]) == ("REFERENCE_INVALID", f"contributions[1].{field}")
    assert not manager.ListContributions(review_id=review).contributions


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"UNSPECIFIED", "PLATFORM_ADMIN", "PLATFORM_AGENT", "INTAKE"}))
def test_whoever_is_asked_can_deliver(organisation, manager, contributor, role):
    """Asked is who has a role with inputs.write, and nobody else."""
    someone, first = organisation.person(role, f"Asked {role}"), asked(manager, contributor.member)
    change = {"id": first.id, "contribution": {"assignee_id": someone.member}, "update_mask": "assigneeId"}
    if refused(someone.DeliverContribution, id=new_id()).reason == "PERMISSION_DENIED":
        for call, field in ((lambda: asked(manager, someone.member), "contributions[0].assignee_id"),
                            (lambda: manager.UpdateContribution(**change), "contribution.assignee_id"),
                            (lambda: manager.HandOver(from_member_id=contributor.member, to_member_id=someone.member),
                             "to_member_id")):
            wrong = refused(call)
            assert wrong.reason == "FIELD_INVALID" and "may write inputs" in wrong.fields[field]
    else:
        assert someone.DeliverContribution(id=asked(manager, someone.member).id).state == DELIVERED
        assert manager.UpdateContribution(**change).assignee_id == someone.member


WRONG = {
    "nothing wanted": ({"agenda_item": None}, "contributions[0].wanted"),
    "no kind": ({"agenda_item": None, "kind": 0}, "contributions[0].kind"),
    "no assignee": ({"assignee_id": None}, "contributions[0].assignee_id"),
    "no day": ({"due_date": None}, "contributions[0].due_date"),
    "a day that is none": ({"due_date": "2026-02-30"}, "contributions[0].due_date"),
    "an item in capitals": ({"agenda_item": "Risks"}, "contributions[0].agenda_item"),
    "a long note": ({"note": "x" * 2001}, "contributions[0].note"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_field_is_named(manager, contributor, what):
    changes, field = WRONG[what]
    content = {"assignee_id": contributor.member, "due_date": story.day(9), "agenda_item": "risks", **changes}
    found = refused(manager.CreateContributions,
                    contributions=[{name: value for name, value in content.items() if value is not None}])
    assert found.reason == "FIELD_INVALID" and list(found.fields) == [field]


@pytest.mark.parametrize("role", ["CONTRIBUTOR", "TOP_MANAGEMENT", "TENANT_ADMIN", "AUDITOR", "ACTION_OWNER"])
def test_who_does_not_run_the_system_asks_nobody(organisation, contributor, role):
    assert refused(asked, organisation.person(role), contributor.member).reason == "PERMISSION_DENIED"


def test_lists_are_filtered(organisation, manager):
    someone, other = organisation.person("CONTRIBUTOR", "Someone"), organisation.person("CONTRIBUTOR", "Other")
    review = new_id()
    risk = asked(manager, someone.member, kind="INPUT_KIND_RISK", review_id=review, due=3)
    item = asked(manager, other.member, agenda_item="risks", review_id=review, due=2)
    late = asked(manager, other.member, agenda_item="audits", review_id=review, due=-2)
    someone.DeliverContribution(id=risk.id)

    def ids(**filter):
        return [one.id for one in manager.ListContributions(review_id=review, **filter).contributions]
    assert ids() == [late.id, item.id, risk.id]
    assert ids(assignee_id=other.member) == [late.id, item.id]
    assert ids(agenda_item="risks") == [item.id, risk.id]
    assert ids(kind="INPUT_KIND_RISK") == [risk.id]
    assert ids(state="CONTRIBUTION_STATE_DELIVERED") == [risk.id]
    assert ids(overdue=True) == [late.id]
    first = manager.ListContributions(review_id=review, page_size=2)
    rest = manager.ListContributions(review_id=review, page_size=2, page_token=first.next_page_token)
    assert [one.id for one in [*first.contributions, *rest.contributions]] == ids() and not rest.next_page_token


# --- delivering -------------------------------------------------------------------------------------------

def test_whoever_was_asked_delivers(manager, contributor):
    one = asked(manager, contributor.member)
    request_id = new_id()
    done = contributor.DeliverContribution(id=one.id, request_id=request_id)
    assert (done.state, done.delivered_by_id, done.nothing_reason, done.late) == (
        DELIVERED, contributor.member, "", False)
    assert done.HasField("delivered_time")
    assert contributor.DeliverContribution(id=one.id, request_id=request_id) == done
    again = refused(contributor.DeliverContribution, id=one.id)
    assert (again.reason, again.facts["state"]) == ("WRONG_STATE", "DELIVERED")


def test_another_contributor_does_not_deliver_in_their_place_but_the_manager_does(organisation, manager, contributor):
    one = asked(manager, contributor.member)
    other = organisation.person("CONTRIBUTOR", "Not asked")
    wrong = refused(other.DeliverContribution, id=one.id)
    assert (wrong.reason, wrong.facts["permission"]) == ("PERMISSION_DENIED", "contributions.manage")
    assert manager.GetContribution(id=one.id).state == REQUESTED
    assert manager.DeliverContribution(id=one.id, nothing_reason="Told by telephone: none").delivered_by_id == \
        manager.member


def test_nothing_to_report_needs_a_reason_and_keeps_it(manager, contributor):
    one = asked(manager, contributor.member, agenda_item="audits")
    assert contributor.DeliverContribution(id=one.id, nothing_reason="No audit took place").nothing_reason == \
        "No audit took place"


def test_late_is_late_whether_delivered_or_not(manager, contributor):
    one = asked(manager, contributor.member, due=-1)
    assert one.late
    assert contributor.DeliverContribution(id=one.id).late


def test_what_was_not_enough_is_asked_for_again(manager, contributor):
    one = asked(manager, contributor.member, due=-3)
    contributor.DeliverContribution(id=one.id, nothing_reason="Nothing")
    back = manager.ReturnContribution(id=one.id, reason="The audit of March is missing", due_date=story.day(5))
    assert (back.state, back.reason, back.nothing_reason, back.delivered_by_id, back.due_date, back.late) == (
        REQUESTED, "The audit of March is missing", "", "", story.day(5), False)
    assert refused(manager.ReturnContribution, id=one.id, reason="again").reason == "WRONG_STATE"
    assert contributor.DeliverContribution(id=one.id).state == DELIVERED


def test_what_is_withdrawn_was_delivered_by_nobody(manager, contributor):
    one = asked(manager, contributor.member, agenda_item="risks")
    contributor.DeliverContribution(id=one.id, nothing_reason="Nothing")
    one = manager.WithdrawContribution(id=one.id, reason="Asked by mistake")
    assert (one.delivered_by_id, one.HasField("delivered_time"), one.nothing_reason) == ("", False, "")


def test_what_is_withdrawn_is_neither_open_nor_late(manager, contributor):
    review = new_id()
    one = asked(manager, contributor.member, agenda_item="risks", due=-1, review_id=review)
    gone = manager.WithdrawContribution(id=one.id, reason="Asked somebody else")
    assert (gone.state, gone.late, gone.reason) == (WITHDRAWN, False, "Asked somebody else")
    for call in (lambda: contributor.DeliverContribution(id=one.id), lambda: manager.WithdrawContribution(id=one.id),
                 lambda: manager.UpdateContribution(id=one.id, update_mask="note", contribution={"note": "N"})):
        assert refused(call).reason == "WRONG_STATE"
    assert not figures(manager, review)


def test_a_change_moves_day_and_person(organisation, manager, contributor):
    one = asked(manager, contributor.member)
    other = organisation.person("CONTRIBUTOR", "Next one")
    moved = manager.UpdateContribution(id=one.id, update_mask="assigneeId,dueDate", contribution={
        "assignee_id": other.member, "due_date": story.day(60), "etag": one.etag})
    assert (moved.assignee_id, moved.due_date, moved.agenda_item) == (other.member, story.day(60), "risks")
    assert refused(manager.UpdateContribution, id=one.id, update_mask="note", contribution={
        "note": "stale", "etag": one.etag}).reason == "ETAG_MISMATCH"
    wrong = refused(manager.UpdateContribution, id=one.id, update_mask="assigneeId", contribution={
        "assignee_id": new_id()})
    assert (wrong.reason, wrong.facts["field"]) == ("REFERENCE_INVALID", "contribution.assignee_id")


# --- who has delivered ------------------------------------------------------------------------------------

def test_the_figures_say_who_has_delivered_and_what_was_written(organisation, manager):
    someone, other, review = (organisation.person("CONTRIBUTOR", "First asked"),
                              organisation.person("CONTRIBUTOR", "Second asked"), new_id())
    metric = story.record_inputs(manager)["metric"]
    before = someone.CreateInput(input={"title": "Before it was asked for", "risk": {}})
    risks = asked(manager, someone.member, agenda_item="risks", review_id=review)
    asked(manager, other.member, kind="INPUT_KIND_RISK", review_id=review, due=-1)
    audits = asked(manager, other.member, agenda_item="audits", review_id=review, due=-1)
    asked(manager, other.member, input_id=metric.id, review_id=review)
    withdrawn = asked(manager, other.member, agenda_item="policy", review_id=review)
    manager.WithdrawContribution(id=withdrawn.id)

    one = someone.CreateInput(input={"title": "A risk", "risk": {}})
    someone.UpdateInput(id=one.id, input={"title": "A risk, better told"}, update_mask="title")
    someone.CreateInput(input={"title": "Of another item", "finding": {}})
    story.measure(other, metric, [9, 7, 5])
    other.DeliverContribution(id=audits.id, nothing_reason="None took place")
    someone.DeliverContribution(id=risks.id)

    found = figures(manager, review)
    assert list(found) == ["measurements", "audits", "risks"], "the order of the agenda"
    figure = {item: (one.assigned, one.delivered, one.nothing_to_report, one.open, one.late, one.recorded)
              for item, one in found.items()}
    assert figure == {"measurements": (1, 0, 0, 1, 0, 1), "audits": (1, 1, 1, 0, 1, 0), "risks": (2, 1, 0, 1, 1, 1)}
    someone.UpdateInput(id=before.id, input={"title": "Looked at again"}, update_mask="title")
    assert figures(manager, review)["risks"].recorded == 2
    assert figures(someone, review) == figures(manager, review)


def test_an_auditor_sees_no_contributions(organisation, manager, contributor):
    one = asked(manager, contributor.member)
    auditor = organisation.person("AUDITOR")
    assert not auditor.ListContributions().contributions
    assert refused(auditor.GetContribution, id=one.id).code.name == "NOT_FOUND"
    assert not auditor.GetContributionFigures().figures


# --- handing over -----------------------------------------------------------------------------------------

@pytest.fixture
def leaver(organisation, manager):
    """Somebody with three open inputs, a closed and a deleted one, a party, and contributions open and delivered."""
    someone = organisation.person("CONTRIBUTOR", f"Leaver {new_id()[:8]}")

    def owned(title, **fields):
        return manager.CreateInput(input={"title": title, "finding": {}, "owner_id": someone.member, **fields})
    someone.open = [owned(f"Open {n}") for n in range(3)]
    someone.closed = owned("Closed", state="INPUT_STATE_CLOSED")
    someone.deleted = owned("Deleted")
    manager.DeleteInput(id=someone.deleted.id)
    someone.party = manager.CreateParty(party={"name": f"Party {new_id()[:8]}", "owner_id": someone.member})
    someone.asked = asked(manager, someone.member)
    someone.delivered = asked(manager, someone.member)
    someone.DeliverContribution(id=someone.delivered.id)
    return someone


def counts(answer):
    return answer.inputs, answer.parties, answer.contributions, answer.remaining


def test_a_dry_run_says_what_it_would_be_and_changes_nothing(organisation, manager, leaver):
    other = organisation.person("CONTRIBUTOR", "Takes over")
    request_id = new_id()
    for _ in range(2):
        told = manager.HandOver(from_member_id=leaver.member, to_member_id=other.member, dry_run=True, limit=1,
                                request_id=request_id)
        assert counts(told) == (3, 1, 1, 5)
    assert manager.GetInput(id=leaver.open[0].id).owner_id == leaver.member


def test_everything_open_is_handed_over_in_steps(organisation, manager, leaver):
    other = organisation.person("CONTRIBUTOR", "Takes over")

    def step(limit):
        return counts(manager.HandOver(from_member_id=leaver.member, to_member_id=other.member, limit=limit))
    request_id = new_id()
    first = manager.HandOver(from_member_id=leaver.member, to_member_id=other.member, limit=2, request_id=request_id)
    assert counts(first) == (2, 0, 0, 3)
    assert manager.HandOver(from_member_id=leaver.member, to_member_id=other.member, limit=2,
                            request_id=request_id) == first
    assert step(2) == (1, 1, 0, 1)
    assert step(2) == (0, 0, 1, 0)
    assert step(2) == (0, 0, 0, 0)
    for one in leaver.open:
        assert manager.GetInput(id=one.id).owner_id == other.member
    assert manager.GetInput(id=leaver.closed.id).owner_id == leaver.member
    assert manager.GetParty(id=leaver.party.id).owner_id == other.member
    assert manager.GetContribution(id=leaver.asked.id).assignee_id == other.member
    assert manager.GetContribution(id=leaver.delivered.id).assignee_id == leaver.member
    assert manager.UndeleteInput(id=leaver.deleted.id).owner_id == leaver.member
    found = stack().sql(f"select method, actor from core.change where tenant_id = '{organisation.id}' "
                        f"and row_id = '{leaver.open[0].id}' order by revision desc limit 1")
    assert found.stdout.strip() == f"HandOver|{manager.member}"


def test_who_was_suspended_or_erased_is_handed_over_from(organisation, manager, leaver):
    other = organisation.person("CONTRIBUTOR", "Takes over")
    organisation.admin.EraseMember(id=leaver.member)
    assert counts(manager.HandOver(from_member_id=leaver.member, to_member_id=other.member)) == (3, 1, 1, 0)


def test_only_an_active_member_takes_over(organisation, manager, leaver):
    gone = organisation.person("CONTRIBUTOR", f"Gone {new_id()[:8]}")
    organisation.admin.EraseMember(id=gone.member)
    for fields, field in (({"to_member_id": gone.member}, "to_member_id"), ({"to_member_id": new_id()}, "to_member_id"),
                          ({"to_member_id": leaver.member}, "to_member_id"),
                          ({"from_member_id": new_id(), "to_member_id": manager.member}, "from_member_id")):
        wrong = refused(manager.HandOver, **{"from_member_id": leaver.member, **fields})
        assert (wrong.reason, wrong.facts["field"]) == ("REFERENCE_INVALID", field)


@pytest.mark.parametrize("role", ["CONTRIBUTOR", "TOP_MANAGEMENT", "TENANT_ADMIN", "AUDITOR"])
def test_who_does_not_run_the_system_hands_nothing_over(organisation, manager, leaver, role):
    assert refused(organisation.person(role).HandOver, from_member_id=leaver.member,
                   to_member_id=manager.member).reason == "PERMISSION_DENIED"
