"""A snapshot is verified: whatever somebody alters past the service, in the change log, in the rows of the items or in
the content itself, is found and named."""

import hashlib

import pytest
import story
from csv_import import everything
from hostile import sql_each
from isms_client import Organisation, Refused, new_id


class World:
    def __init__(self):
        self.organisation = Organisation("Seidenschwanz")
        self.manager, self.chair = self.organisation.person("ISMS_MANAGER"), self.organisation.person("TOP_MANAGEMENT")
        self.inputs = story.record_inputs(self.manager)
        self.manager.CreateParty(party={"name": "Customers"})
        self.review = story.Review(self.manager, self.chair)
        self.review.open()
        self.snapshot = self.manager.GetSnapshot(review_id=self.review.id)
        self.item = f"tenant_id = '{self.organisation.id}' and row_id = '{self.inputs['risk'].id}'"
        self.where = f"tenant_id = '{self.organisation.id}' and id = '{self.snapshot.id}'"
        self.items = f"tenant_id = '{self.organisation.id}' and snapshot_id = '{self.snapshot.id}'"

    def verify(self):
        return self.manager.VerifySnapshot(snapshot_id=self.snapshot.id)


@pytest.fixture(scope="module")
def world():
    return World()


def faults(told):
    names = told.broken[0].DESCRIPTOR.fields_by_name["fault"].enum_type.values_by_number if told.broken else {}
    return [(names[item.fault].name.removeprefix("ITEM_FAULT_"), item.number) for item in told.broken]


def altered(world, statement, undo, look=World.verify):
    """What verification, or another look, says while the database's administrator has run the statement."""
    def run(text):
        answers = sql_each([f"set local session_replication_role = replica; {text}"], "postgres")
        assert "ERROR" not in answers[0] and not answers[0].endswith(" 0"), answers
    run(statement)
    try:
        return look(world)
    finally:
        run(undo)


def test_what_nobody_touched_holds(world):
    told = world.verify()
    assert told.holds and told.content_holds and not told.broken and told.broken_count == 0
    assert told.sha256 == hashlib.sha256(world.snapshot.content).hexdigest() == world.snapshot.sha256
    assert told.item_count == len(world.inputs) + 1, "the interested party as well"


def test_it_still_holds_when_everything_is_edited_afterwards(world):
    for item in world.inputs.values():
        world.manager.UpdateInput(id=item.id, input={"title": f"{item.title} (edited)"}, update_mask="title")
    assert world.verify().holds


LOG = "table_name = 'inputs.input' and revision = 1"


@pytest.mark.parametrize("what, change, undo, fault", [
    ("a word in the log",
     f"update core.change set content = replace(content, 'risk', 'risk!') where {{item}} and {LOG}",
     f"update core.change set content = replace(content, 'risk!', 'risk') where {{item}} and {LOG}",
     "REVISION_ALTERED"),
    ("the log with its hash", "update core.change set content = replace(content, 'risk', 'risk!'), content_sha256 = "
     f"sha256(convert_to(replace(content, 'risk', 'risk!'), 'UTF8')) where {{item}} and {LOG}",
     "update core.change set content = replace(content, 'risk!', 'risk'), content_sha256 = "
     f"sha256(convert_to(replace(content, 'risk!', 'risk'), 'UTF8')) where {{item}} and {LOG}", "REVISION_ALTERED"),
    ("the hash in the log", f"update core.change set content_sha256 = sha256('x') where {{item}} and {LOG}",
     "update core.change set content_sha256 = sha256(convert_to(content, 'UTF8')) where {item} and "
     + LOG, "REVISION_ALTERED"),
    ("a revision that is gone", f"update core.change set revision = 1000001 where {{item}} and {LOG}",
     "update core.change set revision = 1 where {item} and revision = 1000001", "REVISION_MISSING"),
    ("another revision in the table", "update inputs.snapshot_item set revision = 2 where {item}",
     "update inputs.snapshot_item set revision = 1 where {item}", "DIFFERS"),
    ("another number in the table", "update inputs.snapshot_item set number = number || 'X' where {item}",
     "update inputs.snapshot_item set number = rtrim(number, 'X') where {item}", "DIFFERS"),
    ("another state in the table", "update inputs.snapshot_item set state = 'CLOSED' where {item}",
     "update inputs.snapshot_item set state = 'OPEN' where {item}", "DIFFERS"),
    ("an item that left the table", "update inputs.snapshot_item set position = position + 1000 where {item}",
     "update inputs.snapshot_item set position = position - 1000 where {item}", "NOT_IN_TABLE"),
])
def test_what_was_altered_of_an_item_is_found_and_named(world, what, change, undo, fault):
    told = altered(world, change.format(item=world.item), undo.format(item=world.item))
    assert not told.holds and told.content_holds
    assert (fault, world.inputs["risk"].number) in faults(told), what
    assert {number for _, number in faults(told)} == {world.inputs["risk"].number}
    assert told.broken_count == len(told.broken)
    assert world.verify().holds, "it is as it was"


@pytest.mark.parametrize("look", [
    lambda world: everything(world.manager.ListSnapshotInputs, "inputs", review_id=world.review.id),
    lambda world: world.manager.GetSnapshotInput(snapshot_id=world.snapshot.id, input_id=world.inputs["risk"].id),
    lambda world: world.manager.DiffSnapshots(earlier_snapshot_id=world.snapshot.id),
], ids=["a list", "one", "a comparison"])
def test_an_input_whose_frozen_revision_is_gone_is_not_passed_over(world, look):
    world.manager.UpdateInput(id=world.inputs["risk"].id, input={"title": f"Renamed {new_id()}"}, update_mask="title")
    with pytest.raises(Refused) as refused:
        altered(world, f"update core.change set revision = 1000001 where {world.item} and {LOG}",
                f"update core.change set revision = 1 where {world.item} and revision = 1000001", look)
    assert (refused.value.reason, refused.value.facts["number"]) == ("DATA_CORRUPT", world.inputs["risk"].number)


def test_an_altered_interested_party_is_found(world):
    party = f"tenant_id = '{world.organisation.id}' and table_name = 'inputs.party'"
    told = altered(world, f"update core.change set content = replace(content, 'Customers', 'Nobody') where {party}",
                   f"update core.change set content = replace(content, 'Nobody', 'Customers') where {party}")
    assert [fault for fault, _ in faults(told)] == ["REVISION_ALTERED"] and told.broken[0].kind == "PARTY"


@pytest.mark.parametrize("change, undo", [
    ("as_of = as_of + interval '1 day'", "as_of = as_of - interval '1 day'"),
    ("item_count = item_count - 1", "item_count = item_count + 1"),
    ("at_sequence = at_sequence - 1", "at_sequence = at_sequence + 1"),
    ("start_date = start_date - 1", "start_date = start_date + 1"),
])
def test_a_row_that_says_otherwise_than_its_content_is_found(world, change, undo):
    told = altered(world, f"update inputs.snapshot set {change} where {world.where}",
                   f"update inputs.snapshot set {undo} where {world.where}")
    assert not told.holds and not told.content_holds and not told.broken


@pytest.mark.parametrize("content", ["set_byte(content, 500, get_byte(content, 500) # 1)", "content || ' '",
                                     "substr(content, 1, 900)", "'\\x00ff'", "''"])
def test_content_that_is_not_what_was_hashed_is_found(world, content):
    """The table refuses it, unless whoever alters it takes the table's check away first."""
    check, = sql_each(["select conname from pg_constraint where conrelid = 'inputs.snapshot'::regclass "
                       "and pg_get_constraintdef(oid) like '%sha256(content)%'"], "postgres")
    kept = world.snapshot.content.hex()
    told = altered(world, f"alter table inputs.snapshot drop constraint {check}; update inputs.snapshot set "
                   f"content = {content} where {world.where}",
                   f"update inputs.snapshot set content = '\\x{kept}' where {world.where}; alter table inputs.snapshot "
                   f"add constraint {check} check (sha256 = encode(sha256(content), 'hex')); "
                   f"select 1")
    assert not told.holds and not told.content_holds and told.sha256 != world.snapshot.sha256
    assert world.verify().holds


def test_at_most_a_hundred_broken_items_are_named_and_all_are_counted(world):
    other = Organisation()
    manager, chair = other.person("ISMS_MANAGER"), other.person("TOP_MANAGEMENT")
    manager.BatchUpsertInputs(inputs=[{"title": f"Finding {n}", "source": "s", "external_id": str(n), "finding": {}}
                                      for n in range(130)])
    review = story.Review(manager, chair)
    review.open()
    snapshot = manager.GetSnapshot(review_id=review.id)
    sql_each([f"set local session_replication_role = replica; update core.change set content = content || ' ' "
              f"where tenant_id = '{other.id}' and table_name = 'inputs.input'"], "postgres")
    told = manager.VerifySnapshot(snapshot_id=snapshot.id)
    assert (told.item_count, told.broken_count, len(told.broken)) == (130, 130, 100)
    assert [item.number for item in told.broken] == sorted(item.number for item in told.broken)


def test_nothing_is_told_of_a_snapshot_that_is_not_there(world):
    with pytest.raises(Refused) as refused:
        world.manager.VerifySnapshot(snapshot_id=new_id())
    assert refused.value.reason == "NOT_FOUND"
