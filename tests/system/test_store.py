# SPDX-License-Identifier: GPL-2.0-or-later
"""Questions to the store, and what may go wrong with it."""

import json
import os
import pathlib
import sqlite3
import subprocess
import threading
import time

import pytest

from agent import EICAR, for_others, get, wait_for

ENDLESS = ("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) "
           "SELECT count(*) FROM c")

REFUSED = [
    "DELETE FROM detection",
    "UPDATE process SET args=''",
    "INSERT INTO meta VALUES('a','b')",
    "DROP TABLE process",
    "CREATE TABLE x(y)",
    "CREATE TEMP TABLE x(y)",
    "PRAGMA journal_mode=DELETE",
    "PRAGMA query_only=0",
    "PRAGMA writable_schema=1",
    "ATTACH '/tmp/khien-attached.db' AS a",
    "VACUUM INTO '/tmp/khien-vacuumed.db'",
    "VACUUM",
    "BEGIN IMMEDIATE",
    "REINDEX",
    "SELECT load_extension('/tmp/x.so')",
    "SELECT writefile('/tmp/khien-written', 'x')",
    "SELECT readfile('/etc/shadow')",
    "SELECT 1; DELETE FROM detection",
    "WITH x AS (SELECT 1) DELETE FROM detection",
    "EXPLAIN QUERY PLAN DELETE FROM detection; SELECT 1",
    "not SQL at all",
    "",
    "SELECT",
    "SELECT nothing FROM nowhere",
]


@pytest.fixture
def found(agent):
    path = agent.write("bad", EICAR)
    wait_for(lambda: agent.found(path), "a detection")
    return path


def test_only_questions_are_answered(agent, found):
    for text in REFUSED:
        code, said = agent.ctl("query", text)
        assert code == 2, (text, said)
    assert agent.found(found) == 1
    for path in ("attached.db", "vacuumed.db", "written"):
        assert not pathlib.Path(f"/tmp/khien-{path}").exists()


def test_refusal_says_why(agent):
    done = agent.ctl_raw("query", "DELETE FROM detection")
    assert done.returncode == 2
    assert done.stderr.strip(), done.stdout


def test_endless_query_ends_while_events_arrive(agent):
    result = {}

    def ask():
        started = time.monotonic()
        done = agent.ctl_raw("--json", "query", ENDLESS, limit_s=100)
        result.update(code=done.returncode, said=done.stderr + done.stdout,
                      took_s=time.monotonic() - started)

    thread = threading.Thread(target=ask)
    thread.start()
    arrived = 0
    while thread.is_alive():
        token = f"during-{time.time_ns()}"
        subprocess.run(["/bin/true", token], check=True)
        db = agent.state / "store.db"
        link = sqlite3.connect(f"file:{db}?mode=ro", uri=True)
        try:
            end = time.monotonic() + 10
            while time.monotonic() < end:
                if link.execute(
                        "SELECT count(*) FROM process WHERE args LIKE ?",
                        (f"%{token}%",)).fetchone()[0]:
                    arrived += 1
                    break
                time.sleep(0.05)
            else:
                raise AssertionError("no event arrives during the query")
        finally:
            link.close()
    thread.join()
    assert arrived
    assert result["code"] == 2
    assert b"time" in result["said"] or b"limit" in result["said"]
    assert result["took_s"] < 60
    assert agent.count("SELECT 1") == 1


def test_large_answer_is_cut_and_says_so(agent):
    code, rows = agent.ctl(
        "query", "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM "
        "c LIMIT 5000000) SELECT x, hex(zeroblob(100)) FROM c", limit_s=100)
    assert code in (0, 2)
    assert len(rows) < 5000000
    done = agent.ctl_raw(
        "query", "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM "
        "c LIMIT 5000000) SELECT x FROM c", limit_s=100)
    assert done.stderr.strip()


def test_memory_of_a_query_is_limited(agent):
    code, _ = agent.ctl("query", "SELECT length(group_concat(hex(zeroblob("
                        "1000000)))) FROM process a, process b, process c",
                        limit_s=100)
    assert code == 2
    assert agent.count("SELECT 1") == 1


def test_several_at_once(agent):
    children = [subprocess.Popen(
        [str(agent.programs / "khienctl"), "--socket", str(agent.socket),
         "--json", "query", ENDLESS], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL) for _ in range(6)]
    try:
        assert agent.status()
        path = agent.write("meanwhile", EICAR)
        wait_for(lambda: [d for d in agent.ctl("detections")[1]
                          if get(d, "file.path") == str(path)],
                 "detections are told meanwhile", 60)
    finally:
        for child in children:
            child.kill()
            child.wait()
    wait_for(lambda: agent.ctl("query", "SELECT 1")[0] == 0,
             "questions are answered again")


def test_values_of_all_types(agent):
    rows = agent.sql("SELECT 1 AS i, -5000000000 AS n, 1.5 AS f, NULL AS e, "
                     "'Khiên \"x\"' AS t, x'00ff' AS b, '' AS s")
    assert len(rows) == 1
    text = json.dumps(rows[0], ensure_ascii=False)
    assert "Khiên" in text and "-5000000000" in text


def test_who_asked_is_recorded(agent):
    agent.sql("SELECT 'remember me'")
    rows = agent.sql("SELECT uid, pid, command, request FROM asked")
    assert "remember me" in json.dumps(rows)


def test_ordinary_user_is_refused(agent):
    # In the group root nobody else may read; the folder is root's.
    with for_others(agent.programs / "khienctl") as program:
        done = subprocess.run(
            [program, "--socket", str(agent.socket), "status"],
            capture_output=True, user=65534, group=65534, extra_groups=[],
            timeout=30, check=False)
    assert done.returncode == 2
    assert b"ermission" in done.stderr


def test_store_is_not_readable_by_others(agent):
    for path in agent.state.iterdir():
        assert path.stat().st_mode & 0o007 == 0, path
    assert agent.state.stat().st_mode & 0o007 == 0


CORRUPTIONS = {
    "header": lambda p: p.write_bytes(b"no database" + p.read_bytes()[11:]),
    "zeros": lambda p: p.write_bytes(b"\0" * 65536),
    "short": lambda p: os.truncate(p, 1000),
    "noise": lambda p: p.write_bytes(os.urandom(100000)),
    "newer": lambda p: set_version(p, 99),
}


def set_version(path, version):
    link = sqlite3.connect(path)
    link.execute(f"PRAGMA user_version={version}")
    link.commit()
    link.close()


@pytest.mark.parametrize("how", CORRUPTIONS)
def test_corrupt_store_is_set_aside(agent, found, how):
    agent.stop()
    path = agent.state / "store.db"
    owner = path.stat()
    for name in ("store.db-wal", "store.db-shm"):
        (agent.state / name).unlink(missing_ok=True)
    CORRUPTIONS[how](path)
    os.chown(path, owner.st_uid, owner.st_gid)
    damaged = path.read_bytes()
    agent.start()
    other = agent.write("new", EICAR)
    wait_for(lambda: agent.found(other), "a detection after it")
    kept = [p for p in agent.state.iterdir() if p != path and p.is_file()
            and p.read_bytes()[:len(damaged)] == damaged]
    assert kept, sorted(agent.state.iterdir())
    assert "store" in agent.log()


def test_damaged_middle_is_survived(agent, found):
    agent.settle()
    agent.stop()
    path = agent.state / "store.db"
    size = path.stat().st_size
    with open(path, "r+b") as file:
        for at in range(8192, size, 8192):
            file.seek(at)
            file.write(os.urandom(512))
    agent.start()
    other = agent.write("new", EICAR)
    wait_for(lambda: [d for d in agent.ctl("detections", "--since", "5m")[1]
                      if get(d, "file.path") == str(other)],
             "a detection after it", 60)


@pytest.mark.slow(300)
def test_full_disk(make_agent):
    agent = make_agent(state_size=64 << 20)
    first = agent.write("first", EICAR)
    wait_for(lambda: agent.found(first), "a detection")
    agent.settle()
    rows = agent.count("SELECT count(*) FROM process")
    ballast = agent.state / "ballast"
    fd = os.open(ballast, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC)
    for size in (65536, 4096):
        try:
            while os.write(fd, b"\0" * size):
                pass
        except OSError:
            pass
    os.close(fd)
    for number in range(300):
        subprocess.run(["/bin/true", "x" * 2000, str(number)], check=True)
    second = agent.write("second", EICAR)
    time.sleep(3)
    status = wait_for(agent.status, "status is told with a full disk")
    assert get(status, "khien.state") == "degraded", status
    assert get(status, "khien.reasons")
    ballast.unlink()
    wait_for(lambda: agent.found(second),
        "what was found meanwhile is stored when there is room", 60)
    assert agent.found(first) == 1
    assert agent.count("SELECT count(*) FROM process") >= rows
    agent.settle()
    # On a busy machine the sensor's rings may have been full meanwhile.
    wait_for(lambda: not [r for r in get(agent.status(), "khien.reasons")
                          if "store" in r], "the store works again", 60)


@pytest.mark.slow(400)
def test_size_limit_holds(make_agent, tool):
    agent = make_agent(conf={"store.max_size_mb": 8})
    path = agent.write("keep", EICAR)
    wait_for(lambda: agent.found(path), "a detection")
    subprocess.run([tool("exec-storm"), "12000", "2", "y" * 1500],
                   check=True)
    agent.settle()

    def size():
        return sum(p.stat().st_size for p in agent.state.glob("store.db*"))

    wait_for(lambda: size() < 14 << 20, "the store shrinks below its bound "
             "and a journal", 90, pause_s=0.5)
    # Detections outlive events.
    assert agent.found(path) == 1
