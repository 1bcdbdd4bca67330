# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes wrong on the way of a release, over a real server: the machine
stays protected, and the next update works."""

import contextlib
import os
import pathlib
import shutil
import signal
import threading
import time

import pytest

from agent import get, wait_for
from publisher import rule
from story import TEXTS, UUID, Stage, rules
from web import Relay

# Slow enough that there is time to do something in the middle.
SLOW = "limit_rate 8k;"
BIG = 64 << 10


@pytest.fixture
def stage(tmp_path, ground, request):
    """With release 1 on the server; nobody asked yet."""
    tmp_path.chmod(0o755)
    stage = Stage(tmp_path, ground)
    stage.release("one")
    stage.server.start()
    yield stage
    if stage.agent:
        request.node.agents = [stage.agent]
    stage.close()


def protect(stage, **conf):
    """Release 1 is in force, and is tried without pause."""
    stage.machine(**conf)
    stage.bring(1)
    stage.blocks("one")
    stage.watch()


def publish_big(stage, number=2):
    """A release whose one file does not pack."""
    filler = os.urandom(BIG).hex()
    stage.publisher.release({**rules("one"), "big.yar": f"// {filler}\n" + rule(
        "three", TEXTS["three"], UUID + "9")})
    stage.server.bring(stage.publisher.repo / "published")


def children(pid):
    text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def name_of(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def child_of(stage, name):
    return next((pid for pid in children(stage.agent.child.pid)
                 if name_of(pid) == name), None)


class Under(threading.Thread):
    """An update under way, in its middle: the manifest is here, and a blob
    comes slowly."""

    def __init__(self, stage):
        super().__init__(daemon=True)
        self.stage, self.code = stage, None
        stage.server.slow(SLOW)
        seen = len(stage.server.asked())
        self.start()
        wait_for(lambda: any("/releases/" in path for path, _ in
                             stage.server.asked()[seen:]),
                 "the manifest was fetched")

    def run(self):
        with contextlib.suppress(Exception):
            self.code = self.stage.agent.ctl_raw("update", "now",
                                                 limit_s=120).returncode

    def done(self):
        self.join(120)
        self.stage.server.slow("")
        return self.code


@pytest.mark.slow(600)
@pytest.mark.parametrize("victim", ["khien-verify", "khien-fetch"])
def test_killed_in_the_middle(stage, victim):
    protect(stage)
    publish_big(stage)
    under = Under(stage)
    os.kill(child_of(stage, victim), signal.SIGKILL)
    assert under.done() == 1
    assert stage.state()["active"] == 1
    stage.witness.again()
    stage.bring(2)
    stage.blocks("one", "three")
    stage.witness.stop()


@pytest.mark.slow(600)
def test_all_of_the_agent_is_killed_in_the_middle(stage):
    protect(stage)
    publish_big(stage)
    under = Under(stage)
    with stage.witness.pausing():
        stage.agent.child.kill()
        stage.agent.child.wait()
        assert under.done() != 0
        stage.agent.start()
        wait_for(lambda: stage.agent.status(), "it answers")
        wait_for(lambda: stage.scanned_by(1), "release 1 is read")
    stage.blocks("one")
    stage.bring(2)
    stage.blocks("one", "three")


@pytest.mark.slow(600)
def test_two_at_once(stage):
    protect(stage)
    publish_big(stage)
    under = Under(stage)
    assert "an update is under way" in stage.update(code=1)
    assert under.done() == 0
    stage.holds(2)
    stage.blocks("one", "three")


@pytest.mark.slow(600)
def test_a_mirror_that_lies_once_in_every_file(stage):
    protect(stage)
    before = set(stage.publisher.tree())
    stage.release("one", "three")
    new = sorted(set(stage.publisher.tree()) - before) + \
        ["metadata/timestamp.json"]
    # snapshot, targets, channel, a bin; index, manifest, a blob; timestamp
    assert len(new) == 8, new
    new.sort(key=asked_at)
    for name in new:
        path = stage.server.tree / name
        data = path.read_bytes()
        at = len(data) // 2
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
        said = stage.update(code=1)
        assert word_of(name) in said, (name, said)
        now = stage.state()
        assert (now["active"], get(now, "bad.number", 0)) == (1, 0), name
        stage.witness.again()
        path.write_bytes(data)
    stage.bring(2)
    stage.blocks("one", "three")
    stage.witness.stop()


@pytest.mark.slow(600)
def test_the_disk_is_full(stage):
    protect(stage, state_size="48m")
    publish_big(stage)
    ballast = stage.agent.state / "ballast"
    for room in (0, 8 << 10, 100 << 10):
        fill(ballast, room)
        said = stage.update(code=1)
        assert "are free: make room" in said or "No space left" in said, said
        stage.witness.again()
        ballast.unlink()
        assert stage.state()["active"] == 1
    stage.bring(2)
    stage.blocks("one", "three")
    stage.witness.stop()


def word_of(name):
    """Of the reason: a target is named as it is signed, without its hash."""
    last = name.rsplit("/", 1)[1]
    return last.split(".", 1)[1] if name.startswith("targets/") else last


def asked_at(name):
    """Where it comes in the order of questions: what was good is kept."""
    order = ("timestamp.json", "snapshot.json", "targets.json",
             "channel.json", "releases.json", "rules-", "/releases/", "blobs/")
    return next(at for at, part in enumerate(order) if part in name)


def fill(path, room):
    """Leaves that many bytes of its file system."""
    with open(path, "wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while file.write(b"x" * 65536):
                pass
        file.truncate(max(0, os.path.getsize(path) - room))


@pytest.mark.slow(600)
def test_a_relay_serves_when_the_server_is_gone(stage):
    relay = Relay(stage.folder / "relay", stage.server).start()
    try:
        stage.machine(url=f"{relay.url} {stage.server.url}")
        stage.bring(1)
        assert stage.agent.stop() == 0
        shutil.rmtree(stage.agent.state / "update")  # another machine
        stage.server.stop()
        time.sleep(2.1)  # what the relay is to ask anew is due
        stage.agent.start()
        stage.bring(1)
        stage.blocks("one")
        # What it spoiled is refused; the server behind it is asked.
        stage.server.start()
        stage.release("one", "three")
        lying(relay, stage)
        stage.bring(2)
        stage.blocks("one", "three")
    finally:
        relay.stop()


def lying(relay, stage):
    """The relay has the new timestamp, and rubbish behind every name."""
    for path in stage.server.tree.glob("metadata/*.json"):
        relay.ask(f"/metadata/{path.name}")
    relay.stop()
    for path in (relay.folder / "cache").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            path.write_bytes(data[:-40] + b"\0" * 40)
    relay.start()
    assert relay.ask("/metadata/2.snapshot.json")[2].endswith(b"\0" * 40)
