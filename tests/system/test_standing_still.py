# SPDX-License-Identifier: GPL-2.0-or-later
"""khiend tells the service manager how it is, and the gate ends by itself when
nobody is left who could end it."""

import os
import shutil
import signal
import socket
import subprocess
import time

import pytest

import gated
from agent import Agent, wait_for

# After this time without a push the kernel ends the gate.
DEADMAN_S = 5


class Manager:
    """What listens where NOTIFY_SOCKET says."""

    def __init__(self, path, watchdog_s=3):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)
        self.heard = []
        self.wrapper = ["env", f"NOTIFY_SOCKET={path}",
                        f"WATCHDOG_USEC={watchdog_s * 1000000}"]

    def messages(self):
        """All there were, each a list of lines."""
        while True:
            try:
                self.heard.append(self.socket.recv(4096).decode().split("\n"))
            except BlockingIOError:
                return self.heard

    def states(self):
        return [lines[0] for lines in self.messages()
                if lines[0] != "WATCHDOG=1"]

    def beats(self):
        return len(self.messages()) - len(self.states())


@pytest.fixture
def managed(tmp_path):
    manager = Manager(tmp_path / "notify")
    folder = tmp_path / "agent"
    folder.mkdir()
    agent = Agent(folder, wrapper=manager.wrapper)
    yield agent, manager
    agent.close()


def test_the_service_manager_is_told(managed):
    agent, manager = managed
    agent.start()
    wait_for(manager.states, "it is told of the start")
    assert manager.states() == ["READY=1"]
    assert {p["role"] for p in agent.processes()} >= {"gate", "scan"}
    agent.child.send_signal(signal.SIGHUP)
    wait_for(lambda: len(manager.states()) == 3, "it is told of the reload")
    assert manager.states()[1:] == ["RELOADING=1", "READY=1"]
    reloading = next(m for m in manager.heard if m[0] == "RELOADING=1")
    assert any(line.startswith("MONOTONIC_USEC=") for line in reloading)
    assert agent.stop() == 0
    assert manager.states()[3:] == ["STOPPING=1"]


def test_it_is_ready_when_the_gate_is(managed):
    """A gate that does not get ready keeps the start waiting."""
    agent, manager = managed
    programs = agent.folder / "programs"
    programs.mkdir()
    for path in agent.programs.glob("khien*"):
        if path.is_file():
            shutil.copy(path, programs)
    gate = programs / "khien-gate"
    gate.rename(programs / "gate")
    go = agent.folder / "go"
    gate.write_text(f"#!/bin/sh\nwhile ! [ -e {go} ]; do sleep 0.1; done\n"
                    f"exec {programs}/gate \"$@\"\n")
    gate.chmod(0o755)
    agent.programs = programs
    agent.spawn()
    wait_for(lambda: manager.beats() >= 2, "its loop runs")
    assert manager.states() == []
    go.touch()
    wait_for(manager.states, "it is told of the start")


def test_beats_end_when_it_stands_still(managed):
    agent, manager = managed
    agent.start()
    wait_for(lambda: manager.beats() >= 2, "it is told that the loop runs")
    os.kill(agent.child.pid, signal.SIGSTOP)
    time.sleep(0.1)
    before = manager.beats()
    time.sleep(2)
    assert manager.beats() == before
    os.kill(agent.child.pid, signal.SIGCONT)
    wait_for(lambda: manager.beats() > before, "it is told again")


def test_gate_and_khiend_stand_still(tmp_path):
    """Nobody kills the gate then, and all who wait are let go all the same."""
    ground = gated.Ground()
    (tmp_path / "agent").mkdir()
    agent = gated.make(tmp_path / "agent", ground)
    try:
        gated.start(agent)
        gate_pid = agent.pid_of("gate")
        path = ground.mount / "program"
        shutil.copy("/bin/true", path)
        os.kill(agent.child.pid, signal.SIGSTOP)
        os.kill(gate_pid, signal.SIGSTOP)
        began = time.monotonic()
        subprocess.run([str(path)], check=True, timeout=30)
        assert time.monotonic() - began < DEADMAN_S + 0.5
        os.kill(agent.child.pid, signal.SIGCONT)
        wait_for(lambda: agent.pid_of("gate") not in (None, gate_pid),
                 "another gate is there")
        wait_for(lambda: gated.covered(agent, ground.mount), "it is covered")
        (ground.mount / "bad").write_bytes(ground.bad)
        (ground.mount / "bad").chmod(0o755)
        with pytest.raises(PermissionError):
            subprocess.run([str(ground.mount / "bad")], check=False)
        assert not ground.ran()
    finally:
        agent.close()
        ground.close()


def test_gate_lives_on_without_khiend(tmp_path):
    """A stopped khiend alone is nothing that the gate dies of."""
    ground = gated.Ground()
    (tmp_path / "agent").mkdir()
    agent = gated.make(tmp_path / "agent", ground)
    try:
        gated.start(agent)
        gate_pid = agent.pid_of("gate")
        os.kill(agent.child.pid, signal.SIGSTOP)
        time.sleep(DEADMAN_S + 1)
        (ground.mount / "bad").write_bytes(ground.bad)
        (ground.mount / "bad").chmod(0o755)
        with pytest.raises(PermissionError):
            subprocess.run([str(ground.mount / "bad")], check=False)
        os.kill(agent.child.pid, signal.SIGCONT)
        assert agent.pid_of("gate") == gate_pid
    finally:
        agent.close()
        ground.close()
