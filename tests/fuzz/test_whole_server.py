"""Invariants 1 and 12 under requests that nobody thought of: whole_server.py says how they are made."""

import os
import random
import time

from report import say
from whole_server import Fuzz

SECONDS = float(os.environ.get("FUZZ_SECONDS", "40"))
SEED = int(os.environ.get("FUZZ_SEED", random.randrange(1 << 32)))
CALLS_FOR_THE_REST = 3000
UNREACHED_MAX = 3  # chance has the last word


def test_nothing_of_another_organisation_is_told_and_no_service_is_at_a_loss():
    fuzz = Fuzz(SEED)
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        fuzz.step()
    fuzz.reach_the_rest(CALLS_FOR_THE_REST)
    fuzz.look_around()
    left_out, public = fuzz.unreached(), [method for method in fuzz.methods if not method.rules.internal]
    say(f"seed {SEED}: {fuzz.calls} calls, "
        + ", ".join(f"{count} {status}" for status, count in fuzz.answers.most_common()))
    say(f"{len(public) - len(left_out)} of {len(public)} rpcs answered OK; not: {', '.join(left_out) or '-'}")
    assert len(left_out) <= UNREACHED_MAX, "a request that is never answered OK was not really tried"
