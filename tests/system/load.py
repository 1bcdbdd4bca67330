# SPDX-License-Identifier: GPL-2.0-or-later
"""Load on the ground's mount while something is done to the agent, and what
is promised to everybody meanwhile."""

import contextlib
import os
import pathlib
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


class Storm:
    """See storm.c."""

    def __init__(self, tool, ground):
        self.folder = ground.mount / "storm"
        if not self.folder.exists():
            self.folder.mkdir()
            self.folder.chmod(0o1777)
            shutil.copy("/bin/true", self.folder / "known")
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

    def check(self):
        """Nobody waited beyond the promise, and no clean file was refused.
        How long a program runs says nothing of waits."""
        assert self.stuck == 0
        assert not self.errors
        waits = {k: v for k, v in self.longest_ms.items() if k != "run"}
        assert len(waits) == 5 and all(self.count[k] for k in waits)
        assert max(waits.values()) < BOUND_MS, waits


@contextlib.contextmanager
def storm(tool, ground, name):
    under = Storm(tool, ground)
    try:
        # Every worker has had its turns before anything is done.
        time.sleep(0.3)
        yield under
        time.sleep(0.2)
    finally:
        under.end()
        if FIGURES:
            with open(FIGURES, "a", encoding="utf-8") as file:
                waits = " ".join(f"{k}={v:.0f}"
                                 for k, v in under.longest_ms.items())
                file.write(f"{name}: ms {waits} calls "
                           f"{sum(under.count.values())} errors "
                           f"{under.errors} stuck {under.stuck}\n")
    under.check()


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


ROLES = ("sensor", "gate", "scan", "engine", "query")


def pids_of(agent, role):
    if role == "daemon":
        return [agent.child.pid]
    return children(agent.child.pid).get(role, [])


def is_whole(agent, without=()):
    """Whether it runs with all its processes, none of them one of those."""
    found = children(agent.child.pid)
    return set(ROLES) <= set(found) and \
        not {p for pids in found.values() for p in pids} & set(without)


def is_denied(ground, content=None):
    """Whether a bad file, which nobody saw before, may be executed."""
    path = ground.mount / f"bad-{time.monotonic_ns()}"
    path.write_bytes(content or ground.bad)
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
