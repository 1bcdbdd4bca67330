# SPDX-License-Identifier: GPL-2.0-or-later
"""The lists of what the programs link are whole, and name nothing else."""

import functools
import hashlib
import json
import os
import pathlib
import re

import hardening
from build import NAMES, output


def loaded(path):
    """The libraries that the loader itself takes for a program."""
    text = output("env", "LD_TRACE_LOADED_OBJECTS=1", path)
    found = set(re.findall(r"(/\S+) \(0x", text))
    assert any("libc.so" in name for name in found), text
    return found


@functools.lru_cache(maxsize=1)
def lists():
    """Name of a library's file to its package, as dpkg's own lists tell."""
    found = {}
    for path in pathlib.Path("/var/lib/dpkg/info").glob("*.list"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if re.match(r"(/usr)?/lib(64|/[^/]*)?/[^/]*\.so\b", line):
                found.setdefault(os.path.basename(line), set()).add(
                    path.stem.split(":")[0])
    return found


def owners(libraries):
    """{(package, version)} by another way than the list's own."""
    packages = set()
    for library in libraries:
        owner = lists()[os.path.basename(library)]
        assert len(owner) == 1, (library, owner)
        packages |= owner
    text = output("dpkg-query", "-W", "-f", "${Package} ${Version}\n",
                  *sorted(packages))
    return {tuple(line.split()) for line in text.splitlines()}


def document(folder, name):
    path = folder / f"usr/share/doc/{name}/{name}.spdx.json"
    return json.loads(path.read_text(encoding="utf-8"))


def one(folder, name, programs):
    """Returns the packages that it names, its own left out."""
    spdx = document(folder, name)
    assert spdx["spdxVersion"] == "SPDX-2.3"
    files = {entry["fileName"][2:]: {
        c["algorithm"]: c["checksumValue"] for c in entry["checksums"]}
        for entry in spdx["files"]}
    there = {str(path.relative_to(folder)): path for path in programs}
    assert set(files) == set(there), set(files) ^ set(there)
    for path, sums in files.items():
        data = there[path].read_bytes()
        assert sums["SHA256"] == hashlib.sha256(data).hexdigest(), path
        assert sums["SHA1"] == hashlib.sha1(data).hexdigest(), path
    told = {(p["name"], p["versionInfo"]) for p in spdx["packages"]
            if p["name"] != name}
    linked = owners({lib for path in programs for lib in loaded(path)})
    assert told == linked, f"{name}: {sorted(told ^ linked)}"
    known = {e["SPDXID"] for part in ("packages", "files")
             for e in spdx[part]} | {"SPDXRef-DOCUMENT"}
    for relation in spdx["relationships"]:
        assert relation["spdxElementId"] in known, relation
        assert relation["relatedSpdxElement"] in known, relation
    linked = {r["relatedSpdxElement"] for r in spdx["relationships"]
              if r["relationshipType"] in ("DYNAMIC_LINK", "DEPENDS_ON")}
    assert len(linked) == len(told), "a package that nothing links"
    return told


def check(work):
    folder = work.unpacked("deb")
    of_package = {}
    for path in hardening.elves(folder):
        name = path.name if path.name in NAMES else "khien"
        of_package.setdefault(name, []).append(path)
    assert set(of_package) == {"khien", "khien-scan", "khien-repo"}
    facts = []
    for name, programs in sorted(of_package.items()):
        told = one(folder, name, programs)
        facts.append(f"{name}: {len(programs)} programs, {len(told)} packages "
                     "of libraries")
    return facts
