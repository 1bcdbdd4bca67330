# SPDX-License-Identifier: GPL-2.0-or-later
"""The house rules that no other tool knows: layers, includes, sizes, words.
"""

import re

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)
SPDX = "SPDX-License-Identifier: GPL-2.0-or-later"
LINES_MAX = 500
COLUMNS_MAX = 80
FUNCTION_MAX = 100

# Folders of agent/ and updater/ that may use a library; only one file of each
# may.
FOREIGN = {
    "yara.h": ("yara", {"scan"}),
    "yara/": ("yara", {"scan"}),
    "openssl/": ("libcrypto", {"scan", "tuf", "repo"}),
    "jansson.h": ("jansson", {"lib"}),
    "sqlite3.h": ("sqlite", {"engine", "query"}),
    "ini.h": ("inih", {"conf"}),
    "seccomp.h": ("libseccomp", {"lib"}),
    "cap-ng.h": ("libcap-ng", {"lib"}),
    "bpf/": ("libbpf", {"sensor"}),
    "archive.h": ("libarchive", {"scan", "release"}),
    "archive_entry.h": ("libarchive", {"scan", "release"}),
    "zlib.h": ("zlib", {"scan", "release"}),
    "sodium.h": ("libsodium", {"keep", "tuf"}),
    "curl/": ("libcurl", {"http"}),
}
# Files of one program that may include it: objects as they are opened and as
# they are loaded, links, the kernel's types, two trials of what it takes, and
# the guard's maps are seven things.
SEVERAL = {"libbpf": 7}
TOP = {".ci", "agent", "kernel", "signatures", "updater", "packaging",
       "tests", "Makefile", "README.md", "LICENSE", ".gitignore",
       ".clang-format", ".clang-tidy", ".gitattributes"}
# Written so that this file does not match itself.
WORDS = [
    (re.compile(r"/wor[k]/|/roo[t]/"), "names this machine's path"),
    (re.compile(r"\b(TOD[O]|FIXM[E]|XX[X])\b"), "leaves something to do"),
    (re.compile(r"(?i)clau[d]e|anthropi[c]|chatgp[t]|openA[I]\b"),
     "names a tool"),
    (re.compile(r"(?i)\bissu[e] #?\d"), "names an issue's number"),
]
PROGRAMS = ("agent/", "updater/")
# Of updater/, from the lowest up: each may include what is below it.
LIBRARIES = [{"tuf"}, {"client", "http", "release"}]
STD = {"stddef.h", "stdint.h", "stdbool.h"}


def _layer(name, kind, target):
    """Says why a file may not include that, or None."""
    if kind == "<":
        return None
    parts = name.split("/")
    here = "/".join(parts[:2])
    if target.startswith(("gen/", "build/gen/")):
        return None if here in ("agent/sensor", "tests/unit") else \
            "only the sensor includes skeletons"
    if not target.startswith(PROGRAMS + ("kernel/", "tests/")):
        return "is not written from the root"
    if parts[0] == "tests":
        return None
    if parts[0] == "kernel":
        return None if target.startswith("kernel/") else "is above kernel/"
    if target.startswith("kernel/"):
        return None if target == "kernel/khien_abi.h" else \
            "is the kernel side's own"
    if target.startswith("agent/lib/") or target.startswith(here + "/"):
        return None
    if parts[0] == "updater" and target.startswith("updater/") and \
            _height(target.split("/")[1]) < _height(parts[1]):
        return None
    return "is a sibling or above"


def _height(folder):
    """How far up a folder of updater/ stands; programs are highest."""
    for height, libraries in enumerate(LIBRARIES):
        if folder in libraries:
            return height
    return len(LIBRARIES)


def _embeds(text, header):
    """True when the text has a struct of that header by value, an enum or one
    of its constants: then it cannot do with a declaration."""
    if not header.exists():
        return False
    there = header.read_text(encoding="utf-8")
    structs = re.findall(r"^struct (\w+) \{", there, re.M)
    words = re.findall(r"^#define (\w+)", there, re.M)
    words += re.findall(r"^\s+([A-Z][A-Z0-9_]+)\b", there, re.M)
    words += re.findall(r"^typedef .*\(\*(\w+)\)", there, re.M)
    enums = re.findall(r"^enum (\w+) \{", there, re.M)
    return any(re.search(rf"\bstruct {s} \w", text) for s in structs) or \
        any(re.search(rf"\benum {e}\b", text) for e in enums) or \
        any(re.search(rf"\b{w}\b", text) for w in words)


def _includes(root, name, text, foreign):
    folder = name.split("/")[1] if name.startswith(PROGRAMS) else None
    found = INCLUDE.findall(text)
    for kind, target in found:
        why = _layer(name, kind, target)
        if why:
            yield f'[layers] {name}: "{target}" {why}'
        for start, (library, folders) in FOREIGN.items():
            skeleton = target.startswith("gen/") and start == "bpf/"
            if not folder or not (target.startswith(start) or skeleton):
                continue
            if folder not in folders:
                yield f"[layers] {name}: {library} does not belong here"
            foreign.setdefault((folder, library), set()).add(name)
    if name.startswith(PROGRAMS) and name.endswith(".c"):
        header = name[:-2] + ".h"
        if not name.endswith("/main.c") and (
                not found or found[0] != ('"', header)):
            yield f'[includes] {name}: its first include is not "{header}"'
    if name.startswith(PROGRAMS) and name.endswith(".h"):
        for kind, target in found:
            if target not in STD and not (
                    kind == '"' and _embeds(text, root / target)):
                yield (f"[headers] {name}: includes {target} and embeds "
                       "nothing of it")
        if "#pragma once" not in text:
            yield f"[headers] {name}: no #pragma once"
        if re.search(r"^extern\b", text, re.M):
            yield f"[headers] {name}: an extern variable"


def _shape(name, lines):
    """Columns, functions that are too long, typedefs of structs."""
    start = None
    for number, line in enumerate(lines, 1):
        if len(line.expandtabs(8)) > COLUMNS_MAX:
            yield f"[shape] {name}:{number}: more than {COLUMNS_MAX} columns"
        # core.h repeats the kernel's own names.
        if line.startswith("typedef struct") and name != "kernel/core.h":
            yield f"[shape] {name}:{number}: a typedef of a struct"
        if line == "{":
            start = number
        if line == "}" and start:
            if number - start > FUNCTION_MAX and not _excused(lines, start):
                yield (f"[shape] {name}:{start}: a function of "
                       f"{number - start} lines that does not say why")
            start = None


def _excused(lines, start):
    """True when the comment above the function has the word "long"."""
    above = "\n".join(lines[max(0, start - 12):start])
    return re.search(r"/\*[^/]*\b[Ll]ong\b", above) is not None


def _file(root, name, text, foreign):
    lines = text.splitlines()
    head = "\n".join(lines[:2] if lines and lines[0].startswith("#!")
                     else lines[:1])
    if name.endswith((".c", ".h", ".py", ".sh", ".yar")) or \
            name in ("Makefile", ".ci/run"):
        if SPDX not in head:
            yield f"[licence] {name}: no {SPDX} on its first line"
        rest = head.split(SPDX)[-1].strip(" */\n.:;-")
        if len(lines) > LINES_MAX and len(rest) < 10:
            yield (f"[shape] {name}: {len(lines)} lines, and the first does "
                   "not say why")
    if name.endswith((".c", ".h")):
        yield from _includes(root, name, text, foreign)
        yield from _shape(name, lines)
    for number, line in enumerate(lines, 1):
        for pattern, why in WORDS:
            if pattern.search(line):
                yield f"[words] {name}:{number}: {why}"


def check(root, names):
    """Returns the list of complaints about all files of the repository."""
    said = []
    foreign = {}
    for name in names:
        if name.split("/")[0] not in TOP:
            said.append(f"[layout] {name}: not in the fixed top level")
        try:
            text = (root / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a sample or a corpus file
        if name.startswith(("tests/fuzz/corpus/", "signatures/samples/")) \
                or name == "LICENSE":
            continue
        said += _file(root, name, text, foreign)
    for (folder, library), files in sorted(foreign.items()):
        if len(files) > SEVERAL.get(library, 1):
            said.append(f"[foreign] {folder}: {library} is included in "
                        + ", ".join(sorted(files)))
    return said
