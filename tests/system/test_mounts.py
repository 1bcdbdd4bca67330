# SPDX-License-Identifier: GPL-2.0-or-later
"""What is covered, while mounts come, go and hang.  Marks are looked up where
the kernel tells of them, in the gate's fdinfo."""

import contextlib
import ctypes
import os
import pathlib
import signal
import subprocess
import time

import pytest

import fuse_server
import gated
from agent import EICAR, TRUE, get, wait_for
from gated import NOBODY

# From a mount to its mark, or its name in status.
BOUND_S = 6
LIBC = ctypes.CDLL(None, use_errno=True)


@pytest.fixture(params=["observe", "enforce"])
def guarded(request, tmp_path, ground):
    (tmp_path / "agent").mkdir()
    agent = gated.make(tmp_path / "agent", ground, gate_mode=request.param)
    try:
        yield gated.start(agent)
    finally:
        agent.close()


def listed(agent, name):
    entries = get(agent.status() or {}, f"khien.gate.{name}") or {}
    return [v for k, v in entries.items() if k != "len" and v]


def marked(agent):
    """Devices of the file systems that the kernel asks the gate about."""
    pid = agent.pid_of("gate")
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{pid}/fd/{fd}") != "anon_inode:[fanotify]":
                continue
            text = pathlib.Path(f"/proc/{pid}/fdinfo/{fd}").read_text()
            return {int(line.split("sdev:")[1].split()[0], 16)
                    for line in text.splitlines() if "sdev:" in line}
    return None


def device(path):
    """As the kernel writes it there."""
    number = os.stat(path).st_dev
    return os.major(number) << 20 | os.minor(number)


def umount(path, *how):
    subprocess.run(["umount", *how, str(path)], check=True)


def mount_tmpfs(path):
    path.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777", "khien-test",
                    str(path)], check=True)


@pytest.mark.parametrize("how", [[], ["-l"]], ids=["plain", "lazy"])
def test_path_never_falls_through(guarded, ground, how):
    """What lies beneath an unmounted path was not asked for."""
    assert marked(guarded) == {device(ground.mount)}
    umount(ground.mount, *how)
    wait_for(lambda: any("is gone" in e for e in listed(guarded, "uncovered")),
             "the path's mount is gone", BOUND_S)
    assert listed(guarded, "covered") == []
    assert marked(guarded) == set()
    # Nor by a successor that finds the path as it is now.
    pid = guarded.pid_of("mounts")
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: guarded.pid_of("mounts") not in (None, pid), "another")
    wait_for(lambda: any("is gone" in e for e in listed(guarded, "uncovered")),
             "it knows that the mount is gone", BOUND_S)
    gate = guarded.pid_of("gate")
    os.kill(gate, signal.SIGKILL)
    wait_for(lambda: guarded.pid_of("gate") not in (None, gate) and
             marked(guarded) is not None, "another, with a group of its own")
    assert marked(guarded) == set()
    # Until something is mounted there.
    mount_tmpfs(ground.mount)
    wait_for(lambda: marked(guarded) == {device(ground.mount)},
             "the next mount is watched", BOUND_S)
    wait_for(lambda: listed(guarded, "covered") == [str(ground.mount)],
             "and told", BOUND_S)


def test_next_file_system_of_that_number_is_watched(guarded, ground):
    for _ in range(20):
        before = device(ground.mount)
        umount(ground.mount)
        mount_tmpfs(ground.mount)
        if device(ground.mount) == before:
            break
    else:
        pytest.skip("this kernel gives another number each time")
    wait_for(lambda: marked(guarded) == {device(ground.mount)},
             "the next one is watched", BOUND_S)
    path = ground.mount / "eicar"
    path.write_bytes(EICAR)
    wait_for(lambda: guarded.found(path), "a detection")


def test_over_mounted_and_bound(guarded, ground):
    first = device(ground.mount)
    place = ground.folder / "bound"
    place.mkdir()
    subprocess.run(["mount", "--bind", str(ground.mount), str(place)],
                   check=True)
    ground.mounts.append(place)
    wait_for(lambda: sorted(listed(guarded, "covered")) ==
             sorted([str(ground.mount), str(place)]), "both are told", BOUND_S)
    mount_tmpfs(ground.mount)
    second = device(ground.mount)
    assert second != first
    wait_for(lambda: marked(guarded) == {second},
             "what the path names is watched, and it alone", BOUND_S)
    umount(ground.mount)
    wait_for(lambda: marked(guarded) == {first}, "the first again", BOUND_S)


@contextlib.contextmanager
def unshared(ground, *command):
    """A process in namespaces of its own, as nobody, with a tmpfs there."""
    held = ground.yard / "held"
    held.mkdir(exist_ok=True)
    script = 'mount -t tmpfs -o mode=1777 theirs "$0" && echo up && cat'
    child = subprocess.Popen([*command, "/bin/sh", "-c", script, str(held)],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert child.stdout.readline() == b"up\n"
        yield held
    finally:
        child.stdin.close()
        child.wait()


WAYS = {
    "root": ["unshare", "--mount"],
    "nobody": ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY),
               "--clear-groups", "unshare", "--user", "--map-root-user",
               "--mount"],
}


@pytest.mark.parametrize("who", WAYS)
def test_other_namespaces_are_seen_and_forgotten(guarded, ground, who):
    def told(path):
        return [e for e in listed(guarded, "uncovered")
                if e.startswith(f"{path}: not named by [gate] watch (tmpfs), "
                                "in mount namespace ")]

    with unshared(ground, *WAYS[who]) as held:
        wait_for(lambda: told(held), "their mount is told", BOUND_S)
        # Nobody asked for it.
        assert marked(guarded) == {device(ground.mount)}
    wait_for(lambda: not told(held), "it is gone", BOUND_S)


def test_killed_mounts_takes_no_mark_along(guarded, ground):
    pid = guarded.pid_of("mounts")
    gate = guarded.pid_of("gate")
    os.kill(pid, signal.SIGKILL)
    assert marked(guarded) == {device(ground.mount)}
    wait_for(lambda: guarded.pid_of("mounts") not in (None, pid), "another")
    late = ground.folder / "late"
    mount_tmpfs(late)
    ground.mounts.append(late)
    wait_for(lambda: [e for e in listed(guarded, "uncovered")
                      if e.startswith(f"{late}: ")], "it goes on", BOUND_S)
    assert listed(guarded, "covered") == [str(ground.mount)]
    assert marked(guarded) == {device(ground.mount)}
    assert guarded.pid_of("gate") == gate


def test_stopped_mounts_is_replaced_and_holds_up_nobody(guarded, ground):
    program = ground.mount / "program"
    program.write_bytes(pathlib.Path(TRUE).read_bytes())
    program.chmod(0o755)
    pid = guarded.pid_of("mounts")
    os.kill(pid, signal.SIGSTOP)
    subprocess.run([program], check=True, timeout=10)
    umount(ground.mount, "-l")
    wait_for(lambda: guarded.pid_of("mounts") not in (None, pid), "another")
    wait_for(lambda: any("is gone" in e for e in listed(guarded, "uncovered")),
             "it has seen the unmount", BOUND_S)
    assert marked(guarded) == set()


@pytest.fixture
def fuse(ground):
    if not os.path.exists("/dev/fuse"):
        pytest.skip("no FUSE in this kernel")
    made = []

    def make(path):
        made.append(fuse_server.Fuse(path))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_hanging_file_system_holds_up_nothing(guarded, ground, fuse):
    """One that never answers again, with a mount behind it; another over the
    way to what is watched."""
    pid = guarded.pid_of("mounts")
    server = fuse(ground.folder / "fuse")
    mount_tmpfs(server.path / "in")
    server.answers = False
    wait_for(lambda: [e for e in listed(guarded, "uncovered")
                      if e.startswith(f"{server.path}: not a local")],
             "it is told", BOUND_S)
    late = ground.mount / "late"
    mount_tmpfs(late)
    ground.mounts.append(late)
    wait_for(lambda: [e for e in listed(guarded, "uncovered")
                      if e.startswith(f"{late}: ")], "others too", BOUND_S)
    time.sleep(3)  # longer than khiend waits for a heartbeat
    assert not server.asked_by(guarded)
    assert guarded.pid_of("mounts") == pid
    assert marked(guarded) == {device(ground.mount)}


def test_hanging_way_to_the_watched(guarded, ground, fuse):
    pid = guarded.pid_of("mounts")
    watched = device(ground.mount)
    server = fuse(ground.folder)
    server.answers = False
    time.sleep(3)  # longer than khiend waits for a heartbeat
    assert not server.asked_by(guarded)
    assert guarded.pid_of("mounts") == pid
    assert marked(guarded) == {watched}


LISTENER = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
flags, mask, path = int(sys.argv[1], 0), int(sys.argv[2], 0), sys.argv[3]
fd = libc.fanotify_init(flags, os.O_RDONLY)
assert fd >= 0
if mask:
    assert libc.fanotify_mark(fd, 1 | 0x10, ctypes.c_uint64(mask), -100,
                              path.encode()) == 0
print("up", flush=True)
sys.stdin.read()
"""
CONTENT, NOTIF, OPEN_PERM = 4, 0, 0x10000


@contextlib.contextmanager
def listener(ground, group, mask):
    child = subprocess.Popen(
        ["/usr/bin/python3", "-c", LISTENER, str(group), str(mask),
         str(ground.yard)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert child.stdout.readline() == b"up\n"
        yield child.pid
    finally:
        child.kill()
        child.wait()


def told_listener(agent, pid):
    return [e for e in listed(agent, "listeners")
            if f"(process {pid})" in e]


def listener_events(agent, pid):
    return agent.sql("SELECT message FROM agent WHERE type='listener' AND "
                     f"pid={pid}")


@pytest.mark.parametrize("guarded", ["observe"], indirect=True)
def test_other_listeners_are_told_once(guarded, ground):
    # Its marks are on a mount of ours, on which nobody works.
    umounted = ground.yard
    subprocess.run(["mount", "-t", "tmpfs", "khien-test", str(umounted)],
                   check=True)
    ground.mounts.append(umounted)
    with listener(ground, NOTIF, 0) as harmless, \
            listener(ground, CONTENT, 0) as ready, \
            listener(ground, CONTENT, OPEN_PERM) as asking:
        wait_for(lambda: told_listener(guarded, asking) and
                 told_listener(guarded, ready), "both are told")
        assert "holds up who opens" in told_listener(guarded, asking)[0]
        assert "may hold up" in told_listener(guarded, ready)[0]
        assert not told_listener(guarded, harmless)
        assert not told_listener(guarded, guarded.pid_of("gate"))
        wait_for(lambda: listener_events(guarded, asking) and
                 listener_events(guarded, ready), "an event for each")
        doctor = guarded.ctl_raw("doctor").stdout.decode()
        assert f"(process {asking})" in doctor
        text = guarded.ctl_raw("status").stdout.decode()
        assert f"(process {asking})" in text
        # A successor tells it in status, and no second time as an event.
        before = guarded.pid_of("mounts")
        os.kill(before, signal.SIGKILL)
        wait_for(lambda: guarded.pid_of("mounts") not in (None, before),
                 "another")
        wait_for(lambda: not told_listener(guarded, asking), "it begins anew")
        wait_for(lambda: told_listener(guarded, asking), "it sees it as well")
        assert len(listener_events(guarded, asking)) == 1
    wait_for(lambda: not told_listener(guarded, asking), "they are gone")
