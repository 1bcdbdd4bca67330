#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures the agent against a run without it, in the same call.

Prints a row a figure (name, value, unit, bound, held or not) and writes
build/bench.json.  A ratio is the median over rounds of (time with the agent /
time without it); each round also runs the same work once more without the
agent, and what that control row scatters is the noise.  A bound is missed
when it is exceeded by more than the noise; then the exit code is 1.
"""

import argparse
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/system"))
import agent as agents  # noqa: E402

MIB = 1 << 20
EXECS = 3000         # of one block: about a second
LAST_STORM = 20000   # execs after which losses are counted


class Rows:
    """The figures, printed as they come."""

    def __init__(self):
        self.rows = []
        print(f"{'name':<28} {'value':>10} {'unit':<7} {'bound':>8}  held")

    def add(self, name, value, unit, bound=None, noise=0.0):
        held = None if bound is None else value - noise <= bound
        self.rows.append({"name": name, "value": round(value, 4),
                          "unit": unit, "bound": bound,
                          "noise": round(noise, 4), "held": held})
        word = {None: "-", True: "yes", False: "NO"}[held]
        limit = "-" if bound is None else f"{bound:g}"
        extra = f"  noise {noise:.3f}" if noise else ""
        print(f"{name:<28} {value:>10.3f} {unit:<7} {limit:>8}  {word}{extra}",
              flush=True)

    def all_held(self):
        return all(row["held"] is not False for row in self.rows)


class Work:
    """The three loads; each call returns the seconds it took."""

    def __init__(self, place, storm):
        self.place = place
        self.storm = storm
        self.archive = place / "tree.tar"
        # A real source tree of a few thousand files, which every machine
        # that builds has.
        subprocess.run(["tar", "-C", "/usr/include", "-cf", self.archive,
                        "."], check=True)

    @staticmethod
    def _timed(*command, **options):
        started = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL,
                       **options)
        return time.monotonic() - started

    def exec_storm(self):
        return self._timed(self.storm, str(EXECS), str(os.cpu_count()),
                           "bench")

    def untar(self):
        target = self.place / "out"
        target.mkdir()
        try:
            return self._timed("tar", "-C", str(target), "-xf",
                               str(self.archive))
        finally:
            shutil.rmtree(target)

    def c_build(self):
        sources = sorted(str(p) for p in (ROOT / "agent/lib").glob("*.c"))
        target = self.place / "objects"
        target.mkdir()
        try:
            return self._timed(
                "xargs", "-n", "1", "-P", str(os.cpu_count()), "sh", "-c",
                'gcc -std=gnu17 -O2 -I"$0" -D_GNU_SOURCE -c "$2" '
                '-o "$1/$(basename "$2").o"', str(ROOT), str(target),
                input="\n".join(sources), text=True)
        finally:
            shutil.rmtree(target)


def memory_mib(agent):
    """Private dirty and anonymous memory of all processes of the agent."""
    total = 0
    pids = {p["pid"] for p in agent.processes() if p.get("pid")}
    for pid in pids | {agent.child.pid}:
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        fields = dict(line.split(":", 1) for line in text.splitlines()[1:])
        kib = {k: int(v.split()[0]) for k, v in fields.items()}
        # As the budget says.  Most pages are both, so this is an upper bound.
        total += kib["Private_Dirty"] + kib["Pss_Anon"]
    return total / 1024


def median_noise(values):
    """How far the median of as many values may be off, at 95 %."""
    if len(values) < 2:
        return 1.0
    spread = statistics.stdev(values)
    return 1.96 * 1.253 * spread / len(values) ** 0.5


def new_agent(build):
    folder = tempfile.mkdtemp(prefix="bench-", dir=build)
    # As deployed: every local file system is watched.
    return agents.Agent(folder, conf={"gate.watch": ""}, watch=False)


def measure(build, rounds, work, rows):
    """Interleaved blocks; returns nothing, adds rows."""
    loads = {"exec_storm": work.exec_storm, "untar": work.untar,
             "c_build": work.c_build}
    bounds = {"exec_storm": 1.05, "untar": 1.35, "c_build": 1.05}
    ratios = {name: [] for name in loads}
    controls = {name: [] for name in loads}
    agent = new_agent(build)
    starts, memory = [], 0.0
    try:
        for load in loads.values():
            load()  # warms caches
        for number in range(rounds):
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
                 bounds[name], max(noise, median_noise(ratios[name])))
    rows.add("start_to_ready", statistics.median(starts), "s", 3.0)
    rows.add("memory_at_work", memory, "MiB", 64)


def measure_losses(build, work, rows):
    agent = new_agent(build)
    try:
        agent.start()
        time.sleep(2)
        rows.add("memory_at_rest", memory_mib(agent), "MiB", 64)
        tag = f"bench-{time.time_ns()}"
        started = time.monotonic()
        subprocess.run([work.storm, str(LAST_STORM), str(os.cpu_count()),
                        tag], check=True)
        rate = LAST_STORM / (time.monotonic() - started)
        rows.add("exec_rate_under_agent", rate, "1/s")
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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--rounds", type=int, default=int(
        os.environ.get("BENCH_ROUNDS", "10")))
    args = parser.parse_args()
    if os.geteuid() != 0:
        print("make bench: the agent must be started by root",
              file=sys.stderr)
        return 2
    build = (ROOT / args.build).resolve()
    place = pathlib.Path(tempfile.mkdtemp(prefix="bench-work-", dir=build))
    rows = Rows()
    try:
        work = Work(place, str(ROOT / "build/tests/system/exec-storm"))
        measure(build, args.rounds, work, rows)
        measure_losses(build, work, rows)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    report = {"kernel": platform.release(), "processors": os.cpu_count(),
              "rounds": args.rounds, "rows": rows.rows}
    (ROOT / "build/bench.json").write_text(json.dumps(report, indent=1)
                                           + "\n")
    return 0 if rows.all_held() else 1


if __name__ == "__main__":
    sys.exit(main())
