# SPDX-License-Identifier: GPL-2.0-or-later
"""Until here nothing of the agent was ended: every question had its answer in
time, and nothing clean was refused."""

from lib import (complaints, detections, fact, get, processes, show,
                 status)

# The deadline of the guest's configuration, and what is promised beyond it.
BOUND_US = (10 + 3) * 1000000

record = get(status(), "khien.gate")
questions = record["questions"]
waits = record["wait_us"]
fact(f"asked {questions['asked']}, scanned {questions.get('scanned')}, denied "
     f"{questions['denied']}, deadlines missed {questions['deadline']}")
fact("waits of p50 {} us, p99 {} us, max {} us, emulated".format(
    waits["p50"], waits["p99"], waits["max"]))
assert int(waits["max"]) < BOUND_US, waits
assert int(get(record, "events.unreadable", 0)) == 0
assert int(get(record, "queue.overflows", 0)) == 0
assert show("khien.service", "NRestarts") == "0"
bad, given_up = detections()
assert len(bad) > 20
fact(f"{len(bad)} detections, all of them of planted files; {len(given_up)} "
     "scans were given up")
again = {p["role"]: p["restarts"] for p in processes() if p.get("restarts")}
fact(f"started again: {again or 'none'}")
complaints()
