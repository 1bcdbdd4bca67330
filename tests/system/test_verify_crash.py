# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever ends khien-verify, and whatever its disk refuses: what is in force
is a whole release or the package's rules, and the next run works."""

import os
import re
import shutil
import subprocess

import pytest

from test_verify import RULE, OTHER, signer, verifier  # noqa: F401: fixtures
from verifier import UID

KILLED = 42
# Of the calls that fail with EIO, every which one is tried; with KHIEN_EVERY=1
# all of them.  It dies in front of all changes, and has no room in all calls
# that may need some.
EVERY = {"EIO": int(os.environ.get("KHIEN_EVERY", "8")), "ENOSPC": 1}
# What each error may be told of.
CALLS = {
    "EIO": ("openat", "write", "fsync", "renameat", "renameat2", "unlinkat",
            "mkdirat", "symlinkat", "linkat", "readlinkat", "flock",
            "getdents64", "memfd_create", "pread64", "read", "newfstatat"),
    "ENOSPC": ("openat", "write", "fsync", "renameat", "renameat2", "mkdirat",
               "symlinkat", "linkat")}
RULES = {1: {"a/one.yar": RULE, "other.yar": OTHER},
         2: {"a/one.yar": RULE, "b/new.yar": RULE + OTHER, "moved.yar": OTHER},
         3: {"three.yar": RULE + RULE}}
VECTORS = {1: [("first", b"one", ["one"])],
           2: [("first", b"one", ["one"]), ("second", b"two", [])],
           3: []}


class Scene:
    """A machine, what is asked of it, and what it may be like afterwards."""

    def __init__(self, signer, machine, folder):  # noqa: F811
        self.signer, self.machine = signer, machine
        self.saved = folder / "saved"
        self.before()
        # Something for each start to sweep away.
        (machine.update / "releases").mkdir(exist_ok=True)
        for name in ("import/metadata", "releases/9.tmp/rules", "releases/8"):
            path = machine.update / name
            path.mkdir(parents=True)
            (path / "left").write_text("over")
        subprocess.run(["chown", "-R", f"{UID}:{UID}", machine.update],
                       check=True)
        subprocess.run(["cp", "-a", machine.update, self.saved], check=True)
        self.allowed = {self.machine.current(), self.after}

    def publish(self, *numbers):
        for number in numbers:
            self.signer.release(number, RULES[number], VECTORS[number])
            self.signer.publish()

    def prepare(self):
        shutil.rmtree(self.machine.update)
        subprocess.run(["cp", "-a", self.saved, self.machine.update],
                       check=True)

    def check(self, updated, where, ask=True):
        """After a run that was disturbed, before anything else."""
        machine = self.machine
        assert machine.current() in self.allowed, where
        if machine.current():
            assert machine.rules(machine.current()) == \
                RULES[machine.current()], where
        if (machine.update / "state.json").exists():
            machine.state()
        for name in machine.releases():
            if name in ("1", "2", "3"):
                assert machine.rules(int(name)) == RULES[int(name)], where
        if updated and not updated["error"]:
            self.check_done(updated, where)
        if not ask:
            return
        told = machine.ask("STATUS")
        assert told and not told["error"], (where, told)
        assert told["active"] == machine.current(), (where, told)
        if (machine.update / "state.json").exists():
            assert machine.state()["active"] == machine.current(), where
        assert set(machine.releases()) <= {"1", "2", "3"}, where
        assert not (machine.update / "import").exists(), where
        assert sorted(p.name for p in machine.update.glob("*tmp")) == []

    def check_done(self, updated, where):
        assert self.machine.current() == self.after == updated["active"], where

    def check_next(self, where):
        """And the same again comes to its end."""
        updated = self.run(())
        assert updated and not updated["error"], (where, updated)
        self.check_done(updated, where)
        assert self.machine.state()["active"] == self.machine.current(), where


class First(Scene):
    """The first release of all is staged."""
    after = 0

    def before(self):
        self.publish(1)

    def run(self, wrapper):
        return self.machine.now(self.signer.folder, wrapper=wrapper)

    def check_done(self, updated, where):
        super().check_done(updated, where)
        assert updated["staged"] == 1, (where, updated)


class Next(First):
    """One is active, the next is staged."""
    after = 1

    def before(self):
        self.publish(1)
        self.machine.bring(self.signer.folder)
        self.publish(2)

    def check_done(self, updated, where):
        Scene.check_done(self, updated, where)
        assert updated["staged"] == 2, (where, updated)


class Import(Next):
    """The same out of a file."""

    def before(self):
        super().before()
        self.file = self.saved.parent / "export.tar"
        self.signer.export(self.file)

    def run(self, wrapper):
        return self.machine.ask("IMPORT", file=self.file, wrapper=wrapper)


class Activate(Scene):
    after = 2

    def before(self):
        self.publish(1)
        self.machine.bring(self.signer.folder)
        self.publish(2)
        self.machine.now(self.signer.folder)

    def run(self, wrapper):
        return self.machine.ask("ACTIVATE", 2, wrapper=wrapper)


class TakeBack(Scene):
    after = 1

    def before(self):
        self.publish(1)
        self.machine.bring(self.signer.folder)
        self.publish(2)
        self.machine.bring(self.signer.folder)

    def run(self, wrapper):
        return self.machine.ask("TAKE_BACK", 2, "it hangs", wrapper=wrapper)

    def check_done(self, updated, where):
        super().check_done(updated, where)
        assert updated["bad"] == 2, where

    def check(self, updated, where, ask=True):
        # For want of room for a link, none.
        if updated and "package's rules" in updated["note"]:
            self.allowed = self.allowed | {0}
            assert self.machine.current() == 0, where
            updated = None
        super().check(updated, where, ask)

    def check_next(self, where):
        if self.machine.current():
            super().check_next(where)


class Refuse(Activate):
    after = 1

    def run(self, wrapper):
        return self.machine.ask("REFUSE", 2, "it hangs", wrapper=wrapper)


class Revoked(Scene):
    """The active one is revoked, and another is staged in its place."""
    after = 1

    def before(self):
        self.publish(1)
        self.machine.bring(self.signer.folder)
        self.publish(2)
        self.machine.bring(self.signer.folder)
        self.signer.revoke(2)
        self.publish(3)

    def run(self, wrapper):
        return self.machine.now(self.signer.folder, wrapper=wrapper)

    def check(self, updated, where, ask=True):
        if updated and "package's rules" in updated["note"]:
            self.allowed = self.allowed | {0}
        super().check(updated, where, ask)

    def check_done(self, updated, where):
        assert updated["staged"] == 3, (where, updated)
        assert self.machine.current() == updated["active"] != 2, where


SCENES = [First, Next, Import, Activate, TakeBack, Refuse, Revoked]


@pytest.fixture
def scene(request, signer, verifier, tmp_path):  # noqa: F811
    return request.param(signer, verifier(), tmp_path)


@pytest.mark.slow(900)
@pytest.mark.parametrize("scene", SCENES, indirect=True)
def test_death_in_front_of_any_change(scene, tool):
    number = 0
    while True:
        number += 1
        scene.prepare()
        updated = scene.run([tool("die-at"), str(-number)])
        code = scene.machine.code
        scene.check(updated, f"change {number}")
        scene.check_next(f"change {number}")
        if code != KILLED:
            break
    assert code == 0 and updated and not updated["error"], (number, updated)
    print(f"{type(scene).__name__}: there are about {number - 1} changes")
    assert number > 10


def traced(scene, trace, *options):
    """What a run from the saved state on answers, and the lines of strace."""
    scene.prepare()
    trace.write_text("")
    # With a filter in the kernel, for which -f is needed, only these calls
    # are held up.
    updated = scene.run(["strace", "-qq", "-f", "--seccomp-bpf", "-o",
                         str(trace), *options])
    return updated, trace.read_text().splitlines()


def calls(scene, trace, error):
    """(name, which) of all calls that may fail so, of a run that is not
    disturbed."""
    found = {name: [] for name in CALLS[error]}
    count = dict.fromkeys(found, 0)
    _, lines = traced(scene, trace, "-e", "trace=" + ",".join(found))
    for line in lines:
        name = re.match(r"(?:\d+ +)?(\w+)\(", line)
        if not name or name.group(1) not in found:
            continue
        count[name.group(1)] += 1
        # What is only opened needs no room.
        if error != "ENOSPC" or name.group(1) != "openat" or "O_CREAT" in line:
            found[name.group(1)].append(count[name.group(1)])
    return [(name, which) for name, numbers in found.items()
            for which in numbers[(EVERY[error] - 1) // 2::EVERY[error]]]


@pytest.mark.slow(900)
@pytest.mark.parametrize("error", CALLS)
@pytest.mark.parametrize("scene", SCENES, indirect=True)
def test_any_call_may_fail(scene, error, tmp_path):
    """Told as a failure, or done; and what is in force is whole."""
    failed = injected = 0
    trace = tmp_path / "trace"
    planned = calls(scene, trace, error)
    for call, which in planned:
        updated, lines = traced(
            scene, trace, "-e", f"trace={call}", "-e",
            f"inject={call}:error={error}:when={which}")
        where = f"{call} {which}: {updated}"
        scene.check(updated, where, ask=False)
        scene.check_next(where)
        injected += any("(INJECTED)" in line for line in lines)
        failed += updated is None or bool(updated["error"])
    print(f"{type(scene).__name__} {error}: {injected} failed calls, "
          f"{failed} told as a failure")
    # Two runs are not the same to the last call.
    assert injected > len(planned) * 0.9
    assert failed > 0


def test_on_the_disk_before_it_has_its_name(signer, verifier,  # noqa: F811
                                            tmp_path):
    """What loses its power loses nothing that counts."""
    scene = Next(signer, verifier(), tmp_path)
    trace = tmp_path / "trace"
    updated = scene.run(["strace", "-qq", "-y", "-o", str(trace), "-e",
                         "trace=fsync,renameat,renameat2"])
    assert updated["staged"] == 2
    synced, order = set(), []
    for line in trace.read_text().splitlines():
        found = re.match(r"fsync\(\d+<(.*)>\) = 0", line)
        if found:
            synced.add(found.group(1))
            order.append(line)
        elif '"2.tmp"' in line:
            draft = str(scene.machine.update / "releases/2.tmp")
            whole = {draft, *(os.path.join(base, name).replace(
                "releases/2", "releases/2.tmp", 1) for base, folders, files in
                os.walk(draft[:-4]) for name in folders + files)}
            order.append("named")
            break
    assert order[-1] == "named"
    assert {os.path.basename(p) for p in whole} <= \
        {os.path.basename(p) for p in synced}, (whole, synced)
