# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent as it is installed: it watches the whole machine, asks nothing."""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/system"))
import agent as agents  # noqa: E402
from figures import median_noise  # noqa: E402
from loads import Work  # noqa: E402

LAST_STORM = 20000   # execs after which losses are counted
BOUNDS = {"exec_storm": 1.05, "untar": 1.35, "c_build": 1.05}


def memory_mib(agent):
    """Private dirty and anonymous memory of all processes of the agent."""
    total = 0
    for pid in pids_of(agent):
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        fields = dict(line.split(":", 1) for line in text.splitlines()[1:])
        kib = {k: int(v.split()[0]) for k, v in fields.items()}
        # As the budget says.  Most pages are both, so this is an upper bound.
        total += kib["Private_Dirty"] + kib["Pss_Anon"]
    return total / 1024


def pids_of(agent):
    return {p["pid"] for p in agent.processes() if p.get("pid")} | {
        agent.child.pid}


def cpu_of(pids):
    """Processor seconds that these processes had so far."""
    total = 0
    for pid in pids:
        text = pathlib.Path(f"/proc/{pid}/schedstat").read_text()
        total += int(text.split()[0])
    return total / 1e9


def new_agent(build):
    folder = tempfile.mkdtemp(prefix="bench-", dir=build)
    # As deployed: every local file system is watched.
    return agents.Agent(folder, conf={"gate.watch": ""}, watch=False)


def measure(bench, rows):
    """Interleaved blocks; adds rows."""
    work = Work(bench.place, bench.storm)
    loads = {"exec_storm": work.exec_storm, "untar": work.untar,
             "c_build": work.c_build}
    ratios = {name: [] for name in loads}
    controls = {name: [] for name in loads}
    agent = new_agent(bench.build)
    starts, memory = [], 0.0
    try:
        for load in loads.values():
            load()  # warms caches
        for number in range(bench.rounds):
            took = {}
            order = ["off", "on", "again"]
            if number % 2:
                order.reverse()
            for block in order:
                if block == "on":
                    agent.start()
                    starts.append(agent.start_s)
                    time.sleep(0.5)
                for name, load in loads.items():
                    took[name, block] = load()
                if block == "on":
                    memory = max(memory, memory_mib(agent))
                    agent.stop()
            for name in loads:
                ratios[name].append(took[name, "on"] / (
                    (took[name, "off"] + took[name, "again"]) / 2))
                controls[name].append(took[name, "again"]
                                      / took[name, "off"])
    finally:
        agent.close()
    for name in loads:
        noise = median_noise(controls[name]) + \
            abs(statistics.median(controls[name]) - 1)
        rows.add(f"{name}.control", statistics.median(controls[name]),
                 "off/off", None, median_noise(controls[name]))
        rows.add(name, statistics.median(ratios[name]), "ratio",
                 BOUNDS[name], max(noise, median_noise(ratios[name])))
    rows.add("start_to_ready", statistics.median(starts), "s", 3.0)
    rows.add("memory_at_work", memory, "MiB", 64)


def measure_losses(bench, rows):
    work = Work(bench.place, bench.storm)
    agent = new_agent(bench.build)
    try:
        agent.start()
        time.sleep(2)
        rows.add("memory_at_rest", memory_mib(agent), "MiB", 64)
        tag = f"bench-{time.time_ns()}"
        before = cpu_of(pids_of(agent))
        started = time.monotonic()
        subprocess.run([work.storm, str(LAST_STORM), str(os.cpu_count()),
                        tag], check=True)
        rate = LAST_STORM / (time.monotonic() - started)
        rows.add("exec_rate_under_agent", rate, "1/s")
        agent.settle()
        rows.add("agent_cpu_per_exec", (cpu_of(pids_of(agent)) - before)
                 / LAST_STORM * 1e6, "us")
        work.untar()
        agent.settle()
        time.sleep(1.5)
        stored = agent.execs_of_true(tag)
        rows.add("execs_not_stored", LAST_STORM - stored, "events", 0)
        rows.add("lost.critical", agent.lost("critical"), "events", 0)
        rows.add("lost.bulk", agent.lost("bulk"), "events")
        rows.add("lost.agent", agent.lost("agent"), "events", 0)
        rows.add("memory_after_storm", memory_mib(agent), "MiB", 64)
        path = agent.folder / "eicar"
        started = time.monotonic()
        path.write_bytes(agents.EICAR)
        agents.wait_for(lambda: agent.count(
            f"SELECT count(*) FROM detection WHERE path='{path}'"),
            "the detection", pause_s=0.01)
        rows.add("write_to_detection", time.monotonic() - started, "s", 2.0)
    finally:
        agent.close()
