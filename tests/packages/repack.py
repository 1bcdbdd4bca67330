# SPDX-License-Identifier: GPL-2.0-or-later
"""The same package with a higher version, to be upgraded to."""

import hashlib
import re
import shutil
import subprocess


def _change(tree):
    """A few bytes behind each program, which nobody reads."""
    for path in tree.rglob("*"):
        if path.is_file() and path.read_bytes()[:4] == b"\x7fELF":
            with open(path, "ab") as file:
                file.write(b"of another version\n")
    sums = tree / "DEBIAN/md5sums"
    names = [line.split(maxsplit=1)[1]
             for line in sums.read_text(encoding="utf-8").splitlines()]
    sums.write_text("".join(
        f"{hashlib.md5((tree / name).read_bytes()).hexdigest()}  {name}\n"
        for name in names), encoding="utf-8")


def repack(deb, folder, suffix="+1", needs=None, other=False, preinst=None):
    """A file beside.  `needs`: the suffix of our other packages that it depends
    on, when it is not its own; `other`: its programs are not the same bytes;
    `preinst`: a line for a shell, before it is unpacked."""
    tree = folder / "repack"
    subprocess.run(["dpkg-deb", "-R", str(deb), str(tree)], check=True)
    control = tree / "DEBIAN/control"
    text = control.read_text(encoding="utf-8")
    old = re.search(r"^Version: (.*)$", text, re.M).group(1)
    text = text.replace(f"Version: {old}", f"Version: {old}{suffix}")
    text = re.sub(rf"(khien[a-z-]* \(>?= {re.escape(old)})\)",
                  rf"\g<1>{needs or suffix})", text)
    control.write_text(text, encoding="utf-8")
    if other:
        _change(tree)
    if preinst:
        script = tree / "DEBIAN/preinst"
        script.write_text(f"#!/bin/sh\n{preinst}\n", encoding="utf-8")
        script.chmod(0o755)
    path = folder / f"{deb.stem}{suffix}.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "-b",
                    str(tree), str(path)], check=True,
                   stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)
    return path
