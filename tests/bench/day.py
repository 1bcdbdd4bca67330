# SPDX-License-Identifier: GPL-2.0-or-later
"""What a quiet machine and an ordinary day cost: processor time, events, and
alerts, of which there are to be none."""

import os
import subprocess
import time

from loads import Work
from watched import cpu_of, new_agent, pids_of

IDLE_S = int(os.environ.get("BENCH_IDLE_S", "600"))
EVENTS = "SELECT sum(n) FROM (" + " UNION ALL ".join(
    f"SELECT count(*) n FROM {table}"
    for table in ("process", "file", "network", "privilege")) + ")"
ALERTS = "SELECT count(*) FROM detection WHERE severity >= 3"


def _apt_update(place):
    """Lists of its own: the machine's stay as they are."""
    lists, cache = place / "lists", place / "cache"
    for folder in (lists / "partial", cache / "archives/partial"):
        folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["apt-get", "update", "-qq", "-o", f"Dir::State::lists={lists}",
         "-o", f"Dir::Cache={cache}"], check=False,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return done.returncode == 0


def _told(agent):
    agent.settle()
    return agent.count(EVENTS), cpu_of(pids_of(agent)), time.monotonic()


def _measure(agent, rows, name, act):
    before = _told(agent)
    if act() is False:
        rows.skip(f"day.{name}", "it failed by itself: no network?")
        return
    events, cpu, ended = _told(agent)
    events -= before[0]
    seconds = ended - before[2]
    rows.add(f"day.{name}.events", events / seconds, "1/s")
    rows.add(f"day.{name}.cpu", (cpu - before[1]) / seconds * 100, "%")
    if events:
        rows.add(f"day.{name}.cpu_per_1000",
                 (cpu - before[1]) / events * 1e6, "ms")


def measure(bench, rows):
    work = Work(bench.place, bench.storm)
    agent = new_agent(bench.build)
    try:
        agent.start()
        time.sleep(5)
        _measure(agent, rows, "idle", lambda: time.sleep(IDLE_S))
        _measure(agent, rows, "c_build", work.c_build)
        _measure(agent, rows, "untar", work.untar)
        _measure(agent, rows, "apt_update",
                 lambda: _apt_update(bench.place))
        rows.add("day.alerts", agent.count(ALERTS), "alerts", 0)
    finally:
        agent.close()
