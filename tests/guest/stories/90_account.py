# SPDX-License-Identifier: GPL-2.0-or-later
"""What the agent and the machine say of the day as a whole."""

import re

from lib import complaints, detections, fact, run

bad, given_up = detections()
assert len(bad) > 5
fact(f"{len(bad)} detections, all of them of planted files; {len(given_up)} "
     "scans were given up")

complaints()
log = run("journalctl", "-b", "--no-pager", "-o", "short-monotonic")
kernel = run("dmesg")
for text in (log, kernel):
    assert "blocked for more than" not in text
    assert "rcu_sched self-detected" not in text
    assert "Out of memory" not in text
assert not re.search(r"khien-\w+\[\d+\]: segfault", kernel)
dumps = [line for line in log.splitlines() if "dumped core" in line]
assert not dumps, dumps
failed = run("systemctl", "--failed", "--no-legend", "--plain")
assert not failed.strip(), failed
