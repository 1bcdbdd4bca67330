# SPDX-License-Identifier: GPL-2.0-or-later
"""clamd and clamonacc from Debian, on the same mount and by the same rows.

Their configuration, socket and database are ours; nothing of the machine's is
read or started.  What clamonacc watches is checked before anything is
measured: prevention on any other mount could stop the machine.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/system"))
from agent import EICAR, wait_for  # noqa: E402
from asked import measure_opens, measure_pairs, tell_opens  # noqa: E402
from ground import Ground  # noqa: E402
from loads import Inside, Opens  # noqa: E402
from watched import cpu_of  # noqa: E402

# Far less than is asked of the agent: an exec takes them 40 ms, not 0.3.
SHARE = 30
ROUNDS = 3
OPENS = 1000
# What the packages make; the accesses of clamd itself are let by.
USER = "clamav"
CONF = """LocalSocket {folder}/clamd.sock
DatabaseDirectory {folder}/database
TemporaryDirectory {folder}
LogFile {folder}/clamd.log
PidFile {folder}/clamd.pid
Foreground yes
User {user}
OnAccessIncludePath {mount}
OnAccessPrevention yes
OnAccessExcludeUname {user}
"""


class Clam:
    def __init__(self, ground):
        self.ground = ground
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="khien-clam-"))
        (self.folder / "database").mkdir()
        # One signature is enough: what costs is the way a question takes.
        (self.folder / "database/bench.ndb").write_text(
            f"Bench.Eicar:0:*:{EICAR.hex()}\n")
        self.conf = self.folder / "clamd.conf"
        self.conf.write_text(CONF.format(folder=self.folder, user=USER,
                                         mount=ground.mount))
        shutil.chown(self.folder, USER)
        self.children = []

    def _start(self, *command):
        with open(self.folder / "out", "ab") as out:
            self.children.append(subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out))

    def _ready(self, path):
        for child in self.children:
            if child.poll() is not None:
                out = (self.folder / "out").read_text(errors="replace")
                raise AssertionError(f"{child.args} ended:\n{out}")
        return path()

    def on(self):
        conf = f"--config-file={self.conf}"
        self._start("clamd", conf)
        wait_for(lambda: self._ready((self.folder / "clamd.sock").exists),
                 "clamd answers")
        self._start("clamonacc", conf, "--foreground", "--fdpass",
                    f"--log={self.folder}/clamonacc.log")
        wait_for(lambda: self._ready(self._marks), "clamonacc watches")
        self._check()

    def _marks(self):
        """The devices of what clamonacc watches; with OnAccessMountPath it
        would prevent nothing, so it marks folder by folder."""
        marks = []
        folder = f"/proc/{self.children[-1].pid}/fdinfo"
        for name in os.listdir(folder):
            text = pathlib.Path(folder, name).read_text()
            marks += re.findall(r"^fanotify (mnt_id|ino|sdev):.*?(?:sdev:(\w+))?"
                                r" mflags", text, re.M)
        return marks

    def _check(self):
        """Ours and nothing else, or it is ended at once."""
        device = os.stat(self.ground.mount).st_dev
        ours = os.major(device) << 20 | os.minor(device)
        for kind, number in self._marks():
            if kind != "ino" or int(number, 16) != ours:
                self.off()
                raise AssertionError(f"clamonacc watches {kind} {number}")

    def off(self):
        # First who asks, then who answers: nobody is left waiting.
        while self.children:
            child = self.children.pop()
            child.kill()
            child.wait()
        (self.folder / "clamd.sock").unlink(missing_ok=True)

    def cpu(self):
        time.sleep(0.4)
        return cpu_of(child.pid for child in self.children)

    def close(self):
        self.off()
        shutil.rmtree(self.folder, ignore_errors=True)


def is_installed():
    return all(shutil.which(name) for name in ("clamd", "clamonacc"))


def prevents(ground, clam):
    """Whether what is measured is prevention at all."""
    path = ground.root / "yard/eicar"
    path.write_bytes(EICAR)
    clam.on()
    try:
        path.read_bytes()
        return False
    except PermissionError:
        return True
    finally:
        clam.off()
        path.unlink()


def measure(_bench, rows):
    if not is_installed():
        rows.skip("clam", "clamd and clamonacc are not installed "
                  "(apt-get install clamav-daemon)")
        return
    ground = Ground()
    try:
        work, small = Inside(ground, SHARE), Opens(ground, OPENS)
        clam = Clam(ground)
        rows.add("clam.prevents", prevents(ground, clam), "0 or 1")
        loads = {"exec_system": work.exec_system, "exec_user": work.exec_user,
                 "untar": work.untar, "c_build": work.c_build}
        series = measure_pairs(clam, loads, ROUNDS, 1)
        for name in ("exec_system", "untar", "c_build"):
            series[name].tell(rows, f"clam.{name}")
        series["exec_user"].tell_added(rows, "clam.exec_user_added",
                                       work.execs_user)
        tell_opens(rows, "clam", small, measure_opens(Clam(ground), small, 1))
    finally:
        ground.close()
