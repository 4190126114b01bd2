"""Makes tests/lib importable for the suites, prints what they have measured, and has whom many modules need: each
brings its own `organisation`."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "lib"))


def pytest_terminal_summary(terminalreporter):
    from report import LINES
    for line in LINES:
        terminalreporter.write_line(line)


@pytest.fixture(scope="module")
def manager(organisation):
    return organisation.person("ISMS_MANAGER")


@pytest.fixture(scope="module")
def chair(organisation):
    return organisation.person("TOP_MANAGEMENT")
