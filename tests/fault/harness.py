#!/usr/bin/python3
"""Faults at random under a checked load, for a bounded time, by a seed that is printed.

    tests/fault/harness.py --bin build/release/bin [--seconds 90] [--seed N]

Starts an installation of its own: four services, Redis, PostgreSQL with a synchronous standby, and a link that can be
broken (fault_proxy.py) between any two of them and in front of the clients. Round after round, under the load of
fault_load.py, something is killed, stopped, restarted, cut, silenced or slowed; half way the primary is killed for good
and the standby takes over. After each round the load pauses, and what the database holds is compared with what the
clients know:

- every acknowledged write is there, and happened once (invariant 8), whatever the first try was answered;
- an organisation's sequence has no gaps, and what is in its rows is its own (invariant 1);
- every answer was right: as acknowledged before, or a status that fits a fault, never INTERNAL;
- what is whole again serves again within RECOVERY_MAX seconds; later, in proportion, on a machine that has more to run
  than this takes.

Ends with 1 where anything was wrong. The same seed gives the same faults, though not the same moments.
"""

import argparse
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))

from fault_load import Load, Reviewer, Worker  # noqa: E402
from fault_process import frozen, kill, signal_all  # noqa: E402
from fault_proxy import Links  # noqa: E402
from isms_client import SERVICES, Organisation, new_id, stack, until  # noqa: E402
import story  # noqa: E402

RECOVERY_MAX = 5.0
LOAD_USUAL = 2.0  # of this program alone, per core
PEERS = {"reviews": ("inputs", "actions"), "reporting": ("inputs", "reviews", "actions")}


class Installation:
    """The stack, with links in between."""

    def __init__(self, programs):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="isms-harness.", dir="/var/tmp"))
        self.folder.chmod(0o755)
        os.environ.update(ISMS_TEST_STACK=str(self.folder), ISMS_TEST_STACK_BIN=str(self.folder / "bin"),
                          ISMS_TEST_ROOT=str(ROOT))
        shutil.copytree(programs, self.folder / "bin")
        self.links = Links()
        self.between = {}

    def start(self):
        ports = {name: int(stack().control("port", name)) for name in (*SERVICES, "redis", "postgres", "standby")}
        (self.folder / "via").mkdir()
        for service in SERVICES:
            self.connect("clients", service, [ports[service]])
            self.connect(service, "postgres", [ports["postgres"], ports["standby"]])
            self.connect(service, "redis", [ports["redis"]])
            for peer in PEERS.get(service, ()):
                self.connect(service, peer, [ports[peer]])
        stack().control("up")
        stack().control("start", "standby")

    def connect(self, one, other, ports):
        made = [self.links.link(f"{one} to {other}", port) for port in ports]
        self.between[one, other] = made
        (self.folder / "via" / f"{one}.{other}").write_text(",".join(link.address for link in made))

    def links_to(self, other):
        return [link for pair, links in self.between.items() if pair[1] == other for link in links]

    def stop(self):
        stack().control("down")
        self.links.close()

    def remove(self, keep_log_in=None):
        if keep_log_in:
            shutil.copytree(self.folder / "log", keep_log_in, dirs_exist_ok=True)
        shutil.rmtree(self.folder)


# --- the faults ------------------------------------------------------------------------------------------------
# Each is a context: the fault is on inside, and its end is what recovery is measured from.

class Faults:
    def __init__(self, installation, random_):
        self.installation, self.random = installation, random_
        self.promoted = False
        self.over = None  # when a fault ended, where that was not at the end of its context
        self.ending = False  # a service was told to end and has not been started again

    def choose(self):
        """A fault's name and its context."""
        kinds = [self.service_away, self.service_away, self.service_frozen, self.redis, self.database_frozen,
                 self.database_restarted, self.backend_killed, self.link, self.link, self.link, self.links_to_database]
        if not self.promoted:
            kinds.append(self.standby_frozen)
        return self.random.choice(kinds)()

    def service_away(self):
        name, how = self.random.choice(SERVICES), self.random.choice(["KILL", "KILL", "TERM"])
        return f"{name} ended by {how} and started", lambda: self.ended(name, how)

    def service_frozen(self):
        name = self.random.choice(SERVICES)
        return f"{name} stopped and woken", lambda: frozen(name)

    def redis(self):
        if self.random.random() < 0.5:
            return "redis stopped and woken", lambda: frozen("redis")
        return "redis ended by KILL and started", lambda: self.ended("redis", "KILL")

    def database_frozen(self):
        return f"{stack().primary} stopped and woken", lambda: frozen(stack().primary)

    def database_restarted(self):
        how = self.random.choice(["INT", "QUIT"])
        return f"{stack().primary} ended by {how} and started", lambda: self.ended(stack().primary, how)

    def backend_killed(self):
        """PostgreSQL ends all sessions then, and recovers from its log."""
        number = self.random.randrange(1 << 16)

        @contextlib.contextmanager
        def killed():
            sessions = stack().sql("select pid from pg_stat_activity where usename like 'isms%' order by pid")
            pids = sessions.stdout.split()
            signal_all([int(pids[number % len(pids)])] if pids else [], signal.SIGKILL)
            yield
            self.database_back()
        return f"a session of {stack().primary} killed", killed

    def standby_frozen(self):
        return "the standby stopped and woken: commits wait", lambda: frozen("standby")

    def link(self):
        links = self.random.choice(sorted(self.installation.between.items()))[1]
        return self.broken(links)

    def links_to_database(self):
        return self.broken(self.installation.links_to("postgres"))

    def broken(self, links):
        how, argument = self.random.choice([("cut", ()), ("refuse", ()), ("silence", ()), ("slow", (0.2,)),
                                            ("cut_after", (self.random.randrange(4000),))])

        @contextlib.contextmanager
        def done():
            for link in links:
                getattr(link, how)(*argument)
            try:
                yield
            finally:
                for link in links:
                    link.heal()
        name = links[0].name if len(links) <= 2 else "all to postgres"
        return f"{name}: {how}{argument or ''}", done

    @contextlib.contextmanager
    def ended(self, name, how):
        if how == "KILL":
            kill(name)
        else:
            self.ending = name in SERVICES
            stack().control("stop", name, how)
        yield
        self.ending = False
        if name in SERVICES:
            self.over = time.monotonic()  # what it takes to start counts
            stack().control("launch", name)
        else:
            stack().control("start", name)
            self.database_back()

    def database_back(self):
        until(lambda: stack().sql("select 1").returncode == 0, 60, "the database")
        self.over = time.monotonic()

    @contextlib.contextmanager
    def failover(self):
        """The primary is gone for good, and its standby takes over."""
        kill("postgres")
        yield
        stack().control("promote")
        stack().primary = "standby"
        self.promoted = True
        self.database_back()


# --- what must hold ----------------------------------------------------------------------------------------------

def rows(statement):
    done = stack().sql(f"select coalesce(json_agg(found), '[]') from ({statement}) found")
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def check(load, workers):
    """Compares the database with what the clients know. The load is paused: nothing is open."""
    known = {id: action for worker in workers for id, action in worker.actions.items()}
    stored = {row["id"]: row for row in rows("select id, title, revision from actions.action")}
    for id, action in known.items():
        row = stored.get(id)
        if row is None:
            load.blame(f"lost: action {action.title}")
        elif (row["title"], row["revision"]) != (action.title, action.revision):
            load.blame(f"action {id} is {row} and was acknowledged as {action.title}, revision {action.revision}")
    for id in stored.keys() - known.keys():
        load.blame(f"done twice, or without an acknowledgement: {stored[id]}")
    for row in rows("select row_id, table_name, count(*) as changes, max(revision) as revision from core.change "
                    "group by 1, 2 having count(*) <> max(revision)"):
        load.blame(f"a change lost or done twice: {row}")
    for row in rows("""
        select s.tenant_id, s.value, count(distinct u.sequence) as used, min(u.sequence) as first
        from core.sequence s join (select tenant_id, sequence from core.change
                                   union select tenant_id, sequence from core.request) u using (tenant_id)
        group by 1, 2 having s.value <> count(distinct u.sequence) + min(u.sequence) - 1"""):
        load.blame(f"a gap in the sequence: {row}")
    for tenant, marker in load.markers.items():
        for row in rows(f"select tenant_id, table_name, row_id from core.change "
                        f"where tenant_id <> '{tenant}' and content like '%{marker}%' limit 5"):
            load.blame(f"{marker} in another organisation's row: {row}")
    opened = {id for client in load.clients if isinstance(client, Reviewer) for id in client.opened}
    stored = {row["id"] for row in rows("select id from reviews.review where state = 'IN_SESSION'")}
    if stored != opened:
        load.blame(f"opened meetings: {stored ^ opened} not both in the database and acknowledged")


def recovery_max():
    return RECOVERY_MAX * max(os.getloadavg()[0] / os.cpu_count() / LOAD_USUAL, 1)


class Prober:
    """Asks each service, and for a write, until it is served."""

    def __init__(self, worker):
        self.worker = worker
        self.request = None

    def recovery(self, since):
        """Seconds from then until each was served, {what: seconds}."""
        open_ = {"write": self.write, "actions": lambda: self.worker.call("ListActions", timeout=1, page_size=1),
                 "inputs": lambda: self.worker.call("ListInputs", timeout=1, page_size=1),
                 "reviews": lambda: self.worker.call("ListReviews", timeout=1, page_size=1),
                 "reporting": lambda: self.worker.call("GetDashboard", timeout=1)}
        served = {}
        while open_ and time.monotonic() - since < 30:
            for name in list(open_):
                if open_[name]() is not None:
                    served[name] = time.monotonic() - since
                    del open_[name]
            time.sleep(0.02)
        served.update({name: float("inf") for name in open_})
        return served

    def write(self):
        """The same request until it is served, as a model's client does."""
        worker = self.worker
        if not self.request:
            worker.made += 1
            self.request = dict(request_id=new_id(), action={
                "title": f"{worker.marker} probe {worker.made}", "owner_id": worker.caller.member,
                "due_date": story.day(30)})
        answer = worker.call("CreateAction", timeout=1, **self.request)
        if answer is not None:
            worker.keep(answer, title=self.request["action"]["title"], revision=1)
            self.request = None
        return answer


# --- the rounds ------------------------------------------------------------------------------------------------------

class Run:
    def __init__(self, arguments):
        self.arguments = arguments
        self.random = random.Random(arguments.seed)
        self.installation = Installation(arguments.bin)
        self.faults = Faults(self.installation, self.random)
        self.recoveries = []
        self.load = None

    def prepare(self):
        organisations = [Organisation(f"Harness {n}") for n in range(2)]
        for organisation in organisations:
            story.record_inputs(organisation.person("ISMS_MANAGER"))
        self.load = Load(organisations, self.arguments.seed, lambda: self.faults.ending)
        worker = Worker(self.load, organisations[0], f"{self.arguments.seed}.probe")
        self.workers = [worker, *(client for client in self.load.clients if isinstance(client, Worker))]
        self.prober = Prober(worker)

    def round(self, name, fault):
        duration = 0.3 + 3 * self.random.random()
        self.faults.over = None
        with fault():
            time.sleep(duration)
        over = self.faults.over or time.monotonic()
        served = self.prober.recovery(over)
        slowest = max(served, key=served.get)
        self.recoveries.append((served[slowest], name))
        print(f"{time.monotonic() - self.started:6.1f} s  {name}, for {duration:.1f} s: "
              f"whole after {served[slowest]:.2f} s ({slowest})", flush=True)
        if served[slowest] > recovery_max():
            self.load.blame(f"{name}: {slowest} was not served within {recovery_max():.1f} s, "
                            f"but {served[slowest]:.1f} s")
        self.load.pause()
        check(self.load, self.workers)
        self.load.resume()

    def run(self):
        self.installation.start()
        self.prepare()
        self.load.start()
        self.started = time.monotonic()
        while (elapsed := time.monotonic() - self.started) < self.arguments.seconds and not self.load.wrong:
            if elapsed > self.arguments.seconds / 2 and not self.faults.promoted:
                self.round("the primary killed for good, the standby promoted", self.faults.failover)
            else:
                self.round(*self.faults.choose())
        self.load.pause()
        check(self.load, self.workers)
        self.load.stop()

    def report(self):
        counts = self.load.statuses
        made = sum(len(worker.actions) for worker in self.workers)
        print(f"{len(self.recoveries)} rounds; {sum(counts.values())} calls; {made} actions; "
              f"recovery: median {sorted(self.recoveries)[len(self.recoveries) // 2][0]:.2f} s, "
              f"worst {max(self.recoveries)[0]:.2f} s ({max(self.recoveries)[1]})")
        for status, count in counts.most_common():
            print(f"{count:8d} {status}")
        for line in self.load.wrong[:20]:
            print(f"WRONG: {line}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", default=os.environ.get("ISMS_TEST_STACK_BIN", str(ROOT / "build/release/bin")))
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--keep-log", help="a folder for the services' logs where anything was wrong")
    run = Run(parser.parse_args())
    print(f"seed {run.arguments.seed}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        run.run()
        run.report()
    finally:
        run.installation.stop()
        wrong = not run.load or run.load.wrong
        run.installation.remove(run.arguments.keep_log if wrong else None)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
