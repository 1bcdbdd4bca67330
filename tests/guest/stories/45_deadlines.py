# SPDX-License-Identifier: GPL-2.0-or-later
"""Until here nothing of the agent was ended: every question had its answer in
time, and nothing clean was refused."""

from lib import (PLANTED, ask, complaints, fact, get, processes, show,
                 status)

record = get(status(), "khien.gate")
questions = record["questions"]
waits = record["wait_us"]
fact(f"asked {questions['asked']}, scanned {questions.get('scanned')}, denied "
     f"{questions['denied']}, deadlines missed {questions['deadline']}")
fact("waits of p50 {} us, p99 {} us, max {} us, emulated".format(
    waits["p50"], waits["p99"], waits["max"]))
assert int(questions["deadline"]) == 0, questions
assert int(get(record, "events.unreadable", 0)) == 0
assert int(get(record, "queue.overflows", 0)) == 0
assert show("khien.service", "NRestarts") == "0"
wrong = {get(row, "file.path", "?")
         for row in ask("detections", "--limit", "100000")
         if f"/{PLANTED}" not in get(row, "file.path", "?")}
assert not wrong, wrong
again = {p["role"]: p["restarts"] for p in processes() if p.get("restarts")}
complaints()
assert not again, again
