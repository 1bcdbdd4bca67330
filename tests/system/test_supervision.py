# SPDX-License-Identifier: GPL-2.0-or-later
"""Each process may be killed at any moment; nothing stored is lost."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest

from agent import BUILD, EICAR, SAN, get, wait_for

BACK_S = 10 if SAN else 2
ROLES = ["sensor", "gate", "scan", "engine", "query"]


def kill_and_wait(agent, role):
    """Kills it, waits for its successor; returns the seconds it took."""
    old = agent.pid_of(role)
    assert old
    killed = time.monotonic()
    os.kill(old, signal.SIGKILL)

    def back():
        pid = agent.pid_of(role)
        return pid if pid and pid != old else None

    wait_for(back, f"{role} is back", 30, pause_s=0.02)
    return old, time.monotonic() - killed


def told(agent, role, pid):
    """The agent's own events that say that this process ended."""
    return [r for r in agent.sql(
        "SELECT role, pid, message FROM agent WHERE type='peer'")
        if str(pid) in str(r) and role in str(r)]


@pytest.mark.parametrize("role", ROLES)
def test_killed_at_rest(agent, role):
    path = agent.write("before", EICAR)
    wait_for(lambda: agent.found(path), "the first detection")
    agent.settle()
    newest = agent.count("SELECT max(id) FROM process")
    pid, took_s = kill_and_wait(agent, role)
    assert took_s < BACK_S
    events = wait_for(lambda: told(agent, role, pid), "an event says so")
    assert re.search(r"signal 9|SIGKILL|[Kk]illed", str(events))
    assert agent.count(
        f"SELECT count(*) FROM process WHERE id={newest}") == 1
    assert agent.found(path) == 1
    # And everything works again.
    after = agent.write("after", EICAR)
    wait_for(lambda: agent.found(after), "a detection after it")
    agent.settle()


@pytest.mark.slow(400)
@pytest.mark.parametrize("role", ROLES)
def test_killed_in_a_storm(agent, tool, role):
    count = 2000 if SAN else 8000
    tag = f"storm-{role}-{time.time_ns()}"
    storm = subprocess.Popen([tool("exec-storm"), str(count), "2", tag])
    files = agent.mount / "files"
    files.mkdir()
    others = subprocess.Popen([tool("file-storm"), str(count), "1",
                               str(files)])
    try:
        for _ in range(2):
            time.sleep(0.7)
            pid, took_s = kill_and_wait(agent, role)
            assert took_s < BACK_S + 2  # the machine is busy
    finally:
        assert storm.wait(300) == 0
        assert others.wait(300) == 0
    wait_for(lambda: told(agent, role, pid), "an event says so")
    agent.settle()
    # Arrives or is counted; what arrives, arrives once.
    wait_for(lambda: agent.execs_of_true(tag) + agent.lost("critical")
             >= count, "the storm is stored or counted")
    assert agent.execs_of_true(tag) == \
        agent.execs_of_true(tag, distinct=True)
    if role in ("gate", "scan", "query"):
        assert agent.execs_of_true(tag) == count


def test_what_happened_while_the_sensor_was_away(agent):
    before = agent.lost("critical")
    tags = [f"away-{i}-{time.time_ns()}" for i in range(50)]
    os.kill(agent.pid_of("sensor"), signal.SIGKILL)
    for tag in tags:
        subprocess.run(["/bin/true", tag], check=True)
    agent.settle()

    wait_for(lambda: agent.execs_of_true("away-") + agent.lost("critical")
             - before >= len(tags),
             "what happened meanwhile arrives or is counted")
    assert agent.execs_of_true("away-") <= len(tags)


def test_what_happened_while_the_engine_was_away(agent):
    for round_ in range(3):
        tags = [f"engine-{round_}-{i}" for i in range(50)]
        os.kill(agent.pid_of("engine"), signal.SIGKILL)
        for tag in tags:
            subprocess.run(["/bin/true", tag], check=True)
        wait_for(agent.status, "the engine is back")
        agent.settle()
        wait_for(lambda r=round_: agent.execs_of_true(f"engine-{r}-") == 50,
                 "nothing is lost and nothing twice")
    assert agent.lost("critical") == 0


def test_file_written_while_scanners_are_dead(agent):
    for pid in agent.scanners():
        os.kill(pid, signal.SIGKILL)
    path = agent.write("meanwhile", EICAR)
    wait_for(lambda: agent.found(path), "it is scanned all the same")


def test_stopped_gate_is_replaced(agent):
    """It misses its heartbeat: khiend kills it."""
    pid = agent.pid_of("gate")
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: agent.pid_of("gate") not in (pid, None),
             "the stuck gate is replaced", 20)
    path = agent.write("after", EICAR)
    wait_for(lambda: agent.found(path), "a detection after it")
    assert told(agent, "gate", pid)


def test_killed_khiend_takes_its_children_along(agent):
    pids = [p["pid"] for p in agent.processes() if p.get("pid")]
    agent.child.kill()
    agent.child.wait()

    def gone():
        return not any(pathlib.Path(f"/proc/{p}/exe").exists()
                       for p in pids)

    wait_for(gone, "no child is left", 10)
    agent.start()
    path = agent.write("after", EICAR)
    wait_for(lambda: agent.found(path), "a detection after it")


def test_one_that_dies_again_and_again_is_not_restarted_at_full_speed(agent):
    for _ in range(6):
        pid = wait_for(lambda: agent.pid_of("query"), "query is there")
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda p=pid: agent.pid_of("query") != p, "it is noticed")
    wait_for(lambda: agent.pid_of("query"), "it comes back")
    assert get([p for p in agent.processes() if p["role"] == "query"][0],
               "restarts") >= 6


def library(name):
    """The path that the loader takes for this library."""
    out = subprocess.run(["ldd", str(BUILD / "khien-scan")],
                         capture_output=True, text=True, check=True).stdout
    return pathlib.Path(re.search(rf"{name}\S* => (\S+)", out).group(1))


IN_PRIVATE = 'mount --bind "$0" "$1" && shift && exec "$@"'


def test_library_upgraded_while_every_scanner_is_dead(make_agent):
    """In a mount namespace of its own, a copy lies over the system's library;
    then another copy, a new inode, takes its place."""
    agent = make_agent(start=False)
    yara = library("libyara").resolve()
    copies = [agent.folder / name for name in ("old", "new")]
    for copy in copies:
        shutil.copy2(yara, copy)
    agent.wrapper = ["unshare", "--mount", "--propagation", "private", "sh",
                     "-c", IN_PRIVATE, str(copies[0]), str(yara)]
    agent.start()
    dead = agent.scanners()
    assert mapped(dead[0], copies[0])
    os.kill(agent.child.pid, signal.SIGSTOP)  # so that none comes back yet
    try:
        for pid in dead:
            os.kill(pid, signal.SIGKILL)
        subprocess.run(["nsenter", "--mount", "--target",
                        str(agent.child.pid), "mount", "--bind",
                        str(copies[1]), str(yara)], check=True)
    finally:
        os.kill(agent.child.pid, signal.SIGCONT)
    wait_for(lambda: agent.scanners() and not set(dead)
             & set(agent.scanners()), "scanners come back", 10)
    # It is told of once it was started; its libraries come a moment later.
    wait_for(lambda: mapped(agent.scanners()[0], copies[1]),
             "it has the new library", 10)
    path = agent.write("after", EICAR)
    wait_for(lambda: agent.found(path), "a detection after it")


def mapped(pid, path):
    """True when the process has this very file in its memory."""
    inode = str(path.stat().st_ino)
    text = pathlib.Path(f"/proc/{pid}/maps").read_text()
    return any(line.split()[4] == inode for line in text.splitlines())


def test_turns_on_a_busy_machine(agent):
    """What others wait for comes before them; what works for itself does
    not."""
    gate = agent.pid_of("gate")
    assert os.sched_getscheduler(gate) & ~os.SCHED_RESET_ON_FORK == \
        os.SCHED_RR or os.getpriority(os.PRIO_PROCESS, gate) == -20
    daemon = agent.child.pid
    assert os.sched_getscheduler(daemon) & ~os.SCHED_RESET_ON_FORK == \
        os.SCHED_RR or os.getpriority(os.PRIO_PROCESS, daemon) == -20
    mounts = agent.pid_of("mounts")
    assert os.getpriority(os.PRIO_PROCESS, mounts) == -20
    for role in ("mounts", "engine", "scan", "query", "sensor"):
        assert os.sched_getscheduler(agent.pid_of(role)) == os.SCHED_OTHER
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    for role in ("engine", "scan", "query", "sensor"):
        assert os.getpriority(os.PRIO_PROCESS, agent.pid_of(role)) == ours
