"""Makes tests/lib importable for the suites, and prints what they have measured."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "lib"))


def pytest_terminal_summary(terminalreporter):
    from report import LINES
    for line in LINES:
        terminalreporter.write_line(line)
