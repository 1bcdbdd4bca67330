# SPDX-License-Identifier: GPL-2.0-or-later
"""Load on the ground's mount while something is done to the agent, and what
is promised to everybody meanwhile."""

import contextlib
import itertools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import gated
from agent import wait_for

DEADLINE_MS = 500
# What is promised beyond the deadline.
BOUND_MS = DEADLINE_MS + 3000
# Root twice, and users: what root alone can write has another way through.
USERS = (0, 0, gated.NOBODY, 1000, 1001)
# From any failure to protection: the sensor and the engine are given 10 s.
RECOVERY_S = 25
STORM_S = 60
FIGURES = os.environ.get("KHIEN_FIGURES")
# What stands still is noticed in 2 s (gate, scanner) or 10 s.
WATCHDOG_S = 4
VICTIMS = ("gate", "scan", "engine", "sensor", "daemon")
PAIRS = list(itertools.combinations(VICTIMS, 2))


class Storm:
    """See storm.c."""

    def __init__(self, tool, ground, folder):
        self.folder = (folder or ground.mount) / "storm"
        if not self.folder.exists():
            self.folder.mkdir()
            self.folder.chmod(0o1777)
            for uid in set(USERS):
                known = shutil.copy("/bin/true", self.folder / f"known-{uid}")
                os.chown(known, uid, uid)
        self.child = subprocess.Popen(
            [tool("storm"), str(self.folder), str(STORM_S * 1000),
             *map(str, USERS)], stdout=subprocess.PIPE, text=True)
        self.longest_ms = {}
        self.count = {}
        self.errors = {}
        self.stuck = None

    def end(self):
        self.child.send_signal(signal.SIGTERM)
        out, _ = self.child.communicate(timeout=STORM_S)
        for line in out.splitlines():
            kind, count, *rest = line.split()
            if kind == "stuck":
                self.stuck = int(count)
                continue
            self.count[kind] = int(count)
            self.longest_ms[kind] = int(rest[0]) / 1000
            if rest[1:]:
                self.errors[kind] = rest[1:]

    def check(self, bound_ms):
        """Nobody waited beyond the promise, and no clean file was refused.
        How long a program runs says nothing of waits."""
        assert self.stuck == 0
        assert not self.errors
        waits = {k: v for k, v in self.longest_ms.items() if k != "run"}
        assert len(waits) == 5 and all(self.count[k] for k in waits)
        assert max(waits.values()) < bound_ms, waits


def note(line):
    if FIGURES:
        with open(FIGURES, "a", encoding="utf-8") as file:
            file.write(line + "\n")


@contextlib.contextmanager
def storm(tool, ground, name, bound_ms=BOUND_MS, folder=None):
    under = Storm(tool, ground, folder)
    try:
        # Every worker has had its turns before anything is done.
        time.sleep(0.3)
        yield under
        time.sleep(0.2)
    finally:
        under.end()
        waits = " ".join(f"{k}={v:.0f}" for k, v in under.longest_ms.items())
        note(f"{name}: ms {waits} calls {sum(under.count.values())} errors "
             f"{under.errors} stuck {under.stuck}")
    under.check(bound_ms)


def state_of(pid):
    """None when there is no such process."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()


def children(pid):
    """{role: [pid, ...]} of a khiend, without asking the agent."""
    found = {}
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        state = state_of(path.name)
        if not state or state[1] != str(pid) or state[0] in "ZX":
            continue
        with contextlib.suppress(OSError):
            name = (path / "comm").read_text(encoding="utf-8").strip()
            if name.startswith("khien-"):
                found.setdefault(name[6:], []).append(int(path.name))
    return found


ROLES = ("sensor", "mounts", "gate", "scan", "engine", "query")


def pids_of(agent, role):
    if role == "daemon":
        return [agent.child.pid]
    return children(agent.child.pid).get(role, [])


def is_whole(agent, without=()):
    """Whether it runs with all its processes, none of them one of those."""
    found = children(agent.child.pid)
    return set(ROLES) <= set(found) and \
        not {p for pids in found.values() for p in pids} & set(without)


def busy(agent):
    """Scanners that are in the middle of a file: they have used the
    processor for a while."""
    return [p for p in pids_of(agent, "scan")
            if (state_of(p) or "Z")[0] == "R" and is_at_work(p)]


def is_at_work(pid):
    before = state_of(pid)
    time.sleep(0.3)
    after = state_of(pid)
    return before and after and int(after[11]) - int(before[11]) > 10


def runs(path):
    try:
        return subprocess.run([str(path)], check=False).returncode == 0
    except PermissionError:
        return False


def exec_many(tool, count, path, limit_s=120):
    """({errno: how many}, longest wait in ms)"""
    done = subprocess.run([tool("exec-many"), str(count), str(path)],
                          capture_output=True, text=True, timeout=limit_s,
                          check=True)
    found = re.findall(r"(\w+):(\d+)", done.stdout)
    ends = {int(k): int(v) for k, v in found if k.isdigit()}
    return ends, int(dict(found)["ms"])


def files(ground, count, content):
    """As many files, each of them new to the gate."""
    folder = ground.mount / "many"
    folder.mkdir(exist_ok=True)
    for i in range(count):
        path = folder / f"file-{i}"
        path.write_bytes(content + b"%d" % time.monotonic_ns())
        path.chmod(0o755)
        os.chown(path, gated.NOBODY, gated.NOBODY)
    return folder / "file-%d"


def is_denied(ground):
    """Whether a bad file, which nobody saw before, may be executed."""
    path = ground.mount / f"bad-{time.monotonic_ns()}"
    path.write_bytes(ground.bad)
    path.chmod(0o755)
    os.chown(path, gated.NOBODY, gated.NOBODY)
    try:
        subprocess.run([str(path)], check=False)
    except PermissionError:
        return not ground.ran()
    finally:
        path.unlink(missing_ok=True)
    ground.ran()
    return False


def recovers(agent, ground, without=()):
    """By itself."""
    wait_for(lambda: is_whole(agent, without), "all processes are there",
             RECOVERY_S)
    wait_for(lambda: is_denied(ground), "a bad file is denied again",
             RECOVERY_S)


def cases(number):
    """What is sent to whom: each of them, and each two."""
    return [dict.fromkeys(victims, number)
            for victims in [*((v,) for v in VICTIMS), *PAIRS]]


def name_of(case):
    return "-".join(f"{s.name[3:]}-{v}" for v, s in case.items())


def signalled(agent, tool, ground, case):
    """The agent comes through it under load."""
    with storm(tool, ground, name_of(case)):
        pids = {v: pids_of(agent, v) for v in case}
        for victim, number in case.items():
            for pid in pids[victim]:
                os.kill(pid, number)
        if "daemon" in case:
            if signal.SIGSTOP in case.values():
                time.sleep(WATCHDOG_S)
            # As the service manager does.
            agent.child.kill()
            agent.child.wait()
            gated.start(agent)
        recovers(agent, ground, sum(pids.values(), []))
