# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots one kernel, emulated, and reads what its first process left."""

import dataclasses
import os
import subprocess

LIMIT_S = 480  # for one that hangs; one that does not takes a tenth
# QEMU 7.2 leaves garbage in the flags after a cmpxchg16b when it emulates with
# several threads: Linux 6.12, whose allocator goes by them, then crashes in
# every third boot.
CPU = "max,cx16=off"
# One thread for both processors: until QEMU 8.1 (its commit deba78709a) one may
# translate code while the other changes it, and a kernel that patches itself,
# as it does for each program that is attached, dies of it now and then.
ACCEL = "tcg,thread=single"
# An emulated timer is late on a busy machine, which is no reason to panic.
COMMAND_LINE = "console=ttyS0 panic=-1 quiet no_timer_check"
RESULTS_SIZE = 64 << 20
CONSOLE_LINES = 40


@dataclasses.dataclass
class Result:
    """One of a guest's plan."""

    name: str
    code: int
    at_ms: int  # since the machine was started
    output: bytes

    @property
    def text(self):
        return self.output.decode(errors="replace")


class Machine:
    def __init__(self, folder, kernel, initramfs, disk, append=""):
        self.console = folder / "console.log"
        self.results = folder / "results"
        for path in (self.console, self.results):
            path.unlink(missing_ok=True)
        self.results.touch()
        os.truncate(self.results, RESULTS_SIZE)
        self.child = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", ACCEL, "-cpu", CPU,
             "-smp", "2", "-m", "1024", "-nographic", "-no-reboot",
             "-nodefaults", "-monitor", "none",
             "-serial", f"file:{self.console}",
             "-kernel", str(kernel), "-initrd", str(initramfs),
             "-append", f"{COMMAND_LINE} {append}",
             "-drive", f"file={disk},format=raw,if=none,id=disk,"
             "snapshot=on,cache=unsafe",
             "-device", "nvme,drive=disk,serial=disk",
             "-drive", f"file={self.results},format=raw,if=none,id=results,"
             "cache=unsafe",
             "-device", "nvme,drive=results,serial=results"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)

    def wait(self):
        """Until it is off.  Returns its results, and what is wrong with the
        machine itself: "" for nothing."""
        why = ""
        try:
            _, said = self.child.communicate(timeout=LIMIT_S)
            if self.child.returncode:
                why = f"qemu ended with {self.child.returncode}: {said}"
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.communicate()
            why = f"it hangs: not off within {LIMIT_S} s"
        found = list(self._read())
        self.results.unlink()
        return found, why

    def close(self):
        if self.child.poll() is None:
            self.child.kill()
            self.child.communicate()

    def _read(self):
        """See report() of init.c for the other side."""
        with open(self.results, "rb") as data:
            while True:
                words = data.readline(512).split()
                if len(words) != 4 or words[0].startswith(b"\0"):
                    return
                name, code, at_ms, length = words
                yield Result(name.decode(), int(code), int(at_ms),
                             data.read(int(length)))
                data.read(1)

    def tail(self):
        if not self.console.exists():
            return ""
        text = self.console.read_text(errors="replace").replace("\r", "")
        return "\n".join(text.splitlines()[-CONSOLE_LINES:])
