# SPDX-License-Identifier: GPL-2.0-or-later
"""What is done about bad files, from the verdict to the quarantine and back."""

import os
import shutil
import signal
import stat
import subprocess
import time

import pytest

from agent import BUILD, EICAR, EICAR_SHA256, get, wait_for
from test_gate import detections, watching
from test_keep import cgroup, look, start  # noqa: F401 (a fixture)

# A program that a rule of the test's own finds by its end.
MARK = b"khien test mark 5fb1"
RULES = """
rule test_mark { meta: severity = "critical"
  strings: $a = "%s" condition: $a }
rule test_low { meta: severity = "low"
  strings: $a = "khien low mark" condition: $a }
""" % MARK.decode()
ENTRY_DIGITS = 32


@pytest.fixture
def enforcing(make_agent, cgroup):  # noqa: F811
    def make_one(action="quarantine", mode="enforce", **conf):
        agent = make_agent(start=False, conf={
            "gate.mode": mode, "gate.scope_cgroup": cgroup,
            "action.on_malicious": action, "action.min_severity": "high",
            **conf})
        (agent.local / "test.yar").write_text(RULES)
        agent.start()
        return watching(agent)
    return make_one


def write(path, data, mode=0o644):
    """With its mode from the beginning: it may be gone once it is closed."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    os.write(fd, data)
    os.close(fd)


def kept(agent):
    code, objects = agent.ctl("quarantine", "list")
    assert code == 0
    return objects


def entry_of(agent, path):
    def find():
        return [k for k in kept(agent) if get(k, "file.path") == str(path)]

    return wait_for(find, f"{path} is in quarantine")[-1]


def action_of(agent, path, action):
    wait_for(lambda: action in [get(d, "event.action")
                                for d in detections(agent, path)],
             f"{path}: {action}; " + str(detections(agent, path)))


def acts(agent):
    return [get(e, "message") for e in agent.events("--type", "act")]


def test_written_file_is_quarantined_and_restored(enforcing):
    agent = enforcing()
    path = agent.mount / "dir with space" / "eicar"
    path.parent.mkdir()
    other = agent.mount / "clean"
    other.write_bytes(b"clean")
    write(path, EICAR, 0o640)
    entry = entry_of(agent, path)
    wait_for(lambda: not path.exists(), "its name is gone")
    assert get(entry, "file.hash.sha256") == EICAR_SHA256
    assert get(entry, "file.size") == len(EICAR)
    assert get(entry, "rule.name")
    number = get(entry, "khien.quarantine.id")
    assert len(number) == ENTRY_DIGITS
    action_of(agent, path, "quarantine")
    assert any(number in a for a in acts(agent))
    done = agent.ctl_raw("quarantine", "list")
    assert done.returncode == 0 and number.encode() in done.stdout

    # It stays where it is put although it is as bad as before.
    done = agent.ctl_raw("quarantine", "restore", number)
    assert done.returncode == 0, done.stderr
    assert path.stat().st_size == len(EICAR)
    time.sleep(2)
    assert path.read_bytes() == EICAR
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    done = agent.ctl_raw("quarantine", "restore", number)
    assert done.returncode == 2 and b"stands in its place" in done.stderr
    code, objects = agent.ctl("quarantine", "restore", number, "--to",
                              agent.folder / "elsewhere")
    assert code == 0
    assert get(objects[0], "file.path") == str(agent.folder / "elsewhere")
    assert (agent.folder / "elsewhere").read_bytes() == EICAR

    assert agent.ctl("quarantine", "delete", number)[0] == 0
    assert agent.ctl("quarantine", "delete", number)[0] == 2
    assert number not in [get(k, "khien.quarantine.id") for k in kept(agent)]
    assert other.read_bytes() == b"clean"
    asked = agent.sql("SELECT request FROM asked WHERE command='quarantine' "
                      "AND request LIKE '%restore%'")
    assert len(asked) == 3
    agent.stop()
    assert path.read_bytes() == EICAR


def test_attributes_come_back(enforcing):
    agent = enforcing()
    path = agent.mount / "bad"
    with open(path, "wb") as file:
        file.write(b"x" * 70_000 + MARK)
        os.fchown(file.fileno(), 1234, 5678)
        os.fchmod(file.fileno(), 0o4751)
        os.setxattr(file.fileno(), "trusted.note", b"a\0b")
        file.flush()
        os.utime(file.fileno(), ns=(1_000_000_001, 1_111_111_111_222_333_444))
    number = get(entry_of(agent, path), "khien.quarantine.id")
    assert agent.ctl("quarantine", "restore", number)[0] == 0
    agent.stop()
    data, mode, uid, gid, modified, xattrs = look(path)
    assert data == b"x" * 70_000 + MARK
    assert (stat.S_IMODE(mode), uid, gid) == (0o4751, 1234, 5678)
    assert modified == 1_111_111_111_222_333_444
    assert xattrs == {"trusted.note": b"a\0b"}


def program(agent, name):
    path = agent.mount / name
    shutil.copy("/bin/sleep", path)
    return path


def test_running_program_that_turns_out_bad_is_killed(
        enforcing, cgroup):  # noqa: F811
    """It runs while it is clean to our rules; the rules learn better."""
    agent = enforcing(action="block")
    path = program(agent, "late")
    inside = [start(path, "300", cgroup=cgroup) for _ in range(3)]
    outside = start(path, "300")
    try:
        time.sleep(0.5)
        assert all(c.poll() is None for c in (*inside, outside))
        rule = ('rule late { meta: severity = "high" strings: $a = '
                '"GNU coreutils" condition: uint32(0) == 0x464c457f and $a }')
        (agent.local / "late.yar").write_text(rule)
        agent.child.send_signal(signal.SIGHUP)
        wait_for(lambda: any(get(r, "rule.name") == "late"
                             for r in agent.ask("rules")), "the rule is known")
        wait_for(lambda: denied(path), "it is not let run again")
        for child in inside:
            assert child.wait(20) == -signal.SIGKILL
        action_of(agent, path, "kill")
        assert outside.poll() is None and path.exists()
    finally:
        for child in (*inside, outside):
            child.kill()
            child.wait()


def denied(path):
    try:
        child = subprocess.Popen([str(path), "0"])
    except PermissionError:
        return True
    child.wait()
    return False


def test_observe_mode_and_alert_touch_nothing(enforcing):
    for how in ({"mode": "observe"}, {"action": "alert"}):
        agent = enforcing(**how)
        path = agent.mount / "eicar"
        path.write_bytes(EICAR)
        wait_for(lambda a=agent, p=path: detections(a, p), "a detection")
        time.sleep(1)
        assert path.read_bytes() == EICAR
        assert kept(agent) == [] and acts(agent) == []
        action_of(agent, path, "alert")
        agent.stop()


def test_minor_rule_only_alerts(enforcing):
    agent = enforcing()
    path = agent.mount / "low"
    path.write_bytes(b"khien low mark")
    wait_for(lambda: detections(agent, path), "a detection")
    time.sleep(1)
    assert path.exists() and kept(agent) == []


def test_scan_on_request_touches_nothing(enforcing):
    agent = enforcing()
    path = agent.folder / "eicar"
    path.write_bytes(EICAR)
    assert agent.ctl("scan", path)[0] == 1
    time.sleep(1)
    assert path.exists() and kept(agent) == []


def test_full_disk_is_told_and_leaves_the_file(make_agent, cgroup):  # noqa
    # Events of all that runs beside it find room in the store.
    agent = make_agent(start=False, state_size="40m", conf={
        "gate.mode": "enforce", "gate.scope_cgroup": cgroup,
        "store.max_size_mb": 8,
        "action.on_malicious": "quarantine"})
    (agent.local / "test.yar").write_text(RULES)
    watching(agent.start())
    path = agent.mount / "large"
    path.write_bytes(os.urandom(40 << 20) + MARK)
    wait_for(lambda: [a for a in acts(agent) if "No space left" in a],
             "the failure is told")
    assert path.stat().st_size == (40 << 20) + len(MARK)
    assert kept(agent) == []
    small = agent.mount / "small"
    small.write_bytes(EICAR)
    entry_of(agent, small)


@pytest.mark.parametrize("args", [
    [], ["list", "x"], ["restore"], ["delete"], ["purge", "x"],
    ["restore", "../../../etc/passwd"], ["restore", "0" * 31],
    ["delete", "0" * 32], ["restore", "0" * 32], ["delete", "G" * 32],
    ["list", "--to", "/x"], ["restore", "0" * 32, "--to", ""]])
def test_wrong_requests_are_refused(make_agent, args):
    agent = make_agent()
    done = agent.ctl_raw("quarantine", *args)
    assert done.returncode == 2 and done.stderr
    assert agent.status()


@pytest.mark.slow(120)
@pytest.mark.parametrize("script, said, least_s", [
    ("exit 3", "without an answer", 0), ("exec sleep 60", "too long", 9)])
def test_keep_that_fails_is_told(make_agent, tmp_path, script, said, least_s):
    """khiend answers in its place, and ends it when it takes too long."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for program in BUILD.glob("khien*"):
        if program.is_file():
            shutil.copy(program, programs)
    (programs / "khien-keep").write_text(f"#!/bin/sh\n{script}\n")
    agent = make_agent(programs=programs)
    for _ in range(2):
        began = time.monotonic()
        done = agent.ctl_raw("quarantine", "list")
        assert done.returncode == 2 and said in done.stderr.decode()
        assert least_s <= time.monotonic() - began < least_s + 6
    assert agent.status()


def test_quarantine_is_for_control_sock(make_agent):
    agent = make_agent()
    with agent.connect() as sock:
        sock.sendall(b'{"version":1,"command":"quarantine","options":'
                     b'{"do":"list"}}\n')
        assert b"only root" in sock.recv(4096)
    assert kept(agent) == []


@pytest.mark.slow(200)
def test_many_files_are_all_quarantined(enforcing):
    agent = enforcing()
    paths = [agent.mount / f"bad{i}" for i in range(150)]
    for i, path in enumerate(paths):
        path.write_bytes(b"%d " % i + MARK)
    wait_for(lambda: not [p for p in paths if p.exists()],
             "all are gone", 60)
    assert {get(k, "file.path") for k in kept(agent)} == \
        {str(p) for p in paths}
