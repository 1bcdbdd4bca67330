# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent's packages are upgraded while it protects, and rules change."""

import contextlib
import pathlib
import subprocess
import threading
import time

from lib import (PLANTED, fact, main_pid, plant, processes, protects_again,
                 ran, run, show, wait_for)

DEBS = pathlib.Path("/srv/khien")
BOUND_S = 5
NAMES = ("khien", "khien-scan", "khien-rules")


def version(name):
    return run("dpkg-query", "-W", "-f", "${Version}", name)


class Probe(threading.Thread):
    """Executes a bad file that nobody has seen before, again and again."""

    def __init__(self):
        super().__init__()
        self.done = threading.Event()
        self.tries = []  # (began, ended, whether it was refused)

    def run(self):
        number = 0
        while not self.done.is_set():
            number += 1
            path = plant("bad", f"/var/tmp/{PLANTED}/upgrade-{number}")
            began = time.monotonic()
            with contextlib.suppress(PermissionError):
                subprocess.run([str(path)], check=False)
            self.tries.append((began, time.monotonic(), not ran()))
            path.unlink()
            time.sleep(0.2)

    def gap_s(self):
        """From the last refusal before one that ran to the next refusal."""
        longest, last = 0.0, self.tries[0][0]
        for began, ended, refused in self.tries:
            if refused:
                longest = max(longest, began - last)
                last = ended
        return longest

    def unprotected_s(self):
        """The same, of those alone between which something ran."""
        longest, last, loose = 0.0, None, False
        for began, ended, refused in self.tries:
            if not refused:
                loose = True
                continue
            if loose and last is not None:
                longest = max(longest, began - last)
            last, loose = ended, False
        assert not loose, self.tries[-5:]
        return longest


protects_again("it protects")
before, pid = version("khien"), main_pid()
probe = Probe()
probe.start()
wait_for(lambda: len(probe.tries) > 2, "the probe runs")
began = time.monotonic()
said = run("dpkg", "-i", *(DEBS / f"{name}+1.deb" for name in NAMES))
took_s = time.monotonic() - began
protects_again("it protects after the upgrade")
wait_for(lambda: all(t[2] for t in probe.tries[-3:]), "and goes on")
probe.done.set()
probe.join()
assert version("khien") == before + "+1"
assert main_pid() not in (0, pid)
assert show("khien.service", "ActiveState") == "active"
loose_s = probe.unprotected_s()
count = sum(not refused for _, _, refused in probe.tries)
fact(f"upgrade in {took_s:.1f} s; unprotected for {loose_s:.2f} s at most "
     f"({count} of {len(probe.tries)} tries ran), bound {BOUND_S}; longest "
     f"time without an answer {probe.gap_s():.2f} s")
assert loose_s < BOUND_S, probe.tries

# Another package of rules: they are read anew, and nothing ends.
pid = main_pid()
gate = {p["pid"] for p in processes() if p["role"] == "gate"}
run("dpkg", "-i", DEBS / "khien-rules+2.deb")
wait_for(lambda: show("khien.service", "SubState") == "running", "reloaded")
protects_again("it protects after new rules")
assert main_pid() == pid
assert {p["pid"] for p in processes() if p["role"] == "gate"} == gate
# A configuration that the new version refuses: the old one goes on.
wrong = pathlib.Path("/etc/khien/khien.conf.d/zz-wrong.conf")
wrong.write_text("[gate]\nmode = whatever\n", encoding="utf-8")
said = run("dpkg", "-i", DEBS / "khien+2.deb")
assert "refuses the configuration" in said, said
assert main_pid() == pid
wrong.unlink()
run("systemctl", "restart", "khien")
protects_again("it protects after all of that")
