# SPDX-License-Identifier: GPL-2.0-or-later
"""What each trigger is to be told as: reads tests/triggers/*.json, compares.

NAME.c does one thing and prints one JSON object, {"pid": 1, "path": "/x"}.
NAME.json beside it is a list of cases, each of them an object:

  args      list of its arguments
  events    the events to be told, in order, as {"file.path": "$path"}
  actions   which actions are compared beside those of `events`; with
            "events": [] these are the ones that must not be told
  program   the kernel programs without which the case cannot be told
  absent    {"5.10": "why"}: that kernel cannot do it, or cannot tell it
  instead   {"5.10": {...}}: keys that replace those of the case there
  host      why it is not run on the machine that runs the tests
  mode      "enforce": run after all others, when the gate does
  modules   modules of the kernel's package that lie in "$modules"
  guard     "on": is run while the agent guards itself, after all others

"$x" is what the program printed; "$folder" is an empty folder of the case's
own, "$program" the trigger, "$true" a program that does nothing.  In the guests
hooks tell real paths: "$path" is what was printed as real_path, if that was,
and "$caller" nothing; elsewhere it is the flag path_by_caller, and "$moved" is
unconfirmed, of a path whose beginning was moved.  null: the
field must be absent; "*": it must be there.  UNSAID holds for every event that
does not say otherwise.  Compared are exactly those events of the processes
named in `events` ("$pid" when there are none) whose action is among those of
`events` and `actions`: each process's in their order.
"""

import json
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
KEYS = {"args", "events", "actions", "program", "absent", "instead", "host",
        "mode", "modules", "guard"}
UNSAID = {"event.kind": "event", "khien.flags": [], "process.pid": "$pid",
          "process.executable": "$program", "user.id": "0"}


class Case:
    """One of a trigger; `id` names it in tables and failures."""

    def __init__(self, name, record):
        unknown = set(record) - KEYS
        if unknown:
            raise ValueError(f"{name}.json: {', '.join(sorted(unknown))}")
        self.name = name
        self.record = record
        self.args = record.get("args", [])
        self.program = record["program"]
        self.host = record.get("host")
        self.mode = record.get("mode", "")
        self.absent = record.get("absent", {})
        self.modules = record.get("modules", [])
        self.guard = record.get("guard", "")
        how = [a for a in self.args if a and not a.startswith("$")]
        self.id = "-".join([name, *how]).replace("/", "_")
        if self.absent and not record["events"]:
            raise ValueError(f"{self.id}: absent, and expects nothing")

    def __str__(self):
        return self.id

    def get(self, key, kernel=None):
        return {**self.record,
                **self.record.get("instead", {}).get(kernel, {})}.get(key, [])

    def command(self, path, **known):
        """What is executed, given "$folder" and the like."""
        return [str(path), *(str(filled(a, known)) for a in self.args)]

    def actions(self, kernel=None):
        return {*self.get("actions", kernel), *(
            e["event.action"] for e in self.get("events", kernel))}

    def expected(self, values, kernel=None):
        """The events, with everything filled in."""
        values = {**values, "caller": None if kernel else "path_by_caller",
                  "moved": None if kernel else "unconfirmed"}
        if kernel:
            values.update({name[5:]: value for name, value in values.items()
                           if name.startswith("real_")})
        return [{field: filled(value, values)
                 for field, value in {**UNSAID, **event}.items()}
                for event in self.get("events", kernel)]

    def pids(self, values, kernel=None):
        """Whose events are compared."""
        return {e["process.pid"] for e in self.expected(values, kernel)} or \
            {values["pid"]}


def load(folder=HERE):
    """All cases of all triggers; an error in one of them is an exception."""
    cases = []
    for path in sorted(folder.glob("*.json")):
        cases += [Case(path.stem, r) for r in json.loads(path.read_text())]
    names = [c.id for c in cases]
    twice = {n for n in names if names.count(n) > 1}
    if twice:
        raise ValueError(f"two cases each: {', '.join(sorted(twice))}")
    return cases


def filled(value, values):
    """"$pid" -> 12; "$folder/x" -> "/tmp/x"; a KeyError names what lacks."""
    if isinstance(value, list):
        return [v for v in (filled(v, values) for v in value)
                if v is not None]
    if not isinstance(value, str):
        return value
    if re.fullmatch(r"\$\w+", value):
        return values[value[1:]]
    return re.sub(r"\$(\w+)", lambda m: str(values[m[1]]), value)


def field_of(event, name):
    for key in name.split("."):
        if not isinstance(event, dict) or key not in event:
            return None
        event = event[key]
    return event


def same(name, expected, told):
    if name == "khien.flags":
        return sorted(expected or []) == sorted(told or [])
    if expected == "*":
        return told is not None
    if isinstance(told, str) and isinstance(expected, int):
        return told == str(expected)  # ECS has some numbers as texts
    return told == expected


def _differences(expected, told):
    return [f"{name}: expected {json.dumps(value)}, "
            f"told {json.dumps(field_of(told, name))}"
            for name, value in expected.items()
            if not same(name, value, field_of(told, name))]


def _compare_one(pid, expected, told):
    """One process's events."""
    said = [field_of(e, "event.action") for e in told]
    wanted = [e["event.action"] for e in expected]
    lines = []
    if said != wanted:
        lines.append(f"of process {pid} expected [{', '.join(wanted)}], "
                     f"told [{', '.join(said)}]")
    for i, (one, event) in enumerate(zip(expected, told), 1):
        lines += [f"event {i}, {one['event.action']}: {line}"
                  for line in _differences(one, event)]
    return lines


class Unusable(Exception):
    """What a trigger did is nothing that could be compared: why."""


def printed(case, known, code, output, kernel=None):
    """The values to compare with, from how the trigger ended and its output,
    in which errors stand too."""
    if code != 0:
        raise Unusable(f"the trigger ended with {code}: {output.strip()}")
    try:
        values = {**known, **json.loads(output)}
        case.pids(values, kernel)
    except (ValueError, TypeError):
        raise Unusable(f"the trigger printed no object: {output!r}") from None
    except KeyError as error:
        raise Unusable(f"the trigger did not print {error}: {output.strip()}") \
            from None
    return values


def compare(case, values, events, kernel=None):
    """Lines that say what is wrong, none when all is as expected.  `events`
    are what was told of at least its processes, in order."""
    expected = case.expected(values, kernel)
    pids = case.pids(values, kernel)
    actions = case.actions(kernel)
    compared = [e for e in events if field_of(e, "process.pid") in pids
                and field_of(e, "event.action") in actions]
    lines = []
    for pid in sorted(pids):
        lines += _compare_one(
            pid, [e for e in expected if e["process.pid"] == pid],
            [e for e in compared if field_of(e, "process.pid") == pid])
    if lines:
        lines.append(f"printed: {json.dumps(values)}")
        lines += [f"told: {json.dumps(e)}" for e in compared]
    return lines
