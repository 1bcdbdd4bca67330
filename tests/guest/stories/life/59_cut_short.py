# SPDX-License-Identifier: GPL-2.0-or-later
"""dpkg is killed while it puts new programs in their places: the old agent goes
on, says so, and starts what ends from whatever is there; installed again, all
is well."""

import os
import pathlib
import signal
import subprocess
import time

from lib import (fact, get, main_pid, pid_of, protects, protects_again, run,
                 status, wait_for)

DEBS = pathlib.Path("/srv/khien")
MIDDLE = "/usr/libexec/khien/khien-keep"
# khien-mounts looks every ten seconds.
TOLD_S = 30


def replaced():
    """What status says of it, or None."""
    found = [text for text in get(status(), "khien.reasons", [])
             if "was cut short" in text]
    return found[0] if found else None


began = time.monotonic()
pid = main_pid()
assert not replaced()
done = subprocess.run(
    ["dpkg", "-i", str(DEBS / "khien+1.deb")], capture_output=True, text=True,
    check=False, env=dict(os.environ, KHIEN_CUT=MIDDLE,
                          LD_PRELOAD="/srv/stories/cut.so"))
assert done.returncode == -signal.SIGKILL, done
assert "khien" in run("dpkg", "--audit")
assert main_pid() == pid
protects()
gate = pid_of("gate")
os.kill(gate, signal.SIGKILL)
wait_for(lambda: pid_of("gate") not in (None, gate), "another gate")
protects_again("it protects with programs of two versions")
said = wait_for(replaced, "status tells of it", TOLD_S)
fact(said)
doctor = subprocess.run(["khienctl", "doctor"], capture_output=True, text=True,
                        check=False)
assert doctor.returncode == 1 and "dpkg --configure -a" in doctor.stdout, doctor

# dpkg wants the package once more; the old one will do.
run("dpkg", "--configure", "-a")
run("dpkg", "-i", DEBS / "khien.deb", limit_s=400)
assert not run("dpkg", "--audit").strip()
protects_again("it protects after it was installed again")
assert main_pid() not in (0, pid)
wait_for(lambda: status() and not replaced(), "status has nothing to tell")
fact(f"all of it took {time.monotonic() - began:.0f} s")
