# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that somebody holds open to write: journals, databases."""

import mmap
import os
import time

import pytest

import gated
from agent import get, wait_for

SIZE = 20 << 20
OPENS = 50
# Longer than any file system's clock takes for one step.
GRAIN_S = 2.5


@pytest.fixture(params=["ext4"])
def ground(request):
    ground = gated.Ground(request.param)
    yield ground
    ground.close()


@pytest.fixture
def agent(request, ground, tmp_path_factory):
    agent = gated.make(tmp_path_factory.mktemp("khien"), ground,
                       gate_deadline_ms=3000)
    request.node.agents = [agent]
    yield gated.start(agent)
    agent.close()


@pytest.fixture
def held(agent, ground):
    """A clean program of that size, and the file of its writer; all that was
    to be scanned because of it is through."""
    path = ground.mount / "journal"
    path.write_bytes(ground.good.ljust(SIZE, b"\0"))
    path.chmod(0o755)
    os.chown(path, gated.NOBODY, gated.NOBODY)
    with open(path, "r+b", buffering=0) as writer:
        settle(agent)
        rest(path)
        yield path, writer


def rest(path):
    """Until its last change lies so far back that another would show."""
    wait_for(lambda: time.time() - path.stat().st_ctime > GRAIN_S,
             "the file was left alone")


def open_often(path, count):
    for _ in range(count):
        with open(path, "rb"):
            pass


def settle(agent):
    wait_for(lambda: gated.gate(agent, "pending.now", 1) == 0,
             "nothing is pending")


def scans(agent, act, asked):
    """How many scans it takes, once it asked that many questions."""
    def counts():
        status = agent.status()
        return [int(get(status, f"khien.gate.{name}", 0))
                for name in ("questions.asked", "scans.done", "pending.now")]

    before = counts()
    act()
    after = wait_for(lambda: (c := counts())[0] >= before[0] + asked
                     and c[2] == 0 and c, "every question was answered")
    return after[1] - before[1]


def test_one_scan_is_enough_for_who_opens(agent, held):
    path, writer = held
    assert scans(agent, lambda: open_often(path, OPENS), OPENS) == 1
    assert gated.gate(agent, "cache.steady") >= OPENS - 1
    # One byte, of the same size, by who holds it.
    os.pwrite(writer.fileno(), b"x", SIZE - 1)
    assert scans(agent, lambda: open_often(path, 1), 1) == 1
    rest(path)
    assert scans(agent, lambda: open_often(path, OPENS), OPENS) == 1
    os.pwrite(writer.fileno(), gated.MARKER.encode(), SIZE // 2)
    with pytest.raises(PermissionError):
        open_often(path, 1)


def test_who_executes_is_not_answered_from_memory(agent, held):
    path, _writer = held
    assert scans(agent, lambda: open_often(path, 2), 2) == 1
    before = gated.gate(agent, "cache.steady")

    def execute():
        # Denied by us, or by the kernel: it is open to write.
        with pytest.raises(OSError):
            os.posix_spawn(path, [str(path)], {})

    assert scans(agent, execute, 1) >= 1
    assert gated.gate(agent, "cache.steady") == before


def test_change_through_a_mapping_is_found_at_the_close(agent, held):
    """Whose first change is older than the scan: the next one has no sign."""
    path, writer = held
    at = slice(SIZE // 2, SIZE // 2 + len(gated.MARKER))
    with mmap.mmap(writer.fileno(), SIZE) as mapped:
        mapped[at] = b"-" * len(gated.MARKER)
        rest(path)
        open_often(path, 2)
        mapped[at] = gated.MARKER.encode()
    writer.close()
    wait_for(lambda: agent.found(path),
        "the detection")
