# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent's guard where the kernel takes none of its programs, or is told not
to: said by name, and commands work.  Where it is in force: tests/guest."""

import json
import os
import sqlite3
import subprocess
import time

import pytest

from agent import BUILD, Agent, get, wait_for

ASKED = "SELECT count(*) FROM asked WHERE uid=0 AND socket='control' AND "


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    agent = Agent(tmp_path_factory.mktemp("khien"), {"guard.mode": "on"})
    try:
        agent.start()
        wait_for(lambda: state(agent) not in ("unknown", "awaited"),
                 "the guard has a state")
        yield agent
    finally:
        agent.close()


@pytest.fixture
def refused(shared):
    """Skips where the tier of the guard loads: this is about the others."""
    if state(shared) == "armed":
        pytest.skip("this machine takes the guard's programs")
    return shared


def state(agent):
    return get(agent.status() or {}, "khien.guard.state")


def ask_raw(agent, name, command, **options):
    """The end line of the answer to a request at that socket."""
    with agent.connect(name) as sock:
        sock.sendall(json.dumps({"version": 1, "command": command,
                                 "options": options}).encode() + b"\n")
        with sock.makefile() as lines:
            return get(json.loads(list(lines)[-1]), "khien.end")


def test_absence_is_told(refused):
    status = refused.status()
    assert get(status, "khien.guard.mode") == "on"
    assert get(status, "khien.guard.state") == "absent"
    assert get(status, "khien.guard.programs") == 0
    assert "until" not in get(status, "khien.guard")
    reasons = get(status, "khien.reasons")
    assert any("the agent's guard: this kernel takes none" in r
               for r in reasons), reasons
    assert get(status, "khien.state") == "degraded"
    text = refused.ctl_raw("status").stdout.decode()
    assert "\nguard       this kernel takes none of its programs" in text
    code, checks = refused.ctl("doctor")
    assert code == 1
    check, = [c for c in checks if get(c, "khien.doctor.check") == "guard"]
    assert get(check, "khien.doctor.ok") is False
    done = refused.ctl_raw("guard")
    assert done.returncode == 0
    assert b"takes none of its programs" in done.stdout


def test_each_absent_program_is_named(refused):
    programs = get(refused.status(), "khien.sensor.programs", {})
    guards = {k: v for k, v in programs.items() if k.startswith("guard_")}
    assert guards
    for name, said in guards.items():
        assert said.startswith(("absent: ", "not needed")), (name, said)


def test_commands_are_recorded(refused):
    assert refused.ask("guard", "off", "--for", "1m")
    assert refused.ask("guard", "on")
    assert refused.count(ASKED + "command='guard' AND request LIKE "
                         "'%\"off\"%' AND request LIKE '%\"for_s\":60%'") == 1
    assert refused.count(ASKED + "command='guard' AND request LIKE "
                         "'%\"on\"%'") == 1
    # A pause of what is not there is none.
    assert state(refused) == "absent"


def test_only_root_may_change_it(shared):
    for name, options in (("guard", {"do": "off"}), ("guard", {"do": "on"}),
                          ("stop", {})):
        end = ask_raw(shared, "status.sock", name, **options)
        assert end["exit"] == 2 and "control.sock" in end["error"], end
    assert ask_raw(shared, "status.sock", "guard", do="status")["exit"] == 0


def test_service_manager_may_stop_what_is_not_guarded(refused):
    done = refused.ctl_raw("stop", "--service")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert refused.child.poll() is None


def test_stop(shared):
    """The last one: it ends, in order, and who asked is in the store."""
    began = time.monotonic()
    done = shared.ctl_raw("stop")
    took_s = time.monotonic() - began
    assert (done.returncode, done.stdout) == (0, b"the agent has stopped\n"), \
        done
    # It had ended when that was said; and is not to be started again.
    assert shared.child.wait(1) == 3
    assert took_s < 15, took_s
    store = sqlite3.connect(shared.state / "store.db")
    try:
        row, = store.execute("SELECT uid, pid, socket FROM asked WHERE "
                             "command='stop' AND socket='control'"
                             " AND request NOT LIKE '%service%'").fetchall()
    finally:
        store.close()
    assert row[0] == 0 and row[1] > 1
    for options in (["--if-running"], ["--service"]):
        done = shared.ctl_raw("stop", *options)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    done = shared.ctl_raw("stop")
    assert done.returncode == 2 and b"not running" in done.stderr


def test_command_line_disarms(tmp_path):
    """What the kernel was started with, as the agent sees it."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    line = tmp_path / "cmdline"
    line.write_text("root=/dev/sda ro khien.guard=0 quiet\n")
    folder = tmp_path / "agent"
    folder.mkdir()
    agent = Agent(folder, {"guard.mode": "on"}, watch=False, wrapper=[
        "unshare", "-m", "sh", "-ec",
        'mount --bind "$0" /proc/cmdline; exec "$@"', str(line)])
    try:
        agent.conf["gate.mode"] = "off"
        agent.write_conf()
        agent.start()
        wait_for(lambda: state(agent) == "disarmed", "it is disarmed")
        assert "khien.guard=0" in get(agent.status(), "khien.guard.text")
        assert any("khien.guard=0" in r
                   for r in get(agent.status(), "khien.reasons"))
    finally:
        agent.close()


def test_check_prints_it(tmp_path):
    conf = tmp_path / "khien.conf"
    conf.write_text("[guard]\nmode = on\n")
    done = subprocess.run([str(BUILD / "khien-conf"), str(conf)],
                          capture_output=True, text=True, check=False)
    assert "[guard]\nmode = on\n" in done.stdout, done
