"""What an import takes: 100,000 findings into an empty database, where every plan is one for empty tables at first.

Started by `tests/bench/run.sh import` on a stack of its own. The ratio of a phase is the time that its last tenth takes
to that of its second (the first warms up): 1 as long as a portion costs the same however much is there already.
"""

import pathlib
import re
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))

from csv_import import RUNNING, Import, columns  # noqa: E402
from isms_client import Organisation, stack  # noqa: E402

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 100000
READING, CHECKING, STORING = 1, 2, 3
TENTHS = 10


def memory(what):
    status = pathlib.Path(f"/proc/{stack().pid('inputs')}/status").read_text()
    return int(re.search(rf"{what}:\s+(\d+) kB", status).group(1)) / 1024


def file():
    rows = (f'A-{i},Title of row {i},2026-05-01,minor,"a, b","Because of reason {i} that takes a sentence to tell"\n'
            for i in range(ROWS))
    return ("Id,Title,Due,Grade,Labels,Why\n" + "".join(rows)).encode()


def follow(run):
    """When each tenth of each phase was first seen done: {(phase, tenth): seconds}, and the import."""
    started, seen = time.monotonic(), {}
    while True:
        import_ = run.look()
        now = time.monotonic() - started
        done = {CHECKING: import_.rows_checked, STORING: import_.rows_stored}.get(import_.phase, 0)
        if import_.state != RUNNING:
            return seen | {(STORING, TENTHS): now}, import_
        seen.setdefault((import_.phase, done * TENTHS // ROWS), now)
        time.sleep(0.05)


def main():
    run = Import(Organisation().person("ISMS_MANAGER"), file(), columns=columns({
        "Id": "external_id", "Title": "title", "Due": "due_date", "Grade": "finding.grade", "Labels": "labels",
        "Why": "finding.cause.description"})).upload()
    before = memory("VmRSS")
    run.start()
    seen, import_ = follow(run)
    if import_.created != ROWS:
        sys.exit(f"{import_.created} of {ROWS} rows were stored: {import_.errors}")
    seen[CHECKING, TENTHS] = seen[STORING, 0]
    print(f"reading   {seen[CHECKING, 0]:6.1f} s")
    for phase, name in ((CHECKING, "checking"), (STORING, "storing")):
        second, last = (seen[phase, n] - seen[phase, n - 1] for n in (2, TENTHS))
        print(f"{name:9} {seen[phase, TENTHS] - seen[phase, 0]:6.1f} s   last tenth to second {last / second:.2f}")
    print(f"all       {seen[STORING, TENTHS]:6.1f} s")
    print(f"memory of the service: {before:.0f} MiB before, {memory('VmHWM'):.0f} MiB at most")


if __name__ == "__main__":
    main()
