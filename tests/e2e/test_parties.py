"""The register of interested parties: who they are, what they need, how that changed, and when somebody asked them."""

import pytest
import story
from isms_client import Organisation, Refused, as_dict, new_id, stack

WHOLE = {"name": "Customers under NIS 2", "category": "PARTY_CATEGORY_CUSTOMER", "influence": "PARTY_WEIGHT_HIGH",
         "interest": "PARTY_WEIGHT_MEDIUM", "contact": "security@ of each", "needs": "Notice within 24 hours",
         "addressing": "ADDRESSING_PARTLY_ADDRESSED", "how_addressed": "The process promises 72"}


@pytest.fixture(scope="module")
def manager():
    return Organisation("Parties GmbH").person("ISMS_MANAGER")


def party(manager, **fields):
    return manager.CreateParty(party={"name": f"Party {new_id()}", **fields})


def pages(call, field, **arguments):
    token, items = "", []
    while True:
        page = call(page_size=2, page_token=token, **arguments)
        items += getattr(page, field)
        token = page.next_page_token
        if not token:
            return items


def test_an_entry_comes_out_as_it_went_in(manager):
    made = manager.CreateParty(party={**WHOLE, "owner_id": manager.member})
    assert as_dict(made).items() >= {**WHOLE, "owner_id": manager.member}.items()
    assert made.number.startswith("IP-20") and made.revision == 1
    assert manager.GetParty(id=made.id) == made


def test_a_party_stands_in_the_register_once(manager):
    one = party(manager)
    with pytest.raises(Refused) as refused:
        manager.CreateParty(party={"name": one.name.upper()})
    assert (refused.value.reason, refused.value.facts["field"]) == ("ALREADY_EXISTS", "party.name")
    manager.DeleteParty(id=one.id)
    other = manager.CreateParty(party={"name": one.name})
    assert other.number != one.number
    with pytest.raises(Refused) as refused:
        manager.UndeleteParty(id=one.id)
    assert refused.value.reason == "ALREADY_EXISTS"
    manager.UpdateParty(id=other.id, party={"name": other.name + " too"}, update_mask="name")
    assert not manager.UndeleteParty(id=one.id).HasField("delete_time")
    with pytest.raises(Refused):
        manager.UpdateParty(id=other.id, party={"name": one.name}, update_mask="name")


def test_an_owner_is_a_member(manager):
    with pytest.raises(Refused) as refused:
        party(manager, owner_id=new_id())
    assert (refused.value.reason, refused.value.facts["field"]) == ("REFERENCE_INVALID", "party.owner_id")


def test_the_register_is_listed_in_its_orders_by_its_filters():
    manager = Organisation().person("ISMS_MANAGER")
    names = ["Banks", "Aldermen", "Customers", "Drivers", "Émigrés"]
    made = [manager.CreateParty(party={"name": name, "category": "PARTY_CATEGORY_OTHER" if name < "C" else
                                       "PARTY_CATEGORY_CUSTOMER"}) for name in names]
    manager.UpdateParty(id=made[0].id, party={"addressing": "ADDRESSING_ADDRESSED"}, update_mask="addressing")
    listed = lambda **fields: [one.name for one in pages(manager.ListParties, "parties", **fields)]
    assert sorted(listed()) == sorted(names) and listed()[:4] == ["Aldermen", "Banks", "Customers", "Drivers"]
    assert listed(order_by="number") == names
    assert listed(order_by="update_time desc") == ["Banks", *names[:0:-1]]
    assert set(listed(category="PARTY_CATEGORY_OTHER")) == {"Banks", "Aldermen"}
    assert listed(addressing="ADDRESSING_ADDRESSED") == ["Banks"]
    assert listed(owner_id=manager.member) == []
    manager.DeleteParty(id=made[2].id)
    assert "Customers" not in listed() and "Customers" in listed(show_deleted=True)


def test_changes_over_time_say_who_changed_what_from_what_to_what(manager):
    one = party(manager, needs="Restore within eight hours")
    manager.UpdateParty(id=one.id, party={"needs": "Restore within four hours", "influence": "PARTY_WEIGHT_HIGH"},
                        update_mask="needs,influence")
    manager.DeleteParty(id=one.id)
    changes = pages(manager.ListPartyChanges, "changes", party_id=one.id)
    assert [change.revision for change in changes] == [3, 2, 1]
    assert {change.actor_id for change in changes} == {manager.member}
    assert [field.field for field in changes[0].fields] == ["delete_time"]
    assert [(field.field, field.before, field.after) for field in changes[1].fields] == [
        ("influence", "", "HIGH"), ("needs", "Restore within eight hours", "Restore within four hours")]
    assert {field.field: field.after for field in changes[2].fields} == {
        "name": one.name, "number": one.number, "needs": "Restore within eight hours"}
    with pytest.raises(Refused) as refused:
        manager.ListPartyChanges(party_id=new_id())
    assert refused.value.reason == "NOT_FOUND"


def test_a_contact_that_is_cleared_is_forgotten(manager):
    contact, request = f"{new_id()}@example.com", new_id()
    asked = {"party": {"name": f"Party {new_id()}", "contact": contact}, "request_id": request}
    made = manager.CreateParty(**asked)
    assert made.contact == contact and manager.CreateParty(**asked) == made
    manager.UpdateParty(id=made.id, party={"contact": f"new {contact}"}, update_mask="contact")
    assert manager.CreateParty(**asked).contact == f"new {contact}", "as it is now, since the log has none"

    def kept():
        found = stack().sql(f"select to_jsonb(p) from inputs.party p where id = '{made.id}'; "
                            f"select content from core.change where tenant_id = '{manager.tenant}'")
        assert found.returncode == 0 and made.id in found.stdout
        return found.stdout

    assert kept().count(contact) == 1, "in the register, and nowhere else"
    manager.UpdateParty(id=made.id, party={"contact": ""}, update_mask="contact")
    assert contact not in kept()
    changes = manager.ListPartyChanges(party_id=made.id).changes
    assert [[(field.field, field.before, field.after) for field in change.fields] for change in changes[:2]] == [
        [("contact", "", "")], [("contact", "", "")]]
    with pytest.raises(Refused) as refused:
        manager.CreateParty(**asked)
    assert refused.value.reason == "REQUEST_ID_REUSED", "nobody can tell by it, and it makes no other"


def test_an_input_that_names_the_party_has_its_name(manager):
    one, other = party(manager), party(manager)
    made = manager.CreateInput(input={"title": "T", "requirement": {"party_id": one.id}})
    assert made.requirement.interested_party == one.name
    own = manager.CreateInput(input={"title": "T", "feedback": {"party_id": one.id, "interested_party": "A branch"}})
    assert own.feedback.interested_party == "A branch"
    moved = manager.UpdateInput(id=made.id, input={"title": "T", "requirement": {
        "party_id": other.id, "interested_party": one.name}})
    assert moved.requirement.interested_party == other.name, "the name follows the reference"
    manager.UpdateParty(id=other.id, party={"name": "Renamed " + other.name}, update_mask="name")
    manager.DeleteParty(id=other.id)
    assert manager.GetInput(id=made.id) == moved
    again = manager.UpdateInput(id=made.id, input={"title": "Renamed"}, update_mask="title")
    assert again.requirement == moved.requirement


def test_engagements_come_out_as_they_went_in_the_last_first(manager):
    one, other = party(manager), party(manager)
    feedback = manager.CreateInput(input={"title": "T", "feedback": {"party_id": one.id}})
    survey = {"party_id": one.id, "engagement_date": "2026-02-01", "type": "TYPE_SURVEY", "summary": "Yearly survey",
              "survey": {"sent": 300, "answered": 84, "score": 7.9, "maximum_score": 10},
              "feedback_ids": [feedback.id]}
    made = manager.RecordEngagement(engagement=survey)
    assert as_dict(made).items() >= survey.items()
    for day, kind, who in (("2026-03-01", "MEETING", one), ("2026-01-01", "AUDIT", one),
                           ("2026-01-15", "AUDIT", other)):
        manager.RecordEngagement(engagement={"party_id": who.id, "engagement_date": day, "type": f"TYPE_{kind}",
                                             "summary": "S"})
    days = lambda **fields: [e.engagement_date for e in pages(manager.ListEngagements, "engagements", **fields)]
    assert days(party_id=one.id) == ["2026-03-01", "2026-02-01", "2026-01-01"]
    assert days() == ["2026-03-01", "2026-02-01", "2026-01-15", "2026-01-01"]
    assert days(type="TYPE_AUDIT") == ["2026-01-15", "2026-01-01"]


WRONG = {
    "results of no survey": ({"type": "TYPE_MEETING", "survey": {"sent": 1}}, "survey"),
    "more answers than questions": ({"survey": {"sent": 5, "answered": 6}}, "survey.answered"),
    "a score beyond the scale": ({"survey": {"score": 11, "maximum_score": 10}}, "survey.score"),
    "a score without a scale": ({"survey": {"score": 1}}, "survey.score"),
}


@pytest.mark.parametrize("what", WRONG)
def test_results_that_do_not_fit_together_are_refused_by_field(manager, what):
    content, field = WRONG[what]
    with pytest.raises(Refused) as refused:
        manager.RecordEngagement(engagement={"party_id": party(manager).id, "engagement_date": "2026-01-01",
                                             "type": "TYPE_SURVEY", "summary": "S", **content})
    assert (refused.value.reason, list(refused.value.fields)) == ("FIELD_INVALID", [f"engagement.{field}"])


def test_an_engagement_is_with_a_party_and_led_to_feedback(manager):
    one = party(manager)
    base = {"party_id": one.id, "engagement_date": "2026-01-01", "type": "TYPE_MEETING", "summary": "S"}
    risk = manager.CreateInput(input={"title": "T", "risk": {}})
    gone = party(manager)
    manager.DeleteParty(id=gone.id)
    for more, field in (({"party_id": new_id()}, "party_id"), ({"party_id": gone.id}, "party_id"),
                        ({"feedback_ids": [risk.id]}, "feedback_ids")):
        with pytest.raises(Refused) as refused:
            manager.RecordEngagement(engagement={**base, **more})
        assert (refused.value.reason, refused.value.facts["field"]) == ("REFERENCE_INVALID", f"engagement.{field}")


def test_nothing_of_the_register_is_an_auditors_or_anothers(manager):
    one = party(manager)
    organisation = Organisation()
    for caller in (organisation.person("ISMS_MANAGER"), organisation.person("AUDITOR")):
        assert not caller.ListParties().parties
        with pytest.raises(Refused) as refused:
            caller.GetParty(id=one.id)
        assert refused.value.reason == "NOT_FOUND"
    mine = party(organisation.person("ISMS_MANAGER"))
    with pytest.raises(Refused):
        organisation.person("AUDITOR").GetParty(id=mine.id)
    assert organisation.person("TOP_MANAGEMENT").GetParty(id=mine.id) == mine


def test_what_was_noted_is_never_changed(manager):
    manager.RecordEngagement(engagement={"party_id": party(manager).id, "engagement_date": story.day(),
                                         "type": "TYPE_OTHER", "summary": "S"})
    done = stack().sql("update inputs.engagement set summary = 'Other'")
    assert done.returncode != 0 and "never changed" in done.stderr
