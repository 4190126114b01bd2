"""One fault, one answer: what callers are told while something they do not see is away, and that it ends by itself."""

import contextlib
import threading
import time

import pytest
import story
from fault_process import frozen
from fault_proxy import Links
from isms_client import SERVICES, Organisation, Refused, new_id, stack, until

IN_SESSION = 3


@pytest.fixture(scope="module")
def between():
    """Links from actions to the database and to Redis, and from reviews to actions."""
    links = Links()
    via = stack().folder / "via"
    via.mkdir(exist_ok=True)
    made = {}
    for service, other in (("actions", "postgres"), ("actions", "redis"), ("reviews", "actions")):
        made[service, other] = links.link(f"{service} to {other}", stack().port(other))
        (via / f"{service}.{other}").write_text(made[service, other].address)
    for service in ("actions", "reviews"):
        stack().control("restart", service)
    yield made
    for service, other in made:
        (via / f"{service}.{other}").unlink()
    for service in ("actions", "reviews"):
        stack().control("restart", service)
    links.close()


@pytest.fixture(autouse=True)
def everything_is_whole(between):
    yield
    for link in between.values():
        link.heal()
    for name in ("postgres", "redis", *SERVICES):
        stack().control("start", name)


@pytest.fixture(scope="module")
def organisation(between):
    return Organisation()


def an_action(manager, title):
    return {"action": {"title": title, "owner_id": manager.member, "due_date": story.day(30)}}


def refusal(call):
    try:
        call()
    except Refused as refused:
        return refused
    return None


def served(call, seconds=15):
    return until(lambda: refusal(call) is None, seconds, "the recovery")


def told_at_once(call):
    """Until the process knows: then it says so without waiting for the deadline, which GetAction has at 3 s."""
    def known():
        began = time.monotonic()
        refused = refusal(lambda: call(timeout=20))
        assert refused, "it was served"
        return refused if time.monotonic() - began < 1 else None
    return until(known, 60, "a refusal at once")


@contextlib.contextmanager
def stopped_database():
    with frozen("postgres"):
        yield


@contextlib.contextmanager
def silent_link(between):
    between["actions", "postgres"].silence()
    try:
        yield
    finally:
        between["actions", "postgres"].heal()


@pytest.mark.parametrize("how", ["stopped", "silent"])
def test_a_database_that_does_not_answer_is_told_at_once_and_found_again(manager, between, how):
    made = manager.CreateAction(**an_action(manager, f"Before it is {how}"))
    request = dict(request_id=new_id(), **an_action(manager, f"While it is {how}"))
    with stopped_database() if how == "stopped" else silent_link(between):
        refused = told_at_once(lambda timeout: manager.GetAction(id=made.id, timeout=timeout))
        assert (refused.code.name, refused.reason) == ("UNAVAILABLE", "DATABASE_UNAVAILABLE")
        assert "RetryInfo" in refused.types
        refused = refusal(lambda: manager.CreateAction(timeout=20, **request))
        assert refused.reason in ("DATABASE_UNAVAILABLE", "OUTCOME_UNKNOWN")
        assert stack().admin("actions", "/livez")
        with pytest.raises(OSError):  # 503
            until(lambda: stack().admin("actions", "/readyz") is None, 10)
    served(lambda: manager.GetAction(id=made.id, timeout=5))
    first = manager.CreateAction(**request)
    assert manager.CreateAction(**request) == first


def test_a_caller_with_a_short_deadline_hears_in_time(manager, between):
    made = manager.CreateAction(**an_action(manager, "Short of time"))
    with silent_link(between):
        refused = refusal(lambda: manager.GetAction(id=made.id, timeout=1))
        assert refused.code.name in ("DEADLINE_EXCEEDED", "UNAVAILABLE")
    served(lambda: manager.GetAction(id=made.id, timeout=5))


def test_a_slow_database_costs_time_and_nothing_else(manager, between):
    made = manager.CreateAction(**an_action(manager, "Slow"))
    between["actions", "postgres"].slow(0.3)
    assert manager.GetAction(id=made.id, timeout=10) == made
    refused = refusal(lambda: manager.GetAction(id=made.id, timeout=0.2))
    assert refused.code.name == "DEADLINE_EXCEEDED"
    assert manager.ListReviews(page_size=1, timeout=10) is not None
    between["actions", "postgres"].heal()
    assert manager.GetAction(id=made.id) == made


def test_a_connection_cut_in_the_middle_of_an_answer_is_not_noticed(manager, between):
    made = manager.CreateAction(**an_action(manager, "Cut"))
    for count in range(0, 600, 40):
        between["actions", "postgres"].cut_after(count)
        request = dict(request_id=new_id(), **an_action(manager, f"Cut after {count}"))

        def write():
            try:
                return manager.CreateAction(timeout=10, **request)
            except Refused as refused:
                assert refused.reason in ("DATABASE_UNAVAILABLE", "OUTCOME_UNKNOWN"), refused
                return None

        answer = until(write, what="the write")
        assert answer == manager.GetAction(id=answer.id)
    assert manager.GetAction(id=made.id) == made


def test_a_slow_cache_is_done_without(manager, between):
    made = manager.CreateAction(**an_action(manager, "Slow cache"))
    between["actions", "redis"].silence()
    for _ in range(20):
        assert manager.GetAction(id=made.id, timeout=2) == made
    between["actions", "redis"].heal()


def prepared(organisation, manager, title):
    review = story.Review(manager, organisation.person("TOP_MANAGEMENT"), title=title)
    manager.PrepareReview(id=review.id)
    return review


@pytest.mark.parametrize("how", ["refuse", "silence", "slow"])
def test_a_meeting_waits_for_its_peer_and_opens_once_it_is_back(organisation, manager, between, how):
    review, request = prepared(organisation, manager, f"Peer: {how}"), new_id()
    link = between["reviews", "actions"]
    if how == "slow":
        link.slow(0.3)
        assert manager.OpenReview(id=review.id, request_id=request, timeout=20).state == IN_SESSION
        return
    getattr(link, how)()
    refused = refusal(lambda: manager.OpenReview(id=review.id, request_id=request, timeout=3))
    assert refused.code.name in ("UNAVAILABLE", "DEADLINE_EXCEEDED")
    assert refused.code.name == "DEADLINE_EXCEEDED" or refused.reason == "PEER_UNAVAILABLE"
    link.heal()
    served(lambda: manager.OpenReview(id=review.id, request_id=request, timeout=5))
    assert manager.OpenReview(id=review.id, request_id=request).state == IN_SESSION


def test_while_one_service_cannot_reach_the_database_the_others_serve(manager, between):
    with silent_link(between):
        told_at_once(lambda timeout: manager.ListActions(page_size=1, timeout=timeout))
        for _ in range(10):
            assert manager.ListInputs(page_size=1, timeout=5) is not None
    served(lambda: manager.ListActions(page_size=1, timeout=5))


def test_writes_wait_for_their_standby_and_are_never_acknowledged_without(manager):
    """A commit that no standby has is of unknown outcome until one has it."""
    stack().control("start", "standby")
    request = dict(request_id=new_id(), **an_action(manager, "Without a standby"))
    try:
        assert manager.CreateAction(**an_action(manager, "With a standby")).revision == 1
        stack().control("stop", "standby", "INT")
        answers = []

        def writer():
            answers.append(refusal(lambda: manager.CreateAction(timeout=3, **request)))

        first = threading.Thread(target=writer)
        first.start()
        until(lambda: int(stack().sql("select count(*) from pg_stat_activity where wait_event = 'SyncRep'").stdout) > 0,
              what="the commit to wait")
        first.join(10)
        assert answers[0].code.name in ("DEADLINE_EXCEEDED", "UNAVAILABLE"), answers
        again = refusal(lambda: manager.CreateAction(timeout=4, **request))
        assert again and again.code.name in ("DEADLINE_EXCEEDED", "UNAVAILABLE", "ABORTED"), again
        # An administrator cuts the wait short: PostgreSQL reports success with a mere warning, which is not passed on.
        stack().sql("select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'")
        still = refusal(lambda: manager.CreateAction(timeout=4, **request))
        assert still and still.code.name in ("DEADLINE_EXCEEDED", "UNAVAILABLE", "ABORTED"), still
        stack().control("start", "standby")
        made = until(lambda: refusal(lambda: manager.CreateAction(timeout=5, **request)) is None
                     and manager.CreateAction(**request), what="the write to be settled")
        assert manager.GetAction(id=made.id) == made
    finally:
        stack().sql("alter system reset synchronous_standby_names")
        stack().sql("select pg_reload_conf()")
        stack().control("stop", "standby", "INT")
