# SPDX-License-Identifier: GPL-2.0-or-later
"""Under load from several users, whatever of the agent stands still: as in
test_liveness_load."""

import os
import signal

import pytest

import load

# Both of them is what the service manager's watchdog is for.
CASES = [case for case in load.cases(signal.SIGSTOP)
         if set(case) != {"gate", "daemon"}]
CASES.append({"mounts": signal.SIGSTOP})
# One that stands still beside one that dies.
if os.environ.get("KHIEN_MIXED"):
    CASES += [{a: s, b: t} for a, b in load.PAIRS
              for s, t in ((signal.SIGSTOP, signal.SIGKILL),
                           (signal.SIGKILL, signal.SIGSTOP))]


@pytest.mark.slow(120)
@pytest.mark.parametrize("case", CASES, ids=load.name_of)
def test_standstill(ground, asking, tool, case):
    load.signalled(asking(), tool, ground, case)
