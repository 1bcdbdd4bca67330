# SPDX-License-Identifier: GPL-2.0-or-later
"""A publisher, a mirror on loopback and an agent: releases of rules arrive, are
tried, put in force, and taken back."""

import functools
import http.server
import os
import pathlib
import signal
import threading
import time

import pytest

from agent import EICAR, get, wait_for
from signer import Signer

# Texts that nothing else on this machine has, in two pieces each.
ONE, TWO = b"khien-update-" + b"one-4e1c", b"khien-update-" + b"two-9a7d"


def rule(name, text, severity="high"):
    return (f'rule {name} {{ meta: severity = "{severity}" strings: '
            f'$a = "{text}" condition: $a }}\n').encode()


# What it looks at: root's own, and in no folder that a trial takes files from.
COPYRIGHT = "https://www.debian.org/doc/packaging-manuals/copyright-format/1.0"
FIRST = {"one.yar": rule("one", ONE.decode())}
SECOND = {**FIRST, "web/two.yar": rule("two", TWO.decode())}
HANGS = (b"rule hangs { condition: filesize == 17 and for all i in "
         b"(1..0xffffffffffff) : (uint8(i % 17) != 1) }\n")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_args):
        pass


class Mirror:
    def __init__(self, folder):
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
        self.server.asked = []
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def signer(tmp_path):
    return Signer(tmp_path / "repository")


@pytest.fixture
def mirror(signer):
    signer.folder.mkdir(parents=True, exist_ok=True)
    mirror = Mirror(signer.folder)
    yield mirror
    mirror.close()


@pytest.fixture
def machine(make_agent, signer, mirror, tmp_path):
    """machine(**conf) -> an agent that trusts the signer; two scanners."""

    def make(**conf):
        trust = signer.trust(tmp_path / "trust")
        return make_agent(conf={"update.url": mirror.url,
                                "update.trust": trust, "scan.workers": 2,
                                "scan.timeout_ms": 2000, **conf})

    return make


def publish(signer, number, rules, **how):
    signer.release(number, rules, **how)
    signer.publish()


def update(agent, *words, code=0):
    done = agent.ctl_raw("--json", "update", *map(str, words), limit_s=120)
    assert done.returncode == code, (done.stdout, done.stderr, agent.log())
    return done.stderr.decode()


def state(agent):
    return get(agent.ask("update", "status")[0], "khien.update")


def told(agent):
    return [get(e, "message") for e in agent.events("--type", "update")]


def rulesets(agent):
    return {get(r, "rule.ruleset")
            for r in agent.ctl("rules")[1]} - {"behaviour"}


def scanned_by(agent, release):
    """All scanners read that one, and have said so."""
    said = get(agent.status(), "khien.scan") or {}
    now = [said.get(i, {}).get("release") for i in ("0", "1")]
    return now == [release, release] and len(agent.scanners()) == 2


def rules_found(agent, name, data):
    """Which rules find these bytes in a file."""
    path = agent.mount / name
    path.write_bytes(data)
    _code, lines = agent.ctl("scan", path)
    return {get(line, "rule.ruleset") for line in lines if "rule" in line}


def bring(agent, number):
    update(agent, "now")
    assert state(agent)["active"] == number
    wait_for(lambda: scanned_by(agent, number),
             f"scanners read release {number}")


def test_a_release_comes_into_force_and_the_next(signer, mirror, machine):
    publish(signer, 1, FIRST, vectors=[("one.bin", b"a " + ONE, ["one"]),
                                       ("good.bin", b"nothing", [])])
    agent = machine()
    gate = agent.pid_of("gate")
    scanners = agent.scanners()
    assert "test/eicar.yar" in rulesets(agent)
    wait_for(lambda: state(agent).get("active") == 0, "it is told at start")
    bring(agent, 1)
    # Each scanner is another process, and nobody else is.
    assert not set(scanners) & set(agent.scanners())
    assert agent.pid_of("gate") == gate
    assert rulesets(agent) == {"release-1/one.yar"}
    assert rules_found(agent, "a", b"some " + ONE) == {"release-1/one.yar"}
    assert rules_found(agent, "b", EICAR) == set()
    assert told(agent)[-1].startswith(
        "release 1 is active, before it was 0: tried with 1 rules, 2 test "
        "files and 200 files")
    rows = told(agent)
    # Nothing new is two questions and no row.
    mirror.server.asked.clear()
    update(agent, "now")
    assert len(mirror.server.asked) == 2
    assert told(agent) == rows and state(agent)["requests"] == 2
    publish(signer, 2, SECOND)
    bring(agent, 2)
    assert rulesets(agent) == {"release-2/one.yar", "release-2/web/two.yar"}
    assert state(agent)["previous"] == 1
    text = agent.ctl_raw("status").stdout.decode()
    assert "2 loaded, release 2 since 20" in text, text
    # The next agent on this machine begins with it.
    assert agent.stop() == 0
    agent.start()
    assert rulesets(agent) == {"release-2/one.yar", "release-2/web/two.yar"}
    wait_for(lambda: state(agent).get("active") == 2, "it is told at start")


def test_a_bad_one_is_refused_and_not_tried_again(signer, mirror, machine):
    publish(signer, 1, FIRST)
    agent = machine()
    bring(agent, 1)
    scanners = agent.scanners()
    publish(signer, 2, {**FIRST, "slow/hang.yar": HANGS},
            vectors=[("seventeen", b"seventeen bytes 1", [])])
    said = update(agent, "now", code=1)
    assert "release 2 is refused: rule file release-2/slow/hang.yar did " \
        "not end with seventeen" in said
    now = state(agent)
    assert (now["active"], get(now, "bad.number")) == (1, 2)
    assert agent.scanners() == scanners
    assert any("release 2 is refused" in m for m in told(agent))
    mirror.server.asked.clear()
    update(agent, "now")
    assert len(mirror.server.asked) == 2
    # The next one is as good as any.
    publish(signer, 3, SECOND)
    bring(agent, 3)


@pytest.mark.parametrize("rules, vectors, why", [
    ({"bad.yar": b"rule a { condition: what }"}, [],
     "rule file release-2/bad.yar:1"),
    ({"all.yar": b'rule all_of_them { meta: severity = "high" condition: '
      b'uint32(0) == 0x464c457f }'}, [],
     "rule all_of_them of release-2/all.yar matches /usr/"),
    (FIRST, [("one.bin", b"nothing", ["one"])],
     "rule one does not match the test file one.bin"),
    (FIRST, [("good.bin", b"a " + ONE, [])],
     "rule one of release-2/one.yar matches the test file good.bin"),
])
def test_what_is_refused(signer, machine, rules, vectors, why):
    publish(signer, 1, FIRST)
    agent = machine()
    bring(agent, 1)
    publish(signer, 2, rules, vectors=vectors)
    assert why in update(agent, "now", code=1)
    assert state(agent)["active"] == 1
    assert rulesets(agent) == {"release-1/one.yar"}


def kill_scanners(agent, times):
    for _ in range(times):
        pid = wait_for(agent.scanners, "a scanner runs")[0]
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: pid not in agent.scanners(), "it is gone")


def test_scanners_that_die_take_it_back(signer, machine):
    publish(signer, 1, FIRST)
    agent = machine()
    bring(agent, 1)
    publish(signer, 2, SECOND)
    bring(agent, 2)
    kill_scanners(agent, 3)
    wait_for(lambda: state(agent)["active"] == 1, "release 2 is taken back")
    wait_for(lambda: scanned_by(agent, 1), "scanners read release 1 again")
    assert rulesets(agent) == {"release-1/one.yar"}
    now = state(agent)
    assert get(now, "bad.number") == 2
    assert "3 scanners died within 10 minutes" in get(now, "bad.reason")
    assert any(m.startswith("release 2 is taken back: 3 scanners died")
               for m in told(agent))
    # It is not brought again, and the one before it is not watched.
    update(agent, "now")
    assert state(agent)["active"] == 1
    kill_scanners(agent, 3)
    agent.settle()
    assert state(agent)["active"] == 1


def test_a_flood_on_system_files_takes_it_back(signer, machine):
    files = [p for p in pathlib.Path("/usr/share/doc").glob("*/copyright")
             if p.is_file() and not p.is_symlink() and
             p.read_bytes()[:200].count(COPYRIGHT.encode())]
    assert len(files) > 20
    publish(signer, 1, FIRST)
    agent = machine()
    bring(agent, 1)
    publish(signer, 2, {"doc.yar": rule("doc", COPYRIGHT)})
    bring(agent, 2)
    # As many as may be.
    agent.ctl("scan", *files[:5])
    agent.settle()
    assert state(agent)["active"] == 2
    agent.ctl("scan", *files[5:7])
    wait_for(lambda: state(agent)["active"] == 1, "release 2 is taken back")
    assert "match more than 5 files of root beneath /usr" in \
        get(state(agent), "bad.reason")
    wait_for(lambda: scanned_by(agent, 1), "scanners read release 1 again")


def test_a_release_that_is_withdrawn(signer, machine):
    publish(signer, 1, FIRST)
    agent = machine()
    bring(agent, 1)
    publish(signer, 2, SECOND)
    bring(agent, 2)
    signer.revoke(2, "it finds the wrong things")
    signer.publish()
    bring(agent, 1)
    assert rulesets(agent) == {"release-1/one.yar"}


def test_without_a_network(signer, mirror, machine, tmp_path):
    publish(signer, 1, FIRST)
    agent = machine()
    bring(agent, 1)
    mirror.close()
    before = len(told(agent))
    for _ in range(2):
        assert "127.0.0.1" in update(agent, "now", code=1)
    assert state(agent)["active"] == 1 and len(told(agent)) == before + 1
    assert any("the last update failed" in note
               for note in get(agent.status(), "khien.notes"))
    publish(signer, 2, SECOND)
    update(agent, "import", signer.export(tmp_path / "release.tar"))
    assert state(agent)["active"] == 2
    wait_for(lambda: scanned_by(agent, 2), "scanners read release 2")
    (tmp_path / "release.tar").write_bytes(b"no archive")
    update(agent, "import", tmp_path / "release.tar", code=1)
    assert state(agent)["active"] == 2
    assert b"No such file" in agent.ctl_raw("update", "import",
                                            "/nowhere").stderr


def test_where_nothing_is_configured(make_agent):
    agent = make_agent()
    assert "[update] url is empty" in update(agent, "now", code=1)
    assert state(agent) == {"url": ""}
    status = agent.status()
    assert get(status, "khien.state") == "ok"
    assert told(agent) == []


def test_what_is_in_force_and_cannot_be_read(signer, machine):
    """Never no rules: those of the package, and it is told."""
    publish(signer, 1, FIRST)
    agent = machine()
    bring(agent, 1)
    agent.stop()
    folder = agent.state / "update/releases/1/rules"
    folder.rename(folder.with_name("away"))
    folder.mkdir()
    agent.start()
    assert "test/eicar.yar" in rulesets(agent)
    status = agent.status()
    assert get(status, "khien.state") != "ok"
    assert any("release of rules in state_dir cannot be read" in reason
               for reason in get(status, "khien.reasons"))
    code, checks = agent.ctl("doctor")
    assert code == 1
    assert [get(c, "khien.doctor.ok") for c in checks
            if get(c, "khien.doctor.check") == "update"] == [False]


def test_one_at_a_time(signer, mirror, machine):
    """A second one is refused by name, and hinders nothing."""
    publish(signer, 1, {**FIRST, "hang.yar": HANGS},
            vectors=[("seventeen", b"seventeen bytes 1", [])])
    agent = machine()
    codes = []
    first = threading.Thread(target=lambda: codes.append(
        agent.ctl_raw("update", "now", limit_s=120).returncode))
    first.start()
    wait_for(lambda: mirror.server.asked, "the first has begun")
    assert "an update is under way" in update(agent, "now", code=1)
    first.join(120)
    assert codes == [1]


def test_the_client_may_leave(signer, machine):
    """What it began goes on."""
    publish(signer, 1, FIRST)
    agent = machine()
    with agent.connect("control.sock") as sock:
        sock.sendall(b'{"version":1,"command":"update",'
                     b'"options":{"do":"now"}}\n')
        time.sleep(0.05)
    wait_for(lambda: state(agent).get("active") == 1, "it goes on")


def test_only_root_may_change(agent):
    with agent.connect() as sock:
        sock.sendall(b'{"version":1,"command":"update",'
                     b'"options":{"do":"now"}}\n')
        assert b"control.sock" in sock.recv(65536)
