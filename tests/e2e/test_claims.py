"""What services do on somebody's behalf. Their request_ids are not the public's to claim; whoever was suspended is
nobody to act for, while jobs go on; one organisation's trouble is not the next one's; a name that was changed cannot
be found out from what is left of it."""

import hashlib
import json
import uuid

import pytest
import story
from isms_client import Organisation, Refused, new_id, stack, until

FEEDBACK = {"title": "Squatter", "feedback": {"channel": "x", "interested_party": "y"}}


class World:
    def __init__(self):
        self.organisation = Organisation()
        self.id = self.organisation.id
        self.manager = self.organisation.person("ISMS_MANAGER")
        self.chair = self.organisation.person("TOP_MANAGEMENT")
        self.contributor = self.organisation.person("CONTRIBUTOR")
        story.record_inputs(self.manager)

    def squat(self, *claims):
        for claim in claims:
            self.contributor.CreateInput(request_id=claim, input=FEEDBACK)

    def suspend(self, caller, state="SUSPENDED"):
        self.organisation.admin.UpdateMember(id=caller.member, member={"state": f"MEMBER_STATE_{state}"},
                                             update_mask="state")


@pytest.fixture
def world():
    return World()


@pytest.fixture(scope="module")
def told():
    """A world whose first review is signed, with an action."""
    made = World()
    made.review = story.Review(made.manager, made.chair)
    made.review.hold(("Decided", "Act"))
    return made


def sql(statement, role="postgres"):
    done = stack().sql(statement, role=role)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def derived(name_space, name):
    return str(uuid.uuid5(uuid.UUID(name_space), name))


def callers_of(tenant, claim):
    return json.loads(sql(f"select json_agg(caller order by caller) from core.request where tenant_id = '{tenant}' "
                          f"and request_id = '{claim}'"))


# --- claims ----------------------------------------------------------------------------------------------

def test_a_meeting_opens_though_somebody_claimed_its_snapshots_ids(world):
    review, request = story.Review(world.manager, world.chair), new_id()
    world.manager.PrepareReview(id=review.id)
    opening = derived(review.id, request)
    claims = [derived(opening, "input snapshot"), derived(opening, "action snapshot")]
    world.squat(*claims)
    assert world.manager.OpenReview(id=review.id, request_id=request).open_time.seconds
    for claim in claims:
        assert callers_of(world.id, claim) == ["", "reviews"]


def test_actions_are_issued_though_somebody_claimed_their_id(world):
    review = story.Review(world.manager, world.chair)
    claim = derived(review.id, "issue 1")
    world.squat(claim)
    review.hold(("Decided", "Act"))
    assert [action.title for action in world.manager.ListActions(review_id=review.id).actions] == ["Act"]
    assert callers_of(world.id, claim) == ["", "reviews"]


def test_a_services_claim_is_no_answer_to_anybody_else(told):
    """The same id, method and bytes from outside: the method is not for the public, and the id is free."""
    claim = derived(told.review.id, "issue 1")
    made = told.contributor.CreateInput(request_id=claim, input=FEEDBACK)
    assert told.contributor.CreateInput(request_id=claim, input=FEEDBACK) == made


def test_only_direct_calls_claim_without_a_service():
    """Jobs claim nothing of their own, and what they ask of others is claimed in the asking service's name."""
    assert sql("select count(*) from core.request r join core.change c on c.tenant_id = r.tenant_id "
               "and c.sequence = r.sequence where r.caller <> c.on_behalf_of "
               "or (r.caller = '' and c.actor_kind in ('service', 'job'))") == "0"


# --- on whose behalf -------------------------------------------------------------------------------------

def begin(caller, actor, kind="service", role="isms_actions"):
    done = stack().sql(f"select core.begin_read('{caller}', {actor}, '{kind}', 0, 'all', 5000)", role=role)
    return "" if done.returncode == 0 else done.stderr.split("ERROR:")[1].split("\n")[0].strip()


def test_a_service_acts_for_active_members_and_keys_of_active_organisations_only(world):
    key, member = world.organisation.key("CONTRIBUTOR"), world.contributor
    for good in (key.member, member.member):
        assert begin(world.id, f"'{good}'") == ""
    for nobody in (f"'{new_id()}'", f"'{Organisation().admin.member}'", "null"):
        assert begin(world.id, nobody) == "CREDENTIAL_INVALID"
    world.organisation.admin.RevokeKey(id=key.member)
    world.suspend(member)
    for ended in (key.member, member.member):
        for role in ("isms_inputs", "isms_reviews", "isms_actions", "isms_reporting"):
            assert begin(world.id, f"'{ended}'", role=role) == "CREDENTIAL_INVALID"
    world.suspend(member, "ACTIVE")
    assert begin(world.id, f"'{member.member}'") == ""
    sql(f"set session_replication_role = replica; update core.organisation set state = 'SUSPENDED' "
        f"where tenant_id = '{world.id}'")
    assert begin(world.id, f"'{member.member}'") == "CREDENTIAL_INVALID"
    assert begin(world.id, "null", "job") == ""


def test_a_suspended_member_gets_nothing_by_way_of_another_service(told):
    """RenderReport asks the other services before it asks its own database."""
    reader = told.organisation.person("ISMS_MANAGER", "Remembered Reader")
    assert reader.RenderReport(review_id=told.review.id, format="REPORT_FORMAT_HTML").content
    told.suspend(reader)
    with pytest.raises(Refused) as refused:
        reader.RenderReport(review_id=told.review.id, format="REPORT_FORMAT_HTML")
    assert (refused.value.code.name, refused.value.reason) == ("PERMISSION_DENIED", "PERMISSION_DENIED")
    told.suspend(reader, "ACTIVE")
    assert reader.RenderReport(review_id=told.review.id, format="REPORT_FORMAT_HTML").content


# --- the job that issues ---------------------------------------------------------------------------------

def pending_again(world):
    sql(f"set session_replication_role = replica; update reviews.issuance set state = 'PENDING' "
        f"where tenant_id = '{world.id}' and id = '{world.review.id}'")


def is_issued(world):
    return sql(f"select state from reviews.issuance where tenant_id = '{world.id}' and id = '{world.review.id}'") \
        == "DONE"


def test_actions_are_issued_behind_many_that_cannot_be_and_for_a_suspended_organisation():
    """A page of the job's list, and more, of an organisation before this one in its order."""
    stuck, behind = Organisation(), World()
    behind.review = story.Review(behind.manager, behind.chair)
    behind.review.hold(("Decided", "Act"))
    assert stuck.id < behind.id
    try:
        sql("set session_replication_role = replica; insert into reviews.issuance (tenant_id, id, state, revision) "
            f"select '{stuck.id}', gen_random_uuid(), 'PENDING', 1 from generate_series(1, 230)")
        sql(f"set session_replication_role = replica; update core.organisation set state = 'SUSPENDED' "
            f"where tenant_id = '{behind.id}'")
        pending_again(behind)
        until(lambda: is_issued(behind), seconds=40, what="the issuing of the last one")
    finally:
        sql(f"set session_replication_role = replica; delete from reviews.issuance where tenant_id = '{stuck.id}'")


def test_the_jobs_role_runs_nothing_that_writes_or_looks_credentials_up():
    functions = sql("select string_agg(p.oid::regproc::text, ' ' order by 1) from pg_proc p "
                    "join pg_namespace n on n.oid = p.pronamespace "
                    "where n.nspname in ('core', 'inputs', 'reviews', 'actions', 'reporting') "
                    "and has_function_privilege('isms_jobs', p.oid, 'EXECUTE')")
    assert functions == "core.tenant"


# --- names -----------------------------------------------------------------------------------------------

def member_row(world, caller):
    return json.loads(sql(f"select json_build_object('name', name, 'salt', encode(name_salt, 'hex')) from core.member "
                          f"where tenant_id = '{world.id}' and id = '{caller.member}'"))


def logged(world, caller):
    return [json.loads(line) for line in sql(
        f"select content from core.change where tenant_id = '{world.id}' and table_name = 'core.member' "
        f"and row_id = '{caller.member}' order by revision").split("\n")]


def salted(salt, text):
    return "sha256:" + hashlib.sha256(bytes.fromhex(salt) + text.encode()).hexdigest()


def test_a_changed_name_takes_its_salt_along(told):
    chair, admin = told.chair, told.organisation.admin
    before = member_row(told, chair)
    assert salted(before["salt"], before["name"]) == logged(told, chair)[0]["name"]
    assert chair.member in {person.member_id for person in told.manager.GetRecord(review_id=told.review.id).people}

    admin.UpdateMember(id=chair.member, member={"position": "CEO"}, update_mask="position")
    assert member_row(told, chair) == before, "nothing about the name has changed"
    assert chair.member in {person.member_id for person in told.manager.GetRecord(review_id=told.review.id).people}

    admin.UpdateMember(id=chair.member, member={"name": "Erased"}, update_mask="name")
    after = member_row(told, chair)
    assert after["salt"] != before["salt"]
    log = logged(told, chair)
    assert log[-1]["name"] == salted(after["salt"], "Erased")
    assert salted(after["salt"], before["name"]) not in {entry["name"] for entry in log}

    admin.UpdateMember(id=chair.member, member={"name": before["name"]}, update_mask="name")
    record = told.manager.GetRecord(review_id=told.review.id)
    people = {person.member_id for person in record.people}
    assert chair.member not in people and told.manager.member in people
    for person in record.people:
        assert salted(person.salt.hex(), person.name) in record.content.decode()
    assert told.manager.RenderReport(review_id=told.review.id, format="REPORT_FORMAT_HTML").content


def test_reviews_are_signed_by_people_with_new_names(world):
    world.organisation.admin.UpdateMember(id=world.chair.member, member={"name": "New Name"}, update_mask="name")
    review = story.Review(world.manager, world.chair)
    review.hold(("Decided", "Act"))
    names = {person.name for person in world.manager.GetRecord(review_id=review.id).people}
    assert "New Name" in names


def test_the_log_names_no_subject_and_a_repeat_is_answered_with_it(world):
    request, subject = new_id(), f"subject-{uuid.uuid4().hex}"
    member = {"name": "Subject Person", "roles": ["ROLE_AUDITOR"], "issuer": "https://id.demo.example",
              "subject": subject}
    made = world.organisation.admin.CreateMember(request_id=request, member=member)
    assert made.subject == subject
    assert world.organisation.admin.CreateMember(request_id=request, member=member) == made
    assert sql(f"select count(*) from core.change where content like '%{subject}%'") == "0"
    salt = sql(f"select encode(subject_salt, 'hex') from core.member where id = '{made.id}'")
    content = json.loads(sql(f"select content from core.change where row_id = '{made.id}'"))
    assert content["subject"] == salted(salt, subject)
