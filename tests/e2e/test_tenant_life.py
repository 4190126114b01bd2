"""The life of an organisation: made, suspended, resumed, taken along, ended; and of a person's data in it. What is
erased is looked for in the whole database, the logs and the caches (invariant 1); what was signed still verifies
(invariants 3 and 4); what is exported is all there is (invariant 9)."""

import hashlib
import json
import os
import subprocess
import uuid

import pytest
import story
from google.protobuf import json_format
from isms_client import (BARE_ENVIRONMENT, SERVICES, Caller, Organisation, Refused, api, as_dict, new_id, stack,
                         until)
from test_reporting import pages, root

ERASABLE = ("name", "email", "position", "subject")
PARTS = {"reviews": "ExportOrganisation", "inputs": "ExportInputs", "actions": "ExportActions"}


def sql(statement):
    done = stack().sql(statement)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def rows(statement):
    return json.loads(sql(f"select coalesce(json_agg(q), '[]') from ({statement}) q"))


def refusal(call, **fields):
    with pytest.raises(Refused) as refused:
        call(**fields)
    return refused.value


@pytest.fixture(scope="module")
def platform():
    return Caller(stack().platform_key())


def marked(kind):
    """A text that is nowhere else, and not cut where a scan would miss it."""
    return f"{kind}{uuid.uuid4().hex[:12]}"


class Person:
    """A member every erasable field of whom can be looked for."""

    def __init__(self, organisation, *roles):
        self.texts = {"name": marked("Quittenkern"), "email": f"{marked('post')}@example.com",
                      "position": marked("Amt"), "subject": marked("subject")}
        self.request = {"member": {**self.texts, "roles": [f"ROLE_{role}" for role in roles],
                                   "issuer": "https://id.demo.example"}, "request_id": new_id()}
        made = organisation.admin.CreateMember(**self.request)
        self.id = made.id
        self.caller = Caller(stack().token(self.texts["subject"], organisation.id), organisation.id, made.id)


def told(organisation):
    """A signed review that one such person led, another prepared, and a third was at."""
    chair, manager = Person(organisation, "TOP_MANAGEMENT"), Person(organisation, "ISMS_MANAGER")
    story.record_inputs(manager.caller)
    review = story.Review(manager.caller, chair.caller)
    review.hold(("Decided", "To be done"))
    return chair, manager, review


# --- suspended and resumed ---------------------------------------------------------------------------------


def test_the_first_administrator_can_begin_at_once(platform):
    request, name = new_id(), marked("Quittenkern")
    asked = {"request_id": request, "organisation": {"name": "Begun"}, "administrator": {
        "name": name, "email": "first@example.com", "roles": ["ROLE_TENANT_ADMIN"]}}
    made = platform.CreateOrganisation(**asked)
    assert (made.organisation.state, made.administrator.name) == (1, name) and made.api_key
    self = Caller(made.api_key).GetSelf()
    assert (self.organisation_id, list(self.permissions).count("members.manage")) == (made.organisation.id, 1)
    assert_gone([name], sql("select answer from core.request where method = 'CreateOrganisation'").encode())
    again = platform.CreateOrganisation(**asked)
    assert as_dict(again) == {"organisation": as_dict(made.organisation),
                              "administrator": {"id": made.administrator.id}}


def test_the_claim_of_its_making_does_not_tell_who_was_first(platform):
    asked = {"request_id": new_id(), "organisation": {"name": "Begun"}, "administrator": {
        "name": marked("Quittenkern"), "roles": ["ROLE_TENANT_ADMIN"]}}
    made = platform.CreateOrganisation(**asked)
    admin = Caller(made.api_key)
    admin.CreateMember(member={"name": "Next", "roles": ["ROLE_TENANT_ADMIN"]})
    assert admin.EraseMember(id=made.administrator.id).state == 3
    assert refusal(platform.CreateOrganisation, **asked).reason == "REQUEST_ID_REUSED"
    assert_gone([asked["administrator"]["name"]], dump())


def test_a_suspended_organisation_is_refused_everywhere_at_once_and_goes_on_when_resumed(platform):
    organisation = Organisation()
    manager = organisation.person("ISMS_MANAGER")
    callers = (organisation.admin, organisation.key("CONTRIBUTOR"), manager)
    probes = ("ListInputs", "ListActions", "GetSelf")

    def answers():
        for caller in callers:
            for probe in probes:
                try:
                    getattr(caller, probe)()
                    yield "OK"
                except Refused as refused:
                    yield refused.reason

    assert set(answers()) == {"OK"}  # all are remembered by all services now
    moved = platform.SuspendOrganisation(id=organisation.id)
    assert (moved.id, moved.state) == (organisation.id, 2)
    assert set(answers()) == {"CREDENTIAL_INVALID", "PERMISSION_DENIED"}
    assert refusal(platform.SuspendOrganisation, id=organisation.id).reason == "WRONG_STATE"
    assert refusal(manager.CreateInput, input={"title": "No", "risk": {}}).code.name in (
        "UNAUTHENTICATED", "PERMISSION_DENIED")
    assert platform.ResumeOrganisation(id=organisation.id).state == 1
    assert set(answers()) == {"OK"}


def test_a_stream_under_way_ends_when_its_organisation_is_suspended(platform):
    organisation = Organisation()
    manager = organisation.person("ISMS_MANAGER")
    metric = manager.CreateInput(input={"title": "Much", "metric": {
        "unit": "h", "polarity": "POLARITY_LOWER_IS_BETTER", "frequency": "FREQUENCY_DAILY"}})
    for day in range(16):  # 1 MB each, more than lies between two ends of a connection
        manager.AddMeasurements(measurements=[
            {"metric_id": metric.id, "value": 1, "note": "n" * 2000,
             "observed_time": f"2026-01-{day + 1:02}T{minute // 60:02}:{minute % 60:02}:00Z"} for minute in range(500)])
    method = api().by_name["ExportInputs"]
    stream = organisation.admin.stream(method, method.request())
    assert next(stream).WhichOneof("part") == "head"
    platform.SuspendOrganisation(id=organisation.id)
    with pytest.raises(Refused) as refused:
        for part in stream:
            assert part.WhichOneof("part") == "rows"
    assert refused.value.reason == "CREDENTIAL_INVALID"


# --- taken along -------------------------------------------------------------------------------------------


class Export:
    """A service's part, checked as docs/export.md says."""

    def __init__(self, caller, service, at_sequence=0):
        head, *middle, trailer = getattr(caller, PARTS[service])(at_sequence=at_sequence)
        self.head, self.trailer = head.head, trailer.trailer
        assert (head.WhichOneof("part"), self.head.service, trailer.WhichOneof("part")) == ("head", service, "trailer")
        self.lines = [(part.rows.table, row) for part in middle for row in part.rows.rows]
        text = "".join(f'{{"table":"{table}","row":{row}}}\n' for table, row in self.lines)
        assert self.trailer.row_count == len(self.lines)
        assert self.trailer.sha256 == hashlib.sha256(text.encode()).hexdigest()

    def table(self, name):
        return [json.loads(row) for table, row in self.lines if table == name]


@pytest.fixture(scope="module")
def world():
    organisation = Organisation()
    organisation.told = told(organisation)
    return organisation


def test_an_export_has_everything_that_the_lists_have_and_nothing_of_others(world):
    other = Organisation(marked("Zebrafink"))
    told(other)
    chair, manager, review = world.told
    parts = {"reviews": Export(world.admin, "reviews")}
    at = parts["reviews"].head.sequence
    parts |= {service: Export(world.admin, service, at) for service in ("inputs", "actions")}
    assert {part.head.sequence for part in parts.values()} == {at}

    def ids(service, table, key="id"):
        return {row[key] for row in parts[service].table(table)}

    assert ids("inputs", "inputs.input") == {row.id for row in pages(manager.caller.ListInputs, "inputs")}
    assert ids("actions", "actions.action") == {row.id for row in pages(manager.caller.ListActions, "actions")}
    assert ids("reviews", "reviews.review") == {review.id} == ids("reviews", "reviews.record", "review_id")
    assert ids("reviews", "core.organisation", "tenant_id") == {world.id}
    people = {row["id"]: row for row in parts["reviews"].table("core.member")}
    assert set(people) == {row.id for row in pages(world.admin.ListMembers, "members")}
    for field, text in chair.texts.items():
        assert people[chair.id][field] == text
    content = parts["reviews"].table("reviews.record")[0]["content"]
    assert bytes.fromhex(content[2:]) == manager.caller.GetRecord(review_id=review.id).content

    listed = {(row.sequence, row.ordinal): row for row in pages(manager.caller.ListChanges, "changes")}
    exported = {(row["sequence"], row["ordinal"]): row for row in parts["reviews"].table("core.change")}
    assert set(exported) == {place for place in listed if place[0] <= at}
    assert all(row["content"] == listed[place].content for place, row in exported.items())
    seals = [seal for seal in pages(manager.caller.ListSeals, "seals") if seal.last_sequence <= at]
    assert len(parts["reviews"].table("core.seal")) <= len(seals)

    whole = "".join(row for part in parts.values() for _, row in part.lines)
    secrets = rows(f"select encode(secret_sha256, 'hex') as hash from core.key where tenant_id = '{world.id}'")
    for hidden in (other.id, "Zebrafink", *(secret["hash"] for secret in secrets)):
        assert hidden not in whole


def test_a_logged_row_is_exported_byte_for_byte(world):
    part = Export(world.admin, "inputs")
    hashes = {row["content_sha256"] for row in rows(
        "select distinct on (row_id) encode(content_sha256, 'hex') as content_sha256 from core.change "
        f"where tenant_id = '{world.id}' and table_name = 'inputs.input' order by row_id, revision desc")}
    exported = {hashlib.sha256(row.encode()).hexdigest() for table, row in part.lines if table == "inputs.input"}
    assert exported == hashes and exported


def test_a_snapshot_of_many_inputs_is_exported(world):
    """Its row is larger than what clients accept unless told otherwise; docs/export.md tells them."""
    large = Organisation()
    sql(f"""begin;
        select set_config('app.tenant_id', '{large.id}', true), set_config('app.now', now()::text, true),
               set_config('app.sequence', '1', true);
        insert into inputs.snapshot
        select '{large.id}', gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), start_date, end_date, as_of, 1,
               12000, c, encode(sha256(c), 'hex')
        from inputs.snapshot, convert_to(repeat('x', 4000000), 'UTF8') c where tenant_id = '{world.id}' limit 1;
        commit""")
    (row,) = Export(large.admin, "inputs").table("inputs.snapshot")
    assert len(row["content"]) == 2 + 2 * 4000000


def test_the_same_point_is_the_same_export_whatever_came_later(world):
    first = Export(world.admin, "inputs")
    manager = world.told[1].caller
    title = marked("Later")
    made = manager.CreateInput(input={"title": title, "improvement": {"benefit": "None"}})
    manager.UpdateInput(id=made.id, input={"title": title + " still"}, update_mask="title")
    again = Export(world.admin, "inputs", first.head.sequence)
    assert again.trailer == first.trailer
    assert title + " still" in str(Export(world.admin, "inputs").lines)
    refused = refusal(world.admin.ExportInputs, at_sequence=1 << 40)
    assert (refused.reason, refused.facts.get("field")) == ("FIELD_INVALID", "at_sequence")


def test_every_export_is_in_the_audit_trail(world):
    for service in PARTS:
        at = Export(world.admin, service).head.sequence
        change = world.admin.ListChanges(page_size=1).changes[0]
        key = world.admin.credential.split("_")[2]
        assert (change.sequence, change.table, change.service, change.method, change.actor_id) == (
            at, "core.export", service, PARTS[service], str(uuid.UUID(key)))


def ismsctl(*arguments, caller, **addresses):
    environment = {**BARE_ENVIRONMENT, "ISMS_CREDENTIAL": caller.credential,
                   **{f"ISMS_{name.upper()}_ADDRESS": addresses.get(name, stack().address(name)) for name in SERVICES}}
    return subprocess.run([str(stack().bin / "ismsctl"), *arguments], env=environment, capture_output=True, text=True)


def test_the_command_writes_one_whole_file(world, tmp_path):
    file = tmp_path / "export.jsonl"
    done = ismsctl("org", "export", str(file), caller=world.admin)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["export"]["service"] for line in lines if "export" in line] == list(PARTS)
    assert len({line["export"]["sequence"] for line in lines if "export" in line}) == 1
    assert lines[-1]["complete"]["row_count"] == sum("table" in line for line in lines)

    def summed(command):
        done = subprocess.run(["bash", "-c", f"{command} {file} | sha256sum"], capture_output=True, text=True)
        return done.stdout.split()[0]

    assert summed("head -n -1") == lines[-1]["complete"]["sha256"]
    for service, schemas in {"reviews": "core|reviews", "inputs": "inputs", "actions": "actions"}.items():
        ends = [line["end"]["sha256"] for line in lines if "end" in line and line["end"]["service"] == service]
        assert [summed(f"""grep -E '^{{"table":"({schemas})\\.'""")] == ends
    assert file.stat().st_mode & 0o77 == 0, "it is for nobody else"


def test_a_stream_can_be_called_by_name_and_is_printed_as_it_comes(world):
    done = ismsctl("call", "ExportActions", "--json", caller=world.admin)
    assert done.returncode == 0, done.stderr
    parts, rest = [], done.stdout
    while rest.strip():
        part, end = json.JSONDecoder().raw_decode(rest.lstrip())
        parts.append(list(part))
        rest = rest.lstrip()[end:]
    assert (parts[0], parts[-1]) == (["head"], ["trailer"]) and all(part == ["rows"] for part in parts[1:-1])


def test_an_export_that_breaks_off_leaves_no_file(world, tmp_path):
    done = ismsctl("org", "export", str(tmp_path / "export.jsonl"), caller=world.admin, actions="127.0.0.1:1")
    assert done.returncode == 1 and "PEER_UNAVAILABLE" in done.stderr
    assert list(tmp_path.iterdir()) == []
    done = ismsctl("org", "export", str(tmp_path / "export.jsonl"), caller=world.told[1].caller)
    assert done.returncode == 1 and "PERMISSION_DENIED" in done.stderr
    assert list(tmp_path.iterdir()) == []


# --- a person's data ---------------------------------------------------------------------------------------


def dump():
    password = (stack().folder / "password").read_text().strip()
    done = subprocess.run(["pg_dump", "--data-only", "-h", "127.0.0.1", "-p", str(stack().port("postgres")),
                           "-U", "postgres", "isms"], env=dict(os.environ, PGPASSWORD=password), capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def table_files(*tables):
    """The bytes of tables and their indexes as they lie on the disk."""
    for table in tables:
        sql(f"vacuum (full, analyze) {table}")
    sql("checkpoint")
    paths = sql("select pg_relation_filepath(c.oid) from pg_class c where c.oid in (select indexrelid from pg_index "
                "where indrelid = any (array[" + ", ".join(f"'{table}'::regclass" for table in tables) + "])) or c.oid "
                "= any (array[" + ", ".join(f"'{table}'::regclass" for table in tables) + "])")
    return b"".join((stack().folder / "postgres" / path).read_bytes() for path in paths.split())


def cached():
    """Every key and value in Redis."""
    environment = dict(os.environ, REDISCLI_AUTH=(stack().folder / "password").read_text().strip())
    command = ["redis-cli", "-p", str(stack().port("redis"))]
    keys = subprocess.run([*command, "--scan"], env=environment, capture_output=True, check=True).stdout
    values = b"".join(subprocess.run([*command, "--raw", "get", key], env=environment, capture_output=True).stdout
                      for key in keys.split(b"\n") if key)
    return keys + values


def told_outside():
    """What the processes say to operators."""
    for service in SERVICES:
        yield (stack().folder / "log" / f"{service}.log").read_bytes()
        yield stack().admin(service, "/metrics").encode()


def assert_gone(texts, *places):
    for place in places:
        found = [text for text in texts if text.encode() in place]
        assert not found, found


def verified(record, tmp_path):
    (tmp_path / "record.json").write_text(json_format.MessageToJson(record))
    done = subprocess.run([str(stack().bin / "ismsctl"), "verify", str(tmp_path / "record.json"), "--key",
                           str(stack().folder / "keys/installation.pub.pem")], env={}, capture_output=True, text=True)
    return done.returncode == 0


def reachable(caller, review):
    """All that the API says where people come up."""
    yield str(pages(caller.ListMembers, "members"))
    yield str(pages(caller.ListChanges, "changes"))
    yield str(caller.GetReview(id=review.id)) + str(caller.GetDashboard()) + str(pages(caller.ListReviews, "reviews"))
    yield str(caller.GetRecord(review_id=review.id))
    for form in ("HTML", "JSON"):
        yield caller.RenderReport(review_id=review.id, format=f"REPORT_FORMAT_{form}").content.decode()


def test_an_erased_person_is_nowhere_and_what_they_signed_still_verifies(tmp_path):
    organisation = Organisation()
    chair, manager, review = told(organisation)
    admin = organisation.admin
    before = admin.GetRecord(review_id=review.id)
    assert verified(before, tmp_path) and {person.name for person in before.people} >= {chair.texts["name"]}
    assert chair.texts["name"].encode() in dump(), "the scan finds what is there"
    again = {"id": chair.id, "request_id": new_id()}
    erased = admin.EraseMember(**again)
    assert (erased.name, erased.state) == (f"Erased member {chair.id[-8:]}", 3)
    assert not (erased.email or erased.position or erased.subject or erased.issuer)
    assert admin.EraseMember(**again) == erased
    assert refusal(chair.caller.GetSelf).reason in ("CREDENTIAL_INVALID", "PERMISSION_DENIED")

    # a name that the record was signed with is not what it was: hash and signature are
    after = admin.GetRecord(review_id=review.id)
    assert (after.content, after.signature, after.sha256) == (before.content, before.signature, before.sha256)
    assert {person.member_id for person in after.people} == {manager.id}
    assert verified(after, tmp_path)
    assert chair.id in after.content.decode()

    texts = [chair.texts[field] for field in ERASABLE]
    assert_gone(texts, dump(), table_files("core.member", "core.request", "core.change", "pg_statistic"), cached(),
                *told_outside())
    assert_gone(texts, *(text.encode() for text in reachable(admin, review)))
    salts = rows("select encode(name_salt, 'hex') as name, encode(email_salt, 'hex') as email, "
                 f"encode(subject_salt, 'hex') as subject from core.member where id = '{chair.id}'")[0]
    first = json.loads(sql(f"select content from core.change where row_id = '{chair.id}' and revision = 1"))
    for field in ("name", "email", "subject"):
        guess = hashlib.sha256(bytes.fromhex(salts[field]) + chair.texts[field].encode()).hexdigest()
        plain = hashlib.sha256(chair.texts[field].encode()).hexdigest()
        assert first[field] not in (f"sha256:{guess}", f"sha256:{plain}")


def test_nobody_can_tell_by_a_claim_who_was_erased(world):
    person = Person(world, "CONTRIBUTOR")
    made = rows(f"select encode(request_sha256, 'hex') as hash from core.request where tenant_id = '{world.id}' "
                f"and request_id = '{person.request['request_id']}'")
    assert world.admin.CreateMember(**person.request).id == person.id
    world.admin.EraseMember(id=person.id)
    kept = rows(f"select encode(request_sha256, 'hex') as hash from core.request where tenant_id = '{world.id}' "
                f"and request_id = '{person.request['request_id']}'")
    assert len(kept) == 1 and kept != made
    assert refusal(world.admin.CreateMember, **person.request).reason == "REQUEST_ID_REUSED", "and makes nobody anew"


def test_who_is_erased_stays_so(world):
    person = Person(world, "CONTRIBUTOR")
    world.admin.EraseMember(id=person.id)
    for call, fields in ((world.admin.EraseMember, {"id": person.id}),
                         (world.admin.UpdateMember, {"id": person.id, "member": {"name": "Back", "roles": [
                             "ROLE_CONTRIBUTOR"], "state": "MEMBER_STATE_ACTIVE"}})):
        refused = refusal(call, **fields)
        assert (refused.reason, refused.facts["state"]) == ("WRONG_STATE", "ERASED")
    for state in ("ACTIVE", "SUSPENDED"):
        done = stack().sql(
            f"begin; select core.begin_write('{world.id}', null, 'job', 0, 'all', 5000, 'reviews', 'Test', null, null, "
            f"'', now()); update core.member set state = '{state}' where id = '{person.id}'", role="isms_reviews")
        assert "WRONG_STATE" in done.stderr, "the database itself refuses"
    other = Person(world, "CONTRIBUTOR")
    refused = refusal(world.admin.UpdateMember, id=other.id, update_mask="state",
                      member={"state": "MEMBER_STATE_ERASED"})
    assert refused.reason == "FIELD_INVALID", "there is a method of its own for that"
    refused = refusal(world.admin.EraseMember, id=other.id, etag="7")
    assert refused.reason == "ETAG_MISMATCH"


def test_who_is_needed_is_not_erased():
    organisation = Organisation()
    refused = refusal(organisation.admin.EraseMember, id=organisation.admin.member)
    assert (refused.reason, refused.facts["role"]) == ("IN_USE", "TENANT_ADMIN")
    chair, manager = Person(organisation, "TOP_MANAGEMENT"), Person(organisation, "ISMS_MANAGER")
    guest = Person(organisation, "TOP_MANAGEMENT")
    review = story.Review(manager.caller, chair.caller)
    review.open()
    manager.caller.RecordAttendance(id=review.id, attendance=[
        {"member_id": guest.id, "present": True, "capacity": "CFO"}])
    for person in (chair, manager, guest):
        refused = refusal(organisation.admin.EraseMember, id=person.id)
        assert (refused.reason, refused.facts["review"]) == ("IN_USE", review.review.number)
    manager.caller.CancelReview(id=review.id, reason="Nobody had time.")
    for person in (chair, manager, guest):
        assert organisation.admin.EraseMember(id=person.id).state == 3


# --- ended -------------------------------------------------------------------------------------------------


SEALED = ("sequence", "ordinal", "service", "method", "table_name", "row_id", "revision", "operation", "actor",
          "actor_kind", "on_behalf_of", "request_id", "time", "hash", "previous")


def log_holds(tenant):
    """Every change has the hash of its content, unless that was erased with the organisation, and of the revision
    before; and the seals fit what they cover."""
    changes = rows(f"""
        select sequence, ordinal, service, method, table_name, row_id, revision, operation,
            coalesce(actor::text, '') as actor, actor_kind, on_behalf_of, coalesce(request_id::text, '') as request_id,
            content, to_char(change_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as time,
            encode(content_sha256, 'hex') as hash, coalesce(encode(previous_sha256, 'hex'), '') as previous
        from core.change where tenant_id = '{tenant}' order by sequence, ordinal""")
    seals = rows(f"select number, first_sequence, last_sequence, encode(merkle_root, 'hex') as root, content, "
                 f"encode(sha256, 'hex') as hash from core.seal where tenant_id = '{tenant}' order by number")
    revisions = {}
    for change in changes:
        row = change["table_name"], change["row_id"]
        assert (hashlib.sha256(change["content"].encode()).hexdigest() == change["hash"]
                or change["content"] == "" and change["table_name"].startswith(("inputs.", "core.key"))), row
        assert revisions.get(row, "") == change["previous"], row
        revisions[row] = change["hash"]
    covered = 0
    for seal in seals:
        leaves = [hashlib.sha256(b"\0" + json.dumps([str(change[name]) for name in SEALED], ensure_ascii=False,
                                                    separators=(",", ":")).encode()).digest()
                  for change in changes if seal["first_sequence"] <= change["sequence"] <= seal["last_sequence"]]
        assert root(leaves).hex() == seal["root"] and seal["first_sequence"] == covered + 1
        assert hashlib.sha256(seal["content"].encode()).hexdigest() == seal["hash"]
        covered = seal["last_sequence"]
    return covered == changes[-1]["sequence"]


def test_an_erased_organisation_leaves_its_evidence_and_nobody_in_it(platform, tmp_path):
    organisation = Organisation(marked("Vergangen"))
    chair, manager, review = told(organisation)
    first = {"name": marked("Quittenkern"), "email": f"{marked('post')}@example.com"}
    organisation.admin.UpdateMember(id=organisation.admin.member, member=first, update_mask="name,email")
    name = organisation.admin.GetOrganisation().name
    record = organisation.admin.GetRecord(review_id=review.id)
    until(lambda: pages(organisation.admin.ListSeals, "seals"), what="a seal")
    sealed = rows(f"select content from core.seal where tenant_id = '{organisation.id}' order by number")
    erase = {"id": organisation.id, "name": name, "request_id": new_id()}
    refused = refusal(platform.EraseOrganisation, **erase)
    assert (refused.reason, refused.facts["state"], refused.facts["allowed"]) == ("WRONG_STATE", "ACTIVE", "SUSPENDED")
    platform.SuspendOrganisation(id=organisation.id)
    refused = refusal(platform.EraseOrganisation, **{**erase, "name": "Another"})
    assert (refused.reason, refused.facts["field"]) == ("FIELD_INVALID", "name")
    assert refusal(platform.EraseOrganisation, **{**erase, "id": new_id()}).reason == "NOT_FOUND"

    erased = platform.EraseOrganisation(**erase)
    assert as_dict(erased) == {"id": organisation.id, "name": f"Erased organisation {organisation.id[-8:]}",
                               "state": "ORGANISATION_STATE_ERASED"}
    assert platform.EraseOrganisation(**erase) == erased
    for move in (platform.ResumeOrganisation, platform.SuspendOrganisation):
        assert refusal(move, id=organisation.id).reason == "WRONG_STATE"
    assert refusal(platform.EraseOrganisation, id=organisation.id, name=erased.name).reason == "WRONG_STATE"
    listed = {row.id: row.state for row in pages(platform.ListOrganisations, "organisations")}
    assert listed[organisation.id] == erased.state
    for caller in (organisation.admin, chair.caller, manager.caller):
        assert refusal(caller.GetSelf).code.name in ("UNAUTHENTICATED", "PERMISSION_DENIED")

    texts = [*first.values(), *(text for person in (chair, manager) for text in person.texts.values())]
    assert_gone(texts, dump(), cached(), *told_outside())
    for table, left in (("member", "state <> 'ERASED' or email <> ''"),
                        ("key", "state <> 'REVOKED' or secret_sha256 <> decode(repeat('00', 32), 'hex')"),
                        ("request", "caller = '' or answer is not null")):
        assert rows(f"select * from core.{table} where tenant_id = '{organisation.id}' and ({left})") == []

    assert bytes.fromhex(sql("select encode(content, 'hex') from reviews.record where tenant_id = "
                             f"'{organisation.id}'")) == record.content
    del record.people[:]
    assert verified(record, tmp_path)
    until(lambda: log_holds(organisation.id), what="a seal over the end")
    seals = rows(f"select content from core.seal where tenant_id = '{organisation.id}' order by number")
    assert seals[:len(sealed)] == sealed


def test_the_commands_lead_an_organisation_through_its_life(platform):
    organisation = Organisation()
    name = organisation.admin.GetOrganisation().name
    member = Person(organisation, "CONTRIBUTOR")
    assert ismsctl("member", "erase", member.id, caller=organisation.admin).returncode == 0
    states = []
    for verb in (["suspend", organisation.id], ["resume", organisation.id], ["suspend", organisation.id],
                 ["erase", organisation.id, "--name", name]):
        done = ismsctl("org", *verb, "--json", caller=platform)
        assert done.returncode == 0, done.stderr
        states.append(json.loads(done.stdout)["state"].removeprefix("ORGANISATION_STATE_"))
    assert states == ["SUSPENDED", "ACTIVE", "SUSPENDED", "ERASED"]
    assert ismsctl("org", "erase", organisation.id, caller=platform).returncode == 1
