# SPDX-License-Identifier: GPL-2.0-or-later
"""Under load from several users, whatever of the agent dies or is changed:
nobody waits longer than is promised, no clean file is refused, and the agent
protects again without help."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest

import gated
import load
from agent import wait_for

CASES = [*load.cases(signal.SIGKILL), {"mounts": signal.SIGKILL},
         {"gate": signal.SIGKILL, "mounts": signal.SIGSTOP},
         # Without them a new gate knows of nothing to watch.
         {"gate": signal.SIGSTOP, "mounts": signal.SIGKILL}]


@pytest.mark.slow(120)
@pytest.mark.parametrize("case", CASES, ids=load.name_of)
def test_death(ground, asking, tool, case):
    load.signalled(asking(), tool, ground, case)


def reload(agent, ground, **conf):
    """The agent goes on with other settings."""
    count = agent.log().count("read again")
    agent.conf.update({k.replace("_", ".", 1): v for k, v in conf.items()})
    agent.write_conf()
    agent.child.send_signal(signal.SIGHUP)
    wait_for(lambda: agent.log().count("read again") > count,
             "the configuration is read")


@pytest.mark.slow(120)
def test_reload(ground, asking, tool):
    """Each reload replaces the scanners and forgets what was known; with time
    for a scan meanwhile, nothing bad gets through."""
    agent = asking(gate_deadline_ms=3000)
    with load.storm(tool, ground, "reload", bound_ms=6000):
        for number in range(8):
            reload(agent, ground, gate_deadline_ms=2900 + number)
            assert load.is_denied(ground), number
        load.recovers(agent, ground)


@pytest.mark.slow(120)
def test_modes(ground, asking, tool):
    agent = asking()
    with load.storm(tool, ground, "modes"):
        for _ in range(3):
            for mode in ("observe", "off", "enforce"):
                reload(agent, ground, gate_mode=mode)
                time.sleep(0.2)
            load.recovers(agent, ground)


@pytest.mark.slow(120)
def test_rules(ground, asking, tool):
    """A rule that comes holds for files that were clean before it."""
    agent = asking()
    with load.storm(tool, ground, "rules"):
        for number in range(4):
            text = f"khien-other-{number:08}".encode()
            path = ground.mount / f"later-{number}"
            path.write_bytes(ground.good + text)
            path.chmod(0o755)
            os.chown(path, gated.NOBODY, gated.NOBODY)
            assert load.runs(path)
            (agent.local / "other.yar").write_text(
                gated.RULE.replace(gated.MARKER, text.decode())
                .replace("khien_canary", "khien_other"))
            reload(agent, ground)
            wait_for(lambda path=path: not load.runs(path),
                     "the new rule is obeyed")
        load.recovers(agent, ground)


SLOW = """rule khien_slow
{
	strings:
		$slow = "khien-slow-file"
	condition:
		$slow and for all i in (0 .. 2000000000) : (i >= 0)
}
"""


def make_slow(ground, name):
    path = ground.mount / name
    path.write_bytes(ground.good + b"khien-slow-file" + name.encode())
    path.chmod(0o755)
    os.chown(path, gated.NOBODY, gated.NOBODY)
    return path


@pytest.mark.slow(120)
def test_scanner_loops(ground, asking, tool):
    """On every file that is asked about by somebody in between."""
    agent = asking(scan_timeout_ms=1000, rules={"slow": SLOW})
    with load.storm(tool, ground, "scanner loops"):
        for number in range(5):
            began = time.monotonic()
            assert load.runs(make_slow(ground, f"slow-{number}"))
            waited_ms = (time.monotonic() - began) * 1000
            assert load.DEADLINE_MS <= waited_ms < load.BOUND_MS
        load.recovers(agent, ground)
    assert gated.gate(agent, "questions.deadline") >= 5


@pytest.mark.slow(120)
def test_scanner_crashes(ground, asking, tool):
    """Who ends two scanners in a row is refused; others are not."""
    agent = asking(gate_deadline_ms=3000, rules={"slow": SLOW})
    path = make_slow(ground, "crashing")
    with load.storm(tool, ground, "scanner crashes", bound_ms=6000):
        asker = subprocess.Popen(["/bin/sh", "-c", 'exec "$0"', str(path)],
                                 stderr=subprocess.DEVNULL)
        for _ in range(2):
            pids = wait_for(lambda: load.busy(agent), "a scanner is at it")
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
        assert asker.wait(load.RECOVERY_S) == 126
        assert not load.runs(path)
        load.recovers(agent, ground)


# A million matches of each string are kept, of some 60 bytes.
GREEDY = """rule khien_greedy
{
	strings:
		$marker = "khien-greedy-file"
%s
	condition:
		$marker and for all of ($a*) : (# > 0)
}
""" % "\n".join(f"\t\t$a{n} = \"{'a' * n}\"" for n in range(4, 36))
MEMORY_MAX = 1 << 30


def peak_of(pid):
    """The most address space that it ever had, in bytes."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"VmPeak:\s*(\d+)", text)[1]) << 10


@pytest.mark.slow(120)
def test_scanner_eats_memory(ground, asking, tool):
    """It has so much and no more; its file is refused, and it goes on."""
    agent = asking(rules={"greedy": GREEDY})
    path = ground.mount / "greedy"
    path.write_bytes(ground.good + b"khien-greedy-file" + b"a" * (40 << 20))
    path.chmod(0o755)
    os.chown(path, gated.NOBODY, gated.NOBODY)
    with load.storm(tool, ground, "scanner eats memory"):
        began = time.monotonic()
        load.runs(path)
        assert (time.monotonic() - began) * 1000 < load.BOUND_MS
        pids = load.pids_of(agent, "scan")
        wait_for(lambda: MEMORY_MAX * 0.8 < max(map(peak_of, pids)),
                 "it has had nearly all that it may have")
        wait_for(lambda: not load.busy(agent), "the scan is over")
        assert max(map(peak_of, pids)) <= MEMORY_MAX
        load.recovers(agent, ground)


@pytest.mark.slow(120)
def test_full_store(ground, asking, tool):
    agent = asking(state_size="8m")
    with load.storm(tool, ground, "full store"):
        with open(agent.state / "ballast", "wb") as file, \
                contextlib.suppress(OSError):
            while True:
                file.write(bytes(1 << 16))
                file.flush()
        time.sleep(3)
        load.recovers(agent, ground)
        os.unlink(agent.state / "ballast")
        load.recovers(agent, ground)


@pytest.mark.slow(120)
def test_frozen_log(ground, asking, tool):
    """Nobody reads what the agent says, and it has much to say."""
    pipe = ground.folder / "log"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    agent = asking(wrapper=["/bin/sh", "-c", f'exec "$0" "$@" 2>{pipe}'])
    with load.storm(tool, ground, "frozen log"):
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(reader, b"x" * 512)
        for role in ("scan", "gate", "engine", "scan", "gate"):
            pids = load.pids_of(agent, role)
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            load.recovers(agent, ground, pids)
    assert agent.stop() == 0
    os.close(reader)


@pytest.fixture
def late(ground):
    """A mount beneath the ground's; where it was, that one is."""
    path = ground.mount / "late"
    path.mkdir()

    def mount():
        ground.add_mount(path, ["-t", "tmpfs", "-o", "mode=1777",
                                "khien-test"])
        return path

    return mount


def unmount(ground, path, *how):
    """Whether it could be; it is not to wait for anybody."""
    code = subprocess.run(["umount", *how, str(path)], check=False, timeout=5,
                          stderr=subprocess.DEVNULL).returncode
    if code == 0:
        ground.mounts.remove(path)
    return code == 0


@pytest.mark.slow(120)
@pytest.mark.parametrize("how", [(), ("-l",)], ids=["busy", "lazy"])
def test_unmount_while_questions_are_open(ground, asking, tool, late, how):
    path = late()
    agent = asking(gate_watch=f"{ground.mount}:{path}", gate_deadline_ms=6000)
    wait_for(lambda: gated.covered(agent, path), "it is covered")
    for number in range(2):
        stopped = load.pids_of(agent, "scan")
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        file = path / f"unknown-{number}"
        file.write_bytes(ground.good + b"%d" % number)
        file.chmod(0o755)
        began = time.monotonic()
        askers = [subprocess.Popen(["/bin/sh", "-c", 'exec "$0"', str(file)])
                  for _ in range(20)]
        wait_for(lambda: gated.gate(agent, "pending.now") >= 20, "all wait",
                 pause_s=0.01)
        assert unmount(ground, path, *how) == bool(how)
        for asker in askers:
            assert asker.wait(10) == 0
        assert (time.monotonic() - began) * 1000 < 6000 + 3000
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        if how:
            late()
            wait_for(lambda: gated.covered(agent, path), "it is covered again")
        load.recovers(agent, ground)
    # And in the end, when nobody holds it.
    wait_for(lambda: unmount(ground, path), "it is unmounted", 10)
    load.recovers(agent, ground)


@pytest.mark.slow(120)
def test_mounts_come_and_go(ground, asking, tool, late):
    """With files that are open, and while others are executed beside it."""
    path = ground.mount / "late"
    agent = asking(gate_watch=f"{ground.mount}:{path}")
    with load.storm(tool, ground, "mounts come and go"):
        for number in range(10):
            late()
            wait_for(lambda: gated.covered(agent, path), "it is covered")
            file = shutil.copy("/bin/true", path / "true")
            with open(file, "rb"):
                assert load.runs(file)
                assert unmount(ground, path, "-l"), number
        load.recovers(agent, ground)


@pytest.mark.slow(120)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL],
                         ids=lambda n: n.name)
def test_end_while_questions_are_open(ground, asking, tool, number):
    path = load.files(ground, 200, ground.good)
    agent = asking(gate_deadline_ms=10000)
    # Those of the storm wait with them, until the end: 3 s are allowed.
    with load.storm(tool, ground, f"end by {number.name}"):
        for pid in load.pids_of(agent, "scan"):
            os.kill(pid, signal.SIGSTOP)
        many = subprocess.Popen([tool("exec-many"), "200", str(path)],
                                stdout=subprocess.PIPE, text=True)
        wait_for(lambda: gated.gate(agent, "pending.now") >= 200, "all wait",
                 pause_s=0.01)
        agent.child.send_signal(number)
        assert many.communicate(timeout=5)[0].startswith("0:200 ")
        agent.child.wait(load.RECOVERY_S)
        gated.start(agent)
        load.recovers(agent, ground)


@pytest.mark.slow(120)
def test_overlay(ground, asking, tool):
    """The kernel opens the file beneath while it opens this one for the gate:
    who is asked about both waits for himself."""
    layers = {name: ground.mount / name
              for name in ("lower", "upper", "work", "over")}
    for path in layers.values():
        path.mkdir()
    how = ",".join(f"{name}dir={layers[name]}"
                   for name in ("lower", "upper", "work"))
    over = layers["over"]
    ground.add_mount(over, ["-t", "overlay", "-o", how, "khien-test"])
    agent = asking(gate_watch=f"{ground.mount}:{over}")
    gate = load.pids_of(agent, "gate")
    with load.storm(tool, ground, "overlay", folder=over):
        for number in range(10):
            path = over / f"bad-{number}"
            path.write_bytes(ground.bad)
            path.chmod(0o755)
            assert not load.runs(path) and not ground.ran()
        load.recovers(agent, ground)
    assert load.pids_of(agent, "gate") == gate
