"""Processes are killed, frozen and cut off in the middle of the work: what was acknowledged is there, what was repeated
happened once, and what one organisation or peer suffers the others do not."""

import contextlib
import os
import signal
import subprocess
import threading
import time

import pytest
import story
from csv_import import everything
from fault_process import frozen
from isms_client import SERVICES, Organisation, Refused, new_id, stack, until

SIGNED, IN_SESSION, PREPARING = 5, 3, 2


@pytest.fixture(scope="module")
def organisation():
    return Organisation()


@pytest.fixture(autouse=True)
def everything_runs():
    yield
    for name in ("postgres", "redis", *SERVICES):
        stack().control("start", name)


def an_action(manager, title="Once", **more):
    return {"action": {"title": title, "owner_id": manager.member, "due_date": story.day(30), **more}}


def titled(manager, title):
    return [action for action in everything(manager.ListActions, "actions") if action.title == title]


def persistently(call, seconds=30):
    """As a careful client: while the service says that it cannot just now, the same request again."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return call()
        except Refused as refused:
            if refused.code.name != "UNAVAILABLE" or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


class InBackground:
    """A call in a thread; what came of it is asked for later."""

    def __init__(self, call):
        self.answer = self.refused = None
        self.thread = threading.Thread(target=self._run, args=(call,), daemon=True)
        self.thread.start()

    def _run(self, call):
        try:
            self.answer = call()
        except Refused as refused:
            self.refused = refused

    @property
    def over(self):
        return not self.thread.is_alive()

    def wait(self, seconds=30):
        self.thread.join(seconds)
        assert self.over, "the call got no answer"
        return self.answer


@contextlib.contextmanager
def writers_held(tenant):
    """Holds the organisation's order of writes in a session of its own, until it is released."""
    password = (stack().folder / "password").read_text().strip()
    session = subprocess.Popen(
        ["psql", "-X", "-q", "-At", "-h", "127.0.0.1", "-p", str(stack().port("postgres")), "-U", "postgres",
         "-d", "isms"],
        env=dict(os.environ, PGPASSWORD=password), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def release():
        if session.poll() is None:
            session.communicate("commit;\n", timeout=10)

    session.stdin.write(f"begin; select 'held' from core.sequence where tenant_id = '{tenant}' for update;\n")
    session.stdin.flush()
    assert session.stdout.readline().strip() == "held"
    try:
        yield release
    finally:
        release()


def waiting(service, milliseconds=0):
    """One of the service's sessions waits for a lock, and has waited that long."""
    seen = stack().sql(
        f"select count(*) from pg_stat_activity where usename = 'isms_{service}' and wait_event_type = 'Lock'"
        f" and clock_timestamp() - query_start >= interval '{milliseconds} ms'")
    return int(seen.stdout or 0) > 0


def count(statement):
    done = stack().sql(statement)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def kill(service):
    stack().control("stop", service, "KILL")


def test_the_database_of_this_suite_is_durable():
    settings = stack().sql("select current_setting('fsync') || current_setting('synchronous_commit') "
                           "|| current_setting('full_page_writes')")
    assert settings.stdout.strip() == "ononon"


# --- the same request ------------------------------------------------------------------------------------

def test_a_repeated_request_is_answered_as_the_first_time(manager):
    request = dict(request_id=new_id(), **an_action(manager, "Repeated", labels=["ä", "b"]))
    first = manager.CreateAction(**request)
    manager.UpdateAction(id=first.id, action={"title": "Changed since"}, update_mask="title")
    assert manager.CreateAction(**request) == first
    assert titled(manager, "Changed since")[0].id == first.id and not titled(manager, "Repeated")


def test_the_same_request_in_parallel_happens_once(manager):
    for round in range(5):
        request = dict(request_id=new_id(), **an_action(manager, f"Parallel {round}"))
        calls = [InBackground(lambda: manager.CreateAction(**request)) for _ in range(12)]
        answers = [call.wait() for call in calls]
        assert [call.refused for call in calls] == [None] * 12
        assert all(answer == answers[0] for answer in answers)
        assert len(titled(manager, f"Parallel {round}")) == 1


def test_an_exclusive_call_in_parallel_happens_once(organisation, manager):
    """A method with logic of its own, repeated: CreateKey shows its secret once."""
    request = dict(request_id=new_id(), key={"name": "parallel", "roles": ["ROLE_AUDITOR"]})
    calls = [InBackground(lambda: organisation.admin.CreateKey(**request)) for _ in range(8)]
    answers = [call.wait() for call in calls]
    assert [call.refused for call in calls] == [None] * 8
    assert len({answer.key.id for answer in answers}) == 1
    assert len([answer for answer in answers if answer.api_key]) == 1
    assert len([key for key in everything(organisation.admin.ListKeys, "keys") if key.name == "parallel"]) == 1


def test_the_same_id_for_another_request_is_refused_by_name(manager):
    request = new_id()
    made = manager.CreateAction(request_id=request, **an_action(manager, "First"))
    for call in (lambda: manager.CreateAction(request_id=request, **an_action(manager, "Second")),
                 lambda: manager.CancelAction(request_id=request, id=made.id, reason="x")):
        with pytest.raises(Refused) as refused:
            call()
        assert (refused.value.code.name, refused.value.reason) == ("INVALID_ARGUMENT", "REQUEST_ID_REUSED")
    assert not titled(manager, "Second") and manager.GetAction(id=made.id) == made


def test_different_requests_under_one_id_in_parallel_leave_one(manager):
    request = new_id()
    calls = [InBackground(lambda n=n: manager.CreateAction(request_id=request, **an_action(manager, f"Race {n}")))
             for n in range(8)]
    for call in calls:
        call.wait()
    assert len([call for call in calls if call.answer]) == 1
    assert {call.refused.reason for call in calls if call.refused} == {"REQUEST_ID_REUSED"}
    assert sum(len(titled(manager, f"Race {n}")) for n in range(8)) == 1


def test_an_id_belongs_to_its_organisation(manager):
    other = Organisation().person("ISMS_MANAGER")
    request = new_id()
    one, two = (caller.CreateAction(request_id=request, **an_action(caller, "Same id")) for caller in (manager, other))
    assert one.id != two.id


def test_a_refused_request_does_not_use_up_its_id(manager):
    request = new_id()
    with pytest.raises(Refused) as refused:
        manager.CreateAction(request_id=request, action={"title": "T", "owner_id": new_id(), "due_date": story.day()})
    assert refused.value.reason == "REFERENCE_INVALID"
    assert manager.CreateAction(request_id=request, **an_action(manager, "Corrected")).title == "Corrected"


# --- kill -9 ---------------------------------------------------------------------------------------------

def test_killed_between_commit_and_answer_and_repeated_it_happened_once(organisation, manager):
    """The write waits for the lock; the service is frozen; PostgreSQL commits; the service dies and never answers."""
    request = dict(request_id=new_id(), **an_action(manager, "Killed after the commit"))
    with writers_held(organisation.id) as release:
        call = InBackground(lambda: manager.CreateAction(**request))
        # The first wait is given up within 100 ms; only a service that runs begins the second, of 3 s.
        until(lambda: waiting("actions", 200), what="the write to wait in earnest")
        with frozen("actions"):
            release()
            claimed = f"select count(*) from core.request where request_id = '{request['request_id']}'"
            until(lambda: count(claimed) == 1, what="the commit")
            kill("actions")
    call.wait()
    assert call.refused and call.refused.code.name == "UNAVAILABLE", "it was answered after all"
    stack().control("start", "actions")
    again = persistently(lambda: manager.CreateAction(**request))
    assert again.title == "Killed after the commit"
    assert [action.id for action in titled(manager, "Killed after the commit")] == [again.id]
    assert again == manager.GetAction(id=again.id)


def test_killed_before_the_commit_and_repeated_it_happened_once(organisation, manager):
    request = dict(request_id=new_id(), **an_action(manager, "Killed before the commit"))
    with writers_held(organisation.id):
        call = InBackground(lambda: manager.CreateAction(**request))
        until(lambda: waiting("actions"), what="the write to wait")
        kill("actions")
        call.wait()
    assert call.refused.code.name == "UNAVAILABLE"
    stack().control("start", "actions")
    again = persistently(lambda: manager.CreateAction(**request))
    assert [action.id for action in titled(manager, "Killed before the commit")] == [again.id]


def ready_to_sign(organisation, manager, title):
    chair = organisation.person("TOP_MANAGEMENT")
    review = story.Review(manager, chair, title=title)
    review.open()
    review.discuss()
    review.decide(f"{title} decides", f"{title} acts", f"{title} acts more")
    review.minutes()
    return review, dict(id=review.id, etag=manager.GetReview(id=review.id).etag, request_id=new_id())


def signed_once(manager, review):
    assert manager.GetReview(id=review.id).state == SIGNED
    assert count(f"select count(*) from reviews.record where review_id = '{review.id}'") == 1
    actions = until(lambda: len(found := everything(manager.ListActions, "actions", review_id=review.id)) >= 2
                    and found,
                    30, "the actions")
    assert len(actions) == 2 and len({action.number for action in actions}) == 2


def test_killed_while_it_signs_the_review_is_not_signed_and_can_be(organisation, manager):
    review, request = ready_to_sign(organisation, manager, "Killed while signing")
    with writers_held(organisation.id):
        call = InBackground(lambda: review.chair.SignReview(**request))
        until(lambda: waiting("reviews"), what="the signature to wait")
        kill("reviews")
        call.wait()
        assert count(f"select count(*) from reviews.record where review_id = '{review.id}'") == 0
    stack().control("start", "reviews")
    answer = persistently(lambda: review.chair.SignReview(**request))
    assert answer.state == SIGNED
    assert persistently(lambda: review.chair.SignReview(**request)) == answer
    signed_once(manager, review)


def test_killed_after_signing_before_the_actions_were_issued_they_are_issued_once(organisation, manager):
    """The actions service is frozen, so that signing gets as far as the record and no further."""
    review, request = ready_to_sign(organisation, manager, "Killed after signing")
    with frozen("actions"):
        call = InBackground(lambda: review.chair.SignReview(**request))
        until(lambda: count(f"select count(*) from reviews.record where review_id = '{review.id}'") == 1,
              what="the record")
        kill("reviews")
        call.wait()
    stack().control("start", "reviews")
    assert persistently(lambda: review.chair.SignReview(**request)).state == SIGNED
    signed_once(manager, review)


# --- the database goes and comes back --------------------------------------------------------------------

@pytest.mark.parametrize("how", ["INT", "QUIT"])
def test_a_restart_of_the_database_under_load_loses_nothing_that_was_acknowledged(manager, how):
    """INT is an orderly restart that cuts sessions off; QUIT is a crash: no checkpoint, recovery from the log."""
    stop, acknowledged, refusals = threading.Event(), [], []

    def client(number):
        for n in range(100_000):
            if stop.is_set():
                return
            title, request = f"Load {how} {number} {n}", new_id()
            while True:
                try:
                    made = manager.CreateAction(request_id=request, timeout=20, **an_action(manager, title))
                    acknowledged.append((title, made.id))
                    break
                except Refused as refused:
                    refusals.append(refused)
                    if stop.is_set():
                        return

    clients = [threading.Thread(target=client, args=(number,), daemon=True) for number in range(6)]
    for thread in clients:
        thread.start()
    try:
        until(lambda: len(acknowledged) > 50, what="some load")
        stack().control("stop", "postgres", how)
        until(lambda: any(refused.reason for refused in refusals), what="a refusal")
        gone = len(acknowledged)
        stack().control("start", "postgres")
        until(lambda: len(acknowledged) > gone + 50, 30, "the services to recover by themselves")
    finally:
        stop.set()
    for thread in clients:
        thread.join(30)
        assert not thread.is_alive()
    strange = [refused for refused in refusals if refused.reason not in ("DATABASE_UNAVAILABLE", "OUTCOME_UNKNOWN")]
    assert strange == []
    assert {refused.code.name for refused in refusals} == {"UNAVAILABLE"}
    there = {}
    for action in everything(manager.ListActions, "actions"):
        there.setdefault(action.title, []).append(action.id)
    assert [title for title, id in acknowledged if there.get(title) != [id]] == []
    assert [title for title, ids in there.items() if title.startswith("Load") and len(ids) != 1] == []


def test_without_a_database_the_services_say_so_and_live(manager):
    pids = {service: stack().pid(service) for service in SERVICES}
    stack().control("stop", "postgres", "INT")
    refused = until(lambda: refusal_of(lambda: manager.ListActions(timeout=10)), what="a refusal")
    assert (refused.code.name, refused.reason) == ("UNAVAILABLE", "DATABASE_UNAVAILABLE")
    with pytest.raises(OSError):  # 503
        until(lambda: stack().admin("actions", "/readyz") is None, 5)
    assert stack().admin("actions", "/livez")
    stack().control("start", "postgres")
    until(lambda: not refusal_of(lambda: manager.ListActions(timeout=10)), what="the recovery")
    assert {service: stack().pid(service) for service in SERVICES} == pids


def refusal_of(call):
    try:
        call()
    except Refused as refused:
        return refused
    return None


# --- Redis, peers, shutdown ------------------------------------------------------------------------------

def test_without_redis_everything_works(organisation, manager):
    stack().control("stop", "redis", "KILL")
    made = manager.CreateAction(**an_action(manager, "Without Redis"))
    assert manager.GetAction(id=made.id) == made
    before = manager.GetDashboard()
    assert not before.cached
    manager.CreateAction(**an_action(manager, "Without Redis too"))
    assert manager.GetDashboard().actions.open == before.actions.open + 1
    stack().control("start", "redis")
    until(lambda: manager.GetDashboard().cached, 20, "the cache to be used again")


def prepared(organisation, manager, title):
    review = story.Review(manager, organisation.person("TOP_MANAGEMENT"), title=title)
    manager.PrepareReview(id=review.id)
    return review


@pytest.mark.parametrize("peer", ["inputs", "actions"])
def test_a_meeting_does_not_open_while_a_peer_is_away(organisation, manager, peer):
    review = prepared(organisation, manager, f"Without {peer}")
    before = manager.GetReview(id=review.id)
    stack().control("stop", peer, "KILL")
    with pytest.raises(Refused) as refused:
        manager.OpenReview(id=review.id, timeout=20)
    assert (refused.value.code.name, refused.value.reason) == ("UNAVAILABLE", "PEER_UNAVAILABLE")
    assert refused.value.facts["service"] == peer
    assert manager.GetReview(id=review.id) == before
    stack().control("start", peer)
    opened = persistently(lambda: manager.OpenReview(id=review.id))
    assert opened.state == IN_SESSION and opened.input_snapshot_sha256 and opened.action_snapshot_sha256


@pytest.mark.parametrize("peer", ["inputs", "actions"])
def test_a_meeting_does_not_open_while_a_peer_is_frozen(organisation, manager, peer):
    review = prepared(organisation, manager, f"With {peer} frozen")
    before, request = manager.GetReview(id=review.id), new_id()
    with frozen(peer):
        with pytest.raises(Refused) as refused:
            manager.OpenReview(id=review.id, request_id=request, timeout=3)
        assert refused.value.code.name in ("DEADLINE_EXCEEDED", "UNAVAILABLE")
        assert manager.GetReview(id=review.id) == before
    assert persistently(lambda: manager.OpenReview(id=review.id, request_id=request)).state == IN_SESSION


def test_a_shutdown_lets_calls_under_way_end(organisation, manager):
    with writers_held(organisation.id) as release:
        call = InBackground(lambda: manager.CreateAction(**an_action(manager, "While shutting down")))
        until(lambda: waiting("actions"), what="the write to wait")
        pid = stack().pid("actions")
        os.kill(pid, signal.SIGTERM)
        until(lambda: refusal_of(lambda: manager.ListActions(timeout=1)), what="new calls to be refused")
        assert not call.over
        release()
    made = call.wait()
    assert made, call.refused
    until(lambda: not os.path.exists(f"/proc/{pid}") or ") Z" in open(f"/proc/{pid}/stat").read(),
          what="the process to end")
    stack().control("start", "actions")
    assert persistently(lambda: manager.GetAction(id=made.id)) == made


# --- one organisation's lock is not another's ------------------------------------------------------------

def test_a_held_lock_of_one_organisation_does_not_hold_another(organisation, manager):
    other = Organisation().person("ISMS_MANAGER")
    mine = other.CreateAction(**an_action(other, "Mine"))
    released, ended = threading.Event(), []

    def writer():
        """Tries again whenever its write is given up, so that it always waits."""
        while not released.is_set():
            try:
                manager.CreateAction(timeout=20, **an_action(manager, "Held"))
                ended.append("written")
            except Refused as refused:
                ended.append(refused.reason)

    writers = [threading.Thread(target=writer, daemon=True) for _ in range(2)]
    try:
        with writers_held(organisation.id):
            for thread in writers:
                thread.start()
            until(lambda: waiting("actions"), what="a write to wait")
            for _ in range(200):
                assert other.GetAction(id=mine.id) == mine
            for n in range(20):
                other.CreateAction(**an_action(other, f"While the other is held {n}"))
            assert waiting("actions"), "nobody waited any more"
            assert "written" not in ended
            # A call that stood behind the lock would have waited until a write before it was given up.
            assert len(ended) < 20
    finally:
        released.set()
    for thread in writers:
        thread.join(30)
        assert not thread.is_alive()
    assert set(ended) <= {"written", "CONFLICT"}
