# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures as they are printed, and what of them is noise."""

import statistics


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

    @staticmethod
    def skip(name, why):
        print(f"{name:<28} {'skipped':>10}: {why}", flush=True)

    def all_held(self):
        return all(row["held"] is not False for row in self.rows)


def median_noise(values):
    """How far the median of as many values may be off, at 95 %."""
    if len(values) < 2:
        return 1.0
    spread = statistics.stdev(values)
    return 1.96 * 1.253 * spread / len(values) ** 0.5


class Series:
    """What the same work took with the agent and without, in turns."""

    def __init__(self):
        self.off, self.on, self.cpu_off, self.cpu_on = [], [], [], []

    def add(self, on, took, cpu):
        (self.on if on else self.off).append(took)
        (self.cpu_on if on else self.cpu_off).append(cpu)

    def controls(self):
        """Each one without the agent by the one before it."""
        return [b / a for a, b in zip(self.off, self.off[1:])]

    def tell(self, rows, name, bound=None):
        """The ratio of each pair, and the processor time beside it."""
        pairs = [on / off for on, off in zip(self.on, self.off)]
        rows.add(name, statistics.median(pairs), "ratio", bound,
                 max(median_noise(pairs), median_noise(self.controls())))
        if sum(self.cpu_off):
            rows.add(f"{name}.cpu", sum(self.cpu_on) / sum(self.cpu_off),
                     "ratio")

    def tell_added(self, rows, name, count, bound=None):
        """Microseconds more for each of `count`."""
        pairs = [(on - off) / count * 1e6
                 for on, off in zip(self.on, self.off)]
        rows.add(name, statistics.median(pairs), "us", bound,
                 median_noise(pairs))


def percentile(values, percent):
    """The smallest that as many per cent are not above."""
    ordered = sorted(values)
    at = -(-len(ordered) * percent // 100) - 1
    return ordered[max(at, 0)]
