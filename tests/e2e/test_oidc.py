"""Access tokens of issuers whose keys are fetched: a real issuer's, and what a strange one's must not do."""

import json
import threading
import time

import pytest
from isms_client import Caller, Organisation, api, new_id, stack, until
from issuer import AUDIENCE, Authority, Provider, Service, Strange, provider_folder

HOUR, ALGORITHMS = 3600, ["RS256", "PS256", "ES256", "EdDSA"]
FIRST = [f"{algorithm}:{algorithm.lower()}-1" for algorithm in ALGORITHMS]


@pytest.fixture(scope="module")
def organisation():
    return Organisation()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


def member(organisation, issuer, subject, role="ISMS_MANAGER"):
    return organisation.admin.CreateMember(member={"name": f"Member {subject}", "roles": [f"ROLE_{role}"],
                                                   "issuer": issuer, "subject": subject})


# --- a real issuer ---------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def provider(organisation, authority, tmp_path_factory):
    folder = provider_folder(tmp_path_factory.mktemp("npm") / "oidc-provider")
    if not folder:
        pytest.skip("npm's oidc-provider cannot be had here")
    provider = Provider(folder, authority, {"manager": {"tenant_id": organisation.id},
                                            "elsewhere": {"tenant_id": new_id()}})
    provider.publish(*FIRST)
    provider.listen(True)
    yield provider
    provider.stop()


def entry(issuer, **more):
    return {"issuer": issuer, "audience": AUDIENCE, "algorithms": ALGORITHMS,
            **({} if "tenant" in more else {"tenant_claim": "tenant_id"}), **more}


@pytest.fixture(scope="module")
def service(organisation, authority, provider, tmp_path_factory):
    member(organisation, provider.issuer, "manager")
    service = Service(tmp_path_factory.mktemp("service"), [entry(provider.issuer)], authority,
                      oidc_keys_stale_max="24h")
    until(lambda: service.issuers()[0] == "ok", what="the first fetch of the keys")
    yield service
    service.stop()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_tokens_of_a_real_issuer(service, provider, organisation, algorithm):
    answer = service.call(provider.token("manager", algorithm))
    assert (answer.organisation_id, answer.kind) == (organisation.id, "person")
    assert service.verdict(provider.token("elsewhere", algorithm)) == "PERMISSION_DENIED"
    head, body, signature = provider.token("manager", algorithm).split(".")
    assert service.verdict(f"{head}.{body}.{signature[::-1]}") == "CREDENTIAL_INVALID"


class Load:
    """Threads that call without a pause, each time with a token that the service has not seen."""

    def __init__(self, service, tokens):
        self.service, self.tokens, self.verdicts = service, tokens, []
        self.going = True
        self.threads = [threading.Thread(target=self.run) for _ in range(4)]
        for thread in self.threads:
            thread.start()

    def run(self):
        while self.going:
            began, (key, token) = time.time(), self.tokens()
            self.verdicts.append((began, key, self.service.verdict(token)))

    def stop(self):
        self.going = False
        for thread in self.threads:
            thread.join()


def test_a_key_is_rotated_under_load(service, provider):
    """Nobody with the new key is refused, from its first token on; nobody with the old one is let in after it went."""
    for old, new in (("ES256:es256-1", "ES256:es256-2"), ("EdDSA:eddsa-1", "EdDSA:eddsa-2"),
                     ("RS256:rs256-1", "RS256:rs256-2")):
        algorithm = old.split(":")[0]
        others = [key for key in FIRST if not key.startswith(algorithm)]
        provider.publish(old, *others)
        until(lambda: service.verdict(provider.token("manager", algorithm)) == "OK", what="the old key")
        current = [old]

        def fresh():
            key = current[0]
            return key, provider.token("manager", algorithm)

        load = Load(service, fresh)
        until(lambda: len(load.verdicts) > 40, what="load")
        kept = provider.token("manager", algorithm)  # signed by the old key, good for two days yet
        assert service.verdict(kept) == "OK"
        provider.publish(new, old, *others)  # the new one signs, the old one is still accepted
        current[0] = new
        count = len(load.verdicts)
        until(lambda: len(load.verdicts) > count + 40, what="load with the new key")
        assert service.verdict(kept) == "OK"
        load.stop()
        assert {verdict for _, _, verdict in load.verdicts} == {"OK"}, load.verdicts
        provider.publish(new, *others)  # the old one is gone: as soon as the service has fetched, so is its token
        service.clock(HOUR)
        until(lambda: service.verdict(kept) == "CREDENTIAL_INVALID", what="the old key's end")
        assert service.verdict(provider.token("manager", algorithm)) == "OK"
        service.clock(0)
        until(lambda: service.verdict(provider.token("manager", algorithm)) == "OK", what="the clock set back")
    provider.publish(*FIRST)
    until(lambda: service.verdict(provider.token("manager", "ES256")) == "OK", what="the first keys")


def test_a_key_that_replaces_another_is_accepted_from_its_first_token(service, provider):
    provider.publish("EdDSA:eddsa-3")
    assert service.verdict(provider.token("manager", "EdDSA")) == "OK"
    provider.publish(*FIRST)


def test_an_issuer_is_away_for_an_hour_and_for_a_day(service, provider):
    """The clock is moved, not slept. Keys stay in force up to oidc_keys_stale_max; after that nobody is refused, but
    told to come again."""
    provider.publish(*FIRST)
    until(lambda: service.verdict(provider.token("manager", "PS256")) == "OK", what="the issuer's keys")
    tokens = {algorithm: provider.token("manager", algorithm) for algorithm in ALGORITHMS}
    provider.listen(False)
    for hours in (1, 23):
        failed = service.metric("isms_issuer_fetches_total")
        service.clock(hours * HOUR)
        until(lambda: service.metric("isms_issuer_fetches_total") > failed, what="a fetch that fails")
        until(lambda: service.issuers()[0] == "degraded", what="the readiness detail")
        assert {service.verdict(token) for token in tokens.values()} == {"OK"}, hours
    assert provider.issuer in service.issuers()[1]
    service.clock(26 * HOUR)
    for token in tokens.values():
        assert service.verdict(token) == "ISSUER_UNAVAILABLE"
    provider.listen(True)
    for token in tokens.values():
        until(lambda: service.verdict(token) == "OK", 30, "the issuer's return")
    assert service.issuers()[0] == "ok"
    service.clock(49 * HOUR)
    assert service.verdict(tokens["ES256"]) == "CREDENTIAL_EXPIRED"
    service.clock(0)
    until(lambda: service.verdict(provider.token("manager", "ES256")) == "OK", 30, "the clock set back")


# --- strange issuers -------------------------------------------------------------------------------------

def trickle(handler):
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    while not handler.stopping.wait(0.2):
        handler.wfile.write(b" ")


def endless(handler):
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b" " * 65536)


@pytest.fixture(scope="module")
def strange(authority):
    strange = Strange(authority)
    yield strange
    strange.stop()


@pytest.fixture(scope="module")
def taken(organisation, authority, strange, tmp_path_factory):
    """A service that trusts one good issuer beside strange ones."""
    names = ("good", "other", "http", "redirected", "slow", "huge", "keyless", "absent", "untrusted", "joiner",
             "follower", "enterprise")
    for name in names:
        strange.discovery(name)
        strange.jwks(name, "1")
    plain = Strange(Authority(tmp_path_factory.mktemp("other-ca")))
    plain.key = strange.key
    plain.discovery("untrusted")
    plain.jwks("untrusted", "1")
    strange.discovery("other", issuer=strange.issuer("good"))
    strange.discovery("http", jwks_uri=strange.issuer("http").replace("https", "http") + "/jwks")
    strange.answers["/redirected/.well-known/openid-configuration"] = (
        302, {"location": strange.issuer("good") + "/.well-known/openid-configuration"}, b"")
    strange.answers["/slow/jwks"] = trickle
    strange.answers["/huge/jwks"] = endless
    strange.answers["/keyless/jwks"] = (200, {}, b'{"keys": []}')
    del strange.answers["/absent/.well-known/openid-configuration"]
    roles = {"roles_claim": "groups", "roles": {"managers": "ISMS_MANAGER", "auditors": "AUDITOR"}}
    issuers = [entry(strange.issuer(name)) for name in names[:8]] + [
        entry(plain.issuer("untrusted")),
        entry(strange.issuer("joiner"), provisioning=roles),
        entry(strange.issuer("follower"), provisioning={**roles, "update": "always"}),
        entry(strange.issuer("enterprise"), tenant=organisation.id)]
    for issuer in issuers:
        member(organisation, issuer["issuer"], "nobody")
    service = Service(tmp_path_factory.mktemp("taken"), issuers, authority)
    service.plain = plain
    until(lambda: service.verdict(good_token(strange, organisation)) == "OK", what="the good issuer's keys")
    yield service
    service.stop()
    plain.stop()


def good_token(strange, organisation, issuer="good", **claims):
    return strange.token(issuer, int(time.time()), **{"tenant_id": organisation.id, **claims})


@pytest.mark.parametrize("name", ["other", "http", "redirected", "slow", "huge", "keyless", "absent"])
def test_a_strange_issuer_harms_nobody_else(taken, strange, organisation, name):
    assert taken.verdict(good_token(strange, organisation, name)) == "ISSUER_UNAVAILABLE"
    assert taken.verdict(good_token(strange, organisation)) == "OK"


def test_a_certificate_of_a_stranger_is_not_believed(taken, organisation):
    assert taken.verdict(good_token(taken.plain, organisation, "untrusted")) == "ISSUER_UNAVAILABLE"
    assert taken.issuers()[0] == "degraded" and taken.ready()["status"] != "not ready"


def test_an_unknown_key_is_looked_for_and_then_refused(taken, strange, organisation):
    token = good_token(strange, organisation, kid="never")
    until(lambda: taken.verdict(token) == "CREDENTIAL_INVALID", what="the verdict")


def test_an_enterprises_issuer_speaks_for_its_organisation_only(taken, strange, organisation):
    answer = taken.call(good_token(strange, organisation, "enterprise", tenant_id=new_id()))
    assert answer.organisation_id == organisation.id


def test_a_list_of_issuers_is_read_again(taken, strange, organisation):
    strange.discovery("late")
    strange.jwks("late", "1")
    member(organisation, strange.issuer("late"), "nobody")
    token = good_token(strange, organisation, "late")
    assert taken.verdict(token) == "CREDENTIAL_INVALID"
    taken.list.write_text(json.dumps(json.loads(taken.list.read_text()) + [entry(strange.issuer("late"))]))
    until(lambda: taken.verdict(token) == "OK", 60, "the new issuer")
    assert taken.verdict(good_token(strange, organisation)) == "OK"


# --- members made of tokens ------------------------------------------------------------------------------

def people(organisation, subject):
    return [found for found in organisation.admin.ListMembers(page_size=500).members if found.subject == subject]


def test_a_subject_becomes_a_member_once(taken, strange, organisation):
    subject = f"new-{new_id()}"
    token = good_token(strange, organisation, "joiner", sub=subject, groups=["staff", "managers"],
                       name="Nia\nNew", email="nia@example.com")
    verdicts = []
    callers = [threading.Thread(target=lambda: verdicts.append(taken.verdict(token))) for _ in range(12)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert verdicts == ["OK"] * 12
    made, = people(organisation, subject)
    assert (made.name, made.email, made.issuer) == ("Nia New", "nia@example.com", strange.issuer("joiner"))
    assert [role for role in made.roles] == [api_role("ISMS_MANAGER")]
    logged = stack().sql("select set_config('app.tenant_id', '%s', false); select service, method, actor_kind, "
                         "actor is null, operation, content !~ 'nia@example' from core.change where row_id = '%s'"
                         % (organisation.id, made.id)).stdout.splitlines()[1:]
    assert logged == ["reviews|ProvisionMember|job|t|CREATE|t"]
    sequences = stack().sql("select count(*), max(sequence) - min(sequence) + 1 from (select distinct sequence from "
                            "core.change where tenant_id = '%s') s" % organisation.id).stdout.strip().split("|")
    assert sequences[0] == sequences[1], "the sequence has a gap"


def test_a_member_without_a_name_is_named_by_its_subject_in_one_line(taken, strange, organisation):
    subject = f"line\none-{new_id()}"
    assert taken.verdict(good_token(strange, organisation, "joiner", sub=subject, groups=["managers"])) == "OK"
    made, = people(organisation, subject)
    assert made.name == subject.replace("\n", " ")


def api_role(name):
    return api().pool.FindEnumTypeByName("isms.reviews.v1.Role").values_by_name[f"ROLE_{name}"].number


def test_a_subject_without_a_role_stays_outside(taken, strange, organisation):
    subject = f"none-{new_id()}"
    for claims in ({}, {"groups": []}, {"groups": ["staff"]}, {"groups": "MANAGERS"}):
        token = good_token(strange, organisation, "joiner", sub=subject, **claims)
        assert taken.verdict(token) == "PERMISSION_DENIED"
    assert not people(organisation, subject)
    elsewhere = strange.token("joiner", int(time.time()), sub=subject, tenant_id=new_id(), groups=["managers"])
    assert taken.verdict(elsewhere) == "PERMISSION_DENIED"
    platform = strange.token("joiner", int(time.time()), sub=subject, groups=["managers"],
                             tenant_id="00000000-0000-0000-0000-000000000000")
    assert taken.verdict(platform) == "PERMISSION_DENIED"


def test_roles_follow_the_claims_where_that_is_asked_for(taken, strange, organisation):
    for name, second in (("joiner", "ISMS_MANAGER"), ("follower", "AUDITOR")):
        subject = f"moved-{new_id()}"
        assert taken.verdict(good_token(strange, organisation, name, sub=subject, groups=["managers"])) == "OK"
        made, = people(organisation, subject)
        organisation.admin.UpdateMember(id=made.id, update_mask="roles", member={
            "name": made.name, "roles": ["ROLE_ISMS_MANAGER", "ROLE_CONTRIBUTOR"]})
        answer = taken.call(good_token(strange, organisation, name, sub=subject, groups=["auditors"]))
        assert set(answer.roles) == {api_role(second), api_role("CONTRIBUTOR")}, name
    assert taken.verdict(good_token(strange, organisation, "follower", sub=subject, groups=[])) == "OK"  # by hand


def test_a_suspended_member_is_not_revived(taken, strange, organisation):
    subject = f"suspended-{new_id()}"
    token = good_token(strange, organisation, "follower", sub=subject, groups=["managers"])
    assert taken.verdict(token) == "OK"
    made, = people(organisation, subject)
    organisation.admin.UpdateMember(id=made.id, update_mask="state", member={
        "name": made.name, "roles": ["ROLE_ISMS_MANAGER"], "state": "MEMBER_STATE_SUSPENDED"})
    assert taken.verdict(token) == "PERMISSION_DENIED"
    again = good_token(strange, organisation, "follower", sub=subject, groups=["auditors"])
    assert taken.verdict(again) == "PERMISSION_DENIED"
    found, = people(organisation, subject)
    assert found.state == made.state + 1 and found.roles == made.roles


def test_nobody_joins_a_suspended_organisation(taken, strange):
    organisation = Organisation()
    platform = Caller(stack().platform_key())
    token = good_token(strange, organisation, "joiner", sub="early", groups=["managers"])
    assert taken.verdict(token) == "OK"
    platform.SuspendOrganisation(id=organisation.id)
    assert taken.verdict(token) == "PERMISSION_DENIED"
    assert taken.verdict(good_token(strange, organisation, "joiner", sub="late",
                                    groups=["managers"])) == "PERMISSION_DENIED"
    platform.ResumeOrganisation(id=organisation.id)
    assert taken.verdict(token) == "OK"
    assert not people(organisation, "late")


def test_the_last_administrator_is_kept(strange, authority, tmp_path_factory):
    """A mapping that may give TENANT_ADMIN takes it from everybody but the last."""
    organisation = Organisation()
    strange.discovery("admins")
    strange.jwks("admins", "1")
    mapping = {"roles_claim": "groups", "roles": {"admins": "TENANT_ADMIN", "managers": "ISMS_MANAGER"},
               "update": "always"}
    service = Service(tmp_path_factory.mktemp("admins"), [entry(strange.issuer("admins"), provisioning=mapping)],
                      authority)
    try:
        until(lambda: service.issuers()[0] == "ok", what="the keys")
        first = good_token(strange, organisation, "admins", sub="first", groups=["admins"])
        assert service.verdict(first) == "OK"
        demoted = service.call(good_token(strange, organisation, "admins", sub="first", groups=["managers"]))
        assert set(demoted.roles) == {api_role("ISMS_MANAGER")}
        assert service.verdict(first) == "OK"
        made, = people(organisation, "first")
        organisation.admin.UpdateMember(id=organisation.admin.member, update_mask="state", member={
            "name": "Adele", "roles": ["ROLE_TENANT_ADMIN"], "state": "MEMBER_STATE_SUSPENDED"})
        kept = service.call(good_token(strange, organisation, "admins", sub="first", groups=["managers"]))
        assert set(kept.roles) == {api_role("ISMS_MANAGER"), api_role("TENANT_ADMIN")}
        assert made.id == kept.id
    finally:
        service.stop()
