"""What was frozen and what was signed stays as it was: whatever is edited afterwards, whoever logs into the database
as a service; and a record that was changed all the same is found out, elsewhere, with nothing but the file."""

import base64
import hashlib
import json
import random
import subprocess

import pytest
import story
from csv_import import everything
from google.protobuf import json_format
from hostile import sql_each
from isms_client import SERVICES, Organisation, as_dict, stack
from tokens import stranger_key


class World:
    """Two reviews; the second is open, and everything that it froze has been changed since."""

    def __init__(self):
        self.organisation = Organisation("Eisvogel")
        self.manager, self.chair = self.organisation.person("ISMS_MANAGER"), self.organisation.person("TOP_MANAGEMENT")
        self.inputs = story.record_inputs(self.manager)
        story.measure(self.manager, self.inputs["metric"], [9, 7, 5, 4])
        self.first = story.Review(self.manager, self.chair)
        self.first.hold(("Decide", "Act", "Act more"))
        self.second = story.Review(self.manager, self.chair, programme=self.first.programme)
        self.second.open()

    def frozen(self, review):
        """Every byte that was frozen for a review, by the calls that show it."""
        caller = self.manager
        return {
            "snapshot": caller.GetSnapshot(review_id=review.id).SerializeToString(deterministic=True),
            "inputs": [item.SerializeToString(deterministic=True)
                       for item in everything(caller.ListSnapshotInputs, "inputs", review_id=review.id)],
            "actions": caller.GetActionSnapshot(review_id=review.id).SerializeToString(deterministic=True),
            "previous": [action.SerializeToString(deterministic=True)
                         for action in caller.GetReview(id=review.id).previous_actions],
        }

    def change_everything(self):
        caller = self.manager
        for item in everything(caller.ListInputs, "inputs"):
            kind = item.WhichOneof("detail")
            caller.UpdateInput(id=item.id, input={"title": f"{item.title} (edited)", "summary": "Another",
                                                  "severity": "SEVERITY_CRITICAL"},
                               update_mask="title,summary,severity")
            if kind != "metric":
                caller.UpdateInput(id=item.id, input={"state": "INPUT_STATE_CLOSED"}, update_mask="state")
            caller.DeleteInput(id=item.id)
            if kind in ("risk", "metric"):
                caller.UndeleteInput(id=item.id)
        metric = self.inputs["metric"].id
        old = caller.ListMeasurements(metric_id=metric).measurements[-1]
        caller.AddMeasurements(measurements=[
            {"metric_id": metric, "observed_time": old.observed_time.ToJsonString(), "value": 1e9,
             "corrects_id": old.id},
            {"metric_id": metric, "observed_time": story.day() + "T00:00:00Z", "value": 1e9}])
        caller.CreateInput(input={"title": "Came later", "finding": {}})
        for action in everything(caller.ListActions, "actions"):
            caller.UpdateAction(id=action.id, action={"title": "Renamed", "labels": ["new"]},
                                update_mask="title,labels")
            caller.RescheduleAction(id=action.id, due_date=story.day(400), reason="Later")
            caller.CompleteAction(id=action.id, evidence=[{"title": "Done", "uri": "https://example.com/done"}])
        self.organisation.admin.UpdateOrganisation(organisation={"name": "Renamed", "time_zone": "Asia/Tokyo"},
                                                   update_mask="name,timeZone")


@pytest.fixture(scope="module")
def world():
    return World()


@pytest.fixture(scope="module")
def changed(world):
    world.before = {review.id: world.frozen(review) for review in (world.first, world.second)}
    world.record = as_dict(world.manager.GetRecord(review_id=world.first.id))
    world.change_everything()
    return world


# --- the freeze ------------------------------------------------------------------------------------------

def test_no_byte_of_a_snapshot_changes_with_what_it_was_taken_of(changed):
    open_inputs = everything(changed.manager.ListInputs, "inputs", filter={"states": ["INPUT_STATE_OPEN"]})
    assert not open_inputs or changed.inputs, "nothing was changed"
    for review in (changed.first, changed.second):
        assert changed.frozen(review) == changed.before[review.id]
    assert len(changed.before[changed.second.id]["inputs"]) == len(changed.inputs)
    assert len(changed.before[changed.second.id]["previous"]) == 2


def test_the_hashes_are_those_of_the_bytes_and_in_the_review(changed):
    for review in (changed.first, changed.second):
        shown = changed.manager.GetReview(id=review.id)
        for snapshot, told in ((changed.manager.GetSnapshot(review_id=review.id), shown.input_snapshot_sha256),
                               (changed.manager.GetActionSnapshot(review_id=review.id), shown.action_snapshot_sha256)):
            assert hashlib.sha256(snapshot.content).hexdigest() == snapshot.sha256 == told
            content = json.loads(snapshot.content)
            canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            assert canonical.encode() == snapshot.content
            assert content["review_id"] == review.id
            assert content["opening_id"] == snapshot.opening_id == shown.opening_id


def test_a_snapshot_names_the_revisions_that_it_shows(changed):
    snapshot = changed.manager.GetSnapshot(review_id=changed.second.id)
    items = json.loads(snapshot.content)["items"]
    shown = {item.id: item for item in everything(changed.manager.ListSnapshotInputs, "inputs",
                                                  review_id=changed.second.id)}
    assert {item["id"]: int(item["revision"]) for item in items} == {item.id: item.revision for item in shown.values()}
    assert all("(edited)" not in item.title for item in shown.values())
    assert all(item.revision == 1 for item in shown.values())


def test_the_signed_record_is_the_same_after_all_that(changed):
    assert as_dict(changed.manager.GetRecord(review_id=changed.first.id)) == changed.record


# --- direct SQL, as each service -------------------------------------------------------------------------

def digest(tenant, until):
    """All that must not change, as the database's administrator sees it; the change log up to a sequence, since jobs
    go on."""
    parts = [f"select '{table}', md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {table} t "
             f"where tenant_id = '{tenant}'{more}"
             for table, more in (("reviews.record", ""), ("reviews.review", " and state in ('SIGNED', 'CLOSED')"),
                                 ("reviews.decision", ""), ("inputs.snapshot", ""), ("inputs.snapshot_item", ""),
                                 ("inputs.measurement", ""), ("actions.snapshot", ""), ("actions.snapshot_item", ""),
                                 ("actions.progress", ""))]
    log = (f"select 'core.change', md5(string_agg(c::text, '|' order by sequence, ordinal)) from core.change c "
           f"where tenant_id = '{tenant}' and sequence <= {until}")
    done = stack().sql(" union all ".join(parts + [log]))
    assert done.returncode == 0, done.stderr
    return dict(line.split("|") for line in done.stdout.split())


FORBIDDEN_ANYWHERE = [
    "update reviews.record set content = content || 'x'", "update reviews.record set signature = content",
    "delete from reviews.record", "truncate reviews.record cascade", "delete from reviews.review",
    "truncate reviews.review cascade",
    "update reviews.review set minutes = 'Another' where state = 'SIGNED'",
    "update reviews.review set record_sha256 = repeat('0', 64) where state = 'SIGNED'",
    "update reviews.review set state = 'PLANNED' where state = 'SIGNED'",
    "update reviews.review set state = 'MINUTES_DRAFTED' where state = 'SIGNED'",
    "update reviews.review set state = 'CLOSED', title = 'Another' where state = 'SIGNED'",
    "update reviews.review set agenda = '[]' where state = 'SIGNED'",
    "update reviews.review set id = gen_random_uuid() where state = 'SIGNED'",
    "update reviews.review set open_time = now() where open_time is not null",
    "update reviews.review set opening_id = gen_random_uuid() where open_time is not null",
    "update reviews.review set input_snapshot_sha256 = repeat('0', 64) where open_time is not null",
    "update reviews.decision set title = 'Another'", "update reviews.decision set withdrawn = true",
    "delete from reviews.decision",
    "insert into reviews.decision (tenant_id, id, review_id, number, kind, title) "
    "select tenant_id, gen_random_uuid(), review_id, 'X', 'OTHER', 'X' from reviews.record",
    "insert into reviews.record select (r).* from (select r from reviews.record r) x",
    "update inputs.snapshot set content = 'x'", "update inputs.snapshot set sha256 = sha256",
    "delete from inputs.snapshot", "truncate inputs.snapshot cascade",
    "update inputs.snapshot_item set revision = revision + 1", "delete from inputs.snapshot_item",
    "truncate inputs.snapshot_item",
    "insert into inputs.snapshot_item (tenant_id, snapshot_id, position, kind, row_id, number, revision, "
    "content_sha256, state) select tenant_id, snapshot_id, position + 1000, kind, row_id, number, revision, "
    "content_sha256, state from inputs.snapshot_item",
    "insert into inputs.snapshot (tenant_id, id, review_id, opening_id, start_date, end_date, as_of, at_sequence, "
    "item_count, content, sha256) select tenant_id, gen_random_uuid(), review_id, opening_id, start_date, end_date, "
    "as_of, at_sequence, item_count, content, sha256 from inputs.snapshot",
    "update inputs.measurement set value = value + 1", "delete from inputs.measurement",
    "update actions.snapshot set content = 'x'", "delete from actions.snapshot",
    "update actions.snapshot_item set days_overdue = 0",
    "delete from actions.snapshot_item", "truncate actions.snapshot, actions.snapshot_item",
    "insert into actions.snapshot_item (tenant_id, snapshot_id, action_id, number, revision, content_sha256, "
    "days_overdue, age_days) select tenant_id, snapshot_id, action_id, number || 'X', revision, content_sha256, "
    "days_overdue, age_days from actions.snapshot_item",
    "delete from actions.progress", "update actions.progress set note = 'x'",
    "update core.change set content = '{}'", "delete from core.change", "truncate core.change",
    "insert into core.change select (c).* from (select c from core.change c limit 1) x",
    "insert into core.change (tenant_id, sequence, ordinal, service, method, table_name, row_id, revision, operation, "
    "actor_kind, on_behalf_of, change_time, content, content_sha256) select tenant_id, sequence, ordinal + 1000, "
    "service, method, table_name, row_id, revision + 1000, operation, actor_kind, on_behalf_of, change_time, content, "
    "content_sha256 from core.change limit 1",
    "update core.seal set sha256 = merkle_root", "delete from core.seal", "truncate core.seal",
    "update core.sequence set value = 0", "delete from core.request", "update core.request set answer = 'x'",
    "update core.counter set value = 0",
    "alter table reviews.record disable trigger all", "alter table reviews.review disable trigger guard",
    "alter table core.change disable row level security",
    "drop trigger refuse_change on core.change", "drop table reviews.record", "set session_replication_role = replica",
    "set role isms_owner", "set session authorization postgres", "set role postgres",
    "alter role current_user bypassrls",
    "create or replace function core.refuse_change() returns trigger language sql as 'select null::trigger'",
    "create table core.other ()", "create function core.other() returns int language sql as 'select 1'",
    "copy (select 1) to program 'true'", "create extension dblink", "select pg_read_file('/etc/passwd')",
    "lock table core.change in access exclusive mode",
]
NOTHING_HAPPENED = ("UPDATE 0", "DELETE 0", "INSERT 0 0")


def context(tenant, how):
    if how == "no tenant":
        return ""
    if how == "tenant set":
        return f"select set_config('app.tenant_id', '{tenant}', true), set_config('app.scope', 'all', true);"
    return (f"select core.begin_write('{tenant}', null, 'job', 0, 'all', 5000, 'reviews', 'Forged', "
            f"gen_random_uuid(), sha256('x'), '', now());")


@pytest.mark.parametrize("how", ["no tenant", "tenant set", "as a service's own write"])
@pytest.mark.parametrize("role", [*(f"isms_{service}" for service in SERVICES), "isms_jobs"])
def test_what_was_signed_cannot_be_changed_by_a_service(changed, role, how):
    tenant = changed.organisation.id
    until = stack().sql(f"select value from core.sequence where tenant_id = '{tenant}'").stdout.strip()
    before = digest(tenant, until)
    answers = sql_each(FORBIDDEN_ANYWHERE, role, context(tenant, how))
    succeeded = [(statement, answer) for statement, answer in zip(FORBIDDEN_ANYWHERE, answers)
                 if "ERROR:" not in answer and not answer.endswith(NOTHING_HAPPENED)]
    assert succeeded == []
    assert digest(tenant, until) == before


def test_the_statements_would_do_it_if_they_could(changed):
    """The same as the database's administrator: these statements are not refused for a slip of the pen."""
    slips = ("does not exist", "syntax error", "invalid input", "null value")
    answers = sql_each([f"set local session_replication_role = replica; {statement}; rollback; begin"
                        for statement in FORBIDDEN_ANYWHERE
                        if statement.startswith(("update", "delete", "insert", "truncate"))],
                       "postgres", context(changed.organisation.id, "tenant set") +
                       "select set_config('app.sequence', '1', true), set_config('app.now', now()::text, true);")
    wrong = [answer for answer in answers if "ERROR:" in answer and any(slip in answer for slip in slips)]
    assert wrong == []


def test_another_organisation_cannot_be_reached_with_a_tenant_set(changed):
    """A service's role with its own tenant set sees and writes nothing of another's."""
    other = Organisation()
    for role, table in (("isms_reviews", "reviews.review"), ("isms_inputs", "inputs.input"),
                        ("isms_actions", "actions.action")):
        answers = sql_each([f"select count(*) from {table} where tenant_id = '{changed.organisation.id}'",
                            f"update {table} set title = 'x' where tenant_id = '{changed.organisation.id}'",
                            f"update {table} set tenant_id = '{changed.organisation.id}'"], role,
                            context(other.id, "as a service's own write"))
        assert answers[0] == "0" and answers[1] == "UPDATE 0" and ("ERROR" in answers[2] or answers[2] == "UPDATE 0")


# --- verification, elsewhere -----------------------------------------------------------------------------

@pytest.fixture
def verify(tmp_path):
    def run(record, *options):
        """In a process of its own that knows no address and no credential."""
        (tmp_path / "record.json").write_text(json.dumps(record))
        return subprocess.run([str(stack().bin / "ismsctl"), "verify", str(tmp_path / "record.json"), *options],
                              env={"PATH": "/nowhere"}, capture_output=True, text=True, cwd=tmp_path)
    return run


def installation_key():
    return str(stack().folder / "keys/installation.pub.pem")


def test_a_record_verifies_offline(changed, verify):
    done = verify(changed.record)
    assert done.returncode == 0, done.stderr
    assert changed.record["number"] in done.stdout
    assert verify(changed.record, "--key", installation_key()).returncode == 0


def test_a_record_whose_people_were_erased_still_verifies(changed, verify):
    assert verify({**changed.record, "people": []}).returncode == 0


def flipped(data, place, mask=1):
    return data[:place] + bytes([data[place] ^ mask]) + data[place + 1:]


def in_base64(data):
    return base64.b64encode(data).decode()


def changes(record):
    """(what, record) for one byte changed, in every part of it."""
    chance = random.Random(27001)
    content = base64.b64decode(record["content"])
    for place in sorted({0, 1, len(content) - 1, *chance.sample(range(len(content)), 50)}):
        yield f"content {place}", {**record, "content": in_base64(flipped(content, place, 1 << chance.randrange(8)))}
    yield "content shorter", {**record, "content": in_base64(content[:-1])}
    yield "content longer", {**record, "content": in_base64(content + b" ")}
    for name in ("signature", "public_key"):
        data = base64.b64decode(record[name])
        for place in range(0, len(data), 3):
            yield f"{name} {place}", {**record, name: in_base64(flipped(data, place))}
        yield f"{name} cut", {**record, name: in_base64(data[:-1])}
        yield f"{name} gone", {**record, name: ""}
    for name in ("sha256", "key_id", "number", "review_id"):
        for place in range(0, len(record[name]), 5):
            other = "0" if record[name][place] != "0" else "1"
            yield f"{name} {place}", {**record, name: record[name][:place] + other + record[name][place + 1:]}
    yield "sign_time", {**record, "sign_time": "2020-01-01T00:00:00Z"}
    for index, person in enumerate(record["people"]):
        def with_person(**more):
            people = list(record["people"])
            people[index] = {**person, **more}
            return {**record, "people": people}
        yield f"name {index}", with_person(name=person["name"] + ".")
        yield f"salt {index}", with_person(salt=in_base64(flipped(base64.b64decode(person["salt"]), 0)))
        yield f"member {index}", with_person(member_id=record["review_id"])


def test_one_changed_byte_anywhere_is_found(changed, verify):
    unnoticed = []
    for what, record in changes(changed.record):
        done = verify(record)
        if done.returncode == 0 or not done.stderr.strip():
            unnoticed.append(what)
        assert done.returncode >= 0, f"{what}: it crashed"
    assert unnoticed == []


def test_a_record_signed_by_somebody_else_is_found_with_the_known_key(changed, verify):
    from cryptography.hazmat.primitives import serialization
    key = stranger_key()
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    content = base64.b64decode(changed.record["content"]).replace(b"Because the trend asks for it.",
                                                                  b"Because I say so, all of you.!")
    digest = hashlib.sha256(content)
    forged = {**changed.record, "content": in_base64(content), "sha256": digest.hexdigest(),
              "public_key": in_base64(raw),
              "key_id": hashlib.sha256(raw).hexdigest()[:16],
              "signature": in_base64(key.sign(b"isms-review record v1\0" + digest.digest()))}
    assert verify(forged).returncode == 0, "it is a well-made record, of another installation"
    assert verify(forged, "--key", installation_key()).returncode > 0


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "{", "\x00", '{"content": 5}', '{"content": "%%%"}',
                                  "[" * 100000])
def test_what_is_no_record_is_refused(verify, tmp_path, text):
    (tmp_path / "other.json").write_text(text)
    done = subprocess.run([str(stack().bin / "ismsctl"), "verify", str(tmp_path / "other.json")], env={},
                          capture_output=True, text=True)
    assert 0 < done.returncode < 100 and done.stderr.strip()


def test_a_byte_changed_in_the_database_by_its_administrator_is_found(changed, verify):
    """Who can do anything in the database can change the record, but not so that nobody sees it."""
    where = f"where tenant_id = '{changed.organisation.id}' and review_id = '{changed.first.id}'"
    change = "set_byte(content, 500, get_byte(content, 500) # 1)"
    flip = (f"set local session_replication_role = replica; "
            f"update reviews.record set content = {change}, sha256 = sha256({change}) {where}")
    answers = sql_each([flip], "postgres")
    assert answers == ["SET\nUPDATE 1"]
    try:
        record = as_dict(changed.manager.GetRecord(review_id=changed.first.id))
        assert record != changed.record
        assert verify(record).returncode > 0
    finally:
        sql_each([flip], "postgres")
    assert verify(as_dict(changed.manager.GetRecord(review_id=changed.first.id))).returncode == 0
