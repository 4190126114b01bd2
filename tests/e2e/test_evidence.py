"""Evidence that is kept here: what was uploaded comes out again byte for byte, or not at all; and nobody else's does.
Everything holds for both storages."""

import base64
import concurrent.futures
import hashlib
import json
import os
import uuid

import grpc
import pytest
import story
from evidence import (DELETED, MIB, REMOVED, STORED, UPLOADING, Inputs, announcement, content, directory, downloaded,
                      lease_freed, read, sent, stored)
from isms_client import Caller, Organisation, Refused, api, new_id, stack, until

BLOCK = 128 << 10
AN_ISSUE = {"title": "Restores take too long", "context_issue": {"origin": "ORIGIN_INTERNAL",
                                                                "topic": "TOPIC_TECHNOLOGY"}}


@pytest.fixture(scope="module")
def folder():
    with directory() as made:
        yield made


@pytest.fixture(scope="module")
def inputs(folder):
    """Keeps new files in a folder, and serves those in the database as well."""
    made = Inputs(evidence_storage="filesystem", evidence_directory=str(folder), evidence_size_max="4",
                  evidence_total_max="101").start()
    yield made
    made.stop()


@pytest.fixture(scope="module", params=["postgresql", "filesystem"])
def storage(request):
    return request.param


@pytest.fixture(scope="module")
def organisation():
    return Organisation()


@pytest.fixture
def placed(storage, inputs):
    """Makes a caller use the storage under test."""
    return (lambda caller: inputs.caller(caller)) if storage == "filesystem" else (lambda caller: caller)


@pytest.fixture
def manager(organisation, placed):
    return placed(organisation.person("ISMS_MANAGER"))


def b64(data):
    return base64.b64encode(data).decode()


def refused(call, *arguments, **fields):
    with pytest.raises(Refused) as caught:
        call(*arguments, **fields)
    return caught.value


def kept_in(folder, file):
    return [path for path in folder.rglob("*") if path.name.startswith(file.id)]


def attached(caller, *file_ids, title="Restores", **more):
    return caller.CreateInput(input={**AN_ISSUE, "title": title, "evidence": [
        {"title": "Protocol", "file_id": file_id} for file_id in file_ids], **more})


# --- in and out ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("size", [1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * MIB + 17])
def test_what_was_uploaded_comes_out_byte_for_byte(manager, size):
    data = content(size, size)
    file = stored(manager, data, note="Of the yearly test", expire_date="2030-01-31")
    assert (file.state, file.size, file.received_bytes, file.creator_id) == (STORED, size, size, manager.member)
    assert file.sha256 == hashlib.sha256(data).hexdigest()
    assert manager.GetEvidenceFile(id=file.id) == file
    assert downloaded(manager, file.id) == data
    assert read(manager, file.id) == data


def test_any_part_can_be_read(manager):
    data = content(2 * BLOCK + 100)
    file = stored(manager, data)
    for offset, size in ((0, 1), (BLOCK - 1, 2), (BLOCK, BLOCK), (5, MIB), (len(data) - 1, 10), (len(data), 10),
                         (len(data) + 5 * BLOCK, 1)):
        part = manager.ReadEvidenceFile(id=file.id, offset=offset, size=size)
        assert (part.offset, part.data) == (offset, data[offset:offset + size])
        assert downloaded(manager, file.id, offset) == data[offset:]


def test_the_storage_is_where_it_was_set_to_be(manager, storage, folder):
    file = stored(manager, content(100))
    assert len(kept_in(folder, file)) == (1 if storage == "filesystem" else 0)
    if storage == "filesystem":
        assert kept_in(folder, file)[0].parent.name == manager.tenant
        assert oct(kept_in(folder, file)[0].stat().st_mode)[-3:] == "400"


def test_an_upload_goes_on_where_it_was_cut(manager):
    data = content(3 * MIB)
    file = manager.CreateEvidenceFile(file=announcement(data))
    sent(manager, file, data[:MIB])
    request = dict(id=file.id, offset=MIB, data=b64(data[MIB:2 * MIB]), request_id=new_id())
    with pytest.raises(Refused):  # the answer is lost, whether or not the chunk was
        manager.UploadEvidenceFile(timeout=0.001, **request)
    again = manager.UploadEvidenceFile(**request)
    assert again.received_bytes == 2 * MIB
    assert manager.UploadEvidenceFile(**request) == again
    assert manager.GetEvidenceFile(id=file.id).received_bytes == 2 * MIB
    sent(manager, file, data, start=2 * MIB)
    manager.FinishEvidenceFile(id=file.id)
    assert downloaded(manager, file.id) == data


def test_a_chunk_sent_twice_is_stored_once(manager):
    data = content(3000)
    file = manager.CreateEvidenceFile(file=announcement(data))
    for _ in range(2):
        assert sent(manager, file, data[:1000]).received_bytes == 1000
    sent(manager, file, data, start=1000, chunk=500)
    whole = manager.UploadEvidenceFile(id=file.id, offset=500, data=b64(data[500:2500]))  # other chunks, same bytes
    assert whole.received_bytes == 3000
    assert manager.FinishEvidenceFile(id=file.id).state == STORED
    assert downloaded(manager, file.id) == data


def test_other_bytes_at_the_same_place_are_refused(manager):
    data = content(2000)
    file = manager.CreateEvidenceFile(file=announcement(data))
    sent(manager, file, data[:1000])
    for offset, chunk in ((0, b"x" * 1000), (500, data[500:1500]), (1500, data[1500:])):
        answer = refused(manager.UploadEvidenceFile, id=file.id, offset=offset, data=b64(chunk))
        assert (answer.reason, answer.facts["received_bytes"]) == ("WRONG_STATE", "1000"), offset
    assert refused(manager.FinishEvidenceFile, id=file.id).facts["received_bytes"] == "1000"
    sent(manager, file, data, start=1000)
    assert manager.FinishEvidenceFile(id=file.id).state == STORED


def test_more_than_was_announced_is_refused(manager):
    data = content(1000)
    file = manager.CreateEvidenceFile(file=announcement(data))
    answer = refused(manager.UploadEvidenceFile, id=file.id, offset=0, data=b64(data + b"x"))
    assert answer.reason == "FIELD_INVALID" and "1000" in answer.fields["data"]
    assert manager.GetEvidenceFile(id=file.id).received_bytes == 0


def test_a_file_that_is_not_what_was_announced_is_not_evidence(manager):
    data, other = content(1000, 1), content(1000, 2)
    file = manager.CreateEvidenceFile(file=announcement(data))
    sent(manager, file, other)
    answer = refused(manager.FinishEvidenceFile, id=file.id)
    assert (answer.code.name, answer.reason) == ("FAILED_PRECONDITION", "UPLOAD_MISMATCH")
    assert answer.facts["received_sha256"] == hashlib.sha256(other).hexdigest()
    assert manager.GetEvidenceFile(id=file.id).state == UPLOADING
    assert refused(manager.ReadEvidenceFile, id=file.id).facts["state"] == "UPLOADING"
    assert refused(downloaded, manager, file.id).reason == "WRONG_STATE"
    assert refused(attached, manager, file.id).reason == "REFERENCE_INVALID"


def test_a_finished_file_never_changes(manager):
    data = content(1000)
    file = stored(manager, data)
    for offset, chunk in ((0, b"x" * 1000), (0, data), (1000, b"x")):
        answer = refused(manager.UploadEvidenceFile, id=file.id, offset=offset, data=b64(chunk))
        assert answer.facts["state"] == "STORED"
    assert refused(manager.FinishEvidenceFile, id=file.id).reason == "WRONG_STATE"
    changed = stack().sql(f"""select core.begin_write('{manager.tenant}', null, 'job', 0, 'all', 5000, 'inputs', 'x',
                                                      null, null, '', now());
        update inputs.evidence_file set sha256 = repeat('0', 64) where id = '{file.id}'""", role="isms_inputs")
    assert "an evidence file does not change" in changed.stderr
    assert downloaded(manager, file.id) == data


def test_each_step_happens_once(manager):
    data = content(1000)
    request = new_id()
    file = manager.CreateEvidenceFile(file=announcement(data), request_id=request)
    assert manager.CreateEvidenceFile(file=announcement(data), request_id=request) == file
    sent(manager, file, data)
    request = new_id()
    finished = manager.FinishEvidenceFile(id=file.id, request_id=request)
    assert manager.FinishEvidenceFile(id=file.id, request_id=request) == finished


def test_two_uploaders_at_once_leave_one_file(manager):
    data = content(2 * MIB)
    file = manager.CreateEvidenceFile(file=announcement(data))

    def upload(_):
        """Like any client that is told where to go on."""
        while True:
            received = manager.GetEvidenceFile(id=file.id).received_bytes
            if received == len(data):
                return
            try:
                manager.UploadEvidenceFile(id=file.id, offset=received, data=b64(data[received:received + 100_000]))
            except Refused as answer:
                assert answer.reason in ("WRONG_STATE", "CONFLICT"), answer

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(upload, range(4)))
    assert manager.FinishEvidenceFile(id=file.id).state == STORED
    assert downloaded(manager, file.id) == data


def test_what_was_changed_underneath_is_not_served(manager, storage, folder):
    data = content(3 * BLOCK)
    file = stored(manager, data)
    if storage == "filesystem":
        path = kept_in(folder, file)[0]
        path.chmod(0o600)
        with path.open("r+b") as opened:
            opened.seek(BLOCK + 5)
            opened.write(b"!")
    else:
        assert stack().sql(f"""select lo_put(object, {BLOCK + 5}, '!') from inputs.evidence_object
                               where file_id = '{file.id}'""").returncode == 0
    assert manager.ReadEvidenceFile(id=file.id, offset=0, size=BLOCK).data == data[:BLOCK]
    answer = refused(manager.ReadEvidenceFile, id=file.id, offset=BLOCK, size=1)
    assert (answer.code.name, answer.reason) == ("DATA_LOSS", "DATA_CORRUPT")
    got = []
    method = api().by_name["DownloadEvidenceFile"]
    with pytest.raises(Refused) as caught:
        for part in manager.stream(method, method.request(id=file.id)):
            got.append(part.data)
    assert caught.value.reason == "DATA_CORRUPT" and b"".join(got) == data[:BLOCK]


def test_what_was_cut_short_underneath_is_not_served(manager, storage, folder):
    file = stored(manager, content(3 * BLOCK))
    if storage == "filesystem":
        path = kept_in(folder, file)[0]
        path.chmod(0o600)
        os.truncate(path, BLOCK)
    else:
        assert stack().sql(f"""select lo_truncate64(lo_open(object, x'60000'::int), {BLOCK}) from inputs.evidence_object
                               where file_id = '{file.id}'""").returncode == 0
    assert refused(manager.ReadEvidenceFile, id=file.id, offset=BLOCK, size=1).reason == "DATA_CORRUPT"


# --- limits --------------------------------------------------------------------------------------------------

def test_a_file_that_is_too_large_is_refused_before_it_is_sent(manager, storage):
    announced = announcement(b"x") | {"size": (4 if storage == "filesystem" else 100) * MIB + 1}
    answer = refused(manager.CreateEvidenceFile, file=announced)
    assert (answer.code.name, answer.reason) == ("RESOURCE_EXHAUSTED", "LIMIT_REACHED")
    assert "QuotaFailure" in answer.types and str(announced["size"] - 1) in answer.facts["limit"]


def test_an_organisations_files_together_have_a_limit(storage, placed):
    caller = placed(Organisation().person("ISMS_MANAGER"))
    size, room = (4, 101) if storage == "filesystem" else (100, 10240)
    for _ in range(room // size):
        last = caller.CreateEvidenceFile(file=announcement(b"x") | {"size": size * MIB})
    answer = refused(caller.CreateEvidenceFile, file=announcement(b"x") | {"size": size * MIB})
    assert answer.reason == "LIMIT_REACHED" and answer.facts["used_bytes"] == str(room // size * size * MIB)
    caller.CreateEvidenceFile(file=announcement(b"x") | {"size": room % size * MIB})
    # What is given up counts until its bytes have gone.
    caller.DeleteEvidenceFile(id=last.id)
    assert refused(caller.CreateEvidenceFile, file=announcement(b"x")).reason == "LIMIT_REACHED"


@pytest.mark.parametrize("field, value", [
    ("name", "../../etc/passwd"), ("name", "a\\b"), ("name", "a\nb"), ("name", ""), ("media_type", "pdf"),
    ("media_type", "text/html; charset=utf-8"), ("size", 0), ("size", -1), ("size", 1 << 40), ("sha256", "abc"),
    ("sha256", ""), ("expire_date", "2026-02-30"), ("note", "x" * 2001)],
    ids=lambda value: str(value)[:12])
def test_a_bad_announcement_is_named_by_its_field(manager, field, value):
    answer = refused(manager.CreateEvidenceFile, file=announcement(b"x") | {field: value})
    assert answer.reason == "FIELD_INVALID" and set(answer.fields) == {f"file.{field}"}


# --- as evidence ---------------------------------------------------------------------------------------------

def test_an_input_takes_hash_and_expiry_from_the_file(manager):
    data = content(1000)
    file = stored(manager, data, expire_date="2031-03-01")
    made = manager.CreateInput(input={**AN_ISSUE, "evidence": [
        {"title": "Taken over", "file_id": file.id},
        {"title": "Shorter", "file_id": file.id, "expire_date": "2029-01-01"},
        {"title": "Elsewhere", "uri": "https://example.com/1", "expire_date": "2020-01-01"}]})
    shown = manager.GetInput(id=made.id).evidence
    assert [(item.sha256, item.expire_date) for item in shown] == [
        (file.sha256, "2031-03-01"), (file.sha256, "2029-01-01"), ("", "2020-01-01")]
    same = manager.UpdateInput(id=made.id, input={"title": made.title, "evidence": [
        {"title": item.title, "uri": item.uri, "file_id": item.file_id, "expire_date": item.expire_date}
        for item in shown]}, update_mask="evidence")
    assert [item.sha256 for item in same.evidence] == [item.sha256 for item in shown]


@pytest.mark.parametrize("item, field", [
    ({"title": "Nothing"}, "uri"), ({"title": "Not there", "file_id": str(uuid.uuid4())}, "file_id")])
def test_evidence_is_a_link_or_a_file_that_is_there(manager, item, field):
    answer = refused(manager.CreateInput, input={**AN_ISSUE, "evidence": [
        {"title": "Good", "uri": "https://example.com"}, item]})
    assert answer.facts["field"] == f"input.evidence[1].{field}"


def test_another_hash_than_the_files_is_refused(manager):
    file = stored(manager)
    answer = refused(manager.CreateInput, input={**AN_ISSUE, "evidence": [
        {"title": "Wrong", "file_id": file.id, "sha256": "0" * 64}]})
    assert set(answer.fields) == {"input.evidence[0].sha256"}


def test_an_actions_evidence_says_what_was_meant(organisation, manager):
    action = manager.CreateAction(action={"title": "Rehearse", "owner_id": manager.member, "due_date": story.day(30)})
    file = stored(manager)
    for item, field in (({"title": "Nothing"}, "uri"), ({"title": "No hash", "file_id": file.id}, "sha256")):
        answer = refused(manager.CompleteAction, id=action.id, evidence=[item])
        assert set(answer.fields) == {f"evidence[0].{field}"}
    item = {"title": "Protocol", "file_id": file.id, "sha256": file.sha256}
    assert manager.CompleteAction(id=action.id, evidence=[item]).evidence[0].file_id == file.id


def test_files_are_found_by_state_expiry_and_use(manager, placed):
    caller = placed(Organisation().person("ISMS_MANAGER"))
    old = stored(caller, content(10), expire_date="2026-01-01")
    used = stored(caller, content(11), expire_date="2026-06-01")
    attached(caller, used.id)
    begun = caller.CreateEvidenceFile(file=announcement(content(12)))
    gone = caller.DeleteEvidenceFile(id=stored(caller, content(13)).id)

    def ids(**filters):
        return [file.id for file in caller.ListEvidenceFiles(**filters).files]

    assert ids() == [begun.id, used.id, old.id]
    assert ids(state="EVIDENCE_STATE_STORED") == [used.id, old.id]
    assert ids(state="EVIDENCE_STATE_DELETED") == [gone.id]
    assert ids(expire_before="2026-06-01") == [old.id]
    assert ids(unattached=True) == [begun.id, old.id]
    first = caller.ListEvidenceFiles(page_size=2)
    rest = caller.ListEvidenceFiles(page_size=2, page_token=first.next_page_token)
    assert [file.id for file in [*first.files, *rest.files]] == ids() and not rest.next_page_token


def test_who_sees_no_inputs_is_told_all_the_same_that_one_names_a_file(placed):
    organisation = Organisation()
    owner = placed(organisation.person("ACTION_OWNER"))
    named, free = stored(owner), stored(owner, content(14))
    attached(placed(organisation.person("ISMS_MANAGER")), named.id)
    assert [file.id for file in owner.ListEvidenceFiles(unattached=True).files] == [free.id]


def test_a_file_that_an_input_names_is_kept(manager):
    file = stored(manager)
    made = attached(manager, file.id)
    answer = refused(manager.DeleteEvidenceFile, id=file.id)
    assert (answer.reason, answer.facts["input"]) == ("IN_USE", made.number)
    manager.DeleteInput(id=made.id)
    assert refused(manager.DeleteEvidenceFile, id=file.id).reason == "IN_USE", "the input may come back"
    manager.UndeleteInput(id=made.id)
    manager.UpdateInput(id=made.id, input={"title": made.title, "evidence": []}, update_mask="evidence")
    assert manager.DeleteEvidenceFile(id=file.id).state == DELETED
    assert refused(manager.ReadEvidenceFile, id=file.id).facts["state"] == "DELETED"
    assert refused(attached, manager, file.id).reason == "REFERENCE_INVALID"


def test_what_a_review_has_frozen_keeps_its_evidence(placed):
    organisation = Organisation()
    manager = placed(organisation.person("ISMS_MANAGER"))
    data = content(5000)
    file, later = stored(manager, data), stored(manager, content(10))
    made = attached(manager, file.id)
    review = story.Review(organisation.person("ISMS_MANAGER"), organisation.person("TOP_MANAGEMENT"))
    review.open()
    manager.UpdateInput(id=made.id, input={"title": made.title, "evidence": [{"title": "New", "file_id": later.id}]},
                        update_mask="evidence")
    answer = refused(manager.DeleteEvidenceFile, id=file.id)
    assert (answer.reason, answer.facts["review_id"]) == ("IN_USE", review.id)
    direct = stack().sql(f"""select core.begin_write('{organisation.id}', null, 'job', 0, 'all', 5000, 'inputs', 'x',
                                                     null, null, '', now());
        update inputs.evidence_file set state = 'DELETED' where id = '{file.id}'""", role="isms_inputs")
    assert direct.returncode != 0 and "IN_USE" in direct.stderr
    assert downloaded(manager, file.id) == data
    auditor = organisation.person("AUDITOR")
    assert refused(auditor.GetEvidenceFile, id=file.id).reason == "NOT_FOUND"
    member = organisation.admin.GetMember(id=auditor.member)
    organisation.admin.UpdateMember(id=auditor.member, member={"name": member.name, "review_ids": [review.id]},
                                    update_mask="reviewIds")
    assert downloaded(placed(auditor), file.id) == data
    assert [listed.id for listed in placed(auditor).ListEvidenceFiles().files] == [file.id]
    assert refused(placed(auditor).GetEvidenceFile, id=later.id).reason == "NOT_FOUND"


def test_whoever_works_on_actions_sees_its_own_files_only(organisation, manager, placed):
    owner = placed(organisation.person("ACTION_OWNER"))
    mine, others = stored(owner, content(900)), stored(manager, content(901))
    assert downloaded(owner, mine.id) == content(900)
    listed = {file.id for file in owner.ListEvidenceFiles(page_size=500).files}
    assert mine.id in listed and others.id not in listed
    for call in (owner.GetEvidenceFile, owner.ReadEvidenceFile, owner.DeleteEvidenceFile, owner.FinishEvidenceFile):
        assert refused(call, id=others.id).reason == "NOT_FOUND"
    attached(manager, mine.id)
    assert refused(owner.DeleteEvidenceFile, id=mine.id).reason == "IN_USE", "by what the owner cannot see"


# --- who may ---------------------------------------------------------------------------------------------------

def test_no_id_leads_to_another_organisations_bytes(manager, placed):
    stranger = placed(Organisation().person("ISMS_MANAGER"))
    file = stored(manager, content(2 * BLOCK))
    begun = manager.CreateEvidenceFile(file=announcement(content(10)))
    for call, fields in ((stranger.GetEvidenceFile, {}), (stranger.ReadEvidenceFile, {"offset": BLOCK}),
                         (stranger.DownloadEvidenceFile, {}), (stranger.DeleteEvidenceFile, {}),
                         (stranger.FinishEvidenceFile, {}),
                         (stranger.UploadEvidenceFile, {"offset": 0, "data": b64(b"x")})):
        for wanted in (file, begun):
            got, unknown = refused(call, id=wanted.id, **fields), refused(call, id=new_id(), **fields)
            assert (got.code, got.reason, got.text) == (unknown.code, unknown.reason, unknown.text)
            assert got.reason == "NOT_FOUND"
    assert refused(attached, stranger, file.id).reason == "REFERENCE_INVALID"
    assert list(stranger.ListEvidenceFiles().files) == []


OBJECTS = "select object from inputs.evidence_object where file_id = '{}'"


@pytest.mark.parametrize("attempt", [
    "select lo_get({oid})", "select lo_get({oid}, 0, 10)", "select loread(lo_open({oid}, x'40000'::int), 100)",
    "select lo_open({oid}, x'20000'::int)", "select lo_put({oid}, 0, 'x')", "select lo_unlink({oid})",
    "select lo_export({oid}, '/tmp/isms-evidence-leak')", "select data from pg_largeobject where loid = {oid}",
    "select lo_from_bytea({oid}, 'x')", "select * from inputs.evidence_object",
    "set lo_compat_privileges = on; select lo_get({oid})",
    "grant select on large object {oid} to isms_inputs", "alter large object {oid} owner to isms_inputs"])
@pytest.mark.parametrize("role", ["isms_inputs", "isms_jobs", "isms_reviews"])
def test_no_role_reaches_a_large_object_by_its_number(organisation, attempt, role):
    """As whoever has a service's password would try, inside the organisation's own transaction and outside of it."""
    file = stored(organisation.person("ISMS_MANAGER"), b"Zebrafink" * 10)
    oid = stack().sql(OBJECTS.format(file.id)).stdout.strip()
    assert oid
    for tenant in (organisation.id, str(uuid.uuid4())):
        tried = stack().sql(f"select set_config('app.tenant_id', '{tenant}', false); {attempt.format(oid=oid)}",
                            role=role)
        assert tried.returncode != 0, tried.stdout
        assert "permission denied" in tried.stderr or "must be owner" in tried.stderr or \
            "duplicate key" in tried.stderr, tried.stderr
        assert "Zebrafink" not in tried.stdout and b"Zebrafink".hex() not in tried.stdout
    assert downloaded(organisation.person("ISMS_MANAGER"), file.id) == b"Zebrafink" * 10


def test_the_functions_of_the_objects_look_for_the_tenant(organisation):
    other = Organisation()
    file = stored(organisation.person("ISMS_MANAGER"), b"Zebrafink")
    for tenant, asked in ((other.id, organisation.id), (other.id, other.id), ("", organisation.id)):
        tried = stack().sql(f"""select set_config('app.tenant_id', '{tenant}', false);
            select coalesce(encode(inputs.object_read('{asked}', '{file.id}', 0, 9), 'escape'), 'nothing')""",
                            role="isms_inputs")
        assert tried.stdout.split() == ([tenant] if tenant else []) + ["nothing"], tried
        written = stack().sql(f"""select set_config('app.tenant_id', '{tenant}', false);
            select inputs.object_write('{asked}', '{file.id}', 0, 'x')""", role="isms_inputs")
        assert "NOT_FOUND" in written.stderr
        stack().sql(f"""select set_config('app.tenant_id', '{tenant}', false);
            select inputs.object_remove('{asked}', '{file.id}')""", role="isms_inputs")
    assert downloaded(organisation.person("ISMS_MANAGER"), file.id) == b"Zebrafink"
    same = stack().sql(f"""select set_config('app.tenant_id', '{organisation.id}', false);
        select inputs.object_write('{organisation.id}', '{file.id}', 0, 'x')""", role="isms_inputs")
    assert "NOT_FOUND" in same.stderr, "nor is a finished file written to"
    owners = stack().sql("select distinct pg_get_userbyid(lomowner), lomacl is null from pg_largeobject_metadata")
    assert owners.stdout.split() == ["isms_owner|t"]


def test_a_symbolic_link_leads_nowhere(organisation, inputs, folder):
    manager = inputs.caller(organisation.person("ISMS_MANAGER"))
    other = inputs.caller(Organisation().person("ISMS_MANAGER"))
    theirs = kept_in(folder, stored(other, content(500)))[0]
    mine = stored(manager, content(500))
    path = kept_in(folder, mine)[0]
    path.unlink()
    path.symlink_to(theirs)
    assert refused(manager.ReadEvidenceFile, id=mine.id).reason == "STORAGE_UNAVAILABLE"


# --- streams ---------------------------------------------------------------------------------------------------

def test_a_reader_that_goes_ends_its_download(manager):
    file = stored(manager, content(3 * MIB))
    method = api().by_name["DownloadEvidenceFile"]
    stream = manager.stream(method, method.request(id=file.id))
    next(stream)
    stream.close()
    assert downloaded(manager, file.id, 3 * MIB - 5) == content(3 * MIB)[-5:]


def test_who_loses_the_right_gets_no_further_part(organisation, placed):
    key = organisation.key("CONTRIBUTOR")
    caller = placed(key)
    file = stored(caller, content(3 * MIB))
    method = api().by_name["DownloadEvidenceFile"]
    stream = caller.stream(method, method.request(id=file.id))
    next(stream)
    organisation.admin.RevokeKey(id=key.member)
    with pytest.raises(Refused) as caught:
        assert sum(len(part.data) for part in stream) < 3 * MIB
    assert caught.value.code in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)


# --- its end -----------------------------------------------------------------------------------------------------

@pytest.fixture
def cleaning(folder, inputs):
    """A replica whose clean-up waits a second only."""
    inputs.stop()
    made = Inputs(evidence_storage="filesystem", evidence_directory=str(folder), evidence_keep="1s").start()
    lease_freed("clean_evidence")
    yield made
    made.stop()
    inputs.start()


def objects(file):
    return stack().sql(f"select count(*) from inputs.evidence_object where file_id = '{file.id}'").stdout.strip()


def test_what_is_given_up_goes_and_what_is_kept_stays(organisation, cleaning, folder):
    for manager in (cleaning.caller(organisation.person("ISMS_MANAGER")), organisation.person("ISMS_MANAGER")):
        kept, given_up = stored(manager, content(1000, 5)), stored(manager, content(1001, 5))
        manager.DeleteEvidenceFile(id=given_up.id)
        begun = manager.CreateEvidenceFile(file=announcement(content(3000)))
        sent(manager, begun, content(3000)[:1000])
        for file in (given_up, begun):
            until(lambda: manager.GetEvidenceFile(id=file.id).state == REMOVED, 60, "the clean-up")
            assert kept_in(folder, file) == [] and objects(file) == "0"
            assert manager.GetEvidenceFile(id=file.id).sha256 == file.sha256, "what it was is still known"
            assert refused(manager.ReadEvidenceFile, id=file.id).facts["state"] == "REMOVED"
        assert downloaded(manager, kept.id) == content(1000, 5)


def test_an_organisations_end_takes_its_files_along(cleaning, folder):
    organisation = Organisation()
    there = cleaning.caller(organisation.person("ISMS_MANAGER"))
    files = [stored(there, content(100)), stored(organisation.person("ISMS_MANAGER"), content(100))]
    attached(there, *(file.id for file in files))
    assert kept_in(folder, files[0]) and objects(files[1]) == "1"
    platform = Caller(stack().platform_key())
    name = organisation.admin.GetOrganisation().name
    platform.SuspendOrganisation(id=organisation.id)
    platform.EraseOrganisation(id=organisation.id, name=name)
    until(lambda: kept_in(folder, files[0]) == [] and objects(files[1]) == "0", 60, "the clean-up")


def test_an_export_names_every_file_by_its_hash(organisation, manager, placed):
    data = content(700)
    file = stored(manager, data)
    rows = {}
    for part in organisation.admin.ExportInputs():
        for row in part.rows.rows if part.rows.table == "inputs.evidence_file" else ():
            rows[json.loads(row)["id"]] = json.loads(row)
    assert (rows[file.id]["sha256"], rows[file.id]["size"], rows[file.id]["state"]) == (file.sha256, 700, "STORED")
    assert downloaded(placed(organisation.admin), file.id) == data
