# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads of sensitive files: which list is in force, and what it costs."""

import signal
import subprocess

from agent import get, wait_for


def reads(agent, pid):
    return [get(event, "file.path") for event in agent.ask(
        "events", "--pid", pid, "--type", "read", "--since", "10m")]


def read_all(agent, paths):
    """Reads them in a process of its own, and returns what was told of it."""
    child = subprocess.Popen(["/bin/cat", *map(str, paths)],
                             stdout=subprocess.DEVNULL)
    assert child.wait() == 0
    agent.settle()
    return reads(agent, child.pid)


def reload(agent, value):
    said = agent.log().count("configuration ")
    agent.conf["sensor.sensitive"] = value
    agent.write_conf()
    agent.child.send_signal(signal.SIGHUP)
    wait_for(lambda: agent.log().count("configuration ") > said,
             "the configuration is read")


def test_another_list_is_put_in_force_whole_or_not_at_all(make_agent,
                                                          tmp_path):
    one, two = tmp_path / "one.token", tmp_path / "two"
    for path in (one, two):
        path.write_text("x")
    agent = make_agent(conf={"sensor.sensitive": f"{tmp_path}/*.token"})
    wait_for(lambda: get(agent.status() or {}, "khien.sensor.programs"),
             "the sensor's programs in status")
    sensor = agent.pid_of("sensor")
    three = agent.mount / "three"  # its folder is a file system's root
    three.write_text("x")
    files, second = [one, two, three, "/etc/hostname"], [str(two), str(three)]
    assert read_all(agent, files) == [str(one)]
    reload(agent, f"{tmp_path}/two:{agent.mount}/*:default")
    wait_for(lambda: read_all(agent, files) == second, "the second list")
    reload(agent, "/*/*")
    assert "must be \"default\" or paths" in agent.log()
    assert read_all(agent, files) == second
    reload(agent, "")
    wait_for(lambda: read_all(agent, files) == [], "the empty list")
    # None of it took the programs out of the kernel.
    assert agent.pid_of("sensor") == sensor
