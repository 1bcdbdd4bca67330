# SPDX-License-Identifier: GPL-2.0-or-later
"""A private agent for each test: its own folders, its own mount to watch."""

import os
import pathlib
import resource
import signal

import pytest

import gated
from agent import BUILD, Agent
from load import DEADLINE_MS

TEST_S = 180  # of one test; slow ones say more: @pytest.mark.slow(seconds)


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "slow(seconds): left out of check-fast; its own limit")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    """A test that hangs fails instead."""
    mark = item.get_closest_marker("slow")
    limit_s = mark.args[0] if mark and mark.args else TEST_S

    def on_alarm(_number, _frame):
        raise TimeoutError(f"the test took more than {limit_s} s")

    before = signal.signal(signal.SIGALRM, on_alarm)
    signal.alarm(limit_s)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Shows the agent's log beside a failure."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for agent in getattr(item, "agents", []):
            report.sections.append(("agent's log", agent.log()[-6000:]))


def pytest_terminal_summary(terminalreporter):
    """What it took of a processor, with all that it started."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF,
                                                resource.RUSAGE_CHILDREN)]
    seconds = sum(one.ru_utime + one.ru_stime for one in used)
    terminalreporter.write_line(f"processor: {seconds:.0f} s")


@pytest.fixture
def make_agent(request, tmp_path_factory):
    """make_agent(**how) -> a started Agent; all are stopped at the end."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    if not (BUILD / "khiend").exists():
        pytest.fail(f"{BUILD}/khiend is not built")
    made = request.node.agents = []

    def make(start=True, **how):
        agent = Agent(tmp_path_factory.mktemp("khien"), **how)
        made.append(agent)
        if start:
            agent.start()
        return agent

    yield make
    for agent in made:
        agent.close()


@pytest.fixture
def agent(make_agent):
    return make_agent()


@pytest.fixture
def ground():
    """A mount of the test's own, for an agent that asks."""
    ground = gated.Ground()
    yield ground
    ground.close()


@pytest.fixture
def asking(request, ground, tmp_path_factory):
    """asking(**conf) -> a started agent that asks on the ground's mount."""
    made = request.node.agents = []

    def make(**conf):
        conf.setdefault("gate_deadline_ms", DEADLINE_MS)
        agent = gated.make(tmp_path_factory.mktemp("khien"), ground, **conf)
        made.append(agent)
        return gated.start(agent)

    yield make
    for agent in made:
        agent.close()


@pytest.fixture
def tool():
    """tool(name) -> the path of one of our small programs."""

    def find(name):
        root = pathlib.Path(__file__).resolve().parents[2]
        for folder in ("system", "triggers", "bench"):
            path = root / "build/tests" / folder / name
            if path.exists():
                return str(path)
        raise FileNotFoundError(name)

    return find
