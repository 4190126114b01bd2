"""Rules about the text of the sources; see docs/testing.md."""

import ast
import json
import re
import subprocess

import tap

SOURCES = (".c", ".h")
OURS = ("include/", "services/")
TEXTS = (".c", ".h", ".def", ".sql", ".proto", ".sh", ".py")
LINE_MAX = 120
FUNCTION_AIM, FUNCTION_MAX = 60, 100
FILE_AIM, FILE_MAX = 600, 1000

# Where a call's work is done; the memory there is the call's arena.
REQUEST_PATHS = tuple(f"services/{folder}/" for folder in
                      ("inputs", "reviews", "actions", "reporting", "runtime/rpc", "runtime/proto"))
ALLOCATORS = (r"\b(?:malloc|calloc|realloc|reallocarray|strdup|strndup|asprintf|vasprintf|open_memstream)"
              r"\s*(?=\()")
# What banned.h cannot turn into an error, since other headers of the system declare it later.
UNSAFE = r"\b(?:gets|alloca|setjmp|longjmp|system|popen|vfork|tmpnam|mktemp|rand|srand|strtok_r)\s*(?=\()"


def banned():
    header = tap.text_of(tap.ROOT / "include/isms/base/banned.h")
    return r"\b(?:%s)\s*(?=\()" % "|".join(re.findall(r"#define (\w+)\(.*BANNED\(", header))


def struct_typedefs():
    pattern = r"\btypedef\s+(?:struct|union|enum)\s*\w*\s*(?=\{|\w+\s*;)"
    for name, path in tap.files(*SOURCES):
        yield from tap.places(pattern, name, tap.c_code(path), "%s")


def banned_calls():
    listed = banned()
    for name, path in tap.files(*SOURCES):
        if name.endswith("banned.h"):
            continue
        yield from tap.places(listed, name, tap.c_code(path), "%s() is banned (banned.h)")
        if name.startswith(OURS):
            yield from tap.places(UNSAFE, name, tap.c_code(path), "%s() is unsafe")


def unfinished():
    pattern = r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b"
    for name, path in tap.files(*SOURCES, ".def", ".sql", ".proto", ".py", ".sh", ".cmake", "CMakeLists.txt"):
        yield from tap.places(pattern, name, tap.text_of(path), "%s")


def functions():
    """(file, function, first line, last line) of every C function of ours, by ctags."""
    names = [name for name, _ in tap.files(".c", ".h", under=("services/", "include/", "tests/"))]
    done = subprocess.run(
        ["ctags", "--output-format=json", "--languages=C", "--map-C=+.h", "--kinds-C=f", "--fields=+ne",
         "-L", "-"],
        input="\n".join(names), capture_output=True, text=True, check=True, cwd=tap.ROOT)
    for line in done.stdout.splitlines():
        tag = json.loads(line)
        if "end" in tag:
            yield tag["path"], tag["name"], tag["line"], tag["end"]


def heap_in_requests():
    allowed = tap.Exceptions("malloc.list")
    spans = list(functions())
    for name, path in tap.files(*SOURCES, under=REQUEST_PATHS):
        for place in tap.places(ALLOCATORS, name, tap.c_code(path), "%s() where the call's arena belongs"):
            line = int(place.split(":")[1])
            inside = next((function for file, function, first, last in spans
                           if file == name and first <= line <= last), "-")
            if not allowed.allow(f"{name} {inside}"):
                yield place
    yield from allowed.unneeded()


def lengths():
    allowed = tap.Exceptions("long.list")
    for file, function, first, last in functions():
        if last - first + 1 > FUNCTION_MAX and not allowed.allow(f"{file} {function}"):
            yield f"{file}:{first}: {function}() has {last - first + 1} lines"
    for name, path in tap.files(*SOURCES, ".sql", ".py", ".sh", ".proto"):
        count = tap.text_of(path).count("\n")
        if count > FILE_MAX or (count > FILE_AIM and not allowed.allow(f"{name} -")):
            yield f"{name} has {count} lines"
    yield from allowed.unneeded()


def beyond_the_aim():
    """Not a failure: what is worth a look."""
    for file, function, first, last in functions():
        if FUNCTION_AIM < last - first + 1 <= FUNCTION_MAX:
            print(f"# {file}:{first}: {function}() has {last - first + 1} lines, the aim is {FUNCTION_AIM}")
    return ()


def long_lines():
    text_files = (*TEXTS, ".cmake", ".md", ".txt", ".json", ".yaml")
    for name, path in tap.files(*text_files):
        if name.startswith("deploy/demo/") or name.endswith(".json"):
            continue  # data
        most = LINE_MAX
        long = [number for number, line in enumerate(tap.text_of(path).split("\n"), 1)
                if len(line) > most and not (path.suffix == ".md" and ("|" in line or "://" in line))]
        if long:
            yield f"{name}:{long[0]}: over {most} columns" + (f", {len(long)} lines" if len(long) > 1 else "")


def white_space():
    for name, path in tap.files(*TEXTS, ".cmake", ".md", "CMakeLists.txt"):
        text = tap.text_of(path)
        if not text.endswith("\n") or text.endswith("\n\n"):
            yield f"{name}: ends without a newline, or with an empty line"
        yield from tap.places(r"[ \t]+(?=\n)", name, text, "blanks at the end of the line%.0s")
        if path.suffix != ".def":
            yield from tap.places(r"\t", name, text, "a tab%.0s")


def said_what_for():
    """A header says what it is for at its top, and a .c file too; a test may be plain enough without."""
    for name, path in tap.files(*SOURCES, under=OURS):
        if not re.match(r"/\* \S", tap.text_of(path)):
            yield f"{name} does not begin with a comment that says what it is for"


def python_compiles():
    for name, path in tap.files(".py"):
        try:
            ast.parse(tap.text_of(path), name)
        except SyntaxError as error:
            yield f"{name}:{error.lineno}: {error.msg}"


def machine_paths():
    pattern = r"(?<![\w.*])/(?:wor" r"k|roo" r"t|hom" r"e)/"
    for name, path in tap.tree().items():
        try:
            yield from tap.places(pattern, name, tap.text_of(path), "'%s' is a path of somebody's machine")
        except UnicodeDecodeError:
            continue


tap.run(
    ("no typedef for structs, unions and enums", struct_typedefs),
    ("no banned calls", banned_calls),
    ("nothing is left unfinished", unfinished),
    ("request paths take memory from the call's arena", heap_in_requests),
    ("functions and files are not too long", lengths),
    ("functions beyond the aim are named", beyond_the_aim),
    ("lines are not too long", long_lines),
    ("white space is in order", white_space),
    ("every C file says what it is for", said_what_for),
    ("Python files compile", python_compiles),
    ("no path of somebody's machine", machine_paths),
)
