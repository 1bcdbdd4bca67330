# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian that nobody needs: the root of tests/guest with a layer above it in
memory.  What is in the layer at the end is what the packages left behind.
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
# What dpkg and others write down whenever anything is installed; and an empty
# folder that debhelper's script for profiles removes with the last of them.
NOTES = re.compile(
    r"var/lib/(dpkg|rpm)(/.*)?|var/log/dpkg\.log|"
    r"var/cache/(ldconfig|man|debconf)/.*|"
    r"etc/(passwd|group|shadow|gshadow)-?|etc/\.pwd\.lock|etc/subuid-?|"
    r"etc/subgid-?|etc/apparmor\.d/disable|"
    r"var/lib/systemd/deb-systemd-helper.*|packages(/.*)?")


def image(work):
    """Of the root's file system."""
    if os.geteuid() != 0:
        raise Skip("needs root")
    folder = ROOT / "build/guest"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return guest.base(folder, machine.programs(work.built))[1]
    except guest.Missing as missing:
        raise Skip(str(missing)) from missing


def debs(work):
    """A folder with NAME.deb, and NAME+1.deb to upgrade to."""
    folder = work.folder / "debs"
    if not folder.exists():
        folder.mkdir()
        for name, path in work.packages("deb").items():
            shutil.copy(path, folder / f"{name}.deb")
            repack(folder / f"{name}.deb", folder)
    return folder


def run(work, script, *arguments, left=True):
    """The facts that SCRIPT IMAGE FOLDER ... tells, the folder being an empty
    one; with `left`, nothing but notes is left at its end."""
    base = work.folder / "layers"
    shutil.rmtree(base, ignore_errors=True)
    base.mkdir()
    first, *others = arguments
    # In a mount namespace of its own: nothing stays when we are killed.
    done = subprocess.run(
        ["unshare", "-m", "--propagation", "private", str(HERE / script),
         str(first), str(base), *map(str, others)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    lines = done.stdout.splitlines()
    beyond = [line[5:] for line in lines if line.startswith("left ")
              and not NOTES.fullmatch(line[5:])]
    assert not beyond, f"left behind: {beyond}"
    assert not left or "same accounts" in lines, done.stdout
    return [line[6:] for line in lines if line.startswith("fact: ")]
