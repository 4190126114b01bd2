"""What a process of each service takes: at rest, for idle connections, and for calls at the largest message.

Needs the stack that `tests/bench/run.sh memory` starts. Levels, not times: they hold for other machines of the same
kind.
"""

import concurrent.futures
import pathlib
import re
import socket
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/lib"), str(ROOT / "tests/abuse")]

from attack import PREFACE, SETTINGS, frame  # noqa: E402
from hostile import packed, send  # noqa: E402
from isms_client import SERVICES, Organisation, Refused, api, stack  # noqa: E402

CONNECTIONS = 1000
AT_ONCE, CALLS = 8, 16
MESSAGE, SUMMARY = 4 << 20, 20000


def resident(service, what="VmRSS"):
    status = pathlib.Path(f"/proc/{stack().pid(service)}/status").read_text()
    return int(re.search(rf"{what}:\s+(\d+) kB", status).group(1)) / 1024


def settled(service):
    """The memory once it has not changed for two seconds."""
    last, since = resident(service), time.monotonic()
    while time.monotonic() - since < 2:
        time.sleep(0.1)
        now = resident(service)
        if abs(now - last) > 0.2:
            last, since = now, time.monotonic()
    return last


def for_connections(service):
    """MiB per 1,000 connections that are open and idle."""
    before = settled(service)
    idle = [socket.create_connection(("127.0.0.1", stack().port(service))) for _ in range(CONNECTIONS)]
    for one in idle:
        one.sendall(PREFACE + frame(SETTINGS, 0, 0))
    taken = settled(service) - before
    for one in idle:
        one.close()
    return taken * 1000 / CONNECTIONS


def for_messages(manager):
    """(MiB per call, calls at once): the peak while the largest messages are taken in, over the level before."""
    before = settled("inputs")
    upsert = api().by_name["BatchUpsertInputs"]
    with open(f"/proc/{stack().pid('inputs')}/clear_refs", "w") as peak:
        peak.write("5")

    def call(number):
        data = packed("BatchUpsertInputs", inputs=[
            {"title": f"Large {n}", "summary": "x" * SUMMARY, "source": f"s{number}", "external_id": str(n),
             "finding": {"grade": "GRADE_MINOR"}} for n in range(MESSAGE // (SUMMARY + 100))])
        try:
            send(upsert, data, manager.credential, timeout=60)
        except Refused as refused:
            return refused.code.name
        return "OK"

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(call, range(CALLS)))
    return (resident("inputs", "VmHWM") - before) / AT_ONCE, sorted(set(answers))


def main():
    rest = {service: settled(service) for service in SERVICES}
    manager = Organisation().person("ISMS_MANAGER")
    print(f"{'service':<12}{'at rest':>12}{'per 1,000 idle connections':>30}")
    for service in SERVICES:
        print(f"{service:<12}{rest[service]:>8.1f} MiB{for_connections(service):>26.1f} MiB")
    taken, answers = for_messages(manager)
    print(f"a call at the largest message ({MESSAGE >> 20} MiB, BatchUpsertInputs, {AT_ONCE} at once, answered "
          f"{', '.join(answers)}): {taken:.1f} MiB")


if __name__ == "__main__":
    main()
