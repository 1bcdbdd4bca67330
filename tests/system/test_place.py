# SPDX-License-Identifier: GPL-2.0-or-later
"""Folders that khiend cannot use, or not as it would like."""

import os
import subprocess

import pytest

from agent import EICAR, get, wait_for

READ_ONLY = "its file system is mounted read-only"
FULL = "no space left on its file system"
NOBODY = 65534


def remount(path, how):
    subprocess.run(["mount", "-o", f"remount,{how}", str(path)], check=True)


def reasons(agent):
    return " ".join(get(agent.status() or {}, "khien.reasons") or [])


def failed(agent):
    """check -> text, of doctor."""
    code, said = agent.ctl("doctor")
    checks = {get(line, "khien.doctor.check"): get(line, "khien.doctor.text")
              for line in said if get(line, "khien.doctor.ok") is False}
    assert code == bool(checks), said
    return checks


def goes_on(agent, why, repair):
    """A store that does not work is named, and nothing else suffers."""
    wait_for(lambda: why in reasons(agent), "the reason is named")
    assert why in failed(agent)["store"]
    assert get(agent.status(), "khien.state") != "ok"
    engine = agent.pid_of("engine")
    path = agent.write("bad", EICAR)
    wait_for(lambda: get(agent.status(), "khien.engine.detections.raised"),
             "something is found")
    repair()
    wait_for(lambda: why not in reasons(agent), "the store works")
    wait_for(lambda: agent.found(path), "what was written is found")
    assert agent.pid_of("engine") == engine


def test_read_only_state(make_agent):
    agent = make_agent(state_size=64 << 20)
    path = agent.write("before", EICAR)

    def detected():
        """Of this file: agents of other tests do what is detected too."""
        return [get(line, "rule.name") for line in agent.ctl("detections")[1]
                if get(line, "file.path") == str(path)]

    rule = wait_for(detected, "a detection is stored")
    assert agent.stop() == 0
    remount(agent.state, "ro")
    agent.start()
    assert detected() == rule
    goes_on(agent, READ_ONLY, lambda: remount(agent.state, "rw"))


def test_full_state(make_agent):
    agent = make_agent(start=False, state_size=64 << 20)
    full = agent.state / "full"
    with open(full, "wb", buffering=0) as file, \
            pytest.raises(OSError, match="No space"):
        while True:
            file.write(bytes(1 << 16))
    agent.conf["agent.state_dir"] = agent.state / "inner"
    agent.write_conf()
    agent.start()
    done = agent.ctl_raw("detections")
    assert done.returncode == 2 and b"khienctl doctor says why" in done.stderr
    goes_on(agent, FULL, full.unlink)


def a_file(agent):
    path = agent.folder / "file"
    path.touch()
    return {"state_dir": path}, "state_dir", "Not a directory"


def others_files(agent):
    (agent.state / "of-somebody").touch()
    os.chown(agent.state, NOBODY, NOBODY)
    return {}, "state_dir", f"belongs to uid {NOBODY} and holds other files"


def no_place_for_state(agent):
    remount(agent.mount, "ro")
    return {"state_dir": agent.mount / "state"}, "state_dir", \
        "Read-only file system"


def state_of_root(agent):
    """One that must be given to the engine, and cannot be."""
    (agent.mount / "state").mkdir(mode=0o700)
    return {**no_place_for_state(agent)[0]}, "state_dir", \
        "Read-only file system"


def no_place_to_run(agent):
    remount(agent.mount, "ro")
    return {"run_dir": agent.mount / "run"}, "run_dir", "Read-only file system"


def run_of_others(agent):
    os.chown(agent.run, NOBODY, NOBODY)
    return {}, "run_dir", "must belong to root"


def run_for_all(agent):
    agent.run.chmod(0o777)
    return {}, "run_dir", "writable by nobody else"


@pytest.mark.parametrize("wrong", [a_file, others_files, no_place_for_state,
                                   state_of_root, no_place_to_run,
                                   run_of_others, run_for_all])
def test_refused(make_agent, wrong):
    """At once, by name; 1: another time it may be otherwise."""
    agent = make_agent(start=False)
    keys, name, why = wrong(agent)
    agent.conf.update({f"agent.{key}": path for key, path in keys.items()})
    agent.write_conf()
    code = agent.spawn().wait(10)
    log = [line for line in agent.log().splitlines() if name in line]
    assert code == 1 and len(log) == 1, agent.log()
    path = agent.conf[f"agent.{name}"]
    assert f"{name} {path}" in log[0] and why in log[0], log


def test_a_manager_does_not_try_too_often(make_agent):
    """It is told after a while that it failed, and may stop that."""
    agent = make_agent(start=False,
                       wrapper=["env", "NOTIFY_SOCKET=/nowhere/socket"])
    run_for_all(agent)
    child = agent.spawn()
    wait_for(lambda: "before the next try" in agent.log(), "it waits")
    assert child.poll() is None
    child.terminate()
    assert child.wait(2) == 1


def test_missing_folders_are_made(make_agent):
    agent = make_agent(start=False)
    agent.run = agent.folder / "new/run"
    agent.conf.update({"agent.run_dir": agent.run,
                       "agent.state_dir": agent.folder / "new/state"})
    agent.write_conf()
    agent.start()
    assert agent.run.stat().st_mode & 0o7777 == 0o755
    assert (agent.folder / "new/state").stat().st_mode & 0o7777 == 0o700
