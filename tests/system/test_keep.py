# SPDX-License-Identifier: GPL-2.0-or-later
"""khien-keep by itself: quarantine to the byte, whatever ends it; who is
killed and who is not."""

import hashlib
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys
import time

import pytest

from agent import wait_for
from keeper import KILL, KILL_MAPPED, QUARANTINE, Keeper

CGROUPS = pathlib.Path("/sys/fs/cgroup/unified")


def procs(cgroup):
    return (cgroup / "cgroup.procs").read_text().split()


@pytest.fixture
def keeper(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    return Keeper(tmp_path)


@pytest.fixture
def disk(tmp_path):
    """A file system of its own that keeps all attributes."""
    image, point = tmp_path / "image", tmp_path / "disk"
    point.mkdir()
    with open(image, "wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(point)],
                   check=True)
    yield point
    # Another agent on this machine may have a file of it open for a moment.
    wait_for(lambda: not subprocess.run(["umount", str(point)],
                                        check=False).returncode,
             "it is unmounted", pause_s=0.5)


@pytest.fixture
def cgroup():
    if not (CGROUPS / "cgroup.procs").exists():
        pytest.skip("machine: no cgroup v2 tree at " + str(CGROUPS))
    path = CGROUPS / f"khien-test-{os.getpid()}-{time.monotonic_ns()}"
    path.mkdir()
    (path / "inner").mkdir()
    yield path
    for folder in (path / "inner", path):
        wait_for(lambda f=folder: not procs(f), "the cgroup is empty")
        folder.rmdir()


def look(path):
    """All that is to come back."""
    at = os.lstat(path)
    names = os.listxattr(path)
    return (pathlib.Path(path).read_bytes(), at.st_mode, at.st_uid, at.st_gid,
            at.st_mtime_ns, {n: os.getxattr(path, n) for n in names})


def make(path, data=b"bad bytes \0\xff" * 1000):
    path = pathlib.Path(path) if isinstance(path, str) else path
    with open(path, "wb") as file:
        file.write(data)
    os.chown(path, 1234, 5678)
    os.chmod(path, 0o4751)
    os.setxattr(path, "user.note", b"a\0b\xff")
    os.setxattr(path, "security.capability",
                bytes.fromhex("0100000200200000000000000000000000000000"))
    os.setxattr(path, "trusted.other", b"t" * 900)
    os.utime(path, ns=(1_000_000_001, 1_111_111_111_222_333_444))
    return path


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 3 << 20])
def test_file_comes_back_to_the_byte(keeper, disk, size):
    path = make(disk / "file", os.urandom(size))
    before = look(path)
    taken = keeper.take(path, sha256=hashlib.sha256(before[0]).hexdigest())
    assert not taken["error"] and taken["done"] == QUARANTINE
    assert not path.exists()
    stored = (keeper.vault / f"{taken['entry']}.q").read_bytes()
    assert size < 16 or before[0][:16] not in stored
    restored = keeper.restore(taken["entry"])
    assert not restored["error"], restored
    assert look(path) == before
    other = disk / "other"
    assert not keeper.restore(taken["entry"], to=other)["error"]
    assert look(other) == before
    # Over nothing that stands there, and not half.
    again = keeper.restore(taken["entry"])
    assert "stands in its place" in again["error"]
    os.unlink(path)
    os.symlink("/nowhere", path)
    assert "stands in its place" in keeper.restore(taken["entry"])["error"]
    assert not keeper.delete(taken["entry"])["error"]
    assert keeper.delete(taken["entry"])["error"]
    assert keeper.entries() == []


def test_list_tells_what_is_kept(keeper, disk):
    assert keeper.list() == []
    names = [os.fsencode(disk) + b"/a\n\xff\"", os.fsencode(disk) + b"/plain"]
    for name in names:
        with open(name, "wb") as file:
            file.write(b"12345")
        assert not keeper.take(name, rule="the_rule")["error"]
    kept = keeper.list()
    assert [k["path"] for k in kept] == names
    for one in kept:
        assert one["size"] == 5 and one["rule"] == b"the_rule"
        assert one["sha256"] == hashlib.sha256(b"12345").hexdigest().encode()
        assert abs(one["when_ns"] / 1e9 - time.time()) < 60
    assert not keeper.restore(kept[0]["entry"])["error"]
    with open(names[0], "rb") as file:
        assert file.read() == b"12345"


def test_long_list_comes_in_pages(keeper, disk):
    for i in range(30):
        folder = disk / ("x" * 250) / ("y" * 250)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / (f"{i:03}" + "z" * 240)
        path.write_bytes(b"%d" % i)
        assert not keeper.take(path, rule="r" * 5000)["error"]
    kept = keeper.list()
    assert [k["path"][-243:-240] for k in kept] == \
        [b"%03d" % i for i in range(30)]


def test_key_and_folder_are_roots_alone(keeper, disk):
    taken = keeper.take(make(disk / "file"))
    assert stat.S_IMODE(os.stat(keeper.vault).st_mode) == 0o700
    key = keeper.vault / "key"
    assert stat.S_IMODE(os.stat(key).st_mode) == 0o600
    assert os.stat(key).st_size == 32
    # A folder of somebody else's making is not used.
    os.chmod(keeper.vault, 0o755)
    assert "not root's alone" in keeper.restore(taken["entry"])["error"]
    os.chmod(keeper.vault, 0o700)
    os.chown(keeper.vault, 61184, 61184)
    assert "not root's alone" in keeper.take(make(disk / "two"))["error"]
    assert (disk / "two").exists()
    os.chown(keeper.vault, 0, 0)
    assert not keeper.restore(taken["entry"])["error"]


def test_damaged_entry_is_told_and_never_restored(keeper, disk):
    path = make(disk / "file", os.urandom(200_000))
    taken = keeper.take(path)
    file = keeper.vault / f"{taken['entry']}.q"
    whole = file.read_bytes()
    for bad in (whole[:-1], whole[:100_000], whole + b"x", b"",
                whole[:-20] + bytes([whole[-20] ^ 1]) + whole[-19:]):
        file.write_bytes(bad)
        assert "damaged" in keeper.restore(taken["entry"])["error"]
        assert not path.exists() and os.listdir(disk) == ["lost+found"]
    # An entry under another one's name.
    other = "0" * 32
    (keeper.vault / f"{other}.q").write_bytes(whole)
    assert "damaged" in keeper.restore(other)["error"]
    file.write_bytes(b"KHIENQ1\0")
    assert [bool(k["error"]) for k in keeper.list()] == [True, True]
    file.write_bytes(whole)
    assert not keeper.restore(taken["entry"])["error"]


@pytest.mark.parametrize("entry", ["", "x", "../../etc/passwd", "0" * 32,
                                   "G" * 32, "key"])
def test_wrong_ids_are_refused(keeper, disk, entry):
    assert not keeper.take(make(disk / "file"))["error"]
    assert keeper.restore(entry)["error"]
    assert keeper.delete(entry)["error"]
    assert len(keeper.entries()) == 1 and (keeper.vault / "key").exists()


def test_only_what_was_judged_is_taken(keeper, disk):
    path = make(disk / "file")
    taken = keeper.take(path, sha256="0" * 64)
    assert "not what was scanned" in taken["error"] and path.exists()
    taken = keeper.take(path, inode=1)
    assert "not the one" in taken["error"] and path.exists()
    # Its name leads to another file by now.
    fd = os.open(path, os.O_RDONLY)
    os.rename(path, disk / "moved")
    path.write_bytes(b"innocent")
    taken = keeper.act("FILE", fd, QUARANTINE, path=path)
    os.close(fd)
    assert not taken["error"]
    assert path.read_bytes() == b"innocent" and not (disk / "moved").exists()
    assert keeper.list()[0]["path"] == os.fsencode(disk / "moved")


def test_name_that_went_elsewhere_stays(keeper, disk):
    """A hard link is opened, its own name goes, the other is not ours."""
    path, other = make(disk / "file"), disk / "other"
    os.link(path, other)
    fd = os.open(path, os.O_RDONLY)
    os.unlink(path)
    path.write_bytes(b"innocent")
    taken = keeper.act("FILE", fd, QUARANTINE, path=path)
    os.close(fd)
    assert "name cannot be found" in taken["error"]
    assert path.read_bytes() == b"innocent" and other.exists()
    assert keeper.entries() == []


def test_other_names_are_told(keeper, disk):
    path = make(disk / "file")
    os.link(path, disk / "two")
    os.link(path, disk / "three")
    taken = keeper.take(path)
    assert not taken["error"] and taken["left"] == 2
    assert not path.exists() and (disk / "two").exists()


def test_deleted_file_is_kept_all_the_same(keeper, disk):
    path = make(disk / "file")
    before = look(path)
    fd = os.open(path, os.O_RDONLY)
    os.unlink(path)
    taken = keeper.act("FILE", fd, QUARANTINE, path=path)
    os.close(fd)
    assert not taken["error"]
    assert not keeper.restore(taken["entry"])["error"]
    assert look(path) == before


def test_immutable_file_is_taken_and_comes_back_so(keeper, disk):
    path = make(disk / "file")
    subprocess.run(["chattr", "+i", str(path)], check=True)
    try:
        taken = keeper.take(path)
        assert not taken["error"] and not path.exists()
        assert not keeper.restore(taken["entry"])["error"]
        with pytest.raises(PermissionError):
            os.unlink(path)
    finally:
        if path.exists():
            subprocess.run(["chattr", "-i", str(path)], check=True)


def test_what_is_no_regular_file_is_refused(keeper, disk):
    assert "no regular file" in keeper.take(disk)["error"]


def test_full_disk_leaves_the_file(tmp_path, disk):
    state = tmp_path / "state"
    state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "khien-test",
                    str(state)], check=True)
    try:
        keeper = Keeper(tmp_path)
        path = make(disk / "file", os.urandom(2 << 20))
        before = look(path)
        taken = keeper.take(path)
        assert "No space left" in taken["error"]
        assert look(path) == before and keeper.entries() == []
        assert [p.name for p in keeper.vault.iterdir()] == ["key"]
        small = make(disk / "small", b"x" * 1000)
        assert not keeper.take(small)["error"]
    finally:
        subprocess.run(["umount", str(state)], check=True)


def test_read_only_file_system_leaves_the_file(keeper, disk):
    path = make(disk / "file")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert "cannot be removed" in keeper.take(path)["error"]
    assert path.exists() and keeper.entries() == []


def test_writer_loses_nothing(keeper, disk):
    """A file that grows all the time is not taken; what was written stays."""
    path = disk / "growing"
    code = ("import sys,time\n"
            "f=open(sys.argv[1],'ab',0)\n"
            "for i in range(10**9): f.write(b'%09d\\n'%i)\n")
    path.write_bytes(b"")
    writer = subprocess.Popen([sys.executable, "-c", code, str(path)])
    try:
        wait_for(lambda: path.stat().st_size > 500_000, "it grows")
        taken = keeper.take(path)
        if taken["error"]:
            assert path.exists() and keeper.entries() == []
    finally:
        writer.kill()
        writer.wait()


# Killing.

def start(path, *args, cgroup=None, **how):
    def enter():
        if cgroup:
            (cgroup / "cgroup.procs").write_text(str(os.getpid()))

    return subprocess.Popen([str(path), *args], preexec_fn=enter, **how)


@pytest.fixture
def sleeper(tmp_path):
    path = tmp_path / "sleeper"
    shutil.copy("/bin/sleep", path)
    return path


def test_scope_holds(tmp_path, cgroup, sleeper):
    keeper = Keeper(tmp_path, scope=cgroup)
    inside = [start(sleeper, "300", cgroup=cgroup / "inner") for _ in range(5)]
    outside = start(sleeper, "300")
    other = start("/bin/sleep", "300", cgroup=cgroup)
    try:
        acted = keeper.take(sleeper, KILL | QUARANTINE)
        assert not acted["error"], acted
        assert acted["done"] == KILL | QUARANTINE
        assert acted["killed"] == 5
        assert [c.wait(10) for c in inside] == [-signal.SIGKILL] * 5
        assert outside.poll() is None and other.poll() is None
    finally:
        for child in (*inside, outside, other):
            child.kill()
            child.wait()


def test_scope_that_is_none_kills_nobody(tmp_path, sleeper):
    for scope in (tmp_path / "missing", tmp_path):
        keeper = Keeper(tmp_path, scope=scope)
        child = start(sleeper, "300")
        try:
            acted = keeper.take(sleeper, KILL)
            assert "nothing is killed" in acted["error"]
            assert acted["killed"] == 0 and acted["done"] == 0
            assert child.poll() is None
        finally:
            child.kill()
            child.wait()


def test_script_of_its_name_is_spared(tmp_path, cgroup, sleeper):
    """What counts is the file: not its name, not arguments, not a copy."""
    keeper = Keeper(tmp_path, scope=cgroup)
    copy = tmp_path / "copy"
    shutil.copy(sleeper, copy)
    spared = [start(copy, "300", cgroup=cgroup),
              subprocess.Popen(["sleep", "300"], executable="/bin/sleep")]
    hit = start(sleeper, "300", cgroup=cgroup)
    try:
        assert keeper.take(sleeper, KILL)["killed"] == 1
        assert hit.wait(10) == -signal.SIGKILL
        assert all(c.poll() is None for c in spared)
    finally:
        for child in (*spared, hit):
            child.kill()
            child.wait()


def test_deleted_program_is_still_found(tmp_path, cgroup, sleeper):
    keeper = Keeper(tmp_path, scope=cgroup)
    child = start(sleeper, "300", cgroup=cgroup)
    fd = os.open(sleeper, os.O_RDONLY)
    os.unlink(sleeper)
    acted = keeper.act("FILE", fd, KILL, path=sleeper)
    os.close(fd)
    assert acted["killed"] == 1 and child.wait(10) == -signal.SIGKILL


def test_mapped_library_only_when_asked(tmp_path, cgroup):
    keeper = Keeper(tmp_path, scope=cgroup)
    library = tmp_path / "library.so"
    shutil.copy(os.path.realpath("/lib/x86_64-linux-gnu/libz.so.1"), library)
    code = ("import ctypes,sys,time; ctypes.CDLL(sys.argv[1]);"
            "print('loaded',flush=True); time.sleep(300)")
    child = start(sys.executable, "-c", code, str(library), cgroup=cgroup,
                  stdout=subprocess.PIPE)
    try:
        assert child.stdout.readline() == b"loaded\n"
        assert keeper.take(library, KILL)["killed"] == 0
        assert child.poll() is None
        assert keeper.take(library, KILL | KILL_MAPPED)["killed"] == 1
        assert child.wait(10) == -signal.SIGKILL
    finally:
        child.kill()
        child.wait()


# A chain: each starts the next one and stays; it ends by itself.
FORKER = ("import os,time\n"
          "for _ in range(400):\n"
          "    time.sleep(0.002)\n"
          "    if os.fork(): break\n"
          "time.sleep(30)\n")


def test_processes_that_start_others_end_too(tmp_path, cgroup):
    """Each copies itself while it is being killed."""
    keeper = Keeper(tmp_path, scope=cgroup)
    program = tmp_path / "program"
    shutil.copy(os.path.realpath(sys.executable), program)
    child = start(program, "-c", FORKER, cgroup=cgroup,
                  env=dict(os.environ, PYTHONHOME=sys.base_prefix))
    try:
        wait_for(lambda: len(procs(cgroup)) > 20, "there are many")
        acted = keeper.take(program, KILL)
        assert not acted["error"] and acted["killed"] > 20
    finally:
        child.kill()
        child.wait(10)
    wait_for(lambda: not procs(cgroup), "nobody is left")
