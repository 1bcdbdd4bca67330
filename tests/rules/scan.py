# SPDX-License-Identifier: GPL-2.0-or-later
"""khien-scan, asked about rules and files."""

import collections
import json
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "signatures/yara"
BEGIN = re.compile(r"^(?:private |global )*rule (\w+)", re.M)
BATCH = 2000  # paths on one command line


class Scanner:
    """One build of it."""

    def __init__(self, build):
        self.program = build / "khien-scan"

    def _run(self, *args):
        done = subprocess.run(
            [str(self.program), *map(str, args)], capture_output=True,
            stdin=subprocess.DEVNULL, check=False)
        said = done.stderr.decode(errors="replace").strip()
        return done.returncode, done.stdout, said

    def list(self, rules=RULES):
        """What the rules say of themselves; raises when one is left out."""
        code, out, said = self._run("-r", rules, "--list")
        if code or said:
            raise RuntimeError(said or f"ended with {code}")
        return [json.loads(line) for line in out.splitlines()]

    def scan(self, paths, rules=RULES):
        """({path: set of rules}, what it complained of)."""
        hits, complaints = collections.defaultdict(set), []
        paths = list(paths)
        for at in range(0, len(paths), BATCH):
            _, out, said = self._run("-r", rules, "-f", *paths[at:at + BATCH])
            for line in out.splitlines():
                match = json.loads(line)
                hits[match["file"]["path"]].add(match["rule"]["name"])
            complaints += said.splitlines()
        return hits, complaints

    def cpu_s(self, rules, paths):
        """User time of one run."""
        child = subprocess.Popen(
            [str(self.program), "-r", str(rules), "-f", *paths],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        _, _, usage = os.wait4(child.pid, 0)
        child.returncode = 0
        return usage.ru_utime


def apart(folder):
    """Writes each rule into a file of its own; {rule: file}."""
    files = {}
    for source in sorted(RULES.rglob("*.yar")):
        text = source.read_text(encoding="utf-8")
        starts = [m.start() for m in BEGIN.finditer(text)]
        imports = "".join(re.findall(r'^import "\w+"\n', text, re.M))
        for start, end in zip(starts, [*starts[1:], len(text)]):
            rule = text[start:end]
            name = BEGIN.match(rule).group(1)
            files[name] = pathlib.Path(folder) / f"{name}.yar"
            files[name].write_text(imports + rule, encoding="utf-8")
    return files
