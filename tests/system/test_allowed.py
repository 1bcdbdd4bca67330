# SPDX-License-Identifier: GPL-2.0-or-later
"""What a responder gives back from quarantine can be used, and nothing else."""

import hashlib
import os
import signal
import subprocess

import pytest

import gated
from agent import get, wait_for


@pytest.fixture
def agent(make_agent, ground, tmp_path):  # noqa: ARG001: it skips without root
    made = gated.start(gated.make(tmp_path, ground,
                                  action_on_malicious="quarantine"))
    yield made
    made.close()


def write(path, data):
    """As its user does, with its mode from the beginning."""
    subprocess.run(["/bin/sh", "-c", 'umask 022; cat > "$0.new" && '
                    'chmod 755 "$0.new" && mv "$0.new" "$0"', str(path)],
                   input=data, check=False, user=gated.NOBODY,
                   stderr=subprocess.DEVNULL)


def runs(ground, path):
    """Whether its user can execute it, and it does what it would do."""
    try:
        subprocess.run([str(path)], check=True, user=gated.NOBODY)
    except (PermissionError, FileNotFoundError):
        assert not ground.ran()
        return False
    assert ground.ran()
    return True


def kept(agent, path):
    def find():
        return [k for k in agent.ask("quarantine", "list")
                if get(k, "file.path", "").startswith(str(path))]

    return get(wait_for(find, f"{path} is in quarantine")[-1],
               "khien.quarantine.id")


def take(agent, path, data):
    """A bad file of a user, which is taken away; its entry.  One that was made
    while the file got its name is made anew: so this is the last of them."""
    write(path, data)
    wait_for(lambda: not path.exists(), "its name is gone")
    return kept(agent, path)


def restore(agent, ground, *where):
    path = ground.mount / "false-positive"
    entry = take(agent, path, ground.bad)
    agent.ask("quarantine", "restore", entry, "--to", path, *where)
    return path, entry


def allowed(agent):
    return agent.ask("quarantine", "allowed")


def detections(agent, path):
    return [d for d in agent.ask("detections", "--since", "10m")
            if get(d, "file.path") == str(path)]


def test_restored_file_can_be_used(agent, ground):
    path, entry = restore(agent, ground)
    assert runs(ground, path)
    assert path.read_bytes() == ground.bad
    # It is told each time, and nothing is done about it.
    told = wait_for(lambda: [d for d in detections(agent, path)
                             if "allowed" in get(d, "khien.flags", [])],
                    "the match is told as allowed")
    assert {get(d, "event.action") for d in told} == {"alert"}
    assert b"allowed by a responder" in agent.ctl_raw("detections").stdout

    # It is the content that is allowed, wherever it stands.
    copy = ground.mount / "copy"
    write(copy, ground.bad)
    assert runs(ground, copy) and runs(ground, path)

    # One byte more, and it is another.
    other = ground.mount / "other"
    write(other, ground.bad + b"\0")
    assert not runs(ground, other)
    kept(agent, other)
    assert runs(ground, copy) and path.exists()

    sha256 = hashlib.sha256(ground.bad).hexdigest()
    (one,) = allowed(agent)
    assert get(one, "file.hash.sha256") == sha256
    assert get(one, "file.path") == str(path)
    assert get(one, "rule.name") == "khien_canary"
    assert get(one, "khien.quarantine.id") == entry
    assert get(one, "user.id") == "0"
    done = agent.ctl_raw("quarantine", "allowed")
    assert sha256.encode() in done.stdout and done.returncode == 0
    wait_for(lambda: gated.gate(agent, "questions.allowed") > 0,
             "they are counted")


def test_file_that_changes_is_no_longer_allowed(agent, ground):
    """Whatever was known of it while it was what a responder allowed."""
    path, _ = restore(agent, ground)
    assert runs(ground, path)
    with open(path, "r+b") as file:
        file.seek(0, os.SEEK_END)
        file.write(b"\0")
    assert not runs(ground, path)


def test_revoked_content_is_denied_again(agent, ground):
    path, entry = restore(agent, ground)
    assert runs(ground, path)
    sha256 = get(allowed(agent)[0], "file.hash.sha256")
    agent.ask("quarantine", "revoke", sha256)
    assert not runs(ground, path)
    assert allowed(agent) == []
    assert b"nothing found" in agent.ctl_raw("quarantine", "allowed").stdout
    done = agent.ctl_raw("quarantine", "revoke", sha256)
    assert done.returncode == 2 and b"no such content" in done.stderr
    # Who did it is told, and so is that it was asked.
    acts = [get(e, "message") for e in agent.events("--type", "act")]
    assert any(sha256 in a and "allowed no longer" in a for a in acts)
    assert any(sha256 in a and entry in a and "allowed from now on" in a
               for a in acts)
    assert len(agent.sql("SELECT request FROM asked WHERE "
                         f"request LIKE '%revoke%{sha256}%' AND "
                         "command = 'quarantine' AND uid = 0")) == 2
    # What was denied is taken again, and can be given back again.
    wait_for(lambda: not path.exists(), "it is taken again")
    agent.ask("quarantine", "restore", entry)
    assert runs(ground, path)


@pytest.mark.parametrize("role", ["engine", "gate"])
def test_it_survives_the_death_of_a_process(agent, ground, role):
    path, _ = restore(agent, ground)
    before = agent.pid_of(role)
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: agent.pid_of(role) not in (None, before) and
             gated.covered(agent, ground.mount), f"a new {role} is at work")
    assert runs(ground, path)
    assert len(allowed(agent)) == 1


def test_it_survives_the_whole_agent(agent, ground):
    path, _ = restore(agent, ground)
    copy = ground.mount / "copy"
    write(copy, ground.bad)
    agent.stop()
    gated.start(agent)
    assert runs(ground, path) and runs(ground, copy)
    sha256 = get(allowed(agent)[0], "file.hash.sha256")
    agent.ask("quarantine", "revoke", sha256)
    agent.stop()
    gated.start(agent)
    assert allowed(agent) == []
    assert not runs(ground, path)


def test_partial_scan_is_never_allowed(make_agent, ground, tmp_path):  # noqa: ARG001
    """Its hash is that of all its bytes, but not all of them were scanned."""
    agent = gated.start(gated.make(tmp_path, ground, scan_max_size="4096",
                                   action_on_malicious="quarantine"))
    script = (f"#!/bin/sh\n# {gated.MARKER}\n: > {ground.canary}\n"
              "exit 0\n").encode()
    try:
        path = ground.mount / "small"
        agent.ask("quarantine", "restore", take(agent, path, script))
        assert runs(ground, path)
        path = ground.mount / "large"
        entry = take(agent, path, script + b"#" * 8192)
        agent.ask("quarantine", "restore", entry)
        assert not runs(ground, path)
    finally:
        agent.close()


@pytest.mark.parametrize("args", [
    ["allowed", "x"], ["revoke"], ["revoke", "0" * 63], ["revoke", "G" * 64],
    ["revoke", "0" * 64], ["revoke", "0" * 64, "--to", "/x"]])
def test_wrong_requests_are_refused(make_agent, args):
    agent = make_agent()
    done = agent.ctl_raw("quarantine", *args)
    assert done.returncode == 2 and done.stderr
