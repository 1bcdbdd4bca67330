#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots Debians that enforce on every file system of their own and prints what
came of each story: `  MACHINE-NAME: ok`, `failed` or `skipped: REASON`, and
facts.

Three machines at once: one is worked with, in another the agent stands still and
is upgraded, in the third root attacks a guarded agent and removes it.
Their consoles and all results stay in build/guest.
"""

import argparse
import concurrent.futures
import pathlib
import re
import sys
import threading
import time

import machine
import root

# Each has a folder of stories; the last is guarded in the end.
MACHINES = ("day", "life", "guard")
GUARDED = "guard"
# A run on a cold cache, an idle machine: four minutes.  This is for hangs.
LIMIT_S = 30 * 60
# From the last story to the machine's end.
OFF_S = 90
# What the kernel or the service manager say of a machine that hangs.
BAD_LINES = re.compile(
    r"blocked for more than|ordering cycle|Kernel panic|self-detected stall|"
    r"soft lockup|khien\.service: State '.*' timed out|"
    r"khien\.service: Failed with result '(?!watchdog|signal)|"
    # But for the one that stories/day/17_apparmor.py tries.
    r'apparmor="DENIED"(?!.*name="/home/worker/refused\.pem")')


# Of the agent's unit, with the kernel's time.
STOPS = re.compile(r"\[ *(\d+\.\d+)\] systemd\[1\]: (Stopping|Stopped) "
                   r"khien\.service")
# How much longer a guarded agent may take to stop with the machine than an
# unguarded one takes at any time.
LONGER_S = 2


def stops_s(console):
    """How long each stop of the agent's unit took."""
    began, took = None, []
    for at, word in STOPS.findall(console):
        if word == "Stopping":
            began = float(at)
        elif began is not None:
            took.append(float(at) - began)
            began = None
    return took


TELLS = threading.Lock()


def say(name, state, why="", facts=(), seconds=None):
    took = f" in {seconds:.1f} s" if seconds is not None else ""
    with TELLS:
        print(f"  {name}: {state}{took}")
        for line in facts:
            print(f"    {line}")
        for line in why.splitlines():
            print(f"    | {line}")
        sys.stdout.flush()
    return state == "failed"


def tell(name, line):
    """One story's; returns whether it failed."""
    if line["state"] == "skipped":
        reason = line["why"].splitlines()[-1] if line["why"] else "by itself"
        return say(name, f"skipped: {reason}")
    return say(name, line["state"], line["why"], line["facts"],
               line["seconds"])


def ending(name, guest, off_s):
    """How the machine stopped, and what its console says of the whole."""
    console = guest.tail(10 ** 6)
    bad = [line for line in console.splitlines() if BAD_LINES.search(line)]
    if off_s > OFF_S:
        bad.append(f"the machine took {off_s:.0f} s to stop")
    facts = []
    if name == GUARDED:
        refused = [line for line in bad if line.endswith("'exit-code'.")]
        if len(refused) == 1:  # the guarded agent's, when its unit is stopped
            bad.remove(refused[0])
        stops = stops_s(console)
        if len(stops) < 2 or stops[-1] > max(stops[:-1]) + LONGER_S:
            bad.append(f"the agent's stops took {stops} s, the last was "
                       "guarded")
        else:
            facts = [f"the guarded agent stopped in {stops[-1]:.1f} s; others "
                     f"took {min(stops[:-1]):.1f} to {max(stops[:-1]):.1f} s"]
    return say(f"{name}-shutdown", "failed" if bad else "ok", "\n".join(bad),
               facts, off_s)


def follow(name, guest):
    """Tells what it hears; returns how many stories failed."""
    plan, heard, failed = None, [], 0
    stopping = None
    for line in guest.follow(LIMIT_S):
        if "plan" in line:
            plan = line["plan"]
        elif "stopping" in line:
            stopping = time.monotonic()
        else:
            heard.append(line["story"])
            failed += tell(f"{name}-{line['story']}", line)
    if plan is None:
        raise AssertionError("the guest did not boot")
    for story in plan[len(heard):]:
        failed += say(f"{name}-{story}", "failed",
                      "the guest ended before it")
    if stopping is None:
        raise AssertionError("the guest ended in the middle")
    return failed + ending(name, guest, time.monotonic() - stopping)


def run_one(name, folder, base, debs):
    """A machine from its making to its end; how much of it failed."""
    kernel, image = base
    began = time.monotonic()
    work = machine.prepare(folder / name, image, debs, name)
    with TELLS:
        print(f"  {name}: agent installed in "
              f"{time.monotonic() - began:.1f} s", flush=True)
    guest = machine.Machine(folder / name, kernel, work)
    try:
        return follow(name, guest)
    except AssertionError as error:
        return say(f"{name}-machine", "failed", f"{error}\n{guest.tail()}")
    finally:
        guest.close()


def run(build, names):
    folder = build / "guest"
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    base = root.base(folder, machine.programs(build))
    debs = machine.packages(folder)
    print(f"  image and packages in {time.monotonic() - began:.1f} s",
          flush=True)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        return sum(pool.map(lambda name: run_one(name, folder, base, debs),
                            names))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build", type=pathlib.Path)
    parser.add_argument("machines", nargs="*", choices=[[], *MACHINES])
    args = parser.parse_args()
    try:
        return 1 if run(args.build.resolve(), args.machines or MACHINES) else 0
    except root.Missing as missing:
        print(f"  guest: skipped: {missing}")
        return 0
    except AssertionError as error:
        return 1 if say("image", "failed", str(error)) else 0


if __name__ == "__main__":
    sys.exit(main())
