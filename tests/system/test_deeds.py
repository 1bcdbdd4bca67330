# SPDX-License-Identifier: GPL-2.0-or-later
"""What khienctl tells of the network and of privilege: rows of the store in,
records and lines out.  The rows are put there by the tests, so that no sensor
needs to see them; what the sensors see is test_triggers.py's."""

import json
import os
import sqlite3
import subprocess
import sys
import time

import pytest

from agent import BUILD, TRUE, Agent, get, wait_for

PEER = "203.0.113.7"
PEER_KEY = "00000000000000000000ffffcb007107"


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    agent = Agent(tmp_path_factory.mktemp("khien"))
    try:
        agent.start()
        # Its first rows are of what runs already: then nothing is missed.
        wait_for(lambda: agent.count("SELECT count(*) FROM process"),
                 "the sensor is at work")
        yield agent
    finally:
        agent.close()


def insert(agent, table, **columns):
    """A row beside those of the engine; a commit of its holds us up."""
    now_ns = time.time_ns()
    columns = {"time_ns": now_ns, "boot_ns": 5, "class": "bulk", "cpu": 999,
               "sequence": now_ns, "flags": 0, "count": 1, **columns}
    names = ",".join(columns)
    marks = ",".join("?" for _ in columns)
    link = sqlite3.connect(agent.state / "store.db", timeout=20)
    try:
        link.execute(f"INSERT INTO {table}({names},boot) VALUES({marks},"
                     "(SELECT max(id) FROM boot))", list(columns.values()))
        link.commit()
    finally:
        link.close()
    return now_ns


def connection(**more):
    return {"type": "connect", "inbound": 0, "family": 2, "protocol": 6,
            "local": "10.0.0.2", "local_port": 50000, "remote": PEER,
            "remote_key": PEER_KEY, "remote_port": 443, **more}


@pytest.fixture(scope="module")
def doer(shared):
    """A process that ran, and what is said to have been its doing."""
    child = subprocess.Popen([TRUE, "doer"])
    child.wait()
    rows = wait_for(lambda: shared.sql(
        f"SELECT entity_id, executable FROM process WHERE type='exec' AND "
        f"pid={child.pid}"), "the exec")
    who = {"pid": child.pid, "uid": 0, **rows[-1]}
    insert(shared, "network", **connection(**who))
    insert(shared, "network", **who, type="dns", inbound=0, family=2,
           protocol=17, remote="10.0.0.53", remote_port=53,
           remote_key="00000000000000000000ffff0a000035",
           question="khien.example", question_type=28)
    insert(shared, "privilege", **who, type="module_load", path="/x/y.ko",
           name="y", **{"class": "critical"})
    insert(shared, "privilege", **who, type="chroot", path="/jail",
           **{"class": "critical"})
    return child.pid


def actions(agent, *args):
    return [get(e, "event.action")
            for e in agent.ask("events", "--since", "5m", *args)]


def test_by_type(shared, doer):
    pid = ("--pid", doer)
    assert actions(shared, *pid, "--type", "network") == ["connect", "dns"]
    assert actions(shared, *pid, "--type", "dns") == ["dns"]
    assert actions(shared, *pid, "--type", "privilege") == \
        ["module_load", "chroot"]
    assert actions(shared, *pid, "--type", "chroot,connect") == \
        ["connect", "chroot"]
    assert {"exec", "connect", "chroot"} <= set(actions(shared, *pid))


@pytest.mark.parametrize("remote,found", [
    (PEER, True), (PEER + ":443", True), (PEER + ":80", False),
    ("203.0.113.0/24", True), ("::ffff:203.0.113.7", True),
    (":443", True), ("203.0.114.0/24", False), ("2001:db8::/32", False)])
def test_by_peer(shared, doer, remote, found):
    assert ("connect" in actions(shared, "--pid", doer, "--remote", remote)) \
        == found


def test_bad_peer_is_said_to_be_one(shared):
    done = shared.ctl_raw("events", "--remote", "example.org")
    assert done.returncode == 2
    assert b"not an address: example.org" in done.stderr


def test_by_path(shared, doer):
    assert actions(shared, "--path", "/x/") == ["module_load"]
    assert actions(shared, "--path", "/jail", "--pid", doer) == ["chroot"]


def test_show_tells_the_ancestors(shared, doer):
    event = shared.ask("events", "--pid", doer, "--type", "connect")[-1]
    shown = shared.ask("show", get(event, "event.id"))[-1]
    assert get(shown, "destination.ip") == PEER
    assert get(shown, "network.direction") == "egress"
    ancestors = get(shown, "khien.ancestors")
    assert ancestors[0]["pid"] == os.getpid()
    assert ancestors[0]["executable"] == os.path.realpath("/proc/self/exe")


def test_lines_for_people(shared, doer):
    done = shared.ctl_raw("events", "--pid", str(doer), "--since", "5m")
    text = done.stdout.decode()
    assert f"{PEER}:443  by {TRUE}\n" in text
    assert f"khien.example AAAA to 10.0.0.53:53  by {TRUE}\n" in text
    assert f"y /x/y.ko  by {TRUE}\n" in text


def test_what_follows(shared, doer):
    child = subprocess.Popen(
        [str(BUILD / "khienctl"), "--socket", str(shared.socket), "--json",
         "events", "--type", "network", "--remote", "198.51.100.9",
         "--follow"], stdout=subprocess.PIPE)
    try:
        # Whether it comes before or after the first look, it is told once.
        insert(shared, "network", **connection(
            pid=doer, remote="198.51.100.9",
            remote_key="00000000000000000000ffffc6336409"))
        event = json.loads(child.stdout.readline())
    finally:
        child.terminate()
        child.communicate()
    assert get(event, "destination.ip") == "198.51.100.9"


def test_rows_are_counted(shared, doer):
    rows = get(shared.status(), "khien.store.rows")
    assert rows["network"] >= 2 and rows["privilege"] >= 2


def test_rules_of_behaviour_are_listed(shared):
    rules = {get(r, "rule.name"): r for r in shared.ask("rules")}
    rule = rules["behaviour_escalation"]
    assert get(rule, "rule.ruleset") == "behaviour"
    assert get(rule, "khien.severity") == "critical"
    assert get(rule, "threat.technique.id") == ["T1068"]
    assert get(rule, "khien.state") == "loaded"


OPENS = "import os, sys; os.close(os.open(sys.argv[1], os.O_RDWR))"


def test_memory_of_another_user(shared):
    """Told, with who did it to whom; of one's own user it is no alarm."""
    with subprocess.Popen(["/bin/sleep", "60"], user=12345, group=12345,
                          extra_groups=[]) as theirs, \
            subprocess.Popen(["/bin/sleep", "60"]) as ours:
        try:
            pids = [subprocess.Popen([sys.executable, "-c", OPENS,
                                      f"/proc/{victim.pid}/mem"])
                    for victim in (theirs, ours)]
            assert [child.wait() for child in pids] == [0, 0]
            found = wait_for(lambda: [
                d for d in shared.ask("detections", "--rule",
                                      "behaviour_injection")
                if get(d, "process.pid") == pids[0].pid], "the detection")[0]
        finally:
            theirs.kill()
            ours.kill()
    assert get(found, "khien.severity") == "high"
    assert get(found, "khien.cause") == "behaviour"
    assert get(found, "event.category") == ["intrusion_detection"]
    assert get(found, "file.path") == os.path.realpath("/bin/sleep")
    shown = shared.ask("show", get(found, "event.id"))[0]
    assert [(get(e, "event.action"), get(e, "khien.target.pid"))
            for e in get(shown, "khien.related")
            if get(e, "event.action") == "mem_open"] == \
        [("mem_open", theirs.pid)]
    wait_for(lambda: actions(shared, "--pid", pids[1].pid, "--type",
                             "mem_open"), "the harmless one")
    assert pids[1].pid not in [get(d, "process.pid")
                               for d in shared.ask("detections")]
