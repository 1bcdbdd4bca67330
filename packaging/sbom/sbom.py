#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes what the programs beneath a folder link, as SPDX 2.3 in JSON.

The folder is a package's: each ELF program in it is a file of the document,
with its checksums, and each package of a library that it loads, directly or
through another, is a package of it.  Nothing else is.  Libraries are those of
this machine, found as the loader finds them, with the version that the package
manager knows.  The same programs and libraries give the same bytes.
"""

import argparse
import functools
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

LICENSE = "GPL-2.0-or-later"
CREATOR = "Organization: Khien developers"


def output(*command):
    return subprocess.run(command, capture_output=True, text=True,
                          check=True).stdout


def is_elf(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def programs(root):
    """Path beneath the root, and where it is; in order."""
    found = [path for path in root.rglob("*")
             if path.is_file() and not path.is_symlink() and is_elf(path)]
    return sorted((f"./{path.relative_to(root)}", path) for path in found)


@functools.lru_cache(maxsize=None)
def needed(path):
    """The names of the libraries in its dynamic section, and its machine."""
    text = output("readelf", "--wide", "-hd", str(path))
    machine = re.search(r"^ +Class: +(\S+)", text, re.M).group(1)
    return machine, re.findall(r"\(NEEDED\).*\[(.*)\]", text)


@functools.lru_cache(maxsize=None)
def known():
    """Name of a library to where it may lie, as ldconfig(8) knows it."""
    places = {}
    text = output("/sbin/ldconfig", "-p")
    for name, path in re.findall(r"^\t(\S+) .* => (\S+)$", text, re.M):
        places.setdefault(name, []).append(path)
    return places


def find(name, machine):
    for path in known().get(name, []):
        if needed(path)[0] == machine:
            return path
    raise SystemExit(f"library {name} is not on this machine")


def closure(path):
    """(directly linked, all) libraries of a program, as paths."""
    machine, names = needed(path)
    direct = {find(name, machine) for name in names}
    every, left = set(), set(direct)
    while left:
        library = left.pop()
        every.add(library)
        left |= {find(name, machine) for name in needed(library)[1]} - every
    return direct, every


def _names(path):
    """Debian knows a file by the name that it was packed under."""
    names = {path, os.path.realpath(path)}
    names |= {name.removeprefix("/usr") for name in names}
    return names | {"/usr" + name for name in names
                    if not name.startswith("/usr")}


@functools.lru_cache(maxsize=None)
def _packed():
    """Path of a library to its package, of all that ldconfig(8) knows."""
    names = {name for paths in known().values() for path in paths
             for name in _names(path)}
    text = subprocess.run(["dpkg-query", "-S", *sorted(names)], text=True,
                          capture_output=True, check=False).stdout
    return {path: package.split(", ")[0] for package, path in
            re.findall(r"^([^/\n]+): (/.*)$", text, re.M)}


def _deb(path):
    for name in sorted(_names(path)):
        if name in _packed():
            return output("dpkg-query", "-W", "-f",
                          "${Package}\t${Version}\t${Architecture}",
                          _packed()[name]).split("\t")
    raise SystemExit(f"no package has {path}")


def _rpm(path):
    return output("rpm", "-qf", "--queryformat",
                  "%{NAME}\t%{VERSION}-%{RELEASE}\t%{ARCH}",
                  os.path.realpath(path)).split("\t")


@functools.lru_cache(maxsize=None)
def owner(path):
    """(package, version, architecture, package URL) of a library."""
    if pathlib.Path("/var/lib/dpkg/status").exists():
        kind, (name, version, arch) = "deb", _deb(path)
    else:
        kind, (name, version, arch) = "rpm", _rpm(path)
    release = pathlib.Path("/etc/os-release").read_text(encoding="utf-8")
    vendor = re.search(r'^ID="?([\w.-]+)', release, re.M).group(1)
    quoted = version.replace(":", "%3A").replace("+", "%2B")
    return (name, version, arch,
            f"pkg:{kind}/{vendor}/{name}@{quoted}?arch={arch}")


def identifier(kind, name):
    return f"SPDXRef-{kind}-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def library_package(found):
    name, version, _, url = found
    return {
        "SPDXID": identifier("Package", name),
        "name": name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "primaryPackagePurpose": "LIBRARY",
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": url,
        }],
    }


def file_entry(name, path):
    data = path.read_bytes()
    return {
        "SPDXID": identifier("File", name[2:]),
        "fileName": name,
        "fileTypes": ["BINARY"],
        "checksums": [
            {"algorithm": "SHA1",
             "checksumValue": hashlib.sha1(data).hexdigest()},
            {"algorithm": "SHA256",
             "checksumValue": hashlib.sha256(data).hexdigest()},
        ],
        "licenseConcluded": LICENSE,
        "licenseInfoInFiles": ["NOASSERTION"],
        "copyrightText": "NOASSERTION",
    }


def own_package(args, files):
    sums = sorted(c["checksumValue"] for file in files
                  for c in file["checksums"] if c["algorithm"] == "SHA1")
    code = hashlib.sha1("".join(sums).encode()).hexdigest()
    return {
        "SPDXID": identifier("Package", args.name),
        "name": args.name,
        "versionInfo": args.version,
        "supplier": CREATOR,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": True,
        "packageVerificationCode": {"packageVerificationCodeValue": code},
        "licenseConcluded": LICENSE,
        "licenseDeclared": LICENSE,
        "licenseInfoFromFiles": ["NOASSERTION"],
        "copyrightText": "NOASSERTION",
        "primaryPackagePurpose": "APPLICATION",
    }


def relation(left, kind, right):
    return {"spdxElementId": left, "relationshipType": kind,
            "relatedSpdxElement": right}


def document(args):
    found = programs(args.root)
    files = [file_entry(name, path) for name, path in found]
    own = own_package(args, files)
    packages, links = {}, set()
    for entry, (_, path) in zip(files, found):
        direct, every = closure(path)
        for library in every:
            package = library_package(owner(library))
            packages[package["SPDXID"]] = package
            links.add((entry["SPDXID"], "DYNAMIC_LINK" if library in direct
                       else "DEPENDS_ON", package["SPDXID"]))
    # What is linked directly is not said once more.
    links -= {(left, "DEPENDS_ON", right) for left, kind, right in links
              if kind == "DYNAMIC_LINK"}
    relations = [relation("SPDXRef-DOCUMENT", "DESCRIBES", own["SPDXID"])]
    relations += [relation(own["SPDXID"], "CONTAINS", entry["SPDXID"])
                  for entry in files]
    relations += [relation(*link) for link in sorted(links)]
    body = {
        "packages": [own, *(packages[key] for key in sorted(packages))],
        "files": files,
        "relationships": relations,
    }
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode())
    when = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", "0")))
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"{args.name}-{args.version}",
        "documentNamespace": f"https://khien.invalid/spdx/{args.name}-"
                             f"{args.version}-{digest.hexdigest()}",
        "creationInfo": {
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", when),
            "creators": [CREATOR, "Tool: packaging/sbom/sbom.py"],
        },
        **body,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--root", required=True, type=pathlib.Path)
    json.dump(document(parser.parse_args()), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
