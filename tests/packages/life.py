# SPDX-License-Identifier: GPL-2.0-or-later
"""Packages come into a Debian that nobody needs, are upgraded, and go.

The root is that of tests/guest with a layer above it in memory: what is in the
layer after a purge is what the packages left behind.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

from build import ROOT, Skip
from repack import repack

sys.path.insert(0, str(ROOT / "tests/guest"))

import machine  # noqa: E402
import root as guest  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
# What dpkg and others write down whenever anything is installed.
NOTES = re.compile(
    r"var/lib/dpkg(/.*)?|var/log/dpkg\.log|var/cache/(ldconfig|man|debconf)/.*|"
    r"etc/(passwd|group|shadow|gshadow)-?|etc/\.pwd\.lock|etc/subuid-?|"
    r"etc/subgid-?|var/lib/systemd/deb-systemd-helper.*|packages(/.*)?")


def _image(work):
    if os.geteuid() != 0:
        raise Skip("needs root")
    folder = ROOT / "build/guest"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return guest.base(folder, machine.programs(work.built))[1]
    except guest.Missing as missing:
        raise Skip(str(missing)) from missing


def check(work):
    image = _image(work)
    debs = work.folder / "debs"
    debs.mkdir()
    for name, path in work.packages("deb").items():
        shutil.copy(path, debs / f"{name}.deb")
        repack(debs / f"{name}.deb", debs)
    # One that the disk was too full for, or the line too short.
    broken = bytearray((debs / "khien+1.deb").read_bytes())
    (debs / "broken.deb").write_bytes(broken[:len(broken) * 2 // 3])
    base = work.folder / "layers"
    base.mkdir()
    # In a mount namespace of its own: nothing stays when we are killed.
    done = subprocess.run(
        ["unshare", "-m", "--propagation", "private",
         str(HERE / "life.sh"), str(image), str(base), str(debs)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    left = [line[5:] for line in done.stdout.splitlines()
            if line.startswith("left ")]
    beyond = [path for path in left if not NOTES.fullmatch(path)]
    assert not beyond, f"left behind: {beyond}"
    assert "same accounts" in done.stdout, done.stdout
    return [line[6:] for line in done.stdout.splitlines()
            if line.startswith("fact: ")]
