# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything that may be wrong: a clear message, no crash, no hang."""

import json
import os
import random
import signal
import socket
import subprocess
import time

import pytest

from agent import BUILD, EICAR, get, wait_for

BROKEN = [
    # configuration, what the message must name
    ("[agent]\nstate_dir = relative\n", ":2"),
    ("[agent]\nnonsense = 1\n", ":2"),
    ("[nonsense]\nkey = 1\n", ":1"),
    ("[gate]\nmode = maybe\n", ":2"),
    ("[gate]\non_deadline = maybe\n", ":2"),
    ("[gate]\ndeadline_ms = 49\n", ":2"),
    ("[action]\non_malicious = kill\n", ":2"),
    ("[scan]\n\n# a comment\nworkers = many\n", ":4"),
    ("[scan]\nworkers = -1\n", ":2"),
    ("[scan]\nworkers = 99999999999999999999\n", ":2"),
    ("[store]\nmax_size_mb = 0\n", ":2"),
    ("no section or key\n", ":1"),
    ("[agent\nstate_dir = /x\n", ":1"),
    ("key = before any section\n", ":1"),
    ("[agent]\nstate_dir = /" + "x" * 5000 + "\n", ":2"),
    ("\0\0\0\0", ""),
    ("[sensor]\nprocess = yes\n", ":2"),
]


@pytest.fixture
def quick(tmp_path):
    """Runs a program that must end by itself."""
    def run(program, *args):
        return subprocess.run([str(BUILD / program), *map(str, args)],
                              capture_output=True, timeout=30, cwd=tmp_path,
                              stdin=subprocess.DEVNULL)
    return run


@pytest.mark.parametrize("number", range(len(BROKEN)))
def test_broken_configuration(quick, tmp_path, number):
    text, where = BROKEN[number]
    path = tmp_path / "khien.conf"
    path.write_text(text)
    for extra in (["--check"], []):
        done = quick("khiend", "--config", path, "--programs", BUILD, *extra)
        assert done.returncode == 2, done
        assert (str(path) + where).encode() in done.stderr, done.stderr


def test_absent_configuration(quick, tmp_path):
    done = quick("khiend", "--config", tmp_path / "none", "--check")
    assert done.returncode == 2
    assert b"none" in done.stderr


def test_folder_as_configuration(quick, tmp_path):
    done = quick("khiend", "--config", tmp_path, "--check")
    assert done.returncode == 2
    assert done.stderr


def test_configuration_that_nobody_reads(quick, tmp_path):
    """Nothing is wrong with it: whoever starts khiend is to try again."""
    program = tmp_path / "khien-conf"
    program.write_text("#!/bin/sh\nkill -9 $$\n")
    program.chmod(0o755)
    path = tmp_path / "khien.conf"
    path.write_text("")
    done = quick("khiend", "--config", path, "--programs", tmp_path)
    assert done.returncode == 1, done
    assert b"without a result" in done.stderr


USAGE = [
    ("khiend", ["--nonsense"]), ("khiend", ["extra"]),
    ("khiend", ["--config"]),
    ("khienctl", []), ("khienctl", ["nonsense"]),
    ("khienctl", ["--nonsense", "status"]),
    ("khienctl", ["detections", "--nonsense"]),
    ("khienctl", ["detections", "--limit", "many"]),
    ("khienctl", ["detections", "--limit", "-1"]),
    ("khienctl", ["detections", "--since", "yesterday or so"]),
    ("khienctl", ["detections", "--min-severity", "terrible"]),
    ("khienctl", ["events", "--type", "nonsense"]),
    ("khienctl", ["events", "--pid", "x"]),
    ("khienctl", ["show"]), ("khienctl", ["tree"]),
    ("khienctl", ["tree", "-5"]), ("khienctl", ["query"]),
    ("khienctl", ["scan"]), ("khienctl", ["status", "extra"]),
    ("khien-scan", ["--nonsense"]), ("khien-scan", ["-f"]),
    ("khien-scan", ["-f", "/nonexistent/file"]),
]


@pytest.mark.parametrize("number", range(len(USAGE)))
def test_wrong_usage(quick, number):
    program, args = USAGE[number]
    done = quick(program, *args)
    assert done.returncode == 2, done
    assert done.stderr.strip(), done


def test_help_and_version(quick):
    for program in ("khiend", "khienctl"):
        done = quick(program, "--help")
        assert done.returncode == 0 and done.stdout
        done = quick(program, "--version")
        assert done.returncode == 0 and done.stdout


@pytest.mark.parametrize("program", ["khien-gate", "khien-engine",
                                     "khien-sensor", "khien-query"])
def test_not_started_by_khiend(quick, program):
    """Descriptor 3 leads nowhere: it says so and ends."""
    done = quick(program, "0")
    assert done.returncode not in (0, None) and done.returncode > 0
    assert done.stderr.strip()


def test_no_agent_answers(quick, tmp_path):
    done = quick("khienctl", "--socket", tmp_path / "none.sock", "status")
    assert done.returncode == 2
    assert b"none.sock" in done.stderr


RUBBISH = [
    b"", b"\n", b"\0" * 100, b"{}\n", b"[]\n", b"null\n", b"{\"version\":1}\n",
    b"{\"version\":2,\"command\":\"status\",\"options\":{}}\n",
    b"{\"version\":\"1\",\"command\":\"status\"}\n",
    b"{\"version\":1,\"command\":5,\"options\":{}}\n",
    b"{\"version\":1,\"command\":\"nonsense\",\"options\":{}}\n",
    b"{\"version\":1,\"command\":\"detections\",\"options\":[]}\n",
    b"{\"version\":1,\"command\":\"detections\",\"options\":{\"limit\":-1}}\n",
    b"{\"version\":1,\"command\":\"detections\",\"options\":{\"limit\":1e99}}\n",
    b"{\"version\":1,\"command\":\"detections\",\"options\":"
    b"{\"limit\":\"many\",\"unknown\":1}}\n",
    b"{\"version\":1,\"command\":\"query\",\"options\":{}}\n",
    b"{\"version\":1,\"command\":\"query\",\"options\":{\"sql\":5}}\n",
    b"{\"version\":1,\"command\":\"show\",\"options\":{\"id\":\"\\u0000\"}}\n",
    b"{\"version\":1,\"command\":\"tree\",\"options\":{\"pid\":-1}}\n",
    b"{\"version\":1,\"command\":\"reload\",\"options\":{}}\n",
    b"{" * 60000 + b"\n", b"[" * 60000 + b"\n",
    b"x" * 70000 + b"\n", b"\"" + b"\xff" * 1000 + b"\"\n",
    b"{\"version\":1,\"command\":\"status\",\"options\":{}}",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
]


def test_rubbish_on_the_socket(agent):
    engine = agent.pid_of("engine")
    random.seed(1)
    for data in RUBBISH + [random.randbytes(random.randrange(1, 5000))
                           for _ in range(50)]:
        with agent.connect() as sock:
            try:
                sock.sendall(data)
                sock.shutdown(socket.SHUT_WR)
                said = b""
                while True:
                    more = sock.recv(65536)
                    if not more:
                        break
                    said += more
            except (BrokenPipeError, ConnectionResetError):
                continue
            for line in said.splitlines():
                json.loads(line)
    assert agent.pid_of("engine") == engine


def test_wrong_version_is_refused_by_name(agent):
    with agent.connect() as sock:
        sock.sendall(b'{"version":2,"command":"status","options":{}}\n')
        said = sock.makefile().readline()
    end = get(json.loads(said), "khien.end")
    assert end["exit"] == 2
    assert "2" in end["error"] and "version" in end["error"]


def test_clients_that_do_nothing(agent):
    idle = []
    try:
        for _ in range(200):
            try:
                idle.append(agent.connect())
            except OSError:
                break
        idle[0].sendall(b'{"version":1,')
        # Those who wait do not keep others out for ever.
        wait_for(agent.status, "status is told while others are silent", 60)
    finally:
        for sock in idle:
            sock.close()
    wait_for(agent.status, "and afterwards")


def test_client_that_does_not_read(agent):
    agent.settle()
    with agent.connect() as sock:
        sock.sendall(b'{"version":1,"command":"events","options":'
                     b'{"limit":100000}}\n')
        time.sleep(1)
        path = agent.write("meanwhile", EICAR)
        wait_for(lambda: agent.found(path),
            "others are served")


BAD_RULES = {
    "syntax.yar": "rule broken { condition: }",
    "binary.yar": "\0\1\2",
    "include.yar": 'include "/etc/passwd"\nrule x { condition: true }',
    "escape.yar": 'include "../../../etc/passwd"',
    "import.yar": 'import "nonsense" rule y { condition: true }',
    "empty.yar": "",
    "regex.yar": "rule z { strings: $a = /(((/ condition: $a }",
}


def test_rules_that_do_not_compile(make_agent):
    agent = make_agent(start=False)
    for name, text in BAD_RULES.items():
        (agent.local / name).write_text(text)
    (agent.local / "good.yar").write_text(
        "rule Local_Good { meta: severity = \"low\" strings: "
        "$a = \"local marker 4711\" condition: $a }\n")
    (agent.local / "loop.yar").symlink_to("loop.yar")
    (agent.local / "folder.yar").mkdir()
    os.mkfifo(agent.local / "fifo.yar")
    agent.start()
    status = agent.status()
    assert get(status, "khien.rules.failed") >= 5
    code, said = agent.ctl("rules")
    text = json.dumps(said)
    assert "Local_Good" in text
    for name in ("syntax.yar", "binary.yar", "import.yar", "regex.yar"):
        assert name in text
    assert "root:x" not in text + agent.log()  # nothing of /etc/passwd
    for name, data in (("eicar", EICAR), ("own", b"local marker 4711")):
        path = agent.write(name, data)
        wait_for(lambda p=path: agent.found(p), name)


def test_names_of_scanned_files(agent):
    for name in (b"new\nline", b"\xff\xfe", b"quote\"'\\", b"\x1b[31mred",
                 b"x" * 255, b"-rf", b" "):
        path = os.fsencode(agent.mount) + b"/" + name
        with open(path, "wb") as file:
            file.write(EICAR)
        done = agent.ctl_raw("--json", "scan", os.fsdecode(path))
        assert done.returncode == 1, (name, done)
        for line in done.stdout.splitlines():
            json.loads(line.decode("utf-8"))
        done = agent.ctl_raw("scan", os.fsdecode(path))
        assert b"\x1b" not in done.stdout
    wait_for(lambda: agent.count("SELECT count(*) FROM detection WHERE "
                                 "cause='write'") >= 7,
             "all of them are detected on their own")
    for record in agent.ask("detections", "--since", "5m"):
        assert get(record, "khien.cause") == "behaviour" or \
            get(record, "file.path").startswith(str(agent.mount))
    text = agent.ctl_raw("detections").stdout
    assert b"\x1b[31mred" not in text


def test_things_that_are_no_files(agent, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    for path in (tmp_path / "fifo", "/dev/zero", "/proc/self/mem",
                 tmp_path / "dangling", tmp_path / "loop"):
        done = agent.ctl_raw("--json", "scan", str(path), limit_s=60)
        assert done.returncode in (0, 2), (path, done)
        for line in done.stdout.splitlines():
            json.loads(line)


def test_file_that_changes_while_it_is_read(agent):
    path = agent.mount / "changing"
    path.write_bytes(b"x" * (8 << 20))
    child = subprocess.Popen(
        ["/bin/sh", "-c", "i=0; while [ $i -lt 200 ]; do "
         f": >'{path}'; head -c 8000000 /dev/zero >'{path}'; i=$((i+1)); "
         "done"])
    try:
        for _ in range(5):
            code, said = agent.ctl("scan", path, limit_s=60)
            assert code in (0, 2), said
    finally:
        child.kill()
        child.wait()
    after = agent.write("after", EICAR)
    wait_for(lambda: agent.found(after), "the scanner goes on")


def test_reload_of_a_broken_configuration_keeps_the_old(agent):
    good = agent.file.read_text()
    agent.file.write_text(good + "[scan]\nworkers = many\n")
    agent.child.send_signal(signal.SIGHUP)
    wait_for(lambda: "workers" in agent.log(), "the refusal is logged")
    wait_for(lambda: agent.count("SELECT count(*) FROM agent WHERE type="
                                 "'config'") or agent.count(
        "SELECT count(*) FROM agent WHERE message LIKE '%workers%'"),
        "an event says so")
    path = agent.write("still", EICAR)
    wait_for(lambda: agent.found(path), "the agent goes on")


def test_reload_brings_new_rules(agent):
    path = agent.write("own", b"brand new marker 0815")
    agent.settle()
    assert agent.found(path) == 0
    (agent.local / "new.yar").write_text(
        'rule Brand_New { strings: $a = "brand new marker 0815" '
        "condition: $a }\n")
    agent.child.send_signal(signal.SIGHUP)
    wait_for(lambda: "Brand_New" in json.dumps(agent.ctl("rules")[1]),
             "the new rule is loaded")
    wait_for(lambda: agent.ctl("scan", path)[0] == 1,
             "every scanner knows it")
    other = agent.write("other", b"brand new marker 0815")
    wait_for(lambda: agent.found(other), "and the gate's too")
