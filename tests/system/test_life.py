# SPDX-License-Identifier: GPL-2.0-or-later
"""What the agent proves of itself, what it says of what it cannot see, and
what it says of what costs."""

import os
import re
import shutil
import signal
import subprocess
import sys

import pytest

from agent import ROOT, Agent, get, wait_for

EVERY_S = 10
# A round that nothing answers is over after two fifths of that, twice.
RED_S = 2 * EVERY_S
PARTS = ("sensor", "scanner", "store")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Its state lies where files are watched."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    agent = Agent(tmp_path_factory.mktemp("khien"),
                  conf={"agent.proof_s": EVERY_S, "sensor.network": "off",
                        "sensor.privilege": "off"})
    agent.conf["agent.state_dir"] = agent.mount / "state"
    agent.write_conf()
    try:
        yield agent.start()
    finally:
        agent.close()


def proofs(agent):
    proof = get(agent.status() or {}, "khien.proof", {})
    return {part: get(proof, f"{part}.state") for part in PARTS}


def reload(agent, **conf):
    agent.conf.update({k.replace("_", ".", 1): v for k, v in conf.items()})
    agent.write_conf()
    agent.child.send_signal(signal.SIGHUP)


def test_each_part_is_proved(shared):
    wait_for(lambda: set(proofs(shared).values()) == {"ok"}, "all is proved")
    status = shared.status()
    assert get(status, "khien.proof.every_s") == EVERY_S
    for part in PARTS:
        assert 0 <= get(status, f"khien.proof.{part}.age_s") <= EVERY_S + 2
        assert get(status, f"khien.proof.{part}.last")
    assert b"proofs      sensor " in shared.ctl_raw("status").stdout
    # One row of each kind, all of one round.
    rows = shared.sql("SELECT key, value FROM meta WHERE key LIKE 'proof.%'")
    assert sorted(row["key"] for row in rows) == [
        "proof.exec", "proof.exit", "proof.run", "proof.scan"]
    # No detection, and no event of it.  (Other agents' are events to this one.)
    nonce = rows[0]["value"].split()[0]
    folder = f"{shared.conf['agent.state_dir']}/proof"
    assert shared.count("SELECT count(*) FROM process WHERE args LIKE "
                        f"'%\"{nonce}\"]'") == 0
    for table in ("file", "detection"):
        assert shared.count(f"SELECT count(*) FROM {table} WHERE path LIKE "
                            f"'{folder}/%'") == 0


def test_without_its_rule_the_scanner_is_red(shared):
    wait_for(lambda: proofs(shared)["scanner"] == "ok", "it is proved")
    shutil.rmtree(shared.rules)
    shared.rules.mkdir()
    reload(shared)
    wait_for(lambda: proofs(shared)["scanner"] == "failed", "it is red",
             limit_s=RED_S)
    status = shared.status()
    assert get(status, "khien.state") == "at_risk"
    assert any("proof of life of the scanner" in text and
               "khienctl reload" in text
               for text in get(status, "khien.reasons"))
    assert proofs(shared)["sensor"] == "ok"
    code, checks = shared.ctl("doctor")
    assert code == 1
    assert any("khien_self_test" in get(check, "khien.doctor.text")
               for check in checks if not get(check, "khien.doctor.ok"))
    assert b"scanner FAILED" in shared.ctl_raw("status").stdout
    shutil.rmtree(shared.rules)
    shutil.copytree(ROOT / "signatures/yara", shared.rules)
    reload(shared)
    wait_for(lambda: proofs(shared)["scanner"] == "ok", "it is proved again")
    assert not any("proof of life" in text
                   for text in get(shared.status(), "khien.reasons"))


def blind(agent):
    return {gap["sensor"]: gap
            for gap in get(agent.status() or {}, "khien.blind", [])}


def test_what_is_switched_off_is_named(shared):
    wait_for(lambda: proofs(shared)["sensor"] == "ok", "the sensor told")
    # From the start on.
    gap = blind(shared)["net_state"]
    assert gap["because"] == "switched off"
    assert gap["kinds"] == ["connect", "disconnect"]
    assert "TCP connections" in gap["costs"]
    gap = blind(shared)["privilege_call"]
    assert {"ptrace", "module_load"} <= set(gap["kinds"])
    assert gap["rules"] and gap["rules_len"] == len(gap["rules"])
    text = shared.ctl_raw("status").stdout.decode()
    # Below its cause, with all others of that cause.
    assert re.search(r"^blind +switched off\n( {14}\S.*\n)*"
                     r" {14}net_state costs connect, disconnect", text, re.M)
    assert "coverage" in blind(shared)  # only one mount is watched
    reload(shared, gate_mode="off")
    wait_for(lambda: "gate" in blind(shared), "it is named")
    gap = blind(shared)["gate"]
    assert gap["kinds"] == ["close"]
    assert gap["scans"] == ["write", "exec", "open"]
    assert gap["rules_len"] == get(shared.status(), "khien.rules.loaded")
    assert len(gap["rules"]) == min(gap["rules_len"], 16)
    assert proofs(shared)["scanner"] == "off"
    reload(shared, gate_mode="observe")
    wait_for(lambda: "gate" not in blind(shared), "it is back")


def hot(agent, what, by):
    (answer,) = agent.ask("status", "--hot")
    return next(table for table in get(answer, "khien.hot.tables")
                if (table["what"], table["by"]) == (what, by))


def most(table, span="lately"):
    return {entry["name"]: entry for entry in table[span]["most"]}


def test_what_costs_is_named(shared):
    wait_for(lambda: proofs(shared)["sensor"] == "ok", "it sees")
    folder = shared.mount / "hot"
    folder.mkdir()
    writer = "import sys\nfor i in range(40): " \
        "open(f'{sys.argv[1]}/{i}', 'w').write(str(i))"
    subprocess.run([sys.executable, "-c", writer, str(folder)], check=True)
    large = shared.write("hot/large", os.urandom(8 << 20))
    wait_for(lambda: str(large) in most(hot(shared, "file", "scan_time")),
             "the gate told of its scans")
    program = os.path.realpath(sys.executable)
    assert most(hot(shared, "process", "scans"))[program]["count"] >= 40
    # What else runs on this machine may be more.
    for what in ("process", "folder"):
        events = hot(shared, what, "events")["lately"]
        assert events["total"] >= events["most"][0]["count"] >= 1
    files = hot(shared, "file", "scan_time")
    assert files["unit"] == "us"
    assert files["lately"]["most"][0]["name"] == str(large)
    assert files["lately"]["total"] >= most(files)[str(large)]["count"] > 1000
    assert str(folder) in most(hot(shared, "folder", "scan_time"), "start")
    text = shared.ctl_raw("status", "--hot").stdout.decode()
    assert "programs by events\n" in text and str(large) in text
