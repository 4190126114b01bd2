"""What the lint scripts share: the tree's files, C without comments, and TAP.

A check is a function that yields a line for each thing that is wrong. An exception to a rule stands in a .list
file beside this one, "path name: reason", and one that is not needed any more is wrong as well.
"""

import functools
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / os.environ.get("PRESET", "release")
TOP = (".ci", "deploy", "docs", "helm", "include", "proto", "services", "tests")
SHOWN = 3


@functools.lru_cache(None)
def tree():
    """Every file of the repository, by path."""
    found = [path for path in ROOT.iterdir() if path.is_file()]
    for top in TOP:
        found += [path for path in (ROOT / top).rglob("*")
                  if path.is_file() and "__pycache__" not in path.parts]
    return {str(path.relative_to(ROOT)): path for path in sorted(found)}


def files(*suffixes, under=("",)):
    for name, path in tree().items():
        if name.endswith(suffixes) and name.startswith(tuple(under)):
            yield name, path


@functools.lru_cache(None)
def text_of(path):
    return path.read_text(encoding="utf-8")


# A comment, or a string or character literal, whichever begins first.
_C_TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
_SQL_TOKEN = re.compile(r"/\*.*?\*/|--[^\n]*|'(?:''|[^'])*'", re.DOTALL)


def _blank(match):
    return re.sub(r"[^\n]", " ", match.group())


@functools.lru_cache(None)
def c_code(path):
    """The text with blanks for comments and literals; #include lines keep their names."""
    lines = _C_TOKEN.sub(_blank, text_of(path)).split("\n")
    for number, line in enumerate(text_of(path).split("\n")):
        if line.startswith("#include"):
            lines[number] = line
    return "\n".join(lines)


def sql_code(text):
    return _SQL_TOKEN.sub(_blank, text)


def places(pattern, name, code, what):
    for match in re.finditer(pattern, code):
        yield f"{name}:{code.count(chr(10), 0, match.start()) + 1}: {what % match.group().strip()}"


class Exceptions:
    """A .list file: keys with reasons, each to be used."""

    def __init__(self, file):
        self.file = file
        self.reasons = {}
        self.used = set()
        for line in (pathlib.Path(__file__).parent / file).read_text().splitlines():
            if line and not line.startswith("#"):
                key, _, reason = line.partition(": ")
                self.reasons[key] = reason.strip()

    def allow(self, key):
        self.used.add(key)
        return bool(self.reasons.get(key))

    def unneeded(self):
        for key in sorted(set(self.reasons) - self.used):
            yield f"tests/lint/{self.file}: '{key}' needs no exception"


def run(*checks):
    """Each check is (name, function). A function that returns a text instead is skipped, for that reason."""
    for number, (name, check) in enumerate(checks, 1):
        found = check()
        if isinstance(found, str):
            print(f"ok {number} - {name} # SKIP {found}")
            continue
        found = list(found)
        more = f" (and {len(found) - SHOWN} more)" if len(found) > SHOWN else ""
        if found:
            print(f"not ok {number} - {name}: {'; '.join(found[:SHOWN])}{more}")
        else:
            print(f"ok {number} - {name}")
        for line in found if more else []:
            print(f"#   {line}")
    sys.stdout.flush()
