# SPDX-License-Identifier: GPL-2.0-or-later
"""A mount of the benchmark's own with a userland on it.

Whoever marks the machine's own file systems can stop it; so what is asked
about lies here.  A program alone would be cheaper than in reality, where its
loader and its libraries are asked about as well: all of them are copied, and
what is measured runs in a root folder of its own.
"""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CGROUPS = pathlib.Path("/sys/fs/cgroup/unified")
NOBODY = 65534
TOOLS = ("system/exec-storm", "bench/exec-each", "bench/open-each")
USUAL = ("true", "sh", "tar", "basename", "xargs")


class Ground:
    def __init__(self, size="4g"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="khien-bench-"))
        self.folder.chmod(0o755)
        self.mount = self.folder / "mount"
        self.mount.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o",
                        f"mode=0755,nr_inodes=0,size={size}", "khien-bench",
                        str(self.mount)], check=True)
        # Nobody is in it: what a policy kills is killed elsewhere.
        self.scope = CGROUPS / self.folder.name
        with contextlib.suppress(OSError):
            self.scope.mkdir()
        self.root = self.mount / "root"
        for name in ("tmp", "bench", "yard", "etc", "dev"):
            (self.root / name).mkdir(parents=True)
        # As on the machine, where they may be links to /usr.
        for name in ("bin", "lib", "lib64"):
            (self.root / "usr" / name).mkdir(parents=True)
            if os.path.islink(f"/{name}"):
                (self.root / name).symlink_to(f"usr/{name}")
        os.mknod(self.root / "dev/null", 0o20666, os.makedev(1, 3))
        for name in USUAL:
            self.add_program(shutil.which(name))
        for name in TOOLS:
            self._copy(ROOT / "build/tests" / name,
                       self.root / "bench" / name.split("/")[1])
        self._copy("/bin/true", self.root / "bench/true-user")
        os.chown(self.root / "bench/true-user", NOBODY, NOBODY)
        self._link()

    def close(self):
        subprocess.run(["umount", "-l", str(self.mount)], check=False)
        with contextlib.suppress(OSError):
            self.scope.rmdir()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _copy(self, source, target):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(os.path.realpath(source), target)
        target.chmod(0o755)

    def add_program(self, path, name=None):
        """With its loader and its libraries, at their own places."""
        self._copy(path, self.root / (name or path).lstrip("/"))
        done = subprocess.run(["ldd", str(path)], capture_output=True,
                              text=True, check=False)
        for library in re.findall(r"(/\S+) \(0x", done.stdout):
            target = self.root / library.lstrip("/")
            if not target.exists():
                self._copy(library, target)

    def add_compiler(self):
        """What compiles agent/lib, with all headers of the machine."""
        def ask(what):
            return subprocess.run(["gcc", what], capture_output=True,
                                  text=True, check=True).stdout.strip()

        self.add_program(shutil.which("gcc"), "/usr/bin/gcc")
        self.add_program(shutil.which("as"))
        for name in ("cc1", "collect2"):
            self.add_program(ask(f"-print-prog-name={name}"))
        headers = ask("-print-file-name=include")
        self._copy_tree(headers, headers)
        self._copy_tree("/usr/include", "/usr/include")
        for name in ("agent/lib", "kernel"):
            self._copy_tree(ROOT / name, f"/source/{name}")
        self._link()

    def _copy_tree(self, source, target):
        shutil.copytree(source, self.root / target.lstrip("/"),
                        symlinks=True, dirs_exist_ok=True)

    def _link(self):
        """A loader without its cache would look for each library twice."""
        subprocess.run(["ldconfig", "-r", str(self.root)], check=True,
                       stderr=subprocess.DEVNULL)

    def run(self, *command, **options):
        """A command inside; it must succeed."""
        options.setdefault("stdout", subprocess.DEVNULL)
        return subprocess.run(
            [shutil.which("chroot"), str(self.root), *map(str, command)],
            check=True, env={"PATH": "/usr/bin:/bin"}, timeout=600,
            **options)
