# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever ends khien-keep, and whatever its disk refuses: each file is whole,
at its old place or in quarantine, never in neither."""

import os
import shutil

import pytest

from test_keep import disk, keeper, look, make  # noqa: F401: fixtures

KILLED = 42
DATA = os.urandom(150_000)
# What changes a file system, or says that it is changed.
CALLS = ("openat", "write", "fsync", "fallocate", "ftruncate", "renameat2",
         "unlinkat", "linkat", "mkdirat", "ioctl", "fchown", "fchmod",
         "fsetxattr", "utimensat")
ERRORS = ("EIO", "ENOSPC")


class Take:
    """A file is taken into quarantine."""

    def __init__(self, keeper, disk):
        self.keeper, self.path = keeper, disk / "file"

    def prepare(self):
        shutil.rmtree(self.keeper.vault, ignore_errors=True)
        if not self.path.exists():
            make(self.path, DATA)
        self.before = look(self.path)

    def run(self, wrapper):
        return self.keeper.take(self.path, wrapper=wrapper)

    def check(self, acted, where):
        if self.path.exists():
            assert not acted or acted["error"], where
            assert look(self.path) == self.before, where
            return
        (entry,) = [k["entry"] for k in self.keeper.list() if not k["error"]]
        assert not self.keeper.restore(entry)["error"], where
        assert look(self.path) == self.before, where


class Give:
    """It is restored; the entry stays."""

    def __init__(self, keeper, disk):
        self.keeper, self.path, self.disk = keeper, disk / "file", disk
        make(self.path, DATA)
        self.before = look(self.path)
        self.entry = keeper.take(self.path)["entry"]

    def prepare(self):
        if self.path.exists():
            os.unlink(self.path)

    def run(self, wrapper):
        return self.keeper.restore(self.entry, wrapper=wrapper)

    def check(self, acted, where):
        done = acted and not acted["error"]
        assert self.path.exists() or not done, where
        if self.path.exists():
            assert look(self.path) == self.before, where
        # Nothing half beside it.
        assert set(os.listdir(self.disk)) <= {"file", "lost+found"}, where
        (kept,) = self.keeper.list()
        assert not kept["error"] and kept["entry"] == self.entry, where


class Delete:
    """It is removed from quarantine."""

    def __init__(self, keeper, disk):
        self.keeper, self.path = keeper, disk / "file"
        make(self.path, DATA)
        self.entry = keeper.take(self.path)["entry"]
        self.file = keeper.vault / f"{self.entry}.q"
        self.bytes = self.file.read_bytes()

    def prepare(self):
        self.file.write_bytes(self.bytes)
        self.file.chmod(0o600)

    def run(self, wrapper):
        return self.keeper.delete(self.entry, wrapper=wrapper)

    def check(self, acted, where):
        assert not self.path.exists(), where
        assert {p.name for p in self.keeper.vault.iterdir()} <= \
            {"key", self.file.name}, where
        if self.file.exists():
            assert self.file.read_bytes() == self.bytes, where
            assert not acted or acted["error"], where


@pytest.mark.slow(600)
@pytest.mark.parametrize("what", [Take, Give, Delete])
def test_death_in_front_of_any_system_call(keeper, disk, tool, what):  # noqa
    scene = what(keeper, disk)
    number = 0
    while True:
        number += 1
        scene.prepare()
        acted = scene.run([tool("die-at"), str(number)])
        code = keeper.code
        scene.check(acted, f"system call {number}")
        if code != KILLED:
            break
    assert code == 0 and acted and not acted["error"], (number, acted)
    assert number > 100


@pytest.mark.slow(600)
@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("what", [Take, Give, Delete])
def test_any_call_may_fail(keeper, disk, what, error):  # noqa: F811
    """Told as a failure, or as done; and it is what is told."""
    scene = what(keeper, disk)
    failed = 0
    for call in CALLS:
        for number in range(1, 200):
            scene.prepare()
            trace = keeper.folder / "trace"
            acted = scene.run(["strace", "-qq", "-o", str(trace), "-e",
                               f"trace={call}", "-e",
                               f"inject={call}:error={error}:when={number}"])
            where = f"{call} {number}: {acted}"
            scene.check(acted, where)
            if "(INJECTED)" not in trace.read_text():
                break
            failed += acted is None or bool(acted["error"])
    assert failed > 3
