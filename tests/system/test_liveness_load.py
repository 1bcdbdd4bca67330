# SPDX-License-Identifier: GPL-2.0-or-later
"""Under load from several users, whatever of the agent stands still or dies:
nobody waits longer than is promised, no clean file is refused, and the agent
protects again without help."""

import itertools
import os
import signal
import time

import pytest

import gated
import load
from agent import wait_for

# What stands still is noticed in 2 s (gate, scanner) or 10 s.
WATCHDOG_S = 4


@pytest.fixture
def ground():
    ground = gated.Ground()
    yield ground
    ground.close()


@pytest.fixture
def asking(request, ground, tmp_path_factory):
    """asking(**conf) -> a started agent that asks on the ground's mount."""
    made = request.node.agents = []

    def make(**conf):
        conf.setdefault("gate_deadline_ms", load.DEADLINE_MS)
        agent = gated.make(tmp_path_factory.mktemp("khien"), ground, **conf)
        made.append(agent)
        return gated.start(agent)

    yield make
    for agent in made:
        agent.close()


VICTIMS = ("gate", "scan", "engine", "sensor", "daemon")
SETS = [*itertools.combinations(VICTIMS, 1), *itertools.combinations(VICTIMS, 2)]
# Both of them stopped is what the service manager's watchdog is for.
CASES = [(number, victims)
         for number in (signal.SIGSTOP, signal.SIGKILL) for victims in SETS
         if (number, victims) != (signal.SIGSTOP, ("gate", "daemon"))]


def restart(agent):
    """What the service manager does."""
    agent.child.kill()
    agent.child.wait()
    return gated.start(agent)


@pytest.mark.slow(120)
@pytest.mark.parametrize("number, victims", CASES, ids=lambda v: v.name
                         if isinstance(v, signal.Signals) else "-".join(v))
def test_signal(ground, asking, tool, number, victims):
    agent = asking()
    with load.storm(tool, ground, f"{number.name} {'+'.join(victims)}"):
        pids = [p for v in victims for p in load.pids_of(agent, v)]
        for pid in pids:
            os.kill(pid, number)
        if "daemon" in victims:
            if number == signal.SIGSTOP:
                time.sleep(WATCHDOG_S)
            restart(agent)
        load.recovers(agent, ground, pids)
