"""Replicas behind a balancer in the client are restarted one after the other, and no call fails."""

import json
import os
import pathlib
import signal
import threading
import time

import evidence
import grpc
import pytest
import story
from google.protobuf import json_format
from isms_client import ROOT, Organisation, api, new_id, stack, until

REPLICAS = ("actions", "actions-2")


@pytest.fixture
def two_replicas(monkeypatch):
    """Both with the time that a balancer needs to see that one is about to end."""
    monkeypatch.setenv("STACK_DRAIN_DELAY", "1s")
    stack().control("restart", REPLICAS[0])
    stack().control("start", REPLICAS[1])
    yield
    monkeypatch.delenv("STACK_DRAIN_DELAY")
    stack().control("stop", REPLICAS[1])
    stack().control("restart", REPLICAS[0])


def balanced_channel():
    """Over both, as docs/service-config.json has it: round robin over those that say that they serve. Without its
    retries, but for those that gRPC calls transparent: of calls that the server never saw."""
    config = json.loads((ROOT / "docs/service-config.json").read_text())
    for method in config["methodConfig"]:
        method.pop("retryPolicy", None)
    addresses = ",".join(f"127.0.0.1:{stack().port(name)}" for name in REPLICAS)
    return grpc.insecure_channel(f"ipv4:{addresses}", options=[
        ("grpc.service_config", json.dumps(config)), ("grpc.enable_retries", 1),
        ("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 500)])


class Caller(threading.Thread):
    """Writes and reads without a pause; every failure is kept."""

    def __init__(self, channel, credential, member, stopping):
        super().__init__(daemon=True)
        self.channel, self.member, self.stopping = channel, member, stopping
        self.metadata = [("authorization", f"Bearer {credential}")]
        self.served, self.failures = 0, []

    def call(self, name, **fields):
        method = api().by_name[name]
        stub = self.channel.unary_unary(method.path, request_serializer=lambda message: message.SerializeToString(),
                                        response_deserializer=method.response.FromString)
        return stub(json_format.ParseDict(fields, method.request()), timeout=20, metadata=self.metadata)

    def run(self):
        while not self.stopping.is_set():
            try:
                made = self.call("CreateAction", request_id=new_id(), action={
                    "title": "Rolling", "owner_id": self.member, "due_date": story.day(30)})
                if self.call("GetAction", id=made.id) != made:
                    self.failures.append("read something else than was written")
                self.served += 2
            except grpc.RpcError as error:
                self.failures.append(f"{time.monotonic():.2f} {error.code().name}: {error.details()}")


def test_no_call_fails_while_replicas_are_restarted_in_turn(two_replicas):
    manager = Organisation().person("ISMS_MANAGER")
    stopping = threading.Event()
    callers = [Caller(balanced_channel(), manager.credential, manager.member, stopping) for _ in range(4)]
    for caller in callers:
        caller.start()

    def served():
        return sum(caller.served for caller in callers)

    try:
        for _ in range(2):
            for name in REPLICAS:
                before = served()
                until(lambda: served() > before + 50, 30, "some load")
                pid = stack().pid(name)
                stack().control("restart", name)
                assert stack().pid(name) != pid
        before = served()
        until(lambda: served() > before + 50, 30, "the load afterwards")
    finally:
        stopping.set()
        for caller in callers:
            caller.join(30)
    failures = [failure for caller in callers for failure in caller.failures]
    assert failures == [], "\n".join(failures)


def test_a_second_signal_cuts_the_drain_short(monkeypatch):
    """After the first, calls are still served and health says no; after the second it ends, long before its time."""
    monkeypatch.setenv("STACK_DRAIN_DELAY", "300s")
    stack().control("start", REPLICAS[1])
    monkeypatch.delenv("STACK_DRAIN_DELAY")
    pid = stack().pid(REPLICAS[1])
    os.kill(pid, signal.SIGTERM)
    with grpc.insecure_channel(stack().address(REPLICAS[1])) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        until(lambda: check(b"", timeout=5) == b"\x08\x02", 10, "NOT_SERVING")
    os.kill(pid, signal.SIGTERM)
    until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), 20, "the end")
    stack().control("stop", REPLICAS[1])


def test_what_says_that_it_is_ready_serves():
    """From the first moment that it says so: it is asked as often as it can be while it starts."""
    manager = Organisation().person("ISMS_MANAGER")
    replica = evidence.Inputs()
    for _ in range(8):
        replica.start(pause=0.001)
        try:
            assert list(replica.caller(manager).ListInputs().inputs) == []
        finally:
            replica.kill()
