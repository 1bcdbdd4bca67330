# SPDX-License-Identifier: GPL-2.0-or-later
"""The main job: watch, scan, remember, answer."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from agent import (BUILD, EICAR, EICAR_SHA256, ROOT, SAN, get, wait_for)

PROMISED_S = 8 if SAN else 2


def detections(agent, path):
    return [d for d in agent.ask("detections", "--since", "10m")
            if get(d, "file.path") == str(path)]


def detection(agent, path, limit_s=PROMISED_S):
    return wait_for(lambda: detections(agent, path),
                    f"a detection of {path}", limit_s)[-1]


def parents_of(pid):
    """The process and its ancestors, up to the first."""
    pids = []
    while pid:
        pids.append(pid)
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
        pid = int(text.split("PPid:")[1].split()[0])
    return pids


def test_eicar_is_found_within_two_seconds(agent):
    path = agent.mount / "eicar.com"
    shell = subprocess.Popen(
        ["/bin/sh", "-c", 'printf %s "$1" > "$2"; exit 7', "sh",
         EICAR.decode(), str(path)])
    shell.wait()
    found = detection(agent, path)
    assert get(found, "rule.name")
    assert get(found, "rule.uuid")
    assert get(found, "rule.ruleset")
    assert get(found, "file.hash.sha256") == EICAR_SHA256
    assert get(found, "file.size") == 68
    assert get(found, "event.kind") == "alert"
    assert get(found, "ecs.version") == "8.11"
    assert get(found, "process.pid") == shell.pid
    assert get(found, "process.executable") == os.path.realpath("/bin/sh")
    assert get(found, "process.args")[:2] == ["/bin/sh", "-c"]
    assert get(found, "process.parent.pid") == os.getpid()
    assert get(found, "process.parent.entity_id")
    ancestors = get(found, "khien.ancestors")
    assert ancestors[0]["pid"] == os.getpid()
    known = parents_of(os.getpid())
    assert [a["pid"] for a in ancestors] == known[:len(ancestors)]
    assert len(ancestors) >= min(len(known), 8)
    # And again by its id, and as a tree.
    shown = agent.ask("show", get(found, "event.id"))
    assert get(shown[0], "file.hash.sha256") == EICAR_SHA256
    tree = agent.ask("tree", shell.pid)
    assert str(shell.pid) in json.dumps(tree)


EICAR_CASES = [
    # name, bytes, found; the specification: 68 bytes at offset 0, then at
    # most white space up to 128 bytes in all
    ("whole", EICAR, True),
    ("newline", EICAR + b"\n", True),
    ("crlf", EICAR + b"\r\n", True),
    ("spaces", EICAR + b" \t\r\n" * 15, True),
    ("eof", EICAR + b"\x1a", True),
    ("shifted", b" " + EICAR, False),
    ("text", b"this is no virus: " + EICAR, False),
    ("more", EICAR + b"x", False),
    ("lower", EICAR.lower(), False),
    ("cut", EICAR[:-1], False),
    ("empty", b"", False),
]


def test_eicar_by_its_specification(agent):
    for name, data, _ in EICAR_CASES:
        agent.write(name, data)
    for name, _, bad in EICAR_CASES:
        if bad:
            detection(agent, agent.mount / name)
    # All were asked for at about the same time: the others were scanned too.
    time.sleep(1)
    for name, _, bad in EICAR_CASES:
        assert bool(detections(agent, agent.mount / name)) == bad, name


def test_scan_on_demand(agent):
    bad = agent.folder / "bad"
    bad.write_bytes(EICAR)
    good = agent.folder / "good"
    good.write_bytes(b"nothing to see\n")
    code, said = agent.ctl("scan", good)
    assert code == 0, said
    code, said = agent.ctl("scan", bad, good)
    assert code == 1, said
    text = json.dumps(said)
    assert EICAR_SHA256 in text and str(bad) in text
    code, said = agent.ctl("scan", agent.folder / "absent")
    assert code == 2, said
    # A folder is gone through.
    sub = agent.folder / "sub/deeper"
    sub.mkdir(parents=True)
    (sub / "bad too").write_bytes(EICAR)
    code, said = agent.ctl("scan", agent.folder / "sub")
    assert code == 1
    assert "bad too" in json.dumps(said)


def test_scan_works_with_the_gate_off(make_agent):
    agent = make_agent(conf={"gate.mode": "off"})
    bad = agent.folder / "bad"
    bad.write_bytes(EICAR)
    assert agent.ctl("scan", bad)[0] == 1


def test_repeated_alerts_are_folded(agent):
    path = agent.mount / "again"
    for _ in range(20):
        path.write_bytes(EICAR)
    detection(agent, path)

    def folded():
        rows = detections(agent, path)
        # Writes that follow each other may be scanned once.
        return rows if sum(get(r, "khien.count", 1)
                           for r in rows) >= 2 or len(rows) == 1 else None

    assert len(wait_for(folded, "one row with a count")) < 20


def test_executed_file_is_found_too(make_agent):
    """A program that was there before the agent is scanned when it runs."""
    agent = make_agent(start=False)
    (agent.local / "own.yar").write_text(
        'rule Old_Program { strings: $a = "old marker 4712" condition: $a }\n')
    path = agent.mount / "old"
    path.write_bytes(b"#!/bin/true\n# old marker 4712\n")
    os.chmod(path, 0o755)
    agent.start()
    child = subprocess.Popen([str(path)])
    child.wait()
    found = detection(agent, path)
    assert get(found, "rule.name") == "Old_Program"
    assert get(found, "process.pid") == child.pid
    assert get(found, "khien.severity") == "medium"


def test_status_says_what_is_there(agent):
    status = agent.status()
    assert get(status, "khien.state") in ("ok", "degraded")
    assert get(status, "khien.protocol") == 1
    assert get(status, "khien.rules.loaded") >= 2
    assert get(status, "khien.rules.failed") == 0
    for name in ("critical", "bulk", "agent"):
        assert isinstance(get(status, f"khien.lost.{name}"), int)
    assert get(status, "khien.not_built")
    assert get(status, "host.hostname")
    roles = {p["role"] for p in agent.processes(status)}
    assert {"sensor", "gate", "scan", "engine", "query"} <= roles


def test_text_for_people_is_not_json(agent):
    for command in (["status"], ["rules"], ["doctor"], ["detections"],
                    ["events", "--limit", "3"]):
        done = agent.ctl_raw(*command)
        assert done.returncode in (0, 1), (command, done.stderr)
        assert not done.stdout.startswith(b"{")


def test_follow_tells_as_it_happens(agent):
    child = subprocess.Popen(
        [str(BUILD / "khienctl"), "--socket", str(agent.socket), "--json",
         "detections", "--follow"], stdout=subprocess.PIPE)
    try:
        time.sleep(0.5)
        path = agent.write("followed", EICAR)
        os.set_blocking(child.stdout.fileno(), False)
        text = b""

        def said():
            nonlocal text
            text += child.stdout.read() or b""
            return str(path).encode() in text

        wait_for(said, "--follow tells the detection", PROMISED_S + 2)
        for line in text.splitlines()[:-1]:
            json.loads(line)
    finally:
        child.kill()
        child.wait()


def test_jail_of_a_running_scanner(agent):
    if SAN:
        pytest.skip("machine: no system call filter under sanitizers")
    assert agent.scanners()
    for pid in agent.scanners():
        status = dict(
            line.split(":\t", 1) for line in
            pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
            if ":\t" in line)
        assert set(status["Uid"].split()) != {"0"}
        assert "0" not in status["Uid"].split()
        assert int(status["CapEff"], 16) == 0
        assert int(status["CapPrm"], 16) == 0
        assert int(status["CapBnd"], 16) == 0
        assert status["NoNewPrivs"].strip() == "1"
        assert status["Seccomp"].strip() == "2"


def test_no_process_has_writable_and_executable_memory(agent):
    if SAN:
        pytest.skip("machine: sanitizers map as they like")
    pids = [p["pid"] for p in agent.processes() if p.get("pid")]
    for pid in [*pids, agent.child.pid]:
        maps = pathlib.Path(f"/proc/{pid}/maps").read_text()
        assert "rwxp" not in maps and "rwxs" not in maps, maps


def test_each_process_has_a_user_of_its_own(agent):
    uids = {}
    for process in agent.processes():
        if not process.get("pid") or process["role"] in ("daemon", "query"):
            continue
        uid = os.stat(f"/proc/{process['pid']}").st_uid
        uids.setdefault(process["role"], set()).add(uid)
    assert all(0 not in u for u in uids.values()), uids
    assert len(set.union(*uids.values())) == len(uids), uids


def test_second_agent_on_the_same_folder_is_refused(agent):
    done = subprocess.run(
        [str(BUILD / "khiend"), "--config", str(agent.file), "--programs",
         str(BUILD)], capture_output=True, text=True, timeout=30)
    assert done.returncode in (1, 2)
    assert str(agent.run) in done.stderr
    # The first goes on.
    agent.write("still", EICAR)
    detection(agent, agent.mount / "still")


def test_stop_is_orderly(agent):
    agent.write("before-the-end", EICAR)
    assert agent.stop() == 0
    agent.start()
    detection(agent, agent.mount / "before-the-end")


@pytest.mark.slow(300)
def test_make_run(make_agent):
    """As a new user would: `make run`, then a file, then the question."""
    agent = make_agent(start=False)
    if SAN:
        pytest.skip("machine: once is enough, without sanitizers")
    with open(agent.folder / "log", "wb") as log:
        run = subprocess.Popen(["make", "run"], cwd=ROOT, stdout=log,
                               stderr=log, stdin=subprocess.DEVNULL,
                               start_new_session=True)
    try:
        agent.run = ROOT / "build/run"
        wait_for(lambda: run.poll() is None and agent.status(),
                 "make run answers", 120)
        agent.child = run
        wait_for(agent.ready, "make run is ready")
        path = agent.folder / "eicar"
        path.write_bytes(EICAR)
        found = detection(agent, path)
        assert get(found, "file.hash.sha256") == EICAR_SHA256
        assert get(found, "process.pid") == os.getpid()
        assert get(found, "process.executable") == \
            os.path.realpath(sys.executable)
        scratch = agent.run / "scratch/eicar"
        scratch.write_bytes(EICAR)
        with pytest.raises(PermissionError):
            scratch.read_bytes()
        assert path.read_bytes() == EICAR, "the rest is only observed"
    finally:
        agent.child = None
        os.killpg(run.pid, signal.SIGTERM)
        run.wait(30)
    assert not os.path.ismount(agent.run / "scratch")
