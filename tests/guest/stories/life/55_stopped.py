# SPDX-License-Identifier: GPL-2.0-or-later
"""khiend and the gate stand still together: nobody else is left but the
kernel and the service manager, which opens files itself."""

import os
import pathlib
import shutil
import signal
import subprocess
import time

from lib import (PATIENCE_S, fact, main_pid, pid_of, processes,
                 protects_again, run, show, wait_for)

DEADLINE_S = 10
WATCHDOG_S = 5
BOUND_S = DEADLINE_S + WATCHDOG_S + 3
UNITS = pathlib.Path("/run/systemd/system")


def programs(count):
    """As many that nobody has executed before."""
    folder = pathlib.Path("/var/tmp/new")
    folder.mkdir(exist_ok=True)
    for i in range(count):
        path = folder / f"{time.monotonic_ns()}-{i}"
        shutil.copy("/bin/true", path)
        os.chown(path, 1000, 1000)
        yield path


def took_s(pids):
    """Stops these; until new programs were executed, and the service manager
    has opened a file that it has not seen before, and started a service."""
    paths = list(programs(10))
    UNITS.mkdir(parents=True, exist_ok=True)
    unit = UNITS / f"new-{time.monotonic_ns()}.service"
    unit.write_text("[Service]\nType=oneshot\nExecStart=/bin/true\n")
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    # Not executed from here: the first to wait would keep the others from it.
    children = [subprocess.Popen(["sh", "-c", str(path)]) for path in paths]
    children.append(subprocess.Popen(["systemctl", "start", unit.name]))
    for child in children:
        assert child.wait(PATIENCE_S) == 0
    unit.unlink()
    return time.monotonic() - began


def stop(name, pids):
    before = int(show("khien.service", "NRestarts"))
    main = main_pid()
    usual_s = took_s([])
    began = time.monotonic()
    waited_s = took_s(pids)
    # The emulated machine is slow: what it needs anyway is no wait.
    assert waited_s < BOUND_S + 3 * usual_s, (waited_s, usual_s)
    # A gate that goes on protects meanwhile.
    wait_for(lambda: main not in pids or main_pid() not in (0, main),
             "another khiend")
    protects_again(f"it protects after {name} stood still")
    after = int(show("khien.service", "NRestarts"))
    assert (after > before) == (main in pids), (before, after)
    fact(f"{name}: {waited_s:.1f} s instead of {usual_s:.1f} s, protects after "
         f"{time.monotonic() - began:.1f} s")


protects_again("it protects")
stop("khiend-and-gate", [main_pid(), pid_of("gate")])
stop("khiend", [main_pid()])
stop("gate", [pid_of("gate")])
stop("scanners", [p["pid"] for p in processes()
                  if p["role"] == "scan" and p.get("pid")])
stop("all", [main_pid(), *(p["pid"] for p in processes() if p.get("pid")
                           and p["pid"] != main_pid())])
assert "Watchdog timeout" in run("journalctl", "-b", "--no-pager")
