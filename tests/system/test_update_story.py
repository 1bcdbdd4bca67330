# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole way of a rule: people who sign, a real server, a machine on which
a file that ran before is refused, and everybody who wants it otherwise."""

import hashlib
import json
import subprocess
import time

import pytest

from agent import BUILD, get
from signer import date
from story import Stage, Thief, executes, kept, rules
from verifier import offline

HANGS = """rule hangs
{
	meta:
		id = "0c5f21c6-0d55-4fbe-b4a7-30d4ab0d7a0f"
		description = "hangs"
		attack = "T1204"
	condition:
		filesize == 17 and
		for all i in (1..0xffffffffffff) : (uint8(i % 17) != 1)
}
"""
SEEDS = [hashlib.md5(str(at).encode()).hexdigest() for at in range(200)]


@pytest.fixture
def stage(tmp_path, ground, request):
    tmp_path.chmod(0o755)
    stage = Stage(tmp_path, ground)
    yield stage
    if stage.agent:
        request.node.agents = [stage.agent]
    stage.close()


def place(seed, number):
    """In hundredths of a percent."""
    digest = hashlib.sha256(f"{seed}\0{number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % 10000


@pytest.mark.slow(900)
def test_the_story(stage):
    two_of_three_publish(stage)
    what_ran_is_refused(stage)
    one_that_hangs(stage)
    a_wave(stage)
    it_is_withdrawn(stage)
    a_key_is_rotated_and_one_revoked(stage)
    a_thief_of_the_online_key_freezes(stage)
    he_tries_more(stage)
    and_is_locked_out(stage)
    without_a_network(stage)
    stage.witness.stop()


def two_of_three_publish(stage):
    publisher = stage.publisher
    publisher.stage(rules("one"), vectors={
        "match/one/sample": stage.programs["one"], "clean/none": b"nothing"})
    publisher.sign("alice")
    assert "root has 1 of 2 signatures" in publisher.publish(code=1)
    publisher.sign("bob")
    publisher.publish()
    stage.server.bring(publisher.repo / "published")
    stage.server.start()


def what_ran_is_refused(stage):
    stage.machine()
    path = stage.ground.mount / "before"
    path.write_bytes(stage.programs["one"])
    path.chmod(0o755)
    for _ in range(2):  # also once it is known to be clean
        assert executes(path) and stage.ground.ran()
    stage.bring(1)
    assert not executes(path) and not stage.ground.ran()
    stage.blocks("one")
    stage.watch()


def one_that_hangs(stage):
    publisher = stage.publisher
    publisher.release({**rules("one", "three"), "hangs.yar": HANGS},
                      vectors={"clean/seventeen": b"seventeen bytes 1"})
    stage.server.bring(publisher.repo / "published")
    said = stage.update(code=1)
    assert "release 2 is refused" in said and "hangs.yar" in said
    now = stage.state()
    assert (now["active"], get(now, "bad.number")) == (1, 2)
    before = len(stage.server.asked())
    stage.update()  # it is remembered, and not tried again
    assert len(stage.server.asked()) == before + 2
    stage.blocks("one")


def a_wave(stage):
    stage.release("one", "three", options=("--wave", "now:10",
                                           "--wave", "+2d:100"))
    tree, trust = stage.server.tree, stage.folder / "trust"
    inside = {seed for seed in SEEDS if place(seed, 3) < 1000}
    assert 8 < len(inside) < 35
    assert {seed for seed in SEEDS if target_of(stage, seed) == 3} == inside
    for percent, number in ((9, 3), (10, 2), (100, 2)):
        code, told, said = offline("-d", tree, "--trust", trust, "--place",
                                   percent)
        assert code == 0, said
        assert told["target"] == number, (percent, told)
        assert told["waiting"] == (0 if number == 3 else 3)
    stage.bring(3)
    stage.blocks("one", "three")


def target_of(stage, seed):
    """What khien-verify chooses on a machine of that id."""
    file = stage.folder / "machine-id"
    file.write_text(seed + "\n")
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/machine-id && '
         'exec "$@"', str(file), str(BUILD / "khien-verify"), "-d",
         str(stage.server.tree), "--trust", str(stage.folder / "trust")],
        capture_output=True, check=True, timeout=120)
    return json.loads(done.stdout)["target"]


def it_is_withdrawn(stage):
    publisher = stage.publisher
    publisher.run("withdraw", 3, "--reason", "it finds the wrong things")
    publisher.sign("carol")  # alone
    publisher.publish()
    stage.server.bring(publisher.repo / "published")
    stage.bring(1)
    stage.blocks("one")


def rotate(publisher, old, new=None):
    for role in ("root", "targets", "channel"):
        publisher.run("rotate", role, "--remove", old, *(
            ("--add", publisher.public(new)) if new else ()))


def a_key_is_rotated_and_one_revoked(stage):
    publisher = stage.publisher
    publisher.new_key("dora")
    rotate(publisher, "carol", "dora")
    publisher.sign("alice", "bob", "dora")
    publisher.publish()
    rotate(publisher, "bob")
    publisher.sign("alice", "bob", "dora")
    publisher.publish()
    stage.server.bring(publisher.repo / "published")
    stage.bring(1)
    # Bob's counts no more, whatever else is signed as it must be.
    thief = Thief(publisher, stage.server, "alice", "bob", "online")
    with kept(stage.server):
        own(thief, "targets")
        said = stage.update(code=1)
        assert "targets.json" in said and "1 of 2" in said, said
    stage.release("one", "four", signers=("alice", "dora"))
    publisher.refresh()  # he signed a timestamp of that number
    stage.server.bring(publisher.repo / "published")
    stage.bring(4)
    stage.blocks("one", "four")


def a_thief_of_the_online_key_freezes(stage):
    """An old state as the newest: until it expires, and then it is told."""
    thief = Thief(stage.publisher, stage.server, "online")
    snapshot = thief.signed("snapshot")["version"]
    end_s = time.time() + 6
    thief.point(thief.listed("snapshot", snapshot), expires=date(end_s))
    stage.update()
    assert stage.state()["active"] == 4
    # The publisher goes on; nobody is shown it.
    stage.publisher.release(rules("one", "five"), signers=("alice", "dora"))
    time.sleep(max(0, end_s - time.time()) + 1)
    said = stage.update(code=1)
    assert "timestamp.json" in said and "expired" in said, said
    now = stage.state()
    assert (now["active"], now["alarm"]) == (4, "freeze"), now
    assert get(stage.agent.status(), "khien.state") != "ok"
    stage.blocks("one", "four")


def he_tries_more(stage):
    """Each is newer than all that was seen, and signed with the online key."""
    thief = Thief(stage.publisher, stage.server, "online")
    thief.ahead = 1000000
    number = thief.signed("snapshot")["version"]
    old = thief.signed("snapshot", number - 1)["meta"]["targets.json"]
    for what, said in (
            (lambda: thief.point(thief.listed("snapshot", number - 1)),
             ("timestamp.json", "snapshot")),
            (lambda: thief.publish(targets=old), ("snapshot.json", "targets")),
            (lambda: own(thief, "channel"), ("channel.json", "0 of 1")),
            (lambda: own(thief, "channel", "targets"),
             ("targets.json", "0 of 2"))):
        with kept(stage.server):
            what()
            told = stage.update(code=1)
            assert all(word in told for word in said), told
            assert stage.state()["active"] == 4
    stage.blocks("one", "four")


def own(thief, *roles):
    """Files that he made, each newer than what was there."""
    made = {}
    for role in roles:
        signed = thief.signed(role)
        signed["version"] += 1
        made[role] = thief.write(role, signed)
    thief.publish(**made)


def and_is_locked_out(stage):
    """Who counts far up hinders nobody once his key is replaced."""
    publisher = stage.publisher
    stage.server.bring(publisher.repo / "published")
    assert "timestamp" in stage.update(code=1)  # it seems to be older
    publisher.new_key("online2")
    for role in ("snapshot", "timestamp"):
        publisher.run("rotate", role, "--remove", "online", "--add",
                      publisher.public("online2"))
    publisher.sign("alice", "dora")
    publisher.run("publish", "--key", publisher.secret("online2"),
                  "--passphrase-file", publisher.passphrase)
    stage.server.bring(publisher.repo / "published")
    stage.bring(5)
    assert stage.state()["alarm"] == "none"
    stage.blocks("one", "five")


def without_a_network(stage):
    stage.server.stop()
    assert "127.0.0.1" in stage.update(code=1)
    publisher = stage.publisher
    publisher.release(rules("one", "six"), signers=("alice", "dora"))
    file = stage.folder / "release.tar"
    publisher.run("export", file)
    stage.update("import", file)
    stage.holds(6)
    stage.blocks("one", "six")
