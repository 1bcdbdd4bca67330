# SPDX-License-Identifier: GPL-2.0-or-later
"""What the gate and khiend told an engine that died before it stored it."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from agent import ROOT, SAN, wait_for

FILES = 400 if SAN else 2000
# Writes so many files with the marker, each with a path of its own.
WRITER = """
import sys, time
folder, count, marker = sys.argv[1], int(sys.argv[2]), \
    bytes.fromhex(sys.argv[3])
for i in range(count):
    with open(f"{folder}/m{i}", "wb") as out:
        out.write(marker)
    time.sleep(0.002)
"""


def marker():
    """The bytes of our own self test's rule, in hexadecimal."""
    text = (ROOT / "signatures/yara/test/selftest.yar").read_text()
    return "".join(re.search(r"\$marker = \{([^}]*)\}", text)[1].split())


def storm(agent, role, kills, pause_s):
    """The writer's folder; kills the role's process again and again."""
    folder = agent.mount / "storm"
    folder.mkdir()
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(folder),
                               str(FILES), marker()])
    killed = []
    try:
        while len(killed) < kills:
            time.sleep(pause_s)
            pid = wait_for(lambda: agent.pid_of(role), f"{role} is there")
            if pid in killed:
                continue
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)
    finally:
        assert writer.wait(120) == 0
    wait_for(agent.status, "the engine answers")
    return folder, killed


def detections(agent, folder):
    return agent.count("SELECT count(DISTINCT path) FROM detection WHERE "
                       f"path LIKE '{folder}/m%'")


def closes(agent, folder):
    return agent.count("SELECT count(DISTINCT path) FROM file WHERE "
                       f"type='close' AND path LIKE '{folder}/m%'")


@pytest.mark.slow(300)
def test_engine_killed_while_files_are_detected(agent):
    folder, killed = storm(agent, "engine", 5, 0.6)
    wait_for(lambda: detections(agent, folder) == FILES,
             "every file is a detection", 60)
    agent.settle()
    rows = f"FROM detection WHERE path LIKE '{folder}/m%'"
    assert agent.count(f"SELECT count(*) {rows}") == FILES
    assert agent.count(f"SELECT max(count) {rows}") == 1
    rows = f"FROM file WHERE type='close' AND path LIKE '{folder}/m%'"
    wait_for(lambda: closes(agent, folder) + agent.lost("bulk") >= FILES,
             "every close is stored or counted", 10)
    assert agent.count(f"SELECT count(*) {rows}") == closes(agent, folder)
    # What the gate numbered has a name that stays.
    event = agent.ask("events", "--type", "close", "--limit", "1")[0]
    assert "-bulk-65533-" in event["event"]["id"]
    assert event["event"]["sequence"] < 1 << 53
    assert agent.ask("show", event["event"]["id"])
    # Everybody started once, but for those that we killed.
    again = agent.sql("SELECT role, idx, pid, message, count(*) AS n FROM "
                      "agent WHERE type='peer' GROUP BY 1, 2, 3, 4 "
                      "HAVING n > 1")
    assert not again
    for pid in killed:
        assert agent.count("SELECT count(*) FROM agent WHERE type='peer' AND "
                           f"pid={pid} AND message LIKE 'killed%'") == 1


@pytest.mark.slow(300)
def test_gate_killed_while_files_are_detected(agent):
    folder, _ = storm(agent, "gate", 3, 0.8)
    agent.settle()

    def quiet():
        before = detections(agent, folder)
        time.sleep(1)
        return detections(agent, folder) == before

    wait_for(quiet, "no more detections come", 60)
    rows = f"FROM detection WHERE path LIKE '{folder}/m%'"
    found = detections(agent, folder)
    assert agent.count(f"SELECT max(count) {rows}") == 1
    assert agent.count(f"SELECT count(*) {rows}") == found
    # What the kernel held for the gate, and what came while there was none,
    # is not known: each time it is told as a loss.
    assert agent.count("SELECT count(*) FROM agent WHERE type='loss' AND "
                       "message LIKE 'the gate ended before%'") == 3
    assert found < FILES or not agent.lost("critical")
