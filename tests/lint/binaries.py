# SPDX-License-Identifier: GPL-2.0-or-later
"""What `make lint` asks of objects and programs: names, libraries, hardening.
"""

import os
import re
import subprocess

LIBC = {"libc.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
PROGRAMS = ["khiend", "khienctl", "khien-conf", "khien-sensor", "khien-gate",
            "khien-scan", "khien-engine", "khien-query", "khien-tuf",
            "khien-fetch"]


def _run(*command):
    return subprocess.run(command, capture_output=True, text=True,
                          check=False).stdout


def _names(build, path):
    """foo.c exports foo_* and nothing else; main.c exports main."""
    stem = path.stem.replace("-", "_")
    for line in _run("nm", "-g", "--defined-only", str(path)).splitlines():
        name = line.split()[-1]
        if stem == "main" and name == "main":
            continue
        if not name.startswith(stem + "_") or stem == "main":
            yield f"[names] {path.relative_to(build)}: exports {name}"


def _hardening(path):
    """Every program is built with all that the linker and compiler offer."""
    header = _run("readelf", "-hW", str(path))
    segments = _run("readelf", "-lW", str(path))
    dynamic = _run("readelf", "-dW", str(path))
    symbols = _run("readelf", "--dyn-syms", "-W", str(path))
    notes = _run("readelf", "-nW", str(path))
    if "DYN" not in header or "PIE" not in dynamic:
        yield "is not position independent"
    if "GNU_RELRO" not in segments or "BIND_NOW" not in dynamic:
        yield "lacks full RELRO"
    if "__stack_chk_fail" not in symbols:
        yield "lacks the stack protector"
    if not re.search(r"GNU_STACK.* RW +", segments):
        yield "has an executable stack"
    if re.search(r"LOAD.* RWE ", segments):
        yield "has a segment that is writable and executable"
    if "TEXTREL" in dynamic or "RPATH" in dynamic or "RUNPATH" in dynamic:
        yield "has text relocations or a run path"
    if os.uname().machine == "x86_64" and not (
            "IBT" in notes and "SHSTK" in notes):
        yield "lacks the CET note"


def _needed(path):
    dynamic = _run("readelf", "-dW", str(path))
    return set(re.findall(r"NEEDED.*\[(.*)\]", dynamic))


def check(root, build):
    """Returns the list of complaints."""
    said = []
    for path in sorted([*(build / "agent").rglob("*.o"),
                        *(build / "updater").rglob("*.o")]):
        source = root / path.relative_to(build).with_suffix(".c")
        if source.exists():
            said += _names(build, path)
    for name in PROGRAMS:
        path = build / name
        if not path.exists():
            continue
        said += [f"[hardening] {name} {s}" for s in _hardening(path)]
        if name == "khiend" and not _needed(path) <= LIBC:
            said.append("[libraries] khiend needs more than libc: "
                        + " ".join(sorted(_needed(path) - LIBC)))
    return said
