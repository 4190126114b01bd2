"""What a suite has measured, printed when it ends (tests/conftest.py)."""

LINES = []


def say(line):
    LINES.append(f"# {line}")  # a comment, in TAP


def table(rows):
    """The first column to the left, the others to the right."""
    widths = [max(len(str(row[n])) for row in rows) for n in range(len(rows[0]))]
    for row in rows:
        say("  ".join(f"{cell:<{width}}" if n == 0 else f"{cell:>{width}}"
                      for n, (cell, width) in enumerate(zip(row, widths))))
