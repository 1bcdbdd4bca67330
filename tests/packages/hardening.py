# SPDX-License-Identifier: GPL-2.0-or-later
"""How each shipped program is protected against its own mistakes."""

import os
import re

from build import output


def elves(folder):
    found = [p for p in sorted(folder.rglob("*"))
             if p.is_file() and not p.is_symlink()
             and p.open("rb").read(4) == b"\x7fELF"]
    assert len(found) > 10, found
    return found


def faults(path):
    """What is wrong with a program."""
    head = output("readelf", "-W", "-h", "-l", "-d", "-n", path)
    names = output("readelf", "-W", "--dyn-syms", path)
    imported = set(re.findall(r"UND (\w+)(?:@|$)", names, re.M))
    loads = re.findall(r"^  LOAD .* ([R ][W ][E ]) 0x\w+$", head, re.M)
    stack = re.search(r"^  GNU_STACK .* ([R ][W ][E ]) 0x\w+$", head, re.M)
    said = []
    if not re.search(r"Type: +DYN", head) or "PIE" not in re.search(
            r"\(FLAGS_1\).*", head + "(FLAGS_1)").group():
        said.append("is not position-independent")
    if "GNU_RELRO" not in head or not re.search(r"FLAGS.*\bNOW\b", head):
        said.append("has no full RELRO")
    if not stack or stack.group(1) != "RW ":
        said.append("has an executable stack")
    if any("W" in load and "E" in load for load in loads):
        said.append("has a segment to write and execute")
    # Separate code: nothing but code can be executed.
    if loads.count("R E") != 1 or loads[0] != "R  ":
        said.append(f"does not keep code apart: {loads}")
    if re.search(r"\((RPATH|RUNPATH|TEXTREL)\)", head):
        said.append("has RPATH, RUNPATH or TEXTREL")
    if "__stack_chk_fail" not in imported:
        said.append("has no stack protector")
    if not any(name.endswith("_chk") for name in
               imported - {"__stack_chk_fail"}):
        said.append("has no FORTIFY")
    if os.uname().machine == "x86_64" and \
            not re.search(r"x86 feature: .*IBT.*SHSTK", head):
        said.append("has no CET")
    if ".symtab" in output("readelf", "-W", "-S", path):
        said.append("is not stripped")
    return [f"{path.name} {text}" for text in said]


def check(work):
    found = elves(work.unpacked("deb"))
    said = [line for path in found for line in faults(path)]
    assert not said, "\n".join(said)
    return [f"{len(found)} programs: PIE, RELRO, NX, code apart, stack "
            "protector, FORTIFY, CET, no RPATH"]
