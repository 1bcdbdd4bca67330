# SPDX-License-Identifier: GPL-2.0-or-later
"""The system has come up under the agent, and nothing failed."""

import re

from lib import covered, fact, gate, protects, run, show, wait_for

wait_for(lambda: show("multi-user.target", "ActiveState") == "active",
         "multi-user.target")
assert show("khien.service", "ActiveState") == "active"
assert show("khien.service", "NRestarts") == "0"
failed = run("systemctl", "--failed", "--no-legend", "--plain")
assert not failed.strip(), failed
for path in ("/", "/run", "/tmp", "/dev/shm"):
    assert covered(path) or path == "/tmp", (path, gate("covered", {}))
assert gate("mode", "") == "enforce"
run("khienctl", "status")  # exit 0: all is well
# The agent is there before anything that is no part of setting up.
log = run("journalctl", "-b", "-o", "short-monotonic", "--no-pager")
assert "ordering cycle" not in log
ready = log.find("Started Khien endpoint protection agent") if \
    "Started Khien" in log else log.find("Started khien.service")
assert 0 < ready < log.find("multi-user.target"), ready
protects()
took = re.search(r"Startup finished in .*", log)
fact(took.group() if took else "no start-up time")
fact("agent: " + run("systemd-analyze", "critical-chain",
                     "khien.service").splitlines()[-1].strip())
