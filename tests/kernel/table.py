# SPDX-License-Identifier: GPL-2.0-or-later
"""What came of a guest, as cells of a table kernel x capability."""

import json
import re
import sys

from image import ROOT

sys.path.append(str(ROOT / "tests/triggers"))
import expected  # noqa: E402

OK, FAILED, GAP, PART = "ok", "FAILED", "-", "part"
OTHER = "other"  # another of several forms of a program is the one for it
NOT_RUN = "?"
UNNEEDED = "not needed by this kernel"
VERIFIER_LINES = 12


class Column:
    """One guest's: row -> cell, and what is to be said below the table."""

    def __init__(self, name):
        self.name = name
        self.cells = {}
        self.gaps = []   # (row, reason)
        self.wrong = []  # (row, lines)

    def fail(self, row, *lines):
        self.cells[row] = FAILED
        self.wrong.append((row, [line for text in lines
                                 for line in str(text).splitlines()]))

    def gap(self, row, reason):
        self.cells.setdefault(row, GAP)
        self.gaps.append((row, reason))


class Told:
    """All that a guest left, by name."""

    def __init__(self, results):
        self.results = {r.name: r for r in results}
        self.events = {}
        for line in self.lines("events"):
            pid = expected.field_of(line, "process.pid")
            self.events.setdefault(pid, []).append(line)
        self.status, self.end = (
            (self.lines(name) or [{}])[0] for name in ("status", "end-status"))
        self.programs = expected.field_of(
            self.status, "khien.sensor.programs") or {}

    def lines(self, name):
        if name not in self.results:
            return []
        return [json.loads(line) for line in
                self.results[name].output.splitlines() if line[:1] == b"{"]

    def restarts(self):
        """Of the agent's processes: none is usual."""
        return {p["role"]: p["restarts"] for p in expected.field_of(
            self.end, "khien.processes") or [] if p.get("restarts")}

    def log(self):
        return self.results["log"].text if "log" in self.results else ""

    def of(self, pids):
        return [event for pid in pids for event in self.events.get(pid, [])]


def verifier(log, program):
    """The last lines that the verifier said of a program."""
    found = re.findall(rf"prog '{program}'.*?-- BEGIN PROG LOAD LOG --(.*?)"
                       r"-- END PROG LOAD LOG --", log, re.S)
    lines = found[-1].splitlines() if found else \
        [line for line in log.splitlines() if program in line]
    return "\n".join(lines[-VERIFIER_LINES:])


def judge_programs(column, told, cases):
    """A row for each kernel program."""
    kernel = column.name
    for name, said in sorted(told.programs.items()):
        row = f"program {name}"
        needs = [c for c in cases if name in c.program]
        reasons = {c.absent.get(kernel) for c in needs}
        if said == "attached":
            column.cells[row] = OK
        elif said == UNNEEDED:
            column.cells[row] = OTHER
        elif needs and None not in reasons:
            column.gap(row, f"{said}; {'; '.join(sorted(reasons))}")
        else:
            column.fail(row, said, verifier(told.log(), name))
    needed = {p for c in cases for p in c.program}
    for name in sorted(needed - set(told.programs)):
        column.fail(f"program {name}", "is not in status")


def judge_agent(column, told, why, console):
    """Whether it came up, lost nothing and ended in order."""
    codes = {name: r.code for name, r in told.results.items()}
    if why or "stop" not in codes:
        column.fail("boot", why or "the guest ended in the middle", console)
        return
    column.cells["boot"] = OK
    column.cells["start and stop"] = OK
    if codes["until"] != 0 or codes["stop"] != 0:
        column.fail("start and stop", f"until ready: {codes['until']}, "
                    f"khiend ended with {codes['stop']}", told.log()[-2000:])
    turned = {name: code for name, code in codes.items()
              if name.startswith("turn-")}
    if any(turned.values()):
        column.fail("start and stop", f"khienctl guard: {turned}", *(
            told.results[name].text for name in turned))
    lost = expected.field_of(told.end, "khien.lost")
    column.cells["nothing lost"] = OK
    if lost and not any(lost.get(name) for name in ("critical", "bulk")):
        return
    # A gate that an emulated machine keeps from its heartbeat is replaced,
    # and what it might have missed is told as one loss: that is no fault.
    if lost and told.restarts().get("gate") and not lost["critical"]:
        column.cells["nothing lost"] = GAP
        column.gap("nothing lost", f"a slow machine: {told.restarts()}")
        return
    column.fail("nothing lost", f"lost: {lost}")


def _judge_case(told, case, known, name, kernel):
    """Lines that say what is wrong."""
    result = told.results[name]
    try:
        values = expected.printed(case, known, result.code, result.text,
                                  kernel)
    except expected.Unusable as error:
        return [str(error)]
    return expected.compare(case, values,
                            told.of(case.pids(values, kernel)), kernel)


def judge_case(column, told, case, runs):
    """`runs`: (name, known) of each time that it was run."""
    kernel, row = column.name, case.name
    if not {name for name, _ in runs} <= set(told.results):
        column.cells[row] = NOT_RUN  # the row `boot` says why
        return
    wrong = {name: _judge_case(told, case, known, name, kernel)
             for name, known in runs}
    if kernel in case.absent:
        for name, lines in wrong.items():
            if not lines:
                column.fail(row, f"{name} is told although its absence is "
                            f"explained: {case.absent[kernel]}")
        if column.cells.get(row) == OK:
            column.cells[row] = PART
        column.gap(row, f"{case.id}: {case.absent[kernel]}")
        return
    for name, lines in wrong.items():
        if lines:
            column.fail(row, name, *(f"  {line}" for line in lines))
    state = column.cells.get(row)
    column.cells[row] = {None: OK, GAP: PART}.get(state, state)


def even_out(columns):
    """A kernel program that is in one status is to be in all of them."""
    rows = {row for c in columns for row in c.cells
            if row.startswith("program")}
    for column in columns:
        for row in sorted(rows - set(column.cells)):
            column.fail(row, "is not in status")


def show(columns):
    """The table, the gaps below it and what is wrong.  (passed, failed)"""
    rows = {row: None for c in columns for row in c.cells}
    width = max(map(len, rows), default=0) + 2
    wide = [max(len(c.name), len(FAILED)) + 2 for c in columns]
    print("  " + " " * width + "".join(
        c.name.ljust(w) for c, w in zip(columns, wide)).rstrip())
    for row in sorted(rows, key=lambda r: (r.startswith("program"), r)):
        print("  " + row.ljust(width) + "".join(
            c.cells.get(row, "").ljust(w)
            for c, w in zip(columns, wide)).rstrip())
    for column in columns:
        for row, reason in column.gaps:
            print(f"  {column.name} has no {row}: {reason}")
        for row, lines in column.wrong:
            print(f"  {column.name} {row}: FAILED")
            for line in lines:
                print(f"    | {line}")
    cells = [cell for c in columns for cell in c.cells.values()]
    failed = cells.count(FAILED)
    return len(cells) - failed - cells.count(NOT_RUN), failed
