"""A bounded run of the harness; longer ones by hand: tests/fault/harness.py --seconds 3600 --seed N."""

import os
import pathlib
import random
import subprocess
import sys

SECONDS = 90


def test_nothing_acknowledged_is_lost_or_done_twice_whatever_befalls():
    """Invariants 1, 8 and 12, with a synchronous standby promoted in the middle."""
    seed = os.environ.get("ISMS_TEST_SEED", str(random.SystemRandom().randrange(1 << 31)))
    harness = pathlib.Path(__file__).parent / "harness.py"
    done = subprocess.run([sys.executable, "-B", str(harness), "--seconds", str(SECONDS), "--seed", seed,
                           "--bin", os.environ["ISMS_TEST_STACK_BIN"]], capture_output=True, text=True)
    print(done.stdout[-10000:])
    wrong = [line for line in done.stdout.splitlines() if line.startswith("WRONG")]
    assert done.returncode == 0, "\n".join([f"seed {seed}", *wrong, done.stderr[-5000:]])
