# SPDX-License-Identifier: GPL-2.0-or-later
"""File systems that come to be watched, of a user's own namespace or of ours:
who opened a program there before the gate was asked does not get to run it,
however long he takes, and everybody who comes later is asked about like
anywhere else."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time

import pytest

import fuse_server
import gated
from agent import get, wait_for
from test_reach import FREESTANDING, PROGRAM, Reach, make_reach  # noqa: F401

LIBC = ctypes.CDLL(None, use_errno=True)
FSOPEN, FSCONFIG, FSMOUNT, MOVE_MOUNT = 430, 431, 432, 429
SET_STRING, CREATE = 1, 6
NEW_USER, NEW_MOUNTS = 0x10000000, 0x00020000
AT_FDCWD, EMPTY_PATH = -100, 4
ROUNDS = 5
NUMBERS = 32  # that were free before the one that is wanted
NOSUID = 2  # MOUNT_ATTR_NOSUID
# Their own user namespace's; root's; what root mounts for a user.
WHOSE = ("theirs", "ours", "users")


def call(number, *args):
    got = LIBC.syscall(number, *args)
    if got < 0:
        raise OSError(ctypes.get_errno(), f"system call {number}")
    return got


def make_tmpfs(flags=0):
    """A mount of a file system of this namespace, nowhere yet."""
    fs = call(FSOPEN, b"tmpfs", 0)
    call(FSCONFIG, fs, SET_STRING, b"mode", b"755", 0)
    call(FSCONFIG, fs, CREATE, None, None, 0)
    mount = call(FSMOUNT, fs, 0, flags)
    os.close(fs)
    return mount


def put(mount, files):
    for name, data in files.items():
        fd = os.open(name, os.O_CREAT | os.O_WRONLY, 0o755, dir_fd=mount)
        os.write(fd, data)
        os.close(fd)


class Theirs:
    """An ordinary user's process with a tmpfs that nobody else has: one of its
    own user namespace, or one that root made for it.  It executes "program"
    from there, by a descriptor, when it is told to."""

    def __init__(self, reach, files, whose="theirs"):
        self.reach = reach
        self.mount = -1
        if whose != "theirs":
            self.mount = make_tmpfs(NOSUID if whose == "users" else 0)
            put(self.mount, files)
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            with contextlib.suppress(BaseException):
                self.live(theirs, files)
            os._exit(100)
        theirs.close()
        self.socket = ours
        _, fds, _, _ = socket.recv_fds(ours, 1, 1)
        if whose == "theirs":
            self.mount = fds[0]
        else:
            os.close(fds[0])
        self.point = None

    @staticmethod
    def make_own(theirs, files):
        """By a process that ends: its copies of mounts would keep those of
        other tests."""
        if LIBC.unshare(NEW_USER | NEW_MOUNTS):
            os._exit(101)
        for name, text in (("setgroups", "deny"),
                           ("uid_map", f"0 {gated.NOBODY} 1"),
                           ("gid_map", f"0 {gated.NOBODY} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
        mount = make_tmpfs()
        put(mount, files)
        socket.send_fds(theirs, [b"m"], [mount])

    def live(self, theirs, files):
        (self.reach.ground.scope / "cgroup.procs").write_text("0")
        os.setresgid(gated.NOBODY, gated.NOBODY, gated.NOBODY)
        os.setresuid(gated.NOBODY, gated.NOBODY, gated.NOBODY)
        LIBC.prctl(4, 1, 0, 0, 0)  # or its files in /proc would be root's
        mount = self.mount
        if mount < 0:
            ours, helpers = socket.socketpair()
            if os.fork() == 0:
                with contextlib.suppress(BaseException):
                    self.make_own(helpers, files)
                os._exit(0)
            helpers.close()
            _, (mount,), _, _ = socket.recv_fds(ours, 1, 1)
            os.wait()
        socket.send_fds(theirs, [b"m"], [mount])
        if theirs.recv(1):
            os.execve(f"/proc/self/fd/{mount}/program", ["program"], {})

    def execute(self):
        self.socket.send(b"x")

    def show(self, point):
        """Where everybody sees it."""
        call(MOVE_MOUNT, self.mount, b"", AT_FDCWD, str(point).encode(),
             EMPTY_PATH)
        os.close(self.mount)
        self.mount, self.point = -1, point

    def end(self):
        """How the process ended."""
        if self.pid:
            _, self.status = os.waitpid(self.pid, 0)
            self.pid = 0
        return os.waitstatus_to_exitcode(self.status)

    def close(self):
        self.socket.close()
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            self.end()
        if self.mount >= 0:
            os.close(self.mount)
            self.mount = -1
        if self.point:
            LIBC.umount2(str(self.point).encode(), 2)
            self.point = None


class Scene:
    """An agent that watches a folder, too, in which such mounts appear."""

    def __init__(self, make, request, start=True, **conf):
        self.all = []
        request.addfinalizer(self.close)
        self.reach = make(start=False, **conf)
        ground = self.reach.ground
        self.point = ground.mount / "theirs"
        self.point.mkdir()
        self.reach.agent.conf["gate.watch"] = f"{ground.mount}:{self.point}"
        self.reach.agent.write_conf()
        if start:
            self.reach.start()

    def lists(self):
        return self.reach.sensor("lists")

    def make(self, whose="theirs", **files):
        self.all.append(Theirs(self.reach, files, whose))
        return self.all[-1]

    def close(self):
        while self.all:
            self.all.pop().close()

    def is_watched(self):
        return gated.covered(self.reach.agent, self.point)

    def show(self, theirs):
        """Returns when the gate is asked there, and the sensor knows."""
        before = self.lists()
        theirs.show(self.point)
        self.wait(before)

    def wait(self, before):
        wait_for(self.is_watched, "it is watched")
        wait_for(lambda: self.lists() > before, "the sensor knows")

    def run(self, name):
        """By a new process of an ordinary user's."""
        return subprocess.run(
            ["sh", "-c", f"echo 0 > {self.reach.ground.scope}/cgroup.procs && "
             f"exec setpriv --reuid {gated.NOBODY} --clear-groups "
             f"sh -c '{self.point}/{name}; exit $?'"], check=False,
            capture_output=True, text=True)

    def runs(self):
        done = self.run("good")
        return (done.returncode, self.reach.ground.ran()) == (0, True)

    def refuses(self):
        done = self.run("bad")
        return (done.returncode, self.reach.ground.ran()) == (126, False) \
            and "not permitted" in done.stderr

    def files(self, **more):
        return {"good": self.reach.good.read_bytes(),
                "bad": self.reach.bad.read_bytes(), **more}


@pytest.fixture
def scene(make_reach, request):  # noqa: F811
    return Scene(make_reach, request)


def add_waiting(scene, request):
    """A file system whose server has the next one wait for its program, and
    programs that have that for their ELF interpreter."""
    if not os.path.exists("/dev/fuse"):
        pytest.skip("no FUSE in this kernel")
    ground = scene.reach.ground
    far = fuse_server.Fuse(ground.folder / "far",
                           scene.reach.good.read_bytes())
    request.addfinalizer(far.close)
    far.bad, far.good = (gated.compile_c(
        PROGRAM % (marker, ground.canary), ground.folder / "slow",
        *[flag for flag in FREESTANDING if flag != "-static"], "-pie",
        "-fPIE", f"-Wl,--dynamic-linker={far.path}/program")
        for marker in (gated.MARKER, "nothing"))
    return far


@pytest.fixture
def waiting(scene, request):
    return add_waiting(scene, request)


def begin(scene, waiting, whose="theirs", program=None):
    """An execution that has opened its program, and waits for the rest."""
    waiting.answers = False
    theirs = scene.make(whose, **scene.files(program=program or waiting.bad))
    theirs.execute()
    wait_for(lambda: waiting.asked, "it is under way")
    return theirs


@pytest.mark.parametrize("whose", WHOSE)
def test_what_waits_does_run(make_reach, request, whose):  # noqa: F811
    """Where nobody stops it: so these executions are ones."""
    scene = Scene(make_reach, request, start=False)
    waiting = add_waiting(scene, request)
    theirs = begin(scene, waiting, whose)
    theirs.show(scene.point)
    waiting.go_on()
    assert theirs.end() == 0
    assert scene.reach.ground.ran()


@pytest.mark.parametrize("whose", WHOSE)
def test_opened_before_the_gate_was_asked(scene, waiting, whose):
    """Again and again, as the next file system has the number, and in the
    kernel's memory the place, of the last one."""
    for _ in range(ROUNDS):
        theirs = begin(scene, waiting, whose)
        scene.show(theirs)
        waiting.go_on()
        assert theirs.end() == -signal.SIGKILL
        assert not scene.reach.ground.ran()
        # Nobody who comes later pays for that.
        assert scene.runs()
        assert scene.refuses()
        theirs.close()
        wait_for(lambda: not scene.is_watched(), "it is gone")


def test_a_container_of_roots_goes_on(scene, waiting):
    """Root's engine mounted it for a process that was there before: that is
    held, scanned and let go."""
    theirs = begin(scene, waiting, "ours", waiting.good)
    scene.show(theirs)
    waiting.go_on()
    assert theirs.end() == 0
    assert scene.reach.ground.ran()
    wait_for(lambda: scene.reach.held("released") == 1, "it was held")
    assert scene.reach.sensor("killed") == 0


def test_opened_before_and_held(make_reach, request):  # noqa: F811
    """The same where what cannot be asked about is held, and scanned."""
    scene = Scene(make_reach, request, gate_on_unreached="hold")
    waiting = add_waiting(scene, request)
    theirs = begin(scene, waiting)
    scene.show(theirs)
    waiting.go_on()
    assert theirs.end() == -signal.SIGKILL
    assert not scene.reach.ground.ran()
    wait_for(lambda: scene.reach.held("killed") == 1, "it was held")


@pytest.mark.parametrize("whose", WHOSE)
def test_a_new_agent_knows_since_when(scene, whose):
    """Whatever was mounted while there was none."""
    scene.reach.agent.stop()
    theirs = scene.make(whose, **scene.files())
    theirs.show(scene.point)
    scene.reach.start()
    scene.wait(0)
    assert scene.runs()
    assert scene.refuses()


@pytest.mark.parametrize("whose", WHOSE)
@pytest.mark.parametrize("role", ["gate", "sensor", "mounts"])
def test_a_new_one_knows_since_when(scene, role, whose):
    """Whichever process is replaced: who comes after that is not stopped."""
    theirs = scene.make(whose, **scene.files())
    scene.show(theirs)
    assert scene.runs()
    agent = scene.reach.agent
    old = agent.pid_of(role)
    before = scene.lists()
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: agent.pid_of(role) not in (None, old), "another is there")
    wait_for(lambda: get(agent.status() or {}, "khien.sensor.reach.state")
             == "kill", "it stops again")
    scene.wait(before)
    assert scene.runs()
    assert scene.refuses()


def numbered(scene, number, **files):
    """One of a user's with that device number.  Others mount, too: None, when
    they got it."""
    for _ in range(NUMBERS):
        found = scene.make("users", **files)
        if os.stat(found.mount).st_dev == number:
            return found
    return None


def test_the_number_of_one_that_is_gone(scene):
    """The next file system has it, and somebody executes from there before
    anybody has looked."""
    bad = scene.files(program=scene.reach.bad.read_bytes())
    tried = 0
    for _ in range(ROUNDS):
        first = scene.make("users", **scene.files())
        scene.show(first)
        assert scene.runs()
        number = os.stat(scene.point).st_dev
        before = scene.lists()
        os.kill(scene.reach.agent.pid_of("mounts"), signal.SIGSTOP)
        first.close()
        second = numbered(scene, number, **bad)
        if second:
            second.execute()
            assert second.end() == -signal.SIGKILL
            assert not scene.reach.ground.ran()
            tried += 1
        scene.close()
        os.kill(scene.reach.agent.pid_of("mounts"), signal.SIGCONT)
        wait_for(lambda: scene.lists() > before, "the sensor knows")
    assert tried


@pytest.mark.parametrize("role", ["gate", "khiend"])
def test_nobody_stays_held_for_a_mark_that_is_gone(scene, role):
    """Marks go with the gate, and kernel programs a moment later: whoever
    executes in between goes on."""
    ground, agent = scene.reach.ground, scene.reach.agent
    (ground.mount / "true").write_bytes(ground.good)
    (ground.mount / "true").chmod(0o755)
    storms = []
    for uid in (0, gated.NOBODY, 0, gated.NOBODY):
        storms.append(subprocess.Popen(
            ["sh", "-c", f"echo 0 > {ground.scope}/cgroup.procs && "
             f"exec setpriv --reuid {uid} --clear-groups sh -c 'while "
             f"{ground.mount}/true; do echo; done'"], stdout=subprocess.PIPE))
        os.set_blocking(storms[-1].stdout.fileno(), False)
    try:
        time.sleep(1)
        for _ in range(3 if role == "gate" else 1):
            pid = agent.pid_of("gate")
            if role == "gate":
                os.kill(pid, signal.SIGKILL)
            else:
                agent.child.kill()
            wait_for(lambda pid=pid: not os.path.exists(f"/proc/{pid}"),
                     "the gate is gone")
            time.sleep(1)
            for storm in storms:
                storm.stdout.read()
                wait_for(storm.stdout.read, "it goes on")
            if role == "gate":
                wait_for(lambda pid=pid: agent.pid_of("gate")
                         not in (None, pid), "another is there")
    finally:
        for storm in storms:
            storm.kill()
            storm.wait()
            storm.stdout.close()
