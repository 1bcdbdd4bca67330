#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests the rules of signatures/, and reports how good they are.

Prints `  NAME: ok` or `  NAME: failed` with what is wrong below; the report
follows.  --fast looks at fewer good files and takes no times; --all looks at
every file of /usr, /etc and /var/lib.
"""

import argparse
import collections
import pathlib
import re
import sys
import tempfile

import report
import samples
import scan
import variants

import elf

SEVERITIES = ("informational", "low", "medium", "high", "critical")
UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
TECHNIQUE = re.compile(r"^T\d{4}(\.\d{3})?$")
VARIANTS_LEAST = 3
GOOD_BYTES = {"fast": 48 << 20, "usual": 1 << 30, "all": 1 << 60}
GOOD = {"fast": ["/usr"], "usual": ["/usr", "/etc"],
        "all": ["/usr", "/etc", "/var/lib"]}
# The agent's own test files have samples of their own, beside match/.
OWN = ("eicar_test_file", "khien_self_test")
TREE = ("signatures", "tests", "agent", "kernel", "updater", "packaging",
        "README.md", "Makefile")


class Results:
    """Prints, and counts what failed."""

    def __init__(self):
        self.failed = 0

    def tell(self, name, wrong):
        print(f"  {name}: {'failed' if wrong else 'ok'}")
        for line in list(wrong)[:40]:
            print(f"    {line}")
        self.failed += bool(wrong)


def meta(rules):
    """What rules say of themselves."""
    ids = collections.Counter(r["rule"]["uuid"] for r in rules)
    names = collections.Counter(r["rule"]["name"] for r in rules)
    for rule in rules:
        name, said = rule["rule"]["name"], rule["khien"]
        if not UUID.match(rule["rule"]["uuid"]) or ids[rule["rule"]["uuid"]] > 1:
            yield f"{name}: no UUID of its own"
        if names[name] > 1:
            yield f"{name}: the name of two rules"
        if not rule["rule"].get("description"):
            yield f"{name}: no description"
        if said.get("lacks"):
            yield f"{name}: lacks {', '.join(said['lacks'])}"
        if said["severity"] not in SEVERITIES:
            yield f"{name}: severity {said['severity']}"
        attack = rule.get("threat", {}).get("technique", {}).get("id", [])
        if not attack or not all(TECHNIQUE.match(t) for t in attack):
            yield f"{name}: no technique of ATT&CK"


def whole(rules, every):
    """Each rule has both kinds of samples, each sample has a rule."""
    names = {r["rule"]["name"] for r in rules}
    for name in sorted(names - set(OWN)):
        if not any(name == s.rule and s.matches for s in every):
            yield f"{name}: no sample in match/{name}"
        if not any(name == s.rule and not s.matches for s in every):
            yield f"{name}: no near miss in clean/{name}"
    for sample in every:
        for name in sorted({sample.rule, *sample.rules} - names):
            yield f"{sample}: there is no rule {name}"


def fired(scanner, folder, every, of):
    """Writes {key: bytes} of each sample and scans them all at once; yields
    (sample, key, rules that fired)."""
    paths = {}
    for sample in every:
        for key, content in of(sample).items():
            path = pathlib.Path(folder) / str(len(paths))
            path.write_bytes(content)
            paths[str(path)] = (sample, key)
    hits, complaints = scanner.scan(paths)
    if complaints:
        raise RuntimeError("\n".join(complaints[:10]))
    for path, (sample, key) in paths.items():
        yield sample, key, hits.get(path, set())


def exactly(scanner, every):
    """Samples fire what they are for, and near misses nothing."""
    with tempfile.TemporaryDirectory(prefix="khien-rules-") as folder:
        for sample, _, found in fired(scanner, folder, every,
                                      lambda s: {"": s.bytes()}):
            if found != sample.rules:
                yield (f"{sample}: {' '.join(sorted(found)) or 'nothing'} "
                       f"instead of {' '.join(sorted(sample.rules)) or '-'}")


def varied(scanner, every, counts):
    """Variants of samples fire the rule as well; those of near misses do not
    fire it."""
    def of(sample):
        if sample.elf is not None:
            return variants.of_elf(sample.rule, sample.elf, elf.build)
        return variants.of_text(sample.bytes())

    with tempfile.TemporaryDirectory(prefix="khien-rules-") as folder:
        for sample, key, found in fired(scanner, folder, every, of):
            if sample.matches:
                counts[sample.rule] += 1
                if sample.rule not in found:
                    yield f"{sample}, {key}: not found"
            elif sample.rule in found and not sample.rule.startswith("elf_"):
                yield f"{sample}, {key}: found, and means no harm"
    for rule in sorted({s.rule for s in every}):
        if counts[rule] < VARIANTS_LEAST:
            yield f"{rule}: only {counts[rule]} variants"


def hostile(scanner, every):
    """No sample, repeated until it is large, stops the scanner."""
    def of(sample):
        content = sample.bytes()
        return {"": (content * (1 + (60 << 10) // len(content)))[:64 << 10]}

    with tempfile.TemporaryDirectory(prefix="khien-rules-") as folder:
        try:
            for _ in fired(scanner, folder, every, of):
                pass
        except RuntimeError as error:
            yield from str(error).splitlines()


def own(scanner):
    """Neither rules nor samples nor anything else in this tree is found."""
    paths = [p for top in TREE for p in
             ([scan.ROOT / top] if (scan.ROOT / top).is_file() else
              sorted((scan.ROOT / top).rglob("*")))
             if p.is_file() and "__pycache__" not in p.parts]
    hits, complaints = scanner.scan(paths)
    for path, rules in sorted(hits.items()):
        yield f"{path}: {' '.join(sorted(rules))}"
    yield from complaints


def table(rules, every, counts, good, each):
    """The report, a line a rule."""
    found = collections.Counter(r for some in good.values() for r in some)
    tried = collections.Counter(s.rule for s in every if s.matches)
    missed = collections.Counter(s.rule for s in every if not s.matches)
    print(f"  {'rule':32} severity      samples variants near  /usr"
          + ("  ms/MiB" if each else ""))
    for rule in rules:
        name = rule["rule"]["name"]
        print(f"  {name:32} {rule['khien']['severity']:13} {tried[name]:7} "
              f"{counts[name]:8} {missed[name]:4} {found[name]:5}"
              + (f" {each[name]:7.2f}" if name in each else ""))


def costs(scanner, found, results):
    """Times, and whether they are within bounds."""
    each, together = report.times(scanner, found)
    slow = sorted(each.items(), key=lambda e: -e[1])
    one = report.program_ms(scanner, found)
    wrong = [f"{name} takes {ms:.1f} ms for a MiB" for name, ms in slow
             if ms > report.RULE_MS_MAX]
    if one is not None and one > report.MIB_MS_MAX:
        wrong.append(f"a program of 1 MiB takes {one:.1f} ms")
    results.tell("times", wrong)
    said = "" if one is None else f"; a program of 1 MiB: {one:.1f} ms"
    print(f"  all rules together: {together:.2f} ms for a MiB of all kinds "
          f"of files{said}")
    print("  slowest: " + ", ".join(f"{name} {ms:.2f}"
                                    for name, ms in slow[:5]))
    return each


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path,
                        default=scan.ROOT / "build")
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--no-times", action="store_true",
                        help="for a build with sanitizers")
    args = parser.parse_args()
    how = "all" if args.all else "fast" if args.fast else "usual"
    scanner, results = scan.Scanner(args.build), Results()
    try:
        rules = scanner.list()
    except RuntimeError as error:
        results.tell("compile", str(error).splitlines())
        return 1
    every, counts, each = samples.every(), collections.Counter(), {}
    results.tell("meta", list(meta(rules)))
    results.tell("whole", list(whole(rules, every)))
    results.tell("samples", list(exactly(scanner, every)))
    results.tell("variants", list(varied(scanner, every, counts)))
    results.tell("hostile", list(hostile(scanner, every)))
    results.tell("own-sources", list(own(scanner)))
    found = report.files_of(GOOD[how])
    good, odd, said = report.good_files(scanner, found, GOOD_BYTES[how])
    results.tell("good-files", odd + [
        f"{path}: {' '.join(sorted(some))}"
        for path, some in sorted(good.items())])
    print(f"  good files: {said}")
    if how != "fast" and not args.no_times:
        each = costs(scanner, found, results)
    table(rules, every, counts, good, each)
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
