"""What an organisation may ask: refused in words and with the time to wait, which is enough; and of nobody else."""

import concurrent.futures
import time

import grpc
import pytest
from isms_client import Caller, Organisation, Refused, stack, wire_fields

LIMITS = {"calls_per_second": 5, "calls_burst": 5, "calls_in_flight": 100}


@pytest.fixture
def organisation():
    made = Organisation()
    yield made
    limits_set(made, {name: 0 for name in LIMITS})


def limits_set(organisation, limits):
    Caller(stack().platform_key()).SetOrganisationLimits(id=organisation.id, limits=limits)


def details(refused):
    """{type: fields} of the status details."""
    found = {}
    for number, value in wire_fields(refused.raw):
        if number == 3:
            detail = dict(wire_fields(value))
            found[detail[1].decode().rsplit(".", 1)[-1]] = detail.get(2, b"")
    return found


def retry_delay(refused):
    """RetryInfo in seconds."""
    duration = dict(wire_fields(dict(wire_fields(details(refused)["RetryInfo"]))[1]))
    return duration.get(1, 0) + duration.get(2, 0) / 1e9


def metric(service, name):
    for line in stack().admin(service, "/metrics").splitlines():
        if line.startswith(name + " "):
            return float(line.rsplit(" ", 1)[1])
    return 0


def refused_for_rate(caller):
    """Calls until it is refused: the refusal, and how many were not."""
    for count in range(1000):
        try:
            caller.GetSelf()
        except Refused as refused:
            return refused, count
    raise AssertionError("1000 calls in a row were let in")


def test_the_rate_is_refused_in_words_and_the_time_it_names_is_enough(organisation):
    limits_set(organisation, LIMITS)
    refused, served = refused_for_rate(organisation.admin)
    assert served >= LIMITS["calls_burst"]
    assert (refused.code, refused.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED")
    assert refused.facts["limit"] == "5"
    violation = dict(wire_fields(dict(wire_fields(details(refused)["QuotaFailure"]))[1]))
    assert violation[1].decode() == f"organisation:{organisation.id}"
    assert violation[2].decode() == "At most 5 calls a second, and 5 at once after a pause."
    assert 0 < retry_delay(refused) <= 0.2
    for _ in range(3):
        refused, _ = refused_for_rate(organisation.admin)
        time.sleep(retry_delay(refused))  # the wait is what the test is about
        organisation.admin.GetSelf()


def test_other_organisations_are_not_limited_with_it(organisation):
    limits_set(organisation, LIMITS)
    other = Organisation()
    refused_for_rate(organisation.admin)
    for _ in range(20):
        other.admin.GetSelf()


def test_every_credential_of_an_organisation_counts(organisation):
    key = organisation.key("ISMS_MANAGER")
    limits_set(organisation, {**LIMITS, "calls_per_second": 1})
    refused_for_rate(organisation.admin)
    with pytest.raises(Refused) as refused:
        for _ in range(4):
            key.GetSelf()
    assert refused.value.reason == "RATE_LIMITED"


def test_calls_under_way_are_limited(organisation):
    limits_set(organisation, {"calls_per_second": 0, "calls_burst": 0, "calls_in_flight": 2})
    organisation.admin.GetSelf()

    def call(_):
        try:
            organisation.admin.ListMembers()
            return None
        except Refused as refused:
            return refused

    reasons = set()
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        for _ in range(20):
            reasons |= {(refused.reason, refused.facts["limit"]) for refused in pool.map(call, range(64)) if refused}
            if reasons:
                break
    assert reasons == {("TOO_MANY_IN_FLIGHT", "2")}



def test_a_flood_is_seen_in_the_metrics(organisation):
    limits_set(organisation, LIMITS)
    name = 'isms_admission_total{result="refused",reason="RATE_LIMITED"}'
    before = metric("reviews", name)
    refused_for_rate(organisation.admin)
    assert metric("reviews", name) > before
    assert organisation.id not in stack().admin("reviews", "/metrics")
    assert metric("reviews", "isms_budget_up") == 1
