#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the packages twice and looks at all that is in them.

Prints `  NAME: ok`, `failed` or `skipped: REASON` for each check, and facts.
What it makes stays in build/deb, build/rpm and build/packages.
"""

import argparse
import pathlib
import sys
import time
import traceback

import broken
import build
import contents
import hardening
import life
import rpmlife
import sbom
import units
from build import Skip

CHECKS = [
    ("deb", build.deb),
    ("rpm", build.rpm),
    ("reproducible", build.again),
    ("lintian", build.lintian),
    ("contents", contents.check),
    ("powers", contents.powers),
    ("hardening", hardening.check),
    ("sbom", sbom.check),
    ("units", units.verify),
    ("exposure", units.exposure),
    ("apparmor", units.apparmor),
    ("life", life.check),
    ("rpm-life", rpmlife.check),
    ("broken-upgrade", broken.check),
]


def one(name, function, work):
    """Returns whether it failed."""
    began = time.monotonic()
    facts, why, state = [], "", "ok"
    try:
        facts = function(work) or []
    except Skip as skip:
        state = f"skipped: {skip}"
    except AssertionError as error:
        state, why = "failed", str(error) or traceback.format_exc()
    except Exception:  # the other checks are worth something all the same
        state, why = "failed", traceback.format_exc()
    print(f"  {name}: {state} in {time.monotonic() - began:.1f} s" if
          not state.startswith("skipped") else f"  {name}: {state}",
          flush=True)
    for line in facts:
        print(f"    {line}", flush=True)
    for line in why.splitlines()[:60]:
        print(f"    | {line}", flush=True)
    return state == "failed"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build", type=pathlib.Path)
    parser.add_argument("only", nargs="*")
    args = parser.parse_args()
    work = build.Work(args.build.resolve())
    try:
        failed = [name for name, function in CHECKS
                  if (not args.only or name in args.only)
                  and one(name, function, work)]
    finally:
        work.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
