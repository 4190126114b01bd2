"""Invariant 12, over HTTP/2: frames that only an attacker sends cost bounded memory and end with the attacker;
meanwhile other callers are served.

Each attack of attack.py goes on for some seconds (ABUSE_SECONDS) against isms-actions, on the cores that it,
the callers and PostgreSQL share. What it cost is printed as a table at the end; only what must hold is asserted, and
no time is.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time

import grpc
import pytest
import story
from attack import attacks
from hostile import packed, processes
from isms_client import ROOT, Caller, Organisation, api, stack, until
from report import table

SECONDS = float(os.environ.get("ABUSE_SECONDS", "2"))
# The setting memory_max, and what comes between two looks.
PEAK_MAX = 640 << 20
# Answers that nobody reads are not what a peer sends: the organisation's tenant_calls_in_flight of them bounds it.
PEAK_MAX_OF_ANSWERS = 1024 << 20
ANSWERS_HELD = ("stalled windows", "slow readers")
DEADLINE = 20
# What the allocator keeps of it afterwards.
LEFT_MAX = 128 << 20
CALLERS = 2
SERVICE = "actions"
ROWS = []


def memory():
    status = pathlib.Path(f"/proc/{stack().pid(SERVICE)}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024


def cpu_seconds():
    fields = pathlib.Path(f"/proc/{stack().pid(SERVICE)}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Watch:
    """The process's memory, looked at every 20 ms, and its CPU time."""

    def __enter__(self):
        self.before, self.peak, self.done = memory(), 0, threading.Event()
        self.started, self.cpu = time.monotonic(), cpu_seconds()
        self.thread = threading.Thread(target=self.look)
        self.thread.start()
        return self

    def look(self):
        while not self.done.is_set():
            self.peak = max(self.peak, memory())
            self.done.wait(0.02)

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()
        self.cpu = (cpu_seconds() - self.cpu) / (time.monotonic() - self.started)


def served(credential, action, stop):
    """Calls one after the other until told to stop, each tenth over a connection of its own; answers the seconds that
    each took. One that is not answered fails the test."""
    method, taken = api().by_name["GetAction"], []
    request = packed("GetAction", id=action)
    channel = None
    while not stop.is_set() or not taken:
        if len(taken) % 10 == 0:
            if channel:
                channel.close()
            channel = grpc.insecure_channel(stack().address(SERVICE), options=[
                ("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)])
        started = time.monotonic()
        while True:  # as every client's service config says: a connection may be lost
            try:
                channel.unary_unary(method.path)(request, timeout=started + DEADLINE - time.monotonic(),
                                                 wait_for_ready=True,
                                                 metadata=[("authorization", f"Bearer {credential}")])
                break
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    raise
        taken.append(time.monotonic() - started)
    channel.close()
    return taken


def quantile(values, share):
    return f"{1000 * sorted(values)[min(len(values) - 1, int(share * len(values)))]:.1f}"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The attacker is a customer as well, with a key of its own and many actions to list."""
    good, bad = Organisation(), Organisation()
    # On a fast machine a few callers reach the usual limit, which other tests are about.
    Caller(stack().platform_key()).SetOrganisationLimits(
        id=good.id, limits={"calls_per_second": 1000000, "calls_burst": 1000000})
    caller = good.key("ISMS_MANAGER")
    action = caller.CreateAction(action={"title": "Wanted", "owner_id": good.admin.member, "due_date": story.day(30)})
    attacker = bad.key("ISMS_MANAGER")
    for n in range(100):
        attacker.CreateAction(action={"title": f"Large {n}", "description": "d" * 4000, "owner_id": bad.admin.member,
                                      "due_date": story.day(30)})
    body = tmp_path_factory.mktemp("abuse") / "list"
    body.write_bytes(packed("ListActions", page_size=100))
    ROWS.append(("attack", "MB sent", "connections", "RSS MiB before", "peak", "after", "CPU s/s", "calls", "p50 ms",
                 "p99 ms"))
    yield {"credential": caller.credential, "action": action.id, "attacker": attacker.credential, "body": body}
    table(ROWS)


def attacked(world, name, seconds=SECONDS):
    """The attack with callers beside it; answers what it cost."""
    stop = threading.Event()
    with Watch() as watch, concurrent.futures.ThreadPoolExecutor(CALLERS) as pool:
        callers = [pool.submit(served, world["credential"], world["action"], stop) for _ in range(CALLERS)]
        try:
            if name:
                done = subprocess.run(
                    [sys.executable, "-B", str(pathlib.Path(__file__).parent / "attack.py"), name,
                     str(stack().port(SERVICE)), str(seconds), world["attacker"], api().by_name["ListActions"].path,
                     str(world["body"])], stdout=subprocess.PIPE, text=True, check=True, timeout=120 + seconds)
                account = json.loads(done.stdout)
            else:
                stop.wait(seconds)
                account = {"megabytes": 0, "connections": 0}
        finally:
            stop.set()
        taken = [each for caller in callers for each in caller.result()]
    until(lambda: memory() < watch.before + LEFT_MAX, 60, "the memory of the attack given back")
    mib = [f"{value / (1 << 20):.0f}" for value in (watch.before, watch.peak, memory())]
    ROWS.append((name or "(none)", account["megabytes"], account["connections"], *mib, f"{watch.cpu:.2f}", len(taken),
                 quantile(taken, 0.5), quantile(taken, 0.99)))
    return watch


def test_callers_alone(world):
    """What the other rows of the table compare with."""
    attacked(world, None)


@pytest.fixture()
def fresh():
    """A process that has seen no other attack."""
    stack().control("restart", SERVICE)


@pytest.mark.parametrize("name", attacks())
def test_an_attack_costs_bounded_memory_and_others_are_served(world, fresh, name):
    before = processes()
    watch = attacked(world, name)
    assert processes() == before
    assert watch.peak < (PEAK_MAX_OF_ANSWERS if name in ANSWERS_HELD else PEAK_MAX)


def written_during(world, name, seconds):
    """What the service logs while it is attacked."""
    log = stack().folder / "log" / f"{SERVICE}.log"
    start = log.stat().st_size
    watch = attacked(world, name, seconds)
    return watch, log.read_text()[start:]


@pytest.mark.parametrize("name, said", [
    ("rapid reset", "the connections that sent most were ended"),
    ("rapid reset at intervals", "peers reset calls as fast as they began them"),
])
def test_who_resets_calls_as_fast_as_it_begins_them_is_ended(world, fresh, name, said):
    _, written = written_during(world, name, SECONDS)
    assert said in written


def test_beyond_memory_max_who_sends_most_is_ended_and_others_are_served(world, monkeypatch):
    monkeypatch.setenv("ISMS_MEMORY_MAX", "128")
    stack().control("restart", SERVICE)
    before = processes()
    watch, written = written_during(world, "headers without end", max(SECONDS, 4))
    assert "the connections that sent most were ended" in written
    assert processes() == before
    assert watch.peak < PEAK_MAX


def test_a_connection_that_sent_much_before_the_attack_stays(world, fresh):
    states = []
    with grpc.insecure_channel(stack().address(SERVICE), options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        call = channel.unary_unary(api().by_name["GetAction"].path)
        for _ in range(30):  # much in sum, each little enough that no attack could be meant
            with pytest.raises(grpc.RpcError):
                call(packed("GetAction", id="x" * 40000), timeout=DEADLINE, wait_for_ready=True)
        channel.subscribe(states.append)
        until(lambda: states, 10, "the state of the channel")
        _, written = written_during(world, "empty DATA frames", SECONDS)
        assert "the connections that sent most were ended" in written
    assert set(states) == {grpc.ChannelConnectivity.READY}


def test_a_process_that_can_accept_no_more_connections_ends():
    """gRPC core 1.51 never accepts again after it once could not: a process that lives on unreachable helps nobody."""
    stack().control("stop", SERVICE)
    room = len(list(pathlib.Path(f"/proc/{stack().pid('inputs')}/fd").iterdir())) + 20
    start = f"ulimit -n {room} && exec bash deploy/lib/stack.sh {stack().folder} start {SERVICE}"
    subprocess.run(["bash", "-c", start], cwd=ROOT, env=dict(os.environ, STACK_BIN=str(stack().bin)), check=True)
    pid = stack().pid(SERVICE)
    held = [socket.create_connection(("127.0.0.1", stack().port(SERVICE))) for _ in range(room)]
    status = pathlib.Path(f"/proc/{pid}/stat")
    until(lambda: not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] == "Z", 60, "the end")
    for one in held:
        one.close()
    stack().control("start", SERVICE)
    assert stack().pid(SERVICE) != pid
