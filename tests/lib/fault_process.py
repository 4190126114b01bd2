"""What befalls processes: stopped and woken, killed."""

import contextlib
import os
import pathlib
import signal
import subprocess

from isms_client import stack


def children(pid):
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True)
    return [int(line) for line in found.stdout.split()]


def family(name):
    """The process of that name with its children: all of a PostgreSQL."""
    pid = stack().pid(name)
    return [pid, *children(pid)]


def signal_all(pids, number):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def launcher_of(pid):
    """Where root started a process through runuser, that stops with it, and has to be woken with it."""
    parent = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    return [parent] if pathlib.Path(f"/proc/{parent}/comm").read_text() == "runuser\n" else []


@contextlib.contextmanager
def frozen(name):
    """The process and its children stand still."""
    pids = family(name)
    launcher = launcher_of(pids[0])
    signal_all(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        signal_all([*launcher, *pids], signal.SIGCONT)


def kill(name):
    """kill -9, of its children too, which would otherwise live on for a moment."""
    pids = family(name)
    stack().control("stop", name, "KILL")
    signal_all(pids[1:], signal.SIGKILL)
