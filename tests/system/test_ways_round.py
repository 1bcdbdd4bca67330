# SPDX-License-Identifier: GPL-2.0-or-later
"""Ways to run a file without having it scanned first: by none of them may one
instruction run.  Each is tried as an ordinary user, and before that without
the agent, to see that it is a way at all."""

import contextlib
import ctypes
import ctypes.util
import glob
import mmap
import os
import pathlib
import subprocess
import sys
import time

import pytest

import gated
from agent import wait_for

TRIES = int(os.environ.get("KHIEN_TRIES", "25"))
LOADER = next(iter(glob.glob("/lib64/ld-linux-*.so.*") +
                   glob.glob("/lib/ld-linux-*.so.*")), None)
PR_SET_PDEATHSIG = 1


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
    for _ in range(10):
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
    for _ in range(10):
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


def bind_mount(yard):
    run(yard.ground.yard / "bound" / yard.folder.name /
        yard.write(yard.bad).name)


def other_namespace(yard):
    """In a user and mount namespace of his own, by another mount."""
    run("unshare", "-Urm", "/bin/sh", "-c",
        'mkdir -p "$1" && mount --bind "$2" "$1" && exec "$1/$3"', "sh",
        yard.ground.yard / "private", yard.folder,
        yard.write(yard.bad).name)


WAYS = [plain, rename_over, rewritten, same_size_and_time, hard_link,
        symlink_swap, mapping_before, mapping_while, mapping_after,
        held_writer, changed_between, changed_by_mapping, loader_by_hand,
        loader_after_good, preload, dlopen, audit, shell, shell_input,
        shell_source, shebang, python, python_exec, python_import, fexecve,
        bind_mount, other_namespace]


@pytest.fixture(scope="module", params=["tmpfs", "ext4"])
def ground(request):
    ground = gated.Ground(request.param)
    bound = ground.yard / "bound"
    bound.mkdir()
    ground.add_mount(bound, ["--bind", str(ground.mount)])
    yield ground
    ground.close()


@pytest.fixture(scope="module")
def yards(ground):
    """Each way's folder; the ways were tried there without the agent."""
    yards = {}
    for way in WAYS:
        yard = yards[way] = Yard(ground, way.__name__)
        yard.folder.mkdir()
        yard.folder.chmod(0o777)
        yard.works = False
        for _ in range(5):
            attempt(way, yard)
            if ground.ran():
                yard.works = True
                break
    return yards


@pytest.fixture(scope="module")
def agent(ground, yards, tmp_path_factory):
    agent = gated.make(tmp_path_factory.mktemp("khien"), ground,
                       gate_deadline_ms=1000, scan_workers=2)
    yield gated.start(agent)
    agent.close()


def attempt(way, yard):
    """As an ordinary user, in a process of his own."""
    yard.count += 100
    pid = os.fork()
    if pid:
        assert os.waitpid(pid, 0)[1] == 0, f"{way.__name__} could not be tried"
        return
    code = 1
    try:
        os.setgroups([])
        os.setgid(gated.NOBODY)
        os.setuid(gated.NOBODY)
        os.environ["HOME"] = "/"
        way(yard)
        code = 0
    except PermissionError:
        code = 0  # an open that the way itself needs was refused
    except BaseException as error:  # pylint: disable=broad-except
        print(f"{way.__name__}: {error!r}", file=sys.stderr)
    finally:
        os._exit(code)


@pytest.mark.slow(300)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_no_instruction_runs(agent, ground, yards, way):
    yard = yards[way]
    if not yard.works and way in (other_namespace, audit):
        pytest.skip(f"machine: {way.__name__} does not work here at all")
    assert yard.works, "it is no way even without the agent"
    ground.ran()
    for number in range(TRIES):
        attempt(way, yard)
        assert not ground.ran(), f"in attempt {number}"


def test_new_mount(agent, ground):
    late = ground.mount / "late"
    late.mkdir()
    agent.conf["gate.watch"] = f"{ground.mount}:{late}"
    agent.write_conf()
    agent.child.send_signal(1)
    wait_for(lambda: "read again" in agent.log(), "it is configured")
    ground.add_mount(late, ["-t", "tmpfs", "khien-test"])
    wait_for(lambda: gated.covered(agent, late), "the new mount is covered")
    path = late / "bad"
    path.write_bytes(ground.bad)
    path.chmod(0o755)
    with pytest.raises(PermissionError):
        subprocess.run([str(path)], check=False)
    assert not ground.ran()
