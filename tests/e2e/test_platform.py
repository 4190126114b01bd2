"""The platform: what it sets for organisations, and how it acts for one by name (invariant 1)."""

import subprocess

import pytest
import story
from isms_client import Caller, Organisation, Refused, as_dict, new_id, stack, until
from test_credentials import METHODS, ROLES, verdict
from tokens import token


class Agent(Caller):
    """A credential that names the organisation it acts for."""

    def call(self, method, request, timeout=30, metadata=()):
        return super().call(method, request, timeout, [*metadata, ("x-isms-organisation", self.tenant)])


def refused(call, *arguments, **fields):
    with pytest.raises(Refused) as caught:
        call(*arguments, **fields)
    return caught.value


def key_id(credential):
    """The id inside an API key's text."""
    listed = Caller(stack().platform_key()).ListKeys(page_size=500).keys
    return next(key.id for key in listed if key.id.replace("-", "") in credential.replace("-", ""))


@pytest.fixture(scope="module")
def platform():
    return Caller(stack().platform_key())


@pytest.fixture(scope="module")
def ours():
    made = Organisation("Amsel")
    made.person("ISMS_MANAGER").CreateInput(input={"title": "Amsel's input", "finding": {}})
    return made


@pytest.fixture(scope="module")
def theirs():
    made = Organisation("Zebrafink")
    made.person("ISMS_MANAGER").CreateInput(input={"title": "Zebrafink's input", "finding": {}})
    return made


def new_agent(organisation, *roles):
    credential = stack().platform_key_made("PLATFORM_AGENT", *roles)
    return Agent(credential, organisation.id, key_id(credential))


@pytest.fixture(scope="module")
def agent(ours):
    return new_agent(ours, "ISMS_MANAGER")


def turned_away(caller):
    """Whether every service refuses the caller's credential."""
    probes = (caller.ListInputs, caller.ListActions, caller.GetSelf, caller.ListSeals)
    return [refused(call).reason for call in probes]


# --- limits ----------------------------------------------------------------------------------------------

LIMITS = {"calls_per_second": 500, "calls_burst": 1000, "calls_in_flight": 50}


def test_limits_are_set_by_the_platform_and_shown_to_the_organisation(platform, ours):
    assert as_dict(ours.admin.GetOrganisation())["limits"] == {}
    answer = platform.SetOrganisationLimits(id=ours.id, limits=LIMITS)
    assert as_dict(answer) == {"id": ours.id, "name": "Amsel", "state": "ORGANISATION_STATE_ACTIVE", "limits": LIMITS}
    assert as_dict(ours.admin.GetOrganisation())["limits"] == LIMITS
    listed = {found.id: found for page in pages(platform) for found in page.organisations}
    assert as_dict(listed[ours.id]) == as_dict(answer)
    platform.SetOrganisationLimits(id=ours.id, limits={})
    assert as_dict(ours.admin.GetOrganisation())["limits"] == {}
    assert ours.admin.GetOrganisation().revision == 3


def pages(platform):
    token = ""
    while True:
        page = platform.ListOrganisations(page_size=500, page_token=token)
        yield page
        token = page.next_page_token
        if not token:
            return


def out_of_ten(caller):
    """How many of ten calls in a row were held back for their rate."""
    def is_held_back():
        try:
            caller.ListInputs()
        except Refused as refused:
            assert refused.reason == "RATE_LIMITED"
            return True
        return False
    return sum(is_held_back() for _ in range(10))


def test_limits_hold_while_they_are_set_and_for_the_one_organisation(platform, theirs):
    slow = Organisation("Soon slow")
    assert out_of_ten(slow.admin) == 0
    platform.SetOrganisationLimits(id=slow.id, limits={"calls_per_second": 1, "calls_burst": 1})
    until(lambda: out_of_ten(slow.admin) >= 5, what="the limit")
    assert out_of_ten(theirs.admin) == 0
    platform.SetOrganisationLimits(id=slow.id, limits={})
    until(lambda: out_of_ten(slow.admin) == 0, what="the limit's end")


def test_an_organisation_cannot_set_its_own_limits(platform, ours):
    wrong = refused(ours.admin.SetOrganisationLimits, id=ours.id, limits=LIMITS)
    assert wrong.reason == "PERMISSION_DENIED"
    ours.admin.UpdateOrganisation(organisation={"name": "Amsel", "limits": LIMITS})
    assert as_dict(ours.admin.GetOrganisation())["limits"] == {}


def test_limits_of_nobody_and_of_no_sense_are_refused(platform, ours):
    assert refused(platform.SetOrganisationLimits, id=new_id(), limits=LIMITS).reason == "NOT_FOUND"
    assert refused(platform.SetOrganisationLimits, id="00000000-0000-0000-0000-000000000000",
                   limits=LIMITS).reason == "NOT_FOUND"
    wrong = refused(platform.SetOrganisationLimits, id=ours.id, limits={"calls_per_second": -1})
    assert wrong.reason == "FIELD_INVALID" and "limits.calls_per_second" in wrong.fields


# --- keys of the platform's ------------------------------------------------------------------------------

def test_the_platform_manages_its_own_keys_and_nobody_elses(platform, ours):
    made = platform.CreateKey(key={"name": "second", "roles": ["ROLE_PLATFORM_ADMIN"]})
    second = Caller(made.api_key)
    assert second.ListOrganisations() is not None
    renewed = Caller(platform.RotateKey(id=made.key.id).api_key)
    assert renewed.ListOrganisations() is not None
    assert refused(second.ListOrganisations).reason == "CREDENTIAL_INVALID"
    platform.RevokeKey(id=made.key.id)
    assert refused(renewed.ListOrganisations).reason == "CREDENTIAL_INVALID"
    assert refused(platform.RevokeKey, id=ours.key("AUDITOR").member).reason == "NOT_FOUND"


def test_who_reads_no_content_makes_no_key_that_does(platform, agent):
    for roles in (["PLATFORM_AGENT"], ["PLATFORM_AGENT", "ISMS_MANAGER"], ["ISMS_MANAGER"],
                  ["PLATFORM_ADMIN", "AUDITOR"]):
        wrong = refused(platform.CreateKey, key={"name": "more", "roles": [f"ROLE_{role}" for role in roles]})
        assert (wrong.reason, wrong.facts["field"]) == ("FIELD_INVALID", "key.roles")
    assert refused(platform.RotateKey, id=agent.member).reason == "PERMISSION_DENIED"
    assert refused(platform.UpdateKey, id=agent.member, key={"name": "mine"},
                   update_mask="name").reason == "PERMISSION_DENIED"


def test_a_key_with_a_role_that_there_is_not_is_not_made():
    with pytest.raises(subprocess.CalledProcessError) as failed:
        stack().platform_key_made("PLATFORM_AGENT", "KING")
    assert "'KING'" in failed.value.stderr and not failed.value.stdout


# --- acting ----------------------------------------------------------------------------------------------

def test_an_agent_does_what_its_roles_allow_and_nothing_else(agent):
    for method in METHODS:
        may = method.rules.permission in ROLES["ISMS_MANAGER"] and not method.rules.internal
        expected = "allowed" if may and not method.rules.person else "PERSON_REQUIRED" if may else "PERMISSION_DENIED"
        assert verdict(method, agent.credential, [("x-isms-organisation", agent.tenant)]) == expected, method


def test_an_agent_sees_the_one_organisation_that_it_names(agent, ours, theirs):
    other = Agent(agent.credential, theirs.id)
    assert {item.title for item in other.ListInputs().inputs} == {"Zebrafink's input"}
    seen = {item.title for item in agent.ListInputs().inputs}
    assert "Amsel's input" in seen and not any("Zebrafink" in title for title in seen)
    themselves = agent.GetSelf()
    assert (themselves.organisation_id, themselves.id, themselves.kind) == (ours.id, agent.member, "platform")
    hidden = other.ListInputs().inputs[0].id
    assert refused(agent.GetInput, id=hidden).reason == refused(agent.GetInput, id=new_id()).reason == "NOT_FOUND"
    assert other.GetInput(id=hidden).title == "Zebrafink's input"


def test_what_an_agent_does_is_in_the_organisations_log_as_the_platforms(agent, ours, theirs):
    made = agent.CreateInput(input={"title": "By the platform", "finding": {}})
    logged = [change for change in ours.admin.ListChanges(page_size=500).changes if change.row_id == made.id]
    assert [(change.actor_id, change.actor_kind, change.on_behalf_of) for change in logged] == [
        (agent.member, "platform", "")]
    assert not [change for change in theirs.admin.ListChanges(page_size=500).changes
                if change.actor_kind == "platform"]


def test_an_agent_opens_a_review_with_the_other_services_help(agent, ours):
    chair, preparer = ours.person("TOP_MANAGEMENT"), ours.person("ISMS_MANAGER")
    review = story.Review(agent, chair, title="Opened by the platform")
    agent.PrepareReview(id=review.id, preparer_id=preparer.member)
    opened = agent.OpenReview(id=review.id)
    assert agent.GetSnapshot(review_id=review.id).sha256 == opened.input_snapshot_sha256
    steps = {change.method: change for change in ours.admin.ListChanges(page_size=500).changes
             if change.actor_id == agent.member}
    assert steps["OpenReview"].actor_kind == "platform"
    assert steps["PrepareReview"].actor_kind == "platform"
    assert agent.RenderReport(review_id=review.id, format="REPORT_FORMAT_HTML") is not None


def asserted(organisation, actor):
    """What a service's transaction finds, and would log, when another service names the actor."""
    done = stack().sql(f"begin; select core.begin_read('{organisation.id}', '{actor}', 'service', 0, 'all', 1000); "
                       "select current_setting('app.actor_kind'), current_setting('app.tenant_id')", "isms_actions")
    return done.stdout.split()[-1] if done.returncode == 0 else done.stderr


def test_what_a_service_does_for_an_agent_is_logged_as_the_platforms(platform, ours, theirs):
    agent = new_agent(ours, "ISMS_MANAGER")
    assert asserted(ours, agent.member) == f"platform|{ours.id}"
    assert asserted(theirs, agent.member) == f"platform|{theirs.id}"
    assert asserted(ours, ours.admin.member) == f"service|{ours.id}"
    administrator = key_id(platform.credential)
    for organisation, actor in ((theirs, ours.admin.member), (ours, administrator), (ours, new_id())):
        assert "CREDENTIAL_INVALID" in asserted(organisation, actor)
    platform.RevokeKey(id=agent.member)
    assert "CREDENTIAL_INVALID" in asserted(ours, agent.member)


def test_an_agent_does_not_sign(ours):
    top = new_agent(ours, "TOP_MANAGEMENT", "ISMS_MANAGER")
    wrong = refused(top.SignReview, id=new_id(), etag="1")
    assert (wrong.reason, wrong.facts["caller"]) == ("PERSON_REQUIRED", "platform")


def test_a_repeated_request_of_an_agents_is_answered_again(agent):
    request = new_id()
    first = agent.CreateInput(input={"title": "Once", "finding": {}}, request_id=request)
    assert agent.CreateInput(input={"title": "Once", "finding": {}}, request_id=request) == first


def test_a_revoked_agent_is_out_at_once(platform, ours):
    agent = new_agent(ours, "ISMS_MANAGER", "TENANT_ADMIN")
    assert agent.GetSelf().kind == "platform" and agent.ListSeals() is not None
    assert agent.ListInputs() is not None and agent.ListActions() is not None
    platform.RevokeKey(id=agent.member)
    assert turned_away(agent) == ["CREDENTIAL_INVALID"] * 4


def test_nobody_acts_for_a_suspended_organisation(platform, agent):
    organisation = Organisation("Soon suspended")
    here = Agent(agent.credential, organisation.id)
    assert here.GetSelf().kind == "platform" and here.ListInputs() is not None
    platform.SuspendOrganisation(id=organisation.id)
    refusals = turned_away(here)
    assert len(set(refusals)) == 1 and refusals[0] in ("CREDENTIAL_INVALID", "PERMISSION_DENIED")
    unknown = turned_away(Agent(agent.credential, new_id()))
    assert unknown == refusals
    platform.ResumeOrganisation(id=organisation.id)
    assert here.GetSelf().kind == "platform"


def test_whoever_is_no_agent_names_no_organisation(platform, ours, theirs):
    person = ours.person("ISMS_MANAGER")
    member = token("nobody", ours.id)
    for credential in (platform.credential, ours.admin.credential, person.credential, member,
                       ours.key("ISMS_MANAGER").credential):
        for organisation in (ours.id, theirs.id, "00000000-0000-0000-0000-000000000000"):
            for answer in turned_away(Agent(credential, organisation)):
                assert answer in ("CREDENTIAL_INVALID", "PERMISSION_DENIED")


def test_an_agent_that_names_none_may_nothing(agent):
    for method in METHODS:
        assert verdict(method, agent.credential) == "PERMISSION_DENIED", method


@pytest.mark.parametrize("name", ["", "x", "Amsel", "00000000-0000-0000-0000-000000000000"])
def test_a_name_that_is_none_is_refused(agent, name):
    assert set(turned_away(Agent(agent.credential, name))) <= {"CREDENTIAL_INVALID", "PERMISSION_DENIED"}
