#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The samples of signatures/samples as files.

    tests/rules/samples.py FOLDER

writes them as `khien-repo stage --vectors` wants them: match/RULE/NAME and
clean/RULE/NAME.  A scanner on this machine may take them away: use a folder
that it leaves alone.
"""

import json
import pathlib
import sys

import elf

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "signatures/samples"


class Sample:
    """One file of match/RULE or clean/RULE."""

    def __init__(self, path):
        self.path = path
        self.rule = path.parent.name
        self.matches = path.parent.parent.name == "match"
        self.name = path.name.split(".")[0]
        # "2+other_rule": it is one for that rule as well.
        self.rules = {self.rule, *self.name.split("+")[1:]} \
            if self.matches else set()
        self.elf = None
        if path.name.endswith(".elf.json"):
            self.elf = json.loads(path.read_text(encoding="utf-8"))

    def bytes(self):
        if self.elf is not None:
            return elf.build(self.elf)
        return bytes.fromhex(self.path.read_text(encoding="ascii"))

    def __str__(self):
        return str(self.path.relative_to(SAMPLES))


def every():
    """All samples in the order of their paths."""
    return [Sample(path) for path in sorted(SAMPLES.glob("*/*/*"))
            if path.parent.parent.name in ("match", "clean")]


def write(folder):
    """Returns {path: sample}."""
    written = {}
    for sample in every():
        kind = "match" if sample.matches else "clean"
        path = pathlib.Path(folder) / kind / sample.rule / sample.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sample.bytes())
        written[path] = sample
    return written


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: tests/rules/samples.py FOLDER")
    print(len(write(sys.argv[1])), "samples")
