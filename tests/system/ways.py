# SPDX-License-Identifier: GPL-2.0-or-later
"""Ways to run a file without having it scanned first; each is a function that
tries it once.  See test_ways_round.py."""

import contextlib
import ctypes
import ctypes.util
import glob
import itertools
import mmap
import os
import pathlib
import shutil
import subprocess
import sys
import time

import gated
from agent import ROOT

LOADER = next(iter(glob.glob("/lib64/ld-linux-*.so.*") +
                   glob.glob("/lib/ld-linux-*.so.*")), None)
PR_SET_PDEATHSIG = 1
AT_FDCWD = -100
RENAME_EXCHANGE = 2
# Where every user may execute them; see take_tools().
TOOLS = pathlib.Path("/nonexistent")


def take_tools(folder):
    """Copies our small programs there, for users who cannot enter ours."""
    global TOOLS  # pylint: disable=global-statement
    for name in ("exec-many", "uring-open"):
        shutil.copy(ROOT / "build/tests/system" / name, folder)
    TOOLS = folder


class Yard:
    """What a way works with: a folder of its own on the mount."""

    def __init__(self, ground, name):
        self.ground = ground
        self.folder = ground.mount / name
        self.bad, self.good = ground.bad, ground.good
        self.count = 0

    def path(self, name="file"):
        self.count += 1
        return self.folder / f"{name}-{self.count}"

    def write(self, content, name="file"):
        path = self.path(name)
        with open(path, "wb") as file:
            file.write(content)
        path.chmod(0o755)
        return path

    def known(self):
        """A good file that was executed before."""
        path = self.write(self.good, "good")
        for _ in range(2):
            run(path)
        return path

    def script(self, interpreter):
        """A file that leaves the canary when it is interpreted."""
        text = {"sh": f"# {gated.MARKER}\n: > {self.ground.canary}\n",
                "py": f"# {gated.MARKER}\n"
                      f"open('{self.ground.canary}', 'w')\n"}
        return self.write(text[interpreter].encode(), interpreter)


def run(*argv, **options):
    """Runs it; that it is refused is not an error."""
    options.setdefault("stderr", subprocess.DEVNULL)
    with contextlib.suppress(OSError):
        subprocess.run([str(a) for a in argv], check=False,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       **options)


def plain(yard):
    run(yard.write(yard.bad))


def rename_over(yard):
    path = yard.known()
    os.rename(yard.write(yard.bad), path)
    run(path)


def rewritten(yard):
    path = yard.known()
    path.write_bytes(yard.bad)
    run(path)


def same_size_and_time(yard):
    """Nothing of what stat(2) shows tells one from the other."""
    path = yard.path()
    path.write_bytes(yard.good.ljust(len(yard.bad), b"\0"))
    path.chmod(0o755)
    run(path)
    before = path.stat()
    with open(path, "r+b") as file:
        file.write(yard.bad.ljust(before.st_size, b"\0"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    run(path)


def hard_link(yard):
    yard.known()
    path = yard.path()
    os.link(yard.write(yard.bad), path)
    run(path)


def symlink_swap(yard):
    path = yard.path("link")
    os.symlink(yard.known(), path)
    run(path)
    other = yard.path("link")
    os.symlink(yard.write(yard.bad), other)
    os.rename(other, path)
    run(path)


def map_into(path, content):
    """Writes by a mapping alone, and closes."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o755)
    if os.fstat(fd).st_size < len(content):
        os.ftruncate(fd, len(content))
    mapped = mmap.mmap(fd, len(content))
    os.close(fd)
    mapped[:] = content
    return mapped


def mapping_before(yard):
    path = yard.path()
    map_into(path, yard.bad).close()
    run(path)


def padded(yard):
    """A good file that was executed, and is as long as the bad one."""
    path = yard.write(yard.good.ljust(len(yard.bad), b"\0"))
    run(path)
    run(path)
    return path


def mapping_while(yard):
    path = padded(yard)
    mapped = map_into(path, yard.bad)
    run(path)
    mapped.close()
    run(path)


def mapping_after(yard):
    path = padded(yard)
    map_into(path, yard.bad).close()
    run(path)


def held_writer(yard):
    """The writer lets go at some moment while another executes."""
    path = yard.write(yard.good.ljust(len(yard.bad), b"\0"))
    ready, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        fd = os.open(path, os.O_RDWR)
        mapped = mmap.mmap(fd, len(yard.bad))
        os.write(go, b"x")
        time.sleep(0.0005 * (yard.count % 20))
        mapped[:] = yard.bad
        mapped.close()
        os.close(fd)
        os._exit(0)
    os.read(ready, 1)
    os.close(ready)
    os.close(go)
    for _ in range(10):
        run(path)
    os.waitpid(pid, 0)
    run(path)


def changed_between(yard):
    """Another process changes it all the time; half of what is executed
    without the agent is bad."""
    path = yard.write(yard.good.ljust(len(yard.bad), b"\0"))
    pid = os.fork()
    if pid == 0:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, 9)
        contents = [yard.good.ljust(len(yard.bad), b"\0"), yard.bad]
        while True:
            for content in contents:
                with contextlib.suppress(OSError):
                    fd = os.open(path, os.O_WRONLY)
                    os.write(fd, content)
                    os.close(fd)
                time.sleep(0.0003)
    for _ in range(4):
        run(path)
    os.kill(pid, 9)
    os.waitpid(pid, 0)


def changed_by_mapping(yard):
    """The same, through a mapping that comes and goes."""
    path = yard.write(yard.good.ljust(len(yard.bad), b"\0"))
    pid = os.fork()
    if pid == 0:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, 9)
        contents = [yard.good.ljust(len(yard.bad), b"\0"), yard.bad]
        while True:
            for content in contents:
                with contextlib.suppress(OSError):
                    map_into(path, content).close()
                time.sleep(0.0003)
    for _ in range(4):
        run(path)
    os.kill(pid, 9)
    os.waitpid(pid, 0)


def loader_by_hand(yard):
    run(LOADER, yard.write(yard.bad))


def loader_after_good(yard):
    path = padded(yard)
    run(LOADER, path)
    path.write_bytes(yard.bad)
    run(LOADER, path)


def preload(yard):
    run("/bin/true", env={"LD_PRELOAD": str(
        yard.write(yard.ground.bad_library))})


def dlopen(yard):
    run(sys.executable, "-c", "import ctypes,sys; ctypes.CDLL(sys.argv[1])",
        yard.write(yard.ground.bad_library))


def audit(yard):
    run("/bin/true", env={"LD_AUDIT": str(
        yard.write(yard.ground.bad_library))})


def shell(yard):
    run("/bin/bash", yard.script("sh"))


def shell_input(yard):
    run("/bin/sh", "-c", 'exec /bin/bash < "$1"', "sh", yard.script("sh"))


def shell_source(yard):
    run("/bin/bash", "-c", '. "$1"', "bash", yard.script("sh"))


def shebang(yard):
    path = yard.script("sh")
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes()) \
        if not_asked(path) else None
    run(path)


def not_asked(path):
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError:
        return False
    return True


def python(yard):
    run(sys.executable, yard.script("py"))


def python_exec(yard):
    run(sys.executable, "-c", "import sys; exec(open(sys.argv[1]).read())",
        yard.script("py"))


def python_import(yard):
    path = yard.script("py")
    name = f"module{yard.count}"
    os.rename(path, yard.folder / f"{name}.py")
    run(sys.executable, "-B", "-c", f"import {name}",
        env={"PYTHONPATH": str(yard.folder)})


def fexecve(yard):
    run(sys.executable, "-c", "import os,sys; os.execve("
        "os.open(sys.argv[1], os.O_PATH), [sys.argv[1]], {})",
        yard.write(yard.bad))


def tool(name):
    """All may execute it: it is not beneath a folder of root's alone."""
    return TOOLS / name


def at_once(yard):
    """Many of them, all at the same moment."""
    run(tool("exec-many"), 40, yard.write(yard.bad))


def exchanged(yard):
    """Another process swaps the two names all the time."""
    path, other = yard.write(yard.good), yard.write(yard.bad)
    libc = ctypes.CDLL(None)
    names = [os.fsencode(path), os.fsencode(other)]
    pid = os.fork()
    if pid == 0:
        libc.prctl(PR_SET_PDEATHSIG, 9)
        while True:
            libc.renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1],
                           RENAME_EXCHANGE)
    for _ in range(4):
        run(path)
    os.kill(pid, 9)
    os.waitpid(pid, 0)


def truncated(yard):
    """Emptied and written again, by turns, without pause."""
    path = yard.known()
    pid = os.fork()
    if pid == 0:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, 9)
        contents = itertools.cycle([yard.bad, yard.good])
        while True:
            with contextlib.suppress(OSError):
                path.write_bytes(next(contents))
    for _ in range(4):
        run(path)
    os.kill(pid, 9)
    os.waitpid(pid, 0)


def deleted(yard):
    path = yard.write(yard.bad)
    fd = os.open(path, os.O_PATH)
    os.unlink(path)
    run(f"/proc/self/fd/{fd}", pass_fds=[fd])
    os.close(fd)


def never_linked(yard):
    """A file that never had a name."""
    fd = os.open(yard.folder, os.O_TMPFILE | os.O_WRONLY, 0o755)
    os.write(fd, yard.bad)
    reader = os.open(f"/proc/self/fd/{fd}", os.O_PATH)
    os.close(fd)
    run(f"/proc/self/fd/{reader}", pass_fds=[reader])
    os.close(reader)


def bad_interpreter(yard):
    """The file that is executed is good; the one that it names is not."""
    run(yard.write(b"#!%s\n" % os.fsencode(yard.write(yard.bad))))


def python_input(yard):
    run("/bin/sh", "-c", 'exec "$0" - < "$1"', sys.executable,
        yard.script("py"))


def shell_pipe(yard):
    run("/bin/sh", "-c", 'cat "$1" | /bin/sh', "sh", yard.script("sh"))


def uring_exec(yard):
    run(tool("uring-open"), yard.write(yard.bad))


def uring_script(yard):
    run(tool("uring-open"), yard.script("sh"), "/bin/sh")


def uring_loader(yard):
    """The loader opens the descriptor once more."""
    run(tool("uring-open"), yard.write(yard.bad), LOADER, "/proc/self/fd/0")


def middle(yard):
    """Behind padding, and before it."""
    path = yard.path()
    with open(path, "wb") as file:
        file.write(yard.bad)
        file.write(bytes(4 << 20))
    path.chmod(0o755)
    run(path)


def bind_mount(yard):
    run(yard.ground.yard / "bound" / yard.folder.name /
        yard.write(yard.bad).name)


def other_namespace(yard):
    """In a user and mount namespace of his own, by another mount."""
    run("unshare", "-Urm", "/bin/sh", "-c",
        'mkdir -p "$1" && mount --bind "$2" "$1" && exec "$1/$3"', "sh",
        yard.ground.yard / "private", yard.folder,
        yard.write(yard.bad).name)


# Of an overlay, whose two layers lie on the ground's mount.

def over_any(yard, layer, *writers):
    """A file that was executed through the overlay changes beneath it."""
    path = yard.ground.layers[layer] / yard.folder.name / yard.path().name
    through = yard.ground.layers["over"] / yard.folder.name / path.name
    path.write_bytes(yard.good.ljust(len(yard.bad), b"\0"))
    path.chmod(0o755)
    run(through)
    run(through)
    for writer in writers:
        writer(path, through)
        run(through)


def over_upper(yard):
    over_any(yard, "upper", lambda path, _: path.write_bytes(yard.bad))


def over_lower(yard):
    over_any(yard, "lower", lambda path, _: path.write_bytes(yard.bad))


def over_upper_mapping(yard):
    over_any(yard, "upper", lambda path, _: map_into(path, yard.bad).close())


def over_lower_mapping(yard):
    over_any(yard, "lower", lambda path, _: map_into(path, yard.bad).close())


def over_held_mapping(yard):
    """Executed while the mapping of the layer's file stands."""
    held = []
    over_any(yard, "upper",
             lambda path, _: held.append(map_into(path, yard.bad)),
             lambda *_: held.pop().close())


def over_copied_up(yard):
    over_any(yard, "lower", lambda _, over: over.write_bytes(yard.bad))


def over_mapping(yard):
    over_any(yard, "lower", lambda _, over: map_into(over, yard.bad).close())


def over_renamed(yard):
    other = yard.ground.layers["over"] / yard.folder.name / yard.path().name

    def swap(_, over):
        other.write_bytes(yard.bad)
        other.chmod(0o755)
        os.rename(other, over)

    over_any(yard, "lower", swap)


WAYS = [plain, rename_over, rewritten, same_size_and_time, hard_link,
        symlink_swap, mapping_before, mapping_while, mapping_after,
        held_writer, changed_between, changed_by_mapping, exchanged, truncated,
        at_once, middle, loader_by_hand, loader_after_good, preload, dlopen,
        audit, bad_interpreter, shell, shell_input, shell_pipe, shell_source,
        shebang, python, python_exec, python_import, python_input, fexecve,
        deleted, never_linked, uring_exec, uring_script, uring_loader,
        bind_mount, other_namespace, over_upper, over_lower,
        over_upper_mapping, over_lower_mapping, over_held_mapping,
        over_copied_up, over_mapping, over_renamed]
# Which need something that a machine may refuse.
NOT_EVERYWHERE = (other_namespace, audit, uring_exec, uring_script,
                  uring_loader)
# Which wait for a writer, and are tried a fifth as often.
SLOW = (held_writer, changed_between, changed_by_mapping, exchanged, truncated)
