"""The service is killed in the middle of a large import: what is left of it is done by its successor, each row once."""

import evidence
import pytest
from csv_import import RUNNING, Import, columns, everything
from held import Held
from isms_client import Organisation, Refused, stack, until

DONE, FAILED, STORING, ROWS = 2, 8, 3, 20_000


@pytest.fixture(autouse=True)
def the_service_runs():
    yield
    stack().control("start", "inputs")


def look(upload):
    """As a client that outlives the service."""
    try:
        return upload.look()
    except Refused as refused:
        assert refused.code.name == "UNAVAILABLE"
        return None


def kill():
    stack().control("restart", "inputs", "KILL")


def large(manager, rows):
    text = "Id,Title\n" + "".join(f"R-{n},Row {n}\n" for n in range(rows))
    return Import(manager, text.encode(), columns=columns({"Id": "external_id", "Title": "title"})).upload()


LEASES_CUT = """
    select count(pg_terminate_backend(l.pid)) from pg_locks l join pg_stat_activity a using (pid)
    where l.locktype = 'advisory' and a.application_name like 'isms-inputs.import%'"""


def test_two_replicas_that_both_hold_the_import_to_be_theirs_store_every_row_once():
    """The connection of the lease is cut, as a firewall or a failover does: the next replica begins, the first goes
    on."""
    manager, other = Organisation().person("ISMS_MANAGER"), evidence.Inputs().start()
    try:
        upload = large(manager, 9000)
        upload.start()
        for above in (500, 3000):
            until(lambda: upload.look().rows_stored > above, 300, "the storing to be under way")
            assert stack().sql(LEASES_CUT).stdout.strip()
        done = upload.finished(300)
    finally:
        other.stop()
    assert (done.state, done.created, done.rows_stored, done.error_count) == (DONE, 9000, 9000, 0)
    assert {item.revision for item in everything(manager.ListInputs, "inputs", filter={"sources": ["test"]})} == {1}


def test_who_loses_the_right_to_import_loses_the_import():
    organisation = Organisation()
    member = organisation.person("ISMS_MANAGER")
    upload = large(member, 9000)
    upload.start()
    stack().control("stop", "inputs", "KILL")
    organisation.admin.UpdateMember(id=member.member, member={"roles": ["ROLE_AUDITOR"]}, update_mask="roles")
    stack().control("start", "inputs")
    manager = organisation.person("ISMS_MANAGER", "Somebody Else")
    ended = until(lambda: (now := manager.GetImport(id=upload.id)).state != RUNNING and now, 120, "the import to end")
    assert ended.state == FAILED and ended.rows_stored < 9000
    assert "may not act any more" in ended.errors[0].message


WAITING_CUT = """
    select count(pg_terminate_backend(pid)) from pg_stat_activity
    where application_name like 'isms-inputs.import%' and wait_event_type = 'Lock'"""


def test_a_database_that_breaks_off_is_no_failure_of_the_import():
    """However often it does, and be it the last time that it may fail: the connection is cut while the import waits for
    rows that somebody else has, and its failures before that are made up."""
    organisation = Organisation()
    upload = large(organisation.person("ISMS_MANAGER"), 3)
    with Held() as held:
        held.run(f"insert into inputs.import_progress (tenant_id, import_id, phase, rows_total, failures) "
                 f"values ('{organisation.id}', '{upload.id}', 'READING', 0, 9)")
        upload.start()
        for _ in range(3):
            until(lambda: stack().sql(WAITING_CUT).stdout.strip() == "1", 60, "the import to wait")
        held.commit()
        done = upload.finished()
    assert (done.state, done.created, done.error_count) == (DONE, 3, 0)


def test_an_import_that_is_killed_twice_stores_every_row_once():
    manager = Organisation().person("ISMS_MANAGER")
    upload = large(manager, ROWS)
    upload.start()
    until(lambda: (now := look(upload)) and now.rows_checked > 1000, 120, "the checking to be under way")
    kill()
    until(lambda: (now := look(upload)) and now.phase == STORING and 0 < now.rows_stored < ROWS, 300,
          "the storing to be under way")
    kill()
    done = until(lambda: (now := look(upload)) and now.state == DONE and now, 600, "the import to end")
    assert (done.created, done.rows_stored, done.rows, done.error_count) == (ROWS, ROWS, ROWS, 0)
    there = everything(manager.ListInputs, "inputs", filter={"sources": ["test"]})
    assert len(there) == ROWS and len({item.external_id for item in there}) == ROWS
    assert {item.revision for item in there} == {1}
    assert len({item.number for item in there}) == ROWS
