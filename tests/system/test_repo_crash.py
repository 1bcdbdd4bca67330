# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever ends khien-repo, and whatever its disk refuses: what is published is
the old state or the new one, whole, and the command can be given again."""

import os
import shutil
import subprocess

import pytest

from publisher import Publisher, rule
from test_repo import ONE, TWO, VECTORS, made, published  # noqa: F401: fixtures

# What changes a file system, or says that it is changed.
# Of those that only build or remove what nobody sees yet, some are tried, of the
# others every third; with KHIEN_EVERY=1 all of them.
EVERY = int(os.environ.get("KHIEN_EVERY", "40"))
THIRD = min(EVERY, 3)
CALLS = {"write": EVERY, "fsync": EVERY, "linkat": EVERY, "unlinkat": EVERY,
         "mkdirat": THIRD, "renameat": THIRD, "renameat2": THIRD}


class Scene:
    """A repository that is put back before each try."""

    def __init__(self, publisher):
        self.publisher = publisher
        self.prepare(publisher)
        self.before = publisher.folder / "before"
        shutil.copytree(publisher.repo, self.before)
        self.old = publisher.metadata("timestamp")

    def prepare(self, publisher):
        pass

    def again(self):
        self.run(None)

    def restore(self):
        shutil.rmtree(self.publisher.repo)
        shutil.copytree(self.before, self.publisher.repo)

    def check(self, where):
        """Old or new, and whole; then it is done again."""
        publisher = self.publisher
        publisher.wrapper = []
        publisher.run("verify", code=0)
        now = publisher.metadata("timestamp")["signed"]["version"]
        was = self.old["signed"]["version"]
        assert now in (was, was + 1), where
        self.again()
        assert publisher.code == 0 or now == was + 1, where
        publisher.run("verify", code=0)


class Stage(Scene):
    def run(self, code):
        self.publisher.run("stage", self.publisher.folder / "rules",
                           code=code)

    def prepare(self, publisher):
        publisher.rules(TWO)

    def check(self, where):
        super().check(where)
        self.publisher.sign("alice", "bob")
        self.publisher.publish()


class Sign(Scene):
    def prepare(self, publisher):
        publisher.stage(TWO)
        publisher.sign("alice")

    def run(self, code):
        self.publisher.sign("bob", code=code)

    def check(self, where):
        super().check(where)
        self.publisher.publish()


class Publish(Sign):
    def prepare(self, publisher):
        super().prepare(publisher)
        publisher.sign("bob")

    def run(self, code):
        self.publisher.publish(code=code)

    def check(self, where):
        Scene.check(self, where)
        assert len(self.publisher.index()["releases"]) == 2, where


class Rotate(Publish):
    """A new online key, and a new root, in one."""

    def prepare(self, publisher):
        publisher.new_key("online2")
        for role in ("snapshot", "timestamp"):
            publisher.run("rotate", role, "--remove", "online", "--add",
                          publisher.public("online2"))
        publisher.sign("alice", "bob")

    def run(self, code):
        self.publisher.run("publish", "--key",
                           self.publisher.secret("online2"),
                           "--passphrase-file", self.publisher.passphrase,
                           code=code)

    def check(self, where):
        Scene.check(self, where)
        roles = self.publisher.metadata("root")["signed"]["roles"]
        (key,) = roles["timestamp"]["keyids"]
        signed = self.publisher.metadata("timestamp")["signatures"]
        assert [s["keyid"] for s in signed] == [key], where


class Withdraw(Publish):
    """With another release that is still being signed."""

    def prepare(self, publisher):
        publisher.stage(TWO)
        publisher.run("withdraw", 1, "--reason", "bad")
        publisher.sign("carol")

    def check(self, where):
        Scene.check(self, where)
        assert self.publisher.index()["revoked"], where
        self.publisher.sign("alice", "bob")
        self.publisher.publish()
        assert len(self.publisher.index()["releases"]) == 2, where


SCENES = [Stage, Sign, Publish, Rotate, Withdraw]


def each_call(scene, what):
    """Runs it with `what` injected at each call; yields (where, injected)."""
    publisher = scene.publisher
    trace = publisher.folder / "trace"
    for call, step in CALLS.items():
        for number in range(1, 2000, step):
            scene.restore()
            publisher.wrapper = [
                "strace", "-qq", "-o", str(trace), "-e", f"trace={call}",
                "-e", f"inject={call}:{what}:when={number}"]
            scene.run(None)
            if "(INJECTED)" not in trace.read_text() and \
                    "killed by" not in trace.read_text():
                break
            yield f"{call} {number}"


@pytest.mark.slow(1200)
@pytest.mark.parametrize("what", SCENES)
def test_death_at_any_change(published, what):  # noqa: F811
    scene = what(published)
    tried = 0
    for where in each_call(scene, "signal=KILL"):
        scene.check(where)
        tried += 1
    assert tried > 10 // EVERY


@pytest.mark.slow(1200)
@pytest.mark.parametrize("what", [Publish, Withdraw])
def test_any_change_may_fail(published, what):  # noqa: F811
    scene = what(published)
    failed = 0
    for where in each_call(scene, "error=ENOSPC"):
        failed += scene.publisher.code != 0
        scene.check(where)
    assert failed > 5 // EVERY


def test_a_full_disk(tmp_path):
    """A small file system of its own: what does not fit is refused, and after
    that there is room again."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    point = tmp_path / "disk"
    point.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs",
                    str(point)], check=True)
    try:
        publisher = Publisher(tmp_path)
        publisher.repo = point / "repo"
        publisher.init()
        publisher.release(ONE, vectors=VECTORS)
        before = publisher.tree()
        large = {f"{i}.yar": rule(f"r{i}", os.urandom(30000).hex())
                 for i in range(40)}
        said = publisher.run("stage", publisher.rules(large), code=2)
        assert "No space left" in said
        publisher.run("verify")
        assert publisher.tree() == before
        subprocess.run(["mount", "-o", "remount,size=16m", str(point)],
                       check=True)
        publisher.release(large)
        publisher.run("verify")
    finally:
        subprocess.run(["umount", "-l", str(point)], check=True)
