"""API keys: what narrows them, how they are rotated, when they were used."""

import datetime
import time

import pytest
from isms_client import SERVICES, Caller, Organisation, Refused, new_id, stack, until
from test_credentials import probe, works

PERMISSIONS = ["keys.manage", "inputs.read", "self.read"]


@pytest.fixture(scope="module")
def organisation():
    return Organisation()


def made(organisation, *roles, **fields):
    answer = organisation.admin.CreateKey(key={"name": "test", "roles": [f"ROLE_{role}" for role in roles], **fields})
    return Caller(answer.api_key, organisation.id, answer.key.id)


def listed(organisation, key):
    return next(found for found in organisation.admin.ListKeys(page_size=500).keys if found.id == key.member)


def refused(call, *arguments, **fields):
    with pytest.raises(Refused) as caught:
        call(*arguments, **fields)
    return caught.value


def iso(seconds_from_now):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds_from_now))


# --- narrowing -------------------------------------------------------------------------------------------

def test_a_narrowed_key_may_do_what_it_names_and_nothing_else(organisation):
    key = made(organisation, "ISMS_MANAGER", permissions=["inputs.read", "self.read"])
    assert list(key.GetSelf().permissions) == ["inputs.read", "self.read"]
    assert key.ListInputs() is not None
    for call in (key.ListActions, key.ListMembers, lambda: key.CreateInput(input={"title": "T", "finding": {}})):
        assert refused(call).reason == "PERMISSION_DENIED"


def test_narrowing_gives_nothing_that_the_roles_do_not(organisation):
    key = made(organisation, "CONTRIBUTOR", permissions=["inputs.read", "members.manage", "self.read"])
    assert list(key.GetSelf().permissions) == ["inputs.read", "self.read"]


def test_an_unknown_permission_is_named(organisation):
    wrong = refused(made, organisation, "CONTRIBUTOR", permissions=["inputs.read", "inputs.reed", "INPUTS_READ"])
    assert wrong.reason == "FIELD_INVALID" and set(wrong.fields) == {"key.permissions[1]", "key.permissions[2]"}


def test_a_narrowed_key_cannot_make_itself_a_wider_one(organisation):
    narrow = made(organisation, "TENANT_ADMIN", permissions=PERMISSIONS)
    wide = made(organisation, "TENANT_ADMIN")
    admin = {"name": "wider", "roles": ["ROLE_TENANT_ADMIN"]}
    attempts = [
        (narrow.CreateKey, dict(key=admin)),
        (narrow.CreateKey, dict(key={**admin, "permissions": [*PERMISSIONS, "members.manage"]})),
        (narrow.CreateKey, dict(key={"name": "other role", "roles": ["ROLE_CONTRIBUTOR"]})),
        (narrow.UpdateKey, dict(id=narrow.member, key={"permissions": []}, update_mask="permissions")),
        (narrow.UpdateKey, dict(id=narrow.member, key={"permissions": [*PERMISSIONS, "audit.read"]},
                                update_mask="permissions")),
        (narrow.UpdateKey, dict(id=narrow.member, key=admin)),
        (narrow.UpdateKey, dict(id=wide.member, key={"name": "mine"}, update_mask="name")),
        (narrow.RotateKey, dict(id=wide.member)),
        (narrow.RotateKey, dict(id=organisation.key("CONTRIBUTOR").member)),
    ]
    before = organisation.admin.ListKeys(page_size=500)
    for call, fields in attempts:
        wrong = refused(call, **fields)
        assert (wrong.reason, wrong.code.name) == ("PERMISSION_DENIED", "PERMISSION_DENIED"), fields
        assert wrong.facts["permission"] not in PERMISSIONS
    after = organisation.admin.ListKeys(page_size=500)
    for keys in (before, after):
        for key in keys.keys:
            key.ClearField("last_use_time")
    assert after == before
    narrower = narrow.CreateKey(key={**admin, "permissions": ["inputs.read"]})
    assert Caller(narrower.api_key).ListInputs() is not None
    assert works(narrow.RotateKey(id=narrow.member).api_key)


def test_what_a_narrowing_takes_away_is_gone_at_once(organisation):
    key = made(organisation, "ISMS_MANAGER")
    assert all(works(key.credential, service) for service in SERVICES)
    organisation.admin.UpdateKey(id=key.member, key={"permissions": ["inputs.read"]}, update_mask="permissions")
    for service in SERVICES:
        assert works(key.credential, service) == (service == "inputs")


# --- changing --------------------------------------------------------------------------------------------

def test_update_changes_what_the_mask_names(organisation):
    key = made(organisation, "CONTRIBUTOR", permissions=["inputs.read"])
    changed = organisation.admin.UpdateKey(id=key.member, key={"name": "renamed"}, update_mask="name")
    assert (changed.name, list(changed.permissions), changed.revision) == ("renamed", ["inputs.read"], 2)
    assert changed.update_time.ToMicroseconds() > changed.create_time.ToMicroseconds()
    wrong = refused(organisation.admin.UpdateKey, id=key.member, key={"name": "again", "etag": "1"}, update_mask="name")
    assert wrong.reason == "ETAG_MISMATCH"
    wrong = refused(organisation.admin.UpdateKey, id=key.member, key={"roles": ["ROLE_TENANT_ADMIN"]},
                    update_mask="roles")
    assert wrong.reason == "MASK_INVALID"
    wrong = refused(organisation.admin.UpdateKey, id=key.member, key={"expire_time": iso(-60)},
                    update_mask="expireTime")
    assert (wrong.reason, wrong.facts["field"]) == ("FIELD_INVALID", "key.expire_time")


def test_an_end_that_is_put_nearer_holds(organisation):
    key = made(organisation, "CONTRIBUTOR", expire_time=iso(3600))
    assert works(key.credential, "inputs")
    organisation.admin.UpdateKey(id=key.member, key={"expire_time": iso(2)}, update_mask="expireTime")
    until(lambda: not works(key.credential, "inputs"), what="the key's end")


def test_a_revoked_key_is_neither_changed_nor_rotated(organisation):
    key = made(organisation, "CONTRIBUTOR")
    organisation.admin.RevokeKey(id=key.member)
    for call, fields in ((organisation.admin.UpdateKey, dict(key={"name": "back"}, update_mask="name")),
                         (organisation.admin.RotateKey, {}), (organisation.admin.RevokeKey, {})):
        assert refused(call, id=key.member, **fields).reason == "WRONG_STATE"
    assert refused(organisation.admin.RotateKey, id=new_id()).reason == "NOT_FOUND"


# --- rotation --------------------------------------------------------------------------------------------

def test_without_an_overlap_the_old_secret_ends_at_once(organisation):
    key = made(organisation, "ISMS_MANAGER")
    assert all(works(key.credential, service) for service in SERVICES)
    rotated = organisation.admin.RotateKey(id=key.member)
    assert (rotated.key.revision, rotated.key.id) == (2, key.member)
    assert not rotated.key.HasField("previous_secret_expire_time")
    for service in SERVICES:
        assert works(rotated.api_key, service)
        wrong = probe(key.credential, service)
        assert (wrong.code.name, wrong.reason) == ("UNAUTHENTICATED", "CREDENTIAL_INVALID")


def test_with_an_overlap_both_secrets_are_good_until_it_ends(organisation):
    key = made(organisation, "ISMS_MANAGER")
    rotated = organisation.admin.RotateKey(id=key.member, overlap_seconds=3)
    end = rotated.key.previous_secret_expire_time.ToDatetime(datetime.timezone.utc)
    assert 0 < (end - datetime.datetime.now(datetime.timezone.utc)).total_seconds() <= 3
    for service in SERVICES:
        assert works(rotated.api_key, service) and works(key.credential, service)
    for service in SERVICES:
        until(lambda: not works(key.credential, service), what="the end of the overlap")
        assert works(rotated.api_key, service)


def test_only_the_secret_before_has_an_overlap(organisation):
    first = made(organisation, "ISMS_MANAGER")
    second = organisation.admin.RotateKey(id=first.member, overlap_seconds=600).api_key
    third = organisation.admin.RotateKey(id=first.member, overlap_seconds=600).api_key
    assert [works(secret) for secret in (first.credential, second, third)] == [False, True, True]
    fourth = organisation.admin.RotateKey(id=first.member).api_key
    assert [works(secret) for secret in (second, third, fourth)] == [False, False, True]


def test_a_repeated_rotation_shows_no_secret_and_rotates_once(organisation):
    key, request = made(organisation, "ISMS_MANAGER"), new_id()
    first = organisation.admin.RotateKey(id=key.member, request_id=request)
    again = organisation.admin.RotateKey(id=key.member, request_id=request)
    assert again.key == first.key and not again.api_key
    assert works(first.api_key)
    kept = stack().sql(f"select encode(answer, 'escape') from core.request where request_id = '{request}'").stdout
    assert key.member in kept and first.api_key[-43:] not in kept


def test_an_overlap_has_its_limits(organisation):
    key = made(organisation, "CONTRIBUTOR")
    for seconds in (-1, 30 * 86400 + 1):
        wrong = refused(organisation.admin.RotateKey, id=key.member, overlap_seconds=seconds)
        assert wrong.reason == "FIELD_INVALID" and "overlap_seconds" in wrong.fields


def test_the_change_log_has_no_secret(organisation):
    key = made(organisation, "CONTRIBUTOR")
    organisation.admin.RotateKey(id=key.member, overlap_seconds=60)
    logged = stack().sql(f"select string_agg(content, '') from core.change where row_id = '{key.member}'").stdout
    assert "CONTRIBUTOR" in logged and "secret_sha256" not in logged


# --- last use --------------------------------------------------------------------------------------------

def test_the_last_use_is_shown(organisation):
    key = made(organisation, "CONTRIBUTOR")
    assert not listed(organisation, key).HasField("last_use_time")
    assert works(key.credential, "inputs")
    used = listed(organisation, key)
    assert abs(used.last_use_time.seconds - time.time()) < 90
    assert used.revision == 1


def test_a_wrong_secret_is_no_use(organisation):
    key = made(organisation, "CONTRIBUTOR")
    assert not works(key.credential[:-1] + ("A" if key.credential[-1] != "A" else "B"), "inputs")
    assert not listed(organisation, key).HasField("last_use_time")
