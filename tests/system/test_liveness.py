# SPDX-License-Identifier: GPL-2.0-or-later
"""Nobody waits longer than is promised, whatever of the agent stands still."""

import os
import shutil
import signal
import subprocess
import threading
import time

import pytest

import gated
from agent import wait_for
from load import BOUND_MS, DEADLINE_MS, exec_many, files

# khiend kills a gate that does not answer within two seconds.
STUCK_S = 3


def stop_scanners(agent):
    pids = agent.scanners()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    return pids


def go_on(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass


def protects(agent, ground, name):
    """A bad file is denied again."""
    path = ground.mount / name
    path.write_bytes(ground.bad)
    path.chmod(0o755)
    with pytest.raises(PermissionError):
        subprocess.run([str(path)], check=False)
    assert not ground.ran()


def settled(agent):
    wait_for(lambda: gated.gate(agent, "pending.now", 1) == 0,
             "nothing is pending")


def test_khiend_goes_on_while_the_gate_is_stopped(ground, asking):
    """What khiend starts lies on the mount that the gate stands still on."""
    agent = asking(programs=True)
    gate_pid = agent.pid_of("gate")
    shutil.copy(agent.programs / "khien-conf", ground.mount / "new")
    os.rename(ground.mount / "new", agent.programs / "khien-conf")
    os.kill(gate_pid, signal.SIGSTOP)
    agent.child.send_signal(signal.SIGHUP)
    wait_for(lambda: not os.path.exists(f"/proc/{gate_pid}"),
             "the stopped gate is killed", STUCK_S)
    wait_for(lambda: "read again" in agent.log(), "khien-conf was executed",
             STUCK_S)
    wait_for(lambda: agent.pid_of("gate") not in (None, gate_pid),
             "another gate is there")
    wait_for(lambda: gated.covered(agent, ground.mount), "it is covered")
    protects(agent, ground, "bad")


def test_gate_at_its_descriptor_limit(ground, asking, tool):
    """Far fewer descriptors than questions: those wait with the kernel, which
    would refuse what it cannot hand over."""
    path = files(ground, 600, ground.good)
    agent = asking(wrapper=["prlimit", "--nofile=300"])
    pid = agent.pid_of("gate")
    stopped = stop_scanners(agent)
    try:
        ends, longest_ms = exec_many(tool, 600, path)
    finally:
        go_on(stopped)
    assert ends == {0: 600}
    assert longest_ms < BOUND_MS
    wait_for(lambda: gated.gate(agent, "queue.full") > 0,
             "it is told that the table was full")
    assert gated.gate(agent, "events.unreadable") == 0
    assert agent.pid_of("gate") == pid
    settled(agent)
    protects(agent, ground, "bad")


def test_broken_leases_do_not_end_the_gate(ground, asking):
    agent = asking()
    pid = agent.pid_of("gate")
    path = ground.mount / "program"
    path.write_bytes(ground.good)
    path.chmod(0o755)
    os.chown(path, gated.NOBODY, gated.NOBODY)
    longest = 0
    for _ in range(100):
        subprocess.run([str(path)], check=True)
        began = time.monotonic()
        # A lease is held for this file: the writer waits for its end.
        os.close(os.open(path, os.O_WRONLY))
        longest = max(longest, time.monotonic() - began)
    assert longest < 0.5
    assert agent.pid_of("gate") == pid


def test_scanners_come_back_after_an_upgrade(ground, asking):
    """All dead, and their program new: only a scanner could judge it."""
    agent = asking(programs=True, gate_deadline_ms=10000)
    program = agent.programs / "khien-scan"
    for number in range(3):
        (ground.mount / "new").write_bytes(program.read_bytes() + b"\0")
        (ground.mount / "new").chmod(0o755)
        settled(agent)
        os.rename(ground.mount / "new", program)
        killed = agent.scanners()
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda killed=killed: agent.scanners() and
                 not set(agent.scanners()) & set(killed),
                 "other scanners are there", 5)
        protects(agent, ground, f"bad-{number}")


def test_thousand_execute_one_bad_file(ground, asking, tool):
    agent = asking()
    path = ground.mount / "bad"
    path.write_bytes(ground.bad)
    path.chmod(0o755)
    os.chown(path, gated.NOBODY, gated.NOBODY)
    before = gated.gate(agent, "scans.done")
    ends, _ = exec_many(tool, 1000, path)
    assert ends == {1: 1000}
    # On a busy machine all of these shared one scan; now it is known.
    with pytest.raises(PermissionError):
        subprocess.run([str(path)], check=True)
    assert not ground.ran()
    assert wait_for(lambda: gated.gate(agent, "questions.denied") >= 1000,
                    "a thousand answers are counted")
    # One scan when it is written, one for the first who executes it; what is
    # asked meanwhile shares them, and what comes later is known.
    assert gated.gate(agent, "scans.done") - before < 10
    # Each denial is told with what was found, also when nothing was scanned.
    wait_for(lambda: agent.count(
        "SELECT sum(count) FROM detection WHERE rule='khien_canary' AND "
        "cause='exec'") >= 1000, "each of them is told")
    # Another content in the same file is another; the bad one nobody opens.
    os.truncate(path, 0)
    path.write_bytes(ground.good)
    subprocess.run([str(path)], check=True)
    protects(agent, ground, "bad")
    wait_for(lambda: gated.gate(agent, "cache.bad") > 0,
             "some were denied from memory")


def test_killed_gate_releases_who_waits(ground, asking, tool):
    path = files(ground, 100, ground.good)
    agent = asking(gate_deadline_ms=10000)
    pid = agent.pid_of("gate")
    stopped = stop_scanners(agent)
    done = []
    thread = threading.Thread(
        target=lambda: done.append(exec_many(tool, 100, path)))
    try:
        thread.start()
        wait_for(lambda: gated.gate(agent, "pending.now") >= 100,
                 "all of them wait", 8)
        killed = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        thread.join(5)
        assert done and time.monotonic() - killed < 2
    finally:
        go_on(stopped)
        thread.join()
    assert done[0][0] == {0: 100}
    wait_for(lambda: agent.pid_of("gate") not in (None, pid),
             "another gate is there")
    wait_for(lambda: gated.covered(agent, ground.mount), "it is covered")
    protects(agent, ground, "bad")


def test_stopped_scanners_keep_nobody_beyond_the_deadline(ground, asking,
                                                           tool):
    path = files(ground, 500, ground.good)
    agent = asking()
    stopped = stop_scanners(agent)
    try:
        ends, longest_ms = exec_many(tool, 500, path)
    finally:
        go_on(stopped)
    assert ends == {0: 500}
    assert DEADLINE_MS <= longest_ms < BOUND_MS
    wait_for(lambda: gated.gate(agent, "questions.deadline") >= 500,
             "missed deadlines are counted")
    protects(agent, ground, "bad")


def test_late_verdict_is_told(ground, asking):
    agent = asking(scan_timeout_ms=5000)
    path = ground.mount / "bad"
    stopped = stop_scanners(agent)
    try:
        path.write_bytes(ground.bad)
        path.chmod(0o755)
        subprocess.run([str(path)], check=False)
        assert ground.ran()
    finally:
        go_on(stopped)
    wait_for(lambda: gated.gate(agent, "questions.late") >= 1,
             "the verdict came late")
    wait_for(lambda: [d for d in agent.ask("detections")
                      if d["rule"]["name"] == "khien_canary"],
             "it is a detection")


def test_agent_is_stopped_while_questions_are_open(ground, asking, tool):
    path = files(ground, 50, ground.good)
    agent = asking(gate_deadline_ms=10000)
    stopped = stop_scanners(agent)
    done = []
    thread = threading.Thread(
        target=lambda: done.append(exec_many(tool, 50, path)))
    try:
        thread.start()
        wait_for(lambda: gated.gate(agent, "pending.now") >= 50,
                 "all of them wait", 8)
        agent.child.send_signal(signal.SIGTERM)
        thread.join(5)
        assert done and done[0][0] == {0: 50}
    finally:
        go_on(stopped)
        thread.join()
    assert agent.stop() == 0


def test_unmounting_while_marked(ground, asking):
    """The watched mount is kept; another, beneath it, goes."""
    late = ground.mount / "late"
    late.mkdir()
    agent = asking(gate_watch=f"{ground.mount}:{late}")
    for _ in range(5):
        ground.add_mount(late, ["-t", "tmpfs", "khien-test"])
        wait_for(lambda: gated.covered(agent, late), "it is covered")
        shutil.copy("/bin/true", late / "true")
        subprocess.run([str(late / "true")], check=True)
        wait_for(lambda: subprocess.run(["umount", str(late)], check=False,
                                        stderr=subprocess.DEVNULL)
                 .returncode == 0, "it is unmounted", 5)
        ground.mounts.pop()
    assert agent.pid_of("gate")
