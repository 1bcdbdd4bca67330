# SPDX-License-Identifier: GPL-2.0-or-later
"""A mount of our own under an agent that asks, and files that must not run."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile

from agent import Agent, get, wait_for

NOBODY = 65534
CGROUPS = pathlib.Path("/sys/fs/cgroup/unified")
# Written in two pieces, so that no scanner stops at this file.
MARKER = "khien-canary-" + "5b8e1f2c9d7a"
RULE = """rule khien_canary
{
	meta:
		severity = "high"
	strings:
		$marker = "%s"
	condition:
		$marker
}
""" % MARKER
PROGRAM = """#include <fcntl.h>
#include <unistd.h>
const char *marker = "%s";
__attribute__((constructor)) static void
run(void)
{
	close(open("%s", O_CREAT | O_WRONLY, 0666));
}
int main(void) { return marker[0] == 0; }
"""


def compile_c(text, path, *flags):
    subprocess.run(["cc", "-O1", "-x", "c", "-", "-o", str(path), *flags],
                   input=text.encode(), check=True)
    return path.read_bytes()


class Ground:
    """A folder that anybody may enter, with a mount and a canary's place."""

    def __init__(self, kind="tmpfs"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="khien-ground-"))
        self.folder.chmod(0o755)
        self.mount = self.folder / "mount"
        self.mount.mkdir()
        self.yard = self.folder / "yard"
        self.yard.mkdir()
        self.yard.chmod(0o1777)
        self.canary = self.yard / "canary"
        self.mounts = []
        # Nobody is in it: what the policy kills is killed elsewhere.
        self.scope = CGROUPS / self.folder.name
        with contextlib.suppress(OSError):
            self.scope.mkdir()
        if kind == "ext4":
            image = self.folder / "image"
            with open(image, "wb") as file:
                file.truncate(512 << 20)
            subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
            self.add_mount(self.mount, ["-o", "loop", str(image)])
        else:
            self.add_mount(self.mount, ["-t", "tmpfs", "-o", "size=1g",
                                        "khien-test"])
        self.mount.chmod(0o1777)
        build = self.folder / "build"
        build.mkdir()
        text = PROGRAM % (MARKER, self.canary)
        self.bad = compile_c(text, build / "bad")
        self.bad_library = compile_c(text, build / "bad.so", "-shared",
                                     "-fPIC")
        self.good = pathlib.Path("/bin/true").read_bytes()

    def add_mount(self, path, how):
        subprocess.run(["mount", *how, str(path)], check=True)
        self.mounts.append(path)

    def close(self):
        for path in reversed(self.mounts):
            subprocess.run(["umount", "-l", str(path)], check=False)
        with contextlib.suppress(OSError):
            self.scope.rmdir()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ran(self):
        """Whether anything of a bad file ran since the last question."""
        with contextlib.suppress(FileNotFoundError):
            self.canary.unlink()
            return True
        return False


def gate(agent, name, default=0):
    value = get(agent.status() or {}, f"khien.gate.{name}", default)
    return int(value) if isinstance(default, int) else value


def covered(agent, path):
    entries = get(agent.status() or {}, "khien.gate.covered") or {}
    return str(path) in [v for k, v in entries.items() if k != "len"]


def make(folder, ground, programs=False, wrapper=None, state_size=None,
         rules=None, **conf):
    """An agent that asks on the ground's mount; not started."""
    agent = Agent(folder, watch=False, wrapper=wrapper, state_size=state_size)
    agent.mount = ground.mount
    agent.conf.update({"gate.watch": ground.mount, "gate.mode": "enforce",
                       "gate.scope_cgroup": ground.scope, "scan.workers": 1,
                       **{k.replace("_", ".", 1): v for k, v in conf.items()}})
    for name, text in {"canary": RULE, **(rules or {})}.items():
        (agent.local / f"{name}.yar").write_text(text)
    if programs:
        own = ground.mount / "programs"
        own.mkdir()
        for path in agent.programs.glob("khien*"):
            if path.is_file():
                shutil.copy(path, own)
        agent.programs = own
    agent.write_conf()
    return agent


def start(agent):
    agent.start()
    wait_for(lambda: covered(agent, agent.mount), "the mount is covered")
    return agent
