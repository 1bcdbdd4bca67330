#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs parts of the tests and ends with `N passed, N failed`.

Parts: see PARTS.  What is skipped is told and counted; with CI=true in the
environment a skip is a failure, unless its reason begins with "machine:", which
says that this machine cannot run it at all.

Some run ASIDE, when there is a processor that nobody else wants at all.  Nothing
runs beside emulated machines: where their processors have to take turns with
others, they wait for each other most of the time.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import signal
import resource
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Of the whole run.  The first one in a tree also fetches kernels and makes two
# Debians, and nothing is compiled or checked yet.
COLD = not all((ROOT / "build" / name).is_dir()
               for name in ("kernels", "debian13"))
LIMIT_S = (45 if COLD else 25) * 60
UNIT_S = 120       # of one program of unit tests
PYTHON = "/usr/bin/python3"
RESULT = re.compile(r"^\[ +(OK|FAILED|SKIPPED) +\] ([\w-]+)$", re.M)
STARTED = time.monotonic()
# Of what failed, at the end of the run: where the end is all that is kept.
LAST = 10
LAST_WHY = 100
HERE = threading.local()


def say(text):
    """Prints a line; of what runs aside, when all of it is there."""
    lines = getattr(HERE, "lines", None)
    if lines is None:
        print(text)
    else:
        lines.append(text)


class Count:
    """What came of a part."""

    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.skipped = 0
        self.failures = []

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.failures += other.failures

    def fail(self, what, why="", number=1):
        """`what` stands at the end of the run once more."""
        self.failed += number
        self.failures += [(what, why, number)] * bool(number)

    def skip(self, what, reason):
        """Counts a skip, which in CI has to have a good reason."""
        if os.environ.get("CI") == "true" and \
                not reason.startswith("machine:"):
            say(f"  {what}: skipped in CI: {reason}")
            self.fail(what, f"skipped: {reason}")
            return
        say(f"  {what}: skipped: {reason}")
        self.skipped += 1

    def __str__(self):
        text = f"{self.passed} passed, {self.failed} failed"
        return text + (f", {self.skipped} skipped" if self.skipped else "")


def left_s():
    return max(1.0, LIMIT_S - (time.monotonic() - STARTED))


def run(command, limit_s, **options):
    """Runs in a process group of its own; (None, output) when too slow."""
    child = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace",
        start_new_session=True, **options)
    try:
        out, _ = child.communicate(timeout=min(limit_s, left_s()))
        return child.returncode, out
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        out, _ = child.communicate()
        return None, out


def indented(text):
    return "\n".join("    " + line for line in text.splitlines()[-120:])


def lint(_args):
    count = Count()
    # Analyzers take minutes of all processors, which the tests need: they are
    # for `make lint`.  The make around us does not share its jobs: it would be
    # warned about.
    env = {k: v for k, v in os.environ.items()
           if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    env["LINT_QUICK"] = "1"
    code, out = run(["make", "--no-print-directory", "lint"], 1200, env=env)
    if code == 0 and not out.strip():
        count.passed = 1
    else:
        say(indented(out))
        count.fail("lint", out)
    return count


def unit_one(path):
    """One program; returns what to print and the counts."""
    name = f"{path.parent.name}/{path.name}"
    count = Count()
    if path.name.startswith("root-") and os.geteuid() != 0:
        return name, None, count
    with tempfile.TemporaryDirectory(prefix="khien-unit-") as folder:
        code, out = run([str(path)], UNIT_S,
                        env=dict(os.environ, TMPDIR=folder))
    # cmocka names some tests once more in its summary.
    results = set(RESULT.findall(out))
    count.passed = sum(r == "OK" for r, _ in results)
    for test in (t for r, t in results if r == "FAILED"):
        count.fail(f"{name} {test}")
    count.skipped = sum(r == "SKIPPED" for r, _ in results)
    if code != 0 and not count.failed:
        why = "took too long" if code is None else f"ended with {code}"
        count.fail(name, why)
        out += f"\n{why}"
    if not count.passed + count.failed + count.skipped:
        count.fail(name, "ran no test")
        out += "\nran no test"
    return name, out, count


def unit(args):
    sources = sorted([*ROOT.glob("tests/unit/*/test_*.c"),
                      *ROOT.glob("tests/unit/*/root-*.c")])
    programs = [args.build / s.relative_to(ROOT).with_suffix("")
                for s in sources]
    total = Count()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, out, count in pool.map(unit_one,
                                         [p for p in programs if p.exists()]):
            if out is None:
                total.skip(name, "needs root")
                continue
            skipped, count.skipped = count.skipped, 0
            for _ in range(skipped):
                reason = re.search(r"machine:.*", out)
                count.skip(name, reason.group() if reason else "by itself")
            say(f"  {name}: {count}")
            if count.failed:
                say(indented(out))
            total.add(count)
    for program in programs:
        if not program.exists():
            say(f"  {program.relative_to(ROOT)}: was not built")
            total.fail(program.name, "was not built")
    return total


# Strangers write what these read: they have more time than the others.
FUZZ_LONG = {"tuf_role", "tuf_canonical", "release_manifest",
             "release_archive"}
FUZZ_LONG_S = 20


def fuzz_one(args, source):
    name = source.stem.removeprefix("fuzz_")
    seconds = args.fuzz_seconds
    if name in FUZZ_LONG:
        seconds = max(seconds, FUZZ_LONG_S)
    seeds = ROOT / "tests/fuzz/corpus" / name
    found = args.build_root / "fuzz/found" / name
    crashes = args.build_root / "fuzz/crashes"
    for folder in (found, crashes):
        folder.mkdir(parents=True, exist_ok=True)
    if not seeds.is_dir() or not any(seeds.iterdir()):
        return name, "has no seeds in tests/fuzz/corpus", False
    program = args.build_root / "fuzz" / source.relative_to(ROOT)
    command = [str(program.with_suffix("")),
               str(found), str(seeds), "-timeout=10", "-rss_limit_mb=2048",
               f"-max_total_time={seconds}",
               f"-artifact_prefix={crashes}/{name}-", "-print_final_stats=1"]
    words = source.with_suffix(".dict")
    if words.exists():
        command.append(f"-dict={words}")
    code, out = run(command, seconds + 120)
    runs = re.search(r"number_of_executed_units: (\d+)", out)
    if code == 0 and runs:
        return name, f"{runs.group(1)} inputs in {seconds} s", True
    return name, "found something\n" + indented(out), False


def fuzz(args):
    total = Count()
    sources = sorted(ROOT.glob("tests/fuzz/fuzz_*.c"))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, said, good in pool.map(lambda s: fuzz_one(args, s),
                                         sources):
            say(f"  {name}: {said}")
            total.passed += good
            total.fail(f"fuzz {name}", said, int(not good))
    return total


# They measure how long others wait, compare all that is told, of which there is
# less in a flood, or watch the whole machine: when the other files are done,
# those of LOADS together, which bring a load of their own, and then one after
# the other.
LOADS = re.compile(r"test_liveness_(load|stop)$")
ALONE = re.compile(r"test_(liveness|standing_still|story|triggers)")


def system_one(args, path):
    """One file; returns its name, what it printed, and its report."""
    report = args.build_root / "system" / f"{path.stem}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    command = [PYTHON, "-m", "pytest", "-p", "no:cacheprovider", "-q",
               "--tb=short", "--durations=2", f"--junitxml={report}", str(path)]
    if args.fast:
        command += ["-m", "not slow"]
    child = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace",
        env=dict(os.environ, KHIEN_BUILD=str(args.build),
                 PYTHONDONTWRITEBYTECODE="1"))
    try:
        out, _ = child.communicate(timeout=left_s())
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGINT)  # lets fixtures clean up
        try:
            out, _ = child.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            child.kill()
            out, _ = child.communicate()
        report.unlink(missing_ok=True)
        out += f"\nstopped: the whole run took more than {LIMIT_S // 60} minutes"
    return path.stem, out, report


def system_count(name, report):
    count = Count()
    try:
        cases = list(xml.etree.ElementTree.parse(report).iter("testcase"))
    except (OSError, xml.etree.ElementTree.ParseError):
        count.fail(name, "did not come to its end")
        return count
    for case in cases:
        skipped = case.find("skipped")
        bad = case.find("failure")
        bad = case.find("error") if bad is None else bad
        if bad is not None:
            count.fail(f"{name} {case.get('name')}", bad.get("message", ""))
        elif skipped is not None:
            count.skip(case.get("name"), skipped.get("message", ""))
        else:
            count.passed += 1
    return count


def system(args):
    total = Count()
    files = sorted(ROOT.glob("tests/system/test_*.py"),
                   key=lambda path: -path.read_text().count("mark.slow"))
    loads = [f for f in files if LOADS.match(f.stem)]
    alone = [f for f in files if ALONE.match(f.stem) and f not in loads]
    together = [f for f in files if f not in loads + alone]
    # Most wait for most of their time.
    most = 2 * os.cpu_count() + args.fast
    for group, at_once in ((together, most), (loads, 2), (alone, 1)):
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            for name, out, report in pool.map(
                    lambda path: system_one(args, path), group):
                count = system_count(name, report)
                if count.failed:
                    say(indented(out))
                took = re.findall(r"in ([\d.]+)s", out)
                used = re.findall(r"^processor: (\d+) s$", out, re.M)
                say(f"  {name}: {count}" +
                    (f" in {took[-1]} s" if took else "") +
                    (f", {used[-1]} s of a processor" if used else ""))
                total.add(count)
    return total


def told(total, name, command):
    """Adds what a program says in lines `  NAME: ok` and `  NAME: failed`, or
    of many at once `  cells: N ok, N failed` (or tests)."""
    child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, text=True,
                             errors="replace",
                             env=dict(os.environ,
                                      PYTHONDONTWRITEBYTECODE="1"))
    with child:
        for line in child.stdout:
            found = re.match(r"  ([\w-]+): (ok|failed|skipped: (.*))", line)
            cells = re.match(r"  (?:cells|tests): (\d+) ok, (\d+) failed",
                             line)
            if found and found.group(3):
                total.skip(found.group(1), found.group(3))
                continue
            say(line.rstrip("\n"))
            if cells:
                total.passed += int(cells.group(1))
                total.fail(name, "see above", int(cells.group(2)))
            total.passed += bool(found) and found.group(2) == "ok"
            if found and found.group(2) == "failed":
                total.fail(f"{name} {found.group(1)}")
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    say(f"  {name}: took {used.ru_utime + used.ru_stime:.0f} s of a processor")
    if child.returncode and not total.failed:
        say(f"  {name}: failed, its program ended with {child.returncode}")
        total.fail(name, f"ended with {child.returncode}")
    return total


def rules(args):
    """The rules that are shipped, and a report on how good they are."""
    command = [PYTHON, str(ROOT / "tests/rules/rules.py"), "--build",
               str(args.build)]
    if args.fast or args.build != args.build_root:  # sanitizers: too slow
        command.append("--fast")
    return told(Count(), "rules", command)


def plain(args, name, why, *options):
    """As told(), of tests/NAME/NAME.py, for programs without sanitizers."""
    total = Count()
    if args.build != args.build_root:
        total.skip(name, why)
        return total
    folder = name.removesuffix("s") if name == "kernels" else name
    return told(total, name,
                [PYTHON, str(ROOT / f"tests/{folder}/{name}.py"), "--build",
                 str(args.build), *options])


def kernels(args):
    """Every trigger on each kernel that is supported."""
    said = args.fetching.communicate()[0] if args.fetching else ""
    if said:
        say(said.rstrip("\n"))
    return plain(args, "kernels",
                 "with sanitizers an emulated machine takes hours",
                 "--kernels", os.environ.get("KHIEN_KERNELS", ""),
                 "--triggers", os.environ.get("KHIEN_TRIGGERS", ""))


def guest(args):
    """A whole Debian that enforces on itself."""
    return plain(args, "guest",
                 "with sanitizers an emulated machine takes hours")


def debian13(args):
    """All of check-fast, where compilers and libraries are newer."""
    return plain(args, "debian13", "it compiles by itself, without sanitizers")


def packages(args):
    """Packages, twice, and what is in them."""
    return plain(args, "packages",
                 "programs with sanitizers are not packed")


def fetch(args, parts):
    """Begins to fetch kernels that are not there yet: that waits for others'
    machines.  What went wrong is told when they are booted."""
    if not {"kernels", "system"} <= set(parts) or \
            args.build != args.build_root:
        return None
    return subprocess.Popen(
        [PYTHON, str(ROOT / "tests/kernel/kernels.py"), "--build",
         str(args.build), "--fetch"], stdin=subprocess.DEVNULL, text=True,
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


class Aside:
    """Parts that run one after the other when a processor is idle."""

    def __init__(self, args, parts):
        self.args = args
        self.parts = parts
        self.total = Count()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        # Of this thread, and so of all that it starts.
        os.sched_setscheduler(threading.get_native_id(), os.SCHED_IDLE,
                              os.sched_param(0))
        for part in self.parts:
            HERE.lines = []
            self.total.add(measure(self.args, part))
            print("\n".join(HERE.lines))

    def wait(self):
        self.thread.join()


def measure(args, part):
    """Runs a part and tells what came of it."""
    started = time.monotonic()
    say(f"{part}:")
    try:
        count = PARTS[part](args)
    except Exception as error:  # a part that breaks is no part that passed
        say(f"  {part}: broken: {error!r}")
        count = Count()
        count.fail(part, repr(error))
    say(f"{part}: {count} in {time.monotonic() - started:.1f} s")
    return count


PARTS = {"lint": lint, "unit": unit, "fuzz": fuzz, "rules": rules,
         "packages": packages, "debian13": debian13, "system": system,
         "kernels": kernels, "guest": guest}
# Two lanes.
ASIDE = (("rules", "packages"), ("lint", "fuzz"))
EMULATED = ("kernels", "guest")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--fast", action="store_true",
                        help="leave out the system tests marked slow")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS])
    args = parser.parse_args()
    args.build = ROOT / args.build
    args.build_root = ROOT / "build"
    args.fuzz_seconds = int(os.environ.get("KHIEN_FUZZ_SECONDS", "20"))
    sys.stdout.reconfigure(line_buffering=True)

    total = Count()
    parts = args.parts or [part for part in PARTS if part != "lint"]
    beside = "system" in parts
    args.fetching = fetch(args, parts)
    lanes = [Aside(args, [p for p in parts if p in lane and beside])
             for lane in ASIDE]
    aside = [part for lane in lanes for part in lane.parts]
    for part in (part for part in parts if part not in aside):
        if part in EMULATED:
            for lane in lanes:
                lane.wait()
        total.add(measure(args, part))
    for lane in lanes:
        lane.wait()
        total.add(lane.total)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = time.monotonic() - STARTED
    print(f"processor: {used.ru_utime + used.ru_stime:.0f} s of "
          f"{took * os.cpu_count():.0f} s")
    print(f"{'cold' if COLD else 'warm'} cache: {took / 60:.1f} of "
          f"{LIMIT_S // 60} minutes")
    if left_s() <= 1:
        total.fail("time", f"more than {LIMIT_S // 60} minutes")
    if not total.passed + total.failed:
        total.fail("nothing", "was tested")
    for what, why, number in total.failures[:LAST]:
        why = " ".join(why.split())[:LAST_WHY]
        print("failed: " + (f"{number} of " if number > 1 else "") + what +
              (f": {why}" if why else ""))
    if total.failures[LAST:]:
        print(f"failed: {len(total.failures) - LAST} more")
    print(total)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
