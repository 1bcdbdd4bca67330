# SPDX-License-Identifier: GPL-2.0-or-later
"""The work that is measured; each call returns the seconds it took."""

import os
import pathlib
import resource
import shutil
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXECS = 3000         # of one block: about a second
EXECS_USER = 2000    # the same, one after the other
COMPILE = ('gcc -std=gnu17 -O2 -I"$0" -D_GNU_SOURCE -c "$2" '
           '-o "$1/$(basename "$2").o"')
BUILD = ["xargs", "-n", "1", "-P", str(os.cpu_count()), "sh", "-c", COMPILE]


def pack(target, tree="/usr/include"):
    """A real source tree of a few thousand files, which every machine that
    builds has."""
    subprocess.run(["tar", "-C", tree, "-cf", target, "."], check=True)


def children_cpu():
    """Processor seconds of all children that have ended."""
    use = resource.getrusage(resource.RUSAGE_CHILDREN)
    return use.ru_utime + use.ru_stime


class Work:
    """Where the machine's own file systems are only watched."""

    def __init__(self, place, storm):
        self.place = place
        self.storm = storm
        self.archive = place / "tree.tar"
        pack(self.archive)

    @staticmethod
    def _timed(*command, **options):
        started = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL,
                       **options)
        return time.monotonic() - started

    def exec_storm(self):
        return self._timed(self.storm, str(EXECS), str(os.cpu_count()),
                           "bench")

    def untar(self):
        target = self.place / "out"
        target.mkdir()
        try:
            return self._timed("tar", "-C", str(target), "-xf",
                               str(self.archive))
        finally:
            shutil.rmtree(target)

    def c_build(self):
        sources = sorted(str(p) for p in (ROOT / "agent/lib").glob("*.c"))
        target = self.place / "objects"
        target.mkdir()
        try:
            return self._timed(*BUILD, str(ROOT), str(target),
                               input="\n".join(sources), text=True)
        finally:
            shutil.rmtree(target)


class Inside:
    """The same on a mount of our own, where the agent asks."""

    def __init__(self, ground, share=1):
        """`share`: one of so many of everything, for what takes long."""
        self.ground = ground
        self.execs, self.execs_user = EXECS // share, EXECS_USER // share
        ground.add_compiler()
        pack(ground.root / "tree.tar",
             "/usr/include" if share == 1 else "/usr/include/linux/netfilter")
        names = sorted(p.name for p in (ROOT / "agent/lib").glob("*.c"))
        self.sources = "\n".join(f"/source/agent/lib/{name}"
                                 for name in names[::share])

    def _timed(self, *command, **options):
        started = time.monotonic()
        self.ground.run(*command, **options)
        return time.monotonic() - started

    def exec_system(self):
        return self._timed("/bench/exec-storm", self.execs, os.cpu_count(),
                           "bench")

    def exec_user(self):
        return self._timed("/bench/exec-storm", self.execs_user, 1, "bench",
                           "/bench/true-user")

    def untar(self):
        target = self.ground.root / "yard/out"
        target.mkdir()
        try:
            return self._timed("tar", "-C", "/yard/out", "-xf", "/tree.tar")
        finally:
            shutil.rmtree(target)

    def c_build(self):
        target = self.ground.root / "yard/objects"
        target.mkdir()
        try:
            return self._timed(*BUILD, "/source", "/yard/objects",
                               input=self.sources, text=True)
        finally:
            shutil.rmtree(target)


class Opens:
    """Small files, each opened, read and closed."""

    def __init__(self, ground, count):
        self.ground, self.count = ground, count
        self._each("write")

    def _each(self, *how):
        done = self.ground.run("/bench/open-each", "/yard/small-",
                               self.count, *how, stdout=subprocess.PIPE)
        return float(done.stdout)

    def opens(self):
        return self._each()
