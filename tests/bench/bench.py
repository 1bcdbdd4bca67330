#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures the agent against a run without it, in the same call.

Prints a row a figure (name, value, unit, bound, held or not) and writes
build/bench.json.  A ratio is the median over pairs of (time with the agent /
time without it), taken in turns; beside it stands the noise: how far that
median may be off by what the pairs, and the runs without the agent, scatter.
A bound is missed when it is exceeded by more than the noise; then the exit
code is 1.

Parts:
  watched  the agent as it is installed, on the whole machine
  losses   memory, and what is lost at the highest rate of execs
  day      a quiet machine (BENCH_IDLE_S, 600 s), a build, an untar, apt
  sensors  each sensor by itself, and all of them
  gate     enforce mode on a mount of our own, no sensors
  all      the same with all sensors
  opens    100,000 small files in enforce mode, without and with sensors
  unknown  executing programs that were never seen
  choice   what asking costs by itself, with a program that allows everything
  update   a release of 1,000 rules, and one rule changed
  clam     the rows of `gate` for clamd and clamonacc, where installed
"""

import argparse
import json
import os
import pathlib
import platform
import shutil
import sys
import tempfile

import asked
import clam
import day
import sensors
import updates
import watched
from figures import Rows

ROOT = pathlib.Path(__file__).resolve().parents[2]
PARTS = {
    "watched": watched.measure,
    "losses": watched.measure_losses,
    "day": day.measure,
    "sensors": sensors.measure,
    "gate": lambda bench, rows: asked.measure(bench, rows, "gate"),
    "all": lambda bench, rows: asked.measure(bench, rows, "all"),
    "opens": asked.opens,
    "unknown": asked.unknown,
    "choice": asked.choice,
    "update": updates.measure,
    "clam": clam.measure,
}


class Bench:
    """What the parts are given."""

    def __init__(self, build, rounds):
        self.build = build
        self.rounds = rounds
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="bench-work-",
                                                   dir=build))
        self.storm = str(ROOT / "build/tests/system/exec-storm")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--rounds", type=int, default=int(
        os.environ.get("BENCH_ROUNDS", "10")))
    parser.add_argument("parts", nargs="*", metavar="PART",
                        help="default: all")
    args = parser.parse_args()
    unknown = set(args.parts) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {' '.join(sorted(unknown))}; "
                     f"there are {' '.join(PARTS)}")
    if os.geteuid() != 0:
        print("make bench: the agent must be started by root",
              file=sys.stderr)
        return 2
    bench = Bench((ROOT / args.build).resolve(), args.rounds)
    rows = Rows()
    try:
        for part in args.parts or PARTS:
            PARTS[part](bench, rows)
    finally:
        shutil.rmtree(bench.place, ignore_errors=True)
        report = {"kernel": platform.release(), "processors": os.cpu_count(),
                  "rounds": args.rounds, "rows": rows.rows}
        (ROOT / "build/bench.json").write_text(json.dumps(report, indent=1)
                                               + "\n")
    return 0 if rows.all_held() else 1


if __name__ == "__main__":
    sys.exit(main())
