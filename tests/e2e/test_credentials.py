"""Who gets in, and who may do what: every wrong credential, and every role at every method."""

import re
import time

import pytest
import story
from google.protobuf import json_format
from hostile import packed, processes, refusal, send
from isms_client import ROOT, SERVICES, Caller, Organisation, Refused, api, new_id, stack, unverified_claims, until
from test_isolation import filled
from tokens import assertion, base64url, private_key, public_forms, signed, stranger_key, token

NOBODY_MAY = "INTERNAL_ONLY"


@pytest.fixture(scope="module")
def organisation():
    return Organisation()


@pytest.fixture(scope="module")
def subject(manager):
    return unverified_claims(manager.credential)["sub"]


@pytest.fixture(autouse=True)
def no_process_ends():
    before = processes()
    yield
    assert processes() == before


# One method without preconditions of each service.
PROBES = {"inputs": "ListInputs", "actions": "ListActions", "reviews": "GetSelf", "reporting": "ListSeals"}


METHODS = [method for method in sorted(api().methods.values(), key=repr) if method.service in SERVICES]


def valid(method):
    request = json_format.ParseDict(filled(method.request.DESCRIPTOR), method.request())
    if method.rules.write:
        request.request_id = new_id()
    return request.SerializeToString()


def probe(credential, service="reviews", **options):
    return refusal(api().by_name[PROBES[service]], b"", credential, **options)


def works(credential, service="reviews"):
    try:
        send(api().by_name[PROBES[service]], b"", credential)
        return True
    except Refused:
        return False


# --- access tokens ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("service", SERVICES)
def test_the_token_that_the_others_are_made_of_is_good(organisation, subject, service):
    assert works(token(subject, organisation.id), service)


@pytest.mark.parametrize("service", SERVICES)
def test_no_credential(service):
    refused = probe(None, service)
    assert (refused.code.name, refused.reason) == ("UNAUTHENTICATED", "CREDENTIAL_MISSING")


HOUR = 3600
WRONG_TOKENS = {
    "expired": (dict(exp=int(time.time()) - HOUR, nbf=None, iat=int(time.time()) - 2 * HOUR), "EXPIRED"),
    "not yet valid": (dict(nbf=int(time.time()) + HOUR), "NOT_YET_VALID"),
    "of another issuer": (dict(iss="https://id.demo.example.evil"), "ISSUER"),
    "of another issuer by a slash": (dict(iss="https://id.demo.example/"), "ISSUER"),
    "of no issuer": (dict(iss=None), "ISSUER"),
    "for another audience": (dict(aud="another-api"), "AUDIENCE"),
    "for other audiences": (dict(aud=["a", "isms-review2"]), "AUDIENCE"),
    "for no audience": (dict(aud=None), "AUDIENCE"),
    "without an end": (dict(exp=None), "CLAIM"),
    "with an end in words": (dict(exp="2099-01-01"), "CLAIM"),
    "with an endless end": (dict(exp=1e300), "CLAIM"),
    "without a subject": (dict(sub=None), "CLAIM"),
    "with a number for a subject": (dict(sub=5), "CLAIM"),
    "with a tenant that is no uuid": (dict(tenant_id="' or 1=1"), "CLAIM"),
    "with a list of tenants": (dict(tenant_id=[]), "CLAIM"),
    "by an unknown key": (dict(header={"kid": "other"}), "KEY"),
    "by a key of a path": (dict(header={"kid": "../../../etc/passwd"}), "KEY"),
    "with algorithm none": (dict(header={"alg": "none"}, key=None), "ALGORITHM"),
    "with algorithm None": (dict(header={"alg": "None"}, key=None), "ALGORITHM"),
    "with algorithm ES256": (dict(header={"alg": "ES256"}), ("ALGORITHM", "KEY", "SIGNATURE")),
    "with algorithm RS256": (dict(header={"alg": "RS256"}), ("ALGORITHM", "KEY", "SIGNATURE")),
    "with an extension that must be understood": (dict(header={"crit": ["b64"], "b64": False}), "CRITICAL"),
    "of another type": (dict(header={"typ": "isms-assertion+jwt"}), "TYPE"),
    "signed by a stranger": (dict(key=stranger_key()), "SIGNATURE"),
    "signed by a service of ours": (dict(key="reviews"), "SIGNATURE"),
}


@pytest.mark.parametrize("what", WRONG_TOKENS)
def test_a_wrong_token_is_refused_by_its_cause(organisation, subject, what):
    changes, cause = WRONG_TOKENS[what]
    refused = probe(token(subject, organisation.id, **changes))
    assert refused.code.name == "UNAUTHENTICATED"
    assert refused.reason == ("CREDENTIAL_EXPIRED" if what == "expired" else "CREDENTIAL_INVALID")
    assert refused.facts["cause"] in ((cause,) if isinstance(cause, str) else cause)


def test_a_token_without_a_tenant_opens_nothing(organisation, subject):
    refused = probe(token(subject, None))
    assert refused.code.name in ("UNAUTHENTICATED", "PERMISSION_DENIED")


@pytest.mark.parametrize("form", ["raw", "pem", "pem without line end", "der", "base64url"])
@pytest.mark.parametrize("algorithm", ["HS256", "EdDSA"])
def test_the_public_key_is_no_shared_secret(organisation, subject, form, algorithm):
    refused = probe(token(subject, organisation.id, key=public_forms("oidc")[form], header={"alg": algorithm}))
    assert (refused.reason, refused.facts["cause"]) == (
        "CREDENTIAL_INVALID", "ALGORITHM" if algorithm == "HS256" else "SIGNATURE")


def test_a_key_in_the_header_is_not_believed(organisation, subject):
    own = stranger_key()
    from cryptography.hazmat.primitives import serialization
    raw = own.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": base64url(raw), "kid": "demo"}
    for header in ({"jwk": jwk}, {"jwk": jwk, "kid": None}, {"jku": "http://127.0.0.1:1/keys"}):
        header = {"alg": "EdDSA", "typ": "at+jwt", "kid": "demo", **header}
        text = token(subject, organisation.id, key=own, header={k: v for k, v in header.items() if v is not None})
        refused = probe(text)
        assert refused.reason == "CREDENTIAL_INVALID" and refused.facts["cause"] in ("SIGNATURE", "KEY")


def test_a_changed_payload_signature_or_form_is_noticed(organisation, subject):
    good, other = token(subject, organisation.id), token(subject, new_id())
    head, body, signature = good.split(".")
    wrong = [f"{head}.{other.split('.')[1]}.{signature}", f"{head}.{body}.", f"{head}.{body}",
             f"{head}.{body}.{signature}.x", f".{body}.{signature}",
             f"{head}.{body}.{signature[:-4]}", f"{head}.{body}.{signature}AAAA", good + "=", good.replace(".", ".."),
             "..", ".", "a.b.c",
             head + "." + base64url(b"[]") + "." + signature, head + "." + base64url(b'{"a":' * 2000) + "." + signature,
             "x" * 8000, "isms_", "isms_" + "0" * 200]
    flipped = bytearray(signature.encode())
    flipped[10] = ord("A") if flipped[10] != ord("A") else ord("B")
    wrong.append(f"{head}.{body}.{flipped.decode()}")
    for text in wrong:
        refused = probe(text)
        assert (refused.code.name, refused.reason) == ("UNAUTHENTICATED", "CREDENTIAL_INVALID"), text[:100]
    assert works(good)


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic YTpi", "bearer", "Token x", "Bearer a b",
                                   "Bearer,x"])
def test_headers_that_are_no_bearer(value):
    refused = refusal(api().by_name["GetSelf"], b"", metadata=[("authorization", value)])
    assert refused.code.name == "UNAUTHENTICATED"
    assert refused.reason in ("CREDENTIAL_INVALID", "CREDENTIAL_MISSING")


def test_two_authorization_headers_are_not_one(organisation, manager):
    other = organisation.person("TENANT_ADMIN")
    refused = refusal(api().by_name["GetSelf"], b"", metadata=[
        ("authorization", f"Bearer {manager.credential}"), ("authorization", f"Bearer {other.credential}")])
    assert (refused.code.name, refused.reason) == ("UNAUTHENTICATED", "CREDENTIAL_INVALID")


def test_the_tenant_claim_decides_and_the_subject_must_be_its_member(organisation, subject):
    other = Organisation()
    refused = probe(token(subject, other.id))
    assert (refused.code.name, refused.reason) == ("PERMISSION_DENIED", "PERMISSION_DENIED")
    unknown = probe(token(subject, new_id()))
    assert (unknown.code, unknown.reason, unknown.text) == (refused.code, refused.reason, refused.text)
    assert probe(token("", organisation.id)).code.name in ("UNAUTHENTICATED", "PERMISSION_DENIED")


# --- what changes takes effect on the next call ----------------------------------------------------------

def change_member(organisation, caller, **fields):
    organisation.admin.UpdateMember(id=caller.member, member={"name": "Person", "roles": ["ROLE_ISMS_MANAGER"],
                                                              **fields},
                                    update_mask=",".join(fields))


def test_a_suspended_member_is_out_at_once_and_back_at_once(organisation):
    caller = organisation.person("ISMS_MANAGER", "Soon suspended")
    assert all(works(caller.credential, service) for service in SERVICES)
    change_member(organisation, caller, state="MEMBER_STATE_SUSPENDED")
    for method in METHODS:
        refused = refusal(method, valid(method), caller.credential)
        assert (refused.code.name, refused.reason) == ("PERMISSION_DENIED", "PERMISSION_DENIED"), method
    change_member(organisation, caller, state="MEMBER_STATE_ACTIVE")
    assert all(works(caller.credential, service) for service in SERVICES)


def test_a_role_taken_away_is_gone_at_once(organisation):
    caller = organisation.person("ISMS_MANAGER", "Soon demoted")
    made = caller.CreateInput(input={"title": "T", "finding": {}})
    change_member(organisation, caller, roles=["ROLE_ACTION_OWNER"])
    for call in (lambda: caller.GetInput(id=made.id), lambda: caller.CreateInput(input={"title": "T", "finding": {}}),
                 caller.ListMembers):
        with pytest.raises(Refused) as refused:
            call()
        assert refused.value.reason == "PERMISSION_DENIED"


def test_a_member_is_bound_to_a_subject_and_to_another_at_once(organisation):
    made = organisation.admin.CreateMember(member={"name": "Not bound yet", "roles": ["ROLE_ISMS_MANAGER"]})
    first, second = (token(f"{which}-{new_id()}", organisation.id) for which in ("first", "second"))
    assert not works(first) and not works(second)
    for good, bad in ((first, second), (second, first)):
        organisation.admin.UpdateMember(id=made.id, update_mask="issuer,subject", member={
            "issuer": unverified_claims(good)["iss"], "subject": unverified_claims(good)["sub"]})
        assert all(works(good, service) for service in SERVICES)
        assert not any(works(bad, service) for service in SERVICES)
    with pytest.raises(Refused) as refused:
        organisation.admin.UpdateMember(id=made.id, update_mask="subject", member={"subject": ""})
    assert (refused.value.reason, refused.value.facts["field"]) == ("FIELD_INVALID", "member.subject")


@pytest.mark.parametrize("service", SERVICES)
def test_a_revoked_key_is_out_at_once(organisation, service):
    key = organisation.key("ISMS_MANAGER")
    assert works(key.credential, service)
    organisation.admin.RevokeKey(id=key.member)
    refused = probe(key.credential, service)
    assert (refused.code.name, refused.reason) == ("UNAUTHENTICATED", "CREDENTIAL_INVALID")


def test_a_key_ends_when_it_expires(organisation):
    end = time.time() + 2
    made = organisation.admin.CreateKey(key={
        "name": "short", "roles": ["ROLE_ISMS_MANAGER"],
        "expire_time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end))})
    until(lambda: not works(made.api_key), what="the key's end")
    for service in SERVICES:
        refused = probe(made.api_key, service)
        assert (refused.code.name, refused.reason) == ("UNAUTHENTICATED", "CREDENTIAL_EXPIRED")


def test_a_key_with_another_secret_is_answered_as_no_key(organisation):
    good = organisation.key("ISMS_MANAGER").credential
    secret_at = len(good) - 43
    wrong = good[:secret_at] + ("A" if good[secret_at] != "A" else "B") + good[secret_at + 1:]
    unknown = good[:secret_at - 1 - 32] + new_id().replace("-", "") + good[secret_at - 1:]
    first, second = probe(wrong), probe(unknown)
    assert (first.code.name, first.reason) == ("UNAUTHENTICATED", "CREDENTIAL_INVALID")
    assert (first.code, first.reason, first.text, first.fields) == (
        second.code, second.reason, second.text, second.fields)
    assert probe(good.upper()).reason == probe(good[:-1]).reason == probe(good + "A").reason == "CREDENTIAL_INVALID"
    assert works(good)


def test_a_suspended_organisation_is_shut_and_opens_again():
    platform, organisation = Caller(stack().platform_key()), Organisation()
    person = organisation.person("ISMS_MANAGER")
    callers = (person.credential, organisation.admin.credential)
    assert all(works(caller, service) for caller in callers for service in SERVICES)
    platform.SuspendOrganisation(id=organisation.id)
    assert not any(works(caller, service) for caller in callers for service in SERVICES)
    platform.ResumeOrganisation(id=organisation.id)
    assert all(works(caller, service) for caller in callers for service in SERVICES)


# --- roles -----------------------------------------------------------------------------------------------

def role_table():
    """{role: permissions} out of the .def tables, which the services are compiled from."""
    include = ROOT / "include/isms/auth"
    names = dict(re.findall(r'X\((\w+),\s*"([a-z.]+)"', (include / "permissions.def").read_text()))
    roles = {}
    for entry in re.split(r"^X\(", (include / "roles.def").read_text(), flags=re.M)[1:]:
        roles[re.match(r"\w+", entry).group()] = {names[name] for name in re.findall(r"P\((\w+)\)", entry)}
    return roles


ROLES = role_table()


def verdict(method, credential, metadata=()):
    """What stood in the way of the call, if anything did that is about the caller."""
    try:
        send(method, valid(method), credential, metadata=metadata, timeout=30)
    except Refused as refused:
        if refused.code.name in ("PERMISSION_DENIED", "UNAUTHENTICATED"):
            return refused.reason
        assert refused.code.name not in ("INTERNAL", "UNKNOWN", "UNAVAILABLE"), (method, refused)
    return "allowed"


def test_the_tables_are_whole():
    assert len(ROLES) == 9 and len(METHODS) > 40
    permissions = set().union(*ROLES.values())
    assert {method.rules.permission for method in METHODS} <= permissions
    assert not [method for method in METHODS if not method.rules.permission], "a method without a permission"


@pytest.mark.parametrize("role", [role for role in ROLES if role != "INTAKE" and not role.startswith("PLATFORM")])
def test_each_role_may_do_what_the_table_says_and_nothing_else(organisation, role):
    person, key = organisation.person(role), organisation.key(role)
    for method in METHODS:
        may = method.rules.permission in ROLES[role] and not method.rules.internal
        assert verdict(method, person.credential) == ("allowed" if may else "PERMISSION_DENIED"), (role, method)
        expected = "allowed" if may and not method.rules.person else "PERSON_REQUIRED" if may else "PERMISSION_DENIED"
        assert verdict(method, key.credential) == expected, (role, method)


def test_the_refusal_names_the_permission(organisation):
    refused = refusal(api().by_name["CreateInput"], packed("CreateInput"), organisation.person("AUDITOR").credential)
    assert refused.facts["permission"] == "inputs.write"


def test_the_platform_reads_no_content():
    platform = stack().platform_key()
    for method in METHODS:
        may = method.rules.permission in ROLES["PLATFORM_ADMIN"]
        assert verdict(method, platform) == ("allowed" if may else "PERMISSION_DENIED"), method


@pytest.mark.parametrize("role", ["PLATFORM_ADMIN", "PLATFORM_AGENT"])
def test_nobody_makes_the_platform_of_themselves(organisation, role):
    for create in (lambda: organisation.person(role), lambda: organisation.key(role),
                   lambda: organisation.key("ISMS_MANAGER", role)):
        with pytest.raises(Refused) as refused:
            create()
        assert refused.value.reason == "FIELD_INVALID"


def test_an_owner_sees_its_own_actions_only(organisation, manager):
    owner, other = organisation.person("ACTION_OWNER"), organisation.person("ACTION_OWNER", "Another")
    own = manager.CreateAction(action={"title": "Own", "owner_id": owner.member, "due_date": story.day(9)})
    theirs = manager.CreateAction(action={"title": "Theirs", "owner_id": other.member, "due_date": story.day(9)})
    assert {action.id for action in owner.ListActions().actions} == {own.id}
    for call in (owner.GetAction, lambda id: owner.RecordProgress(id=id, note="mine now"),
                 lambda id: owner.ListProgress(action_id=id)):
        try:
            answered = call(id=theirs.id)
            assert not answered.progress
        except Refused as refused:
            assert refused.code.name == "NOT_FOUND"
    assert owner.GetAction(id=own.id).title == "Own"


def test_an_auditor_sees_the_reviews_it_is_named_for(organisation, manager):
    chair = organisation.person("TOP_MANAGEMENT")
    story.record_inputs(manager)
    one, two = story.Review(manager, chair, title="One"), story.Review(manager, chair, title="Two")
    one.open()
    two.open()
    auditor = organisation.person("AUDITOR", "Named for one")
    assert not auditor.ListReviews().reviews and not auditor.ListInputs().inputs
    organisation.admin.UpdateMember(id=auditor.member, update_mask="reviewIds", member={
        "name": "A", "roles": ["ROLE_AUDITOR"], "review_ids": [one.id]})
    assert [review.id for review in auditor.ListReviews().reviews] == [one.id]
    assert auditor.GetSnapshot(review_id=one.id).item_count == len(
        auditor.ListSnapshotInputs(review_id=one.id).inputs) > 0
    for call in (lambda: auditor.GetReview(id=two.id), lambda: auditor.GetSnapshot(review_id=two.id),
                 lambda: auditor.GetActionSnapshot(review_id=two.id)):
        with pytest.raises(Refused) as refused:
            call()
        assert refused.value.code.name == "NOT_FOUND"


# --- assertions between services -------------------------------------------------------------------------

def asserted(method, text, **options):
    return refusal(method, valid(method), metadata=[("x-isms-assertion", text)], **options)


@pytest.fixture(scope="module")
def figures():
    """A method that `reporting` may call on somebody's behalf."""
    method = api().by_name["ListReviews"]
    assert list(method.rules.callers) == ["reporting"]
    return method


def test_the_assertion_that_the_others_are_made_of_is_good(organisation, manager, figures):
    metadata = [("x-isms-assertion", assertion(figures, organisation.id, manager.member))]
    assert send(figures, b"", metadata=metadata) is not None


WRONG_ASSERTIONS = {
    "signed by a stranger": dict(key=stranger_key()),
    "signed by another service": dict(key="inputs"),
    "by one service in the name of another": dict(header={"kid": "inputs"}, key="inputs"),
    "by the installation's key": dict(key="installation"),
    "by the identity provider's key": dict(key="oidc", header={"kid": "demo"}),
    "for another service": dict(aud="inputs"),
    "for another method": dict(method="/isms.reviews.v1.ReviewService/GetReview"),
    "expired": dict(iat=int(time.time()) - 300, exp=int(time.time()) - 270),
    "of the future": dict(iat=int(time.time()) + 600, exp=int(time.time()) + 630),
    "for longer than 30 seconds": dict(exp=int(time.time()) + 86400),
    "without an end": dict(exp=None),
    "with another type": dict(header={"typ": "at+jwt"}),
    "with algorithm none": dict(header={"alg": "none"}),
    "with algorithm HS256": dict(header={"alg": "HS256"}, key="hmac"),
    "with a role there is not": dict(roles=["KING"]),
    "with a scope there is not": dict(scope="everything"),
    "without a tenant": dict(tenant=None),
    "of a job that has an actor": dict(job=True),
    "of nobody that is no job": dict(actor="00000000-0000-0000-0000-000000000000"),
    "without an id": dict(jti=None),
}


@pytest.mark.parametrize("what", WRONG_ASSERTIONS)
def test_a_wrong_assertion_is_refused(organisation, manager, figures, what):
    changes = dict(WRONG_ASSERTIONS[what])
    key = changes.pop("key", None)
    if isinstance(key, str):
        key = public_forms("reporting")["raw"] if key == "hmac" else private_key(key)
    # Names that the maker has for itself go in as claims.
    base = dict(method=figures, tenant=organisation.id, actor=manager.member)
    claims = {name: changes.pop(name) for name in list(changes) if name in base}
    text = assertion(**base, key=key, **changes)
    if claims:
        text = reclaimed(text, claims)
    refused = asserted(figures, text)
    assert refused.code.name == "UNAUTHENTICATED"
    assert refused.reason == ("CREDENTIAL_EXPIRED" if what == "expired" else "CREDENTIAL_INVALID")
    assert refused.facts["cause"]


def reclaimed(text, claims):
    body = {**unverified_claims(text), **claims}
    return signed({"alg": "EdDSA", "typ": "isms-assertion+jwt", "kid": body["iss"]},
                  {name: value for name, value in body.items() if value is not None}, private_key(body["iss"]))


def test_a_service_may_call_only_what_names_it(organisation, manager):
    """Every method, by the right key of every service."""
    for method in METHODS:
        for service in SERVICES:
            text = assertion(method, organisation.id, manager.member, service=service)
            try:
                send(method, valid(method), metadata=[("x-isms-assertion", text)], timeout=30)
                allowed = True
            except Refused as refused:
                allowed = refused.code.name != "PERMISSION_DENIED"
                assert refused.code.name != "UNAUTHENTICATED", (method, service, refused)
            assert allowed == (service in method.rules.callers), (method, service)


def test_two_credentials_at_once_are_refused(organisation, manager, figures):
    text = assertion(figures, organisation.id, manager.member)
    refused = refusal(figures, b"", manager.credential, metadata=[("x-isms-assertion", text)])
    assert (refused.code.name, refused.reason) == ("UNAUTHENTICATED", "CREDENTIAL_INVALID")


def test_an_assertion_is_no_token_and_a_token_no_assertion(organisation, manager, figures):
    assert probe(assertion(figures, organisation.id, manager.member)).reason == "CREDENTIAL_INVALID"
    assert asserted(figures, manager.credential).reason == "CREDENTIAL_INVALID"
    assert asserted(figures, organisation.admin.credential).reason == "CREDENTIAL_INVALID"
