#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds everything in a Debian 13, where compilers and libraries are newer,
and runs the whole `make check-fast` there.

Prints what failed or was skipped, the sum of each part, and `  tests: N ok,
N failed`.  All that it said stays in build/debian13/log.
"""

import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree

import root

HERE = pathlib.Path(__file__).resolve().parent
# For one that hangs.
LIMIT_S = 20 * 60
COMMAND = ("make", "--no-print-directory", "WERROR=1", "check-fast")
LIBRARIES = ("gcc", "libssl-dev", "libyara-dev", "libbpf-dev")
WHOLE = re.compile(r"(\d+) passed, (\d+) failed(, \d+ skipped)?$")
GOOD = re.compile(r"  \S+: (\d+ passed, 0 failed.*|ok.*|took .*)$")
PART = re.compile(r"(\w+):$")
# How good rules are, which the run around us tells.
TABLE = re.compile(r"  +\w+ ")
# What the run around us says as well.
QUIET = re.compile(r"\s*$|(cold|warm) cache:")
SKIPPED = re.compile(r"  (.+?): skipped: (.*)$")
# What only an OpenSSL of 3.5 has: these must have run, and passed.
IN_EARNEST = {"test_repo_release": ("test_hybrid",
                                    "test_hybrid_needs_both_signatures")}


class Report:
    """Reads what the run says, and passes on what somebody should see."""

    def __init__(self):
        self.part = None  # still building
        self.passed = self.failed = None
        self.began = time.monotonic()
        self.built_s = None

    def take(self, line):
        part = PART.match(line)
        if part and (self.part or part.group(1) == "unit"):
            self.built_s = self.built_s or time.monotonic() - self.began
            self.part = part.group(1)
        if part or not self.part:
            return
        whole, skipped = WHOLE.match(line), SKIPPED.match(line)
        if whole:
            self.passed, self.failed = map(int, whole.groups()[:2])
        elif skipped:
            name = re.sub(r"[^\w-]+", "-", skipped.group(1))
            print(f"  {name}: skipped: {skipped.group(2)}", flush=True)
        elif not (GOOD.match(line) or QUIET.match(line) or
                  self.part == "rules" and TABLE.match(line)):
            print(f"    {line}", flush=True)


def run(path, folder, log):
    """The report of a whole run."""
    for name in ("build", "tmp"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "tmp").chmod(0o1777)
    report = Report()
    child = subprocess.Popen(
        ["unshare", "-m", "--propagation", "private",
         str(HERE / "inside.sh"), str(path), str(root.ROOT),
         str(folder / "build"), str(folder / "tmp"), *COMMAND],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace",
        start_new_session=True)
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(child.pid,
                                                       signal.SIGINT))
    signal.alarm(LIMIT_S)
    with child, open(log, "w", encoding="utf-8") as file:
        for line in child.stdout:
            file.write(line)
            file.flush()
            report.take(line.rstrip("\n"))
    signal.alarm(0)
    return report


def versions(path):
    done = subprocess.run(
        ["dpkg-query", f"--root={path}", "-W", "-f",
         "${Package} ${Version}\n", *LIBRARIES],
        capture_output=True, text=True, check=True)
    return ", ".join(done.stdout.splitlines())


def in_earnest(folder):
    """Names of tests that were left out, or did not pass."""
    missing = []
    for stem, names in IN_EARNEST.items():
        path = folder / f"build/system/{stem}.xml"
        cases = list(xml.etree.ElementTree.parse(path).iter("testcase")) \
            if path.exists() else []
        good = {case.get("name") for case in cases if not len(case)}
        missing += [name for name in names if name not in good]
    return missing


def tell(report, folder, log):
    """Returns whether something failed."""
    if report.passed is None:
        print("  check-fast: failed", flush=True)
        lines = log.read_text(encoding="utf-8").splitlines()
        for line in lines[-60:]:
            print(f"    | {line}", flush=True)
        return True
    print(f"    compiled in {report.built_s:.0f} s, ran for "
          f"{time.monotonic() - report.began - report.built_s:.0f} s")
    print(f"  tests: {report.passed} ok, {report.failed} failed")
    missing = in_earnest(folder)
    if missing:
        print("  post-quantum: failed\n    | did not run and pass: "
              + ", ".join(missing))
    else:
        print("  post-quantum: ok")
    return bool(report.failed or missing)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build", type=pathlib.Path)
    args = parser.parse_args()
    folder = args.build.resolve() / "debian13"
    began = time.monotonic()
    try:
        path, made = root.base(folder)
    except root.Missing as missing:
        print(f"  debian13: skipped: {missing}")
        return 0
    except AssertionError as error:
        print("  root: failed")
        for line in str(error).splitlines()[-40:]:
            print(f"    | {line}")
        return 1
    if made:
        print(f"    cold cache: root made in {time.monotonic() - began:.0f} s")
    print(f"    {versions(path)}", flush=True)
    log = folder / "log"
    try:
        return 1 if tell(run(path, folder, log), folder, log) else 0
    finally:
        shutil.rmtree(folder / "tmp", ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
