# SPDX-License-Identifier: GPL-2.0-or-later
"""What each sensor costs by itself: it alone on, against no agent at all, in
turns; and all of them together.  The gate is off."""

import pathlib
import socket
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

SENSORS = ("process", "file", "network", "privilege")
FILES = 20000
CONNECTIONS = 4000
BOUNDS = {("all", "exec"): 1.05, ("all", "opens"): 1.35}


class Loads:
    """Programs, small files, connections; each returns seconds."""

    def __init__(self, bench):
        self.work = Work(bench.place, bench.storm)
        self.opener = ROOT / "build/tests/bench/open-each"
        self.files = bench.place / "small"
        self.files.mkdir()
        self._each("write")

    def _each(self, *how):
        done = subprocess.run([self.opener, f"{self.files}/f-", str(FILES),
                               *how], check=True, capture_output=True)
        return float(done.stdout)

    def exec(self):
        return self.work.exec_storm()

    def opens(self):
        return self._each()

    @staticmethod
    def connections():
        """Each is made, accepted and ended on both sides."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            started = time.monotonic()
            for _ in range(CONNECTIONS):
                with socket.create_connection(server.getsockname()):
                    server.accept()[0].close()
            return time.monotonic() - started


def _agent(bench, sensors):
    conf = {"gate.mode": "off", "agent.proof_s": "0"}
    for name in SENSORS:
        conf[f"sensor.{name}"] = "on" if name in sensors else "off"
    folder = tempfile.mkdtemp(prefix="bench-", dir=bench.build)
    return agents.Agent(folder, conf=conf, watch=False)


def _one(bench, loads, name, sensors, rows):
    ratios = {load: [] for load in ("exec", "opens", "connections")}
    controls = {load: [] for load in ratios}
    agent = _agent(bench, sensors)
    try:
        for _ in range(bench.rounds):
            took = {}
            for block in ("off", "on", "again"):
                if block == "on":
                    agent.start()
                for load in ratios:
                    took[load, block] = getattr(loads, load)()
                if block == "on":
                    agent.stop()
            for load in ratios:
                ratios[load].append(2 * took[load, "on"] / (
                    took[load, "off"] + took[load, "again"]))
                controls[load].append(took[load, "again"]
                                      / took[load, "off"])
    finally:
        agent.close()
    for load, values in ratios.items():
        rows.add(f"sensor.{name}.{load}", statistics.median(values), "ratio",
                 BOUNDS.get((name, load)),
                 max(median_noise(values), median_noise(controls[load])))


def measure(bench, rows):
    loads = Loads(bench)
    for load in ("exec", "opens", "connections"):
        getattr(loads, load)()  # warms caches
    for name in SENSORS:
        _one(bench, loads, name, {name}, rows)
    _one(bench, loads, "all", set(SENSORS), rows)
