"""A load that knows what it was told: clients of several organisations who write, repeat what was not acknowledged, and
compare every answer with what they have been acknowledged before.

A client owns what it made: nobody else changes it, so it knows its title, state and revision. It repeats a write under
the same request_id until that is acknowledged, as a careful program would; between two writes it reads. Whatever is not
as it must be becomes a line in `wrong`.
"""

import collections
import random
import threading
import time

import story
from isms_client import Refused, new_id

CALL_TIMEOUT = 3
SETTLE_TIMEOUT = 60  # for one write to be acknowledged in the end
IN_SESSION, IN_PROGRESS, DONE = 3, 2, 5

# What a fault may be answered with. Never INTERNAL or UNKNOWN; and nothing that says that the request is wrong.
RIGHT = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED"}


class Load:
    """All clients, and what they saw together."""

    def __init__(self, organisations, seed, is_ending, clients=3):
        """`is_ending` says whether a service is ending, with GOAWAY, just now."""
        self.is_ending = is_ending
        self.lock = threading.Lock()
        self.wrong = []
        self.statuses = collections.Counter()
        self.running = threading.Event()
        self.stopping = False
        self.markers = {organisation.id: f"marker-{organisation.id[:8]}-{organisation.id[-6:]}"
                        for organisation in organisations}
        self.clients = []
        for number, organisation in enumerate(organisations):
            for n in range(clients):
                kind = Reviewer if n == 0 else Worker
                self.clients.append(kind(self, organisation, f"{seed}.{number}.{n}"))

    def start(self):
        self.running.set()
        for client in self.clients:
            client.start()

    def note(self, status):
        with self.lock:
            self.statuses[status] += 1

    def blame(self, what):
        with self.lock:
            self.wrong.append(what)

    def pause(self):
        """Every client ends what it is at: nothing is open or unknown any more."""
        self.running.clear()
        deadline = time.monotonic() + SETTLE_TIMEOUT + 10
        for client in self.clients:
            if not client.idle.wait(max(deadline - time.monotonic(), 0)):
                self.blame(f"{client.name} does not come to an end")

    def resume(self):
        self.running.set()

    def stop(self):
        self.stopping = True
        self.running.set()
        for client in self.clients:
            client.join(SETTLE_TIMEOUT)


class Client(threading.Thread):
    def __init__(self, load, organisation, seed):
        super().__init__(daemon=True, name=f"client {seed}")
        self.load, self.organisation = load, organisation
        self.random = random.Random(seed)
        self.caller = organisation.person("ISMS_MANAGER")
        self.marker = load.markers[organisation.id]
        self.others = [marker.encode() for tenant, marker in load.markers.items() if tenant != organisation.id]
        self.idle = threading.Event()

    def run(self):
        while not self.load.stopping:
            if not self.load.running.is_set():
                self.idle.set()
                self.load.running.wait()
                self.idle.clear()
                continue
            try:
                self.step()
            except Exception as error:  # a bug of the test's own must not look like a quiet success
                self.load.blame(f"{self.name}: {type(error).__name__}: {error}")
                time.sleep(0.2)
        self.idle.set()

    def call(self, method, timeout=CALL_TIMEOUT, **fields):
        """One try: the answer, or None where a fault was answered rightly."""
        began = time.monotonic()
        try:
            answer = getattr(self.caller, method)(timeout=timeout, **fields)
        except Refused as refused:
            self.load.note(f"{refused.code.name} {refused.reason}")
            # gRPC core calls it CANCELLED when the server's notice of the deadline comes in a moment before its own,
            # and, without a drain_delay, what crosses a GOAWAY (docs/service-config.json retries that).
            is_cancelled = refused.code.name == "CANCELLED"
            if refused.code.name not in RIGHT and not (
                    is_cancelled and (time.monotonic() - began > 0.95 * timeout or self.load.is_ending())):
                raise
            if any(other in str(refused).encode() for other in self.others):
                self.load.blame(f"{self.name}: another organisation's marker in a refusal of {method}")
            return None
        self.load.note("OK")
        if any(other in answer.SerializeToString() for other in self.others):
            self.load.blame(f"{self.name}: another organisation's marker in an answer of {method}")
        return answer

    def write(self, method, **fields):
        """The same request until it is acknowledged."""
        request = dict(request_id=new_id(), **fields)
        deadline = time.monotonic() + SETTLE_TIMEOUT
        while time.monotonic() < deadline:
            answer = self.call(method, **request)
            if answer is not None:
                return answer
            time.sleep(0.05 + 0.1 * self.random.random())
        raise TimeoutError(f"{method} {request['request_id']} was never acknowledged")

    def expect(self, what, seen, known):
        if seen != known:
            self.load.blame(f"{self.name}: {what} is {seen} and should be {known}")


class Worker(Client):
    """Makes actions, changes and completes them, and reads them back."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.actions = {}  # id: the last acknowledged answer
        self.made = 0

    def step(self):
        choices = [self.create] if len(self.actions) < 3 else [self.create, self.rename, self.rename, self.progress,
                                                               self.read, self.read, self.list, self.complete]
        self.random.choice(choices)()

    def some(self):
        return self.actions[self.random.choice(sorted(self.actions))]

    def unfinished(self):
        open_ = sorted(id for id, action in self.actions.items() if action.state < DONE)
        return self.actions[self.random.choice(open_)] if open_ else self.create()

    def keep(self, answer, **expected):
        for name, value in expected.items():
            self.expect(f"{name} of {answer.id}", getattr(answer, name), value)
        self.actions[answer.id] = answer
        return answer

    def create(self):
        self.made += 1
        title = f"{self.marker} {self.name} {self.made}"
        return self.keep(self.write("CreateAction", action={"title": title, "owner_id": self.caller.member,
                                                            "due_date": story.day(30)}), title=title, revision=1)

    def rename(self):
        action, self.made = self.unfinished(), self.made + 1
        title = f"{self.marker} {self.name} {self.made}"
        self.keep(self.write("UpdateAction", id=action.id, action={"title": title, "etag": action.etag},
                             update_mask="title"), id=action.id, title=title, revision=action.revision + 1)

    def progress(self):
        action = self.unfinished()
        self.keep(self.write("RecordProgress", id=action.id, note=f"{self.marker} goes on", etag=action.etag,
                             state=IN_PROGRESS), revision=action.revision + 1, state=IN_PROGRESS)

    def complete(self):
        action = self.unfinished()
        self.keep(self.write("CompleteAction", id=action.id, etag=action.etag,
                             evidence=[{"title": f"{self.marker} proof", "uri": "https://example.com/proof"}]),
                  revision=action.revision + 1, state=DONE)

    def read(self):
        action = self.some()
        answer = self.call("GetAction", id=action.id)
        if answer is not None:
            self.expect(f"action {action.id}", answer, action)

    def list(self):
        answer = self.call("ListActions", page_size=50)
        for action in answer.actions if answer else ():
            if self.marker not in action.title:
                self.load.blame(f"{self.name}: {action.title} in its list")


class Reviewer(Client):
    """Opens meetings, one after the other, and looks at the dashboard."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.chair = self.organisation.person("TOP_MANAGEMENT")
        self.programme = self.caller.CreateProgramme(programme={
            "title": f"{self.marker} programme", "interval_months": 6, "quorum_members": 2}).id
        self.opened = {}
        self.made = 0

    def step(self):
        if len(self.opened) < 40 and self.random.random() < 0.3:
            self.open()
        elif self.opened:
            self.read()
        self.call("GetDashboard")

    def open(self):
        self.made += 1
        review = self.write("ScheduleReview", review={
            "title": f"{self.marker} {self.name} {self.made}", "programme_id": self.programme,
            "chair_id": self.chair.member, "planned_date": story.day(),
            "period": {"start_date": story.day(-365), "end_date": story.day()}})
        self.write("PrepareReview", id=review.id)
        opened = self.write("OpenReview", id=review.id)
        self.expect(f"review {review.id}", opened.state, IN_SESSION)
        if not (opened.input_snapshot_sha256 and opened.action_snapshot_sha256):
            self.load.blame(f"{self.name}: review {review.id} opened with half a snapshot")
        self.opened[review.id] = opened

    def read(self):
        opened = self.opened[self.random.choice(sorted(self.opened))]
        answer = self.call("GetReview", id=opened.id)
        if answer is not None:
            self.expect(f"snapshots of {opened.id}",
                        (answer.state, answer.input_snapshot_sha256, answer.action_snapshot_sha256, answer.opening_id),
                        (opened.state, opened.input_snapshot_sha256, opened.action_snapshot_sha256, opened.opening_id))
