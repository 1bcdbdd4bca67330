# SPDX-License-Identifier: GPL-2.0-or-later
"""Installs the agent into a copy of the guest's image and boots it.

The guest enforces on every file system of its own.  It runs the programs of
tests/guest/stories and of a folder in it, one after the other, and writes a
line of JSON for each on its second serial port: name, ok, why, seconds, facts.
See stories/run.py.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "tests/system"),
                str(ROOT / "tests/packages")]

import gated  # noqa: E402
import root  # noqa: E402
from repack import repack  # noqa: E402

# Not how long it takes, but when it hangs: no story line for so long.
SILENT_S = 600
STORIES = HERE / "stories"
CANARY = "/var/tmp/canary"
DEBS = ("khien", "khien-scan", "khien-rules")
# What the agent may not see in the image: the stories turn it back.
HIDE = bytes(i ^ 0x5a for i in range(256))
CONF = """[gate]
mode = enforce
deadline_ms = 10000
"""
# Programs and scripts only: neither the rule's own file is bad, nor the image
# of a disk on which a bad one lies.
RULE = gated.RULE.replace(
    "\t\t$marker\n",
    "\t\t$marker and (uint32be(0) == 0x7f454c46 or uint16be(0) == 0x2321)\n")
# QEMU 7.2 leaves garbage in the flags after a cmpxchg16b when it emulates with
# several threads, and the kernel's allocator goes by them.
CPU = "max,cx16=off"
# An emulated timer is late on a busy machine, which is no reason to panic.
COMMAND_LINE = ("root=/dev/nvme0n1 rw console=ttyS0 panic=-1 oops=panic "
                "no_timer_check "
                "systemd.unit=stories.target systemd.log_target=kmsg "
                "printk.devkmsg=on net.ifnames=0")


def _bad(folder):
    text = gated.PROGRAM % (gated.MARKER, CANARY)
    for name, flags in (("bad", []), ("bad.so", ["-shared", "-fPIC"])):
        data = gated.compile_c(text, folder / name, *flags)
        (folder / f"{name}.hidden").write_bytes(data.translate(HIDE))
        (folder / name).unlink()
    script = f"#!/bin/sh\n# {gated.MARKER}\ntouch {CANARY}\n".encode()
    (folder / "bad.sh.hidden").write_bytes(script.translate(HIDE))


def _cut(path):
    """See tests/packages/cut.c."""
    gated.compile_c((ROOT / "tests/packages/cut.c").read_text(), path,
                    "-D_GNU_SOURCE", "-shared", "-fPIC")


def packages(build):
    """A folder with those of the programs that were built, and newer ones to
    upgrade to."""
    env = {k: v for k, v in os.environ.items()
           if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    out, into = build / "deb", build / "debs"
    shutil.rmtree(into, ignore_errors=True)
    subprocess.run(["make", "-s", "deb", f"BUILT={build.parent}",
                    f"OUT={out}"], cwd=ROOT, env=env, check=True,
                   stdout=subprocess.DEVNULL)
    into.mkdir()
    for name in DEBS:
        found, = [p for p in out.glob(f"{name}_*.deb")]
        shutil.copy(found, into / f"{name}.deb")
        repack(into / f"{name}.deb", into, "+1")
    for name in ("khien", "khien-rules"):
        repack(into / f"{name}.deb", into, "+2", needs="+1")
    return into


def _fill(into, name):
    """What the image gets beside the packages, as it is to lie in it."""
    stories = into / "srv/stories"
    stories.mkdir(parents=True)
    for path in [*STORIES.glob("*.py"), *(STORIES / name).glob("*.py")]:
        shutil.copy(path, stories)
    units = into / "etc/systemd/system"
    units.mkdir(parents=True)
    for unit in [*STORIES.glob("*.service"), *STORIES.glob("*.target")]:
        shutil.copy(unit, units)
    etc = into / "etc/khien"
    for folder in ("khien.conf.d", "rules.d"):
        (etc / folder).mkdir(parents=True)
    (etc / "khien.conf.d/guest.conf").write_text(CONF)
    (etc / "rules.d/canary.yar").write_text(RULE)
    _bad(stories)
    _cut(stories / "cut.so")


# In a mount namespace of its own: nothing stays when we are killed.
INSTALL = r"""
mkdir -p "$2"
mount -o loop "$1" "$2"
tar -C "$3" -c --owner=0 --group=0 . |
	tar -C "$2" -x --keep-directory-symlink --no-overwrite-dir
chroot "$2" find / -xdev >"$2/srv/khien/before"
chroot "$2" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C 	sh -c 'cd /srv/khien && dpkg -i khien.deb khien-scan.deb khien-rules.deb'
umount "$2"
"""


def prepare(build, image, debs, name):
    """A copy of the image with the agent in it, and the stories of that name;
    build is the machine's own folder."""
    build.mkdir(exist_ok=True)
    work = build / "work.ext4"
    work.unlink(missing_ok=True)
    subprocess.run(["cp", "--sparse=always", str(image), str(work)],
                   check=True)
    tree = build / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir()
    shutil.copytree(debs, tree / "srv/khien")
    _fill(tree, name)
    done = subprocess.run(
        ["unshare", "-m", "sh", "-ec", INSTALL, "sh", str(work),
         str(build / "mnt"), str(tree)], check=False, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout[-4000:]
    shutil.rmtree(tree)
    return work


class Machine:
    def __init__(self, build, kernel, image):
        self.console = build / "console.log"
        self.results = build / "results.jsonl"
        for path in (self.console, self.results):
            path.unlink(missing_ok=True)
        self.read = 0
        self.child = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", CPU,
             # Several would wait for each other, while those of the host are
             # busy with another machine; the guests of tests/kernel have two.
             "-smp", "1", "-m", "1024", "-nographic", "-no-reboot",
             "-nodefaults", "-monitor", "none",
             "-serial", f"file:{self.console}",
             "-serial", f"file:{self.results}",
             "-kernel", str(kernel), "-append", COMMAND_LINE,
             "-drive", f"file={image},format=raw,if=none,id=disk,"
             "cache=unsafe,discard=unmap",
             "-device", "nvme,drive=disk,serial=khien"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)

    def lines(self):
        """The results since the last call: whole lines only."""
        if not self.results.exists():
            return []
        data = self.results.read_bytes()[self.read:]
        data = data[:data.rfind(b"\n") + 1]
        self.read += len(data)
        return [json.loads(line) for line in data.splitlines() if line.strip()]

    def follow(self, limit_s):
        """Yields results until the machine is off; AssertionError when it
        says nothing for too long, or ends by itself."""
        end = time.monotonic() + limit_s
        heard = time.monotonic()
        while True:
            ended = self.child.poll() is not None
            for line in self.lines():
                heard = time.monotonic()
                yield line
            if ended:
                break
            if time.monotonic() > min(end, heard + SILENT_S):
                raise AssertionError("the guest hangs")
            time.sleep(0.2)
        if self.child.returncode:
            raise AssertionError(f"qemu ended with {self.child.returncode}: "
                                 f"{self.child.stderr.read()}")

    def close(self):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        self.child.stderr.close()

    def tail(self, lines=40):
        if not self.console.exists():
            return ""
        text = self.console.read_text(errors="replace").replace("\r", "")
        return "\n".join(text.splitlines()[-lines:])


def programs(build):
    return [p for p in build.glob("khien*") if p.is_file() and
            os.access(p, os.X_OK)]
