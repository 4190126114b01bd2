"""How imports end that do not just succeed, and what is left of them. What has to happen at one moment of an import is
made to: a session of the database holds what the import needs next, and lets it go."""

import hashlib

import pytest
from csv_import import RUNNING, Import, columns, everything, imported
from held import Held
from isms_client import Organisation, Refused, stack, until

DONE, REFUSED, CHECKED, PARTLY_DONE, CANCELLED, FAILED = 2, 3, 4, 6, 7, 8
ROW_CREATED, ROW_FAILED = 1, 4
MAPPING = columns({"Id": "external_id", "Title": "title"})
FILE = b"Id,Title\nA-1,First\nA-2,Second\nA-3,Third\n"


@pytest.fixture
def organisation():
    return Organisation()


@pytest.fixture
def manager(organisation):
    return organisation.person("ISMS_MANAGER")


def uploaded(caller, data=FILE, **fields):
    return Import(caller, data, columns=MAPPING, **fields).upload()


def hold_reading(held, organisation, upload):
    """The import comes to its first rows, and no further."""
    held.run(f"insert into inputs.import_progress (tenant_id, import_id, phase, rows_total) "
             f"values ('{organisation.id}', '{upload.id}', 'READING', 0)")


def query(statement):
    done = stack().sql(statement)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def chunks(upload):
    return int(query(f"select count(*) from inputs.import_chunk where import_id = '{upload.id}'"))


def assert_file_goes(upload):
    """By the importing job, or by the clean-up, which a run wakes, as it does all jobs."""
    imported(upload.caller, FILE, columns=MAPPING, source="wake")
    until(lambda: chunks(upload) == 0, 60, "the file to go")


def there(caller):
    return {item.external_id for item in everything(caller.ListInputs, "inputs", filter={"sources": ["test"]})}


# --- some rows -------------------------------------------------------------------------------------------


def test_rows_that_do_not_fit_any_more_are_left_out_and_told(organisation, manager):
    """Another one's input gets the second row's id between checking and storing."""
    risk = manager.CreateInput(input={"title": "Fire", "source": "test", "external_id": "X-1", "risk": {}})
    upload = uploaded(manager)
    with Held() as reading, Held() as storing:
        hold_reading(reading, organisation, upload)
        upload.start()
        storing.run(f"update core.sequence set value = value where tenant_id = '{organisation.id}'")
        reading.release()
        until(lambda: upload.look().rows_checked == 3, 60, "the rows to be checked")
        assert upload.look().state == RUNNING
        storing.run(f"update inputs.input set external_id = 'A-2' "
                    f"where tenant_id = '{organisation.id}' and id = '{risk.id}'")
        storing.commit()
        ended = upload.finished()
    assert (ended.state, ended.created, ended.rows_stored, ended.error_count) == (PARTLY_DONE, 2, 3, 1)
    error, = ended.errors
    assert (error.line, error.row, error.column) == (3, 2, "Id")
    assert error.message == f"belongs to {risk.number}, which is of another kind"
    rows = manager.ListImportRows(id=upload.id).rows
    assert [(row.external_id, row.result, row.stored) for row in rows] == [
        ("A-1", ROW_CREATED, True), ("A-2", ROW_FAILED, False), ("A-3", ROW_CREATED, True)]
    assert manager.ListImportRows(id=upload.id, result="IMPORT_OUTCOME_FAILED").rows[0].message == error.message
    assert there(manager) == {"A-1", "A-2", "A-3"}
    assert manager.GetInput(id=risk.id).title == "Fire"


# --- cancelled -------------------------------------------------------------------------------------------


def test_an_import_that_is_cancelled_while_it_reads_stores_nothing(organisation, manager):
    upload = uploaded(manager)
    with Held() as held:
        hold_reading(held, organisation, upload)
        upload.start()
        assert manager.CancelImport(id=upload.id).state == CANCELLED
    assert_file_goes(upload)
    ended = upload.look()
    assert (ended.state, ended.rows_stored, ended.created, there(manager)) == (CANCELLED, 0, 0, set())
    with pytest.raises(Refused) as refused:
        manager.CancelImport(id=upload.id)
    assert refused.value.reason == "WRONG_STATE"


def test_what_was_stored_when_an_import_is_cancelled_stays(organisation, manager):
    """500 rows are a portion; the second one waits for an input that is about to have the id of one of its rows."""
    upload = uploaded(manager, b"Id,Title\n" + b"".join(b"R-%d,Row\n" % n for n in range(1200)))
    with Held() as held:
        held.run(f"insert into inputs.input (tenant_id, id, number, kind, title, source, external_id, detail) values "
                 f"('{organisation.id}', gen_random_uuid(), 'HELD-1', 'FINDING', 'held', 'test', 'R-700', "
                 "'{\"finding\": {}}')")
        upload.start()
        until(lambda: upload.look().rows_stored == 500, 60, "the first portion to be stored")
        until(lambda: cancelled(upload), 60, "the import to be cancelled")
    assert_file_goes(upload)
    ended = upload.look()
    assert (ended.state, ended.rows_stored, ended.created, ended.rows_total) == (CANCELLED, 500, 500, 1200)
    assert there(manager) == {f"R-{n}" for n in range(500)}


def cancelled(upload):
    try:
        return upload.caller.CancelImport(id=upload.id).state == CANCELLED
    except Refused as refused:
        assert refused.reason == "CONFLICT"  # the portion under way is before it
        return False


# --- failed ----------------------------------------------------------------------------------------------


def test_an_import_of_somebody_who_was_suspended_says_so(organisation, manager):
    upload = uploaded(manager)
    with Held() as held:
        hold_reading(held, organisation, upload)
        upload.start()
        organisation.admin.UpdateMember(id=manager.member, member={"state": "MEMBER_STATE_SUSPENDED"},
                                        update_mask="state")
    upload.caller = organisation.person("ISMS_MANAGER", "Somebody Else")
    ended = upload.finished()
    assert (ended.state, ended.rows_stored, ended.error_count) == (FAILED, 0, 1)
    assert ended.errors[0].message == (
        "who started the import may not act any more: have somebody import the file who may")
    assert there(upload.caller) == set()


def test_what_fails_again_and_again_ends_and_says_what_to_do(organisation, manager):
    """The file is lost. Time is not waited for here, nor are all the attempts."""
    upload = uploaded(manager)
    query(f"delete from inputs.import_chunk where import_id = '{upload.id}'")
    manager.RunImport(id=upload.id)

    def failures():
        return query(f"select failures, retry_time > now() from inputs.import_progress where import_id = '{upload.id}'")

    def again(failed):
        query(f"update inputs.import_progress set failures = {failed}, retry_time = '-infinity' "
              f"where import_id = '{upload.id}'")

    until(failures, 60, "the first failure")
    until(lambda: failures() == "9|t" or again(8), 60, "the ninth failure")
    assert upload.look().state == RUNNING
    assert imported(manager, FILE, columns=MAPPING).state == DONE, "the organisation's other imports do not wait for it"
    again(9)
    ended = upload.finished()
    assert (ended.state, ended.error_count) == (FAILED, 1)
    assert ended.errors[0].message == (
        "the service failed at it 10 times in a row (INTERNAL): import the file again; where that fails too, tell the "
        "operators the import's id")


# --- the file --------------------------------------------------------------------------------------------


def test_of_a_file_whose_import_has_ended_size_and_hash_are_left(manager):
    """Also of a dry run: what it has checked is imported by another import, with an upload of its own."""
    wrong = FILE + b"A-1,Twice\n"
    for data, dry_run, state in ((FILE, True, CHECKED), (wrong, False, REFUSED), (FILE, False, DONE)):
        upload = uploaded(manager, data, dry_run=dry_run)
        assert chunks(upload) > 0
        ended = upload.run()
        assert (ended.state, ended.received_bytes) == (state, len(data))
        assert ended.sha256 == hashlib.sha256(data).hexdigest()
        until(lambda: chunks(upload) == 0, 60, "the file to go")
    assert there(manager) == {"A-1", "A-2", "A-3"}


def told_to_the_service(organisation, upload, change):
    """What the database says to whoever logs in as the service and changes the import."""
    return stack().sql(f"""select core.begin_write('{organisation.id}', null, 'job', 0, 'all', 5000, 'inputs', 'x',
                                                   null, null, '', now());
        update inputs.import set {change} where id = '{upload.id}'""", role="isms_inputs").stderr


@pytest.mark.parametrize("change", ["sha256 = repeat('0', 64)", "created = 7", "state = 'RUNNING', phase = 'STORING'"])
def test_how_an_import_ended_stays_so_whoever_logs_in_as_the_service(organisation, manager, change):
    ended = imported(manager, FILE, columns=MAPPING)
    assert "an import that has ended does not change" in told_to_the_service(organisation, ended, change)
    assert manager.GetImport(id=ended.id) == ended


def test_what_is_known_of_a_file_that_is_run_stays_whoever_logs_in_as_the_service(organisation, manager):
    upload = uploaded(manager)
    with Held() as held:
        hold_reading(held, organisation, upload)
        upload.start()
        for change in ("sha256 = repeat('0', 64)", "received_bytes = 1", "actor_id = null", "dry_run = true"):
            assert "a file that is run does not change" in told_to_the_service(organisation, upload, change)
    assert upload.finished().sha256 == hashlib.sha256(FILE).hexdigest()


def test_an_upload_that_nobody_goes_on_with_is_ended_and_removed(organisation, manager):
    abandoned, empty, going_on = (Import(manager, FILE, columns=MAPPING) for _ in range(3))
    for upload in (abandoned, going_on):
        upload.send(0, 10)
    query("set session_replication_role = replica; update inputs.import set update_time = now() - interval '2 days' "
          f"where id in ('{abandoned.id}', '{empty.id}')")
    imported(manager, FILE, columns=MAPPING)  # wakes the jobs
    for upload in (abandoned, empty):
        until(lambda: upload.look().state == CANCELLED, 60, "the upload to be given up")
        assert "create another import" in upload.look().errors[0].message
    until(lambda: chunks(abandoned) == 0, 60, "what was uploaded to go")
    assert (going_on.look().state, chunks(going_on)) == (1, 1)


def test_the_file_of_an_upload_that_is_cancelled_goes(manager):
    upload = uploaded(manager)
    manager.CancelImport(id=upload.id)
    assert_file_goes(upload)
