# SPDX-License-Identifier: GPL-2.0-or-later
"""What the service manager says of the units, and AppArmor of the profile."""

import json
import re
import shutil
import subprocess

from build import ROOT, output

UNITS = ROOT / "packaging/systemd"
README = ROOT / "packaging/README.md"
GOAL = 2.0
# The one that has to mark file systems: its bound, and packaging/README.md has
# a line for all that is left, with as many points as are told.
BOUNDS = {"khien.service": 6.0, "khien-update.service": GOAL}
# Each weighs as much as systemd 252 says; a newer one may weigh otherwise.
WEIGHED_BY = 252


def verify(work):
    """In the tree that the packages make: programs are there.  What of the
    machine's they need is not, and is said of nobody but us."""
    folder = work.unpacked("deb")
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin/kill").touch(mode=0o755)
    units = next(p for p in (folder / "lib/systemd/system",
                             folder / "usr/lib/systemd/system") if p.exists())
    for name in ("sysinit", "shutdown", "timers", "time-set", "time-sync"):
        (units / f"{name}.target").write_text("[Unit]\n", encoding="utf-8")
    said = output("systemd-analyze", "verify", "--man=no",
                  f"--root={folder}", *BOUNDS, "khien-update.timer")
    assert not said.strip(), said
    return [f"{len(BOUNDS) + 1} units"]


def _analyze(unit):
    """(exposure, {name of a setting: (exposure, description)} of the misses)"""
    path = UNITS / unit
    text = subprocess.run(["systemd-analyze", "security", "--offline=true",
                           "--no-pager", str(path)], capture_output=True,
                          text=True, check=False).stdout
    total = float(re.search(r"exposure level for \S+: ([\d.]+)",
                            text).group(1))
    rows = json.loads(output("systemd-analyze", "security", "--offline=true",
                             "--no-pager", "--json=short", path))
    return total, {row["name"]: (float(row["exposure"]), row["description"])
                   for row in rows if row["exposure"] and not row["set"]}


def _explained():
    """{name of a setting: points} of the table in packaging/README.md; a line
    without a reason is none."""
    text = README.read_text(encoding="utf-8")
    table = text[text.index("| what is left |"):]
    table = table[:table.index("\n\n")]
    lines = {}
    for line in table.splitlines()[2:]:
        name, points, reason = re.fullmatch(
            r"\| `([^`]+)` \| (\d\.\d) \| (.+) \|", line).groups()
        assert len(reason) > 8, line
        lines[name.replace("\\|", "|")] = float(points)
    return lines


def _said(unit):
    """The exposure that packaging/README.md tells of a unit."""
    text = README.read_text(encoding="utf-8")
    return float(re.search(rf"`{re.escape(unit)}` is at (\d\.\d)",
                           text).group(1))


def _manager():
    """The version of the one that judges."""
    return int(re.match(r"systemd (\d+)",
                        output("systemd-analyze", "--version")).group(1))


def _compare(unit, misses):
    """What the table says too much, too little, or otherwise."""
    lines = _explained()
    said = [f"{unit}: {name} is not explained in packaging/README.md"
            for name in sorted(set(misses) - set(lines))]
    said += [f"{unit}: {name} is explained without need"
             for name in sorted(set(lines) - set(misses))]
    if _manager() == WEIGHED_BY:
        said += [f"{unit}: {name} has {misses[name][0]} points, not {points}"
                 for name, points in lines.items()
                 if name in misses and round(misses[name][0], 1) != points]
    return said


def exposure(work):
    _ = work
    facts, said = [], []
    for unit, bound in BOUNDS.items():
        total, misses = _analyze(unit)
        facts.append(f"{unit}: exposure {total}, bound {bound}")
        if total > bound:
            said.append(f"{unit}: {total} is more than {bound}: "
                        f"{sorted(misses)}")
        if _manager() == WEIGHED_BY and total != _said(unit):
            said.append(f"{unit}: packaging/README.md says {_said(unit)}")
        if bound == GOAL:
            continue
        for name, (points, description) in sorted(
                misses.items(), key=lambda row: -row[1][0]):
            facts.append(f"  {points:.1f} {name}: {description}")
        said += _compare(unit, misses)
    assert not said, "\n".join(facts + said)
    return facts


def apparmor(work):
    profile = work.unpacked("deb") / "etc/apparmor.d/khien"
    parser = shutil.which("apparmor_parser", path="/usr/sbin:/sbin")
    assert parser, "needs apparmor_parser, see `make deps`"
    output(parser, "--skip-kernel-load", "--skip-cache", profile)
    names = subprocess.run([parser, "--names", str(profile)], text=True,
                           capture_output=True, check=True).stdout.split()
    assert sorted(names) == ["khien-fetch", "khien-query", "khien-sensor"], \
        names
    return [f"enforced: {', '.join(names)}"]
