# SPDX-License-Identifier: GPL-2.0-or-later
"""[gate] enforce: on the file systems that it names, and nowhere else."""

import os
import subprocess

import pytest

import gated
from agent import get, wait_for


@pytest.fixture
def both(tmp_path, ground):
    """One file system that is enforced, and one that is only observed."""
    plain = ground.mount / "plain"
    plain.mkdir()
    ground.add_mount(plain, ["-t", "tmpfs", "khien-test"])
    plain.chmod(0o1777)
    agent = gated.make(tmp_path, ground, action_on_malicious="quarantine",
                       gate_watch=f"{ground.mount}:{plain}",
                       gate_enforce=ground.mount)
    agent.plain = plain
    try:
        agent.start()
        wait_for(lambda: gated.covered(agent, ground.mount) and
                 listed(agent, plain), "both are watched")
        yield agent
    finally:
        agent.close()


def listed(agent, path):
    entries = get(agent.status() or {}, "khien.gate.covered") or {}
    return any(f"{path}: observed only" in str(value)
               for value in entries.values())


def put(path, content):
    path.write_bytes(content)
    path.chmod(0o755)
    return path


def detections(agent, path):
    return [row for row in agent.ask("detections")
            if get(row, "file.path") == str(path)]


def test_the_other_is_only_observed(both, ground):
    bad = put(both.plain / "bad", ground.bad)
    assert subprocess.run([str(bad)], check=False).returncode == 0
    assert ground.ran(), "it was to run"
    wait_for(lambda: detections(both, bad), "it is told")
    # What is done with a file comes after what is told of it.
    worse = put(ground.mount / "bad", ground.bad)
    wait_for(lambda: not worse.exists(), "the enforced one is taken away")
    assert bad.read_bytes() == ground.bad
    assert {get(row, "event.action") for row in detections(both, bad)} == \
        {"alert"}
    assert not ground.ran()


def test_the_named_one_is_enforced(both, ground):
    held = os.open(ground.mount / "bad", os.O_WRONLY | os.O_CREAT, 0o755)
    os.write(held, ground.bad)
    with pytest.raises(PermissionError):
        (ground.mount / "bad").read_bytes()
    os.close(held)
    assert not ground.ran()


def test_what_lies_beneath_is_never_enforced(both, ground):
    """When the named mount is gone its path leads to another file system."""
    both.conf["gate.watch"] = f"{ground.mount}:{both.plain}"
    inner = both.plain / "inner"
    inner.mkdir()
    ground.add_mount(inner, ["-t", "tmpfs", "khien-test"])
    both.conf["gate.watch"] += f":{inner}"
    both.conf["gate.enforce"] = inner
    both.write_conf()
    both.child.send_signal(1)
    wait_for(lambda: gated.covered(both, inner), "it is enforced")
    with pytest.raises(PermissionError):
        put(inner / "bad", ground.bad).read_bytes()
    subprocess.run(["umount", "-l", str(inner)], check=True)
    ground.mounts.remove(inner)
    missing = f"{inner}: named by [gate] enforce"
    wait_for(lambda: missing in str(both.status()), "it is missed")
    bad = put(both.plain / "bad", ground.bad)
    wait_for(lambda: detections(both, bad), "it is told")
    assert bad.read_bytes() == ground.bad


def test_a_path_that_is_not_there_is_refused(both):
    both.conf["gate.enforce"] = "/nowhere/at/all"
    both.write_conf()
    both.child.send_signal(1)
    wait_for(lambda: "'/nowhere/at/all'" in both.log(), "it is refused")
    assert listed(both, both.plain), "as before"
