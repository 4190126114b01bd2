"""The layers of services/runtime, from the sources and from what the build made of them.

docs/architecture.md has the figure.
"""

import concurrent.futures
import json
import os
import re
import shlex
import subprocess

import tap

LAYERS = ("base", "obs", "config", "db", "cache", "auth", "proto", "rpc", "app")
RANK = {layer: rank for rank, layer in enumerate(LAYERS)}

# A library's headers, and the one folder that may include them.
FOREIGN = (
    (r"libpq-fe\.h|libpq/.*|postgres.*", "services/runtime/db/"),
    (r"hiredis/.*", "services/runtime/cache/"),
    (r"grpc/(?!health/|reflection/).*|grpcpp/.*", "services/runtime/rpc/"),
    (r"microhttpd\.h", "services/runtime/obs/"),
    (r"zlib\.h", "services/runtime/rpc/"),
    (r"csv\.h|zip\.h|expat\.h", "services/inputs/"),
    (r"curl/.*", "services/runtime/auth/"),
)
# OpenSSL: crypto.h of base is the door; auth also needs the public keys of JWKs.
OPENSSL = ("services/runtime/base/", "services/runtime/auth/")


def includes(*under):
    """(file, line, '<' or '"', header) of every include."""
    for name, path in tap.files(".c", ".h", under=under):
        for number, line in enumerate(tap.text_of(path).split("\n"), 1):
            match = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
            if match:
                yield name, number, match[1], match[2]


def layer_of(name):
    match = re.match(r"(?:include/isms|services/runtime)/(\w+)/", name)
    return match[1] if match and match[1] in RANK else None


def foreign_headers():
    for name, line, _, header in includes("include/", "services/"):
        for pattern, folder in FOREIGN:
            if re.fullmatch(pattern, header) and not name.startswith(folder):
                yield f"{name}:{line}: <{header}> belongs to {folder}"
        if header.startswith("openssl/") and not name.startswith(OPENSSL):
            yield f"{name}:{line}: <{header}> belongs to {' and '.join(OPENSSL)}"


def upward_includes():
    for name, line, _, header in includes("include/", "services/"):
        layer, match = layer_of(name), re.match(r"isms/(\w+)/", header)
        if not layer or not match or match[1] not in RANK:
            continue
        if RANK[match[1]] > RANK[layer]:
            yield f"{name}:{line}: {layer} includes <{header}> of a layer above it"


def private_headers():
    """A quoted include names a file of the same folder; what is shared is a public header."""
    for name, line, mark, header in includes("include/", "services/runtime/"):
        if mark == '"' and not header.endswith(".pb-c.h") and (
                            name.startswith("include/") or "/" in header or
                            not (tap.ROOT / os.path.dirname(name) / header).exists()):
            yield f'{name}:{line}: "{header}" is not of this folder'
    for name, line, mark, header in includes("services/"):
        if header.startswith("../"):
            yield f'{name}:{line}: "{header}" reaches into another folder'


def compile_commands():
    file = tap.BUILD / "compile_commands.json"
    return json.loads(file.read_text()) if file.exists() else []


def folder_flags():
    """The include folders and definitions that the sources of a folder are compiled with, taken together."""
    flags = {}
    for entry in compile_commands():
        options = flags.setdefault(os.path.relpath(os.path.dirname(entry["file"]), tap.ROOT), {})
        words = iter(shlex.split(entry["command"]))
        for word in words:
            if word in ("-isystem", "-I"):
                folder = next(words)
                options[folder] = [word, folder]
            elif word.startswith(("-I", "-D", "-std=", "-W")):
                options[word.split("=")[0]] = [word]
    return {folder: [word for option in options.values() for word in option]
            for folder, options in flags.items()}


def header_alone(name, flags):
    folder = os.path.dirname(name)
    public = name.startswith("include/")
    use = flags.get(f"services/runtime/{layer_of(name)}" if public else folder)
    if use is None:
        # A folder of headers and logic that is compiled from elsewhere.
        use = next((kept for other, kept in flags.items() if other.startswith(folder + "/")), None)
    if use is None:
        return f"{name}: nothing in the build compiles its folder"
    # No -include of banned.h here: it would bring what the header forgot.
    what = f"<{name[len('include/'):]}>" if public else f'"{os.path.basename(name)}"'
    done = subprocess.run(["gcc", "-fsyntax-only", "-x", "c", *use, f"-I{tap.ROOT / folder}", "-"],
                          input=f"#include {what}\n", capture_output=True, text=True)
    error = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr[:200])
    return f"{name} does not compile alone: {error}" if done.returncode else None


def headers_alone():
    flags = folder_flags()
    if not flags:
        return "there is no build to take the include folders from"
    names = [name for name, _ in tap.files(".h", under=("include/", "services/"))]
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return [fault for fault in pool.map(lambda name: header_alone(name, flags), names) if fault]


def symbols(layer, option):
    archive = tap.BUILD / f"services/runtime/{layer}/libisms_{layer}.a"
    if not archive.exists():
        return set()
    done = subprocess.run(["nm", "--no-sort", "-P", "-g", option, str(archive)],
                          capture_output=True, text=True, check=True)
    return {line.split()[0] for line in done.stdout.splitlines() if " " in line and not line.endswith(":")}


def upward_calls():
    """A static archive happily links a call upwards, since the program brings the layer above; nm sees it."""
    defined = {layer: symbols(layer, "--defined-only") for layer in LAYERS}
    if not any(defined.values()):
        return "there is no build to look into"
    found = []
    for layer in LAYERS:
        wanted = symbols(layer, "--undefined-only")
        for above in LAYERS[RANK[layer] + 1:]:
            found += [f"{layer} calls {symbol}() of {above}" for symbol in sorted(wanted & defined[above])]
    return found


def link_lines():
    """{unit test: libraries of ours that it links} out of build.ninja."""
    file = tap.BUILD / "build.ninja"
    lines = file.read_text() if file.exists() else ""
    rule = r"^build (tests/unit/\S+): C_EXECUTABLE_LINKER\S* (\S+).*?^  LINK_LIBRARIES = (.*?)$"
    for match in re.finditer(rule, lines, re.MULTILINE | re.DOTALL):
        yield match[1], match[2], re.findall(r"libisms_(\w+)\.a", match[3])


def tests_link_less():
    """The unit tests of a layer link that layer and those below, so that a call upwards fails there at once."""
    tested = set()
    links = list(link_lines())
    if not links:
        return "there is no build to look into"
    found = []
    for program, first_object, libraries in links:
        layer = first_object.split("/")[2]
        if layer not in RANK or set(libraries) - set(RANK) - {"messages"}:
            continue  # of a program, whose own library it links
        tested.add(layer)
        found += [f"{program} is of {layer} and links {library}" for library in libraries
                  if library in RANK and RANK[library] > RANK[layer]]
    return found + [f"the layer {layer} has no unit test" for layer in LAYERS if layer not in tested]


tap.run(
    ("a library's headers stay in their folder", foreign_headers),
    ("no include of a layer above", upward_includes),
    ("no include of another folder's private headers", private_headers),
    ("every header compiles alone", headers_alone),
    ("no call of a layer above", upward_calls),
    ("unit tests link their layer and those below", tests_link_less),
)
