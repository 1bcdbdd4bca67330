# SPDX-License-Identifier: GPL-2.0-or-later
"""The lists of what the programs link are whole, and name nothing else."""

import hashlib
import json
import os
import re

import hardening
from build import NAMES, output


def loaded(path):
    """The libraries that the loader itself takes for a program."""
    text = output("env", "LD_TRACE_LOADED_OBJECTS=1", path)
    found = set(re.findall(r"(/\S+) \(0x", text))
    assert any("libc.so" in name for name in found), text
    return found


def owners(libraries):
    """{(package, version)} by another way than the list's own."""
    found = set()
    for library in libraries:
        name = os.path.basename(library)
        lines = output("dpkg-query", "-S", f"*/{name}").splitlines()
        packages = {line.split(":")[0] for line in lines
                    if re.search(r": (/usr)?/lib(64|/[^/]*)?/[^/]*$", line)}
        assert len(packages) == 1, lines
        package = packages.pop()
        found.add((package, output("dpkg-query", "-W", "-f", "${Version}\n",
                                   package).splitlines()[0]))
    return found


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
