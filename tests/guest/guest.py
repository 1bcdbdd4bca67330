#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots a Debian that enforces on every file system of its own and prints what
came of each story: `  NAME: ok`, `failed` or `skipped: REASON`, and facts.

Its console and all results stay in build/guest.
"""

import argparse
import pathlib
import re
import sys
import time

import machine
import root

# A run on a cold cache, an idle machine: four minutes.  This is for hangs.
LIMIT_S = 30 * 60
# From the last story to the machine's end.
OFF_S = 90
# What the kernel or the service manager say of a machine that hangs.
BAD_LINES = re.compile(
    r"blocked for more than|ordering cycle|Kernel panic|self-detected stall|"
    r"soft lockup|khien\.service: State '.*' timed out|"
    r"khien\.service: Failed with result '(?!watchdog|signal)|"
    # But for the one that stories/17_apparmor.py tries.
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


def say(name, state, why="", facts=(), seconds=None):
    took = f" in {seconds:.1f} s" if seconds is not None else ""
    print(f"  {name}: {state}{took}", flush=True)
    for line in facts:
        print(f"    {line}", flush=True)
    for line in why.splitlines():
        print(f"    | {line}", flush=True)
    return state == "failed"


def tell(line):
    """One story's; returns whether it failed."""
    if line["state"] == "skipped":
        reason = line["why"].splitlines()[-1] if line["why"] else "by itself"
        return say(line["story"], f"skipped: {reason}")
    return say(line["story"], line["state"], line["why"], line["facts"],
               line["seconds"])


def follow(guest):
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
            failed += tell(line)
    if plan is None:
        raise AssertionError("the guest did not boot")
    for name in plan[len(heard):]:
        failed += say(name, "failed", "the guest ended before it")
    if stopping is None:
        raise AssertionError("the guest ended in the middle")
    off_s = time.monotonic() - stopping
    console = guest.tail(10 ** 6)
    bad = [line for line in console.splitlines() if BAD_LINES.search(line)]
    refused = [line for line in bad if line.endswith("'exit-code'.")]
    if len(refused) == 1:  # the guarded agent's, when somebody stops its unit
        bad.remove(refused[0])
    stops = stops_s(console)
    if len(stops) < 2 or stops[-1] > max(stops[:-1]) + LONGER_S:
        bad.append(f"the agent's stops took {stops} s, the last was guarded")
    if off_s > OFF_S:
        bad.append(f"the machine took {off_s:.0f} s to stop")
    failed += say("shutdown", "failed" if bad else "ok", "\n".join(bad),
                  [f"the guarded agent stopped in {stops[-1]:.1f} s; others "
                   f"took {min(stops[:-1]):.1f} to {max(stops[:-1]):.1f} s"]
                  if len(stops) > 1 else [], seconds=off_s)
    return failed


def run(build):
    folder = build / "guest"
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    kernel, image = root.base(folder, machine.programs(build))
    made = time.monotonic()
    work = machine.prepare(folder, image)
    print(f"  image in {made - began:.1f} s, agent installed in "
          f"{time.monotonic() - made:.1f} s", flush=True)
    guest = machine.Machine(folder, kernel, work)
    try:
        return follow(guest)
    except AssertionError as error:
        return say("machine", "failed", f"{error}\n{guest.tail()}")
    finally:
        guest.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build", type=pathlib.Path)
    args = parser.parse_args()
    try:
        return 1 if run(args.build.resolve()) else 0
    except root.Missing as missing:
        print(f"  guest: skipped: {missing}")
        return 0
    except AssertionError as error:
        return 1 if say("image", "failed", str(error)) else 0


if __name__ == "__main__":
    sys.exit(main())
