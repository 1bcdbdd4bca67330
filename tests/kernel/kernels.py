#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots the kernels that are supported, runs every trigger under the whole
agent in each, and prints a table: kernel x capability.

Then, in one more guest, machines that lack what the agent would like: lacks.py.

Ends with a line `  cells: N ok, N failed`; `  kernels: skipped: REASON` when
nothing could be run.  Consoles and logs stay in build/kernels/SERIES.run.
"""

import argparse
import collections
import concurrent.futures
import os
import pathlib
import shutil
import sys
import time

import image
import lacks
import machine
import packages
import table
from table import expected

AT_ONCE = 2
LACKS_ON = "6.12"
# Not by itself one of the security modules in Debian 11.
APPEND = {"5.10": "lsm=lockdown,yama,apparmor,bpf"}
CTL = ("/khien/khienctl", "--socket", "/run/khien/status.sock", "--json")
CONTROL = ("/khien/khienctl", "--socket", "/run/khien/control.sock", "--json")
START = [
    ["start", "/khien/khiend", "--config", "/khien.conf", "--programs",
     "/khien"],
    ["until", "150", '"programs":{', *CTL, "status"],
    ["run", "status", *CTL, "status"],
    ["run", "turn-off", *CONTROL, "guard", "off", "--for", "1h"],
]
ENFORCE = [
    ["run", "turn-back", *CONTROL, "guard", "off", "--for", "1h"],
    ["move", "/enforce.conf", "/khien.conf"],
    ["run", "reload", *CONTROL, "reload"],
    ["until", "60", '"mode":"enforce"', *CTL, "status"],
]
END = [
    ["run", "turn-end", *CONTROL, "guard", "off", "--for", "1h"],
    ["settle", *CTL, "events", "--type", "exit", "--since", "1h", "--pid"],
    ["run", "events", *CTL, "events", "--since", "1h", "--limit", "100000"],
    ["run", "end-status", *CTL, "status"],
    ["stop"],
    ["file", "log", "/tmp/log"],
]


def places_of(case, number):
    """On which file systems: a trigger's first case on each of them, the
    others in turn."""
    if not any("$folder" in a for a in case.args):
        return {"": "/w"}
    places = {"tmpfs": "/w", "ext4": "/e"}
    if number == 0:
        return places
    return dict([list(places.items())[number % len(places)]])


def runs_of(case, number, kernel):
    """(name, known, words of the plan); `number` among its trigger's cases."""
    for place, folder in places_of(case, number).items():
        name = f"{case.id}@{place}".rstrip("@").replace(" ", "_")
        known = {"folder": f"{folder}/{name}", "true": image.TRUE,
                 "program": f"/triggers/{case.name}",
                 "modules": f"/modules/{kernel}"}
        command = case.command(known["program"], **known)
        yield name, known, ["case", name, known["folder"], *command]


def in_order(cases, runs):
    """Words of the plan: those that are run without the guard come first, and
    last those for which the gate enforces."""
    guarded = [case for case in cases if case.guard]
    enforced = [case for case in cases if case.mode]
    for case in cases:
        if not case.guard and not case.mode:
            yield from (words for _, _, words in runs[case.id])
    if guarded:
        yield ["run", "turn-on", *CONTROL, "guard", "on"]
    for case in guarded:
        yield from (words for _, _, words in runs[case.id])
    if enforced:
        yield from ENFORCE
    for case in enforced:
        yield from (words for _, _, words in runs[case.id])


def boot(series, cases, files, disk, init):
    """Returns the kernel's column."""
    column = table.Column(series)
    folder = files.parent / f"{series}.run"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    seen = collections.Counter()
    runs = {}
    for case in cases:
        runs[case.id] = list(runs_of(case, seen[case.name], series))
        seen[case.name] += 1
    plan = [*START, *in_order(cases, runs), *END]
    image.initramfs(folder / "initramfs", init, plan)
    began = time.monotonic()
    guest = machine.Machine(folder, files / "vmlinuz", folder / "initramfs",
                            disk, APPEND.get(series, ""))
    try:
        results, why = guest.wait()
    finally:
        guest.close()
    told = table.Told(results)
    for name in ("log", "status", "events", "end-status"):
        if name in told.results:
            (folder / name).write_bytes(told.results[name].output)
    times = [f"{name} {told.results[name].at_ms / 1000:.1f}"
             for name in ("until", "status", "settle", "stop")
             if name in told.results]
    print(f"  Linux {series}: {(files / 'package').read_text().strip()}, "
          f"{time.monotonic() - began:.1f} s ({', '.join(times)})", flush=True)
    if told.restarts():
        print(f"    restarts: {told.restarts()}")
    table.judge_agent(column, told, why, guest.tail())
    table.judge_programs(column, told, cases)
    for case in cases:
        table.judge_case(column, told, case,
                         [(name, known) for name, known, _ in runs[case.id]])
    return column


def fetch(folder, kernels):
    """By series: (folder of that kernel, whether it had to be fetched)."""
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    found = {series: packages.kernel(series, folder) for series in kernels}
    if any(fetched for _, fetched in found.values()):
        print(f"  cold cache: kernels fetched in "
              f"{time.monotonic() - began:.1f} s", flush=True)
    return found


def run(build, kernels, cases, lacking):
    """The columns of the kernels, and what lacks.boot() returns for each series
    of `lacking`."""
    folder = build / "kernels"
    found = fetch(folder, dict.fromkeys([*kernels, *lacking]))
    disk = image.disk(build, folder, {series: path / "modules"
                                      for series, (path, _) in found.items()},
                      lacks.files())
    init = build / "tests/kernel/init"
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        columns = [pool.submit(boot, series, cases, found[series][0], disk,
                               init) for series in kernels]
        guests = [pool.submit(lacks.boot, series, found[series][0], disk, init)
                  for series in lacking]
        return ([future.result() for future in columns],
                [future.result() for future in guests])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build", type=pathlib.Path)
    parser.add_argument("--kernels", default="", help="some of them only")
    parser.add_argument("--triggers", default="", help="some of them only")
    parser.add_argument("--fetch", action="store_true",
                        help="only fetch what is not there yet")
    args = parser.parse_args()
    kernels = args.kernels.split() or list(packages.SUITES)
    wanted = args.triggers.split()
    lacking = [] if wanted and "lacks" not in wanted else \
        [series for series in kernels if series == LACKS_ON]
    if wanted == ["lacks"]:
        kernels = []
    cases = [case for case in expected.load()
             if not wanted or case.name in wanted]
    if os.uname().machine != "x86_64":
        print("  kernels: skipped: machine: the kernels are x86-64 ones")
        return 0
    try:
        if args.fetch:
            fetch(args.build.resolve() / "kernels", kernels)
            return 0
        columns, guests = run(args.build.resolve(), kernels, cases, lacking)
    except packages.Missing as missing:
        print(f"  kernels: skipped: {missing}")
        return 0
    table.even_out(columns)
    passed, failed = table.show(columns) if columns else (0, 0)
    for lines, good, bad in guests:
        print("\n".join(lines))
        passed, failed = passed + good, failed + bad
    print(f"  cells: {passed} ok, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
