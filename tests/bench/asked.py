# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent that asks, on a mount of our own: the gate alone, and with all
sensors.  And the least that a gate can be, which shows what asking costs."""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/system"))
import agent as agents  # noqa: E402
import gated  # noqa: E402
from figures import Series, percentile  # noqa: E402
from ground import Ground  # noqa: E402
from loads import Inside, Opens, children_cpu  # noqa: E402
from sensors import SENSORS  # noqa: E402
from watched import cpu_of, pids_of  # noqa: E402

REPEATS = 3          # of each load while the agent stays as it is
OPENS = 100000
OPEN_ROUNDS = 3
AGAIN = 8            # passes that are not the first, of each round
QUIET_S = 0.4        # for so long it did next to nothing, or
QUIET_CPU_S = 0.02
QUIET_LIMIT_S = 10   # all that is waited for that
UNKNOWN = 300        # programs that nobody has seen
UNKNOWN_SIZE = 1 << 20
LIBRARY = pathlib.Path("/usr/lib", f"{os.uname().machine}-linux-gnu",
                       "libcrypto.so.3")  # the agent needs it: it is there
KINDS = {"gate": "off", "all": "on"}
BOUNDS = {
    "gate": {"exec_system": 1.02, "open_again": 1.10, "exec_user": 30,
             "c_build": 1.05},
    "all": {"exec_system": 1.05, "open_again": 1.35, "c_build": 1.05,
            "unknown_p99": 20},
}


class Khien:
    """The agent; on() and off() in turns."""

    def __init__(self, bench, ground, sensors):
        folder = tempfile.mkdtemp(prefix="bench-", dir=bench.build)
        self.agent = agents.Agent(folder, watch=False)
        self.agent.mount = ground.mount
        self.agent.conf.update({
            "gate.watch": ground.mount, "gate.mode": "enforce",
            "gate.scope_cgroup": ground.scope})
        self.agent.conf.update(
            {f"sensor.{name}": sensors for name in SENSORS})
        self.agent.write_conf()

    def on(self):
        gated.start(self.agent)

    def off(self):
        self.agent.stop()

    def cpu(self):
        """Seconds that its processes had, once nothing waits for them: what
        one load left behind to be scanned would else slow the next."""
        pids = pids_of(self.agent)
        now, before = cpu_of(pids), 0.0
        end = time.monotonic() + QUIET_LIMIT_S
        while now - before > QUIET_CPU_S and time.monotonic() < end:
            time.sleep(QUIET_S)
            now, before = cpu_of(pids), now
        return now

    def close(self):
        self.agent.close()


def measure_load(load, series, guard, repeats):
    """A load a few times; with a guard it is on."""
    before = guard.cpu() if guard else 0
    began = children_cpu()
    took = [load() for _ in range(repeats)]
    cpu = children_cpu() - began
    if guard:
        cpu += guard.cpu() - before
    for one in took:
        series.add(bool(guard), one, cpu / repeats)


def measure_block(loads, series, guard, repeats):
    """Each load a few times; with a guard its caches are warm."""
    if guard:
        for load in loads.values():
            load()
    for name, load in loads.items():
        measure_load(load, series[name], guard, repeats)


def measure_pairs(guard, loads, rounds, repeats=REPEATS):
    """Blocks with the guard and without, in turns: {name: Series}."""
    series = {name: Series() for name in loads}
    try:
        for load in loads.values():
            load()
        for number in range(rounds):
            for on in (number % 2 == 0, number % 2 == 1):
                if on:
                    guard.on()
                measure_block(loads, series, guard if on else None, repeats)
                if on:
                    guard.off()
    finally:
        guard.close()
    return series


def measure(bench, rows, kind):
    ground = Ground()
    try:
        work = Inside(ground)
        loads = {"exec_system": work.exec_system, "exec_user": work.exec_user,
                 "untar": work.untar, "c_build": work.c_build}
        series = measure_pairs(Khien(bench, ground, KINDS[kind]), loads,
                               bench.rounds)
    finally:
        ground.close()
    bounds = BOUNDS[kind]
    for name in ("exec_system", "untar", "c_build"):
        series[name].tell(rows, f"{kind}.{name}", bounds.get(name))
    series["exec_user"].tell_added(rows, f"{kind}.exec_user_added",
                                   work.execs_user, bounds.get("exec_user"))


def measure_opens(guards, opens, rounds):
    """{name: (first, again)}: in each round each guard starts and knows
    nothing, and before each there is a turn without one."""
    series = {name: (Series(), Series()) for name in guards}
    try:
        opens.opens()
        for _ in range(rounds):
            for name, guard in guards.items():
                first, again = series[name]
                for on in (None, guard):
                    if on:
                        on.on()
                    measure_load(opens.opens, first, on, 1)
                    measure_load(opens.opens, again, on, AGAIN)
                    if on:
                        on.off()
    finally:
        for guard in guards.values():
            guard.close()
    return series


def tell_opens(rows, kind, opens, both, bound=None):
    first, again = both
    rows.add(f"{kind}.open_off", first.off[-1] / opens.count * 1e6, "us")
    first.tell_added(rows, f"{kind}.open_first_added", opens.count)
    first.tell(rows, f"{kind}.open_first")
    again.tell_added(rows, f"{kind}.open_again_added", opens.count)
    again.tell(rows, f"{kind}.open_again", bound)


def opens(bench, rows):
    """Beside the agent, with and without its sensors, what the kernel takes
    from the least of all gates for the same marks."""
    ground = Ground()
    try:
        work = Opens(ground, OPENS)
        guards = {kind: Khien(bench, ground, sensors)
                  for kind, sensors in KINDS.items()}
        series = measure_opens({"least": Least(ground, "ignore"), **guards},
                               work, OPEN_ROUNDS)
    finally:
        ground.close()
    for kind, both in series.items():
        tell_opens(rows, kind, work, both,
                   BOUNDS.get(kind, {}).get("open_again"))
    by_least = Series()
    by_least.off, by_least.on = (series[kind][1].on
                                 for kind in ("least", "gate"))
    by_least.tell(rows, "gate.open_again_by_least")


def make_unknown(folder, count):
    """Programs of 1 MiB, each of other bytes of a real one: of a library of
    numbers, as one of names is what rules look for."""
    head = pathlib.Path("/bin/true").read_bytes()
    body = LIBRARY.read_bytes()
    for number in range(count):
        at = number * 4096 % (len(body) - UNKNOWN_SIZE)
        content = head + body[at:at + UNKNOWN_SIZE - len(head) - 16]
        path = folder / f"unknown-{number}"
        path.write_bytes(content + os.urandom(16))
        path.chmod(0o755)
        os.chown(path, gated.NOBODY, gated.NOBODY)


def time_unknown(ground, count):
    done = ground.run("/bench/exec-each", "/yard/unknown-", count,
                      stdout=subprocess.PIPE)
    return [float(line) / 1000 for line in done.stdout.split()]


def unknown(bench, rows):
    ground = Ground()
    guard = Khien(bench, ground, "on")
    try:
        make_unknown(ground.root / "yard", UNKNOWN)
        off = time_unknown(ground, UNKNOWN)
        guard.on()
        on = time_unknown(ground, UNKNOWN)
    finally:
        guard.close()
        ground.close()
    rows.add("unknown_off_p50", percentile(off, 50), "ms")
    for percent, bound in ((50, None), (99, BOUNDS["all"]["unknown_p99"])):
        rows.add(f"unknown_p{percent}", percentile(on, percent), "ms", bound)
    rows.add("unknown_max", max(on), "ms")


class Least:
    """tests/bench/ask.c: says yes to everything."""

    def __init__(self, ground, mode):
        self.ground, self.mode = ground, mode
        self.child = None

    def on(self):
        self.child = subprocess.Popen(
            [ROOT / "build/tests/bench/ask", self.ground.mount, self.mode],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.child.stdout.readline() == b"ready\n", "ask has no marks"

    def off(self):
        self.child.stdin.close()
        self.child.wait()
        self.child.stdout.close()
        self.child = None

    def cpu(self):
        return cpu_of([self.child.pid])

    def close(self):
        if self.child:
            self.child.kill()
            self.child.wait()


def choice(bench, rows):
    """What asking costs by itself: executions alone, all opens, and opens
    that are made known to the kernel after the first."""
    ground = Ground()
    try:
        work = Inside(ground)
        small = Opens(ground, OPENS)
        for mode in ("exec", "opens", "ignore"):
            series = measure_pairs(Least(ground, mode),
                                   {"exec_system": work.exec_system,
                                    "c_build": work.c_build}, bench.rounds)
            for name, one in series.items():
                one.tell(rows, f"least_{mode}.{name}")
            series = measure_opens({mode: Least(ground, mode)}, small,
                                   OPEN_ROUNDS)
            tell_opens(rows, f"least_{mode}", small, series[mode])
    finally:
        ground.close()

