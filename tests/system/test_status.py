# SPDX-License-Identifier: GPL-2.0-or-later
"""What `status` and `doctor` say of how well the agent protects."""

import os
import signal
import subprocess

import pytest

import gated
from agent import get, wait_for


@pytest.fixture
def asking(make_agent, ground, tmp_path):  # noqa: ARG001: it skips without root
    made = []

    def make(**conf):
        made.append(gated.start(gated.make(tmp_path, ground, **conf)))
        return made[-1]

    yield make
    for agent in made:
        agent.close()


def says(agent, state, part, where="reasons"):
    status = agent.status() or {}
    return get(status, "khien.state") == state and \
        any(part in text for text in get(status, f"khien.{where}", []))


def failures(agent):
    code, objects = agent.ctl("doctor")
    texts = [get(o, "khien.doctor.text") for o in objects
             if not get(o, "khien.doctor.ok")]
    assert code == (1 if texts else 0)
    return texts


def reload(agent, **conf):
    agent.conf.update({k.replace("_", ".", 1): v for k, v in conf.items()})
    agent.write_conf()
    agent.child.send_signal(signal.SIGHUP)


def test_mode_is_said(make_agent):
    agent = make_agent()
    wait_for(lambda: any("nothing is stopped" in text for text in
                         get(agent.status(), "khien.notes", [])),
             "to observe is no fault, but is said")
    assert not any("[gate] mode" in text for text in
                   get(agent.status(), "khien.reasons") + failures(agent))
    reload(agent, gate_mode="off")
    wait_for(lambda: says(agent, "at_risk", "mode is off"), "off is a risk")
    assert b"AT RISK" in agent.ctl_raw("status").stdout
    assert any("khienctl reload" in text for text in failures(agent))


def test_what_enforcing_costs_is_told(asking, ground):
    agent = asking()
    path = ground.mount / "good"
    path.write_bytes(ground.good)
    path.chmod(0o777)
    for _ in range(3):
        subprocess.run([str(path)], check=True)
    bad = ground.mount / "bad"
    bad.write_bytes(ground.bad)
    bad.chmod(0o755)
    with pytest.raises(PermissionError):
        subprocess.run([str(bad)], check=True)
    wait_for(lambda: gated.gate(agent, "questions.denied") > 0 and
             gated.gate(agent, "cache.user") > 0, "it is counted")
    status = agent.status()
    for name in ("questions.asked", "questions.scanned", "wait_us.max",
                 "wait_us.p50", "wait_us.p99", "deadline_ms"):
        assert get(status, f"khien.gate.{name}") > 0, name
    for name in ("questions.deadline", "questions.late", "cache.root",
                 "cache.crashes", "questions.allowed"):
        assert get(status, f"khien.gate.{name}") == 0, name
    for name in ("killed", "quarantined", "allowed"):
        assert get(status, f"khien.engine.{name}") == 0, name
    text = agent.ctl_raw("status").stdout.decode()
    for part in ("enforce: 1 file systems watched", "answered from memory",
                 "99 of 100 within", "missed the deadline of 500 ms",
                 "1 denied" if get(status, "khien.gate.questions.denied") == 1
                 else " denied", "processes killed", "files quarantined"):
        assert part in text, (part, text)


def test_missed_deadline_is_said(asking, ground):
    agent = asking(gate_deadline_ms=100, scan_timeout_ms=3000)
    (scanner,) = agent.scanners()
    path = ground.mount / "slow"
    path.write_bytes(ground.good)
    path.chmod(0o755)
    os.kill(scanner, signal.SIGSTOP)
    try:
        subprocess.run([str(path)], check=True)
        wait_for(lambda: says(agent, "degraded", "no verdict came within"),
                 "it is said")
        assert any("deadline_ms" in text for text in failures(agent))
    finally:
        os.kill(scanner, signal.SIGCONT)
