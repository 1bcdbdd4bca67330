# SPDX-License-Identifier: GPL-2.0-or-later
"""So many at once that a processor is what they wait for: nobody waits longer
than is promised, and nobody's flood is another's wait."""

import os
import signal
import subprocess
import time

import pytest

import gated
import load
from agent import wait_for


@pytest.mark.slow(120)
@pytest.mark.parametrize("judged", [True, False], ids=["scanned", "expired"])
def test_ten_thousand_at_once(ground, asking, tool, judged):
    """Each a file that nobody saw before; what the machine itself needs for
    so many processes is measured first, and not ours."""
    path = load.files(ground, 10000, ground.good)
    ends, alone_ms = load.exec_many(tool, 10000, path)
    assert ends == {0: 10000}
    agent = asking()
    before = [load.pids_of(agent, role) for role in ("gate", "mounts")]
    path = load.files(ground, 10000, ground.good)
    stopped = [] if judged else load.pids_of(agent, "scan")
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    ends, longest_ms = load.exec_many(tool, 10000, path)
    wait_for(lambda: gated.gate(agent, "questions.asked") >= 20000,
             "all answers are counted")
    load.note(f"ten thousand: ms {longest_ms}, without the agent {alone_ms}, "
              f"gate's {gated.gate(agent, 'wait_us.max') / 1000:.0f}")
    assert ends == {0: 10000}
    assert longest_ms < load.BOUND_MS + alone_ms
    assert gated.gate(agent, "wait_us.max") / 1000 < load.BOUND_MS
    # Neither the one that answers nor the one that gets no processor.
    assert [load.pids_of(agent, role) for role in ("gate", "mounts")] == before
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    load.recovers(agent, ground)


@pytest.mark.slow(120)
def test_one_user_beside_a_flood(ground, asking, tool):
    """A thousand new files of one user do not spend another's deadline."""
    path = load.files(ground, 3000, ground.good)
    agent = asking(gate_deadline_ms=5000)
    flood = subprocess.Popen(
        ["setpriv", "--reuid=1000", "--clear-groups", tool("exec-many"),
         "3000", str(path)], stdout=subprocess.DEVNULL)
    waits = []
    while flood.poll() is None:
        mine = ground.mount / f"mine-{len(waits)}"
        mine.write_bytes(ground.good + b"%d" % len(waits))
        mine.chmod(0o755)
        os.chown(mine, 1001, 1001)
        began = time.monotonic()
        subprocess.run(["setpriv", "--reuid=1001", "--clear-groups",
                        str(mine)], check=True)
        waits.append((time.monotonic() - began) * 1000)
    load.note(f"beside a flood: {len(waits)} execs, longest "
              f"{max(waits):.0f} ms")
    assert flood.returncode == 0 and len(waits) > 3
    # Behind the flood it would have been as long as that takes.
    assert max(waits) < 5000 / 2
    assert gated.gate(agent, "questions.deadline") == 0
    load.recovers(agent, ground)


@pytest.mark.slow(120)
def test_full_table(ground, asking, tool):
    """More questions than the gate has descriptors, and no scanner."""
    path = load.files(ground, 1000, ground.good)
    agent = asking(wrapper=["prlimit", "--nofile=300"])
    with load.storm(tool, ground, "full table"):
        pids = load.pids_of(agent, "scan")
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        ends, longest_ms = load.exec_many(tool, 1000, path)
        load.note(f"full table: ms {longest_ms}")
        assert ends == {0: 1000}
        assert longest_ms < load.BOUND_MS
        load.recovers(agent, ground, pids)
    wait_for(lambda: gated.gate(agent, "queue.full") > 0,
             "it is told that the table was full")
    assert gated.gate(agent, "events.unreadable") == 0
