# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a Debian 13 with what `make deps` would install there.

It is kept in build/debian13/root-KEY, and made again when what it consists of
changes; nothing of the machine's own apt is changed.
"""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/kernel"))

from packages import ARCHIVE, KEYRING, mirror, reachable  # noqa: E402

SUITE = "trixie"
# What is there before `make deps` is called, and what a container may lack.
FIRST = ("make", "mount")
CONFIG = """\
Acquire::Languages "none"
Acquire::Check-Valid-Until "false"
Acquire::Check-Date "false"
Acquire::Retries "2"
""".splitlines()
# Nobody reads there.
WITHOUT = ("/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")


class Missing(Exception):
    """The machine lacks something; the text is the reason of a skip."""


def packages():
    """Those of the Makefile."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = re.search(r"^PACKAGES := ((?:.*\\\n)*.*)$", text, re.M)
    return [*FIRST, *found.group(1).replace("\\\n", " ").split()]


def _sources(address):
    return [f"deb [signed-by={KEYRING}] {address} {suite} main"
            for suite in (SUITE, f"{SUITE}-updates")]


def _make(into, address, wanted):
    command = ["mmdebstrap", "--quiet", "--mode=root", "--variant=minbase",
               "--format=directory", "--include=" + ",".join(wanted),
               *(f"--aptopt={line}" for line in CONFIG),
               *(f"--dpkgopt=path-exclude={path}" for path in WITHOUT),
               '--customize-hook=echo "127.0.0.1 localhost" >"$1"/etc/hosts; '
               'echo 44656269616e3133b8ad7c9e4f201635 >"$1"/etc/machine-id; '
               'rm -rf "$1"/var/cache/apt/* '
               '"$1"/var/lib/apt/lists/*',
               SUITE, str(into), "-"]
    done = subprocess.run(command, input="\n".join(_sources(address)) + "\n",
                          text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    return done.returncode == 0, done.stdout[-4000:]


def _bring(folder, path, wanted):
    new = folder / "new"
    errors = []
    addresses = list(dict.fromkeys([mirror(), ARCHIVE]))
    for address in addresses:
        shutil.rmtree(new, ignore_errors=True)
        good, said = _make(new, address, wanted)
        if good:
            new.rename(path)
            return
        errors.append(f"{address}: {said}")
    shutil.rmtree(new, ignore_errors=True)
    if not any(reachable(address) for address in addresses):
        raise Missing("machine: no network to fetch Debian 13 by")
    raise AssertionError("mmdebstrap failed:\n" + "\n".join(errors))


def base(folder):
    """(its path, whether it had to be made)"""
    if os.geteuid() != 0:
        raise Missing("needs root")
    if not shutil.which("mmdebstrap"):
        raise Missing("needs mmdebstrap, see `make deps`")
    wanted = sorted(set(packages()))
    parts = [SUITE, *wanted, *CONFIG, *WITHOUT]
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    path = folder / f"root-{key}"
    if path.is_dir():
        return path, False
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("root-*"):
        shutil.rmtree(old)
    _bring(folder, path, wanted)
    return path, True
